import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsBF16
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
/// runs over the inputs in an order of its precision, so neither tiles nor threads change a bit.
/// Allocates nothing after `init` (OpenBLAS allocates in its first call).
@safe
public final class Linear: @unchecked Sendable {
  public let inputs: Int
  public let outputs: Int
  public var precision: DensePrecision { weights.precision }
  /// int8: the scale of every input; 0 takes one per row from the row's largest magnitude. Set
  /// between calls.
  public var inputScale: Float = 0
  /// bf16: the CPU's own instruction, or single multiply-adds with the same bits. Set between calls.
  public var usesBFloatInstructions = DenseInstructions.hasBFloat
  let weights: LinearWeights
  let bias: AlignedBuffer<Float>
  private let scratch: AlignedBuffer<Float>
  private let scratchStride: Int
  private let maximumThreads: Int
  /// Largest magnitude of the inputs seen by each thread, a line apart.
  private let seen: AlignedBuffer<Float>
  private var isObserved = false

  /// - Parameters:
  ///   - weight: [outputs, inputs], row-major.
  ///   - bias: [outputs]; nil for none.
  ///   - inputs: channels of a row of input.
  ///   - outputs: channels of a row of output.
  ///   - precision: of the stored weights and of the products.
  ///   - maximumThreads: the largest pool that `apply` will be given.
  public init(
    weight: [Float], bias: [Float]?, inputs: Int, outputs: Int,
    precision: DensePrecision = .fp32, maximumThreads: Int = 16
  ) {
    precondition(
      weight.count == inputs * outputs,
      "\(weight.count) weights for \(outputs) outputs of \(inputs) inputs")
    precondition(
      bias == nil || bias!.count == outputs, "\(bias?.count ?? 0) biases for \(outputs) outputs")
    self.inputs = inputs
    self.outputs = outputs
    self.maximumThreads = maximumThreads
    weights = LinearWeights(weight, inputs: inputs, outputs: outputs, precision: precision)
    let vector = bias ?? [Float](repeating: 0, count: outputs)
    self.bias = AlignedBuffer(vector + [Float](repeating: 0, count: 32))
    scratchStride = (Self.scratchCount(precision, inputs) + 31) & ~15
    scratch = AlignedBuffer(count: scratchStride * maximumThreads)
    seen = AlignedBuffer(count: 16 * maximumThreads)
  }

  private static func scratchCount(_ precision: DensePrecision, _ inputs: Int) -> Int {
    switch precision {
    case .fp32: SwiftletKernels.linearScratchCount
    case .fp16: SwiftletKernels.narrowScratchCount(inputs)
    case .bf16:
      max(
        SwiftletKernels.narrowScratchCount(inputs), SwiftletKernelsBF16.bfloatScratchCount(inputs))
    case .int8: SwiftletKernels.integerScratchCount(inputs)
    }
  }

  /// From now on keeps the largest magnitude of all inputs, from 0 when `isOn`.
  public func observeInputs(_ isOn: Bool) {
    isObserved = isOn
    if isOn { seen.zero() }
  }
  /// The largest magnitude seen; nil when nothing but zeros came.
  public var observedMagnitude: Float? {
    let largest = (0..<maximumThreads).map { seen[16 * $0] }.max() ?? 0
    return largest > 0 ? largest : nil
  }

  /// output[row] = norm(activation(input[row] Wᵀ + b) + residual[row]) for `rows` rows. Strides are
  /// in floats. `output` may be `residual`, but not `input`; with a norm its rows are contiguous.
  /// OpenBLAS multiplies fp32 only.
  @unsafe
  public func apply(
    _ input: UnsafePointer<Float>, inputStride: Int? = nil, rows: Int,
    activation: Activation = .none, residual: UnsafePointer<Float>? = nil,
    residualStride: Int? = nil, norm: LayerNorm? = nil, into output: UnsafeMutablePointer<Float>,
    outputStride: Int? = nil, engine: Engine, gemm: GEMMEngine = .own, pool: WorkerPool
  ) {
    precondition(
      pool.threadCount <= maximumThreads,
      "\(pool.threadCount) threads, \(maximumThreads) announced")
    precondition(
      gemm == .own || precision == .fp32, "OpenBLAS multiplies fp32, not \(precision.rawValue)")
    let job = unsafe job(
      input, inputStride: inputStride, rows: rows, activation: activation, residual: residual,
      residualStride: residualStride, norm: norm, into: output, outputStride: outputStride,
      engine: engine)
    if gemm == .openBLAS && engine != .reference {
      unsafe pool.run(OpenBLASJob(linear: job))
    } else {
      unsafe pool.run(job)
    }
  }

  /// The call as a job, for layers that run several in one.
  @unsafe
  func job(
    _ input: UnsafePointer<Float>, inputStride: Int? = nil, rows: Int,
    activation: Activation = .none, residual: UnsafePointer<Float>? = nil,
    residualStride: Int? = nil, norm: LayerNorm? = nil, into output: UnsafeMutablePointer<Float>,
    outputStride: Int? = nil, engine: Engine
  ) -> LinearJob {
    precondition(
      norm == nil || norm!.width == outputs && (outputStride ?? outputs) == outputs,
      "a norm of \(norm?.width ?? 0) over \(outputs) outputs, \(outputStride ?? outputs) apart")
    return unsafe LinearJob(
      input: input, inputStride: inputStride ?? inputs, rows: rows,
      weights: WeightPointers(weights), bias: bias.pointer, inputs: inputs, outputs: outputs,
      activation: activation, residual: residual, residualStride: residualStride ?? outputs,
      norm: norm.map { unsafe NormPointers($0) }, output: output,
      outputStride: outputStride ?? outputs, inputScale: inputScale,
      usesBFloatInstructions: usesBFloatInstructions && DenseInstructions.hasBFloat,
      scratch: scratch.pointer, scratchStride: scratchStride,
      seen: isObserved ? seen.pointer : nil, engine: engine)
  }

  /// The same on buffers; `rows` rows, contiguous.
  public func apply(
    _ input: AlignedBuffer<Float>, rows: Int, activation: Activation = .none,
    residual: AlignedBuffer<Float>? = nil, norm: LayerNorm? = nil,
    into output: AlignedBuffer<Float>, engine: Engine, gemm: GEMMEngine = .own, pool: WorkerPool
  ) {
    precondition(
      input.count >= rows * inputs && output.count >= rows * outputs,
      "\(rows) rows need \(rows * inputs) inputs and \(rows * outputs) outputs, not \(input.count) and \(output.count)")
    precondition(
      residual == nil || residual!.count >= rows * outputs,
      "\(residual?.count ?? 0) residuals for \(rows) rows of \(outputs)")
    unsafe apply(
      input.pointer, rows: rows, activation: activation,
      residual: residual.map { unsafe UnsafePointer($0.pointer) }, norm: norm,
      into: output.pointer, engine: engine, gemm: gemm, pool: pool)
  }
}
