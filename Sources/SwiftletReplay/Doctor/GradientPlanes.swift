/// How fast an image's colours change from left to right and from top to bottom, at about 700
/// pixels of width: larger images are averaged down first, which costs nothing where a quarter of a
/// degree is asked for.
struct GradientPlanes: Sendable {
  /// Pixels of the image that one pixel of the planes stands for, along either axis.
  let factor: Int
  let widthPixels: Int
  let heightPixels: Int
  /// Mean over the colours of the absolute central difference, [y][x].
  private(set) var across: [UInt8]
  private(set) var down: [UInt8]

  init(_ image: RGBImage, factor: Int) {
    let (width, height) = (image.widthPixels, image.heightPixels)
    self.factor = factor
    widthPixels = width
    heightPixels = height
    var acrossSums = [Float](repeating: 0, count: width * height)
    var downSums = acrossSums
    for channel in 0..<3 {
      let plane = Self.blurred(image, channel)
      guard width > 2, height > 2 else { continue }
      for y in 1..<(height - 1) {
        for place in (y * width + 1)..<(y * width + width - 1) {
          acrossSums[place] += abs(plane[place + 1] - plane[place - 1])
          downSums[place] += abs(plane[place + width] - plane[place - width])
        }
      }
    }
    across = acrossSums.map { UInt8(min(255, $0 / 3)) }
    down = downSums.map { UInt8(min(255, $0 / 3)) }
  }

  /// The image at 1/`factor` of its size, each pixel the mean of its square.
  static func reduced(_ image: RGBImage, by factor: Int) -> RGBImage {
    guard factor > 1 else { return image }
    let width = max(1, image.widthPixels / factor)
    let height = max(1, image.heightPixels / factor)
    var result = RGBImage(widthPixels: width, heightPixels: height)
    var sums = [Int](repeating: 0, count: 3 * width)
    for y in 0..<height {
      for index in sums.indices { sums[index] = 0 }
      for line in 0..<factor {
        let row = 3 * image.widthPixels * min(image.heightPixels - 1, y * factor + line)
        for x in 0..<min(width * factor, image.widthPixels) {
          for channel in 0..<3 {
            sums[3 * (x / factor) + channel] += Int(image.pixels[row + 3 * x + channel])
          }
        }
      }
      for index in sums.indices {
        result.pixels[3 * width * y + index] = UInt8(min(255, sums[index] / (factor * factor)))
      }
    }
    return result
  }

  /// A Gaussian of 0.8 pixels, cut at 2: below it, gradients are the compression's.
  private static let kernel: [Float] = [0.4992, 0.2285, 0.0219]

  private static func blurred(_ image: RGBImage, _ channel: Int) -> [Float] {
    let (width, height) = (image.widthPixels, image.heightPixels)
    var rows = [Float](repeating: 0, count: width * height)
    for y in 0..<height {
      for x in 0..<width {
        let place = y * width
        var sum = kernel[0] * Float(image.pixels[3 * (place + x) + channel])
        for step in 1...2 {
          let left = image.pixels[3 * (place + max(0, x - step)) + channel]
          let right = image.pixels[3 * (place + min(width - 1, x + step)) + channel]
          sum += kernel[step] * (Float(left) + Float(right))
        }
        rows[place + x] = sum
      }
    }
    var result = rows
    for y in 0..<height {
      for x in 0..<width {
        var sum = kernel[0] * rows[y * width + x]
        for step in 1...2 {
          sum += kernel[step]
            * (rows[max(0, y - step) * width + x] + rows[min(height - 1, y + step) * width + x])
        }
        result[y * width + x] = sum
      }
    }
    return result
  }

  /// The gradient at a place in the planes' pixels, bilinear, 0 outside.
  func value(_ kind: DepthEdges.Kind, _ x: Float, _ y: Float) -> Float {
    guard x >= 0, y >= 0, x < Float(widthPixels - 1), y < Float(heightPixels - 1) else { return 0 }
    let (left, top) = (Int(x), Int(y))
    let (fx, fy) = (x - Float(left), y - Float(top))
    let place = top * widthPixels + left
    let plane = kind == .side ? across : down
    let upper = Float(plane[place]) * (1 - fx) + Float(plane[place + 1]) * fx
    let lower =
      Float(plane[place + widthPixels]) * (1 - fx) + Float(plane[place + widthPixels + 1]) * fx
    return upper * (1 - fy) + lower * fy
  }
}
