/// The free and the occupied voxels of one scan, exactly OctoMap's sets, as bit volumes over the
/// scan's bounding box.
///
/// Buffers grow only in `reserve`; a scan within the reserved sizes allocates nothing. Rays are cut
/// into blocks of 4,096; every part carves its blocks into a free volume of its own, whose union is
/// the scan's free set (with hits not yet subtracted), so the sets do not depend on the threads.
@safe
final class ScanEvidence {
  static let blockSize = 4096
  /// Voxels around the bounding box: the drift of a ray is at most one.
  static let margin: Int32 = 2

  let set: InstructionSet
  let pool: WorkerPool
  let voxelSize: Double
  /// Key whose z is a multiple of 64 voxels from every column's word border.
  var zPhase: Int32 = 0

  private(set) var pointCapacity = 0
  private(set) var wordCapacity = 0
  private var ends = AlignedBuffer<Float>(count: 0)
  private var keys = AlignedBuffer<Int32>(count: 0)
  private var isHit = AlignedBuffer<UInt8>(count: 0)
  private var order = AlignedBuffer<Int32>(count: 0)
  private var blockCounts = AlignedBuffer<Int>(count: 0)
  /// Per block: 6 bounds.
  private var blockBounds = AlignedBuffer<Int32>(count: 0)
  /// Per block: points not finite, too near, outside the key cube.
  private var blockDropped = AlignedBuffer<Int>(count: 0)
  private let buckets: AlignedBuffer<Int32>
  private let scratch: AlignedBuffer<Int64>
  private let parameters = AlignedBuffer<Double>(count: 8)
  private let originKey = AlignedBuffer<Int32>(count: 4)

  private(set) var free = AlignedBuffer<UInt64>(count: 0)
  private(set) var hits = AlignedBuffer<UInt64>(count: 0)
  /// Key of the first voxel x, y, z; columns in x, rows in y, words a column.
  let volume = AlignedBuffer<Int32>(count: 8)
  private(set) var blockCount = 0
  /// Totals of the last scan.
  private(set) var summary = ScanSummary()

  init(set: InstructionSet, pool: WorkerPool, voxelSize: Double) {
    self.set = set
    self.pool = pool
    self.voxelSize = voxelSize
    buckets = AlignedBuffer(count: 320 * pool.threadCount)
    scratch = AlignedBuffer(count: 8 * pool.threadCount)
  }

  var partStride: Int { wordCapacity + 8 }
  var partCount: Int { pool.threadCount }
  /// Words of the current volume.
  var wordCount: Int { Int(volume[3]) * Int(volume[4]) * Int(volume[5]) }

  /// Makes room for scans of `points` points and volumes of `words` words; allocates.
  func reserve(points: Int, words: Int) {
    if points > pointCapacity {
      pointCapacity = (points + Self.blockSize - 1) / Self.blockSize * Self.blockSize
      let blocks = pointCapacity / Self.blockSize
      ends = AlignedBuffer(count: 3 * pointCapacity)
      keys = AlignedBuffer(count: 3 * pointCapacity)
      isHit = AlignedBuffer(count: pointCapacity)
      order = AlignedBuffer(count: pointCapacity)
      blockCounts = AlignedBuffer(count: blocks)
      blockBounds = AlignedBuffer(count: 6 * blocks)
      blockDropped = AlignedBuffer(count: 3 * blocks)
    }
    if words > wordCapacity {
      wordCapacity = words
      free = AlignedBuffer(count: partStride * partCount)
      hits = AlignedBuffer(count: words + 8)
    }
  }

  /// Finds where the rays end and the volume they need. `points` are three planes of `count` world
  /// coordinates. Returns the words the volume takes.
  ///
  /// - Precondition: `count` is at most `pointCapacity`.
  @unsafe
  func findEnds(
    _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ z: UnsafePointer<Float>, count: Int,
    origin: SIMD3<Float>, minimumRange: Double, maximumRange: Double
  ) -> Int {
    precondition(count <= pointCapacity, "\(count) points exceed the room for \(pointCapacity)")
    let inverse = 1 / voxelSize
    for (index, value) in [0, 1, 2].enumerated() { parameters[index] = Double(origin[value]) }
    parameters[3] = inverse
    parameters[4] = maximumRange
    parameters[5] = minimumRange
    blockCount = (count + Self.blockSize - 1) / Self.blockSize
    unsafe pool.run(
      EndsJob(
        set: set, x: x, y: y, z: z, count: count, parameters: parameters.pointer,
        ends: ends.pointer, keys: keys.pointer, isHit: isHit.pointer, capacity: pointCapacity,
        bounds: blockBounds.pointer, counts: blockCounts.pointer, dropped: blockDropped.pointer))
    originOfRays = VoxelKey(origin, inverseVoxelSize: inverse)
    origin32 = origin
    summarize(count)
    return fitVolume()
  }
  private var originOfRays: VoxelKey?
  private var origin32 = SIMD3<Float>(0, 0, 0)

