import CVectorShims

// Float64 trigonometry in eight lanes, within a few units in the last place: Cephes' rational
// approximations for the arc tangent and the tangent, a Taylor series for the sine. No libm, so
// that a lane costs a fraction of a call and every target runs the same operations.

/// Rounds to the nearest integer; |x| < 2^51.
@inline(__always)
private func rounded(_ x: SIMD8<Double>) -> SIMD8<Double> {
  let shift = SIMD8<Double>(repeating: 6_755_399_441_055_744)
  return (x + shift) - shift
}

/// atan2(y, x) for y ≥ 0: 0…π. atan2(0, 0) is 0.
@inline(__always)
func arcTangent(_ y: SIMD8<Double>, _ x: SIMD8<Double>) -> SIMD8<Double> {
  let zero = SIMD8<Double>(repeating: 0)
  let length = swl_abs_f64x8(x)
  let isSteep = swl_less_f64x8(length, y)
  let above = swl_select_f64x8(isSteep, length, y)
  let below = swl_select_f64x8(isSteep, y, length)
  let isDefined = swl_less_f64x8(zero, below)
  let safe = swl_select_f64x8(isDefined, below, SIMD8(repeating: 1))
  let t = above / safe
  // atan(t) = π/4 + atan((t - 1) / (t + 1)) brings t = 0.66…1 into the approximation's range.
  let isWide = swl_less_f64x8(SIMD8(repeating: 0.66), t)
  let u = swl_select_f64x8(isWide, (t - 1) / (t + 1), t)
  let z = u * u
  var p = z * -8.750608600031904122785e-1 - 1.615753718733365076637e1
  p = p * z - 7.500855792314704667340e1
  p = p * z - 1.228866684490136173410e2
  p = p * z - 6.485021904942025371773e1
  var q = z + 2.485846490142306297962e1
  q = q * z + 1.650270098316988542046e2
  q = q * z + 4.328810604912902668951e2
  q = q * z + 4.853903996359136964868e2
  q = q * z + 1.945506571482613964425e2
  let series = u + u * (z * p / q)
  let base = swl_select_f64x8(isWide, SIMD8(repeating: 0.785398163397448309616), zero)
  var angle = base + series
  angle = swl_select_f64x8(isSteep, 1.57079632679489661923 - angle, angle)
  return swl_select_f64x8(swl_less_f64x8(x, zero), 3.14159265358979323846 - angle, angle)
}

/// tan(x) for 0 ≤ x < π/2.
@inline(__always)
func tangent(_ x: SIMD8<Double>) -> SIMD8<Double> {
  let isSteep = swl_less_f64x8(SIMD8(repeating: 0.785398163397448309616), x)
  // π/2 in two parts: the complement of an angle near π/2 keeps its digits.
  let complement = (1.57079632679489661923 - x) + 6.123233995736765886130e-17
  let r = swl_select_f64x8(isSteep, complement, x)
  let z = r * r
  var p = z * -1.30936939181383734205e4 + 1.15351664838587416140e6
  p = p * z - 1.79565251976484877988e7
  var q = z + 1.36812963470692954678e4
  q = q * z - 1.32089234440210967447e6
  q = q * z + 2.50083801823357915839e7
  q = q * z - 5.38695755929454629881e7
  let value = r + r * (z * p / q)
  return swl_select_f64x8(isSteep, 1 / value, value)
}

/// sin(x); |x| below 2^30 keeps full accuracy.
@inline(__always)
func sine(_ x: SIMD8<Double>) -> SIMD8<Double> {
  let turns = rounded(x * 0.318309886183790671538)
  var r = x - turns * 3.14159265160560607910
  r = r - turns * 1.98418714791870343106e-9
  r = r - turns * 1.14423774522196636802e-17
  let z = r * r
  var p = z * 1.957294106339126e-20 - 8.220635246624329e-18
  p = p * z + 2.811457254345521e-15
  p = p * z - 7.647163731819816e-13
  p = p * z + 1.605904383682161e-10
  p = p * z - 2.505210838544172e-8
  p = p * z + 2.755731922398589e-6
  p = p * z - 1.984126984126984e-4
  p = p * z + 8.333333333333333e-3
  p = p * z - 0.166666666666666667
  let value = r + r * (z * p)
  let parity = turns - 2 * rounded(turns * 0.5)
  return value * (1 - 2 * parity * parity)
}

/// cos(x), as the sine a quarter turn on; |error| is a few units of roundoff of 1.
@inline(__always)
func cosine(_ x: SIMD8<Double>) -> SIMD8<Double> { sine(x + 1.57079632679489661923) }

/// Up to eight values `stride` apart; lanes beyond `count` repeat the first.
@inline(__always)
func strided(_ p: UnsafePointer<Double>, _ stride: Int, _ count: Int) -> SIMD8<Double> {
  var v = SIMD8<Double>(repeating: p[0])
  var lane = 1
  while lane < count {
    v[lane] = p[lane &* stride]
    lane &+= 1
  }
  return v
}

/// Stores the first `count` lanes `stride` apart.
@inline(__always)
func storeStrided(
  _ v: SIMD8<Double>, _ p: UnsafeMutablePointer<Double>, _ stride: Int, _ count: Int
) {
  var lane = 0
  while lane < count {
    p[lane &* stride] = v[lane]
    lane &+= 1
  }
}
