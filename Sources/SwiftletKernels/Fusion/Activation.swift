import CVectorShims

/// x/2 · (1 + erf(x/√2)), by Abramowitz and Stegun 7.1.26 for the complementary function: absolute
/// error below 1.5e-7 · |x|/2 + 2 units in the last place. The tail for negative x keeps its sign
/// and goes to -0; ±∞ as the formula gives.
@inline(__always)
func geluErf(_ x: SIMD16<Float>) -> SIMD16<Float> {
  let z = swl_abs_f32x16(x) * Float(0.707_106_781)
  let one = SIMD16<Float>(repeating: 1)
  let t = one / swl_fma_f32x16(z, SIMD16(repeating: 0.327_591_1), one)
  var p = SIMD16<Float>(repeating: 1.061_405_429)
  p = swl_fma_f32x16(p, t, SIMD16(repeating: -1.453_152_027))
  p = swl_fma_f32x16(p, t, SIMD16(repeating: 1.421_413_741))
  p = swl_fma_f32x16(p, t, SIMD16(repeating: -0.284_496_736))
  p = swl_fma_f32x16(p, t, SIMD16(repeating: 0.254_829_592))
  let complement = p * t * exponential(-z * z)
  let half = x * Float(0.5)
  let tail = half * complement
  return swl_select_f32x16(swl_less_f32x16(x, SIMD16(repeating: 0)), tail, x - tail)
}

/// x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³))) as x / (1 + e^-2u): nothing overflows into a NaN for
/// any finite x.
@inline(__always)
func geluTanh(_ x: SIMD16<Float>) -> SIMD16<Float> {
  let cubic = swl_fma_f32x16(x * x * x, SIMD16(repeating: 0.044_715), x)
  let exponent = cubic * Float(-1.595_769_12)
  return x / (exponential(exponent) + 1)
}

/// `activation`: 1 ReLU (NaN stays NaN), 2 GELU with erf, 3 GELU with tanh. `count` values.
@inline(never)
public func activate(
  _ input: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>, _ count: Int,
  _ activation: Int
) {
  let zero = SIMD16<Float>(repeating: 0)
  var index = 0
  while index < count {
    let rest = Int64(count &- index)
    var value =
      rest >= 16 ? swl_load_f32x16(input + index) : swl_load_f32x16_partial(input + index, rest)
    switch activation {
    case 1: value = swl_max_f32x16(zero, value)
    case 2: value = geluErf(value)
    case 3: value = geluTanh(value)
    default: break
    }
    if rest >= 16 {
      swl_store_f32x16(output + index, value)
    } else {
      swl_store_f32x16_partial(output + index, value, rest)
    }
    index &+= 16
  }
}
