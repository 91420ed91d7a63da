import CVectorShims

/// The voxels of up to eight rays in order of traversal, end voxels excluded, as packed keys
/// ((x + 32768) << 32 | (y + 32768) << 16 | (z + 32768)).
///
/// - `ends`: planes of x, y, z `capacity` apart, from index `first` on, `count` (1...8) rays.
/// - `parameters`: origin x, y, z (float values), voxel size, key of the origin x, y, z.
/// - out `voxels`: [step][ray of 8]; `counts`: 8 Int64, voxels of each ray, at most `limit`.
@inline(never)
public func listRayVoxels(
  _ ends: UnsafePointer<Float>, _ capacity: Int, _ first: Int, _ count: Int,
  _ parameters: UnsafePointer<Double>, _ limit: Int, _ voxels: UnsafeMutablePointer<Int64>,
  _ counts: UnsafeMutablePointer<Int64>
) {
  let originX = Float(parameters[0])
  let originY = Float(parameters[1])
  let originZ = Float(parameters[2])
  let voxel = parameters[3]
  let inverse = 1 / voxel
  let key = SIMD3<Double>(parameters[4], parameters[5], parameters[6])
  var endX = SIMD8<Float>(repeating: originX)
  var endY = SIMD8<Float>(repeating: originY)
  var endZ = SIMD8<Float>(repeating: originZ)
  var lane = 0
  while lane < count {
    endX[lane] = ends[first &+ lane]
    endY[lane] = ends[first &+ lane &+ capacity]
    endZ[lane] = ends[first &+ lane &+ 2 &* capacity]
    lane &+= 1
  }
  var nextX = SIMD8<Double>(repeating: 0)
  var nextY = nextX
  var nextZ = nextX
  var deltaX = nextX
  var deltaY = nextX
  var deltaZ = nextX
  var stepX = nextX
  var stepY = nextX
  var stepZ = nextX
  var length = nextX
  startRays(
    endX, endY, endZ, originX, originY, originZ, key, voxel, &nextX, &nextY, &nextZ, &deltaX,
    &deltaY, &deltaZ, &stepX, &stepY, &stepZ, &length)
  let first64 = packKeys(
    SIMD8(repeating: key.x), SIMD8(repeating: key.y), SIMD8(repeating: key.z))
  let end = packKeys(
    swl_ray_floor_f64x8(swl_ray_f64x8_from_f32x8(endX) * inverse),
    swl_ray_floor_f64x8(swl_ray_f64x8_from_f32x8(endY) * inverse),
    swl_ray_floor_f64x8(swl_ray_f64x8_from_f32x8(endZ) * inverse))
  let strideX = swl_ray_i64x8_from_i32x8(swl_ray_i32x8_from_f64x8(stepX)) &* (1 << 32)
  let strideY = swl_ray_i64x8_from_i32x8(swl_ray_i32x8_from_f64x8(stepY)) &* (1 << 16)
  let strideZ = swl_ray_i64x8_from_i32x8(swl_ray_i32x8_from_f64x8(stepZ))
  var position = first64
  var live = ~swl_ray_equal_i64x8(first64, end)
  var counted = SIMD8<Int64>(repeating: 0)
  var step = 0
  while step < limit, swl_ray_mask_bits_i64x8(live) != 0 {
    swl_ray_store_i64x8(voxels + step &* 8, position)
    counted = counted &- live
    advanceRays(
      &nextX, &nextY, &nextZ, deltaX, deltaY, deltaZ, strideX, strideY, strideZ, &position)
    let travelled = swl_ray_min_f64x8(swl_ray_min_f64x8(nextX, nextY), nextZ)
    let within = swl_ray_less_equal_f64x8(travelled, length)
    live = live & (within & ~swl_ray_equal_i64x8(position, end))
    step &+= 1
  }
  swl_ray_store_i64x8(counts, counted)
}

@inline(__always)
private func packKeys(
  _ x: SIMD8<Double>, _ y: SIMD8<Double>, _ z: SIMD8<Double>
) -> SIMD8<Int64> {
  let kx = swl_ray_i64x8_from_i32x8(swl_ray_i32x8_from_f64x8(x + 32768)) &* (1 << 32)
  let ky = swl_ray_i64x8_from_i32x8(swl_ray_i32x8_from_f64x8(y + 32768)) &* (1 << 16)
  return kx | ky | swl_ray_i64x8_from_i32x8(swl_ray_i32x8_from_f64x8(z + 32768))
}
