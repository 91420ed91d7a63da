import CVectorShims

/// e^x in sixteen lanes, within 2 units in the last place; the same operations on every target
/// (only fused multiply-add differs). e^-∞ = 0, results below the normals are subnormal and
/// rounded once, above 88.72 they are +∞, NaN stays NaN.
///
/// x = n ln 2 + r with |r| ≤ ln 2 / 2, then a polynomial of degree 6 in r (Cephes' expf) and 2^n.
/// ln 2 is split so that n times its first part is exact without fused multiply-add too.
@inline(__always)
func exponential(_ x: SIMD16<Float>) -> SIMD16<Float> {
  let low = SIMD16<Float>(repeating: -105)
  let high = SIMD16<Float>(repeating: 90)
  let (fraction, shifted) = splitExponential(swl_max_f32x16(swl_min_f32x16(x, high), low))
  let exponent = swl_bits_f32x16(shifted) &- swl_bits_f32x16(SIMD16(repeating: roundingShift))
  let result = swl_scale_f32x16(fraction, exponent)
  return swl_select_f32x16(swl_less_equal_f32x16(x, SIMD16(repeating: .infinity)), result, x)
}

/// e^x for what a softmax takes it of, x at most 0 (or rounding above it): 0 below −86.5, where a
/// weight is less than 3e-38 of the largest one, else `exponential`'s bits; NaN stays NaN. Two thirds
/// of its instructions: no result overflows or is subnormal, so that 2^n is an addition to the bits.
@inline(__always)
func decayingExponential(_ x: SIMD16<Float>) -> SIMD16<Float> {
  let low = SIMD16<Float>(repeating: -86.5)
  // The second operand is what comes out where it is NaN.
  let (fraction, shifted) = splitExponential(swl_max_f32x16(low, x))
  let scaled = swl_bits_f32x16(fraction) &+ swl_bits_f32x16(shifted) &<< SIMD16(repeating: 23)
  let isSmall = swl_less_f32x16(x, low)
  return unsafeBitCast(scaled & ~isSmall, to: SIMD16<Float>.self)
}

/// Adding 1.5 · 2^23 rounds to an integer and leaves it in the low mantissa bits: no libm call where
/// the CPU has no rounding instruction, no conversion to get the integer.
private let roundingShift: Float = 12_582_912

/// e^x = `fraction` · 2^n; `shifted` is n + `roundingShift`.
@inline(__always)
private func splitExponential(
  _ x: SIMD16<Float>
) -> (fraction: SIMD16<Float>, shifted: SIMD16<Float>) {
  let shift = SIMD16<Float>(repeating: roundingShift)
  let shifted = swl_fma_f32x16(x, SIMD16(repeating: 1.442_695_04), shift)
  let whole = shifted - shift
  var r = swl_fma_f32x16(whole, SIMD16(repeating: -0.693_359_375), x)
  r = swl_fma_f32x16(whole, SIMD16(repeating: 2.121_944_4e-4), r)
  var p = SIMD16<Float>(repeating: 1.987_569_15e-4)
  p = swl_fma_f32x16(p, r, SIMD16(repeating: 1.398_199_950_7e-3))
  p = swl_fma_f32x16(p, r, SIMD16(repeating: 8.333_451_907_3e-3))
  p = swl_fma_f32x16(p, r, SIMD16(repeating: 4.166_579_589_4e-2))
  p = swl_fma_f32x16(p, r, SIMD16(repeating: 0.166_666_654_59))
  p = swl_fma_f32x16(p, r, SIMD16(repeating: 0.500_000_012_01))
  p = swl_fma_f32x16(p, r * r, r)
  return (p + 1, shifted)
}

/// `output[i] = e^input[i]`; `count` values, any tail.
@inline(never)
public func exponentials(
  _ input: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>, _ count: Int
) {
  var index = 0
  while index &+ 16 <= count {
    swl_store_f32x16(output + index, exponential(swl_load_f32x16(input + index)))
    index &+= 16
  }
  let rest = count &- index
  if rest > 0 {
    let tail = exponential(swl_load_f32x16_partial(input + index, Int64(rest)))
    swl_store_f32x16_partial(output + index, tail, Int64(rest))
  }
}
