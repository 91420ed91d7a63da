import Swiftlet

/// What the built-in encoder sees of a camera image where a recording has no network outputs:
/// BEVDet's test-time preparation, the width resized to 704, the bottom rows kept.
enum NetworkImage {
  static let widthPixels = 704
  static let maximumHeightPixels = 256
  /// The encoder's stride; network sizes are multiples of it.
  static let sizeMultiple = 16

  /// p' = r·p − (0, top), r = 704 / width, top = ⌊height·r⌋ − network height.
  static func preparation(
    imageWidth: Int, imageHeight: Int
  ) -> (augmentation: ImageAugmentation, width: Int, height: Int) {
    let scale = Double(widthPixels) / Double(imageWidth)
    let resizedHeight = imageHeight * widthPixels / imageWidth
    let height = max(
      sizeMultiple, min(maximumHeightPixels, resizedHeight / sizeMultiple * sizeMultiple))
    let top = Double(max(0, resizedHeight - height))
    let augmentation = ImageAugmentation(a00: scale, a01: 0, a10: 0, a11: scale, tx: 0, ty: -top)
    return (augmentation, widthPixels, height)
  }
}
