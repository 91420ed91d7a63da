import CVectorShims

/// Where every ray of a scan ends, by OctoMap's rules: a point within the maximum range is a hit;
/// a farther one clears up to origin + direction · range. Ends outside the 16-bit key cube and
/// points that are not finite are dropped.
///
/// - `x`, `y`, `z`: `count` points in world (planes with 8 floats of slack).
/// - `parameters`: origin x, y, z (float values), 1 / voxel, maximum range (negative: none),
///   minimum range.
/// - out `ends`: kept ends, planes `capacity` apart; `keys`: their voxels, planes `capacity` apart;
///   `isHit`: 1 for a hit, 0 for a clipped ray.
/// - in/out `bounds`: minimum x, y, z and maximum x, y, z of the keys.
/// - `dropped`: [not finite, nearer than the minimum, outside the cube]; added to.
/// - Returns: how many ends were kept.
@inline(never)
public func findRayEnds(
  _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ z: UnsafePointer<Float>, _ count: Int,
  _ parameters: UnsafePointer<Double>, _ ends: UnsafeMutablePointer<Float>,
  _ keys: UnsafeMutablePointer<Int32>, _ isHit: UnsafeMutablePointer<UInt8>, _ capacity: Int,
  _ bounds: UnsafeMutablePointer<Int32>, _ dropped: UnsafeMutablePointer<Int>
) -> Int {
  let originX = SIMD8<Float>(repeating: Float(parameters[0]))
  let originY = SIMD8<Float>(repeating: Float(parameters[1]))
  let originZ = SIMD8<Float>(repeating: Float(parameters[2]))
  let inverse = parameters[3]
  let unlimited = parameters[4] < 0
  let maximum = SIMD8<Double>(repeating: unlimited ? .infinity : parameters[4])
  let minimum = SIMD8<Double>(repeating: parameters[5])
  let clip = Float(parameters[4])
  let highest = SIMD8<Double>(repeating: 32767)
  let lowest = SIMD8<Double>(repeating: -32768)
  let zero = SIMD8<Float>(repeating: 0)
  var kept = 0
  var index = 0
  while index < count {
    let px = swl_ray_load_f32x8(x + index)
    let py = swl_ray_load_f32x8(y + index)
    let pz = swl_ray_load_f32x8(z + index)
    let dx = px - originX
    let dy = py - originY
    let dz = pz - originZ
    let squares = (dx * dx + dy * dy) + dz * dz
    let norm = swl_ray_sqrt_f64x8(swl_ray_f64x8_from_f32x8(squares))
    // NaN compares false and infinity minus itself is NaN: both leave `finite` empty.
    let spread = ((px - px) + (py - py)) + (pz - pz)
    let finite = swl_ray_mask_bits_i64x8(
      swl_ray_less_equal_f64x8(swl_ray_abs_f64x8(swl_ray_f64x8_from_f32x8(spread)), SIMD8(repeating: 0)))
    let far = swl_ray_mask_bits_i64x8(swl_ray_less_equal_f64x8(minimum, norm))
    let hitMask = swl_ray_less_equal_f64x8(norm, maximum)
    let hits = unlimited ? 0xff : swl_ray_mask_bits_i64x8(hitMask)
    var ex = px
    var ey = py
    var ez = pz
    if hits != 0xff {
      let length = swl_ray_f32x8_from_f64x8(norm)
      let positive = swl_ray_less_f32x8(zero, length)
      let ux = swl_ray_select_f32x8(positive, dx / length, dx)
      let uy = swl_ray_select_f32x8(positive, dy / length, dy)
      let uz = swl_ray_select_f32x8(positive, dz / length, dz)
      var narrow = SIMD8<Int32>(repeating: 0)
      var lane = 0
      while lane < 8 {
        narrow[lane] = (hits >> UInt32(lane)) & 1 == 1 ? -1 : 0
        lane &+= 1
      }
      ex = swl_ray_select_f32x8(narrow, px, originX + ux * clip)
      ey = swl_ray_select_f32x8(narrow, py, originY + uy * clip)
      ez = swl_ray_select_f32x8(narrow, pz, originZ + uz * clip)
    }
    let fx = swl_ray_floor_f64x8(swl_ray_f64x8_from_f32x8(ex) * inverse)
    let fy = swl_ray_floor_f64x8(swl_ray_f64x8_from_f32x8(ey) * inverse)
    let fz = swl_ray_floor_f64x8(swl_ray_f64x8_from_f32x8(ez) * inverse)
    let inX = swl_ray_less_equal_f64x8(lowest, fx) & swl_ray_less_equal_f64x8(fx, highest)
    let inY = swl_ray_less_equal_f64x8(lowest, fy) & swl_ray_less_equal_f64x8(fy, highest)
    let inZ = swl_ray_less_equal_f64x8(lowest, fz) & swl_ray_less_equal_f64x8(fz, highest)
    let inside = swl_ray_mask_bits_i64x8((inX & inY) & inZ)
    let lanes: UInt32 = count &- index >= 8 ? 0xff : (1 << UInt32(count &- index)) &- 1
    dropped[0] &+= (lanes & ~finite).nonzeroBitCount
    dropped[1] &+= (lanes & finite & ~far).nonzeroBitCount
    dropped[2] &+= (lanes & finite & far & ~inside).nonzeroBitCount
    var keep = lanes & finite & far & inside
    while keep != 0 {
      let lane = keep.trailingZeroBitCount
      ends[kept] = ex[lane]
      ends[kept &+ capacity] = ey[lane]
      ends[kept &+ 2 &* capacity] = ez[lane]
      let kx = Int32(fx[lane])
      let ky = Int32(fy[lane])
      let kz = Int32(fz[lane])
      keys[kept] = kx
      keys[kept &+ capacity] = ky
      keys[kept &+ 2 &* capacity] = kz
      isHit[kept] = UInt8((hits >> UInt32(lane)) & 1)
      bounds[0] = min(bounds[0], kx)
      bounds[1] = min(bounds[1], ky)
      bounds[2] = min(bounds[2], kz)
      bounds[3] = max(bounds[3], kx)
      bounds[4] = max(bounds[4], ky)
      bounds[5] = max(bounds[5], kz)
      kept &+= 1
      keep &= keep &- 1
    }
    index &+= 8
  }
  return kept
}
