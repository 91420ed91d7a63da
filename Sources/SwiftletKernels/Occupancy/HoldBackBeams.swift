import CVectorShims

/// Holds beams back from the surface they end on, as far as their neighbours' ends show that they
/// graze it: a ray that comes in flat passes through many voxels of the surface before its own end,
/// and a miss in each of them would erase what other rays hit there.
///
/// A neighbour that ended earlier, at range q < r, lies g beside the ray there; the surface between the
/// two ends is taken as straight. Where the lead r − q is more than some steepness times g it is an
/// edge against something farther away, not a surface.
/// - Level surfaces (roads, roofs, ceilings), seen by the beams above and below: the beam ends where
///   it would enter the layer of voxels that the surface lies in there, so that the layer in front of
///   it is cleared as ever.
/// - All others: the beam ends where it comes closer to the surface than `width`,
///   r − (r − q) · min(1, width / g).
///
/// Neighbours are the nearest two beams above and two below, at most eight slots away, in the same fan
/// or, where it has none at that slot, in the nearest of two on either side; of the second only where
/// the first is nearer than `width`. And the beams of the same elevation one, two, four and eight fans
/// beside, the outer two only while half their distance is less than `width`. In voxels; nothing is
/// fused.
///
/// - `measured`: [row][128 slots] of beams, a ring of `rowTotal` fans, 8 at the least; the first and
///   the last slot of a row are empty, and 16 words in front of and behind the ring can be read.
/// - `lines`: per fan as everywhere. `settings`: voxels a range step; steps a voxel; `width`; steepness
///   above and below; half the spacing of fans; how far before its end every beam stops; how near to
///   the face of a layer a surface counts as on both of its sides; the steepest level surface, rise a
///   run; the sensor's height in the window; steepness beside; the noise of ranges.
/// - `scratch`: 10,240 floats. `image`: out, rows `firstRow ..< lastRow`.
@inline(never)
public func holdBackBeams(
  _ measured: UnsafePointer<Int32>, _ rowTotal: Int, _ firstRow: Int, _ lastRow: Int,
  _ lines: UnsafePointer<Float>, _ settings: UnsafePointer<Float>,
  _ scratch: UnsafeMutablePointer<Float>, _ image: UnsafeMutablePointer<Int32>
) {
  // The fans at hand by their number and 31, for the beams beside.
  let ranges = scratch + 2048
  var ahead = firstRow &- 8
  prepareBeamLists(scratch)
  var row = firstRow
  while row < lastRow {
    while ahead <= row &+ 8 {
      let fan = measured + ringRow(ahead, rowTotal) &* 128
      levelRanges(fan, settings[0], ranges + (ahead & 31) &* 128)
      ahead &+= 1
    }
    let listed = listBeams(measured, row, rowTotal, scratch)
    let cuts = cutAboveAndBelow(listed.count, settings, scratch)
    let turn = settings[4] / lines[row &* 8 &+ 4]
    let longest = Float(listed.longest &>> 16) * settings[0]
    var slot = 0
    while slot < 128 {
      let beam = swl_ray_load_i32x8(measured + (row &* 128 &+ slot))
      let range = swl_ray_f32x8_from_i32x8(swl_ray_shift_right_i32x8(beam, 16)) * settings[0]
      var steps = SIMD8<Int32>(repeating: 0)
      if swl_ray_any_i32x8(swl_ray_less_f32x8(SIMD8(repeating: 0), range)) {
        let beside = besideCut(ranges + slot, row, turn, longest, range, settings)
        let cut = swl_ray_max_f32x8(swl_ray_load_f32x8(cuts + slot), beside)
        let held = swl_ray_max_f32x8(range - cut, SIMD8(repeating: 0)) * settings[1]
        steps = swl_ray_shift_left_i32x8(swl_ray_trunc_i32x8(held), 16)
      }
      swl_ray_store_i32x8(
        image + (row &* 128 &+ slot), steps | (beam & SIMD8(repeating: 0xffff)))
      slot &+= 8
    }
    row &+= 1
  }
}

/// A row at most once around the ring.
@inline(__always)
func ringRow(_ row: Int, _ rowTotal: Int) -> Int {
  row < 0 ? row &+ rowTotal : row >= rowTotal ? row &- rowTotal : row
}

