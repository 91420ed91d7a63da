/// Unbounded float32 log-odds in blocks of 8×8 columns of 64 voxels, found by open addressing.
///
/// 16 KB a block: a LiDAR scan touches whole columns, so most of a block fills up, and a ray stays
/// in one for about eight steps.
@safe
final class VoxelBlockStore {
  /// Blocks live in chunks that never move, so growing copies nothing.
  static let blocksPerChunk = 64
  static let voxelsPerBlock = 4096

  private var slotKeys: [UInt64]
  private var slotBlocks: [Int32]
  private(set) var blockKeys: [UInt64] = []
  private var values: [AlignedBuffer<Float>] = []
  private var known: [AlignedBuffer<UInt64>] = []

  init() {
    slotKeys = Array(repeating: .max, count: 1024)
    slotBlocks = Array(repeating: -1, count: 1024)
  }

  var blockCount: Int { blockKeys.count }

  /// Block coordinates are voxel keys plus 32768, shifted right by 3, 3 and 6.
  static func blockKey(x: Int, y: Int, z: Int) -> UInt64 {
    UInt64(x) << 26 | UInt64(y) << 12 | UInt64(z)
  }

  /// The block's index; nil when it does not exist.
  func find(_ key: UInt64) -> Int? {
    var slot = Self.hash(key) & (slotKeys.count - 1)
    while slotKeys[slot] != .max {
      if slotKeys[slot] == key { return Int(slotBlocks[slot]) }
      slot = (slot + 1) & (slotKeys.count - 1)
    }
    return nil
  }

  /// The block's index, made when missing.
  func findOrMake(_ key: UInt64) -> Int {
    if let block = find(key) { return block }
    if (blockKeys.count + 1) * 2 > slotKeys.count { grow() }
    let block = blockKeys.count
    blockKeys.append(key)
    if block % Self.blocksPerChunk == 0 {
      values.append(AlignedBuffer(count: Self.blocksPerChunk * Self.voxelsPerBlock))
      known.append(AlignedBuffer(count: Self.blocksPerChunk * 64))
    }
    insert(key, block)
    return block
  }

  private func insert(_ key: UInt64, _ block: Int) {
    var slot = Self.hash(key) & (slotKeys.count - 1)
    while slotKeys[slot] != .max { slot = (slot + 1) & (slotKeys.count - 1) }
    slotKeys[slot] = key
    slotBlocks[slot] = Int32(block)
  }

  private func grow() {
    slotKeys = Array(repeating: .max, count: slotKeys.count * 2)
    slotBlocks = Array(repeating: -1, count: slotKeys.count)
    for (block, key) in blockKeys.enumerated() { insert(key, block) }
  }

  private static func hash(_ key: UInt64) -> Int {
    Int(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) >> 32)
  }

  /// Log-odds [y][x][z] of 8·8·64 and one known word a column [y][x].
  @unsafe
  func pointers(_ block: Int) -> (
    values: UnsafeMutablePointer<Float>, known: UnsafeMutablePointer<UInt64>
  ) {
    let chunk = block / Self.blocksPerChunk
    let offset = block % Self.blocksPerChunk
    return unsafe (
      values[chunk].pointer + offset * Self.voxelsPerBlock, known[chunk].pointer + offset * 64
    )
  }

  private static func locate(_ key: VoxelKey) -> (block: UInt64, column: Int, z: Int) {
    let x = Int(key.x) + 32768
    let y = Int(key.y) + 32768
    let z = Int(key.z) + 32768
    return (blockKey(x: x >> 3, y: y >> 3, z: z >> 6), (y & 7) * 8 + (x & 7), z & 63)
  }

  /// The log-odds of a voxel; nil when unknown.
  func value(_ key: VoxelKey) -> Float? {
    let place = Self.locate(key)
    guard let block = find(place.block) else { return nil }
    let memory = unsafe pointers(block)
    guard unsafe memory.known[place.column] >> UInt64(place.z) & 1 == 1 else { return nil }
    return unsafe memory.values[place.column * 64 + place.z]
  }

  /// One update of one voxel.
  func update(_ key: VoxelKey, isHit: Bool, model: OccupancyModel) {
    let place = Self.locate(key)
    let memory = unsafe pointers(findOrMake(place.block))
    let index = place.column * 64 + place.z
    unsafe memory.known[place.column] |= 1 << UInt64(place.z)
    unsafe memory.values[index] = model.updated(memory.values[index], isHit: isHit)
  }

  /// Calls `body` for every known voxel, block by block.
  func forEachVoxel(_ body: (VoxelKey, Float) -> Void) {
    for block in 0..<blockCount {
      let key = blockKeys[block]
      let baseX = Int32(truncatingIfNeeded: key >> 26) << 3 &- 32768
      let baseY = Int32(truncatingIfNeeded: key >> 12 & 0x3fff) << 3 &- 32768
      let baseZ = Int32(truncatingIfNeeded: key & 0xfff) << 6 &- 32768
      let memory = unsafe pointers(block)
      for column in 0..<64 {
        var bits = unsafe memory.known[column]
        while bits != 0 {
          let z = bits.trailingZeroBitCount
          bits &= bits - 1
          let voxel = VoxelKey(
            x: baseX + Int32(column & 7), y: baseY + Int32(column >> 3), z: baseZ + Int32(z))
          unsafe body(voxel, memory.values[column * 64 + z])
        }
      }
    }
  }
}
