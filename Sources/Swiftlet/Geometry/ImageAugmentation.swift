#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension ImageAugmentation {
  /// p' = A p + t.
  public func applied(to pixel: SIMD2<Double>) -> SIMD2<Double> {
    SIMD2(a00 * pixel.x + a01 * pixel.y + tx, a10 * pixel.x + a11 * pixel.y + ty)
  }

  /// The way back from network pixels to raw pixels; infinite or NaN where A is singular.
  public var inverse: ImageAugmentation {
    let scale = 1 / (a00 * a11 - a01 * a10)
    let b00 = a11 * scale
    let b01 = -a01 * scale
    let b10 = -a10 * scale
    let b11 = a00 * scale
    return ImageAugmentation(
      a00: b00, a01: b01, a10: b10, a11: b11, tx: -(b00 * tx + b01 * ty),
      ty: -(b10 * tx + b11 * ty))
  }

  /// Image size after a resize: both sizes multiplied.
  public func resized(by factor: Double) -> ImageAugmentation {
    ImageAugmentation(
      a00: a00 * factor, a01: a01 * factor, a10: a10 * factor, a11: a11 * factor,
      tx: tx * factor, ty: ty * factor)
  }

  /// The crop that starts at (left, top).
  public func cropped(left: Double, top: Double) -> ImageAugmentation {
    var result = self
    result.tx -= left
    result.ty -= top
    return result
  }

  /// A mirror image of the given width, about `width` and not width - 1, as BEVDet does it.
  public func flippedHorizontally(width: Double) -> ImageAugmentation {
    ImageAugmentation(a00: -a00, a01: -a01, a10: a10, a11: a11, tx: width - tx, ty: ty)
  }

  /// A turn by `degrees` about the centre (width / 2, height / 2): R = [[cos, sin], [-sin, cos]].
  public func rotated(
    degrees: Double, width: Double, height: Double
  ) -> ImageAugmentation {
    let angle = degrees * .pi / 180
    let c = cos(angle)
    let s = sin(angle)
    let x = tx - width / 2
    let y = ty - height / 2
    return ImageAugmentation(
      a00: c * a00 + s * a10, a01: c * a01 + s * a11, a10: c * a10 - s * a00,
      a11: c * a11 - s * a01, tx: c * x + s * y + width / 2, ty: c * y - s * x + height / 2)
  }

  /// The chain of the LSS family: resize, crop to width × height at (left, top), flip, rotate. No
  /// half-pixel terms, although the image itself is resized with them: networks are trained so.
  public static func resizeCropFlipRotate(
    resize: Double, left: Double, top: Double, width: Double, height: Double, flip: Bool = false,
    rotateDegrees: Double = 0
  ) -> ImageAugmentation {
    let cropped = ImageAugmentation.identity.resized(by: resize).cropped(left: left, top: top)
    let flipped = flip ? cropped.flippedHorizontally(width: width) : cropped
    return flipped.rotated(degrees: rotateDegrees, width: width, height: height)
  }
}

extension ImageAugmentation {
  /// A typed error unless this can be inverted.
  public func validate(sensor: String) throws(CalibrationError) {
    let determinant = a00 * a11 - a01 * a10
    guard determinant.isFinite, determinant != 0, tx.isFinite, ty.isFinite else {
      throw CalibrationError(
        sensor: sensor, expected: "an invertible image augmentation",
        found: "determinant \(determinant), shift \(tx), \(ty)",
        remedy: "give the matrices the images were made with")
    }
  }
}

extension ImageAugmentation {
  /// `resizeCropFlipRotate` for many images by `engine`: seven settings each (resize, left, top,
  /// width, height, flip 0 or 1, rotation in degrees). Allocates its result.
  public static func batch(_ settings: [Double], engine: Engine) -> [ImageAugmentation] {
    precondition(settings.count % 7 == 0, "\(settings.count) values are no settings of 7")
    let count = settings.count / 7
    switch engine {
    case .reference:
      return (0..<count).map { index in
        let s = Array(settings[(7 * index)..<(7 * index + 7)])
        return resizeCropFlipRotate(
          resize: s[0], left: s[1], top: s[2], width: s[3], height: s[4], flip: s[5] != 0,
          rotateDegrees: s[6])
      }
    case .simd(let set):
      let values: [Double] = unsafe filled(6 * count) { output in
        unsafe ProjectionKernels.augmentationMatrices(set, settings, count, output)
      }
      return (0..<count).map { index in
        let v = Array(values[(6 * index)..<(6 * index + 6)])
        return ImageAugmentation(a00: v[0], a01: v[1], a10: v[2], a11: v[3], tx: v[4], ty: v[5])
      }
    }
  }
}
