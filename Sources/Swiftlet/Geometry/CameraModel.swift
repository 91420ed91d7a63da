#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension LensModel {
  /// The distorted image-plane point (pixel before focal length and centre) of a point in the
  /// camera frame (x right, y down, z forward).
  ///
  /// Pinhole and Brown–Conrady divide by z: a point at z = 0 gives infinity or NaN, one behind the
  /// camera its mirrored image, so check z first. Kannala–Brandt and f-theta cover points behind the
  /// image plane: θ = atan2(√(x² + y²), z).
  public func distorted(_ point: SIMD3<Double>) -> SIMD2<Double> {
    switch self {
    case .pinhole:
      return SIMD2(point.x / point.z, point.y / point.z)
    case .brownConrady(let k):
      return Self.brownConrady(SIMD2(point.x / point.z, point.y / point.z), k)
    case .kannalaBrandt, .fTheta, .fThetaInverse:
      let radius = (point.x * point.x + point.y * point.y).squareRoot()
      if radius == 0 { return .zero }
      let scale = radialDistance(atan2(radius, point.z)) / radius
      return SIMD2(point.x * scale, point.y * scale)
    }
  }

  /// The distance from the image's centre, in focal lengths, of an angle to the axis (radians).
  func radialDistance(_ angle: Double) -> Double {
    switch self {
    case .pinhole, .brownConrady: tan(angle)
    case .kannalaBrandt(let k): Self.kannalaBrandt(angle, k)
    case .fTheta(let c): Self.polynomial(angle, c)
    case .fThetaInverse(let c): Self.polynomialRoot(angle, c)
    }
  }
  /// The angle to the axis imaged at a distance from the centre; NaN where there is none.
  private func angle(_ distance: Double) -> Double {
    switch self {
    case .pinhole, .brownConrady: atan(distance)
    case .kannalaBrandt(let k): Self.undistortKannalaBrandt(distance, k)
    case .fTheta(let c): Self.polynomialRoot(distance, c)
    case .fThetaInverse(let c): Self.polynomial(distance, c)
    }
  }

  /// The ray (x/z, y/z) whose distorted image-plane point is `target`, by Newton's method. NaN where
  /// none is found (beyond the polynomial's monotonic range) and, for Kannala–Brandt and f-theta, at
  /// 90° and beyond, where no such ratio exists.
  public func undistorted(_ target: SIMD2<Double>) -> SIMD2<Double> {
    switch self {
    case .pinhole: return target
    case .brownConrady(let k): return Self.undistortBrownConrady(target, k)
    case .kannalaBrandt, .fTheta, .fThetaInverse:
      let distance = (target.x * target.x + target.y * target.y).squareRoot()
      if distance == 0 { return .zero }
      let angle = angle(distance)
      if !(angle < .pi / 2) { return SIMD2(.nan, .nan) }
      let scale = tan(angle) / distance
      return SIMD2(target.x * scale, target.y * scale)
    }
  }

  /// Coefficient `index`, 0 where a shorter model leaves it out.
  @inline(__always)
  static func coefficient(_ k: [Double], _ index: Int) -> Double { index < k.count ? k[index] : 0 }

  /// OpenCV's order k1 k2 p1 p2 k3 k4 k5 k6: radial (1 + k1 r² + k2 r⁴ + k3 r⁶) /
  /// (1 + k4 r² + k5 r⁴ + k6 r⁶), tangential (2 p1 x y + p2 (r² + 2x²), p1 (r² + 2y²) + 2 p2 x y).
  static func brownConrady(_ p: SIMD2<Double>, _ k: [Double]) -> SIMD2<Double> {
    let r2 = p.x * p.x + p.y * p.y
    let above = 1 + r2 * (coefficient(k, 0) + r2 * (coefficient(k, 1) + r2 * coefficient(k, 4)))
    let below = 1 + r2 * (coefficient(k, 5) + r2 * (coefficient(k, 6) + r2 * coefficient(k, 7)))
    let radial = above / below
    let p1 = coefficient(k, 2)
    let p2 = coefficient(k, 3)
    return SIMD2(
      p.x * radial + 2 * p1 * p.x * p.y + p2 * (r2 + 2 * p.x * p.x),
      p.y * radial + p1 * (r2 + 2 * p.y * p.y) + 2 * p2 * p.x * p.y)
  }

  /// Newton in two dimensions with the analytic Jacobian. Twenty steps reach rounding wherever the
  /// model is monotonic; the residual decides.
  static func undistortBrownConrady(_ target: SIMD2<Double>, _ k: [Double]) -> SIMD2<Double> {
    var p = target
    for _ in 0..<20 {
      let error = brownConrady(p, k) - target
      let j = brownConradyJacobian(p, k)
      let determinant = j.xx * j.yy - j.xy * j.xy
      let step = SIMD2(
        (j.yy * error.x - j.xy * error.y) / determinant,
        (j.xx * error.y - j.xy * error.x) / determinant)
      p -= step
      if step == .zero { break }
    }
    let residual = brownConrady(p, k) - target
    let isSolved = abs(residual.x) < 1e-9 && abs(residual.y) < 1e-9
    return isSolved ? p : SIMD2(.nan, .nan)
  }

  /// The derivative of `brownConrady`, a symmetric matrix.
  private static func brownConradyJacobian(
    _ p: SIMD2<Double>, _ k: [Double]
  ) -> (xx: Double, xy: Double, yy: Double) {
    let r2 = p.x * p.x + p.y * p.y
    let k1 = coefficient(k, 0)
    let k2 = coefficient(k, 1)
    let k3 = coefficient(k, 4)
    let above = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    let below =
      1 + r2 * (coefficient(k, 5) + r2 * (coefficient(k, 6) + r2 * coefficient(k, 7)))
    let aboveSlope = k1 + r2 * (2 * k2 + r2 * 3 * k3)
    let belowSlope =
      coefficient(k, 5) + r2 * (2 * coefficient(k, 6) + r2 * 3 * coefficient(k, 7))
    let radial = above / below
    // d radial / d r², doubled for dr²/dx = 2x.
    let slope = 2 * (aboveSlope * below - above * belowSlope) / (below * below)
    let p1 = coefficient(k, 2)
    let p2 = coefficient(k, 3)
    return (
      radial + slope * p.x * p.x + 2 * p1 * p.y + 6 * p2 * p.x,
      slope * p.x * p.y + 2 * p1 * p.x + 2 * p2 * p.y,
      radial + slope * p.y * p.y + 6 * p1 * p.y + 2 * p2 * p.x
    )
  }

  /// c0 + c1 t + … + c5 t⁵.
  static func polynomial(_ t: Double, _ c: [Double]) -> Double {
    var value = 0.0
    for index in stride(from: 5, through: 0, by: -1) { value = value * t + coefficient(c, index) }
    return value
  }

  /// The t from 0 on with polynomial(t) = `target`, by Newton's method; NaN where none is found.
  static func polynomialRoot(_ target: Double, _ c: [Double]) -> Double {
    var t = (target - coefficient(c, 0)) / coefficient(c, 1)
    for _ in 0..<20 {
      var slope = 0.0
      for index in stride(from: 5, through: 1, by: -1) {
        slope = slope * t + Double(index) * coefficient(c, index)
      }
      t -= (polynomial(t, c) - target) / slope
    }
    return abs(polynomial(t, c) - target) < 1e-9 && t >= 0 ? t : .nan
  }

  /// θ(1 + k1θ² + k2θ⁴ + k3θ⁶ + k4θ⁸).
  static func kannalaBrandt(_ theta: Double, _ k: [Double]) -> Double {
    let t2 = theta * theta
    let series =
      t2
      * (coefficient(k, 0)
        + t2 * (coefficient(k, 1) + t2 * (coefficient(k, 2) + t2 * coefficient(k, 3))))
    return theta * (1 + series)
  }

  /// The angle whose distorted value is `target`; NaN when Newton's method does not get there.
  static func undistortKannalaBrandt(_ target: Double, _ k: [Double]) -> Double {
    var theta = min(target, .pi)
    for _ in 0..<20 {
      let t2 = theta * theta
      let slope =
        1 + t2
        * (3 * coefficient(k, 0)
          + t2
          * (5 * coefficient(k, 1)
            + t2 * (7 * coefficient(k, 2) + t2 * 9 * coefficient(k, 3))))
      let step = (kannalaBrandt(theta, k) - target) / slope
      theta -= step
      if step == 0 { break }
    }
    let isSolved = abs(kannalaBrandt(theta, k) - target) < 1e-9 && theta >= 0
    return isSolved ? theta : .nan
  }
}

extension CameraIntrinsics {
  /// The pixel of a point in the camera frame (see `LensModel.distorted` for its limits).
  public func pixel(of point: SIMD3<Double>) -> SIMD2<Double> {
    let plane = lens.distorted(point)
    return SIMD2(focalX * plane.x + centerX, focalY * plane.y + centerY)
  }

  /// The ray (x/z, y/z) seen by `pixel`; NaN where there is none.
  public func ray(of pixel: SIMD2<Double>) -> SIMD2<Double> {
    lens.undistorted(SIMD2((pixel.x - centerX) / focalX, (pixel.y - centerY) / focalY))
  }
}
