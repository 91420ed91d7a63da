import SwiftletKernels

/// What each sample of a head reads, in the order level, point, as the kernels take it, and where the
/// levels lie in a value map and in a head's packed map. The same for every head.
@safe
final class DeformableLanes: @unchecked Sendable {
  let heads: Int
  let channels: Int
  /// Channels in whole vectors.
  let padded: Int
  let points: Int
  /// Levels × points.
  let samples: Int
  /// [level][first token, height, width, first float of the packed level].
  let levels: AlignedBuffer<Int32>
  /// The pattern of `samples` repeated until it fills whole vectors.
  let period: Int
  /// [2][period]: the level's width, then height.
  let sizes: AlignedBuffer<Float>
  /// [2][period]: the packed float of the level's token (0, 0), then the floats between its rows.
  let places: AlignedBuffer<Int32>
  /// Point p uses anchor p mod anchors.
  let anchor: AlignedBuffer<Int32>
  /// Floats of a head's packed map.
  let packedCount: Int
  /// Samples of all heads.
  var count: Int { heads * samples }

  init(heads: Int, channels: Int, levels: [FeatureLevel], points: Int, anchors: Int) {
    self.heads = heads
    self.channels = channels
    self.points = points
    padded = (channels + 15) & ~15
    samples = levels.count * points
    self.levels = AlignedBuffer(count: 4 * levels.count)
    var first = 0
    for (index, level) in levels.enumerated() {
      let entry = [level.firstToken, level.height, level.width, first]
      for (field, value) in entry.enumerated() { self.levels[4 * index + field] = Int32(value) }
      first += SwiftletKernels.deformablePackedCount(level.height, level.width, padded)
    }
    packedCount = first
    var repeated = samples
    while repeated % 16 != 0 { repeated += samples }
    period = repeated
    sizes = AlignedBuffer(count: 2 * period)
    places = AlignedBuffer(count: 2 * period)
    anchor = AlignedBuffer(count: (samples + 15) & ~15)
    for index in 0..<period { set(index, levels[index % samples / points], index % samples) }
    for index in 0..<samples { anchor[index] = Int32(index % points % anchors) }
  }

  private func set(_ index: Int, _ level: FeatureLevel, _ sample: Int) {
    let rowStride = (level.width + 1) * padded
    sizes[index] = Float(level.width)
    sizes[period + index] = Float(level.height)
    places[index] = levels[4 * (sample / points) + 3] + Int32(rowStride + padded)
    places[period + index] = Int32(rowStride)
  }
}

/// A head's packed map and the lists of a block, one set per thread.
@safe
final class DeformableScratch: @unchecked Sendable {
  let packed: AlignedBuffer<Float>
  let floats: AlignedBuffer<Float>
  let ints: AlignedBuffer<Int32>
  let packedStride: Int
  let floatStride: Int
  let intStride: Int
  let maximumThreads: Int

  init(lanes: DeformableLanes, maximumThreads: Int) {
    self.maximumThreads = maximumThreads
    // Threads must not share a line.
    packedStride = lanes.packedCount + 64
    floatStride = (SwiftletKernels.deformableScratchFloats(lanes.samples) + 31) & ~15
    intStride = (SwiftletKernels.deformableScratchInts(lanes.samples) + 31) & ~15
    // The borders stay zero: packing writes tokens only.
    packed = AlignedBuffer(count: packedStride * maximumThreads)
    floats = AlignedBuffer(count: floatStride * maximumThreads)
    ints = AlignedBuffer(count: intStride * maximumThreads)
  }

  func check(_ pool: WorkerPool) {
    precondition(
      pool.threadCount <= maximumThreads,
      "\(pool.threadCount) threads, \(maximumThreads) were announced")
  }
}

@unsafe struct LanePointers: BitwiseCopyable {
  var heads: Int
  var channels: Int
  var padded: Int
  var points: Int
  var samples: Int
  var levelCount: Int
  var period: Int
  var levels: UnsafePointer<Int32>
  var sizes: UnsafePointer<Float>
  var places: UnsafePointer<Int32>
  var anchor: UnsafePointer<Int32>
  var count: Int { unsafe heads * samples }

  init(_ lanes: DeformableLanes) {
    unsafe heads = lanes.heads
    unsafe channels = lanes.channels
    unsafe padded = lanes.padded
    unsafe points = lanes.points
    unsafe samples = lanes.samples
    unsafe levelCount = lanes.levels.count / 4
    unsafe period = lanes.period
    unsafe levels = UnsafePointer(lanes.levels.pointer)
    unsafe sizes = UnsafePointer(lanes.sizes.pointer)
    unsafe places = UnsafePointer(lanes.places.pointer)
    unsafe anchor = UnsafePointer(lanes.anchor.pointer)
  }
}

@unsafe struct ScratchPointers: BitwiseCopyable {
  var packed: UnsafeMutablePointer<Float>
  var floats: UnsafeMutablePointer<Float>
  var ints: UnsafeMutablePointer<Int32>
  var packedStride: Int
  var floatStride: Int
  var intStride: Int

  init(_ scratch: DeformableScratch) {
    unsafe packed = scratch.packed.pointer
    unsafe floats = scratch.floats.pointer
    unsafe ints = scratch.ints.pointer
    unsafe packedStride = scratch.packedStride
    unsafe floatStride = scratch.floatStride
    unsafe intStride = scratch.intStride
  }

  /// The set of thread `part`.
  func part(_ part: Int) -> ScratchPointers {
    var own = unsafe self
    unsafe own.packed += part * packedStride
    unsafe own.floats += part * floatStride
    unsafe own.ints += part * intStride
    return unsafe own
  }
}

/// `items` × as many chunks of their queries as give every thread work: thread `part`'s items with the
/// queries to attend. Heads are packed once per chunk.
func forEachHead(
  _ items: Int, queryCount: Int, part: Int, of parts: Int, _ body: (Int, Range<Int>) -> Void
) {
  let chunks = max(1, (parts + items - 1) / items)
  for index in partition(items * chunks, part: part, of: parts) {
    body(index / chunks, partition(queryCount, part: index % chunks, of: chunks))
  }
}
