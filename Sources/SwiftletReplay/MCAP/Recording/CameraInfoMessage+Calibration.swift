import Swiftlet

extension CameraInfoMessage {
  /// What the camera's images are calibrated as.
  ///
  /// - Parameters:
  ///   - isRectified: the images are rectified: P and R describe them; else K and the distortion.
  ///   - egoFromFrame: the mount of the frame in the message's header.
  func calibration(
    isRectified: Bool, egoFromFrame: RigidTransform, sensor: String
  ) throws(CalibrationError) -> SensorCalibration {
    // Without P a rectified image can only be what K says.
    let usesP = isRectified && p.count == 12 && p[0] > 0
    guard usesP || k.count == 9 else {
      throw CalibrationError(
        sensor: sensor, expected: "K of 9 numbers", found: "\(k.count)",
        remedy: "calibrate the camera")
    }
    var mount = egoFromFrame
    var intrinsics =
      usesP
      ? CameraIntrinsics(
        focalX: p[0], focalY: p[5], centerX: p[2], centerY: p[6], widthPixels: width,
        heightPixels: height)
      : CameraIntrinsics(
        focalX: k[0], focalY: k[4], centerX: k[2], centerY: k[5], widthPixels: width,
        heightPixels: height)
    if usesP {
      mount = mount * rawFromRectified
    } else if !isRectified {
      intrinsics.lens = try lens(sensor)
    }
    applyRegion(to: &intrinsics)
    try intrinsics.validate(sensor: sensor)
    try mount.validate(sensor: sensor)
    return SensorCalibration(egoFromSensor: mount, intrinsics: intrinsics)
  }

  /// P = K' [I | t] looks from a rectified camera moved by −t; R turns raw axes to rectified ones.
  private var rawFromRectified: RigidTransform {
    let offset = SIMD3(p[3] / p[0], p[7] / p[5], p[11])
    let isTurned = r.count == 9 && r != [1, 0, 0, 0, 1, 0, 0, 0, 1] && r.contains { $0 != 0 }
    if !isTurned && offset == .zero { return .identity }
    let rotation =
      isTurned
      ? Matrix3(SIMD3(r[0], r[1], r[2]), SIMD3(r[3], r[4], r[5]), SIMD3(r[6], r[7], r[8]))
      : .identity
    return RigidTransform(rotation: rotation, translation: offset).inverse
  }

  private func lens(_ sensor: String) throws(CalibrationError) -> LensModel {
    guard distortion.contains(where: { $0 != 0 }) else { return .pinhole }
    switch distortionModel {
    case "plumb_bob", "rational_polynomial", "radtan", "":
      guard [4, 5, 8].contains(distortion.count) else { break }
      return .brownConrady(distortion)
    case "equidistant", "fisheye", "kannala_brandt":
      guard distortion.count == 4 else { break }
      return .kannalaBrandt(distortion)
    case "ftheta", "f-theta", "f_theta":
      // Distance in focal lengths (K's) by powers of the angle from c0 on.
      guard (2...6).contains(distortion.count) else { break }
      return .fTheta(distortion)
    case "ftheta_inverse":
      guard (2...6).contains(distortion.count) else { break }
      return .fThetaInverse(distortion)
    default: break
    }
    throw CalibrationError(
      sensor: sensor,
      expected: "plumb_bob (4, 5), rational_polynomial (8), equidistant (4) or ftheta (2 to 6 "
        + "coefficients)",
      found: "\(distortionModel) with \(distortion.count)",
      remedy: "rectify the images or convert the calibration")
  }

  /// Calibrations are of the whole sensor; images may be a part of it, or binned.
  private func applyRegion(to intrinsics: inout CameraIntrinsics) {
    let region = regionOfInterest.count == 4 ? regionOfInterest : [0, 0, 0, 0]
    if region[2] > 0, region[3] > 0 {
      intrinsics.centerX -= Double(region[0])
      intrinsics.centerY -= Double(region[1])
      intrinsics.heightPixels = region[2]
      intrinsics.widthPixels = region[3]
    }
    let (x, y) = (max(1, binningX), max(1, binningY))
    guard x > 1 || y > 1 else { return }
    // Pixel centres are whole numbers: a binned pixel's centre lies between those it covers.
    intrinsics.centerX = (intrinsics.centerX + 0.5) / Double(x) - 0.5
    intrinsics.centerY = (intrinsics.centerY + 0.5) / Double(y) - 0.5
    intrinsics.focalX /= Double(x)
    intrinsics.focalY /= Double(y)
    intrinsics.widthPixels /= x
    intrinsics.heightPixels /= y
  }
}
