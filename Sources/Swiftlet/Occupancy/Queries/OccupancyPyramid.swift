/// The largest and the smallest log-odds of the voxels under every cell of coarser grids: cells of
/// level l cover 2^l voxels an axis and lie on multiples of 2^l in world, so they stay put while the
/// window moves. Level 0 is the window itself.
///
/// Unknown counts as the smallest value of all: a cell whose maximum is unknown holds nothing known,
/// one whose minimum is known holds nothing unknown. Made afresh by `update`, which allocates
/// nothing; the same for every engine, instruction set and thread count.
@safe
public final class OccupancyPyramid {
  /// One level's cells, [y][x][z] in memory, z padded to `heightStride`.
  public struct Level {
    public internal(set) var origin = VoxelKey(x: 0, y: 0, z: 0)
    /// Cells x, y, z that the window touches at most.
    public let cells: SIMD3<Int>
    public let heightStride: Int
    /// int8 steps of log-odds, −128 unknown.
    public let maximum: AlignedBuffer<Int8>
    public let minimum: AlignedBuffer<Int8>
  }

  public private(set) var levels: [Level] = []
  let engine: Engine
  let pool: WorkerPool
  private let blank: AlignedBuffer<Int8>
  private let scratch: AlignedBuffer<Int8>
  private let byteModel: ByteModel
  private let scratchCount: Int

  /// - Throws: `ConfigurationError` unless there are 1 to 8 levels.
  public init(for grid: OccupancyGrid, levelCount: Int = 4) throws(ConfigurationError) {
    guard (1...8).contains(levelCount) else {
      throw ConfigurationError(
        field: "pyramid.levels", expected: "1 to 8", found: "\(levelCount)",
        remedy: "choose a number of levels in this range")
    }
    engine = grid.engine
    pool = grid.pool
    byteModel = grid.byteModel
    let height = grid.configuration.wordCount * 64
    blank = AlignedBuffer(count: height + 64)
    blank.fill(-128)
    scratchCount = 2 * height + 256
    scratch = AlignedBuffer(count: scratchCount * pool.threadCount)
    var cells = grid.cellCounts
    for _ in 0..<levelCount {
      // One more than half: an odd origin splits a coarse cell at each end.
      cells = SIMD3(cells.x / 2 + 1, cells.y / 2 + 1, cells.z / 2 + 1)
      let stride = (cells.z + 63) / 64 * 64
      let maximum = AlignedBuffer<Int8>(count: cells.x * cells.y * stride)
      let minimum = AlignedBuffer<Int8>(count: cells.x * cells.y * stride)
      maximum.fill(-128)
      minimum.fill(-128)
      levels.append(
        Level(cells: cells, heightStride: stride, maximum: maximum, minimum: minimum))
    }
  }

  /// Computes every level from the window. Allocates nothing.
  ///
  /// - Precondition: `grid` has the sizes of the one given to `init`.
  public func update(from grid: OccupancyGrid) {
    precondition(
      grid.cellCounts.x / 2 + 1 == levels[0].cells.x && grid.cellCounts.y / 2 + 1 == levels[0].cells.y,
      "a pyramid of \(levels[0].cells) cells cannot follow a window of \(grid.cellCounts) voxels")
    let view = WindowView(grid)
    var finer = unsafe PyramidSource(
      maximum: UnsafePointer(grid.lines.pointer),
      minimum: UnsafePointer(grid.lines.pointer), origin: view.origin,
      cells: SIMD3(view.cells.x, view.cells.y, view.words * 64), slotX: view.slotX,
      slotY: view.slotY)
    for index in levels.indices {
      let level = levels[index]
      let origin = SIMD3(finer.origin.x >> 1, finer.origin.y >> 1, finer.origin.z >> 1)
      levels[index].origin = VoxelKey(
        x: Int32(truncatingIfNeeded: origin.x), y: Int32(truncatingIfNeeded: origin.y),
        z: Int32(truncatingIfNeeded: origin.z))
      unsafe pool.run(
        PyramidJob(
          engine: engine, source: finer, coarse: level.cells, stride: level.heightStride,
          blank: blank.pointer, scratch: scratch.pointer, scratchCount: scratchCount,
          maximum: level.maximum.pointer, minimum: level.minimum.pointer))
      unsafe finer = PyramidSource(
        maximum: UnsafePointer(level.maximum.pointer),
        minimum: UnsafePointer(level.minimum.pointer), origin: origin,
        cells: SIMD3(level.cells.x, level.cells.y, level.heightStride), slotX: 0, slotY: 0)
    }
  }

