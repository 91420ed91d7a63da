import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// A linear layer in 8-bit integers whose integers can be looked at: the same kernel as a `Linear` of
/// precision int8.
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
  private let weights: LinearWeights
  private let bias: AlignedBuffer<Float>
  /// Rows of the last input, in quads of bytes with 128 for 0.
  private let quantizedInput: AlignedBuffer<Int32>
  private let scratch: AlignedBuffer<Int32>
  private let scratchStride: Int
  private let maximumThreads: Int

  public init(
    weight: [Float], bias: [Float], inputs: Int, outputs: Int, maximumRows: Int,
    maximumThreads: Int = 16
  ) {
    precondition(
      weight.count == inputs * outputs && bias.count == outputs,
      "\(weight.count) weights and \(bias.count) biases for \(outputs) outputs of \(inputs)")
    self.inputs = inputs
    self.outputs = outputs
    self.maximumRows = maximumRows
    self.maximumThreads = maximumThreads
    weights = LinearWeights(weight, inputs: inputs, outputs: outputs, precision: .int8)
    self.bias = AlignedBuffer(bias + [Float](repeating: 0, count: 32))
    quantizedInput = AlignedBuffer(count: maximumRows * ((inputs + 3) / 4))
    scratchStride = (SwiftletKernels.integerScratchCount(inputs) + 31) & ~15
    scratch = AlignedBuffer(count: scratchStride * maximumThreads)
  }

  /// [outputs, inputs].
  public var quantizedWeight: [Int8] { weights.rows.array.map { Int8($0) } }
  /// [outputs].
  public var weightScales: [Float] { (0..<outputs).map { weights.scales[$0] } }

  /// The quantised rows of the last `apply`.
  public func lastQuantizedInput(rows: Int) -> [Int8] {
    let quads = (inputs + 3) / 4
    return (0..<rows * inputs).map { index in
      let (row, k) = (index / inputs, index % inputs)
      let byte = UInt32(bitPattern: quantizedInput[row * quads + k / 4]) >> (k % 4 * 8) & 255
      return Int8(Int(byte) - 128)
    }
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
    precondition(
      pool.threadCount <= maximumThreads,
      "\(pool.threadCount) threads, \(maximumThreads) announced")
    unsafe pool.run(
      QuantizedJob(
        input: input.pointer, rows: rows, inputs: inputs, outputs: outputs, scale: scale,
        quantized: quantizedInput.pointer, weights: WeightPointers(weights), bias: bias.pointer,
        sums: sums.map { unsafe $0.pointer }, output: output.pointer, scratch: scratch.pointer,
        scratchStride: scratchStride, engine: engine))
  }
}

/// Rows split over threads; a part quantises its rows and multiplies them.
@unsafe private struct QuantizedJob: PartitionedJob {
  var input: UnsafePointer<Float>
  var rows: Int
  var inputs: Int
  var outputs: Int
  var scale: Float
  var quantized: UnsafeMutablePointer<Int32>
  var weights: WeightPointers
  var bias: UnsafePointer<Float>
  var sums: UnsafeMutablePointer<Int32>?
  var output: UnsafeMutablePointer<Float>
  var scratch: UnsafeMutablePointer<Int32>
  var scratchStride: Int
  var engine: Engine

  func run(part: Int, of parts: Int) {
    let range = unsafe partition(rows, part: part, of: parts, grain: 4)
    guard case .simd(let set) = unsafe engine else {
      for row in range { unsafe rowReference(row) }
      return
    }
    let quantize =
      switch set {
      case .portable: unsafe SwiftletKernelsPortable.quantizeRows
      case .baseline: unsafe SwiftletKernels.quantizeRows
      case .avx2: unsafe SwiftletKernelsAVX2.quantizeRows
      case .avx512: unsafe SwiftletKernelsAVX512.quantizeRows
      }
    unsafe quantize(input, range.lowerBound, range.upperBound, inputs, scale, quantized)
    unsafe integerRows(set)(
      input, inputs, range.lowerBound, range.upperBound, weights.quads, weights.offsets, scale,
      weights.scales, bias, inputs, outputs, 0, nil, 0, sums, output, outputs,
      scratch + part * scratchStride)
  }

  /// The definition.
  private func rowReference(_ row: Int) {
    let quads = unsafe (inputs + 3) / 4
    let q = unsafe (0..<inputs).map { unsafe quantizedReference(input[row * inputs + $0], scale: scale) }
    for quad in 0..<quads {
      var bytes: UInt32 = 0
      for lane in 0..<4 {
        let value = quad * 4 + lane < q.count ? Int(q[quad * 4 + lane]) : 0
        bytes |= UInt32(value + 128) << (8 * lane)
      }
      unsafe quantized[row * quads + quad] = Int32(bitPattern: bytes)
    }
    for column in unsafe 0..<outputs {
      var sum: Int32 = 0
      for k in q.indices { unsafe sum += Int32(q[k]) * Int32(weights.rows[column * inputs + k]) }
      unsafe sums?[row * outputs + column] = sum
      unsafe output[row * outputs + column] =
        Float(sum) * (weights.scales[column] * scale) + bias[column]
    }
  }
}
