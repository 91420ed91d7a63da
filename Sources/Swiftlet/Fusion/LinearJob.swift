import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsBF16
import SwiftletKernelsPortable

@unsafe struct WeightPointers: BitwiseCopyable {
  var precision: DensePrecision
  var rows: UnsafePointer<Float>
  var floats: UnsafePointer<Float>
  var narrow: UnsafePointer<UInt16>
  var quads: UnsafePointer<Int32>
  var offsets: UnsafePointer<Int32>
  var scales: UnsafePointer<Float>

  init(_ weights: LinearWeights) {
    unsafe precision = weights.precision
    unsafe rows = UnsafePointer(weights.rows.pointer)
    unsafe floats = UnsafePointer(weights.floats.pointer)
    unsafe narrow = UnsafePointer(weights.narrow.pointer)
    unsafe quads = UnsafePointer(weights.quads.pointer)
    unsafe offsets = UnsafePointer(weights.offsets.pointer)
    unsafe scales = UnsafePointer(weights.scales.pointer)
  }
}

/// Rows split over threads in whole tiles; what a row is does not depend on the split.
@unsafe struct LinearJob: PartitionedJob {
  var input: UnsafePointer<Float>
  var inputStride: Int
  var rows: Int
  var weights: WeightPointers
  var bias: UnsafePointer<Float>
  var inputs: Int
  var outputs: Int
  var activation: Activation
  var residual: UnsafePointer<Float>?
  var residualStride: Int
  var norm: NormPointers?
  var output: UnsafeMutablePointer<Float>
  var outputStride: Int
  var inputScale: Float
  var usesBFloatInstructions: Bool
  var scratch: UnsafeMutablePointer<Float>
  var scratchStride: Int
  /// Largest magnitude of the inputs per thread, 16 floats apart; nil when nobody asks.
  var seen: UnsafeMutablePointer<Float>?
  var engine: Engine

  func run(part: Int, of parts: Int) {
    unsafe run(rows: partition(rows, part: part, of: parts, grain: 12), part: part)
  }

  /// Rows `range` with the scratch of thread `part`. A norm follows per block, while it is cached.
  func run(rows range: Range<Int>, part: Int) {
    if let seen = unsafe seen { unsafe observe(range, seen + 16 * part) }
    guard let norm = unsafe norm else { return unsafe multiply(range, part: part) }
    var lower = range.lowerBound
    while lower < range.upperBound {
      let block = lower..<min(lower + 48, range.upperBound)
      unsafe multiply(block, part: part)
      unsafe norm.apply(output, rows: block, width: outputs, into: output, engine: engine)
      lower = block.upperBound
    }
  }

  private func observe(_ range: Range<Int>, _ largest: UnsafeMutablePointer<Float>) {
    for row in range {
      for k in unsafe 0..<inputs {
        let magnitude = unsafe input[row * inputStride + k].magnitude
        // Not finite: says nothing about the scale.
        if unsafe magnitude.isFinite && magnitude > largest[0] { unsafe largest[0] = magnitude }
      }
    }
  }

  private func multiply(_ range: Range<Int>, part: Int) {
    guard case .simd(let set) = unsafe engine else { return unsafe multiplyReference(range) }
    let own = unsafe scratch + part * scratchStride
    switch unsafe weights.precision {
    case .fp32: unsafe multiplyFloat(range, set, own)
    case .fp16: unsafe multiplyNarrow(range, set, own, format: 0)
    case .bf16:
      if unsafe set == .avx512 && usesBFloatInstructions {
        unsafe multiplyPairs(range, own)
      } else {
        unsafe multiplyNarrow(range, set, own, format: 1)
      }
    case .int8: unsafe multiplyInteger(range, set, own)
    }
  }

  private func multiplyFloat(
    _ range: Range<Int>, _ set: InstructionSet, _ own: UnsafeMutablePointer<Float>
  ) {
    let run =
      switch set {
      case .portable: unsafe SwiftletKernelsPortable.linearRows
      case .baseline: unsafe SwiftletKernels.linearRows
      case .avx2: unsafe SwiftletKernelsAVX2.linearRows
      case .avx512: unsafe SwiftletKernelsAVX512.linearRows
      }
    unsafe run(
      input, inputStride, range.lowerBound, range.upperBound, weights.floats, bias, inputs,
      outputs, activation.rawValue, residual, residualStride, output, outputStride, own)
  }

  private func multiplyNarrow(
    _ range: Range<Int>, _ set: InstructionSet, _ own: UnsafeMutablePointer<Float>, format: Int
  ) {
    let run =
      switch set {
      case .portable: unsafe SwiftletKernelsPortable.narrowLinearRows
      case .baseline: unsafe SwiftletKernels.narrowLinearRows
      case .avx2: unsafe SwiftletKernelsAVX2.narrowLinearRows
      case .avx512: unsafe SwiftletKernelsAVX512.narrowLinearRows
      }
    unsafe run(
      input, inputStride, range.lowerBound, range.upperBound, weights.narrow, format, bias, inputs,
      outputs, activation.rawValue, residual, residualStride, output, outputStride, own)
  }

  private func multiplyPairs(_ range: Range<Int>, _ own: UnsafeMutablePointer<Float>) {
    let pairs = unsafe UnsafeRawPointer(weights.narrow).assumingMemoryBound(to: Int32.self)
    let ints = unsafe UnsafeMutableRawPointer(own).assumingMemoryBound(to: Int32.self)
    unsafe SwiftletKernelsBF16.bfloatLinearRows(
      input, inputStride, range.lowerBound, range.upperBound, pairs, bias, inputs, outputs,
      activation.rawValue, residual, residualStride, output, outputStride, ints)
  }

  private func multiplyInteger(
    _ range: Range<Int>, _ set: InstructionSet, _ own: UnsafeMutablePointer<Float>
  ) {
    let ints = unsafe UnsafeMutableRawPointer(own).assumingMemoryBound(to: Int32.self)
    unsafe integerRows(set)(
      input, inputStride, range.lowerBound, range.upperBound, weights.quads, weights.offsets,
      inputScale, weights.scales, bias, inputs, outputs, activation.rawValue, residual,
      residualStride, nil, output, outputStride, ints)
  }
}

/// The integer kernel of one instruction set.
@unsafe func integerRows(
  _ set: InstructionSet
) -> (
  UnsafePointer<Float>, Int, Int, Int, UnsafePointer<Int32>, UnsafePointer<Int32>, Float,
  UnsafePointer<Float>, UnsafePointer<Float>, Int, Int, Int, UnsafePointer<Float>?, Int,
  UnsafeMutablePointer<Int32>?, UnsafeMutablePointer<Float>, Int, UnsafeMutablePointer<Int32>
) -> Void {
  switch set {
  case .portable: unsafe SwiftletKernelsPortable.integerLinearRows
  case .baseline: unsafe SwiftletKernels.integerLinearRows
  case .avx2: unsafe SwiftletKernelsAVX2.integerLinearRows
  case .avx512: unsafe SwiftletKernelsAVX512.integerLinearRows
  }
}
