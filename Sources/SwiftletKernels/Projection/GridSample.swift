import CVectorShims

/// One axis of grid_sample for sixteen points: the pixel position of a coordinate in -1...1,
/// clamped just outside the map so that any input (NaN too) converts to an integer.
@inline(__always)
private func pixel(
  _ g: SIMD16<Float>, _ size: Int, _ alignCorners: Bool
) -> SIMD16<Float> {
  let extent = Float(size)
  let position =
    alignCorners ? (g + 1) * 0.5 * (extent - 1) : ((g + 1) * extent - 1) * 0.5
  let low = SIMD16<Float>(repeating: -2)
  return swl_min_f32x16(swl_max_f32x16(position, low), SIMD16(repeating: extent + 1))
}

/// Half to even by adding 1.5 · 2^23: exact for the clamped positions, no libm call anywhere.
@inline(__always)
private func roundedToEven(_ x: SIMD16<Float>) -> SIMD16<Float> {
  let shift = SIMD16<Float>(repeating: 12_582_912)
  return (x + shift) - shift
}

/// All ones where 0 ≤ index < size.
@inline(__always)
private func inside(_ index: SIMD16<Int32>, _ size: Int) -> SIMD16<Int32> {
  let above = swl_greater_i32x16(index, SIMD16(repeating: -1))
  return swl_and_i32x16(above, swl_greater_i32x16(SIMD16(repeating: Int32(size)), index))
}

/// Adds one tap to every channel: `output[c] += weight * map[c][z, y, x]` where the tap is inside.
@inline(__always)
private func addTap(
  _ map: UnsafePointer<Float>, _ sizes: (Int, Int, Int), _ channels: Int, _ x: SIMD16<Int32>,
  _ y: SIMD16<Int32>, _ z: SIMD16<Int32>, _ weight: SIMD16<Float>,
  _ output: UnsafeMutablePointer<Float>, _ outputStride: Int, _ lanes: Int64
) {
  let zero = SIMD16<Float>(repeating: 0)
  let inRow = swl_and_i32x16(inside(x, sizes.2), inside(y, sizes.1))
  let isInside = swl_and_i32x16(inRow, inside(z, sizes.0))
  if swl_mask_bits_i32x16(isInside) == 0 { return }
  let plane = swl_multiply_i32x16(z, SIMD16(repeating: Int32(sizes.1))) &+ y
  let flat = swl_multiply_i32x16(plane, SIMD16(repeating: Int32(sizes.2))) &+ x
  let index = swl_select_i32x16(isInside, flat, SIMD16(repeating: 0))
  let size = sizes.0 &* sizes.1 &* sizes.2
  var channel = 0
  while channel < channels {
    let value = swl_gather_f32x16(map + channel &* size, index)
    let out = output + channel &* outputStride
    // Select after the product: a NaN in the cell that outside lanes read must not leak.
    let term = swl_select_f32x16(isInside, value * weight, zero)
    swl_store_f32x16_partial(out, swl_load_f32x16_partial(out, lanes) + term, lanes)
    channel &+= 1
  }
}

/// grid_sample with zero padding for one batch item: `map` [channels][depth][height][width], `grid`
/// `count` points of `dimensions` (2: x y, 3: x y z) coordinates, `output` [channels][count].
/// Linear (2^d taps, each dropped on its own outside) or nearest (half to even).
@inline(never)
public func gridSample(
  _ map: UnsafePointer<Float>, _ channels: Int, _ depth: Int, _ height: Int, _ width: Int,
  _ grid: UnsafePointer<Float>, _ dimensions: Int, _ begin: Int, _ end: Int, _ count: Int,
  _ isNearest: Bool, _ alignCorners: Bool, _ output: UnsafeMutablePointer<Float>
) {
  let sizes = (depth, height, width)
  let zero = SIMD16<Float>(repeating: 0)
  let one = SIMD16<Float>(repeating: 1)
  var point = begin
  while point < end {
    let lanes = end &- point < 16 ? end &- point : 16
    let first = grid + point &* dimensions
    let x = pixel(stridedFloats(first, dimensions, lanes), width, alignCorners)
    let y = pixel(stridedFloats(first + 1, dimensions, lanes), height, alignCorners)
    var z = zero
    if dimensions == 3 {
      z = pixel(stridedFloats(first + 2, dimensions, lanes), depth, alignCorners)
    }
    let out = output + point
    var channel = 0
    while channel < channels {
      swl_store_f32x16_partial(out + channel &* count, zero, Int64(lanes))
      channel &+= 1
    }
    if isNearest {
      addTap(
        map, sizes, channels, swl_trunc_i32x16(roundedToEven(x)),
        swl_trunc_i32x16(roundedToEven(y)), swl_trunc_i32x16(roundedToEven(z)), one, out, count,
        Int64(lanes))
    } else {
      // x + 2 is not negative, so truncation is floor.
      let x0 = swl_trunc_i32x16(x + 2) &- 2
      let y0 = swl_trunc_i32x16(y + 2) &- 2
      let z0 = swl_trunc_i32x16(z + 2) &- 2
      let fx = x - swl_f32x16_from_i32x16(x0)
      let fy = y - swl_f32x16_from_i32x16(y0)
      let fz = z - swl_f32x16_from_i32x16(z0)
      var tap: Int32 = 0
      while tap < (dimensions == 3 ? 8 : 4) {
        let right = tap & 1
        let down = (tap &>> 1) & 1
        let deep = tap &>> 2
        let wx = right == 1 ? fx : one - fx
        let wy = down == 1 ? fy : one - fy
        let wz = deep == 1 ? fz : one - fz
        addTap(
          map, sizes, channels, x0 &+ right, y0 &+ down, z0 &+ deep, wx * wy * wz, out, count,
          Int64(lanes))
        tap &+= 1
      }
    }
    point &+= lanes
  }
}

/// Up to sixteen values `stride` apart, the rest 0.
@inline(__always)
private func stridedFloats(
  _ p: UnsafePointer<Float>, _ stride: Int, _ count: Int
) -> SIMD16<Float> {
  var v = SIMD16<Float>(repeating: 0)
  var lane = 0
  while lane < count {
    v[lane] = p[lane &* stride]
    lane &+= 1
  }
  return v
}
