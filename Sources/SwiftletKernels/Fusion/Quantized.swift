import CVectorShims

/// Rows `rowLower ..< rowUpper` to clamp(round half even(x / scale), -128, 127), as Int16 in rows of
/// `stride` values (even, zero behind the last input), so that two fill one lane of a dot product.
@inline(never)
public func quantizeRows(
  _ input: UnsafePointer<Float>, _ rowLower: Int, _ rowUpper: Int, _ inputs: Int, _ stride: Int,
  _ scale: Float, _ output: UnsafeMutablePointer<Int16>
) {
  let divisor = SIMD16<Float>(repeating: scale)
  let lowest = SIMD16<Float>(repeating: -128)
  let highest = SIMD16<Float>(repeating: 127)
  var row = rowLower
  while row < rowUpper {
    var k = 0
    while k < stride {
      // The row's length is a multiple of 16: whole vectors, zeros behind the last input.
      let rest = inputs &- k
      let value = loadOr(input + row &* inputs + k, max(rest, 0), SIMD16(repeating: 0)) / divisor
      let clamped = swl_min_f32x16(swl_max_f32x16(value, lowest), highest)
      let whole = swl_trunc_i32x16(swl_round_even_f32x16(clamped))
      let target = UnsafeMutableRawPointer(output + row &* stride + k)
      swl_store_low_u16x16(target.assumingMemoryBound(to: UInt16.self), whole)
      k &+= 16
    }
    row &+= 1
  }
}

/// Rows of Int32 sums and of y = float(sum) · (scale · weightScale) + bias, each step rounded.
///
/// `weights` packed [block of 16 outputs][pair of inputs][16][2] Int16, `inputStride` Int16 a row.
@inline(never)
public func quantizedLinearRows(
  _ input: UnsafePointer<Int16>, _ inputStride: Int, _ rowLower: Int, _ rowUpper: Int,
  _ weights: UnsafePointer<Int32>, _ outputs: Int, _ scale: Float,
  _ weightScales: UnsafePointer<Float>, _ bias: UnsafePointer<Float>,
  _ sums: UnsafeMutablePointer<Int32>?, _ output: UnsafeMutablePointer<Float>
) {
  let pairs = inputStride / 2
  var row = rowLower
  while row < rowUpper {
    let last = rowUpper &- row &- 1
    let x0 = UnsafeRawPointer(input + row &* inputStride).assumingMemoryBound(to: Int32.self)
    let x1 = x0 + min(1, last) &* pairs
    let x2 = x0 + min(2, last) &* pairs
    let x3 = x0 + min(3, last) &* pairs
    var column = 0
    while column < outputs {
      var s0 = SIMD16<Int32>(repeating: 0)
      var s1 = s0
      var s2 = s0
      var s3 = s0
      let block = weights + column &* pairs
      var k = 0
      while k < pairs {
        let w = swl_load_i32x16(block + k &* 16)
        s0 = swl_dot_i16_i32x16(s0, SIMD16(repeating: x0[k]), w)
        s1 = swl_dot_i16_i32x16(s1, SIMD16(repeating: x1[k]), w)
        s2 = swl_dot_i16_i32x16(s2, SIMD16(repeating: x2[k]), w)
        s3 = swl_dot_i16_i32x16(s3, SIMD16(repeating: x3[k]), w)
        k &+= 1
      }
      let factor = swl_load_f32x16(weightScales + column) * scale
      let addend = swl_load_f32x16(bias + column)
      let count = outputs &- column
      storeQuantized(s0, factor, addend, row, column, outputs, count, sums, output)
      storeQuantized(s1, factor, addend, row &+ min(1, last), column, outputs, count, sums, output)
      storeQuantized(s2, factor, addend, row &+ min(2, last), column, outputs, count, sums, output)
      storeQuantized(s3, factor, addend, row &+ min(3, last), column, outputs, count, sums, output)
      column &+= 16
    }
    row &+= 4
  }
}

@inline(__always)
func storeQuantized(
  _ sum: SIMD16<Int32>, _ factor: SIMD16<Float>, _ bias: SIMD16<Float>, _ row: Int, _ column: Int,
  _ outputs: Int, _ count: Int, _ sums: UnsafeMutablePointer<Int32>?,
  _ output: UnsafeMutablePointer<Float>
) {
  let product = swl_f32x16_from_i32x16(sum) * factor
  storeSome(output + row &* outputs + column, product + bias, count)
  guard let sums else { return }
  let target = sums + row &* outputs + column
  if count >= 16 {
    swl_store_i32x16(target, sum)
  } else {
    var lane = 0
    while lane < count {
      target[lane] = sum[lane]
      lane &+= 1
    }
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
