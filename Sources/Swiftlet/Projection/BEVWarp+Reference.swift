extension BEVWarp {
  /// Four taps per cell, each dropped on its own when it lies outside the map.
  @unsafe
  func warpReference(
    _ source: UnsafePointer<Float>, _ valid: UnsafePointer<UInt8>?, _ transform: BEVPixelTransform
  ) {
    for row in 0..<height {
      for column in 0..<width {
        let x = transform.xx * Double(column) + (transform.xy * Double(row) + transform.x0)
        let y = transform.yx * Double(column) + (transform.yy * Double(row) + transform.y0)
        let cell = row * width + column
        for channel in 0..<channels {
          output[cell * channels + channel] = unsafe sampleReference(source, x, y, channel)
        }
        validity[cell] = unsafe isValidReference(valid, x, y) ? 1 : 0
      }
    }
  }

  @unsafe
  private func sampleReference(
    _ source: UnsafePointer<Float>, _ x: Double, _ y: Double, _ channel: Int
  ) -> Float {
    var sum: Float = 0
    forEachTap(x, y) { column, row, weight in
      if isInside(column, row) && weight != 0 {
        unsafe sum += source[(row * width + column) * channels + channel] * weight
      }
    }
    return sum
  }

  @unsafe
  private func isValidReference(_ valid: UnsafePointer<UInt8>?, _ x: Double, _ y: Double) -> Bool {
    var isValid = x.isFinite && y.isFinite && abs(x) < 1e9 && abs(y) < 1e9
    // Within 2^-16 of a cell is that cell.
    func snapped(_ v: Double) -> Double {
      let whole = v.rounded(.toNearestOrEven)
      return abs(v - whole) < 0x1p-16 ? whole : v
    }
    forEachTap(snapped(x), snapped(y)) { column, row, weight in
      if weight == 0 { return }
      if !isInside(column, row) {
        isValid = false
      } else if let valid = unsafe valid, unsafe valid[row * width + column] == 0 {
        isValid = false
      }
    }
    return isValid
  }

  private func isInside(_ column: Int, _ row: Int) -> Bool {
    column >= 0 && column < width && row >= 0 && row < height
  }

  /// Upper left, upper right, lower left, lower right; nothing for positions that are not finite
  /// or absurdly far away.
  private func forEachTap(_ x: Double, _ y: Double, _ body: (Int, Int, Float) -> Void) {
    guard x.isFinite, y.isFinite, abs(x) < 1e9, abs(y) < 1e9 else { return }
    let column = Int(x.rounded(.down))
    let row = Int(y.rounded(.down))
    let right = Float(x - Double(column))
    let down = Float(y - Double(row))
    body(column, row, (1 - right) * (1 - down))
    body(column + 1, row, right * (1 - down))
    body(column, row + 1, (1 - right) * down)
    body(column + 1, row + 1, right * down)
  }
}
