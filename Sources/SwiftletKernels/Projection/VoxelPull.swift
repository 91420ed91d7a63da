import CVectorShims

/// Half to even; |x| < 2^51.
@inline(__always)
private func roundedToEven(_ x: Double) -> Double {
  let shift = 6_755_399_441_055_744.0
  return (x + shift) - shift
}
/// Half away from zero.
@inline(__always)
private func roundedAway(_ x: Double) -> Double {
  x < 0 ? -((-x) + 0.5).rounded(.down) : (x + 0.5).rounded(.down)
}

/// Fast-BEV's look-up of one camera for voxels with x in `begin..<end`, [x][y][z] order: the token
/// `firstToken + row * width + column` of the pixel round(x/z), round(y/z), or -1 where it lies
/// outside the map or behind the camera. `geometry` holds the 3×4 projection row-major, then the
/// lower corner of voxel 0 and the voxel size, three each.
@inline(never)
public func nearestPixels(
  _ geometry: UnsafePointer<Double>, _ sizeY: Int, _ sizeZ: Int, _ width: Int, _ height: Int,
  _ firstToken: Int, _ roundsAway: Bool, _ begin: Int, _ end: Int,
  _ indices: UnsafeMutablePointer<Int32>
) {
  var voxel = begin &* sizeY &* sizeZ
  let stop = end &* sizeY &* sizeZ
  while voxel < stop {
    let column = voxel / (sizeY &* sizeZ)
    let row = voxel / sizeZ % sizeY
    let x = geometry[12] + Double(column) * geometry[15]
    let y = geometry[13] + Double(row) * geometry[16]
    let z = geometry[14] + Double(voxel % sizeZ) * geometry[17]
    let depth = geometry[8] * x + geometry[9] * y + geometry[10] * z + geometry[11]
    let u = (geometry[0] * x + geometry[1] * y + geometry[2] * z + geometry[3]) / depth
    let v = (geometry[4] * x + geometry[5] * y + geometry[6] * z + geometry[7]) / depth
    var index: Int32 = -1
    // Far positions are dropped before rounding, which holds for moderate numbers only.
    if depth > 0 && u > -1 && v > -1 && u < Double(width) && v < Double(height) {
      let pixelX = roundsAway ? roundedAway(u) : roundedToEven(u)
      let pixelY = roundsAway ? roundedAway(v) : roundedToEven(v)
      if pixelX >= 0 && pixelY >= 0 && pixelX < Double(width) && pixelY < Double(height) {
        index = Int32(firstToken &+ Int(pixelY) &* width &+ Int(pixelX))
      }
    }
    indices[voxel] = index
    voxel &+= 1
  }
}

/// One look-up from those of `cameras` cameras, `stride` apart: the first valid one or, with
/// `takesLast`, the last. Cameras outside the bit set `valid` are passed over.
@inline(never)
public func resolveOverlap(
  _ tables: UnsafePointer<Int32>, _ cameras: Int, _ stride: Int, _ valid: UInt16,
  _ takesLast: Bool, _ begin: Int, _ end: Int, _ resolved: UnsafeMutablePointer<Int32>
) {
  var voxel = begin
  while voxel < end {
    var result: Int32 = -1
    var camera = 0
    while camera < cameras {
      let index = tables[camera &* stride &+ voxel]
      let isValid = index >= 0 && (valid &>> UInt16(camera)) & 1 == 1
      if isValid && (takesLast || result < 0) { result = index }
      camera &+= 1
    }
    resolved[voxel] = result
    voxel &+= 1
  }
}

/// Copies the feature row of every voxel in `begin..<end`, zero where its index is negative. With
/// `streams` whole cache lines bypass the caches: `output` and `channels` must be multiples of 16
/// floats.
@inline(never)
public func pullRows(
  _ indices: UnsafePointer<Int32>, _ begin: Int, _ end: Int, _ features: UnsafePointer<Float>,
  _ channels: Int, _ output: UnsafeMutablePointer<Float>, _ streams: Bool
) {
  if streams { return streamRows(indices, begin, end, features, channels, output) }
  var voxel = begin
  while voxel < end {
    let index = indices[voxel]
    let out = output + voxel &* channels
    if index >= 0 {
      copyRow(features + Int(index) &* channels, out, channels)
    } else {
      clearRow(out, channels)
    }
    voxel &+= 1
  }
}

