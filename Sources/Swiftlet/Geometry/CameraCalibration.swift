/// How rays become pixels.
public enum LensModel: Sendable, Equatable {
  case pinhole
  /// Brown–Conrady in OpenCV's order k1 k2 p1 p2 k3 (k4 k5 k6): 4, 5 or 8 coefficients.
  case brownConrady([Double])
  /// Equidistant fisheye (Kannala–Brandt): k1…k4 of θ(1 + k1θ² + k2θ⁴ + k3θ⁶ + k4θ⁸).
  case kannalaBrandt([Double])
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
