import CVectorShims

/// Walks the fans `firstRow`, `firstRow + step`, … below `lastRow` away from the sensor, column by
/// column, clears what their beams pass, and empties their rows of the image.
///
/// A fan is the vertical plane in the middle of its bins. In a column that the plane enters at
/// horizontal distance a and leaves at b, a beam of range r > a and slope s passes the heights between
/// z + a·s and z + min(b, r)·s. In voxels; nothing is fused. The walk recomputes its borders from whole
/// numbers, so that it does not drift.
///
/// A walk is cut where its distance has doubled. Beams that end behind the cut and lie less than a
/// voxel apart at it are one bundle: the union of their runs has no holes, so the lowest and the
/// highest of them say it all. This is what makes the near field cheap and changes no bit.
///
/// - `origin`: sensor in window coordinates (voxels from the window's first corner) x, y, z.
/// - `lines`: per fan direction x, y, 1 / x, 1 / y, where its walk begins and ends, and the shortest
///   way through a column that counts.
/// - `image`: [row][128 slots] of beams; `unit`: voxels a range step.
/// - `window`: as everywhere; `free`: masks [y][x][word], one spare word, 7 of padding, and a row
///   [x][word] that takes window row `apartRow` in its place.
/// - `scratch`: 1,024 aligned Int32.
@inline(never)
public func carveFans(
  _ origin: UnsafePointer<Float>, _ lines: UnsafePointer<Float>,
  _ image: UnsafeMutablePointer<Int32>, _ unit: Float, _ firstRow: Int, _ lastRow: Int,
  _ step: Int, _ window: UnsafePointer<Int32>, _ apartRow: Int,
  _ scratch: UnsafeMutablePointer<Float>, _ free: UnsafeMutablePointer<UInt64>
) {
  let words = Int(window[5])
  let zero = SIMD16<Int32>(repeating: 0)
  var row = firstRow
  while row < lastRow {
    let beams = image + row &* 128
    let line = lines + row &* 8
    var enter = line[4]
    var x = Int((origin[0] + line[0] * enter).rounded(.down))
    var y = Int((origin[1] + line[1] * enter).rounded(.down))
    while enter < line[5] {
      let end = enter > 0 ? min(line[5], 2 * enter) : line[5]
      let groups = listBundles(beams, unit, enter, end, scratch)
      if groups == 0 { break }
      var state: WalkState = (enter, x, y)
      var word = 0
      while word < words {
        state = carveFan(
          origin, line, scratch, groups, window, word, apartRow, free, (enter, x, y), end)
        word &+= 1
      }
      (enter, x, y) = state
    }
    var slot = 0
    while slot < 128 {
      swl_store_i32x16(beams + slot, zero)
      slot &+= 16
    }
    row &+= step
  }
}

/// Where a walk stands: the distance at which it enters column (x, y).
private typealias WalkState = (enter: Float, x: Int, y: Int)

