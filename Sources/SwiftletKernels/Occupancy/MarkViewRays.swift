import CVectorShims

/// Marks the cells of a small grid that rays from one origin cross, sixteen rays at a time.
///
/// A ray walks from column to column (x and y crossings only) and takes all the heights it passes in
/// a column as one run of bits. Crossings are computed afresh from the cell's border, so nothing
/// drifts, and nothing is fused: the same cells on every instruction set.
///
/// - `base`, `stride`, offsets: records with three floats, the way from the origin to a point.
/// - `parameters`: matrix to cells (9, row-major), origin in cells (3), farthest way in cells, and 1
///   where rays go on to it or 0 where they end at their point.
/// - `layout`: cells in x, y, z (at most 32), 1 where `stops` ends rays.
/// - `stops`: [x][y] bits that end a ray inside; like `visible` with one spare word.
/// - `visible`: [x][y] bits, or-ed. `scratch`: 48 words.
@inline(never)
public func markViewRays(
  _ base: UnsafeRawPointer, _ stride: Int, _ xOffset: Int, _ yOffset: Int, _ zOffset: Int,
  _ first: Int, _ last: Int, _ parameters: UnsafePointer<Float>, _ layout: UnsafePointer<Int32>,
  _ stops: UnsafePointer<UInt32>, _ visible: UnsafeMutablePointer<UInt32>,
  _ scratch: UnsafeMutablePointer<UInt32>
) {
  let m = parameters
  let planes = UnsafeMutableRawPointer(scratch).assumingMemoryBound(to: Float.self)
  let far = SIMD16<Float>(repeating: m[12])
  let isEndless = m[13] != 0
  var ray = first
  while ray < last {
    let lanes = min(16, last &- ray)
    var lane = 0
    while lane < 16 {
      if lane < lanes {
        let record = base + (ray &+ lane) &* stride
        planes[lane] = record.loadUnaligned(fromByteOffset: xOffset, as: Float.self)
        planes[16 &+ lane] = record.loadUnaligned(fromByteOffset: yOffset, as: Float.self)
        planes[32 &+ lane] = record.loadUnaligned(fromByteOffset: zOffset, as: Float.self)
      } else {
        planes[lane] = 0
        planes[16 &+ lane] = 0
        planes[32 &+ lane] = 0
      }
      lane &+= 1
    }
    let x = swl_load_f32x16(planes)
    let y = swl_load_f32x16(planes + 16)
    let z = swl_load_f32x16(planes + 32)
    let vx = (x * m[0] + y * m[1]) + z * m[2]
    let vy = (x * m[3] + y * m[4]) + z * m[5]
    let vz = (x * m[6] + y * m[7]) + z * m[8]
    let length = swl_sqrt_f32x16((vx * vx + vy * vy) + vz * vz)
    let zero = SIMD16<Float>(repeating: 0)
    let isLong = swl_less_f32x16(zero, length)
    let isRay = isLong & swl_less_f32x16(length, SIMD16(repeating: 1e6))
    let one = SIMD16<Float>(repeating: 1)
    let until = isEndless ? far : swl_min_f32x16(length, far)
    walkViewRays(
      swl_view_away_from_zero(swl_select_f32x16(isRay, vx / length, one)),
      swl_view_away_from_zero(swl_select_f32x16(isRay, vy / length, one)),
      swl_view_away_from_zero(swl_select_f32x16(isRay, vz / length, one)), until, isRay,
      parameters + 9, layout, stops, visible, scratch)
    ray &+= 16
  }
}

