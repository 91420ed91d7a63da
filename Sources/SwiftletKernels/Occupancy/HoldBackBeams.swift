import CVectorShims

/// Holds beams back from the surface they end on, as far as their neighbours' ends show that they
/// graze it: a ray that comes in flat passes through many voxels of the surface before its own end,
/// and a miss in each of them would erase what other rays hit there.
///
/// A neighbour that ended earlier, at range q < r, lies g beside the ray there; the surface between the
/// two ends is taken as straight, and the beam ends where the ray comes closer to it than `width`:
/// r − (r − q) · min(1, width / g). Where the lead r − q is more than `steepest` · g it is an edge
/// against something farther away, not a surface. Neighbours are the nearest beams above and below in
/// the same fan, at most five slots away, and in the nearest of the next three fans on either side
/// that has one. In voxels; nothing is fused.
///
/// - `measured`: [row][128 slots] of beams, a ring of `rowTotal` fans; the first and the last slot of a
///   row are empty, and 16 words in front of and behind the ring can be read.
/// - `lines`: per fan as everywhere. `settings`: voxels a range step, steps a voxel, `width`,
///   `steepest`, half the spacing of fans.
/// - `scratch`: 512 floats. `image`: out, rows `firstRow ..< lastRow`.
@inline(never)
public func holdBackBeams(
  _ measured: UnsafePointer<Int32>, _ rowTotal: Int, _ firstRow: Int, _ lastRow: Int,
  _ lines: UnsafePointer<Float>, _ settings: UnsafePointer<Float>,
  _ scratch: UnsafeMutablePointer<Float>, _ image: UnsafeMutablePointer<Int32>
) {
  let zero = SIMD16<Float>(repeating: 0)
  var row = firstRow
  while row < lastRow {
    let own = measured + row &* 128
    splitFan(own, settings[0], scratch)
    let turn = settings[4] / lines[row &* 8 &+ 4]
    let next = measured + (row &+ 1) % rowTotal &* 128
    let second = measured + (row &+ 2) % rowTotal &* 128
    let third = measured + (row &+ 3) % rowTotal &* 128
    let previous = measured + (row &+ rowTotal &- 1) % rowTotal &* 128
    let beforeThat = measured + (row &+ rowTotal &- 2) % rowTotal &* 128
    let beforeThem = measured + (row &+ rowTotal &- 3) % rowTotal &* 128
    var slot = 0
    while slot < 128 {
      let beam = swl_load_i32x16(own + slot)
      let range = swl_load_f32x16(scratch + (16 &+ slot))
      if swl_mask_bits_i32x16(swl_less_f32x16(zero, range)) == 0 {
        swl_store_i32x16(image + (row &* 128 &+ slot), beam)
        slot &+= 16
        continue
      }
      let slope = swl_load_f32x16(scratch + (176 &+ slot))
      var cut = verticalCut(scratch + slot, -1, range, slope, settings)
      cut = swl_max_f32x16(cut, verticalCut(scratch + slot, 1, range, slope, settings))
      cut = swl_max_f32x16(
        cut, besideCut(next + slot, second + slot, third + slot, turn, range, settings))
      cut = swl_max_f32x16(
        cut,
        besideCut(
          previous + slot, beforeThat + slot, beforeThem + slot, turn, range, settings))
      let held = swl_max_f32x16(range - cut, zero) * settings[1]
      let steps = swl_ray_shift_left_i32x16(swl_trunc_i32x16(held), 16)
      swl_store_i32x16(
        image + (row &* 128 &+ slot), steps | (beam & SIMD16(repeating: 0xffff)))
      slot &+= 16
    }
    row &+= 1
  }
}

