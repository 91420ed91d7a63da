import CVectorShims

/// From a LiDAR's points to what carving by fans needs of each ray: the direction bin, the beam, and
/// the voxel that is hit. Positions, ranges, clipping and keys follow OctoMap's rules as
/// `transformPoints` and `findRayEnds` do, bit for bit; sixteen points at once, nothing fused.
///
/// A beam is the horizontal range in the high 16 bits and the elevation dz / (|dz| + run), folded
/// to 0 ... 65535, in the low ones; 0 where the ray clears nothing. The bin is the ray's diamond angle
/// around the vertical (y / (|x| + |y|), folded to -1 ..< 3, which grows with the azimuth and needs
/// no trigonometry) in equal shares.
///
/// - Parameters:
///   - frame: world from LiDAR [R | t], ego from LiDAR [R | t], lower and upper corner of the ego box,
///     1 / voxel.
///   - setup: origin x, y, z; 1 / voxel; longest range; largest squared length of a hit; smallest
///     squared length that counts; setback, voxels; range steps a voxel; bins / 4; squared distance
///     from the sensor beyond which nothing is in the ego box (negative: there is no box).
///   - window: key of the first voxel x, y, z; columns, rows, words a column; last bin.
///   - scratch: 64 aligned floats.
///   - bins, beams, hits: out, `count` each and room for 15 more; a hit is the voxel's place in the
///     window, ((y · columns + x) · words) · 64 + z, or -1.
///   - tally: out: not finite, too near, outside the key cube, in the ego box, rays cast, lowest and
///     highest elevation of the beams.
@inline(never)
public func traceRays(
  _ base: UnsafeRawPointer, _ stride: Int, _ xOffset: Int, _ yOffset: Int, _ zOffset: Int,
  _ count: Int, _ frame: UnsafePointer<Double>, _ setup: UnsafePointer<Float>,
  _ window: UnsafePointer<Int32>, _ scratch: UnsafeMutablePointer<Float>,
  _ bins: UnsafeMutablePointer<Int32>, _ beams: UnsafeMutablePointer<Int32>,
  _ hits: UnsafeMutablePointer<Int32>, _ tally: UnsafeMutablePointer<Int>
) {
  let isPacked = stride == 16 && xOffset == 0 && yOffset == 4 && zOffset == 8
  let none = SIMD16<Int32>(repeating: -1)
  let zero = SIMD16<Int32>(repeating: 0)
  var lowest = SIMD16<Int32>(repeating: 65535)
  var highest = zero
  var cast = 0
  var index = 0
  while index < count {
    let left = min(16, count &- index)
    let lanes: UInt32 = left == 16 ? 0xffff : (1 << UInt32(left)) &- 1
    let record = base + index &* stride
    if isPacked && left == 16 {
      swl_ray_split_points(record, scratch)
    } else {
      splitPoints(record, stride, xOffset, yOffset, zOffset, left, scratch)
    }
    let x = swl_load_f32x16(scratch)
    let y = swl_load_f32x16(scratch + 16)
    let z = swl_load_f32x16(scratch + 32)
    let boxed = lanes & lanesInBox(x, y, z, frame + 12, setup[10])
    let px = worldPlane(x, y, z, frame)
    let py = worldPlane(x, y, z, frame + 4)
    let pz = worldPlane(x, y, z, frame + 8)
    // NaN compares false and infinity minus itself is NaN: both leave `finite` empty.
    let spread = swl_abs_f32x16(((px - px) + (py - py)) + (pz - pz))
    let finite = swl_mask_bits_i32x16(swl_less_equal_f32x16(spread, SIMD16(repeating: 0)))
    let dx = px - SIMD16(repeating: setup[0])
    let dy = py - SIMD16(repeating: setup[1])
    let dz = pz - SIMD16(repeating: setup[2])
    let squares = (dx * dx + dy * dy) + dz * dz
    let far = swl_mask_bits_i32x16(
      swl_less_equal_f32x16(SIMD16(repeating: setup[6]), squares))
    let isHit = swl_less_equal_f32x16(squares, SIMD16(repeating: setup[5]))
    var ex = px
    var ey = py
    var ez = pz
    if swl_mask_bits_i32x16(isHit) != 0xffff {
      let length = swl_sqrt_f32x16(squares)
      let isLong = swl_less_f32x16(SIMD16(repeating: 0), length)
      let clip = setup[4]
      let ux = swl_select_f32x16(isLong, dx / length, dx) * clip
      let uy = swl_select_f32x16(isLong, dy / length, dy) * clip
      let uz = swl_select_f32x16(isLong, dz / length, dz) * clip
      ex = swl_select_f32x16(isHit, px, SIMD16(repeating: setup[0]) + ux)
      ey = swl_select_f32x16(isHit, py, SIMD16(repeating: setup[1]) + uy)
      ez = swl_select_f32x16(isHit, pz, SIMD16(repeating: setup[2]) + uz)
    }
    let kx = keyPlane(ex, frame[30])
    let ky = keyPlane(ey, frame[30])
    let kz = keyPlane(ez, frame[30])
    let inside = swl_mask_bits_i32x16(isKey(kx) & isKey(ky) & isKey(kz))
    let open = lanes & ~boxed
    let kept = open & finite & far & inside
    tally[0] &+= (open & ~finite).nonzeroBitCount
    tally[1] &+= (open & finite & ~far).nonzeroBitCount
    tally[2] &+= (open & finite & far & ~inside).nonzeroBitCount
    tally[3] &+= boxed.nonzeroBitCount
    cast &+= kept.nonzeroBitCount
    let isKept = swl_ray_lanes_from_bits_i32x16(kept)
    let place = windowPlace(kx, ky, kz, window)
    swl_store_i32x16(hits + index, swl_select_i32x16(isKept & isHit, place, none))
    let ax = ex - SIMD16(repeating: setup[0])
    let ay = ey - SIMD16(repeating: setup[1])
    let az = ez - SIMD16(repeating: setup[2])
    let run = swl_sqrt_f32x16(ax * ax + ay * ay)
    let range = (run * setup[3] - setup[7]) * setup[8]
    let isLong = swl_less_equal_f32x16(SIMD16(repeating: 1), range) & isKept
    let steps = swl_trunc_i32x16(
      swl_select_f32x16(isLong, swl_min_f32x16(range, SIMD16(repeating: 32767)), SIMD16(repeating: 0)))
    let rise = az / (swl_abs_f32x16(az) + run)
    let level = swl_select_f32x16(isLong, (rise + 1) * 32767.5, SIMD16(repeating: 0))
    let elevation = swl_trunc_i32x16(level)
    swl_store_i32x16(beams + index, swl_ray_shift_left_i32x16(steps, 16) | elevation)
    lowest = swl_min_i32x16(lowest, swl_select_i32x16(isLong, elevation, lowest))
    highest = swl_max_i32x16(highest, elevation)
    let quotient = ay / (swl_abs_f32x16(ax) + swl_abs_f32x16(ay))
    let behind = swl_less_f32x16(ax, SIMD16(repeating: 0))
    let angle = swl_select_f32x16(behind, SIMD16(repeating: 2) - quotient, quotient)
    let position = swl_select_f32x16(isLong, (angle + 1) * setup[9], SIMD16(repeating: 0))
    let bin = swl_min_i32x16(swl_trunc_i32x16(position), SIMD16(repeating: window[6]))
    swl_store_i32x16(bins + index, bin)
    index &+= 16
  }
  tally[4] &+= cast
  tally[5] = Int(swl_ray_min_lane_i32x16(lowest))
  tally[6] = Int(swl_ray_max_lane_i32x16(highest))
}

