/// How rays become pixels.
public enum LensModel: Sendable, Equatable {
  case pinhole
  /// Brown–Conrady in OpenCV's order k1 k2 p1 p2 k3 (k4 k5 k6): 4, 5 or 8 coefficients.
  case brownConrady([Double])
  /// Equidistant fisheye (Kannala–Brandt): k1…k4 of θ(1 + k1θ² + k2θ⁴ + k3θ⁶ + k4θ⁸).
  case kannalaBrandt([Double])
  /// f-theta by its forward polynomial: distance from the centre = c0 + c1θ + … + c5θ⁵, in focal
  /// lengths, θ the angle to the axis in radians. See `CameraIntrinsics.fTheta`.
  case fTheta([Double])
  /// f-theta by its inverse polynomial: θ = c0 + c1ρ + … + c5ρ⁵ of the distance ρ in focal lengths.
  case fThetaInverse([Double])
}

extension LensModel {
  /// k1 k2 …, or c0 c1 …; empty for a pinhole.
  public var coefficients: [Double] {
    switch self {
    case .pinhole: []
    case .brownConrady(let k), .kannalaBrandt(let k), .fTheta(let k), .fThetaInverse(let k): k
    }
  }

  /// A typed error unless the coefficients are finite and as many as the model takes; an f-theta
  /// polynomial must pass through 0 and rise there.
  func validate(sensor: String) throws(CalibrationError) {
    let counts: ClosedRange<Int> =
      switch self {
      case .pinhole: 0...0
      case .brownConrady: 0...8
      case .kannalaBrandt: 0...4
      case .fTheta, .fThetaInverse: 2...6
      }
    let values = coefficients
    guard counts.contains(values.count), values.allSatisfy(\.isFinite) else {
      throw CalibrationError(
        sensor: sensor, expected: "\(counts.lowerBound) to \(counts.upperBound) finite coefficients",
        found: "\(values.count) coefficients: \(values)", remedy: "calibrate the lens again")
    }
    guard kernelKind < 2 || (values[0] == 0 && values[1] > 0) else {
      throw CalibrationError(
        sensor: sensor, expected: "an f-theta polynomial c0 = 0, c1 > 0",
        found: "c0 = \(values[0]), c1 = \(values[1])",
        remedy: "move the principal point to the polynomial's zero")
    }
  }
}

/// The inside of a camera: x right, y down, z forward; pixel centres on integer coordinates.
public struct CameraIntrinsics: Sendable, Equatable {
  public var focalX: Double
  public var focalY: Double
  public var centerX: Double
  public var centerY: Double
  public var lens: LensModel
  /// Size of the images this calibration is for.
  public var widthPixels: Int
  public var heightPixels: Int

  public init(
    focalX: Double, focalY: Double, centerX: Double, centerY: Double,
    lens: LensModel = .pinhole, widthPixels: Int, heightPixels: Int
  ) {
    self.focalX = focalX
    self.focalY = focalY
    self.centerX = centerX
    self.centerY = centerY
    self.lens = lens
    self.widthPixels = widthPixels
    self.heightPixels = heightPixels
  }

  /// K, row-major, without the lens's distortion.
  public var matrix: Matrix3 {
    Matrix3(SIMD3(focalX, 0, centerX), SIMD3(0, focalY, centerY), SIMD3(0, 0, 1))
  }

  /// A typed error unless the focal lengths and sizes describe a camera.
  public func validate(sensor: String) throws(CalibrationError) {
    guard focalX.isFinite, focalY.isFinite, focalX > 0, focalY > 0 else {
      throw CalibrationError(
        sensor: sensor, expected: "focal lengths above 0 pixels", found: "\(focalX), \(focalY)",
        remedy: "calibrate again or leave the camera out")
    }
    guard centerX.isFinite, centerY.isFinite else {
      throw CalibrationError(
        sensor: sensor, expected: "a finite principal point", found: "\(centerX), \(centerY)",
        remedy: "calibrate again or leave the camera out")
    }
    guard widthPixels > 0, heightPixels > 0 else {
      throw CalibrationError(
        sensor: sensor, expected: "an image size above 0",
        found: "\(widthPixels)×\(heightPixels)", remedy: "give the size the calibration is for")
    }
    try lens.validate(sensor: sensor)
  }
}

extension CameraIntrinsics {
  /// An f-theta camera as its makers write it: distance from the principal point in pixels
  /// = p0 + p1θ + … + p5θ⁵ (θ in radians). The focal length becomes p1, the scale at the axis.
  public static func fTheta(
    angleToPixels p: [Double], centerX: Double, centerY: Double, widthPixels: Int,
    heightPixels: Int
  ) -> CameraIntrinsics {
    let focal = p.count > 1 ? p[1] : .nan
    return CameraIntrinsics(
      focalX: focal, focalY: focal, centerX: centerX, centerY: centerY,
      lens: .fTheta(p.map { $0 / focal }), widthPixels: widthPixels, heightPixels: heightPixels)
  }
  /// The same by the inverse polynomial: θ = p0 + p1 r + … + p5 r⁵ of the distance r in pixels.
  public static func fTheta(
    pixelsToAngle p: [Double], centerX: Double, centerY: Double, widthPixels: Int,
    heightPixels: Int
  ) -> CameraIntrinsics {
    let focal = p.count > 1 ? 1 / p[1] : .nan
    var scale = 1.0
    var coefficients: [Double] = []
    for value in p {
      coefficients.append(value * scale)
      scale *= focal
    }
    return CameraIntrinsics(
      focalX: focal, focalY: focal, centerX: centerX, centerY: centerY,
      lens: .fThetaInverse(coefficients), widthPixels: widthPixels, heightPixels: heightPixels)
  }
}

/// What was done to an image before the network saw it: p' = A p + t in pixels (section 2.2 of
/// BEVDet's conventions: no half-pixel terms).
public struct ImageAugmentation: Sendable, Equatable {
  /// A, row-major 2×2.
  public var a00, a01, a10, a11: Double
  /// t, pixels.
  public var tx, ty: Double

  public init(a00: Double, a01: Double, a10: Double, a11: Double, tx: Double, ty: Double) {
    self.a00 = a00
    self.a01 = a01
    self.a10 = a10
    self.a11 = a11
    self.tx = tx
    self.ty = ty
  }
  public static let identity = ImageAugmentation(a00: 1, a01: 0, a10: 0, a11: 1, tx: 0, ty: 0)
}