  private func summarize(_ count: Int) {
    summary = ScanSummary()
    summary.pointCount = count
    for block in 0..<blockCount {
      summary.rayCount += blockCounts[block]
      summary.notFiniteCount += blockDropped[3 * block]
      summary.tooNearCount += blockDropped[3 * block + 1]
      summary.outsideCount += blockDropped[3 * block + 2]
    }
  }

  /// The bounding box of origin and ends with a margin, x and y on multiples of 8, z in phase.
  private func fitVolume() -> Int {
    guard summary.rayCount > 0 else {
      for index in 0..<6 { volume[index] = 0 }
      return 0
    }
    var low = SIMD3<Int32>(repeating: .max)
    var high = SIMD3<Int32>(repeating: .min)
    if let key = originOfRays {
      low = SIMD3(key.x, key.y, key.z)
      high = low
    }
    for block in 0..<blockCount where blockCounts[block] > 0 {
      for axis in 0..<3 {
        low[axis] = min(low[axis], blockBounds[6 * block + axis])
        high[axis] = max(high[axis], blockBounds[6 * block + 3 + axis])
      }
    }
    low &-= Self.margin
    high &+= Self.margin
    low.x &= ~7
    low.y &= ~7
    low.z = zPhase &+ ((low.z &- zPhase) >> 6) << 6
    volume[0] = low.x
    volume[1] = low.y
    volume[2] = low.z
    volume[3] = (high.x &- low.x) / 8 * 8 + 8
    volume[4] = (high.y &- low.y) / 8 * 8 + 8
    volume[5] = (high.z &- low.z) / 64 + 1
    return wordCount
  }

  /// The rays of the last `findEnds`, block by block, for other ways to carve.
  @unsafe
  struct RayPointers {
    let ends: UnsafePointer<Float>
    let keys: UnsafePointer<Int32>
    let isHit: UnsafePointer<UInt8>
    let capacity: Int
    let counts: UnsafePointer<Int>
    let blockCount: Int
  }
  @unsafe var rayPointers: RayPointers {
    unsafe RayPointers(
      ends: ends.pointer, keys: keys.pointer, isHit: isHit.pointer, capacity: pointCapacity,
      counts: blockCounts.pointer, blockCount: blockCount)
  }

  /// Sets the bits of free and of hit voxels. The volumes were zero before.
  func carve() {
    markHits()
    carve(batch: 0, of: 1)
  }

  /// Sets the bits of hit voxels.
  func markHits() {
    guard summary.rayCount > 0 else { return }
    precondition(wordCount <= wordCapacity, "\(wordCount) words exceed \(wordCapacity)")
    unsafe pool.run(
      MarkHitsJob(
        set: set, keys: keys.pointer, isHit: isHit.pointer, capacity: pointCapacity,
        counts: blockCounts.pointer, blockCount: blockCount, volume: volume.pointer,
        hits: hits.pointer))
  }

  /// Sets the bits of the voxels that rays of every `batchCount`th block pass, from block `batch` on.
  /// OctoMap drops rays whose origin has no key.
  func carve(batch: Int, of batchCount: Int) {
    guard summary.rayCount > 0, let key = originOfRays else { return }
    parameters[3] = voxelSize
    for (index, value) in [key.x, key.y, key.z].enumerated() {
      parameters[4 + index] = Double(value)
      originKey[index] = value
    }
    unsafe pool.run(
      CarveJob(
        set: set, ends: ends.pointer, keys: keys.pointer, order: order.pointer,
        capacity: pointCapacity, counts: blockCounts.pointer, blockCount: blockCount, batch: batch,
        batchCount: batchCount, parameters: parameters.pointer, originKey: originKey.pointer,
        volume: volume.pointer, buckets: buckets.pointer, scratch: scratch.pointer,
        free: free.pointer, partStride: partStride))
  }

  /// Zeroes the volumes the scan used.
  func clear() {
    guard wordCount > 0 else { return }
    unsafe pool.run(
      ClearJob(
        free: free.pointer, hits: hits.pointer, words: wordCount + 1, partStride: partStride))
  }

  /// The scan's rays, for paths without a volume: ends, their keys, and whether they hit.
  func rays() -> [(end: SIMD3<Float>, key: VoxelKey, isHit: Bool)] {
    var rays: [(end: SIMD3<Float>, key: VoxelKey, isHit: Bool)] = []
    rays.reserveCapacity(summary.rayCount)
    for block in 0..<blockCount {
      for offset in 0..<blockCounts[block] {
        let ray = block * Self.blockSize + offset
        let second = pointCapacity + ray
        let third = 2 * pointCapacity + ray
        rays.append(
          (
            SIMD3(ends[ray], ends[second], ends[third]),
            VoxelKey(x: keys[ray], y: keys[second], z: keys[third]), isHit[ray] != 0
          ))
      }
    }
    return rays
  }
}
