import CVectorShims

/// Rows `rowLower ..< rowUpper` to bytes q + 128, q = clamp(round half even(x / scale), -128, 127), in
/// rows of whole quads: what `integerLinearRows` multiplies, for whoever wants to see it.
@inline(never)
public func quantizeRows(
  _ input: UnsafePointer<Float>, _ rowLower: Int, _ rowUpper: Int, _ inputs: Int,
  _ scale: Float, _ output: UnsafeMutablePointer<Int32>
) {
  let quads = (inputs &+ 3) / 4
  var row = rowLower
  while row < rowUpper {
    _ = quantizeRow(input + row &* inputs, inputs, scale, output + row &* quads)
    row &+= 1
  }
}

/// float32 to IEEE half (`format` 0) or bfloat16 bits (1), round to nearest even, subnormals kept,
/// overflow to infinity, NaN to a quiet NaN.
@inline(never)
public func narrowFloats(
  _ source: UnsafePointer<Float>, _ destination: UnsafeMutablePointer<UInt16>, _ count: Int,
  _ format: Int
) {
  var index = 0
  while index < count {
    let rest = count &- index
    let value = loadOr(source + index, rest, SIMD16(repeating: 0))
    let bits = format == 0 ? swl_half_bits_from_f32x16(value) : swl_bfloat_bits_from_f32x16(value)
    if rest >= 16 {
      swl_store_low_u16x16(destination + index, bits)
    } else {
      var lane = 0
      while lane < rest {
        destination[index &+ lane] = UInt16(truncatingIfNeeded: bits[lane])
        lane &+= 1
      }
    }
    index &+= 16
  }
}
