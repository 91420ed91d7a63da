import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// What follows a linear layer's sum, element by element.
public enum Activation: Int, Sendable, BitwiseCopyable {
  case none = 0
  /// max(x, 0); NaN stays NaN.
  case relu
  /// x/2 · (1 + erf(x/√2)).
  case geluErf
  /// x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³))).
  case geluTanh
}

/// Who multiplies matrices.
public enum GEMMEngine: Sendable, BitwiseCopyable {
  /// The prepacked kernels, which follow the chosen instruction set.
  case own
  /// OpenBLAS on one thread per fixed block of rows. It chooses its instruction set by itself, so
  /// its bits are not part of any digest.
  case openBLAS
}

/// A linear layer y = activation(x Wᵀ + b) + residual with its weights packed once.
///
/// A 1×1 convolution on channels-last pixels is the same product. Each sum starts from the bias and
/// runs over the inputs in ascending order, so neither tiles nor threads change a bit. Allocates
/// nothing after `init` (OpenBLAS allocates in its first call).
@safe
public final class Linear: @unchecked Sendable {
  public let inputs: Int
  public let outputs: Int
  let weight: AlignedBuffer<Float>
  let bias: AlignedBuffer<Float>
  let packedWeight: AlignedBuffer<Float>
  private let scratch: AlignedBuffer<Float>

  /// - Parameters:
  ///   - weight: [outputs, inputs], row-major.
  ///   - bias: [outputs]; nil for none.
  ///   - maximumThreads: the largest pool that `apply` will be given.
  public init(
    weight: [Float], bias: [Float]?, inputs: Int, outputs: Int, maximumThreads: Int = 16
  ) {
    precondition(
      weight.count == inputs * outputs,
      "\(weight.count) weights for \(outputs) outputs of \(inputs) inputs")
    precondition(
      bias == nil || bias!.count == outputs, "\(bias?.count ?? 0) biases for \(outputs) outputs")
    self.inputs = inputs
    self.outputs = outputs
    self.weight = AlignedBuffer(weight)
    let vector = bias ?? [Float](repeating: 0, count: outputs)
    self.bias = AlignedBuffer(vector + [Float](repeating: 0, count: 32))
    packedWeight = packed(weight, outputs: outputs, inputs: inputs)
    scratch = AlignedBuffer(count: SwiftletKernels.linearScratchCount * maximumThreads)
  }

  /// output[row] = activation(input[row] Wᵀ + b) + residual[row] for `rows` rows. Strides are in
  /// floats. `output` may be `residual`, but not `input`.
  @unsafe
  public func apply(
    _ input: UnsafePointer<Float>, inputStride: Int? = nil, rows: Int,
    activation: Activation = .none, residual: UnsafePointer<Float>? = nil,
    residualStride: Int? = nil, into output: UnsafeMutablePointer<Float>, outputStride: Int? = nil,
    engine: Engine, gemm: GEMMEngine = .own, pool: WorkerPool
  ) {
    precondition(
      pool.threadCount * SwiftletKernels.linearScratchCount <= scratch.count,
      "\(pool.threadCount) threads, \(scratch.count / SwiftletKernels.linearScratchCount) announced")
    let job = unsafe LinearJob(
      input: input, inputStride: inputStride ?? inputs, rows: rows, weight: weight.pointer,
      packedWeight: packedWeight.pointer, bias: bias.pointer, inputs: inputs, outputs: outputs,
      activation: activation, residual: residual, residualStride: residualStride ?? outputs,
      output: output, outputStride: outputStride ?? outputs, scratch: scratch.pointer,
      set: .portable)
    switch (engine, gemm) {
    case (.reference, _): unsafe job.runReference()
    case (.simd(let set), .own):
      var job = unsafe job
      unsafe job.set = set
      unsafe pool.run(job)
    case (.simd(let set), .openBLAS):
      var job = unsafe job
      unsafe job.set = set
      unsafe pool.run(OpenBLASJob(linear: job))
    }
  }

  /// The same on buffers; `rows` rows, contiguous.
  public func apply(
    _ input: AlignedBuffer<Float>, rows: Int, activation: Activation = .none,
    residual: AlignedBuffer<Float>? = nil, into output: AlignedBuffer<Float>, engine: Engine,
    gemm: GEMMEngine = .own, pool: WorkerPool
  ) {
    precondition(
      input.count >= rows * inputs && output.count >= rows * outputs,
      "\(rows) rows need \(rows * inputs) inputs and \(rows * outputs) outputs, not \(input.count) and \(output.count)")
    precondition(
      residual == nil || residual!.count >= rows * outputs,
      "\(residual?.count ?? 0) residuals for \(rows) rows of \(outputs)")
    unsafe apply(
      input.pointer, rows: rows, activation: activation,
      residual: residual.map { unsafe UnsafePointer($0.pointer) }, into: output.pointer,
      engine: engine, gemm: gemm, pool: pool)
  }
}

/// Row-major weights [outputs][inputs] to the kernels' blocks [block of 16][inputs][16].
func packed(_ weight: [Float], outputs: Int, inputs: Int) -> AlignedBuffer<Float> {
  let blocks = (outputs + 15) / 16
  let result = AlignedBuffer<Float>(count: blocks * inputs * 16)
  unsafe weight.withUnsafeBufferPointer { source in
    guard let base = source.baseAddress else { return }
    unsafe SwiftletKernelsPortable.packWeights(base, outputs, inputs, inputs, result.pointer)
  }
  return result
}

/// Rows split over threads in whole tiles; what a row is does not depend on the split.
@unsafe struct LinearJob: PartitionedJob {
  var input: UnsafePointer<Float>
  var inputStride: Int
  var rows: Int
  var weight: UnsafePointer<Float>
  var packedWeight: UnsafePointer<Float>
  var bias: UnsafePointer<Float>
  var inputs: Int
  var outputs: Int
  var activation: Activation
  var residual: UnsafePointer<Float>?
  var residualStride: Int
  var output: UnsafeMutablePointer<Float>
  var outputStride: Int
  var scratch: UnsafeMutablePointer<Float>
  var set: InstructionSet

  func run(part: Int, of parts: Int) {
    let range = unsafe partition(rows, part: part, of: parts, grain: 12)
    let own = unsafe scratch + part * SwiftletKernels.linearScratchCount
    switch unsafe set {
    case .portable:
      unsafe SwiftletKernelsPortable.linearRows(
        input, inputStride, range.lowerBound, range.upperBound, packedWeight, bias, inputs, outputs,
        activation.rawValue, residual, residualStride, output, outputStride, own)
    case .baseline:
      unsafe SwiftletKernels.linearRows(
        input, inputStride, range.lowerBound, range.upperBound, packedWeight, bias, inputs, outputs,
        activation.rawValue, residual, residualStride, output, outputStride, own)
    case .avx2:
      unsafe SwiftletKernelsAVX2.linearRows(
        input, inputStride, range.lowerBound, range.upperBound, packedWeight, bias, inputs, outputs,
        activation.rawValue, residual, residualStride, output, outputStride, own)
    case .avx512:
      unsafe SwiftletKernelsAVX512.linearRows(
        input, inputStride, range.lowerBound, range.upperBound, packedWeight, bias, inputs, outputs,
        activation.rawValue, residual, residualStride, output, outputStride, own)
    }
  }
}
