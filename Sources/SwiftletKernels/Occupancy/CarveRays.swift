import CVectorShims

/// Sets the bit of every voxel that rays cross, end voxels excluded, in a dense volume of bits
/// [y][x][z] with `wordCount` 64-bit words of z a column.
///
/// Eight rays advance together, one voxel a step; the bits are then set one by one, because rays of
/// one group often share a word. Rays that have ended keep setting the spare bit behind the volume,
/// which costs less than a branch a lane.
///
/// - `ends`: planes of x, y, z `capacity` apart; `order`: `count` indices into them, alike lengths
///   side by side.
/// - `parameters`: origin x, y, z (float values), voxel size, key of the origin x, y, z.
/// - `volume`: key of the first voxel x, y, z, then x count, y count, words a column.
/// - `bits`: y count · x count · words, plus 1 spare word.
/// - `scratch`: 8 aligned Int64.
@inline(never)
public func carveRays(
  _ ends: UnsafePointer<Float>, _ capacity: Int, _ order: UnsafePointer<Int32>, _ count: Int,
  _ parameters: UnsafePointer<Double>, _ volume: UnsafePointer<Int32>,
  _ bits: UnsafeMutablePointer<UInt64>, _ scratch: UnsafeMutablePointer<Int64>
) {
  let originX = Float(parameters[0])
  let originY = Float(parameters[1])
  let originZ = Float(parameters[2])
  let voxel = parameters[3]
  let inverse = 1 / voxel
  let key = SIMD3<Double>(parameters[4], parameters[5], parameters[6])
  let zBits = Int64(volume[5]) &* 64
  let rowBits = Int64(volume[3]) &* zBits
  let spare = SIMD8<Int64>(repeating: Int64(volume[4]) &* rowBits)
  let startY = (Int64(key.y) &- Int64(volume[1])) &* rowBits
  let startX = (Int64(key.x) &- Int64(volume[0])) &* zBits
  let start = SIMD8<Int64>(repeating: startY &+ startX &+ (Int64(key.z) &- Int64(volume[2])))
  var group = 0
  while group < count {
    var endX = SIMD8<Float>(repeating: originX)
    var endY = SIMD8<Float>(repeating: originY)
    var endZ = SIMD8<Float>(repeating: originZ)
    let lanes = min(8, count &- group)
    var lane = 0
    while lane < lanes {
      let ray = Int(order[group &+ lane])
      endX[lane] = ends[ray]
      endY[lane] = ends[ray &+ capacity]
      endZ[lane] = ends[ray &+ 2 &* capacity]
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
    let awayX = swl_ray_floor_f64x8(swl_ray_f64x8_from_f32x8(endX) * inverse) - key.x
    let awayY = swl_ray_floor_f64x8(swl_ray_f64x8_from_f32x8(endY) * inverse) - key.y
    let awayZ = swl_ray_floor_f64x8(swl_ray_f64x8_from_f32x8(endZ) * inverse) - key.z
    let end =
      start &+ swl_ray_i64x8_from_i32x8(swl_ray_i32x8_from_f64x8(awayX)) &* zBits
      &+ swl_ray_i64x8_from_i32x8(swl_ray_i32x8_from_f64x8(awayY)) &* rowBits
      &+ swl_ray_i64x8_from_i32x8(swl_ray_i32x8_from_f64x8(awayZ))
    let strideX = swl_ray_i64x8_from_i32x8(swl_ray_i32x8_from_f64x8(stepX)) &* zBits
    let strideY = swl_ray_i64x8_from_i32x8(swl_ray_i32x8_from_f64x8(stepY)) &* rowBits
    let strideZ = swl_ray_i64x8_from_i32x8(swl_ray_i32x8_from_f64x8(stepZ))
    var position = start
    var live = ~swl_ray_equal_i64x8(start, end)
    while swl_ray_mask_bits_i64x8(live) != 0 {
      swl_ray_store_i64x8(scratch, swl_ray_select_i64x8(live, position, spare))
      setBit(bits, scratch[0])
      setBit(bits, scratch[1])
      setBit(bits, scratch[2])
      setBit(bits, scratch[3])
      setBit(bits, scratch[4])
      setBit(bits, scratch[5])
      setBit(bits, scratch[6])
      setBit(bits, scratch[7])
      advanceRays(
        &nextX, &nextY, &nextZ, deltaX, deltaY, deltaZ, strideX, strideY, strideZ, &position)
      let travelled = swl_ray_min_f64x8(swl_ray_min_f64x8(nextX, nextY), nextZ)
      let within = swl_ray_less_equal_f64x8(travelled, length)
      live = live & (within & ~swl_ray_equal_i64x8(position, end))
    }
    group &+= 8
  }
}

@inline(__always)
private func setBit(_ bits: UnsafeMutablePointer<UInt64>, _ position: Int64) {
  let word = Int(truncatingIfNeeded: position &>> 6)
  bits[word] |= 1 &<< UInt64(truncatingIfNeeded: position & 63)
}

/// Sets the bits of those of `count` voxels (keys in planes `capacity` apart) that are hits and lie
/// in rows `firstRow..<lastRow` of the volume: workers share the hits by rows, so that no two
/// write one word.
@inline(never)
public func markHits(
  _ keys: UnsafePointer<Int32>, _ isHit: UnsafePointer<UInt8>, _ capacity: Int, _ count: Int,
  _ volume: UnsafePointer<Int32>, _ firstRow: Int, _ lastRow: Int,
  _ bits: UnsafeMutablePointer<UInt64>
) {
  let zBits = Int64(volume[5]) &* 64
  let rowBits = Int64(volume[3]) &* zBits
  let lowestY = Int64(volume[1])
  var index = 0
  while index < count {
    let y = Int64(keys[index &+ capacity]) &- lowestY
    if isHit[index] != 0, y >= Int64(firstRow), y < Int64(lastRow) {
      let x = Int64(keys[index]) &- Int64(volume[0])
      let z = Int64(keys[index &+ 2 &* capacity]) &- Int64(volume[2])
      setBit(bits, y &* rowBits &+ x &* zBits &+ z)
    }
    index &+= 1
  }
}
