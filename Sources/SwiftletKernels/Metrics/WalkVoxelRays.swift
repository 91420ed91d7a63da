import CVectorShims

/// Writes rows `lower..<upper` of the walk grid of labels [x][y][z]: bytes 0 = free, 1 = not free,
/// inside a border one cell thick that the caller filled with 2, z contiguous. Row r is x = r / y
/// count, y = r % y count.
///
/// The border ends every walk, so that the walk needs one index and no bounds check per axis.
@inline(never)
public func fillWalkGrid(
  _ labels: UnsafePointer<UInt8>, _ ySize: Int, _ zSize: Int, _ lower: Int, _ upper: Int,
  _ freeClass: Int, _ grid: UnsafeMutablePointer<UInt8>
) {
  let free = UInt8(truncatingIfNeeded: freeClass)
  var row = lower
  while row < upper {
    let source = labels + row &* zSize
    let x = row / ySize
    let y = row &- x &* ySize
    let paddedRow: Int = (x &+ 1) &* (ySize &+ 2) &+ (y &+ 1)
    let offset: Int = paddedRow &* (zSize &+ 2) &+ 1
    let target = grid + offset
    var z = 0
    while z &+ 16 <= zSize {
      swl_store_occupied_u8x16(target + z, source + z, free)
      z &+= 16
    }
    while z < zSize {
      target[z] = source[z] == free ? 0 : 1
      z &+= 1
    }
    row &+= 1
  }
}

