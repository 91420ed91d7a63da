#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension GroundWarp {
  /// The pixel of a cell's centre, (-1, ·) where the camera does not see it.
  func pixelReference(_ camera: GroundCamera, _ column: Int, _ row: Int) -> SIMD2<Double> {
    let x = lowerMeters.x + (Double(column) + 0.5) * stepMeters.x
    let y = lowerMeters.y + (Double(row) + 0.5) * stepMeters.y
    let z = plane.slopeX * x + plane.slopeY * y + plane.heightMeters
    let point = camera.egoFromCamera.inverse * SIMD3(x, y, z)
    let side = (point.x * point.x + point.y * point.y).squareRoot()
    let radius = camera.intrinsics.lens.isRadial ? atan2(side, point.z) : side / point.z
    let pixel = camera.intrinsics.pixel(of: point)
    let isSeen =
      point.z > camera.nearMeters && radius <= camera.limit && pixel.x >= 0 && pixel.y >= 0
      && pixel.x <= Double(camera.intrinsics.widthPixels - 1)
      && pixel.y <= Double(camera.intrinsics.heightPixels - 1)
    return isSeen ? pixel : SIMD2(-1, pixel.y)
  }

  /// The (weighted) mean over the cameras that see a cell of the bilinear sample.
  func warpReference(_ frames: [ImageView?]) {
    for cell in 0..<(width * height) {
      var sum = SIMD3<Float>.zero
      var count: Int32 = 0
      var total: Float = 0
      for camera in cameras.indices {
        let position = camera * width * height + cell
        guard let image = frames[camera], pixelsU[position] >= 0 else { continue }
        let weight = weight(camera, pixelsU[position], pixelsV[position])
        sum += weight * sample(image, pixelsU[position], pixelsV[position])
        total += weight
        count += 1
      }
      let mean = count == 0 ? .zero : sum / total
      for channel in 0..<3 { colors[3 * cell + channel] = mean[channel] }
      counts[cell] = count
    }
  }

  private func sample(_ image: ImageView, _ u: Double, _ v: Double) -> SIMD3<Float> {
    var sum = SIMD3<Float>.zero
    for tap in 0..<4 {
      let x = Int(u.rounded(.down)) + (tap & 1)
      let y = Int(v.rounded(.down)) + (tap >> 1)
      let weightX: Double = 1 - abs(u - Double(x))
      let weightY: Double = 1 - abs(v - Double(y))
      let weight = Float(weightX * weightY)
      if weight == 0 || x >= image.widthPixels || y >= image.heightPixels { continue }
      for channel in 0..<3 {
        let byte = unsafe image.baseAddress[y * image.byteStride + 3 * x + channel]
        sum[channel] += weight * Float(byte)
      }
    }
    return sum
  }
}

extension LensModel {
  /// The largest undistorted radius (pinhole, Brown–Conrady: x/z, up to 5) or angle (fisheye, up to
  /// 110°) below which the radial polynomial grows, so that no far point folds back into the image.
  public var monotonicLimit: Double {
    let (end, steps) = isRadial ? (1.92, 1920) : (5.0, 5000)
    var last = 0.0
    for step in 1...steps {
      let radius = end * Double(step) / Double(steps)
      let value = radialValue(radius)
      if !(value > last) { return end * Double(step - 1) / Double(steps) }
      last = value
    }
    return end
  }

  /// The distorted radius of an undistorted radius or angle, tangential terms left out.
  private func radialValue(_ radius: Double) -> Double {
    switch self {
    case .pinhole: return radius
    case .brownConrady(let coefficients):
      let radial = coefficients.enumerated().map { $0.offset == 2 || $0.offset == 3 ? 0 : $0.element }
      return Self.brownConrady(SIMD2(radius, 0), radial).x
    case .kannalaBrandt, .fTheta, .fThetaInverse: return radialDistance(radius)
    }
  }
}
