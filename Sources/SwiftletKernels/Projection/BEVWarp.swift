import CVectorShims

/// The bilinear cell at a source position: the upper-left tap and the four weights, those of taps
/// outside the map 0 (zero padding drops every tap on its own).
@inline(__always)
private func taps(
  _ x: Double, _ y: Double, _ width: Int, _ height: Int, _ column: inout Int, _ row: inout Int
) -> SIMD4<Float> {
  // Beyond one cell outside nothing contributes; the comparison also drops NaN.
  if !(x > -1 && y > -1 && x < Double(width) && y < Double(height)) { return .zero }
  // x + 1 is positive, so truncation is floor.
  column = Int(x + 1) &- 1
  row = Int(y + 1) &- 1
  let right = Float(x - Double(column))
  let down = Float(y - Double(row))
  let left = 1 - right
  let up = 1 - down
  var weights = SIMD4<Float>(left * up, right * up, left * down, right * down)
  if column < 0 { weights[0] = 0; weights[2] = 0 }
  if column &+ 1 >= width { weights[1] = 0; weights[3] = 0 }
  if row < 0 { weights[0] = 0; weights[1] = 0 }
  if row &+ 1 >= height { weights[2] = 0; weights[3] = 0 }
  return weights
}

/// One vector of channels: the four taps in the order upper left, upper right, lower left, lower
/// right. A tap of weight 0 is never read, so NaN outside the map cannot leak in.
@inline(__always)
private func blend(
  _ source: UnsafePointer<Float>, _ weights: SIMD4<Float>, _ right: Int, _ down: Int
) -> SIMD16<Float> {
  var sum = SIMD16<Float>(repeating: 0)
  if weights[0] != 0 { sum = swl_load_f32x16(source) * weights[0] }
  if weights[1] != 0 {
    sum = swl_fma_f32x16(swl_load_f32x16(source + right), SIMD16(repeating: weights[1]), sum)
  }
  if weights[2] != 0 {
    sum = swl_fma_f32x16(swl_load_f32x16(source + down), SIMD16(repeating: weights[2]), sum)
  }
  if weights[3] != 0 {
    sum = swl_fma_f32x16(swl_load_f32x16(source + down + right), SIMD16(repeating: weights[3]), sum)
  }
  return sum
}

@inline(__always)
private func blendPartial(
  _ source: UnsafePointer<Float>, _ weights: SIMD4<Float>, _ right: Int, _ down: Int, _ count: Int64
) -> SIMD16<Float> {
  var sum = SIMD16<Float>(repeating: 0)
  if weights[0] != 0 { sum = swl_load_f32x16_partial(source, count) * weights[0] }
  if weights[1] != 0 {
    let value = swl_load_f32x16_partial(source + right, count)
    sum = swl_fma_f32x16(value, SIMD16(repeating: weights[1]), sum)
  }
  if weights[2] != 0 {
    let value = swl_load_f32x16_partial(source + down, count)
    sum = swl_fma_f32x16(value, SIMD16(repeating: weights[2]), sum)
  }
  if weights[3] != 0 {
    let value = swl_load_f32x16_partial(source + down + right, count)
    sum = swl_fma_f32x16(value, SIMD16(repeating: weights[3]), sum)
  }
  return sum
}

/// Warps rows `begin..<end` of a [height][width][channels] map: cell (x, y) reads bilinearly at
/// (m0 x + m1 y + m2, m3 x + m4 y + m5) with zero padding. `transform` holds m0…m5.
///
/// A remainder of channels is covered by a vector that overlaps its neighbour (same bits).
@inline(never)
public func warpRows(
  _ source: UnsafePointer<Float>, _ width: Int, _ height: Int, _ channels: Int,
  _ transform: UnsafePointer<Double>, _ begin: Int, _ end: Int,
  _ output: UnsafeMutablePointer<Float>
) {
  let zero = SIMD16<Float>(repeating: 0)
  let down = width &* channels
  var row = begin
  while row < end {
    let startX = transform[1] * Double(row) + transform[2]
    let startY = transform[4] * Double(row) + transform[5]
    var out = output + row &* down
    var column = 0
    while column < width {
      var tapColumn = 0
      var tapRow = 0
      let weights = taps(
        transform[0] * Double(column) + startX, transform[3] * Double(column) + startY, width,
        height, &tapColumn, &tapRow)
      let base = source + (tapRow &* width &+ tapColumn) &* channels
      let isInside = weights != .zero
      var channel = 0
      while channel &+ 16 <= channels {
        let value = isInside ? blend(base + channel, weights, channels, down) : zero
        swl_store_f32x16(out + channel, value)
        channel &+= 16
      }
      if channel < channels && channels >= 16 {
        channel = channels &- 16
        let value = isInside ? blend(base + channel, weights, channels, down) : zero
        swl_store_f32x16(out + channel, value)
      } else if channel < channels {
        let value = blendPartial(base, weights, channels, down, Int64(channels))
        swl_store_f32x16_partial(out, value, Int64(channels))
      }
      out += channels
      column &+= 1
    }
    row &+= 1
  }
}

/// Warps rows `begin..<end` of a validity map: 1 where every tap of non-zero weight lies inside the
/// map and is valid, else 0. Every cell of `source` is valid when it is nil.
@inline(never)
public func warpValidityRows(
  _ source: UnsafePointer<UInt8>?, _ width: Int, _ height: Int, _ transform: UnsafePointer<Double>,
  _ begin: Int, _ end: Int, _ output: UnsafeMutablePointer<UInt8>
) {
  var row = begin
  while row < end {
    let startX = transform[1] * Double(row) + transform[2]
    let startY = transform[4] * Double(row) + transform[5]
    var column = 0
    while column < width {
      let x = transform[0] * Double(column) + startX
      let y = transform[3] * Double(column) + startY
      output[row &* width &+ column] = allTapsValid(source, x, y, width, height)
      column &+= 1
    }
    row &+= 1
  }
}

@inline(__always)
private func allTapsValid(
  _ source: UnsafePointer<UInt8>?, _ x: Double, _ y: Double, _ width: Int, _ height: Int
) -> UInt8 {
  let x = snapped(x)
  let y = snapped(y)
  if !(x >= 0 && y >= 0 && x <= Double(width &- 1) && y <= Double(height &- 1)) { return 0 }
  guard let source else { return 1 }
  let column = Int(x)
  let row = Int(y)
  let right = x == Double(column) ? 0 : 1
  let down = y == Double(row) ? 0 : 1
  let base = source + (row &* width &+ column)
  var valid = base[0] & base[right]
  valid &= base[down &* width] & base[down &* width &+ right]
  return valid == 0 ? 0 : 1
}

/// A position within 2^-16 of a cell is that cell: a tap of such a weight, which rounding of a
/// whole-cell shift leaves behind, must not cost a cell its validity.
@inline(__always)
private func snapped(_ position: Double) -> Double {
  let whole = position.rounded(.toNearestOrEven)
  return abs(position - whole) < 0x1p-16 ? whole : position
}
