import CVectorShims

/// Eight rays at their first voxel, with OctoMap's arithmetic: the direction normalised in float32,
/// first border and step length in float64, half a voxel added as a float32, nothing fused.
///
/// Outputs per axis the parameter of the next border, the parameter between borders, and the step
/// -1, 0 or 1; `length` is the ray's float32 length.
@inline(__always)
func startRays(
  _ endX: SIMD8<Float>, _ endY: SIMD8<Float>, _ endZ: SIMD8<Float>,
  _ originX: Float, _ originY: Float, _ originZ: Float, _ key: SIMD3<Double>, _ voxel: Double,
  _ nextX: inout SIMD8<Double>, _ nextY: inout SIMD8<Double>, _ nextZ: inout SIMD8<Double>,
  _ deltaX: inout SIMD8<Double>, _ deltaY: inout SIMD8<Double>, _ deltaZ: inout SIMD8<Double>,
  _ stepX: inout SIMD8<Double>, _ stepY: inout SIMD8<Double>, _ stepZ: inout SIMD8<Double>,
  _ length: inout SIMD8<Double>
) {
  let dx = endX - SIMD8(repeating: originX)
  let dy = endY - SIMD8(repeating: originY)
  let dz = endZ - SIMD8(repeating: originZ)
  let squares = (dx * dx + dy * dy) + dz * dz
  let narrow = swl_ray_f32x8_from_f64x8(swl_ray_sqrt_f64x8(swl_ray_f64x8_from_f32x8(squares)))
  // A length that underflowed to 0 ends the ray after its first voxel instead of never.
  let positive = swl_ray_mask64_from_mask32(swl_ray_less_f32x8(SIMD8(repeating: 0), narrow))
  length = swl_ray_select_f64x8(positive, swl_ray_f64x8_from_f32x8(narrow), SIMD8(repeating: -1))
  startAxis(dx / narrow, originX, key.x, voxel, &nextX, &deltaX, &stepX)
  startAxis(dy / narrow, originY, key.y, voxel, &nextY, &deltaY, &stepY)
  startAxis(dz / narrow, originZ, key.z, voxel, &nextZ, &deltaZ, &stepZ)
}

@inline(__always)
private func startAxis(
  _ direction: SIMD8<Float>, _ origin: Float, _ key: Double, _ voxel: Double,
  _ next: inout SIMD8<Double>, _ delta: inout SIMD8<Double>, _ step: inout SIMD8<Double>
) {
  let zero = SIMD8<Double>(repeating: 0)
  let never = SIMD8<Double>(repeating: .greatestFiniteMagnitude)
  let d = swl_ray_f64x8_from_f32x8(direction)
  let up = swl_ray_less_f64x8(zero, d)
  let down = swl_ray_less_f64x8(d, zero)
  let half = Float(voxel * 0.5)
  let centre = (key + 0.5) * voxel
  let ahead = SIMD8<Double>(repeating: centre + Double(half))
  let behind = SIMD8<Double>(repeating: centre + Double(-half))
  let border = swl_ray_select_f64x8(up, ahead, behind)
  let moves = up | down
  next = swl_ray_select_f64x8(moves, (border - Double(origin)) / d, never)
  delta = swl_ray_select_f64x8(moves, SIMD8<Double>(repeating: voxel) / swl_ray_abs_f64x8(d), never)
  let one = SIMD8<Double>(repeating: 1)
  step = swl_ray_select_f64x8(up, one, swl_ray_select_f64x8(down, SIMD8<Double>(repeating: -1), zero))
}

/// One step of eight rays: the axis whose border is nearest advances; equal parameters go to z
/// before y before x (OctoMap's chain of strict comparisons).
@inline(__always)
func advanceRays(
  _ nextX: inout SIMD8<Double>, _ nextY: inout SIMD8<Double>, _ nextZ: inout SIMD8<Double>,
  _ deltaX: SIMD8<Double>, _ deltaY: SIMD8<Double>, _ deltaZ: SIMD8<Double>,
  _ strideX: SIMD8<Int64>, _ strideY: SIMD8<Int64>, _ strideZ: SIMD8<Int64>,
  _ position: inout SIMD8<Int64>
) {
  let xFirst = swl_ray_less_f64x8(nextX, nextY)
  let nearest = swl_ray_select_f64x8(xFirst, nextX, nextY)
  let planar = swl_ray_less_f64x8(nearest, nextZ)
  let isX = xFirst & planar
  let isY = ~xFirst & planar
  nextX = swl_ray_select_f64x8(isX, nextX + deltaX, nextX)
  nextY = swl_ray_select_f64x8(isY, nextY + deltaY, nextY)
  nextZ = swl_ray_select_f64x8(planar, nextZ, nextZ + deltaZ)
  let stride = swl_ray_select_i64x8(isX, strideX, swl_ray_select_i64x8(isY, strideY, strideZ))
  position = position &+ stride
}
