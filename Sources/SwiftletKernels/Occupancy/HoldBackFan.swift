import CVectorShims

// One fan's beams as lists by slot, in `scratch`: the beams themselves and their slots, then ranges,
// slopes, heights and cuts. A list has 128 places, 16 in front, which are empty, and 16 behind.
private let listStride = 160

@inline(__always)
private func listedBeams(_ scratch: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Int32> {
  UnsafeMutableRawPointer(scratch + 16).assumingMemoryBound(to: Int32.self)
}
@inline(__always)
private func listedSlots(_ scratch: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Int32> {
  listedBeams(scratch) + listStride
}
@inline(__always)
private func listedRanges(_ scratch: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> {
  scratch + (16 &+ 2 &* listStride)
}
@inline(__always)
private func loadBeams(_ ranges: UnsafePointer<Float>) -> Neighbour {
  (
    swl_ray_load_f32x8(ranges), swl_ray_load_f32x8(ranges + listStride),
    swl_ray_load_f32x8(ranges + 2 &* listStride)
  )
}

@inline(__always)
private func slotNumbers(_ scratch: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Int32> {
  UnsafeMutableRawPointer(scratch + 1280).assumingMemoryBound(to: Int32.self)
}

/// Empties the lists and numbers the slots.
@inline(__always)
func prepareBeamLists(_ scratch: UnsafeMutablePointer<Float>) {
  var word = 0
  while word < 1280 {
    swl_ray_store_f32x8(scratch + word, SIMD8(repeating: 0))
    word &+= 8
  }
  let numbers = slotNumbers(scratch)
  var slot = 0
  while slot < 128 {
    numbers[slot] = Int32(truncatingIfNeeded: slot)
    slot &+= 1
  }
}

/// Lists a fan's beams, and where it has none at a slot those of the nearest fan that has one, at
/// most two away: a tilted sensor's firing spreads over several fans. None where the fan itself has
/// none. The list ends with two empty beams. Also returns the fan's own longest beam.
@inline(__always)
func listBeams(
  _ measured: UnsafePointer<Int32>, _ row: Int, _ rowTotal: Int,
  _ scratch: UnsafeMutablePointer<Float>
) -> (count: Int, longest: Int32) {
  let filled = UnsafeMutableRawPointer(scratch + 1024).assumingMemoryBound(to: Int32.self)
  var longest = SIMD8<Int32>(repeating: 0xffff)
  var slot = 0
  while slot < 128 {
    longest = swl_ray_max_i32x8(longest, swl_ray_load_i32x8(measured + (row &* 128 &+ slot)))
    swl_ray_store_i32x8(filled + slot, filledBeam(measured + slot, row, rowTotal))
    slot &+= 8
  }
  let most = swl_ray_max_lane_i32x8(longest)
  if most == 0xffff { return (0, 0) }
  let beams = listedBeams(scratch)
  let slots = listedSlots(scratch)
  let numbers = slotNumbers(scratch)
  var count = 0
  slot = 0
  while slot < 128 {
    let kept = swl_ray_list_i32x4(
      filled + slot, numbers + slot, 0xffff, beams + count, slots + count)
    count &+= Int(kept)
    slot &+= 4
  }
  swl_ray_store_i32x8(beams + count, SIMD8(repeating: 0))
  return (count, most)
}

/// A fan's beams, where it has none those of the nearest that has one.
@inline(__always)
private func filledBeam(
  _ beams: UnsafePointer<Int32>, _ row: Int, _ rowTotal: Int
) -> SIMD8<Int32> {
  let none = SIMD8<Int32>(repeating: 0xffff)
  var beam = swl_ray_load_i32x8(beams + row &* 128)
  var away = 1
  while away <= 2 {
    let next = swl_ray_load_i32x8(beams + ringRow(row &+ away, rowTotal) &* 128)
    let previous = swl_ray_load_i32x8(beams + ringRow(row &- away, rowTotal) &* 128)
    beam = swl_ray_select_i32x8(swl_ray_less_i32x8(none, beam), beam, next)
    beam = swl_ray_select_i32x8(swl_ray_less_i32x8(none, beam), beam, previous)
    away &+= 1
  }
  return beam
}

/// By slot, what the nearest two beams above and below cut off the `count` listed ones, and at least
/// what every beam loses.
@inline(__always)
func cutAboveAndBelow(
  _ count: Int, _ settings: UnsafePointer<Float>, _ scratch: UnsafeMutablePointer<Float>
) -> UnsafePointer<Float> {
  splitBeams(count, settings, scratch)
  let ranges = listedRanges(scratch)
  let slots = listedSlots(scratch)
  let cuts = ranges + 3 &* listStride
  var first = 0
  while first < count {
    let beam = loadBeams(ranges + first)
    let inverse = 1 / beam.slope
    let above = sideCut(ranges + first, slots + first, 1, beam, inverse, settings)
    let below = sideCut(ranges + first, slots + first, -1, beam, inverse, settings)
    let cut = swl_ray_max_f32x8(above, below)
    swl_ray_store_f32x8(cuts + first, swl_ray_max_f32x8(SIMD8(repeating: settings[5]), cut))
    first &+= 8
  }
  let bySlot = scratch + 1152
  first = 0
  while first < count {
    bySlot[Int(slots[first])] = cuts[first]
    first &+= 1
  }
  return UnsafePointer(bySlot)
}

/// Ranges, slopes and heights of the listed beams and of the two empty ones behind them.
@inline(__always)
private func splitBeams(
  _ count: Int, _ settings: UnsafePointer<Float>, _ scratch: UnsafeMutablePointer<Float>
) {
  let beams = listedBeams(scratch)
  let ranges = listedRanges(scratch)
  var first = 0
  while first < count &+ 2 {
    let beam = swl_ray_load_i32x8(beams + first)
    let rise = swl_ray_f32x8_from_i32x8(beam & SIMD8(repeating: 0xffff)) * (1 / 32767.5) - 1
    let flat = swl_ray_max_f32x8(1 - swl_ray_abs_f32x8(rise), SIMD8(repeating: 1 / 1024))
    let range = swl_ray_f32x8_from_i32x8(swl_ray_shift_right_i32x8(beam, 16)) * settings[0]
    let slope = rise / flat
    swl_ray_store_f32x8(ranges + first, range)
    swl_ray_store_f32x8(ranges + (listStride &+ first), slope)
    swl_ray_store_f32x8(ranges + (2 &* listStride &+ first), slope * range + settings[8])
    first &+= 8
  }
}

/// What the nearest two beams up to eight slots away on side `step` cut off.
@inline(__always)
private func sideCut(
  _ ranges: UnsafePointer<Float>, _ slots: UnsafePointer<Int32>, _ step: Int, _ beam: Neighbour,
  _ inverse: SIMD8<Float>, _ settings: UnsafePointer<Float>
) -> SIMD8<Float> {
  let upright: Float = step < 0 ? 1 : -1
  let first = loadBeams(ranges + step)
  let second = loadBeams(ranges + 2 &* step)
  let isClose = swl_ray_less_f32x8(gapBetween(first, beam), SIMD8(repeating: settings[2]))
  return swl_ray_max_f32x8(
    surfaceCut(first, beam, inverse, isWithinEight(slots, step), upright, settings),
    surfaceCut(second, beam, inverse, isWithinEight(slots, 2 &* step) & isClose, upright, settings))
}

/// Whether the beams `step` places on in the list are at most eight slots away.
@inline(__always)
private func isWithinEight(_ slots: UnsafePointer<Int32>, _ step: Int) -> SIMD8<Int32> {
  let own = swl_ray_load_i32x8(slots)
  let other = swl_ray_load_i32x8(slots + step)
  return swl_ray_less_i32x8(step < 0 ? own &- other : other &- own, SIMD8(repeating: 9))
}
