/// One row of feature cells of the built-in encoder.
///
/// Scalar on purpose: it stands in for a network that runs on an accelerator, is outside the
/// latency budget, and gives the same bits in every build because nothing here may be fused.
///
/// - Parameters:
///   - image: RGB bytes [y][x][3], rows `byteStride` apart.
///   - rawFromNetwork: six floats m00 m01 b0 m10 m11 b1: raw pixel = M · network pixel + b.
///   - cellRow: which row of 16×16-pixel cells.
///   - scratch: 18 · 3 · networkWidth floats.
///   - features: [cellColumn][channels] of this row; channels 0…15 are written, the rest zeroed.
@inline(never)
public func encodeImageRow(
  _ image: UnsafePointer<UInt8>, _ imageWidth: Int, _ imageHeight: Int, _ byteStride: Int,
  _ rawFromNetwork: UnsafePointer<Float>, _ networkWidth: Int, _ networkHeight: Int,
  _ cellRow: Int, _ channels: Int, _ scratch: UnsafeMutablePointer<Float>,
  _ features: UnsafeMutablePointer<Float>
) {
  let plane = 18 &* networkWidth
  var line = 0
  while line < 18 {
    let y = min(max(cellRow &* 16 &+ line &- 1, 0), networkHeight &- 1)
    sampleRow(
      image, imageWidth, imageHeight, byteStride, rawFromNetwork, networkWidth, y, plane,
      scratch + line &* networkWidth)
    line &+= 1
  }
  var cell = 0
  while cell < networkWidth / 16 {
    encodeCell(scratch, networkWidth, plane, cell, channels, features + cell &* channels)
    cell &+= 1
  }
}

/// Luma, blue and red difference of one network row, each about −1…1, in three planes.
@inline(__always)
private func sampleRow(
  _ image: UnsafePointer<UInt8>, _ width: Int, _ height: Int, _ byteStride: Int,
  _ map: UnsafePointer<Float>, _ networkWidth: Int, _ y: Int, _ plane: Int,
  _ output: UnsafeMutablePointer<Float>
) {
  var x = 0
  while x < networkWidth {
    let rawX = map[0] * Float(x) + map[1] * Float(y) + map[2]
    let rawY = map[3] * Float(x) + map[4] * Float(y) + map[5]
    // Clamped to the border: cells past the image's edge repeat it.
    let column = min(max(rawX, 0), Float(width &- 1))
    let row = min(max(rawY, 0), Float(height &- 1))
    let x0 = Int(column)
    let y0 = Int(row)
    let x1 = min(x0 &+ 1, width &- 1)
    let y1 = min(y0 &+ 1, height &- 1)
    let fx = column - Float(x0)
    let fy = row - Float(y0)
    var rgb = SIMD3<Float>.zero
    rgb += pixel(image, byteStride, x0, y0) * ((1 - fx) * (1 - fy))
    rgb += pixel(image, byteStride, x1, y0) * (fx * (1 - fy))
    rgb += pixel(image, byteStride, x0, y1) * ((1 - fx) * fy)
    rgb += pixel(image, byteStride, x1, y1) * (fx * fy)
    // ITU-R BT.601.
    let luma = 0.299 * rgb.x + 0.587 * rgb.y + 0.114 * rgb.z
    output[x] = luma * (1 / 127.5) - 1
    output[plane &+ x] = (rgb.z - luma) * (0.564 / 127.5)
    output[2 &* plane &+ x] = (rgb.x - luma) * (0.713 / 127.5)
    x &+= 1
  }
}

@inline(__always)
private func pixel(
  _ image: UnsafePointer<UInt8>, _ byteStride: Int, _ x: Int, _ y: Int
) -> SIMD3<Float> {
  let p = image + (y &* byteStride &+ x &* 3)
  return SIMD3(Float(p[0]), Float(p[1]), Float(p[2]))
}

/// Channels: 0 luma, 1 blue difference, 2 red difference (means), 3 the constant 1 (what pooling
/// turns into mass), 4 luma deviation, 5…12 gradient energy in eight orientations over half a turn,
/// 13…15 luma of the left, upper and upper-left halves against the mean.
@inline(__always)
private func encodeCell(
  _ planes: UnsafePointer<Float>, _ width: Int, _ plane: Int, _ cell: Int, _ channels: Int,
  _ output: UnsafeMutablePointer<Float>
) {
  var channel = 0
  while channel < channels {
    output[channel] = 0
    channel &+= 1
  }
  var sum = SIMD3<Float>.zero
  var squares: Float = 0
  var halves = SIMD3<Float>.zero
  var y = 0
  while y < 16 {
    var x = 0
    while x < 16 {
      let column = cell &* 16 &+ x
      let here = planes + ((y &+ 1) &* width &+ column)
      let luma = here[0]
      sum += SIMD3(luma, here[plane], here[2 &* plane])
      squares += luma * luma
      if x < 8 { halves.x += luma }
      if y < 8 { halves.y += luma }
      if (x < 8) == (y < 8) { halves.z += luma }
      let left = column > 0 ? -1 : 0
      let right = column < width &- 1 ? 1 : 0
      let gx = here[right] - here[left]
      let gy = here[width] - here[-width]
      output[5 &+ orientation(gx, gy)] += (gx * gx + gy * gy).squareRoot() * (1.0 / 256)
      x &+= 1
    }
    y &+= 1
  }
  let mean = sum * (1.0 / 256)
  output[0] = mean.x
  output[1] = mean.y
  output[2] = mean.z
  output[3] = 1
  output[4] = max(squares * (1.0 / 256) - mean.x * mean.x, 0).squareRoot()
  output[13] = halves.x * (1.0 / 128) - mean.x
  output[14] = halves.y * (1.0 / 128) - mean.x
  output[15] = halves.z * (1.0 / 128) - mean.x
}

/// Which of eight sectors of half a turn the gradient points into, by comparisons alone.
@inline(__always)
private func orientation(_ gx: Float, _ gy: Float) -> Int {
  // A gradient and its opposite are one orientation.
  let x = gy < 0 || (gy == 0 && gx < 0) ? -gx : gx
  let y = gy < 0 ? -gy : gy
  let tan22: Float = 0.41421357
  let tan67: Float = 2.4142135
  if x >= 0 {
    if y < tan22 * x { return 0 }
    if y < x { return 1 }
    return y < tan67 * x ? 2 : 3
  }
  if y > tan67 * -x { return 4 }
  if y > -x { return 5 }
  return y > tan22 * -x ? 6 : 7
}