@inline(__always)
private func walkViewRays(
  _ dx: SIMD16<Float>, _ dy: SIMD16<Float>, _ dz: SIMD16<Float>, _ until: SIMD16<Float>,
  _ isRay: SIMD16<Int32>, _ origin: UnsafePointer<Float>, _ layout: UnsafePointer<Int32>,
  _ stops: UnsafePointer<UInt32>, _ visible: UnsafeMutablePointer<UInt32>,
  _ scratch: UnsafeMutablePointer<UInt32>
) {
  let (ox, oy, oz) = (origin[0], origin[1], origin[2])
  let (nx, ny, nz) = (layout[0], layout[1], layout[2])
  let zero = SIMD16<Int32>(repeating: 0)
  let none = SIMD16<Float>(repeating: 0)
  let one = SIMD16<Float>(repeating: 1)
  let (ix, iy, iz) = (one / dx, one / dy, one / dz)
  let (ax, bx) = (ix * (0 - ox), ix * (Float(nx) - ox))
  let (ay, by) = (iy * (0 - oy), iy * (Float(ny) - oy))
  let (az, bz) = (iz * (0 - oz), iz * (Float(nz) - oz))
  let planar = swl_max_f32x16(swl_min_f32x16(ax, bx), swl_min_f32x16(ay, by))
  let upright = swl_max_f32x16(swl_min_f32x16(az, bz), none)
  let enter = swl_max_f32x16(planar, upright)
  let farPlanar = swl_min_f32x16(swl_max_f32x16(ax, bx), swl_max_f32x16(ay, by))
  let leave = swl_min_f32x16(farPlanar, swl_min_f32x16(swl_max_f32x16(az, bz), until))
  var live = isRay & swl_less_f32x16(enter, leave)
  let highX = SIMD16<Int32>(repeating: nx &- 1)
  let highY = SIMD16<Int32>(repeating: ny &- 1)
  let highZ = SIMD16<Int32>(repeating: nz &- 1)
  // A way that starts far outside may not fit an integer; those lanes are not live.
  let start = swl_select_f32x16(live, enter, none)
  var x = viewCell(dx * start + ox, zero, highX)
  var y = viewCell(dy * start + oy, zero, highY)
  var z = viewCell(dz * start + oz, zero, highZ)
  let rightX = swl_less_f32x16(none, dx)
  let rightY = swl_less_f32x16(none, dy)
  let up = swl_less_f32x16(none, dz)
  let borderX = swl_select_f32x16(rightX, one, none)
  let borderY = swl_select_f32x16(rightY, one, none)
  let ahead = SIMD16<Int32>(repeating: 1)
  let back = SIMD16<Int32>(repeating: -1)
  let stepX = swl_select_i32x16(rightX, ahead, back)
  let stepY = swl_select_i32x16(rightY, ahead, back)
  let rowLength = SIMD16<Int32>(repeating: ny)
  let spare = SIMD16<Int32>(repeating: nx &* ny)
  while swl_mask_bits_i32x16(live) != 0 {
    let tx = ((swl_f32x16_from_i32x16(x) + borderX) - ox) * ix
    let ty = ((swl_f32x16_from_i32x16(y) + borderY) - oy) * iy
    let isX = swl_less_f32x16(tx, ty)
    let exit = swl_select_f32x16(isX, tx, ty)
    let end = swl_select_f32x16(live, swl_min_f32x16(exit, leave), none)
    let reached = viewCell(dz * end + oz, zero, highZ)
    let raised = swl_max_i32x16(reached, z)
    let lowered = swl_min_i32x16(reached, z)
    let height = swl_select_i32x16(up, raised, lowered)
    var run = swl_view_run_u32x16(swl_min_i32x16(z, height), swl_max_i32x16(z, height))
    let index = swl_select_i32x16(live, x &* rowLength &+ y, spare)
    if layout[3] != 0 {
      let hit = run & swl_view_gather_u32x16(stops, index)
      run = swl_view_until_hit_u32x16(run, hit, up)
      live = live & swl_view_is_zero_u32x16(hit)
    }
    orViewColumns(index, run, visible, scratch)
    live = live & swl_less_f32x16(exit, leave)
    x = x &+ (stepX & isX)
    y = y &+ (stepY & ~isX)
    z = height
  }
}

/// floor(v), held to low ... high.
@inline(__always)
private func viewCell(
  _ v: SIMD16<Float>, _ low: SIMD16<Int32>, _ high: SIMD16<Int32>
) -> SIMD16<Int32> {
  swl_max_i32x16(swl_min_i32x16(swl_ray_floor_i32x16(v), high), low)
}

/// Lane by lane, because lanes often share a column; dead lanes meet in the spare word.
@inline(__always)
private func orViewColumns(
  _ index: SIMD16<Int32>, _ run: SIMD16<UInt32>, _ visible: UnsafeMutablePointer<UInt32>,
  _ scratch: UnsafeMutablePointer<UInt32>
) {
  let places = UnsafeMutableRawPointer(scratch).assumingMemoryBound(to: Int32.self)
  swl_store_i32x16(places, index)
  swl_view_store_u32x16(scratch + 16, run)
  var lane = 0
  while lane < 16 {
    visible[Int(places[lane])] |= scratch[16 &+ lane]
    lane &+= 1
  }
}