@inline(never)
func streamRows(
  _ indices: UnsafePointer<Int32>, _ begin: Int, _ end: Int, _ features: UnsafePointer<Float>,
  _ channels: Int, _ output: UnsafeMutablePointer<Float>
) {
  let zero = SIMD16<Float>(repeating: 0)
  var out = output + begin &* channels
  var voxel = begin
  while voxel < end {
    let index = Int(indices[voxel])
    let row = features + (index < 0 ? 0 : index) &* channels
    var channel = 0
    while channel < channels {
      let value = swl_load_f32x16(row + channel)
      swl_stream_f32x16(out + channel, index < 0 ? zero : value)
      channel &+= 16
    }
    out += channels
    voxel &+= 1
  }
  swl_stream_fence()
}

/// The mean of every valid camera's feature row; `counts` receives how many there were.
@inline(never)
public func pullMeanRows(
  _ tables: UnsafePointer<Int32>, _ cameras: Int, _ stride: Int, _ valid: UInt16, _ begin: Int,
  _ end: Int, _ features: UnsafePointer<Float>, _ channels: Int,
  _ output: UnsafeMutablePointer<Float>, _ counts: UnsafeMutablePointer<Int32>
) {
  var voxel = begin
  while voxel < end {
    let out = output + voxel &* channels
    clearRow(out, channels)
    var count: Int32 = 0
    var camera = 0
    while camera < cameras {
      let index = tables[camera &* stride &+ voxel]
      if index >= 0 && (valid &>> UInt16(camera)) & 1 == 1 {
        addRow(features + Int(index) &* channels, out, channels)
        count &+= 1
      }
      camera &+= 1
    }
    counts[voxel] = count
    if count > 1 { divideRow(out, Float(count), channels) }
    voxel &+= 1
  }
}

@inline(__always)
private func addRow(
  _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ count: Int
) {
  var index = 0
  while index &+ 16 <= count {
    let sum = swl_load_f32x16(target + index) + swl_load_f32x16(source + index)
    swl_store_f32x16(target + index, sum)
    index &+= 16
  }
  while index < count {
    target[index] = target[index] + source[index]
    index &+= 1
  }
}

@inline(__always)
private func divideRow(
  _ target: UnsafeMutablePointer<Float>, _ divisor: Float, _ count: Int
) {
  var index = 0
  while index &+ 16 <= count {
    let quotient = swl_load_f32x16(target + index) / SIMD16<Float>(repeating: divisor)
    swl_store_f32x16(target + index, quotient)
    index &+= 16
  }
  while index < count {
    target[index] = target[index] / divisor
    index &+= 1
  }
}

/// SimpleBEV's bilinear mean for voxels `begin..<end` in [z][y][x] order. `cameras` cameras of 29
/// doubles each: pixel from reference (rows 0…2 of 4×4, 12 values), camera from reference (row 2, 4
/// values), first token, width and height, padding; `lattice` holds the centre of voxel 0 and the
/// voxel size. Bit c of `valid` admits camera c.
///
/// A sample of exactly 0 does not count in its channel's mean, as in the published code.
@inline(never)
public func pullBilinearMean(
  _ cameraData: UnsafePointer<Double>, _ cameras: Int, _ valid: UInt16,
  _ lattice: UnsafePointer<Double>, _ sizeY: Int, _ sizeX: Int, _ begin: Int, _ end: Int,
  _ features: UnsafePointer<Float>, _ channels: Int, _ counts: UnsafeMutablePointer<Int32>,
  _ sums: UnsafeMutablePointer<Float>, _ output: UnsafeMutablePointer<Float>
) {
  var voxel = begin
  while voxel < end {
    let x = lattice[0] + Double(voxel % sizeX) * lattice[3]
    let y = lattice[1] + Double(voxel / sizeX % sizeY) * lattice[4]
    let z = lattice[2] + Double(voxel / (sizeX &* sizeY)) * lattice[5]
    let out = output + voxel &* channels
    clearRow(out, channels)
    clearRow(sums, channels)
    var count: Int32 = 0
    var camera = 0
    while camera < cameras {
      let data = cameraData + 32 &* camera
      if (valid &>> UInt16(camera)) & 1 == 1 {
        count &+= addBilinear(data, x, y, z, features, channels, sums, out)
      }
      camera &+= 1
    }
    counts[voxel] = count
    finishMean(sums, channels, out)
    voxel &+= 1
  }
}

