import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// y = (x - mean) / √(variance + ε) · weight + bias over each row, the variance divided by the width
/// (Ba et al., arXiv 1607.06450; torch.nn.LayerNorm). Two passes over a row, so that a large mean
/// does not eat the variance. Allocates nothing after `init`.
@safe
public final class LayerNorm: @unchecked Sendable {
  public let width: Int
  public let epsilon: Float
  let weight: AlignedBuffer<Float>
  let bias: AlignedBuffer<Float>

  /// - Precondition: as many biases as weights.
  public init(weight: [Float], bias: [Float], epsilon: Float = 1e-5) {
    precondition(weight.count == bias.count, "\(weight.count) weights and \(bias.count) biases")
    width = weight.count
    self.epsilon = epsilon
    let padding = [Float](repeating: 0, count: 16)
    self.weight = AlignedBuffer(weight + padding)
    self.bias = AlignedBuffer(bias + padding)
  }

  /// Normalises `rows` contiguous rows; `output` may be `input`.
  @unsafe
  public func apply(
    _ input: UnsafePointer<Float>, rows: Int, into output: UnsafeMutablePointer<Float>,
    engine: Engine, pool: WorkerPool
  ) {
    unsafe pool.run(
      RowsJob(
        input: input, rows: rows, width: width, norm: NormPointers(self), output: output,
        engine: engine))
  }

  /// The same on buffers.
  public func apply(
    _ input: AlignedBuffer<Float>, rows: Int, into output: AlignedBuffer<Float>, engine: Engine,
    pool: WorkerPool
  ) {
    precondition(
      input.count >= rows * width && output.count >= rows * width,
      "\(rows) rows of \(width) in buffers of \(input.count) and \(output.count)")
    unsafe apply(input.pointer, rows: rows, into: output.pointer, engine: engine, pool: pool)
  }
}

/// Softmax of contiguous rows.
public enum RowSoftmax {
  /// output[row] = e^(x - max x) / Σ; a row of -∞ alone gives 0. `output` may be `input`. Allocates
  /// nothing.
  public static func apply(
    _ input: AlignedBuffer<Float>, rows: Int, width: Int, into output: AlignedBuffer<Float>,
    engine: Engine, pool: WorkerPool
  ) {
    precondition(
      input.count >= rows * width && output.count >= rows * width,
      "\(rows) rows of \(width) in buffers of \(input.count) and \(output.count)")
    unsafe pool.run(
      RowsJob(
        input: input.pointer, rows: rows, width: width, norm: nil, output: output.pointer,
        engine: engine))
  }
}

/// A LayerNorm's numbers for a job.
@unsafe struct NormPointers: BitwiseCopyable {
  var weight: UnsafePointer<Float>
  var bias: UnsafePointer<Float>
  var epsilon: Float

  init(_ norm: LayerNorm) {
    unsafe weight = UnsafePointer(norm.weight.pointer)
    unsafe bias = UnsafePointer(norm.bias.pointer)
    unsafe epsilon = norm.epsilon
  }

  /// Normalises rows in place or to another place.
  func apply(
    _ input: UnsafePointer<Float>, rows: Range<Int>, width: Int,
    into output: UnsafeMutablePointer<Float>, engine: Engine
  ) {
    guard case .simd(let set) = engine else {
      for row in rows {
        unsafe layerNormReference(
          input + row * width, width: width, norm: self, into: output + row * width)
      }
      return
    }
    let run =
      switch set {
      case .portable: unsafe SwiftletKernelsPortable.layerNormRows
      case .baseline: unsafe SwiftletKernels.layerNormRows
      case .avx2: unsafe SwiftletKernelsAVX2.layerNormRows
      case .avx512: unsafe SwiftletKernelsAVX512.layerNormRows
      }
    unsafe run(input, rows.lowerBound, rows.upperBound, width, weight, bias, epsilon, output)
  }
}

/// LayerNorm, or softmax without a norm, with rows split over threads.
@unsafe private struct RowsJob: PartitionedJob {
  var input: UnsafePointer<Float>
  var rows: Int
  var width: Int
  var norm: NormPointers?
  var output: UnsafeMutablePointer<Float>
  var engine: Engine

  func run(part: Int, of parts: Int) {
    let range = unsafe partition(rows, part: part, of: parts)
    if let norm = unsafe norm {
      return unsafe norm.apply(input, rows: range, width: width, into: output, engine: engine)
    }
    guard case .simd(let set) = unsafe engine else {
      for row in range {
        unsafe softmaxReference(input + row * width, width: width, into: output + row * width)
      }
      return
    }
    let run =
      switch set {
      case .portable: unsafe SwiftletKernelsPortable.softmaxRows
      case .baseline: unsafe SwiftletKernels.softmaxRows
      case .avx2: unsafe SwiftletKernelsAVX2.softmaxRows
      case .avx512: unsafe SwiftletKernelsAVX512.softmaxRows
      }
    unsafe run(input, range.lowerBound, range.upperBound, width, output)
  }
}
