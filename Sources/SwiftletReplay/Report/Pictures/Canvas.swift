/// A picture being drawn: x to the right, y down, pixel (0, 0) in the upper left corner. Whatever
/// lies outside the picture is cut off.
public struct Canvas: Sendable {
  public private(set) var image: RGBImage
  public var widthPixels: Int { image.widthPixels }
  public var heightPixels: Int { image.heightPixels }

  public init(widthPixels: Int, heightPixels: Int, color: PictureColor = .black) {
    image = RGBImage(widthPixels: widthPixels, heightPixels: heightPixels)
    fillRectangle(x: 0, y: 0, width: widthPixels, height: heightPixels, color: color)
  }
  public init(_ image: RGBImage) { self.image = image }

  public func color(x: Int, y: Int) -> PictureColor {
    precondition(
      (0..<widthPixels).contains(x) && (0..<heightPixels).contains(y),
      "pixel (\(x), \(y)) of a \(widthPixels)×\(heightPixels) picture")
    let place = 3 * (y * widthPixels + x)
    return PictureColor(image.pixels[place], image.pixels[place + 1], image.pixels[place + 2])
  }

  /// Sets a pixel, or mixes the colour in with `alpha` in 0...1.
  public mutating func set(x: Int, y: Int, _ color: PictureColor, alpha: Float = 1) {
    guard x >= 0, y >= 0, x < widthPixels, y < heightPixels else { return }
    let place = 3 * (y * widthPixels + x)
    if alpha >= 1 {
      image.pixels[place] = color.red
      image.pixels[place + 1] = color.green
      image.pixels[place + 2] = color.blue
    } else {
      image.pixels[place] = mix(image.pixels[place], color.red, alpha)
      image.pixels[place + 1] = mix(image.pixels[place + 1], color.green, alpha)
      image.pixels[place + 2] = mix(image.pixels[place + 2], color.blue, alpha)
    }
  }
  private func mix(_ below: UInt8, _ above: UInt8, _ alpha: Float) -> UInt8 {
    UInt8(max(0, min(255, Float(below) + (Float(above) - Float(below)) * alpha + 0.5)))
  }

  public mutating func fillRectangle(
    x: Int, y: Int, width: Int, height: Int, color: PictureColor, alpha: Float = 1
  ) {
    let left = max(0, x)
    let right = min(widthPixels, x + width)
    let top = max(0, y)
    let bottom = min(heightPixels, y + height)
    guard left < right, top < bottom else { return }
    for row in top..<bottom {
      for column in left..<right { set(x: column, y: row, color, alpha: alpha) }
    }
  }

  /// A line of the given width in pixels, ends included.
  public mutating func line(
    from a: SIMD2<Float>, to b: SIMD2<Float>, color: PictureColor, width: Int = 1,
    alpha: Float = 1
  ) {
    guard a.x.isFinite, a.y.isFinite, b.x.isFinite, b.y.isFinite else { return }
    let reach = b - a
    let steps = Int(min(20_000, max(abs(reach.x), abs(reach.y)).rounded(.up)))
    var last: SIMD2<Int>?
    for step in 0...max(1, steps) {
      let point = a + reach * (Float(step) / Float(max(1, steps)))
      guard abs(point.x) < 1e6, abs(point.y) < 1e6 else { continue }
      let pixel = SIMD2(Int(point.x.rounded(.down)), Int(point.y.rounded(.down)))
      if pixel == last { continue }
      last = pixel
      fillRectangle(
        x: pixel.x - (width - 1) / 2, y: pixel.y - (width - 1) / 2, width: width, height: width,
        color: color, alpha: alpha)
    }
  }

