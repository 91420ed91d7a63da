import CVectorShims

/// Sorts beams into the image [bin][slot] of the bins `firstBin ..< lastBin` — the longest beam of
/// each elevation slot stays — and marks hits whose places lie in `firstPlace ..< lastPlace`.
///
/// Work is by output; a maximum and a union do not depend on the order of the rays.
///
/// - `slots`: lowest elevation and slots an elevation step; 128 slots a bin.
/// - `scratch`: 16 Int32. `marks`: one bit a place.
@inline(never)
public func sortBeams(
  _ bins: UnsafePointer<Int32>, _ beams: UnsafePointer<Int32>, _ hits: UnsafePointer<Int32>,
  _ count: Int, _ slots: UnsafePointer<Float>, _ firstBin: Int32, _ lastBin: Int32,
  _ firstPlace: Int32, _ lastPlace: Int32, _ scratch: UnsafeMutablePointer<Int32>,
  _ image: UnsafeMutablePointer<Int32>, _ marks: UnsafeMutablePointer<UInt64>
) {
  let low = SIMD16<Int32>(repeating: 0xffff)
  let top = SIMD16<Int32>(repeating: 127)
  let zero = SIMD16<Int32>(repeating: 0)
  let span = UInt32(bitPattern: lastBin &- firstBin)
  let places = UInt32(bitPattern: lastPlace &- firstPlace)
  var index = 0
  while index < count {
    let left = min(16, count &- index)
    let elevation = swl_f32x16_from_i32x16(swl_load_i32x16(beams + index) & low) - slots[0]
    let slot = swl_trunc_i32x16(swl_max_f32x16(elevation * slots[1], SIMD16(repeating: 0)))
    let inside = swl_max_i32x16(swl_min_i32x16(slot, top), zero)
    let bin = swl_ray_shift_left_i32x16(swl_load_i32x16(bins + index), 7)
    swl_store_i32x16(scratch, bin | inside)
    var lane = 0
    while lane < left {
      let beam = beams[index &+ lane]
      let target = Int(scratch[lane])
      if UInt32(bitPattern: bins[index &+ lane] &- firstBin) < span && beam > image[target] {
        image[target] = beam
      }
      let place = hits[index &+ lane]
      if UInt32(bitPattern: place &- firstPlace) < places {
        marks[Int(place &>> 6)] |= 1 &<< UInt64(truncatingIfNeeded: place & 63)
      }
      lane &+= 1
    }
    index &+= 16
  }
}

/// Merges neighbouring fans: row r of `merged` takes, slot by slot, the longer beam of rows 2r and
/// 2r + 1 of `image`, which are cleared for the next scan. 128 slots a row.
@inline(never)
public func mergeFans(
  _ image: UnsafeMutablePointer<Int32>, _ rowCount: Int, _ merged: UnsafeMutablePointer<Int32>
) {
  let zero = SIMD16<Int32>(repeating: 0)
  var row = 0
  while row < rowCount {
    let pair = image + row &* 256
    var slot = 0
    while slot < 128 {
      let a = swl_load_i32x16(pair + slot)
      let b = swl_load_i32x16(pair + (slot &+ 128))
      swl_store_i32x16(merged + (row &* 128 &+ slot), swl_max_i32x16(a, b))
      swl_store_i32x16(pair + slot, zero)
      swl_store_i32x16(pair + (slot &+ 128), zero)
      slot &+= 16
    }
    row &+= 1
  }
}

/// Lists the beams of `rowCount` fans as range and slope, longest third first so that a walk away
/// from the sensor soon has whole groups of 16 behind it.
///
/// - `image`: [row][128 slots]; `unit`: voxels a range step.
/// - out `ranges`, `slopes`: [row][128]; places behind a list's end up to a multiple of 16 have range
///   0. `groups`: [row][8], the longest range of each 16. `counts`: [row], in groups.
/// - `scratch`: 160 Int32.
@inline(never)
public func listBeams(
  _ image: UnsafePointer<Int32>, _ rowCount: Int, _ unit: Float,
  _ scratch: UnsafeMutablePointer<Int32>, _ ranges: UnsafeMutablePointer<Float>,
  _ slopes: UnsafeMutablePointer<Float>, _ groups: UnsafeMutablePointer<Float>,
  _ counts: UnsafeMutablePointer<Int32>
) {
  let zero = SIMD16<Int32>(repeating: 0)
  var row = 0
  while row < rowCount {
    let beams = image + row &* 128
    var longest = zero
    var slot = 0
    while slot < 128 {
      longest = swl_max_i32x16(longest, swl_load_i32x16(beams + slot))
      slot &+= 16
    }
    let most = swl_ray_max_lane_i32x16(longest)
    var count = 0
    if most > 0 {
      count = packBeams(beams, .max, most &>> 1, scratch, 0)
      count = packBeams(beams, most &>> 1, most &>> 2, scratch, count)
      count = packBeams(beams, most &>> 2, 0, scratch, count)
    }
    swl_store_i32x16(scratch + count, zero)
    let used = (count &+ 15) &>> 4
    counts[row] = Int32(truncatingIfNeeded: used)
    var group = 0
    while group < used {
      let beam = swl_load_i32x16(scratch + group &* 16)
      let range = swl_f32x16_from_i32x16(swl_ray_shift_right_i32x16(beam, 16)) * unit
      let level = swl_f32x16_from_i32x16(beam & SIMD16(repeating: 0xffff))
      let rise = level * (1 / 32767.5) - 1
      // Steeper than 1:1024 is straight up or down for any window.
      let flat = swl_max_f32x16(1 - swl_abs_f32x16(rise), SIMD16(repeating: 1 / 1024))
      let place = row &* 128 &+ group &* 16
      swl_store_f32x16(ranges + place, range)
      swl_store_f32x16(slopes + place, rise / flat)
      groups[row &* 8 &+ group] = swl_max_lane_f32x16(range)
      group &+= 1
    }
    row &+= 1
  }
}

/// Appends the beams above `lower` and at most `upper`; returns the new count.
@inline(__always)
private func packBeams(
  _ beams: UnsafePointer<Int32>, _ upper: Int32, _ lower: Int32,
  _ out: UnsafeMutablePointer<Int32>, _ count: Int
) -> Int {
  var end = count
  var slot = 0
  while slot < 128 {
    let beam = swl_load_i32x16(beams + slot)
    let above = swl_greater_i32x16(beam, SIMD16(repeating: lower))
    let bits = swl_mask_bits_i32x16(above & ~swl_greater_i32x16(beam, SIMD16(repeating: upper)))
    end &+= Int(swl_ray_pack_i32x16(out + end, beam, bits))
    slot &+= 16
  }
  return end
}