/// Ranges into 16 ..< 144 and slopes into 176 ..< 304 of `scratch`, with zeros on both sides.
@inline(__always)
private func splitFan(
  _ beams: UnsafePointer<Int32>, _ unit: Float, _ scratch: UnsafeMutablePointer<Float>
) {
  let zero = SIMD16<Float>(repeating: 0)
  swl_store_f32x16(scratch, zero)
  swl_store_f32x16(scratch + 144, zero)
  swl_store_f32x16(scratch + 160, zero)
  swl_store_f32x16(scratch + 304, zero)
  var slot = 0
  while slot < 128 {
    let beam = swl_load_i32x16(beams + slot)
    let rise = swl_f32x16_from_i32x16(beam & SIMD16(repeating: 0xffff)) * (1 / 32767.5) - 1
    let flat = swl_max_f32x16(1 - swl_abs_f32x16(rise), SIMD16(repeating: 1 / 1024))
    let range = swl_f32x16_from_i32x16(swl_ray_shift_right_i32x16(beam, 16)) * unit
    swl_store_f32x16(scratch + (16 &+ slot), range)
    swl_store_f32x16(scratch + (176 &+ slot), rise / flat)
    slot &+= 16
  }
}

/// What the nearest beam up to five slots away on side `step` cuts off.
@inline(__always)
private func verticalCut(
  _ planes: UnsafePointer<Float>, _ step: Int, _ range: SIMD16<Float>, _ slope: SIMD16<Float>,
  _ settings: UnsafePointer<Float>
) -> SIMD16<Float> {
  let zero = SIMD16<Float>(repeating: 0)
  var near = swl_load_f32x16(planes + (16 &+ 5 &* step))
  var nearSlope = swl_load_f32x16(planes + (176 &+ 5 &* step))
  var away = 4
  while away > 0 {
    let closer = swl_load_f32x16(planes + (16 &+ away &* step))
    let isThere = swl_less_f32x16(zero, closer)
    near = swl_select_f32x16(isThere, closer, near)
    nearSlope = swl_select_f32x16(
      isThere, swl_load_f32x16(planes + (176 &+ away &* step)), nearSlope)
    away &-= 1
  }
  return cutOff(near, swl_abs_f32x16(nearSlope - slope) * near, range, settings)
}

/// What the beam of about the same elevation one fan, else two, else three fans, beside cuts off.
@inline(__always)
private func besideCut(
  _ first: UnsafePointer<Int32>, _ second: UnsafePointer<Int32>,
  _ third: UnsafePointer<Int32>, _ turn: Float, _ range: SIMD16<Float>,
  _ settings: UnsafePointer<Float>
) -> SIMD16<Float> {
  let one = levelBeam(first)
  let two = levelBeam(second)
  let none = SIMD16<Int32>(repeating: 0xffff)
  let isFirst = swl_greater_i32x16(one, none)
  let isSecond = swl_greater_i32x16(two, none)
  let far = swl_select_i32x16(isSecond, two, levelBeam(third))
  let beam = swl_select_i32x16(isFirst, one, far)
  let near = swl_f32x16_from_i32x16(swl_ray_shift_right_i32x16(beam, 16)) * settings[0]
  let turns = swl_select_f32x16(
    isFirst, SIMD16(repeating: turn),
    swl_select_f32x16(
      isSecond, SIMD16(repeating: turn + turn), SIMD16(repeating: turn + turn + turn)))
  return cutOff(near, turns * near, range, settings)
}

/// The beam of the same slot, else of the one above, else of the one below.
@inline(__always)
private func levelBeam(_ beams: UnsafePointer<Int32>) -> SIMD16<Int32> {
  let none = SIMD16<Int32>(repeating: 0xffff)
  let same = swl_load_i32x16(beams)
  let above = swl_load_i32x16(beams + 1)
  let below = swl_load_i32x16(beams - 1)
  let other = swl_select_i32x16(swl_greater_i32x16(above, none), above, below)
  return swl_select_i32x16(swl_greater_i32x16(same, none), same, other)
}

/// (r − q) · min(1, width / g) where q is a range below r and its lead no edge; else 0.
@inline(__always)
private func cutOff(
  _ near: SIMD16<Float>, _ gap: SIMD16<Float>, _ range: SIMD16<Float>,
  _ settings: UnsafePointer<Float>
) -> SIMD16<Float> {
  let zero = SIMD16<Float>(repeating: 0)
  let lead = range - near
  let isSurface = swl_less_f32x16(zero, near) & swl_less_f32x16(zero, lead)
    & swl_less_equal_f32x16(lead, gap * settings[3])
  let share = swl_min_f32x16(SIMD16(repeating: 1), SIMD16(repeating: settings[2]) / gap)
  return swl_select_f32x16(isSurface, lead * share, zero)
}
