import CVectorShims

/// Sums voxel columns up over the rows `begin ..< end` of an ego-aligned grid.
///
/// Where eight neighbouring cells look is computed at once; the look-ups themselves are a handful of
/// bit counts and stay scalar. The window's wrap-around is one comparison because a column's position
/// is already inside it. Outputs are accumulated in place: rounding to float32 keeps the order, so the
/// extreme of rounded heights is the rounded extreme.
///
/// - Parameters:
///   - map: voxelFromEgo in the plane, six doubles: x = m0·ex + m1·ey + m2, y = m3·ex + m4·ey + m5.
///   - heights: height above the ego of voxel (x, y, z): h0·x + h1·y + h2·z + h3, keys counted from
///     the window's origin.
///   - layout: lower x, lower y, cell size x, cell size y of the grid, metres.
///   - window: origin x, y; columns in x, y; slot of the origin's x, y; words a column; samples a
///     side and cell; cells a row.
@inline(never)
public func summarizeColumnRows(
  _ map: UnsafePointer<Double>, _ heights: UnsafePointer<Double>, _ layout: UnsafePointer<Double>,
  _ window: UnsafePointer<Int>, _ occupied: UnsafePointer<UInt64>, _ known: UnsafePointer<UInt64>,
  _ begin: Int, _ end: Int, _ occupiedCount: UnsafeMutablePointer<Float>,
  _ freeCount: UnsafeMutablePointer<Float>, _ lowest: UnsafeMutablePointer<Float>,
  _ highest: UnsafeMutablePointer<Float>
) {
  let columns = window[8]
  let samples = window[7]
  let share = 1 / Double(samples)
  var y = begin
  while y < end {
    var x = 0
    while x < columns {
      let first = y &* columns &+ x
      let count = min(8, columns &- x)
      clearCells(first, count, occupiedCount, freeCount, lowest, highest)
      var subY = 0
      while subY < samples {
        let ey = layout[1] + (Double(y) + (Double(subY) + 0.5) * share) * layout[3]
        var subX = 0
        while subX < samples {
          let offset = (Double(subX) + 0.5) * share
          summarizeCells(
            map, heights, layout, window, occupied, known, x, offset, ey, count,
            occupiedCount + first, freeCount + first, lowest + first, highest + first)
          subX &+= 1
        }
        subY &+= 1
      }
      finishCells(first, count, occupiedCount, lowest, highest)
      x &+= 8
    }
    y &+= 1
  }
}

@inline(__always)
private func clearCells(
  _ first: Int, _ count: Int, _ occupiedCount: UnsafeMutablePointer<Float>,
  _ freeCount: UnsafeMutablePointer<Float>, _ lowest: UnsafeMutablePointer<Float>,
  _ highest: UnsafeMutablePointer<Float>
) {
  var cell = first
  while cell < first &+ count {
    occupiedCount[cell] = 0
    freeCount[cell] = 0
    lowest[cell] = .infinity
    highest[cell] = -.infinity
    cell &+= 1
  }
}

@inline(__always)
private func finishCells(
  _ first: Int, _ count: Int, _ occupiedCount: UnsafePointer<Float>,
  _ lowest: UnsafeMutablePointer<Float>, _ highest: UnsafeMutablePointer<Float>
) {
  var cell = first
  while cell < first &+ count {
    if occupiedCount[cell] == 0 {
      lowest[cell] = 0
      highest[cell] = 0
    }
    cell &+= 1
  }
}

/// One sample of up to eight neighbouring cells.
@inline(__always)
private func summarizeCells(
  _ map: UnsafePointer<Double>, _ heights: UnsafePointer<Double>, _ layout: UnsafePointer<Double>,
  _ window: UnsafePointer<Int>, _ occupied: UnsafePointer<UInt64>, _ known: UnsafePointer<UInt64>,
  _ x: Int, _ offset: Double, _ ey: Double, _ count: Int,
  _ occupiedCount: UnsafeMutablePointer<Float>, _ freeCount: UnsafeMutablePointer<Float>,
  _ lowest: UnsafeMutablePointer<Float>, _ highest: UnsafeMutablePointer<Float>
) {
  let ramp = SIMD8<Double>(0, 1, 2, 3, 4, 5, 6, 7)
  let far = SIMD8<Double>(repeating: 1e9)
  let ex = (((ramp + Double(x)) + offset) * layout[2]) + layout[0]
  let px = swl_ray_floor_f64x8((ex * map[0] + map[1] * ey) + map[2])
  let py = swl_ray_floor_f64x8((ex * map[3] + map[4] * ey) + map[5])
  let cx = swl_ray_max_f64x8(swl_ray_min_f64x8(px, far), -far) - Double(window[0])
  let cy = swl_ray_max_f64x8(swl_ray_min_f64x8(py, far), -far) - Double(window[1])
  let columns = Double(window[2])
  let rows = Double(window[3])
  let zero = SIMD8<Double>(repeating: 0)
  let insideX = swl_ray_less_equal_f64x8(zero, cx)
    & swl_ray_less_f64x8(cx, SIMD8(repeating: columns))
  let insideY = swl_ray_less_equal_f64x8(zero, cy) & swl_ray_less_f64x8(cy, SIMD8(repeating: rows))
  var inside = swl_ray_mask_bits_i64x8(insideX & insideY)
  if count < 8 { inside &= (1 << UInt32(count)) &- 1 }
  if inside == 0 { return }
  let sumX = cx + Double(window[4])
  let sumY = cy + Double(window[5])
  let wrapX = swl_ray_less_equal_f64x8(SIMD8(repeating: columns), sumX)
  let wrapY = swl_ray_less_equal_f64x8(SIMD8(repeating: rows), sumY)
  let slotX = swl_ray_select_f64x8(wrapX, sumX - columns, sumX)
  let slotY = swl_ray_select_f64x8(wrapY, sumY - rows, sumY)
  // Whole numbers below 2^53: exact.
  let lines = (slotY * columns + slotX) * Double(window[6])
  let bases = (cx * heights[0] + cy * heights[1]) + heights[3]
  while inside != 0 {
    let lane = inside.trailingZeroBitCount
    inside &= inside &- 1
    let line = Int(lines[lane])
    let base = bases[lane]
    var word = 0
    while word < window[6] {
      let bits = occupied[line &+ word]
      freeCount[lane] += Float((known[line &+ word] & ~bits).nonzeroBitCount)
      if bits != 0 {
        occupiedCount[lane] += Float(bits.nonzeroBitCount)
        let first = 64 &* word &+ bits.trailingZeroBitCount
        let last = 64 &* word &+ 63 &- bits.leadingZeroBitCount
        lowest[lane] = min(lowest[lane], Float(base + heights[2] * Double(first)))
        highest[lane] = max(highest[lane], Float(base + heights[2] * Double(last)))
      }
      word &+= 1
    }
  }
}
