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
/// or, where it has none at that slot, in the nearest of two on either side; and the nearest six
/// beams beside, at most ten fans away. One that lies farther away than `width` is the last that
/// counts. In voxels; nothing is fused.
///
/// - `measured`: [row][128 slots] of beams, a ring of `rowTotal` fans; the first and the last slot of a
///   row are empty, and 16 words in front of and behind the ring can be read.
/// - `lines`: per fan as everywhere. `settings`: voxels a range step; steps a voxel; `width`; steepness
///   above and below; half the spacing of fans; how far before its end every beam stops; how near to
///   the face of a layer a surface counts as on both of its sides; the steepest level surface, rise a
///   run; the sensor's height in the window; steepness beside.
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
        cut, besideCut(measured + slot, row, rowTotal &- 1, rowTotal, turn, range, settings))
      let held = swl_max_f32x16(range - cut, zero) * settings[1]
      let steps = swl_ray_shift_left_i32x16(swl_trunc_i32x16(held), 16)
      swl_store_i32x16(
        image + (row &* 128 &+ slot), steps | (beam & SIMD16(repeating: 0xffff)))
      slot &+= 16
    }
    row &+= 1
  }
}

/// Ranges into 16 ..< 144, slopes into 176 ..< 304 and the heights of ends into 336 ..< 464 of
/// `scratch`; in front of and behind the ranges zeros.
@inline(__always)
private func splitFan(
  _ measured: UnsafePointer<Int32>, _ row: Int, _ rowTotal: Int, _ settings: UnsafePointer<Float>,
  _ scratch: UnsafeMutablePointer<Float>
) {
  let zero = SIMD16<Float>(repeating: 0)
  var plane = 0
  while plane < 3 {
    swl_store_f32x16(scratch + 160 &* plane, zero)
    swl_store_f32x16(scratch + (160 &* plane &+ 144), zero)
    plane &+= 1
  }
  let origin = SIMD16<Float>(repeating: settings[8])
  var slot = 0
  while slot < 128 {
    let beam = filledBeam(measured + slot, row, rowTotal)
    let rise = swl_f32x16_from_i32x16(beam & SIMD16(repeating: 0xffff)) * (1 / 32767.5) - 1
    let flat = swl_max_f32x16(1 - swl_abs_f32x16(rise), SIMD16(repeating: 1 / 1024))
    let range = swl_f32x16_from_i32x16(swl_ray_shift_right_i32x16(beam, 16)) * settings[0]
    let slope = rise / flat
    swl_store_f32x16(scratch + (16 &+ slot), range)
    swl_store_f32x16(scratch + (176 &+ slot), slope)
    swl_store_f32x16(scratch + (336 &+ slot), origin + slope * range)
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
    let next = row &+ away &- (row &+ away >= rowTotal ? rowTotal : 0)
    let previous = row &- away &+ (row < away ? rowTotal : 0)
    beam = swl_select_i32x16(
      swl_greater_i32x16(beam, none), beam, swl_load_i32x16(beams + next &* 128))
    beam = swl_select_i32x16(
      swl_greater_i32x16(beam, none), beam, swl_load_i32x16(beams + previous &* 128))
    away &+= 1
  }
  return beam
}

/// What the nearest two beams up to eight slots away on side `step` cut off.
@inline(__always)
private func verticalCut(
  _ planes: UnsafePointer<Float>, _ step: Int, _ range: SIMD16<Float>,
  _ settings: UnsafePointer<Float>
) -> SIMD16<Float> {
  let zero = SIMD16<Float>(repeating: 0)
  let slope = swl_load_f32x16(planes + 176)
  let height = swl_load_f32x16(planes + 336)
  var search = NeighbourSearch(range, most: 2)
  var cut = zero
  var away = 1
  while away <= 8 && search.isOpen {
    let place = planes + away &* step
    let near = swl_load_f32x16(place + 16)
    let gap = swl_abs_f32x16(swl_load_f32x16(place + 176) - slope) * near
    let found = search.take(near, gap, settings[2])
    if swl_mask_bits_i32x16(found) != 0 {
      let nearHeight = swl_load_f32x16(place + 336)
      let surface = found & isSurface(near, gap, range, settings[3])
      let across = cutAcross(near, gap, range, settings)
      let along = cutAlong(
        near, nearHeight, range, slope, height, step < 0 ? 1 : -1, settings)
      let isLevel = swl_less_equal_f32x16(
        swl_abs_f32x16(height - nearHeight), (range - near) * settings[7])
      let ends = swl_select_f32x16(isLevel, along, across)
      cut = swl_max_f32x16(cut, swl_select_f32x16(surface, ends, zero))
    }
    away &+= 1
  }
  return cut
}

/// What the nearest six beams of about the same elevation up to ten fans away cut off; `step` is
/// the way to the next fan around the ring.
@inline(__always)
private func besideCut(
  _ beams: UnsafePointer<Int32>, _ row: Int, _ step: Int, _ rowTotal: Int, _ turn: Float,
  _ range: SIMD16<Float>, _ settings: UnsafePointer<Float>
) -> SIMD16<Float> {
  let zero = SIMD16<Float>(repeating: 0)
  var search = NeighbourSearch(range, most: 6)
  var cut = zero
  var away = 1
  var fan = row
  while away <= 10 && search.isOpen {
    fan &+= step
    if fan >= rowTotal { fan &-= rowTotal }
    let beam = levelBeam(beams + fan &* 128)
    let near = swl_f32x16_from_i32x16(swl_ray_shift_right_i32x16(beam, 16)) * settings[0]
    let gap = near * (turn * Float(away))
    let found = search.take(near, gap, settings[2])
    let surface = found & isSurface(near, gap, range, settings[9])
    let ends = cutAcross(near, gap, range, settings)
    cut = swl_max_f32x16(cut, swl_select_f32x16(surface, ends, zero))
    away &+= 1
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
