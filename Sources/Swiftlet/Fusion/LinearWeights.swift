import SwiftletKernelsPortable

/// The weights of a dense layer, packed once for its precision.
@safe
final class LinearWeights: @unchecked Sendable {
  let precision: DensePrecision
  /// [outputs, inputs], row-major, as multiplied: rounded, or integers. What the references and
  /// OpenBLAS read.
  let rows: AlignedBuffer<Float>
  /// fp32: [block of 16 outputs][inputs][16].
  let floats: AlignedBuffer<Float>
  /// fp16: [block][inputs][16]; bf16: [block][pair of inputs][16][2].
  let narrow: AlignedBuffer<UInt16>
  /// int8: [block][quad of inputs][16][4].
  let quads: AlignedBuffer<Int32>
  /// int8: -128 · the sum of an output's weights, because inputs are bytes with 128 for 0.
  let offsets: AlignedBuffer<Int32>
  /// int8: largest magnitude of an output's weights / 127; 1 when all are zero.
  let scales: AlignedBuffer<Float>

  init(_ weight: [Float], inputs: Int, outputs: Int, precision: DensePrecision) {
    self.precision = precision
    let blocks = (outputs + 15) / 16
    let count = blocks * 16
    floats =
      precision == .fp32
      ? packed(weight, outputs: outputs, inputs: inputs) : AlignedBuffer(count: 0)
    let depth = precision == .bf16 ? (inputs + 1) & ~1 : inputs
    let isNarrow = precision == .fp16 || precision == .bf16
    narrow = AlignedBuffer(count: isNarrow ? count * depth : 0)
    quads = AlignedBuffer(count: precision == .int8 ? count * ((inputs + 3) / 4) : 0)
    offsets = AlignedBuffer(count: precision == .int8 ? count + 16 : 0)
    scales = AlignedBuffer(count: precision == .int8 ? count + 16 : 0)
    rows = AlignedBuffer(weight)
    switch precision {
    case .fp32: break
    case .fp16, .bf16: packNarrow(inputs: inputs, outputs: outputs, depth: depth)
    case .int8: packIntegers(inputs: inputs, outputs: outputs)
    }
  }

  private func packNarrow(inputs: Int, outputs: Int, depth: Int) {
    let format = precision == .fp16 ? Narrowing.half : .bfloat
    for output in 0..<outputs {
      for k in 0..<inputs {
        let index = output * inputs + k
        let bits = format.denseBits(rows[index])
        rows[index] = format.value(bits)
        let block = output / 16 * depth * 16
        let place =
          precision == .fp16
          ? block + k * 16 + output % 16 : block + (k / 2 * 16 + output % 16) * 2 + k % 2
        narrow[place] = bits
      }
    }
  }

  private func packIntegers(inputs: Int, outputs: Int) {
    let quadCount = (inputs + 3) / 4
    for output in 0..<outputs {
      let range = output * inputs..<(output + 1) * inputs
      let largest = range.reduce(Float(0)) { max($0, abs(rows[$1])) }
      let scale = largest == 0 ? 1 : largest / 127
      scales[output] = scale
      var sum: Int32 = 0
      for (k, index) in range.enumerated() {
        let q = max(-127, min(127, (rows[index] / scale).rounded(.toNearestOrEven)))
        rows[index] = q
        sum += Int32(q)
        let place = (output / 16 * quadCount + k / 4) * 16 + output % 16
        quads[place] |= Int32(bitPattern: UInt32(UInt8(bitPattern: Int8(q))) << (k % 4 * 8))
      }
      offsets[output] = -128 * sum
    }
  }
}

extension Narrowing {
  /// The bits a dense layer multiplies: magnitudes below bfloat16's normals are zero.
  func denseBits(_ value: Float) -> UInt16 {
    let flushes = self == .bfloat && value.magnitude < Float.leastNormalMagnitude
    return reference(flushes ? (value.sign == .minus ? -0.0 : 0) : value)
  }

  /// The value of 16 bits of this format.
  func value(_ bits: UInt16) -> Float {
    self == .half ? Widening.halfReference(bits) : Float(bitPattern: UInt32(bits) << 16)
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
