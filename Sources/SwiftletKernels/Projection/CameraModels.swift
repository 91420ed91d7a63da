import CVectorShims

// Camera models in float64, eight points at a time. `camera` holds focal x, y, centre x, y, then
// eight coefficients (zero where a shorter model has none): Brown–Conrady k1 k2 p1 p2 k3 k4 k5 k6;
// the radial models by their `kind`: 1 Kannala–Brandt k1…k4, 2 f-theta as distance of angle
// c0…c5, 3 f-theta as angle of distance c0…c5.

/// Brown–Conrady distortion of (x, y), OpenCV's order.
@inline(__always)
func brownConrady(
  _ x: SIMD8<Double>, _ y: SIMD8<Double>, _ k: UnsafePointer<Double>, _ outX: inout SIMD8<Double>,
  _ outY: inout SIMD8<Double>
) {
  let r2 = x * x + y * y
  var above = r2 * k[4] + k[1]
  above = above * r2 + k[0]
  above = above * r2 + 1
  var below = r2 * k[7] + k[6]
  below = below * r2 + k[5]
  below = below * r2 + 1
  let radial = above / below
  let xy = 2 * x * y
  let xx = r2 + 2 * x * x
  let yy = r2 + 2 * y * y
  outX = x * radial + k[2] * xy + k[3] * xx
  outY = y * radial + k[2] * yy + k[3] * xy
}

/// θ(1 + k1θ² + k2θ⁴ + k3θ⁶ + k4θ⁸).
@inline(__always)
func kannalaBrandt(_ theta: SIMD8<Double>, _ k: UnsafePointer<Double>) -> SIMD8<Double> {
  let t2 = theta * theta
  var series = t2 * k[3] + k[2]
  series = series * t2 + k[1]
  series = series * t2 + k[0]
  return theta * (series * t2 + 1)
}

/// c0 + c1 t + … + c5 t⁵.
@inline(__always)
func polynomial(_ t: SIMD8<Double>, _ c: UnsafePointer<Double>) -> SIMD8<Double> {
  var value = t * c[5] + c[4]
  value = value * t + c[3]
  value = value * t + c[2]
  value = value * t + c[1]
  return value * t + c[0]
}

/// The t from 0 on with polynomial(t) = `target`, by Newton's method; NaN where none is found.
@inline(__always)
func polynomialRoot(_ target: SIMD8<Double>, _ c: UnsafePointer<Double>) -> SIMD8<Double> {
  var t = (target - c[0]) / SIMD8(repeating: c[1])
  var step = 0
  while step < 20 {
    var slope = t * (5 * c[5]) + 4 * c[4]
    slope = slope * t + 3 * c[3]
    slope = slope * t + 2 * c[2]
    slope = slope * t + c[1]
    t = t - (polynomial(t, c) - target) / slope
    step &+= 1
  }
  let residual = swl_abs_f64x8(polynomial(t, c) - target)
  let none = SIMD8<Double>(repeating: .nan)
  let solved = swl_select_f64x8(swl_less_f64x8(residual, SIMD8(repeating: 1e-9)), t, none)
  return swl_select_f64x8(swl_less_f64x8(solved, SIMD8(repeating: 0)), none, solved)
}

/// The distance from the centre, in focal lengths, at which a radial model images an angle.
@inline(__always)
func radialDistance(
  _ theta: SIMD8<Double>, _ k: UnsafePointer<Double>, _ kind: Int
) -> SIMD8<Double> {
  if kind == 1 { return kannalaBrandt(theta, k) }
  return kind == 2 ? polynomial(theta, k) : polynomialRoot(theta, k)
}

