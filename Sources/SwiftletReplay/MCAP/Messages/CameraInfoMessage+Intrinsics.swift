import Swiftlet

extension CameraInfoMessage {
  /// What ROS calls a calibration; the image is as the camera took it, nothing is rectified.
  init(header: MessageHeader, intrinsics k: CameraIntrinsics) {
    var (model, distortion) = ("plumb_bob", [Double](repeating: 0, count: 5))
    switch k.lens {
    case .pinhole: break
    case .brownConrady(let d): (model, distortion) = (d.count == 8 ? "rational_polynomial" : model, d)
    case .kannalaBrandt(let d): (model, distortion) = ("equidistant", d)
    case .fTheta(let d): (model, distortion) = ("ftheta", d)
    case .fThetaInverse(let d): (model, distortion) = ("ftheta_inverse", d)
    }
    self.init(
      header: header, height: k.heightPixels, width: k.widthPixels, distortionModel: model,
      distortion: distortion,
      k: [k.focalX, 0, k.centerX, 0, k.focalY, k.centerY, 0, 0, 1], r: [1, 0, 0, 0, 1, 0, 0, 0, 1],
      p: [k.focalX, 0, k.centerX, 0, 0, k.focalY, k.centerY, 0, 0, 0, 1, 0])
  }
}
