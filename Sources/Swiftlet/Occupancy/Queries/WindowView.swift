/// A window's bit planes for one call, as plain numbers and pointers, so that a job can carry it.
@safe
struct WindowView: BitwiseCopyable {
  let voxelSize: Double
  /// Key of the first voxel.
  let origin: SIMD3<Int>
  let cells: SIMD3<Int>
  let words: Int
  /// Slot of the window's first column.
  let slotX: Int
  let slotY: Int
  let occupied: UnsafePointer<UInt64>
  let known: UnsafePointer<UInt64>

  init(_ grid: OccupancyGrid) {
    let origin = grid.origin
    voxelSize = grid.configuration.voxelSizeMeters
    self.origin = SIMD3(Int(origin.x), Int(origin.y), Int(origin.z))
    cells = grid.cellCounts
    words = grid.configuration.wordCount
    slotX = OccupancyGrid.wrap(self.origin.x, cells.x)
    slotY = OccupancyGrid.wrap(self.origin.y, cells.y)
    unsafe occupied = UnsafePointer(grid.occupied.pointer)
    unsafe known = UnsafePointer(grid.known.pointer)
  }

  var columnCount: Int { cells.x * cells.y }

  /// A position (metres in world) in voxels from the window's corner, by the key's arithmetic.
  func local(_ world: SIMD3<Double>) -> SIMD3<Double> {
    world * (1 / voxelSize) - SIMD3<Double>(origin)
  }
  /// A position given in voxels from the window's corner, metres in world.
  func world(_ local: SIMD3<Double>) -> SIMD3<Double> {
    (local + SIMD3<Double>(origin)) * voxelSize
  }
  func contains(_ voxel: SIMD3<Int>) -> Bool {
    voxel.x >= 0 && voxel.x < cells.x && voxel.y >= 0 && voxel.y < cells.y && voxel.z >= 0
      && voxel.z < cells.z
  }
  /// The first line of the column at window position (x, y).
  func line(_ x: Int, _ y: Int) -> Int {
    let slotX = x + slotX < cells.x ? x + slotX : x + slotX - cells.x
    let slotY = y + slotY < cells.y ? y + slotY : y + slotY - cells.y
    return (slotY * cells.x + slotX) * words
  }
  /// The state of a voxel of the window; unknown outside.
  func state(_ voxel: SIMD3<Int>) -> VoxelState {
    guard contains(voxel) else { return .unknown }
    let line = line(voxel.x, voxel.y) + voxel.z >> 6
    let bit = UInt64(voxel.z & 63)
    if unsafe known[line] >> bit & 1 == 0 { return .unknown }
    return unsafe occupied[line] >> bit & 1 == 1 ? .occupied : .free
  }
  func key(_ voxel: SIMD3<Int>) -> VoxelKey {
    let key = voxel &+ origin
    return VoxelKey(
      x: Int32(truncatingIfNeeded: key.x), y: Int32(truncatingIfNeeded: key.y),
      z: Int32(truncatingIfNeeded: key.z))
  }

  /// What the kernels take: cells, words a column, slots of the first column, key of the first
  /// voxel. Lives on the stack of the call.
  func withLayout<R>(_ body: (UnsafePointer<Int>) -> R) -> R {
    let layout: InlineArray<9, Int> = [
      cells.x, cells.y, cells.z, words, slotX, slotY, origin.x, origin.y, origin.z,
    ]
    return unsafe withUnsafeBytes(of: layout) { raw in
      unsafe body(raw.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: Int.self))
    }
  }
}

/// Floor to an integer voxel, for positions that a precondition keeps small.
func voxelIndex(_ position: SIMD3<Double>) -> SIMD3<Int> {
  let floor = position.rounded(.down)
  return SIMD3(Int(floor.x), Int(floor.y), Int(floor.z))
}
