import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// A linear layer in 8-bit integers: weights per output channel, one scale for the input.
///
/// q_x = clamp(round half even(x / s_x), -128, 127); q_w = clamp(round half even(w / s_w), -127, 127)
/// with s_w = max |w| / 127 of the row (1 for a row of zeros); the sum in Int32;
/// y = float(sum) · (s_x · s_w) + b, each step rounded to float32. Sums are exact, so every engine
/// gives the same bits. Allocates nothing after `init`.
@safe
public final class QuantizedLinear: @unchecked Sendable {
  public let inputs: Int
  public let outputs: Int
  public let maximumRows: Int
  /// [outputs, inputs] and [outputs].
  public let quantizedWeight: [Int8]
  public let weightScales: [Float]
  private let packed: AlignedBuffer<Int32>
  private let scales: AlignedBuffer<Float>
  private let bias: AlignedBuffer<Float>
  /// Rows of the last input, `stride` values apart, zero behind the last input.
  let quantizedInput: AlignedBuffer<Int16>
  let stride: Int

  public init(weight: [Float], bias: [Float], inputs: Int, outputs: Int, maximumRows: Int) {
    precondition(
      weight.count == inputs * outputs && bias.count == outputs,
      "\(weight.count) weights and \(bias.count) biases for \(outputs) outputs of \(inputs)")
    self.inputs = inputs
    self.outputs = outputs
    self.maximumRows = maximumRows
    stride = (inputs + 15) & ~15
    var (quantized, rowScales): ([Int8], [Float]) = ([], [])
    for output in 0..<outputs {
      let row = weight[output * inputs..<(output + 1) * inputs]
      let largest = row.map(abs).max() ?? 0
      let scale = largest == 0 ? 1 : largest / 127
      rowScales.append(scale)
      quantized += row.map { Int8(max(-127, min(127, ($0 / scale).rounded(.toNearestOrEven)))) }
    }
    quantizedWeight = quantized
    weightScales = rowScales
    let padding = [Float](repeating: 0, count: 16)
    scales = AlignedBuffer(rowScales + padding)
    self.bias = AlignedBuffer(bias + padding)
    packed = AlignedBuffer(count: (outputs + 15) / 16 * stride / 2 * 16)
    quantizedInput = AlignedBuffer(count: maximumRows * stride)
    for output in 0..<outputs {
      for k in 0..<inputs {
        let place = (output / 16 * (stride / 2) + k / 2) * 16 + output % 16
        let half = UInt32(UInt16(bitPattern: Int16(quantized[output * inputs + k])))
        packed[place] |= Int32(bitPattern: half << (k % 2 * 16))
      }
    }
  }

  /// The quantised rows of the last `apply`.
  public func lastQuantizedInput(rows: Int) -> [Int8] {
    (0..<rows * inputs).map { Int8(quantizedInput[$0 / inputs * stride + $0 % inputs]) }
  }

  /// output[row] for `rows` contiguous rows; the Int32 sums too where `sums` is given.
  ///
  /// - Precondition: at most `maximumRows` rows and buffers that hold them.
  public func apply(
    _ input: AlignedBuffer<Float>, rows: Int, scale: Float, sums: AlignedBuffer<Int32>? = nil,
    into output: AlignedBuffer<Float>, engine: Engine, pool: WorkerPool
  ) {
    precondition(
      rows <= maximumRows && input.count >= rows * inputs && output.count >= rows * outputs
        && sums?.count ?? .max >= rows * outputs,
      "\(rows) rows, \(maximumRows) were announced; buffers of \(input.count), \(output.count)")
    unsafe pool.run(
      QuantizedJob(
        input: input.pointer, rows: rows, inputs: inputs, stride: stride, scale: scale,
        quantized: quantizedInput.pointer, weights: packed.pointer, outputs: outputs,
        scales: scales.pointer, bias: bias.pointer, sums: sums.map { unsafe $0.pointer },
        output: output.pointer, engine: engine))
  }
}

/// Rows split over threads; a part quantises its rows and multiplies them.
@unsafe private struct QuantizedJob: PartitionedJob {
  var input: UnsafePointer<Float>
  var rows: Int
  var inputs: Int
  var stride: Int
  var scale: Float
  var quantized: UnsafeMutablePointer<Int16>
  var weights: UnsafePointer<Int32>
  var outputs: Int
  var scales: UnsafePointer<Float>
  var bias: UnsafePointer<Float>
  var sums: UnsafeMutablePointer<Int32>?
  var output: UnsafeMutablePointer<Float>
  var engine: Engine

  func run(part: Int, of parts: Int) {
    let range = unsafe partition(rows, part: part, of: parts, grain: 4)
    guard case .simd(let set) = unsafe engine else {
      for row in range { unsafe rowReference(row) }
      return
    }
    let (quantize, multiply) =
      switch set {
      case .portable:
        unsafe (SwiftletKernelsPortable.quantizeRows, SwiftletKernelsPortable.quantizedLinearRows)
      case .baseline: unsafe (SwiftletKernels.quantizeRows, SwiftletKernels.quantizedLinearRows)
      case .avx2:
        unsafe (SwiftletKernelsAVX2.quantizeRows, SwiftletKernelsAVX2.quantizedLinearRows)
      case .avx512:
        unsafe (SwiftletKernelsAVX512.quantizeRows, SwiftletKernelsAVX512.quantizedLinearRows)
      }
    unsafe quantize(input, range.lowerBound, range.upperBound, inputs, stride, scale, quantized)
    unsafe multiply(
      quantized, stride, range.lowerBound, range.upperBound, weights, outputs, scale, scales, bias,
      sums, output)
  }

  /// The definition. The packed weights are unpacked one by one.
  private func rowReference(_ row: Int) {
    for k in unsafe 0..<inputs {
      let ratio = unsafe (input[row * inputs + k] / scale).rounded(.toNearestOrEven)
      // NaN fails both comparisons of the SIMD clamp and ends at its lower bound.
      unsafe quantized[row * stride + k] = ratio > -128 ? Int16(min(ratio, 127)) : -128
    }
    for column in unsafe 0..<outputs {
      var sum: Int32 = 0
      for k in unsafe 0..<inputs {
        let pair = unsafe weights[(column / 16 * (stride / 2) + k / 2) * 16 + column % 16]
        let weight = Int32(Int16(truncatingIfNeeded: pair >> Int32(k % 2 * 16)))
        unsafe sum += Int32(quantized[row * stride + k]) * weight
      }
      unsafe sums?[row * outputs + column] = sum
      unsafe output[row * outputs + column] = Float(sum) * (scale * scales[column]) + bias[column]
    }
  }
}
