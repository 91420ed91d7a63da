import SwiftletKernels

/// What each sample of a query reads, in the order head, level, point, as the kernels take it: one
/// entry per sample, padded to whole vectors with empty levels.
@safe
final class DeformableLanes: @unchecked Sendable {
  let heads: Int
  let channels: Int
  /// Levels × points.
  let samples: Int
  let width: AlignedBuffer<Float>
  let height: AlignedBuffer<Float>
  /// The float of a map's values where the sample's level begins, at its head.
  let base: AlignedBuffer<Int32>
  /// Point p uses anchor p mod anchors.
  let anchor: AlignedBuffer<Int32>
  /// Samples of all heads.
  var count: Int { heads * samples }

  init(heads: Int, channels: Int, levels: [FeatureLevel], points: Int, anchors: Int) {
    self.heads = heads
    self.channels = channels
    samples = levels.count * points
    let padded = (heads * samples + 31) & ~15
    width = AlignedBuffer(count: padded)
    height = AlignedBuffer(count: padded)
    base = AlignedBuffer(count: padded)
    anchor = AlignedBuffer(count: padded)
    for index in 0..<heads * samples {
      let level = levels[index % samples / points]
      width[index] = Float(level.width)
      height[index] = Float(level.height)
      base[index] = Int32(
        level.firstToken * heads * channels + index / samples * channels)
      anchor[index] = Int32(index % points % anchors)
    }
  }
}

/// Lists of taps and softmaxed weights, one set per thread.
@safe
final class DeformableScratch: @unchecked Sendable {
  let offsets: AlignedBuffer<Int32>
  let weights: AlignedBuffer<Float>
  let shares: AlignedBuffer<Float>
  let stride: Int
  let shareStride: Int
  let maximumThreads: Int

  init(lanes: DeformableLanes, maximumThreads: Int) {
    self.maximumThreads = maximumThreads
    stride = (SwiftletKernels.deformableTapCount(lanes.samples) + 15) & ~15
    shareStride = (lanes.count + 31) & ~15
    offsets = AlignedBuffer(count: stride * maximumThreads)
    weights = AlignedBuffer(count: stride * maximumThreads)
    shares = AlignedBuffer(count: shareStride * maximumThreads)
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
  var samples: Int
  var width: UnsafePointer<Float>
  var height: UnsafePointer<Float>
  var base: UnsafePointer<Int32>
  var anchor: UnsafePointer<Int32>
  var count: Int { unsafe heads * samples }

  init(_ lanes: DeformableLanes) {
    unsafe heads = lanes.heads
    unsafe channels = lanes.channels
    unsafe samples = lanes.samples
    unsafe width = UnsafePointer(lanes.width.pointer)
    unsafe height = UnsafePointer(lanes.height.pointer)
    unsafe base = UnsafePointer(lanes.base.pointer)
    unsafe anchor = UnsafePointer(lanes.anchor.pointer)
  }
}

@unsafe struct ScratchPointers: BitwiseCopyable {
  var offsets: UnsafeMutablePointer<Int32>
  var weights: UnsafeMutablePointer<Float>
  var shares: UnsafeMutablePointer<Float>
  var stride: Int
  var shareStride: Int

  init(_ scratch: DeformableScratch) {
    unsafe offsets = scratch.offsets.pointer
    unsafe weights = scratch.weights.pointer
    unsafe shares = scratch.shares.pointer
    unsafe stride = scratch.stride
    unsafe shareStride = scratch.shareStride
  }
}
