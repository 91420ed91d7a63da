/// How near every pixel is to a strong edge of an image: gradient strength spread outwards, falling
/// by half every `reach` pixels (the inverse distance transform of Levinson and Thrun, "Automatic
/// online calibration of cameras and lasers", 2013, with the city-block metric).
struct EdgeMap: Sendable {
  /// Which way brightness changes across an edge.
  enum Direction {
    /// From left to right: upright edges.
    case across
    /// From top to bottom: level edges.
    case down
  }

  let widthPixels: Int
  let heightPixels: Int
  /// 0...1, [y][x].
  private var strength: [Float]

  init(_ image: RGBImage, _ direction: Direction, reachPixels: Float) {
    widthPixels = image.widthPixels
    heightPixels = image.heightPixels
    strength = Self.gradient(image, direction)
    spread(decay: Float(0.5).power(1 / max(0.5, reachPixels)))
  }

  /// The strength at a pixel, bilinear; nil outside.
  func value(_ x: Double, _ y: Double) -> Float? {
    guard x >= 0, y >= 0, x < Double(widthPixels - 1), y < Double(heightPixels - 1) else {
      return nil
    }
    let left = Int(x)
    let top = Int(y)
    let fx = Float(x - Double(left))
    let fy = Float(y - Double(top))
    let place = top * widthPixels + left
    let upper = strength[place] * (1 - fx) + strength[place + 1] * fx
    let lower =
      strength[place + widthPixels] * (1 - fx) + strength[place + widthPixels + 1] * fx
    return upper * (1 - fy) + lower * fy
  }

  /// The mean strength and its deviation over the image.
  var distribution: (mean: Double, deviation: Double) {
    var sum = 0.0
    var squares = 0.0
    for value in strength {
      sum += Double(value)
      squares += Double(value * value)
    }
    let mean = sum / Double(max(1, strength.count))
    return (mean, max(1e-9, squares / Double(max(1, strength.count)) - mean * mean).squareRoot())
  }

  /// Central differences of all three colours; saturated, so that a white line on black does not
  /// outweigh a hundred usual edges.
  private static func gradient(_ image: RGBImage, _ direction: Direction) -> [Float] {
    let width = image.widthPixels
    let step = direction == .across ? 1 : width
    var result = [Float](repeating: 0, count: width * image.heightPixels)
    guard width > 2, image.heightPixels > 2 else { return result }
    for y in 1..<(image.heightPixels - 1) {
      for x in 1..<(width - 1) {
        let place = y * width + x
        var sum: Float = 0
        for channel in 0..<3 {
          let after = Float(image.pixels[3 * (place + step) + channel])
          let before = Float(image.pixels[3 * (place - step) + channel])
          sum += abs(after - before)
        }
        result[place] = min(1, max(0, sum - 24) / 150)
      }
    }
    return result
  }

  /// Two passes of the distance transform, forth and back.
  private mutating func spread(decay: Float) {
    let width = widthPixels
    for place in strength.indices {
      let x = place % width
      if x > 0 { strength[place] = max(strength[place], strength[place - 1] * decay) }
      if place >= width { strength[place] = max(strength[place], strength[place - width] * decay) }
    }
    for place in strength.indices.reversed() {
      let x = place % width
      if x + 1 < width { strength[place] = max(strength[place], strength[place + 1] * decay) }
      if place + width < strength.count {
        strength[place] = max(strength[place], strength[place + width] * decay)
      }
    }
  }
}

extension Float {
  /// This positive value to a power in 0...2, from square roots: the same on every platform.
  fileprivate func power(_ exponent: Float) -> Float {
    var result: Float = exponent >= 1 ? self : 1
    var rest = exponent >= 1 ? exponent - 1 : exponent
    var root = self
    for _ in 0..<16 {
      root = root.squareRoot()
      rest *= 2
      if rest >= 1 {
        result *= root
        rest -= 1
      }
    }
    return result
  }
}