/// Per slot the range of a fan's beam there, else of the one above, else of the one below, else 0; and
/// 4,096 words behind it the inverse.
@inline(__always)
private func levelRanges(
  _ fan: UnsafePointer<Int32>, _ unit: Float, _ ranges: UnsafeMutablePointer<Float>
) {
  let none = SIMD8<Int32>(repeating: 0xffff)
  var slot = 0
  while slot < 128 {
    let same = swl_ray_load_i32x8(fan + slot)
    let above = swl_ray_load_i32x8(fan + (slot &+ 1))
    let below = swl_ray_load_i32x8(fan + (slot &- 1))
    let other = swl_ray_select_i32x8(swl_ray_less_i32x8(none, above), above, below)
    let beam = swl_ray_select_i32x8(swl_ray_less_i32x8(none, same), same, other)
    let range = swl_ray_f32x8_from_i32x8(swl_ray_shift_right_i32x8(beam, 16)) * unit
    swl_ray_store_f32x8(ranges + slot, range)
    swl_ray_store_f32x8(ranges + (4096 &+ slot), 1 / range)
    slot &+= 8
  }
}

/// What the beams of about the same elevation one, two, four and eight fans away cut off.
///
/// - `turn`: how far apart neighbouring fans are at range 1. `longest`: of the fan's ranges.
@inline(__always)
private func besideCut(
  _ ranges: UnsafePointer<Float>, _ row: Int, _ turn: Float, _ longest: Float,
  _ range: SIMD8<Float>, _ settings: UnsafePointer<Float>
) -> SIMD8<Float> {
  // Up to this range the nearest fans beside are less than `width` away.
  let share = settings[2] / turn
  let rise = turn * settings[9]
  let one = cutBeside(ranges, row, 1, .infinity, share, 1 + rise, longest, range)
  let two = cutBeside(ranges, row, 2, .infinity, share / 2, 1 + 2 * rise, longest, range)
  let four = cutBeside(ranges, row, 4, share / 2, share / 4, 1 + 4 * rise, longest, range)
  let eight = cutBeside(ranges, row, 8, share / 4, share / 8, 1 + 8 * rise, longest, range)
  return swl_ray_max_f32x8(swl_ray_max_f32x8(one, two), swl_ray_max_f32x8(four, eight))
}

/// What the fans `away` on either side cut off; less than 0 where what lies farther away could be a
/// beam's surface. Where there is no beam its range is 0: no surface.
@inline(__always)
private func cutBeside(
  _ ranges: UnsafePointer<Float>, _ row: Int, _ away: Int, _ reach: Float, _ share: Float,
  _ steepest: Float, _ longest: Float, _ range: SIMD8<Float>
) -> SIMD8<Float> {
  let zero = SIMD8<Float>(repeating: 0)
  let next = ranges + ((row &+ away) & 31) &* 128
  let previous = ranges + ((row &- away) & 31) &* 128
  let a = swl_ray_load_f32x8(next)
  let b = swl_ray_load_f32x8(previous)
  let isA = swl_ray_less_equal_f32x8(range, a * steepest)
  let isB = swl_ray_less_equal_f32x8(range, b * steepest)
  if longest <= share {
    // All of the lead, and the nearer surface of two cuts off more.
    return swl_ray_max_f32x8(
      swl_ray_select_f32x8(isA, range - a, zero), swl_ray_select_f32x8(isB, range - b, zero))
  }
  let one = SIMD8<Float>(repeating: 1)
  let partA = swl_ray_min_f32x8(one, swl_ray_load_f32x8(next + 4096) * share)
  let partB = swl_ray_min_f32x8(one, swl_ray_load_f32x8(previous + 4096) * share)
  let isNearA = swl_ray_less_f32x8(a, SIMD8(repeating: reach))
  let isNearB = swl_ray_less_f32x8(b, SIMD8(repeating: reach))
  return swl_ray_max_f32x8(
    swl_ray_select_f32x8(isA & isNearA, (range - a) * partA, zero),
    swl_ray_select_f32x8(isB & isNearB, (range - b) * partB, zero))
}