/// Any stride, and the last points of a cloud; lanes that have no point get zeros.
@inline(__always)
private func splitPoints(
  _ record: UnsafeRawPointer, _ stride: Int, _ xOffset: Int, _ yOffset: Int, _ zOffset: Int,
  _ count: Int, _ out: UnsafeMutablePointer<Float>
) {
  var lane = 0
  while lane < 16 {
    let point = record + min(lane, count &- 1) &* stride
    out[lane] = point.loadUnaligned(fromByteOffset: xOffset, as: Float.self)
    out[lane &+ 16] = point.loadUnaligned(fromByteOffset: yOffset, as: Float.self)
    out[lane &+ 32] = point.loadUnaligned(fromByteOffset: zOffset, as: Float.self)
    lane &+= 1
  }
}

/// ((r0·x + r1·y) + r2·z) + t in float64, rounded once.
@inline(__always)
private func worldPlane(
  _ x: SIMD16<Float>, _ y: SIMD16<Float>, _ z: SIMD16<Float>, _ row: UnsafePointer<Double>
) -> SIMD16<Float> {
  let low = (swl_ray_low_f64x8(x) * row[0] + swl_ray_low_f64x8(y) * row[1])
    + swl_ray_low_f64x8(z) * row[2]
  let high = (swl_ray_high_f64x8(x) * row[0] + swl_ray_high_f64x8(y) * row[1])
    + swl_ray_high_f64x8(z) * row[2]
  return swl_ray_join_f32x16(low + row[3], high + row[3])
}