/// Lists what the beams of one fan clear between the distances `begin` and `end` as bundles: lowest
/// and highest slope, and the range up to which they go. Returns the number of groups of 16, 0 when
/// every beam has ended.
///
/// - `scratch`, floats: 0 ..< 160 lowest slopes, 160 ..< 320 highest, 320 ..< 480 ranges, 480 ..< 496
///   longest range a group; 512 ..< 960 for itself.
@inline(__always)
private func listBundles(
  _ beams: UnsafePointer<Int32>, _ unit: Float, _ begin: Float, _ end: Float,
  _ scratch: UnsafeMutablePointer<Float>
) -> Int {
  // Slopes of the beams that outlive the walk, behind 16 of padding; slopes of all; ranges of all.
  let lasting = scratch + 528
  let slopes = scratch + 672
  let ranges = scratch + 816
  let nowhere = SIMD16<Float>(repeating: -1e30)
  let outlives = SIMD16<Float>(repeating: end + 2)
  swl_store_f32x16(scratch + 512, nowhere)
  var alive: (UInt64, UInt64) = (0, 0)
  var always: (UInt64, UInt64) = (0, 0)
  var slot = 0
  while slot < 128 {
    let beam = swl_load_i32x16(beams + slot)
    let range = swl_f32x16_from_i32x16(swl_ray_shift_right_i32x16(beam, 16)) * unit
    let isAlive = swl_less_f32x16(SIMD16(repeating: begin), range)
    let bits = UInt64(swl_mask_bits_i32x16(isAlive))
    if bits == 0 {
      swl_store_f32x16(lasting + slot, nowhere)
      slot &+= 16
      continue
    }
    let level = swl_f32x16_from_i32x16(beam & SIMD16(repeating: 0xffff))
    let rise = level * (1 / 32767.5) - 1
    // Steeper than 1:1024 is straight up or down for any window.
    let flat = swl_max_f32x16(1 - swl_abs_f32x16(rise), SIMD16(repeating: 1 / 1024))
    let slope = rise / flat
    let isLasting = swl_less_equal_f32x16(outlives, range)
    swl_store_f32x16(slopes + slot, slope)
    swl_store_f32x16(ranges + slot, range)
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
  if alive.0 | alive.1 == 0 { return 0 }
  let joined = joinedSlots(lasting, end + 2, always)
  var count = listRuns(always, joined, slopes, scratch)
  count = listSingles(alive.0 & ~always.0, 0, slopes, ranges, scratch, count)
  count = listSingles(alive.1 & ~always.1, 64, slopes, ranges, scratch, count)
  // Lanes behind the last bundle have ended before they begin.
  swl_store_f32x16(scratch + count, SIMD16(repeating: 0))
  swl_store_f32x16(scratch + (160 &+ count), SIMD16(repeating: 0))
  swl_store_f32x16(scratch + (320 &+ count), SIMD16(repeating: 0))
  let groups = (count &+ 15) &>> 4
  var group = 0
  while group < groups {
    scratch[480 &+ group] = swl_max_lane_f32x16(swl_load_f32x16(scratch + (320 &+ group &* 16)))
    group &+= 1
  }
  return groups
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

/// Walks one fan from `start` to `end` through one word of the columns' height.
@inline(__always)
private func carveFan(
  _ origin: UnsafePointer<Float>, _ line: UnsafePointer<Float>,
  _ bundles: UnsafePointer<Float>, _ groupCount: Int, _ window: UnsafePointer<Int32>, _ word: Int,
  _ apartRow: Int, _ free: UnsafeMutablePointer<UInt64>, _ start: WalkState, _ end: Float
) -> WalkState {
  let columns = Int(window[3])
  let rows = Int(window[4])
  let words = Int(window[5])
  let spare = columns &* rows &* words
  // Window row `apartRow` lies behind the spare word.
  let apart = spare &+ 8 &- apartRow &* columns &* words
  let forward = line[0] > 0
  let upward = line[1] > 0
  let stepX = forward ? 1 : -1
  let stepY = upward ? 1 : -1
  let height = SIMD16<Float>(repeating: origin[2] - Float(word &* 64))
  let none = SIMD16<Int32>(repeating: 0)
  let one = SIMD16<Int32>(repeating: 1)
  let level = SIMD16<Float>(repeating: 0)
  var live = groupCount
  var (enter, x, y) = start
  while enter < end {
    while live > 0 && bundles[480 &+ live &- 1] <= enter { live &-= 1 }
    let awayX = forward ? x >= columns : x < 0
    let awayY = upward ? y >= rows : y < 0
    // Nothing is left to clear: the rest of the walk is skipped.
    if live == 0 || awayX || awayY { return (.infinity, x, y) }
    let borderX = Float(forward ? x &+ 1 : x)
    let borderY = Float(upward ? y &+ 1 : y)
    let exitX = (borderX - origin[0]) * line[2]
    let exitY = (borderY - origin[1]) * line[3]
    let leave = min(exitX, exitY)
    let enters = SIMD16<Float>(repeating: enter)
    let leaves = SIMD16<Float>(repeating: leave)
    var passed = SIMD8<UInt64>(repeating: 0)
    var group = leave - enter < line[6] ? live : 0
    while group < live {
      let bundle = bundles + group &* 16
      let range = swl_load_f32x16(bundle + 320)
      let until = swl_min_f32x16(leaves, range)
      // What rises is lowest where it enters, what falls where it leaves.
      let low = swl_load_f32x16(bundle)
      let high = swl_load_f32x16(bundle + 160)
      let lowAt = swl_select_f32x16(swl_less_f32x16(low, level), until, enters)
      let highAt = swl_select_f32x16(swl_less_f32x16(high, level), enters, until)
      let lower = swl_max_i32x16(swl_ray_floor_i32x16(low * lowAt + height), none)
      let above = swl_max_i32x16(swl_ray_floor_i32x16(high * highAt + height) &+ one, none)
      let isLive = swl_less_f32x16(enters, range)
      // Where a beam has ended the run is empty.
      let upper = swl_select_i32x16(isLive, above, lower)
      passed = passed | swl_ray_runs_u64x8(lower, upper)
      group &+= 1
    }
    let isInside = x >= 0 && x < columns && y >= 0 && y < rows
    let column = (y &* columns &+ x) &* words &+ word &+ (y == apartRow ? apart : 0)
    let place = isInside ? column : spare
    free[place] |= swl_ray_or_lanes_u64x8(passed)
    // All ones where x is crossed first. A branch here is wrong every third time.
    let crossesX = Int(Int32(bitPattern: (exitX - exitY).bitPattern) &>> 31)
    x &+= stepX & crossesX
    y &+= stepY & ~crossesX
    enter = leave
  }
  return (enter, x, y)
}
