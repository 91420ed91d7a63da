extension CameraIntrinsics {
  /// Pixels of points in the camera frame, x y z each to u v each. As `pixel(of:)`, by `engine`.
  /// For setup and tools: allocates its result.
  public func pixels(of points: [Double], engine: Engine) -> [Double] {
    precondition(points.count % 3 == 0, "\(points.count) values are no points of 3")
    let count = points.count / 3
    switch engine {
    case .reference:
      var pixels: [Double] = []
      for index in 0..<count {
        let result = pixel(of: SIMD3(points[3 * index], points[3 * index + 1], points[3 * index + 2]))
        pixels.append(result.x)
        pixels.append(result.y)
      }
      return pixels
    case .simd(let set):
      let parameters = kernelParameters
      return unsafe filled(2 * count) { output in
        if lens.kernelKind > 0 {
          unsafe ProjectionKernels.projectRadial(
            set, points, count, parameters, lens.kernelKind, output)
        } else {
          unsafe ProjectionKernels.projectBrownConrady(set, points, count, parameters, output)
        }
      }
    }
  }

  /// Rays (x/z, y/z) of pixels, u v each. As `ray(of:)`, by `engine`. For setup and tools:
  /// allocates its result.
  public func rays(of pixels: [Double], engine: Engine) -> [Double] {
    precondition(pixels.count % 2 == 0, "\(pixels.count) values are no pixels of 2")
    let count = pixels.count / 2
    switch engine {
    case .reference:
      var rays: [Double] = []
      for index in 0..<count {
        let result = ray(of: SIMD2(pixels[2 * index], pixels[2 * index + 1]))
        rays.append(result.x)
        rays.append(result.y)
      }
      return rays
    case .simd(let set):
      let parameters = kernelParameters
      return unsafe filled(2 * count) { output in
        if lens.kernelKind > 0 {
          unsafe ProjectionKernels.unprojectRadial(
            set, pixels, count, parameters, lens.kernelKind, output)
        } else {
          unsafe ProjectionKernels.unprojectBrownConrady(set, pixels, count, parameters, output)
        }
      }
    }
  }

  /// Focal lengths, centre and eight coefficients, as the kernels take them.
  var kernelParameters: [Double] {
    let coefficients =
      switch lens {
      case .pinhole: [Double]()
      case .brownConrady(let k), .kannalaBrandt(let k): Array(k.prefix(8))
      case .fTheta(let k), .fThetaInverse(let k): Array(k.prefix(6))
      }
    let padding = [Double](repeating: 0, count: 8 - coefficients.count)
    return [focalX, focalY, centerX, centerY] + coefficients + padding
  }
}

extension LensModel {
  /// True where the distance from the image's centre is a function of the angle to the axis alone
  /// and rays behind the image plane may have a pixel.
  var isRadial: Bool { kernelKind > 0 }
  /// How the kernels number the models: 0 divides by z, the others are radial.
  var kernelKind: Int {
    switch self {
    case .pinhole, .brownConrady: 0
    case .kannalaBrandt: 1
    case .fTheta: 2
    case .fThetaInverse: 3
    }
  }
}

/// An array of `count` values written by `body`.
func filled<Value: BitwiseCopyable & Numeric>(
  _ count: Int, _ body: (UnsafeMutablePointer<Value>) -> Void
) -> [Value] {
  let buffer = AlignedBuffer<Value>(count: count)
  unsafe body(buffer.pointer)
  return buffer.array
}
