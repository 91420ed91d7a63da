import CVectorShims

/// Lists what the beams of one fan clear between the distances `begin` and `end` as bundles: lowest
/// and highest slope, and the range up to which they go. Returns their number, first those of beams
/// that outlive the walk, 0 when every beam has ended; and the longest range, infinite where one
/// outlives the walk.
///
/// - `scratch`, floats: 0 ..< 160 lowest slopes, 160 ..< 320 highest, 320 ..< 480 ranges; 512 ..< 960
///   for itself.
@inline(__always)
func listBundles(
  _ beams: UnsafePointer<Int32>, _ unit: Float, _ begin: Float, _ end: Float,
  _ scratch: UnsafeMutablePointer<Float>
) -> (lasting: Int, all: Int, longest: Float) {
  // Slopes of the beams that outlive the walk, behind 16 of padding; slopes of all; ranges of all.
  let lasting = scratch + 528
  let slopes = scratch + 672
  let ranges = scratch + 816
  let nowhere = SIMD16<Float>(repeating: -1e30)
  let outlives = SIMD16<Float>(repeating: end + 2)
  swl_store_f32x16(scratch + 512, nowhere)
  var alive: (UInt64, UInt64) = (0, 0)
  var always: (UInt64, UInt64) = (0, 0)
  var longest = SIMD16<Float>(repeating: 0)
  var slot = 0
  // A step is a power of two of a voxel: ranges compare as the whole steps in the upper half word.
  let begun = Int32(min(begin / unit, 32767).rounded(.down))
  let ended = SIMD16<Int32>(repeating: begun &<< 16 | 0xffff)
  while slot < 128 {
    let beam = swl_load_i32x16(beams + slot)
    let bits = UInt64(swl_mask_bits_i32x16(swl_greater_i32x16(beam, ended)))
    if bits == 0 {
      swl_store_f32x16(lasting + slot, nowhere)
      slot &+= 16
      continue
    }
    let range = swl_f32x16_from_i32x16(swl_ray_shift_right_i32x16(beam, 16)) * unit
    let level = swl_f32x16_from_i32x16(beam & SIMD16(repeating: 0xffff))
    let rise = level * (1 / 32767.5) - 1
    // Steeper than 1:1024 is straight up or down for any window.
    let flat = swl_max_f32x16(1 - swl_abs_f32x16(rise), SIMD16(repeating: 1 / 1024))
    let slope = rise / flat
    let isLasting = swl_less_equal_f32x16(outlives, range)
    swl_store_f32x16(slopes + slot, slope)
    swl_store_f32x16(ranges + slot, range)
    longest = swl_max_f32x16(longest, range)
    swl_store_f32x16(lasting + slot, swl_select_f32x16(isLasting, slope, nowhere))
    let lastingBits = UInt64(swl_mask_bits_i32x16(isLasting))
    let shift = UInt64(slot & 63)
    if slot < 64 {
      alive.0 |= bits &<< shift
      always.0 |= lastingBits &<< shift
    } else {
      alive.1 |= bits &<< shift
      always.1 |= lastingBits &<< shift
    }
    slot &+= 16
  }
  if alive.0 | alive.1 == 0 { return (0, 0, 0) }
  let joined = joinedSlots(lasting, end + 2, always)
  let runs = listRuns(always, joined, slopes, scratch)
  var count = listSingles(alive.0 & ~always.0, 0, slopes, ranges, scratch, runs)
  count = listSingles(alive.1 & ~always.1, 64, slopes, ranges, scratch, count)
  return (runs, count, runs > 0 ? .infinity : swl_max_lane_f32x16(longest))
}

/// Slots whose lasting beam lies less than a voxel, at distance `reach`, above a lasting beam at most
/// three slots below.
@inline(__always)
private func joinedSlots(
  _ lasting: UnsafePointer<Float>, _ reach: Float, _ always: (UInt64, UInt64)
) -> (UInt64, UInt64) {
  if always.0 | always.1 == 0 { return (0, 0) }
  var joined: (UInt64, UInt64) = (0, 0)
  var slot = 0
  while slot < 128 {
    if (slot < 64 ? always.0 : always.1) &>> UInt64(slot & 63) & 0xffff == 0 {
      slot &+= 16
      continue
    }
    // Slopes grow with the slot, so the largest of the three is the nearest.
    let below = swl_max_f32x16(
      swl_load_f32x16(lasting + (slot &- 1)),
      swl_max_f32x16(
        swl_load_f32x16(lasting + (slot &- 2)), swl_load_f32x16(lasting + (slot &- 3))))
    let gap = (swl_load_f32x16(lasting + slot) - below) * reach
    let bits = UInt64(
      swl_mask_bits_i32x16(swl_less_f32x16(gap, SIMD16(repeating: 0.999))))
    if slot < 64 {
      joined.0 |= bits &<< UInt64(slot)
    } else {
      joined.1 |= bits &<< UInt64(slot & 63)
    }
    slot &+= 16
  }
  return (joined.0 & always.0, joined.1 & always.1)
}

/// Appends one bundle for every run of joined slots; returns their number.
@inline(__always)
private func listRuns(
  _ always: (UInt64, UInt64), _ joined: (UInt64, UInt64), _ slopes: UnsafePointer<Float>,
  _ scratch: UnsafeMutablePointer<Float>
) -> Int {
  var starts = (always.0 & ~joined.0, always.1 & ~joined.1)
  var count = 0
  while starts.0 | starts.1 != 0 {
    let isLow = starts.0 != 0
    let first =
      isLow ? starts.0.trailingZeroBitCount : 64 &+ starts.1.trailingZeroBitCount
    if isLow { starts.0 &= starts.0 &- 1 } else { starts.1 &= starts.1 &- 1 }
    // The run's last slot is the last lasting one below the next start.
    let next =
      starts.0 != 0
      ? starts.0.trailingZeroBitCount
      : starts.1 != 0 ? 64 &+ starts.1.trailingZeroBitCount : 128
    let low = next >= 64 ? always.0 : always.0 & ((1 &<< UInt64(next)) &- 1)
    let high =
      next == 128 ? always.1 : next <= 64 ? 0 : always.1 & ((1 &<< UInt64(next &- 64)) &- 1)
    let last = high != 0 ? 127 &- high.leadingZeroBitCount : 63 &- low.leadingZeroBitCount
    scratch[count] = slopes[first]
    scratch[160 &+ count] = slopes[last]
    scratch[320 &+ count] = .infinity
    count &+= 1
  }
  return count
}

/// Appends a bundle of one beam for every bit; returns the new number.
@inline(__always)
private func listSingles(
  _ bits: UInt64, _ firstSlot: Int, _ slopes: UnsafePointer<Float>,
  _ ranges: UnsafePointer<Float>, _ scratch: UnsafeMutablePointer<Float>, _ start: Int
) -> Int {
  var count = start
  var rest = bits
  while rest != 0 {
    let slot = firstSlot &+ rest.trailingZeroBitCount
    scratch[count] = slopes[slot]
    scratch[160 &+ count] = slopes[slot]
    scratch[320 &+ count] = ranges[slot]
    count &+= 1
    rest &= rest &- 1
  }
  return count
}