  /// What a coarse cell holds: nil where it lies outside the level.
  ///
  /// - Parameters:
  ///   - level: 1 or more.
  ///   - key: floor(coordinate / (2^level · voxel)) a axis.
  public func extremes(level: Int, at key: VoxelKey) -> (minimum: Float?, maximum: Float?)? {
    precondition(
      (1...levels.count).contains(level), "level \(level) of a pyramid of \(levels.count)")
    let cells = levels[level - 1]
    let local = SIMD3(
      Int(key.x) - Int(cells.origin.x), Int(key.y) - Int(cells.origin.y),
      Int(key.z) - Int(cells.origin.z))
    guard (0..<3).allSatisfy({ local[$0] >= 0 && local[$0] < cells.cells[$0] }) else { return nil }
    let place = (local.y * cells.cells.x + local.x) * cells.heightStride + local.z
    func logOdds(_ value: Int8) -> Float? {
      value == -128 ? nil : Float(value) / byteModel.stepsPerUnit
    }
    return (logOdds(cells.minimum[place]), logOdds(cells.maximum[place]))
  }

  /// A coarse cell's state: occupied if any voxel is; free if every voxel is known and free; else
  /// unknown.
  public func state(level: Int, at key: VoxelKey) -> VoxelState {
    guard let found = extremes(level: level, at: key), let maximum = found.maximum else {
      return .unknown
    }
    let threshold = Float(byteModel.threshold) / byteModel.stepsPerUnit
    if maximum >= threshold { return .occupied }
    return found.minimum == nil ? .unknown : .free
  }
}

/// The finer grid under a level.
@safe
struct PyramidSource: BitwiseCopyable {
  let maximum: UnsafePointer<Int8>
  let minimum: UnsafePointer<Int8>
  let origin: SIMD3<Int>
  /// Columns, rows, heights (a multiple of 64).
  let cells: SIMD3<Int>
  let slotX: Int
  let slotY: Int

  init(
    maximum: UnsafePointer<Int8>, minimum: UnsafePointer<Int8>, origin: SIMD3<Int>,
    cells: SIMD3<Int>, slotX: Int, slotY: Int
  ) {
    unsafe self.maximum = maximum
    unsafe self.minimum = minimum
    self.origin = origin
    self.cells = cells
    self.slotX = slotX
    self.slotY = slotY
  }
}

@safe
struct PyramidJob: PartitionedJob {
  let engine: Engine
  let source: PyramidSource
  let coarse: SIMD3<Int>
  let stride: Int
  let blank: UnsafePointer<Int8>
  let scratch: UnsafeMutablePointer<Int8>
  let scratchCount: Int
  let maximum: UnsafeMutablePointer<Int8>
  let minimum: UnsafeMutablePointer<Int8>

  func run(part: Int, of parts: Int) {
    for y in partition(coarse.y, part: part, of: parts) {
      guard case .simd(let set) = engine else {
        reduceReference(y)
        continue
      }
      reduce(y, set, part)
    }
  }

  private func reduce(_ y: Int, _ set: InstructionSet, _ part: Int) {
    let cells = source.cells
    let layout: InlineArray<7, Int> = [
      cells.x, -(source.origin.x & 1), cells.z, -(source.origin.z & 1), coarse.x, stride,
      source.slotX,
    ]
    let first = 2 * y - (source.origin.y & 1)
    let has0 = first >= 0 && first < cells.y
    let has1 = first + 1 < cells.y
    let row0 = has0 ? rowOffset(first) : 0
    let row1 = has1 ? rowOffset(first + 1) : 0
    let target = y * coarse.x * stride
    unsafe withUnsafeBytes(of: layout) { raw in
      unsafe QueryKernels.reducePyramidRow(
        set, source.maximum + row0, source.maximum + row1, source.minimum + row0,
        source.minimum + row1, has0 ? 1 : 0, has1 ? 1 : 0,
        raw.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: Int.self), blank,
        scratch + part * scratchCount, maximum + target, minimum + target)
    }
  }

  private func rowOffset(_ row: Int) -> Int {
    let slot = row + source.slotY
    return (slot < source.cells.y ? slot : slot - source.cells.y) * source.cells.x * source.cells.z
  }

  private func value(_ plane: UnsafePointer<Int8>, _ x: Int, _ y: Int, _ z: Int) -> Int8 {
    let cells = source.cells
    guard x >= 0, x < cells.x, y >= 0, y < cells.y, z >= 0, z < cells.z else { return -128 }
    let slot = x + source.slotX < cells.x ? x + source.slotX : x + source.slotX - cells.x
    return unsafe plane[rowOffset(y) + slot * cells.z + z]
  }

  private func reduceReference(_ y: Int) {
    let odd = SIMD3(source.origin.x & 1, source.origin.y & 1, source.origin.z & 1)
    for x in 0..<coarse.x {
      for z in 0..<coarse.z {
        var highest = Int8.min
        var lowest = Int8.max
        for part in 0..<8 {
          let (fx, fy) = (2 * x - odd.x + part & 1, 2 * y - odd.y + (part >> 1) & 1)
          let fz = 2 * z - odd.z + part >> 2
          unsafe highest = max(highest, value(source.maximum, fx, fy, fz))
          unsafe lowest = min(lowest, value(source.minimum, fx, fy, fz))
        }
        let place = (y * coarse.x + x) * stride + z
        unsafe maximum[place] = highest
        unsafe minimum[place] = lowest
      }
    }
  }
}