@inline(__always)
private func keyPlane(_ v: SIMD16<Float>, _ inverse: Double) -> SIMD16<Int32> {
  swl_ray_key_i32x16(swl_ray_low_f64x8(v) * inverse, swl_ray_high_f64x8(v) * inverse)
}

@inline(__always)
private func isKey(_ key: SIMD16<Int32>) -> SIMD16<Int32> {
  swl_greater_i32x16(key, SIMD16(repeating: -32769))
    & swl_greater_i32x16(SIMD16(repeating: 32768), key)
}

@inline(__always)
private func windowPlace(
  _ kx: SIMD16<Int32>, _ ky: SIMD16<Int32>, _ kz: SIMD16<Int32>, _ window: UnsafePointer<Int32>
) -> SIMD16<Int32> {
  let x = kx &- SIMD16(repeating: window[0])
  let y = ky &- SIMD16(repeating: window[1])
  let z = kz &- SIMD16(repeating: window[2])
  let height = window[5] &* 64
  let below = swl_greater_i32x16(SIMD16(repeating: window[3]), x)
    & swl_greater_i32x16(SIMD16(repeating: window[4]), y)
    & swl_greater_i32x16(SIMD16(repeating: height), z)
  let above = swl_greater_i32x16((x | y) | z, SIMD16(repeating: -1))
  let place = (y &* SIMD16(repeating: window[3]) &+ x) &* SIMD16(repeating: height) &+ z
  return swl_select_i32x16(below & above, place, SIMD16(repeating: -1))
}

/// Bit i: point i lies in the ego box, bounds included. Points that are not finite are in no box.
@inline(__always)
private func lanesInBox(
  _ x: SIMD16<Float>, _ y: SIMD16<Float>, _ z: SIMD16<Float>, _ frame: UnsafePointer<Double>,
  _ reach: Float
) -> UInt32 {
  if reach < 0 { return 0 }
  let squares = (x * x + y * y) + z * z
  if swl_mask_bits_i32x16(swl_less_f32x16(squares, SIMD16(repeating: reach))) == 0 { return 0 }
  var low = SIMD8<Int64>(repeating: -1)
  var high = low
  var axis = 0
  while axis < 3 {
    let row = frame + 4 &* axis
    let a = (swl_ray_low_f64x8(x) * row[0] + swl_ray_low_f64x8(y) * row[1])
      + swl_ray_low_f64x8(z) * row[2] + row[3]
    let b = (swl_ray_high_f64x8(x) * row[0] + swl_ray_high_f64x8(y) * row[1])
      + swl_ray_high_f64x8(z) * row[2] + row[3]
    let least = SIMD8<Double>(repeating: frame[12 &+ axis])
    let most = SIMD8<Double>(repeating: frame[15 &+ axis])
    low = low & swl_ray_less_equal_f64x8(least, a) & swl_ray_less_equal_f64x8(a, most)
    high = high & swl_ray_less_equal_f64x8(least, b) & swl_ray_less_equal_f64x8(b, most)
    axis &+= 1
  }
  return swl_ray_mask_bits_i64x8(low) | swl_ray_mask_bits_i64x8(high) << 8
}
