import CVectorShims

/// Direction bin, horizontal range and slope of `count` rays, for carving by window columns.
///
/// The direction around the vertical is measured by its diamond angle p (y / (|x| + |y|), folded to
/// -1 ..< 3), which grows with the azimuth and needs no trigonometry; `binCount` bins share 0 ..< 4
/// evenly. Rays that go straight up or down get bin -1.
///
/// - `ends`: planes of x, y, z `capacity` apart; `origin`: x, y, z and 1 / voxel size.
/// - out `bins`, `ranges` (horizontal, in voxels, three quarters of a voxel short), `slopes` (rise over horizontal run).
@inline(never)
public func binRays(
  _ ends: UnsafePointer<Float>, _ capacity: Int, _ count: Int, _ origin: UnsafePointer<Float>,
  _ binCount: Int, _ bins: UnsafeMutablePointer<Int32>, _ ranges: UnsafeMutablePointer<Float>,
  _ slopes: UnsafeMutablePointer<Float>
) {
  let zero = SIMD16<Float>(repeating: 0)
  let scale = SIMD16<Float>(repeating: Float(binCount) * 0.25)
  let last = SIMD16<Int32>(repeating: Int32(truncatingIfNeeded: binCount &- 1))
  let none = SIMD16<Int32>(repeating: -1)
  // Moved sideways by its bin, a ray that grazes a surface would clear its neighbours' ends.
  let setback: Float = 0.75
  let shortest = SIMD16<Float>(repeating: 0.001)
  var index = 0
  while index < count {
    let lanes = min(16, count &- index)
    let endX = swl_load_f32x16_partial(ends + index, Int64(lanes))
    let endY = swl_load_f32x16_partial(ends + (index &+ capacity), Int64(lanes))
    let endZ = swl_load_f32x16_partial(ends + (index &+ 2 &* capacity), Int64(lanes))
    let dx = endX - SIMD16(repeating: origin[0])
    let dy = endY - SIMD16(repeating: origin[1])
    let dz = endZ - SIMD16(repeating: origin[2])
    let run = swl_sqrt_f32x16(dx * dx + dy * dy)
    let quotient = dy / (swl_abs_f32x16(dx) + swl_abs_f32x16(dy))
    let behind = swl_less_f32x16(dx, zero)
    let angle = swl_select_f32x16(behind, SIMD16(repeating: 2) - quotient, quotient)
    let range = run * origin[3]
    let tooSteep = swl_less_f32x16(range, shortest)
    let position = swl_select_f32x16(tooSteep, zero, (angle + 1) * scale)
    let bin = swl_min_i32x16(swl_trunc_i32x16(position), last)
    let slope = swl_select_f32x16(tooSteep, zero, dz / run)
    let kept = swl_select_i32x16(tooSteep, none, bin)
    var lane = 0
    while lane < lanes {
      bins[index &+ lane] = kept[lane]
      lane &+= 1
    }
    swl_store_f32x16_partial(ranges + index, range - setback, Int64(lanes))
    swl_store_f32x16_partial(slopes + index, slope, Int64(lanes))
    index &+= 16
  }
}

/// Counts the rays of bins `firstBin ..< lastBin`; added to `counts`.
@inline(never)
public func countBins(
  _ bins: UnsafePointer<Int32>, _ count: Int, _ firstBin: Int, _ lastBin: Int,
  _ counts: UnsafeMutablePointer<Int32>
) {
  let first = Int32(truncatingIfNeeded: firstBin)
  let last = Int32(truncatingIfNeeded: lastBin)
  var ray = 0
  while ray < count {
    let bin = bins[ray]
    if bin >= first && bin < last { counts[Int(bin)] &+= 1 }
    ray &+= 1
  }
}

/// Writes the rays of bins `firstBin ..< lastBin` to their bins' lists.
///
/// - in/out `cursors`: the next free place of each bin.
@inline(never)
public func fillBins(
  _ bins: UnsafePointer<Int32>, _ ranges: UnsafePointer<Float>, _ slopes: UnsafePointer<Float>,
  _ count: Int, _ firstBin: Int, _ lastBin: Int, _ cursors: UnsafeMutablePointer<Int32>,
  _ binRanges: UnsafeMutablePointer<Float>, _ binSlopes: UnsafeMutablePointer<Float>
) {
  let first = Int32(truncatingIfNeeded: firstBin)
  let last = Int32(truncatingIfNeeded: lastBin)
  var ray = 0
  while ray < count {
    let bin = bins[ray]
    if bin >= first && bin < last {
      let place = Int(cursors[Int(bin)])
      cursors[Int(bin)] &+= 1
      binRanges[place] = ranges[ray]
      binSlopes[place] = slopes[ray]
    }
    ray &+= 1
  }
}

/// Closes the lists of bins `firstBin ..< lastBin`: places behind a list's end up to a multiple of 8
/// get range -1, and each group of 8 and each bin its longest range.
///
/// - `starts`: first place of each bin, a multiple of 8; `starts[binCount]` ends the last.
/// - `cursors`: the end of each bin's list.
@inline(never)
public func closeBins(
  _ starts: UnsafePointer<Int32>, _ cursors: UnsafePointer<Int32>, _ firstBin: Int,
  _ lastBin: Int, _ binRanges: UnsafeMutablePointer<Float>,
  _ groupRanges: UnsafeMutablePointer<Float>, _ longest: UnsafeMutablePointer<Float>
) {
  var bin = firstBin
  while bin < lastBin {
    let end = Int(starts[bin &+ 1])
    var place = Int(cursors[bin])
    while place < end {
      binRanges[place] = -1
      place &+= 1
    }
    var farthest: Float = -1
    place = Int(starts[bin])
    while place < end {
      let ranges = swl_ray_load_f32x8(binRanges + place)
      var group: Float = -1
      var lane = 0
      while lane < 8 {
        group = max(group, ranges[lane])
        lane &+= 1
      }
      groupRanges[place &>> 3] = group
      farthest = max(farthest, group)
      place &+= 8
    }
    longest[bin] = farthest
    bin &+= 1
  }
}
