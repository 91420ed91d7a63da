import SwiftletKernels

/// x + W₁ activation(W₀ x + b₀) + b₁, optionally followed by LayerNorm. The hidden rows of a block
/// stay in the cache. Allocates nothing after `init`; the same bits for any thread count.
@safe
public final class FeedForward: @unchecked Sendable {
  public let channels: Int
  public let hidden: Int
  public let activation: Activation
  let first: Linear
  let second: Linear
  private let norm: LayerNorm?
  private let scratch: AlignedBuffer<Float>
  private let scratchStride: Int

  /// - Parameters:
  ///   - channels: C, of input and output.
  ///   - hidden: channels between the two layers.
  ///   - weight0: [hidden, C].
  ///   - bias0: [hidden].
  ///   - weight1: [C, hidden].
  ///   - bias1: [C].
  ///   - activation: between the two layers.
  ///   - norm: applied to the sum; nil for none.
  ///   - precision: of the dense layers.
  ///   - maximumThreads: the largest pool that a call will be given.
  public init(
    channels: Int, hidden: Int, weight0: [Float], bias0: [Float], weight1: [Float],
    bias1: [Float], activation: Activation = .relu, norm: LayerNorm? = nil,
    precision: DensePrecision = .fp32, maximumThreads: Int = 16
  ) {
    precondition(norm == nil || norm!.width == channels, "\(channels) channels, a norm of \(norm?.width ?? 0)")
    self.channels = channels
    self.hidden = hidden
    self.activation = activation
    self.norm = norm
    first = Linear(
      weight: weight0, bias: bias0, inputs: channels, outputs: hidden, precision: precision,
      maximumThreads: maximumThreads)
    second = Linear(
      weight: weight1, bias: bias1, inputs: hidden, outputs: channels, precision: precision,
      maximumThreads: maximumThreads)
    scratchStride = (feedForwardBlockRows * hidden + 15) & ~15
    scratch = AlignedBuffer(count: scratchStride * maximumThreads)
  }

  /// `rows` contiguous rows; `output` may not be `input`.
  public func apply(
    _ input: AlignedBuffer<Float>, rows: Int, into output: AlignedBuffer<Float>, engine: Engine,
    pool: WorkerPool
  ) {
    precondition(
      input.count >= rows * channels && output.count >= rows * channels && input !== output,
      "\(rows) rows of \(channels) in buffers of \(input.count) and \(output.count)")
    precondition(
      pool.threadCount * scratchStride <= scratch.count,
      "\(pool.threadCount) threads, \(scratch.count / max(scratchStride, 1)) were announced")
    unsafe pool.run(
      FeedForwardJob(
        first: first.job(
          input.pointer, rows: rows, activation: activation, into: scratch.pointer, engine: engine),
        second: second.job(
          scratch.pointer, rows: rows, residual: input.pointer, norm: norm, into: output.pointer,
          engine: engine),
        scratch: scratch.pointer, scratchStride: scratchStride))
  }
}

private let feedForwardBlockRows = 48

/// Blocks of rows split over threads; both layers of a block follow each other.
@unsafe private struct FeedForwardJob: PartitionedJob {
  var first: LinearJob
  var second: LinearJob
  var scratch: UnsafeMutablePointer<Float>
  var scratchStride: Int

  func run(part: Int, of parts: Int) {
    let range = unsafe partition(first.rows, part: part, of: parts, grain: feedForwardBlockRows)
    let hidden = unsafe scratch + part * scratchStride
    var lower = range.lowerBound
    while lower < range.upperBound {
      let upper = min(lower + feedForwardBlockRows, range.upperBound)
      var one = unsafe first
      unsafe one.input += lower * one.inputStride
      unsafe one.output = hidden
      unsafe one.run(rows: 0..<upper - lower, part: part)
      var two = unsafe second
      unsafe two.input = UnsafePointer(hidden)
      unsafe two.output += lower * two.outputStride
      unsafe two.residual = two.residual.map { unsafe $0 + lower * two.residualStride }
      unsafe two.run(rows: 0..<upper - lower, part: part)
      lower = upper
    }
  }
}
