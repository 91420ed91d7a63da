import CVectorShims

/// Sorts beams into the image [bin][slot] of the bins `firstBin ..< lastBin` — the longest beam of
/// each elevation slot stays — and marks hits whose places lie in `firstPlace ..< lastPlace`.
///
/// Work is by output; a maximum and a union do not depend on the order of the rays.
///
/// - `slots`: elevation of slot 0 and slots an elevation step; 128 slots a bin, of which the first
///   and the last stay empty.
/// - `scratch`: 16 Int32. `marks`: one bit a place.
@inline(never)
public func sortBeams(
  _ bins: UnsafePointer<Int32>, _ beams: UnsafePointer<Int32>, _ hits: UnsafePointer<Int32>,
  _ count: Int, _ slots: UnsafePointer<Float>, _ firstBin: Int32, _ lastBin: Int32,
  _ firstPlace: Int32, _ lastPlace: Int32, _ scratch: UnsafeMutablePointer<Int32>,
  _ image: UnsafeMutablePointer<Int32>, _ marks: UnsafeMutablePointer<UInt64>
) {
  let low = SIMD16<Int32>(repeating: 0xffff)
  let top = SIMD16<Int32>(repeating: 126)
  let bottom = SIMD16<Int32>(repeating: 1)
  let span = UInt32(bitPattern: lastBin &- firstBin)
  let places = UInt32(bitPattern: lastPlace &- firstPlace)
  var index = 0
  while index < count {
    let left = min(16, count &- index)
    let elevation = swl_f32x16_from_i32x16(swl_load_i32x16(beams + index) & low) - slots[0]
    let slot = swl_trunc_i32x16(swl_max_f32x16(elevation * slots[1], SIMD16(repeating: 0)))
    let inside = swl_max_i32x16(swl_min_i32x16(slot, top), bottom)
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

/// Adds to `tally` in how many slots both rows 2r and 2r + 1 of `image` have a beam, and in how many
/// at least one has: how densely a sensor fires compared with the fans. 128 slots a row.
@inline(never)
public func countFanPairs(
  _ image: UnsafePointer<Int32>, _ pairCount: Int, _ tally: UnsafeMutablePointer<Int>
) {
  let none = SIMD16<Int32>(repeating: 0)
  var both = 0
  var either = 0
  var pair = 0
  while pair < pairCount {
    let rows = image + pair &* 256
    var slot = 0
    while slot < 128 {
      let a = swl_greater_i32x16(swl_load_i32x16(rows + slot), none)
      let b = swl_greater_i32x16(swl_load_i32x16(rows + (slot &+ 128)), none)
      both &+= swl_mask_bits_i32x16(a & b).nonzeroBitCount
      either &+= swl_mask_bits_i32x16(a | b).nonzeroBitCount
      slot &+= 16
    }
    pair &+= 1
  }
  tally[0] &+= both
  tally[1] &+= either
}

/// Merges neighbouring fans: row r of `merged` takes, slot by slot, the longer beam of rows 2r and
/// 2r + 1 of `image`. 128 slots a row.
@inline(never)
public func mergeFans(
  _ image: UnsafePointer<Int32>, _ rowCount: Int, _ merged: UnsafeMutablePointer<Int32>
) {
  var row = 0
  while row < rowCount {
    let pair = image + row &* 256
    var slot = 0
    while slot < 128 {
      let a = swl_load_i32x16(pair + slot)
      let b = swl_load_i32x16(pair + (slot &+ 128))
      swl_store_i32x16(merged + (row &* 128 &+ slot), swl_max_i32x16(a, b))
      slot &+= 16
    }
    row &+= 1
  }
}
