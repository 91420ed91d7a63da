import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

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
  var norm: NormPointers?
  var output: UnsafeMutablePointer<Float>
  var outputStride: Int
  var scratch: UnsafeMutablePointer<Float>
  var engine: Engine

  func run(part: Int, of parts: Int) {
    unsafe run(rows: partition(rows, part: part, of: parts, grain: 12), part: part)
  }

  /// Rows `range` with the scratch of thread `part`. A norm follows per block, while it is cached.
  func run(rows range: Range<Int>, part: Int) {
    guard let norm = unsafe norm else { return unsafe multiply(range, part: part) }
    var lower = range.lowerBound
    while lower < range.upperBound {
      let block = lower..<min(lower + 48, range.upperBound)
      unsafe multiply(block, part: part)
      unsafe norm.apply(output, rows: block, width: outputs, into: output, engine: engine)
      lower = block.upperBound
    }
  }

  private func multiply(_ range: Range<Int>, part: Int) {
    guard case .simd(let set) = unsafe engine else { return unsafe multiplyReference(range) }
    let run =
      switch set {
      case .portable: unsafe SwiftletKernelsPortable.linearRows
      case .baseline: unsafe SwiftletKernels.linearRows
      case .avx2: unsafe SwiftletKernelsAVX2.linearRows
      case .avx512: unsafe SwiftletKernelsAVX512.linearRows
      }
    unsafe run(
      input, inputStride, range.lowerBound, range.upperBound, packedWeight, bias, inputs, outputs,
      activation.rawValue, residual, residualStride, output, outputStride,
      scratch + part * SwiftletKernels.linearScratchCount)
  }
}