/// Pixels of points in the camera frame: `pixels[2 i]`, `[2 i + 1]` from `points[3 i...]`. Brown–
/// Conrady and pinhole (all coefficients 0) divide by z whatever its sign.
@inline(never)
public func projectBrownConrady(
  _ points: UnsafePointer<Double>, _ count: Int, _ camera: UnsafePointer<Double>,
  _ pixels: UnsafeMutablePointer<Double>
) {
  var index = 0
  while index < count {
    let lanes = count &- index < 8 ? count &- index : 8
    let point = points + 3 &* index
    let z = strided(point + 2, 3, lanes)
    let x = strided(point, 3, lanes) / z
    let y = strided(point + 1, 3, lanes) / z
    var planeX = x
    var planeY = y
    brownConrady(x, y, camera + 4, &planeX, &planeY)
    storeStrided(planeX * camera[0] + camera[2], pixels + 2 &* index, 2, lanes)
    storeStrided(planeY * camera[1] + camera[3], pixels + 2 &* index + 1, 2, lanes)
    index &+= 8
  }
}

/// As above for the radial models, points behind the image plane included.
@inline(never)
public func projectRadial(
  _ points: UnsafePointer<Double>, _ count: Int, _ camera: UnsafePointer<Double>, _ kind: Int,
  _ pixels: UnsafeMutablePointer<Double>
) {
  let zero = SIMD8<Double>(repeating: 0)
  var index = 0
  while index < count {
    let lanes = count &- index < 8 ? count &- index : 8
    let point = points + 3 &* index
    let x = strided(point, 3, lanes)
    let y = strided(point + 1, 3, lanes)
    let radius = swl_sqrt_f64x8(x * x + y * y)
    let theta = arcTangent(radius, strided(point + 2, 3, lanes))
    let distorted = radialDistance(theta, camera + 4, kind)
    let isAxis = swl_less_f64x8(zero, radius)
    let divisor = swl_select_f64x8(isAxis, radius, SIMD8(repeating: 1))
    let scale = distorted / divisor
    let u = swl_select_f64x8(isAxis, x * scale, zero)
    let v = swl_select_f64x8(isAxis, y * scale, zero)
    storeStrided(u * camera[0] + camera[2], pixels + 2 &* index, 2, lanes)
    storeStrided(v * camera[1] + camera[3], pixels + 2 &* index + 1, 2, lanes)
    index &+= 8
  }
}

/// One Newton step of the inverse of Brown–Conrady.
@inline(__always)
private func stepBrownConrady(
  _ x: inout SIMD8<Double>, _ y: inout SIMD8<Double>, _ targetX: SIMD8<Double>,
  _ targetY: SIMD8<Double>, _ k: UnsafePointer<Double>
) {
  var errorX = x
  var errorY = y
  brownConrady(x, y, k, &errorX, &errorY)
  errorX = errorX - targetX
  errorY = errorY - targetY
  let r2 = x * x + y * y
  let above = ((r2 * k[4] + k[1]) * r2 + k[0]) * r2 + 1
  let below = ((r2 * k[7] + k[6]) * r2 + k[5]) * r2 + 1
  let aboveSlope = (r2 * (3 * k[4]) + 2 * k[1]) * r2 + k[0]
  let belowSlope = (r2 * (3 * k[7]) + 2 * k[6]) * r2 + k[5]
  let radial = above / below
  let numerator = aboveSlope * below - above * belowSlope
  let slope = 2 * numerator / (below * below)
  let xx = radial + slope * x * x + y * (2 * k[2]) + x * (6 * k[3])
  let yy = radial + slope * y * y + y * (6 * k[2]) + x * (2 * k[3])
  let xy = slope * x * y + x * (2 * k[2]) + y * (2 * k[3])
  let determinant = xx * yy - xy * xy
  x = x - (yy * errorX - xy * errorY) / determinant
  y = y - (xx * errorY - xy * errorX) / determinant
}