/// Adds one camera's sample to `out` and its non-zero test to `sums`; 1 where the camera is valid.
/// Never inlined: forced inlining of a body this long leaves a weak copy behind.
@inline(never)
func addBilinear(
  _ data: UnsafePointer<Double>, _ x: Double, _ y: Double, _ z: Double,
  _ features: UnsafePointer<Float>, _ channels: Int, _ sums: UnsafeMutablePointer<Float>,
  _ out: UnsafeMutablePointer<Float>
) -> Int32 {
  let depth = data[8] * x + data[9] * y + data[10] * z + data[11]
  let divisor = depth > 1e-6 ? depth : 1e-6
  let u = (data[0] * x + data[1] * y + data[2] * z + data[3]) / divisor
  let v = (data[4] * x + data[5] * y + data[6] * z + data[7]) / divisor
  let distance = data[12] * x + data[13] * y + data[14] * z + data[15]
  let width = data[17]
  let height = data[18]
  if !(u > -0.5 && v > -0.5 && u < width - 0.5 && v < height - 0.5 && distance > 0) { return 0 }
  let column = mismatched(u, width)
  let row = mismatched(v, height)
  if !(column > -1 && row > -1 && column < width && row < height) { return 1 }
  let x0 = Int(column + 1) &- 1
  let y0 = Int(row + 1) &- 1
  let fx = Float(column - Double(x0))
  let fy = Float(row - Double(y0))
  let columns = Int(width)
  let hasLeft = x0 >= 0
  let hasRight = x0 &+ 1 < columns
  let hasUp = y0 >= 0
  let hasDown = y0 &+ 1 < Int(height)
  let base = features + (Int(data[16]) &+ y0 &* columns &+ x0) &* channels
  let down = columns &* channels
  let w0 = hasLeft && hasUp ? (1 - fx) * (1 - fy) : 0
  let w1 = hasRight && hasUp ? fx * (1 - fy) : 0
  let w2 = hasLeft && hasDown ? (1 - fx) * fy : 0
  let w3 = hasRight && hasDown ? fx * fy : 0
  var channel = 0
  while channel < channels {
    let lanes = Int64(channels &- channel < 16 ? channels &- channel : 16)
    let p = base + channel
    var value = SIMD16<Float>(repeating: 0)
    if w0 != 0 { value = swl_load_f32x16_partial(p, lanes) * w0 }
    if w1 != 0 {
      let tap = swl_load_f32x16_partial(p + channels, lanes)
      value = swl_fma_f32x16(tap, SIMD16(repeating: w1), value)
    }
    if w2 != 0 {
      let tap = swl_load_f32x16_partial(p + down, lanes)
      value = swl_fma_f32x16(tap, SIMD16(repeating: w2), value)
    }
    if w3 != 0 {
      let tap = swl_load_f32x16_partial(p + down + channels, lanes)
      value = swl_fma_f32x16(tap, SIMD16(repeating: w3), value)
    }
    let magnitude = swl_abs_f32x16(value)
    let zero = SIMD16<Float>(repeating: 0)
    let isSeen = swl_less_f32x16(zero, magnitude)
    let seen = swl_select_f32x16(isSeen, SIMD16(repeating: 1), zero)
    let total = swl_load_f32x16_partial(out + channel, lanes) + value
    let number = swl_load_f32x16_partial(sums + channel, lanes) + seen
    swl_store_f32x16_partial(out + channel, total, lanes)
    swl_store_f32x16_partial(sums + channel, number, lanes)
    channel &+= 16
  }
  return 1
}

/// Where a grid normalised by (size - 1) is read by a sampler that does not align corners.
@inline(__always)
private func mismatched(_ pixel: Double, _ size: Double) -> Double {
  var g = 2 * pixel / (size - 1) - 1
  g = g < -2 ? -2 : (g > 2 ? 2 : g)
  return ((g + 1) * size - 1) * 0.5
}

/// Divides by the number of non-zero samples, plus the published epsilon.
@inline(__always)
private func finishMean(
  _ sums: UnsafeMutablePointer<Float>, _ channels: Int, _ out: UnsafeMutablePointer<Float>
) {
  var channel = 0
  while channel < channels {
    let lanes = Int64(channels &- channel < 16 ? channels &- channel : 16)
    let number = swl_load_f32x16_partial(sums + channel, lanes) + 1e-6
    let mean = swl_load_f32x16_partial(out + channel, lanes) / number
    swl_store_f32x16_partial(out + channel, mean, lanes)
    channel &+= 16
  }
}
