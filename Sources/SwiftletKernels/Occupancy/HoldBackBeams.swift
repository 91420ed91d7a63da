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
/// - `measured`: [row][128 slots] of beams, a ring of `rowTotal` fans; the first and the last slot of a
///   row are empty, and 16 words in front of and behind the ring can be read.
/// - `lines`: per fan as everywhere. `settings`: voxels a range step; steps a voxel; `width`; steepness
///   above and below; half the spacing of fans; how far before its end every beam stops; how near to
///   the face of a layer a surface counts as on both of its sides; the steepest level surface, rise a
///   run; the sensor's height in the window; steepness beside; the noise of ranges.
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
    splitFan(measured, row, rowTotal, settings, scratch)
    let turn = settings[4] / lines[row &* 8 &+ 4]
    var slot = 0
    while slot < 128 {
      let beam = swl_load_i32x16(measured + (row &* 128 &+ slot))
      let range = swl_f32x16_from_i32x16(swl_ray_shift_right_i32x16(beam, 16)) * settings[0]
      if swl_mask_bits_i32x16(swl_less_f32x16(zero, range)) == 0 {
        swl_store_i32x16(image + (row &* 128 &+ slot), beam)
        slot &+= 16
        continue
      }
      var cut = SIMD16<Float>(repeating: settings[5])
      cut = swl_max_f32x16(cut, verticalCut(scratch + slot, -1, range, settings))
      cut = swl_max_f32x16(cut, verticalCut(scratch + slot, 1, range, settings))
      cut = swl_max_f32x16(
        cut, besideCut(measured + slot, row, 1, rowTotal, turn, range, settings))
      cut = swl_max_f32x16(
        cut, besideCut(measured + slot, row, -1, rowTotal, turn, range, settings))
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
  _ measured: UnsafePointer<Int32>, _ row: Int, _ rowTotal: Int, _ settings: UnsafePointer<Float>,
  _ scratch: UnsafeMutablePointer<Float>
) {
  let zero = SIMD16<Float>(repeating: 0)
  swl_store_f32x16(scratch, zero)
  swl_store_f32x16(scratch + 144, zero)
  swl_store_f32x16(scratch + 160, zero)
  swl_store_f32x16(scratch + 304, zero)
  var slot = 0
  while slot < 128 {
    let beam = filledBeam(measured + slot, row, rowTotal)
    let rise = swl_f32x16_from_i32x16(beam & SIMD16(repeating: 0xffff)) * (1 / 32767.5) - 1
    let flat = swl_max_f32x16(1 - swl_abs_f32x16(rise), SIMD16(repeating: 1 / 1024))
    let range = swl_f32x16_from_i32x16(swl_ray_shift_right_i32x16(beam, 16)) * settings[0]
    swl_store_f32x16(scratch + (16 &+ slot), range)
    swl_store_f32x16(scratch + (176 &+ slot), rise / flat)
    slot &+= 16
  }
}

/// The beam of the fan, else of the nearest fan that has one, at most two away: a tilted sensor's
/// firing spreads over several fans.
@inline(__always)
private func filledBeam(
  _ beams: UnsafePointer<Int32>, _ row: Int, _ rowTotal: Int
) -> SIMD16<Int32> {
  let none = SIMD16<Int32>(repeating: 0xffff)
  var beam = swl_load_i32x16(beams + row &* 128)
  var away = 1
  while away <= 2 {
    let next = ringRow(row &+ away, rowTotal)
    let previous = ringRow(row &- away, rowTotal)
    beam = swl_select_i32x16(
      swl_greater_i32x16(beam, none), beam, swl_load_i32x16(beams + next &* 128))
    beam = swl_select_i32x16(
      swl_greater_i32x16(beam, none), beam, swl_load_i32x16(beams + previous &* 128))
    away &+= 1
  }
  return beam
}

/// A row at most once around the ring.
@inline(__always)
private func ringRow(_ row: Int, _ rowTotal: Int) -> Int {
  row < 0 ? row &+ rowTotal : row >= rowTotal ? row &- rowTotal : row
}

/// What the nearest two beams up to eight slots away on side `step` cut off.
@inline(__always)
private func verticalCut(
  _ planes: UnsafePointer<Float>, _ step: Int, _ range: SIMD16<Float>,
  _ settings: UnsafePointer<Float>
) -> SIMD16<Float> {
  let zero = SIMD16<Float>(repeating: 0)
  let own = swl_less_f32x16(zero, range)
  var first: Neighbour = (zero, zero)
  var second = first
  var hasFirst = SIMD16<Int32>(repeating: 0)
  var hasSecond = hasFirst
  var away = 1
  while away <= 8 {
    let place = planes + away &* step
    let found: Neighbour = (swl_load_f32x16(place + 16), swl_load_f32x16(place + 176))
    let isThere = swl_less_f32x16(zero, found.range)
    let isSecond = isThere & hasFirst & ~hasSecond
    second = selectNeighbour(isSecond, found, second)
    first = selectNeighbour(isThere & ~hasFirst, found, first)
    hasSecond = hasSecond | isSecond
    hasFirst = hasFirst | isThere
    if swl_mask_bits_i32x16(own & ~hasSecond) == 0 { break }
    away &+= 1
  }
  let beam: Neighbour = (range, swl_load_f32x16(planes + 176))
  let upright: Float = step < 0 ? 1 : -1
  let isClose = swl_less_f32x16(gapBetween(first, beam), SIMD16(repeating: settings[2]))
  return swl_max_f32x16(
    surfaceCut(first, beam, own & hasFirst, upright, settings),
    surfaceCut(second, beam, own & hasSecond & isClose, upright, settings))
}

/// What the beams of about the same elevation one, two, four and eight fans away cut off; `step` is
/// the way to the next fan around the ring.
@inline(__always)
private func besideCut(
  _ beams: UnsafePointer<Int32>, _ row: Int, _ step: Int, _ rowTotal: Int, _ turn: Float,
  _ range: SIMD16<Float>, _ settings: UnsafePointer<Float>
) -> SIMD16<Float> {
  let zero = SIMD16<Float>(repeating: 0)
  let longest = swl_max_lane_f32x16(range)
  var cut = zero
  var away = 1
  while away <= 8 {
    let turns = turn * Float(away)
    let beam = levelBeam(beams + ringRow(row &+ away &* step, rowTotal) &* 128)
    // Where there is none, range and gap are 0: no surface.
    let near = swl_f32x16_from_i32x16(swl_ray_shift_right_i32x16(beam, 16)) * settings[0]
    let gap = near * turns
    var surface = isSurface(near, gap, range, settings[9])
    if away > 2 {
      surface = surface & swl_less_f32x16(gap, SIMD16(repeating: 2 * settings[2]))
    }
    // A surface's gap is at most this; up to `width` its share of the lead is all of it.
    let ends =
      longest * turns <= settings[2]
      ? range - near : cutAcross(near, gap, range, settings)
    cut = swl_max_f32x16(cut, swl_select_f32x16(surface, ends, zero))
    away &*= 2
  }
  return cut
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