  public mutating func fillCircle(
    center: SIMD2<Float>, radius: Float, color: PictureColor, alpha: Float = 1
  ) {
    guard center.x.isFinite, center.y.isFinite, abs(center.x) < 1e6, abs(center.y) < 1e6 else {
      return
    }
    for y in Int((center.y - radius).rounded(.down))...Int((center.y + radius).rounded(.up)) {
      for x in Int((center.x - radius).rounded(.down))...Int((center.x + radius).rounded(.up)) {
        let d = SIMD2(Float(x) + 0.5, Float(y) + 0.5) - center
        if (d * d).sum() <= radius * radius { set(x: x, y: y, color, alpha: alpha) }
      }
    }
  }

  /// The outline of a circle.
  public mutating func circle(
    center: SIMD2<Float>, radius: Float, color: PictureColor, alpha: Float = 1
  ) {
    guard radius > 0, radius < 1e5 else { return }
    // Octant by octant (midpoint rule), so that a half-transparent ring mixes each pixel in once.
    let cx = Int(center.x.rounded(.down))
    let cy = Int(center.y.rounded(.down))
    var x = Int(radius.rounded())
    var y = 0
    var error = 1 - x
    while x >= y {
      for (dx, dy) in Set([[x, y], [y, x], [-y, x], [-x, y], [-x, -y], [-y, -x], [y, -x], [x, -y]])
        .map({ ($0[0], $0[1]) })
      {
        set(x: cx + dx, y: cy + dy, color, alpha: alpha)
      }
      y += 1
      if error <= 0 {
        error += 2 * y + 1
      } else {
        x -= 1
        error += 2 * (y - x) + 1
      }
    }
  }

  /// A filled convex polygon: every pixel whose centre lies inside.
  public mutating func fillConvexPolygon(
    _ corners: [SIMD2<Float>], color: PictureColor, alpha: Float = 1
  ) {
    guard corners.count >= 3, corners.allSatisfy({ $0.x.isFinite && $0.y.isFinite }) else {
      return
    }
    let top = max(0, corners.map(\.y).min() ?? 0)
    let bottom = min(Float(heightPixels), corners.map(\.y).max() ?? 0)
    guard top < bottom else { return }
    for row in Int(top)...min(heightPixels - 1, Int(bottom)) {
      let y = Float(row) + 0.5
      var left = Float.infinity
      var right = -Float.infinity
      for (index, a) in corners.enumerated() {
        let b = corners[(index + 1) % corners.count]
        guard (a.y <= y) != (b.y <= y) else { continue }
        let x = a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y)
        left = min(left, x)
        right = max(right, x)
      }
      guard left < right else { continue }
      let first = Int(max(0, (left - 0.5).rounded(.up)))
      let last = Int(min(Float(widthPixels), (right - 0.5).rounded(.up)))
      guard first < last else { continue }
      for column in first..<last { set(x: column, y: row, color, alpha: alpha) }
    }
  }

  /// Draws another picture scaled to `width` × `height`: averaged where it shrinks, nearest pixels
  /// where it grows.
  public mutating func draw(_ other: RGBImage, x: Int, y: Int, width: Int, height: Int) {
    let stepX = Double(other.widthPixels) / Double(width)
    let stepY = Double(other.heightPixels) / Double(height)
    for row in 0..<height {
      let top = Int(Double(row) * stepY)
      let bottom = max(top + 1, Int(Double(row + 1) * stepY))
      for column in 0..<width {
        let left = Int(Double(column) * stepX)
        let right = max(left + 1, Int(Double(column + 1) * stepX))
        set(
          x: x + column, y: y + row,
          other.average(
            x: left..<min(right, other.widthPixels), y: top..<min(bottom, other.heightPixels)))
      }
    }
  }
}

extension RGBImage {
  fileprivate func average(x: Range<Int>, y: Range<Int>) -> PictureColor {
    var sum = SIMD3<Int>(0, 0, 0)
    for row in y {
      for column in x {
        let place = 3 * (row * widthPixels + column)
        sum &+= SIMD3(Int(pixels[place]), Int(pixels[place + 1]), Int(pixels[place + 2]))
      }
    }
    let count = max(1, x.count * y.count)
    return PictureColor(UInt8(sum.x / count), UInt8(sum.y / count), UInt8(sum.z / count))
  }
}