/// Walks rays `lower..<upper` (multiples of 8) through a walk grid, eight at once, in float64 and in
/// the operations of the scalar reference: the results are the same bits on every machine.
///
/// - Parameters:
///   - rays: six planes of `plane` floats: origin x, y, z, then a point further along the ray, in
///     voxels.
///   - voxels: the walk grid's index of the first voxel that is not free; -1 where there is none.
///   - distances: where the ray leaves that voxel, or the grid, in voxels; -1 where it never enters.
@inline(never)
public func walkVoxelRays(
  _ grid: UnsafePointer<UInt8>, _ xSize: Int, _ ySize: Int, _ zSize: Int,
  _ rays: UnsafePointer<Float>, _ plane: Int, _ lower: Int, _ upper: Int,
  _ voxels: UnsafeMutablePointer<Int64>, _ distances: UnsafeMutablePointer<Float>
) {
  let one = SIMD8<Int64>(repeating: 1)
  let zero = SIMD8<Double>(repeating: 0)
  let never = SIMD8<Double>(repeating: .greatestFiniteMagnitude)
  let yStride = Int64(zSize &+ 2)
  let xStride = Int64(ySize &+ 2) &* yStride
  var ray = lower
  while ray < upper {
    let source = rays + ray
    let ox = swl_walk_load_f32_as_f64x8(source)
    let oy = swl_walk_load_f32_as_f64x8(source + plane)
    let oz = swl_walk_load_f32_as_f64x8(source + 2 &* plane)
    let rx = swl_walk_load_f32_as_f64x8(source + 3 &* plane) - ox
    let ry = swl_walk_load_f32_as_f64x8(source + 4 &* plane) - oy
    let rz = swl_walk_load_f32_as_f64x8(source + 5 &* plane) - oz
    let xx = rx * rx
    let yy = ry * ry
    let zz = rz * rz
    let length = swl_walk_sqrt_f64x8(xx + yy + zz)
    let dx = rx / length
    let dy = ry / length
    let dz = rz / length
    var vx = swl_walk_trunc_i64x8(ox)
    var vy = swl_walk_trunc_i64x8(oy)
    var vz = swl_walk_trunc_i64x8(oz)
    // All ones where the ray descends; a zero component counts as ascending.
    let downX = swl_walk_less_f64x8(dx, zero)
    let downY = swl_walk_less_f64x8(dy, zero)
    let downZ = swl_walk_less_f64x8(dz, zero)
    let sx = one | downX
    let sy = one | downY
    let sz = one | downZ
    let flatX = swl_walk_equal_f64x8(dx, zero)
    let flatY = swl_walk_equal_f64x8(dy, zero)
    let flatZ = swl_walk_equal_f64x8(dz, zero)
    let borderX = swl_walk_f64x8_from_i64x8((vx &+ one) &+ downX)
    var tx = swl_walk_select_f64x8(flatX, never, (borderX - ox) / dx)
    let borderY = swl_walk_f64x8_from_i64x8((vy &+ one) &+ downY)
    var ty = swl_walk_select_f64x8(flatY, never, (borderY - oy) / dy)
    let borderZ = swl_walk_f64x8_from_i64x8((vz &+ one) &+ downZ)
    var tz = swl_walk_select_f64x8(flatZ, never, (borderZ - oz) / dz)
    let gx = swl_walk_select_f64x8(flatX, never, swl_walk_f64x8_from_i64x8(sx) / dx)
    let gy = swl_walk_select_f64x8(flatY, never, swl_walk_f64x8_from_i64x8(sy) / dy)
    let gz = swl_walk_select_f64x8(flatZ, never, swl_walk_f64x8_from_i64x8(sz) / dz)
    var distance = SIMD8<Double>(repeating: -1)

    // Rays that start outside step in the same way until they enter, or can no longer.
    let sizeX = SIMD8<Int64>(repeating: Int64(xSize))
    let sizeY = SIMD8<Int64>(repeating: Int64(ySize))
    let sizeZ = SIMD8<Int64>(repeating: Int64(zSize))
    let none = SIMD8<Int64>(repeating: 0)
    let backX: SIMD8<Int64> = downX | flatX
    let backY: SIMD8<Int64> = downY | flatY
    let backZ: SIMD8<Int64> = downZ | flatZ
    var lost = none
    while true {
      let belowX = swl_walk_less_i64x8(vx, none)
      let belowY = swl_walk_less_i64x8(vy, none)
      let belowZ = swl_walk_less_i64x8(vz, none)
      let aboveX = ~swl_walk_less_i64x8(vx, sizeX)
      let aboveY = ~swl_walk_less_i64x8(vy, sizeY)
      let aboveZ = ~swl_walk_less_i64x8(vz, sizeZ)
      let outsideX: SIMD8<Int64> = belowX | aboveX
      let outsideY: SIMD8<Int64> = belowY | aboveY
      let outsideZ: SIMD8<Int64> = belowZ | aboveZ
      let outside: SIMD8<Int64> = outsideX | outsideY | outsideZ
      // A ray past the grid on one axis, or beside it along that axis, never enters.
      let lostX: SIMD8<Int64> = (belowX & backX) | (aboveX & ~downX)
      let lostY: SIMD8<Int64> = (belowY & backY) | (aboveY & ~downY)
      let lostZ: SIMD8<Int64> = (belowZ & backZ) | (aboveZ & ~downZ)
      lost = lostX | lostY | lostZ
      let moving = outside & ~lost
      if !swl_walk_any_i64x8(moving) { break }
      let xFirst = swl_walk_less_f64x8(tx, ty)
      let takeX = xFirst & swl_walk_less_f64x8(tx, tz) & moving
      let takeY = ~xFirst & swl_walk_less_f64x8(ty, tz) & moving
      let takeZ = moving & ~(takeX | takeY)
      vx = vx &+ (sx & takeX)
      vy = vy &+ (sy & takeY)
      vz = vz &+ (sz & takeZ)
      tx = swl_walk_select_f64x8(takeX, tx + gx, tx)
      ty = swl_walk_select_f64x8(takeY, ty + gy, ty)
      tz = swl_walk_select_f64x8(takeZ, tz + gz, tz)
    }

    // A lost ray stands on cell 0, which is border.
    let jumpX = sx &* SIMD8<Int64>(repeating: xStride)
    let jumpY = sy &* SIMD8<Int64>(repeating: yStride)
    let planeIndex: SIMD8<Int64> = (vx &+ one) &* SIMD8<Int64>(repeating: xStride)
    let rowIndex: SIMD8<Int64> = (vy &+ one) &* SIMD8<Int64>(repeating: yStride)
    var index: SIMD8<Int64> = planeIndex &+ rowIndex
    index = index &+ vz
    index = (index &+ one) & ~lost
    var code = swl_walk_gather_u8_i64x8(grid, index)
    var free = swl_walk_equal_i64x8(code, none)
    while swl_walk_any_i64x8(free) {
      // Ties go to z before y before x.
      let xFirst = swl_walk_less_f64x8(tx, ty)
      let takeX = xFirst & swl_walk_less_f64x8(tx, tz) & free
      let takeY = ~xFirst & swl_walk_less_f64x8(ty, tz) & free
      let takeZ = free & ~(takeX | takeY)
      distance = swl_walk_select_f64x8(takeX, tx, distance)
      distance = swl_walk_select_f64x8(takeY, ty, distance)
      distance = swl_walk_select_f64x8(takeZ, tz, distance)
      index = index &+ (jumpX & takeX)
      index = index &+ (jumpY & takeY)
      index = index &+ (sz & takeZ)
      tx = swl_walk_select_f64x8(takeX, tx + gx, tx)
      ty = swl_walk_select_f64x8(takeY, ty + gy, ty)
      tz = swl_walk_select_f64x8(takeZ, tz + gz, tz)
      code = swl_walk_gather_u8_i64x8(grid, index)
      free = swl_walk_equal_i64x8(code, none)
    }
    let hit = swl_walk_equal_i64x8(code, one)
    let xFirst = swl_walk_less_f64x8(tx, ty)
    let nearer = swl_walk_select_f64x8(xFirst, tx, ty)
    let leaving = swl_walk_select_f64x8(swl_walk_less_f64x8(nearer, tz), nearer, tz)
    let result = swl_walk_select_f64x8(hit, leaving, distance)
    let found = index | ~hit
    var lane = 0
    while lane < 8 {
      voxels[ray &+ lane] = found[lane]
      distances[ray &+ lane] = Float(result[lane])
      lane &+= 1
    }
    ray &+= 8
  }
}
