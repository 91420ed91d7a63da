#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Depth distributions from logits, and the split of a depth network's output.
public enum DepthSoftmax {
  /// Softmax over the bins of every pixel, [bin][y][x] to [bin][y][x], the maximum subtracted
  /// first. `output` may be `logits` itself. Allocates nothing; the same bits for every thread
  /// count. Logits of -∞ give weight 0 as long as one of the pixel is finite.
  ///
  /// - Precondition: Both buffers hold bins × pixels values.
  public static func softmax(
    _ logits: UnsafeBufferPointer<Float>, bins: Int, pixels: Int,
    into output: UnsafeMutableBufferPointer<Float>, engine: Engine, pool: WorkerPool
  ) {
    precondition(
      bins > 0 && logits.count >= bins * pixels && output.count >= bins * pixels,
      "\(logits.count) logits and \(output.count) outputs for \(bins) bins of \(pixels) pixels")
    guard let source = logits.baseAddress, let target = output.baseAddress else { return }
    switch engine {
    case .reference: unsafe softmaxReference(source, bins, pixels, target)
    case .simd(let set):
      unsafe pool.run(
        SoftmaxJob(set: set, logits: source, bins: bins, pixels: pixels, output: target))
    }
  }

  /// Splits a depth network's output [camera][channel][y][x] into depth [camera][bin][y][x]
  /// (softmax over channels 0..<bins) and context [camera][y][x][channel] (the next `channels`);
  /// further channels are ignored. Allocates nothing.
  public static func split(
    _ network: UnsafeBufferPointer<Float>, cameras: Int, networkChannels: Int, pixels: Int,
    bins: Int, channels: Int, depth: UnsafeMutableBufferPointer<Float>,
    context: UnsafeMutableBufferPointer<Float>, engine: Engine, pool: WorkerPool
  ) {
    precondition(
      networkChannels >= bins + channels,
      "\(networkChannels) channels hold no \(bins) bins and \(channels) context channels")
    precondition(
      network.count >= cameras * networkChannels * pixels
        && depth.count >= cameras * bins * pixels && context.count >= cameras * channels * pixels,
      "buffers too small for \(cameras) cameras of \(pixels) pixels")
    for camera in 0..<cameras {
      let planes = unsafe UnsafeBufferPointer(
        rebasing: network[(camera * networkChannels * pixels)...])
      unsafe softmax(
        planes, bins: bins, pixels: pixels,
        into: UnsafeMutableBufferPointer(rebasing: depth[(camera * bins * pixels)...]),
        engine: engine, pool: pool)
      let rows = unsafe UnsafeMutableBufferPointer(
        rebasing: context[(camera * channels * pixels)...])
      guard channels > 0, pixels > 0, let source = planes.baseAddress,
        let target = rows.baseAddress
      else { continue }
      unsafe channelsLast(
        source + bins * pixels, channels, pixels, target, engine: engine, pool: pool)
    }
  }

  /// [channel][pixel] to [pixel][channel].
  @unsafe
  static func channelsLast(
    _ planes: UnsafePointer<Float>, _ channels: Int, _ pixels: Int,
    _ rows: UnsafeMutablePointer<Float>, engine: Engine, pool: WorkerPool
  ) {
    switch engine {
    case .reference:
      for pixel in 0..<pixels {
        for channel in 0..<channels {
          unsafe rows[pixel * channels + channel] = planes[channel * pixels + pixel]
        }
      }
    case .simd(let set):
      unsafe pool.run(
        ChannelsLastJob(
          set: set, planes: planes, channels: channels, pixels: pixels, rows: rows))
    }
  }

  /// p_k = exp(x_k - max) / Σ exp(x_j - max), by the C library's exp in float32.
  @unsafe
  private static func softmaxReference(
    _ logits: UnsafePointer<Float>, _ bins: Int, _ pixels: Int,
    _ output: UnsafeMutablePointer<Float>
  ) {
    for pixel in 0..<pixels {
      var highest = -Float.infinity
      for bin in 0..<bins { highest = unsafe max(highest, logits[bin * pixels + pixel]) }
      var sum: Float = 0
      for bin in 0..<bins {
        let value = unsafe expf(logits[bin * pixels + pixel] - highest)
        unsafe output[bin * pixels + pixel] = value
        sum += value
      }
      for bin in 0..<bins { unsafe output[bin * pixels + pixel] /= sum }
    }
  }
}

@safe struct SoftmaxJob: PartitionedJob {
  var set: InstructionSet
  var logits: UnsafePointer<Float>
  var bins: Int
  var pixels: Int
  var output: UnsafeMutablePointer<Float>
  func run(part: Int, of parts: Int) {
    let range = partition(pixels, part: part, of: parts, grain: 16)
    unsafe ProjectionKernels.softmaxOverBins(
      set, logits, output, bins, pixels, range.lowerBound, range.upperBound)
  }
}

@safe struct ChannelsLastJob: PartitionedJob {
  var set: InstructionSet
  var planes: UnsafePointer<Float>
  var channels: Int
  var pixels: Int
  var rows: UnsafeMutablePointer<Float>
  func run(part: Int, of parts: Int) {
    let range = partition(pixels, part: part, of: parts, grain: 16)
    unsafe ProjectionKernels.channelsLast(
      set, planes, pixels, channels, range.lowerBound, range.upperBound, rows, channels)
  }
}
