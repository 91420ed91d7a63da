import CVectorShims

/// Adds `weight * source[...]` to one cell's channels, a remainder by partial vectors.
@inline(__always)
private func addScaled(
  _ source: UnsafePointer<Float>, _ weight: Float, _ channels: Int,
  _ output: UnsafeMutablePointer<Float>
) {
  let w = SIMD16<Float>(repeating: weight)
  var channel = 0
  while channel &+ 16 <= channels {
    let sum = swl_load_f32x16(output + channel)
    swl_store_f32x16(output + channel, swl_fma_f32x16(swl_load_f32x16(source + channel), w, sum))
    channel &+= 16
  }
  while channel < channels {
    output[channel] = swl_fma_f32(source[channel], weight, output[channel])
    channel &+= 1
  }
}

/// Warps slices `begin..<end` (z · height + y) of a [depth][height][width][channels] volume: cell
/// (x, y, z) reads trilinearly at the first three rows of `flow` (row-major 4×4) times
/// (x, y, z, 1), zero outside. Taps in the order x, y, z fastest to slowest.
@inline(never)
public func warpVolumeRows(
  _ source: UnsafePointer<Float>, _ depth: Int, _ height: Int, _ width: Int, _ channels: Int,
  _ flow: UnsafePointer<Double>, _ begin: Int, _ end: Int, _ output: UnsafeMutablePointer<Float>
) {
  var slice = begin
  while slice < end {
    let y = Double(slice % height)
    let z = Double(slice / height)
    var column = 0
    while column < width {
      let x = Double(column)
      let out = output + (slice &* width &+ column) &* channels
      var channel = 0
      while channel < channels {
        out[channel] = 0
        channel &+= 1
      }
      let sourceX = flow[0] * x + flow[1] * y + (flow[2] * z + flow[3])
      let sourceY = flow[4] * x + flow[5] * y + (flow[6] * z + flow[7])
      let sourceZ = flow[8] * x + flow[9] * y + (flow[10] * z + flow[11])
      addTrilinear(source, (depth, height, width), channels, sourceX, sourceY, sourceZ, out)
      column &+= 1
    }
    slice &+= 1
  }
}

@inline(__always)
private func addTrilinear(
  _ source: UnsafePointer<Float>, _ sizes: (Int, Int, Int), _ channels: Int, _ x: Double,
  _ y: Double, _ z: Double, _ output: UnsafeMutablePointer<Float>
) {
  if !(x > -1 && y > -1 && z > -1) { return }
  if !(x < Double(sizes.2) && y < Double(sizes.1) && z < Double(sizes.0)) { return }
  // One more than a position is positive, so truncation is floor.
  let column = Int(x + 1) &- 1
  let row = Int(y + 1) &- 1
  let slab = Int(z + 1) &- 1
  let fx = Float(x - Double(column))
  let fy = Float(y - Double(row))
  let fz = Float(z - Double(slab))
  var tap = 0
  while tap < 8 {
    let tapColumn = column &+ (tap & 1)
    let tapRow = row &+ ((tap &>> 1) & 1)
    let tapSlab = slab &+ (tap &>> 2)
    let wx = tap & 1 == 1 ? fx : 1 - fx
    let wy = (tap &>> 1) & 1 == 1 ? fy : 1 - fy
    let wz = tap &>> 2 == 1 ? fz : 1 - fz
    let weight = wx * wy * wz
    let isInside =
      tapColumn >= 0 && tapColumn < sizes.2 && tapRow >= 0 && tapRow < sizes.1 && tapSlab >= 0
      && tapSlab < sizes.0
    if isInside && weight != 0 {
      let cell = (tapSlab &* sizes.1 &+ tapRow) &* sizes.2 &+ tapColumn
      addScaled(source + cell &* channels, weight, channels, output)
    }
    tap &+= 1
  }
}

/// Half to even; |x| < 2^51.
@inline(__always)
private func roundedToEven(_ x: Double) -> Double {
  let shift = 6_755_399_441_055_744.0
  return (x + shift) - shift
}

/// Rotates rows `begin..<end` of a [height][width][channels] map about (centerX, centerY) by
/// nearest neighbour, half to even, zero outside: cell (column, row) reads
/// (cos x - sin y + centerX - 1/2, sin x + cos y + centerY - 1/2) with x = column + 1/2 - centerX.
@inline(never)
public func rotateRows(
  _ source: UnsafePointer<Float>, _ height: Int, _ width: Int, _ channels: Int, _ cosine: Double,
  _ sine: Double, _ centerX: Double, _ centerY: Double, _ begin: Int, _ end: Int,
  _ output: UnsafeMutablePointer<Float>
) {
  var row = begin
  while row < end {
    let y = Double(row) + 0.5 - centerY
    var column = 0
    while column < width {
      let x = Double(column) + 0.5 - centerX
      let fromX = roundedToEven(cosine * x - sine * y + centerX - 0.5)
      let fromY = roundedToEven(sine * x + cosine * y + centerY - 0.5)
      let out = output + (row &* width &+ column) &* channels
      let isInside =
        fromX >= 0 && fromY >= 0 && fromX < Double(width) && fromY < Double(height)
      if isInside {
        copyRow(source + (Int(fromY) &* width &+ Int(fromX)) &* channels, out, channels)
      } else {
        clearRow(out, channels)
      }
      column &+= 1
    }
    row &+= 1
  }
}

/// Copies `count` floats; a remainder overlaps its neighbour.
@inline(__always)
func copyRow(
  _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ count: Int
) {
  var index = 0
  while index &+ 16 <= count {
    swl_store_f32x16(target + index, swl_load_f32x16(source + index))
    index &+= 16
  }
  if index < count && count >= 16 {
    swl_store_f32x16(target + (count &- 16), swl_load_f32x16(source + (count &- 16)))
    return
  }
  while index < count {
    target[index] = source[index]
    index &+= 1
  }
}

@inline(__always)
func clearRow(_ target: UnsafeMutablePointer<Float>, _ count: Int) {
  var index = 0
  while index &+ 16 <= count {
    swl_store_f32x16(target + index, SIMD16(repeating: 0))
    index &+= 16
  }
  while index < count {
    target[index] = 0
    index &+= 1
  }
}