/// Rays (x/z, y/z) of pixels by Newton's method, NaN where none is found.
@inline(never)
public func unprojectBrownConrady(
  _ pixels: UnsafePointer<Double>, _ count: Int, _ camera: UnsafePointer<Double>,
  _ rays: UnsafeMutablePointer<Double>
) {
  let k = camera + 4
  let tolerance = SIMD8<Double>(repeating: 1e-9)
  let none = SIMD8<Double>(repeating: .nan)
  var index = 0
  while index < count {
    let lanes = count &- index < 8 ? count &- index : 8
    let targetX = (strided(pixels + 2 &* index, 2, lanes) - camera[2]) / camera[0]
    let targetY = (strided(pixels + 2 &* index + 1, 2, lanes) - camera[3]) / camera[1]
    var x = targetX
    var y = targetY
    var step = 0
    while step < 20 {
      stepBrownConrady(&x, &y, targetX, targetY, k)
      step &+= 1
    }
    var backX = x
    var backY = y
    brownConrady(x, y, k, &backX, &backY)
    let isXSolved = swl_less_f64x8(swl_abs_f64x8(backX - targetX), tolerance)
    let isYSolved = swl_less_f64x8(swl_abs_f64x8(backY - targetY), tolerance)
    x = swl_select_f64x8(isXSolved, swl_select_f64x8(isYSolved, x, none), none)
    y = swl_select_f64x8(isXSolved, swl_select_f64x8(isYSolved, y, none), none)
    storeStrided(x, rays + 2 &* index, 2, lanes)
    storeStrided(y, rays + 2 &* index + 1, 2, lanes)
    index &+= 8
  }
}

/// The angle a radial model images at distance `target`; NaN where none is found.
@inline(__always)
private func angle(
  of target: SIMD8<Double>, _ k: UnsafePointer<Double>, _ kind: Int
) -> SIMD8<Double> {
  if kind == 2 { return polynomialRoot(target, k) }
  return kind == 3 ? polynomial(target, k) : kannalaBrandtAngle(target, k)
}

/// The angle whose Kannala–Brandt value is `target`, by Newton's method; NaN where none is found.
@inline(__always)
private func kannalaBrandtAngle(
  _ target: SIMD8<Double>, _ k: UnsafePointer<Double>
) -> SIMD8<Double> {
  let half = SIMD8<Double>(repeating: 3.14159265358979323846)
  var theta = swl_select_f64x8(swl_less_f64x8(target, half), target, half)
  var step = 0
  while step < 20 {
    let t2 = theta * theta
    var slope = t2 * (9 * k[3]) + 7 * k[2]
    slope = slope * t2 + 5 * k[1]
    slope = slope * t2 + 3 * k[0]
    slope = slope * t2 + 1
    theta = theta - (kannalaBrandt(theta, k) - target) / slope
    step &+= 1
  }
  let residual = swl_abs_f64x8(kannalaBrandt(theta, k) - target)
  let none = SIMD8<Double>(repeating: .nan)
  let solved = swl_select_f64x8(swl_less_f64x8(residual, SIMD8(repeating: 1e-9)), theta, none)
  return swl_select_f64x8(swl_less_f64x8(solved, SIMD8(repeating: 0)), none, solved)
}

/// Rays (x/z, y/z) of pixels for the radial models; NaN at 90° and beyond.
@inline(never)
public func unprojectRadial(
  _ pixels: UnsafePointer<Double>, _ count: Int, _ camera: UnsafePointer<Double>, _ kind: Int,
  _ rays: UnsafeMutablePointer<Double>
) {
  let zero = SIMD8<Double>(repeating: 0)
  let none = SIMD8<Double>(repeating: .nan)
  let right = SIMD8<Double>(repeating: 1.57079632679489661923)
  var index = 0
  while index < count {
    let lanes = count &- index < 8 ? count &- index : 8
    let x = (strided(pixels + 2 &* index, 2, lanes) - camera[2]) / camera[0]
    let y = (strided(pixels + 2 &* index + 1, 2, lanes) - camera[3]) / camera[1]
    let distance = swl_sqrt_f64x8(x * x + y * y)
    let theta = angle(of: distance, camera + 4, kind)
    let inFront = swl_less_f64x8(theta, right)
    let slope = swl_select_f64x8(inFront, tangent(swl_select_f64x8(inFront, theta, zero)), none)
    let isAxis = swl_less_f64x8(zero, distance)
    let scale = slope / swl_select_f64x8(isAxis, distance, SIMD8(repeating: 1))
    storeStrided(x * scale, rays + 2 &* index, 2, lanes)
    storeStrided(y * scale, rays + 2 &* index + 1, 2, lanes)
    index &+= 8
  }
}
