import CVectorShims

/// Softmax of rows `rowLower ..< rowUpper`: the row's maximum is subtracted first. A row of -∞ alone
/// gives zeros.
@inline(never)
public func softmaxRows(
  _ input: UnsafePointer<Float>, _ rowLower: Int, _ rowUpper: Int, _ width: Int,
  _ output: UnsafeMutablePointer<Float>
) {
  var row = rowLower
  while row < rowUpper {
    softmaxRow(input + row &* width, output + row &* width, width)
    row &+= 1
  }
}

@inline(__always)
func loadOr(
  _ pointer: UnsafePointer<Float>, _ count: Int, _ fill: SIMD16<Float>
) -> SIMD16<Float> {
  if count >= 16 { return swl_load_f32x16(pointer) }
  let lanes = swl_first_lanes_i32x16(Int32(truncatingIfNeeded: count))
  return swl_select_f32x16(lanes, swl_load_f32x16_partial(pointer, Int64(count)), fill)
}

@inline(__always)
func storeSome(_ pointer: UnsafeMutablePointer<Float>, _ value: SIMD16<Float>, _ count: Int) {
  if count >= 16 {
    swl_store_f32x16(pointer, value)
  } else {
    swl_store_f32x16_partial(pointer, value, Int64(count))
  }
}

@inline(__always)
func softmaxRow(
  _ input: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>, _ width: Int
) {
  let lowest = SIMD16<Float>(repeating: -.infinity)
  var largest = lowest
  var index = 0
  while index < width {
    largest = swl_max_f32x16(loadOr(input + index, width &- index, lowest), largest)
    index &+= 16
  }
  let maximum = swl_max_lane_f32x16(largest)
  let shift = SIMD16<Float>(repeating: maximum == -.infinity ? 0 : maximum)
  var sum = SIMD16<Float>(repeating: 0)
  index = 0
  while index < width {
    let value = exponential(loadOr(input + index, width &- index, lowest) - shift)
    sum = sum + value
    storeSome(output + index, value, width &- index)
    index &+= 16
  }
  let total = swl_sum_f32x16(sum)
  let divisor = SIMD16<Float>(repeating: total == 0 ? 1 : total)
  index = 0
  while index < width {
    let value = loadOr(output + index, width &- index, lowest) / divisor
    storeSome(output + index, value, width &- index)
    index &+= 16
  }
}

/// LayerNorm of rows `rowLower ..< rowUpper`: (x - mean) / √(variance + epsilon) · weight + bias with
/// the variance divided by the width. Two passes: the mean of x² minus the squared mean loses
/// everything when the mean is large. `weight` and `bias` are padded with zeros to whole vectors.
/// May run in place.
@inline(never)
public func layerNormRows(
  _ input: UnsafePointer<Float>, _ rowLower: Int, _ rowUpper: Int, _ width: Int,
  _ weight: UnsafePointer<Float>, _ bias: UnsafePointer<Float>, _ epsilon: Float,
  _ output: UnsafeMutablePointer<Float>
) {
  var row = rowLower
  while row < rowUpper {
    layerNormRow(
      input + row &* width, output + row &* width, width, weight, bias, epsilon)
    row &+= 1
  }
}

@inline(__always)
func layerNormRow(
  _ input: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>, _ width: Int,
  _ weight: UnsafePointer<Float>, _ bias: UnsafePointer<Float>, _ epsilon: Float
) {
  let zero = SIMD16<Float>(repeating: 0)
  var sum = zero
  var index = 0
  while index < width {
    sum = sum + loadOr(input + index, width &- index, zero)
    index &+= 16
  }
  let mean = SIMD16<Float>(repeating: swl_sum_f32x16(sum) / Float(width))
  var squares = zero
  var rest = zero
  index = 0
  while index < width {
    let centered = loadOr(input + index, width &- index, mean) - mean
    squares = swl_fma_f32x16(centered, centered, squares)
    rest = rest + centered
    index &+= 16
  }
  // What the rounding of the mean left over: matters when the mean is large beside the spread.
  let left = swl_sum_f32x16(rest) / Float(width)
  let variance = swl_sum_f32x16(squares) / Float(width) - left * left
  let deviation = swl_sqrt_f32x16(SIMD16(repeating: variance + epsilon))
  let inverse = SIMD16<Float>(repeating: 1) / deviation
  index = 0
  while index < width {
    let centered = loadOr(input + index, width &- index, mean) - mean
    let value = swl_fma_f32x16(
      (centered - SIMD16(repeating: left)) * inverse, swl_load_f32x16(weight + index),
      swl_load_f32x16(bias + index))
    storeSome(output + index, value, width &- index)
    index &+= 16
  }
}
