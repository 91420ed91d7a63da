/// Sums voxel columns up over the rows `begin ..< end` of an ego-aligned grid.
///
/// Scalar: a cell is a handful of dependent look-ups in bit planes, bound by their latency. The
/// window's wrap-around is one comparison because a column's position is already inside it.
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
  var y = begin
  while y < end {
    var x = 0
    while x < columns {
      summarizeCell(
        map, heights, layout, window, occupied, known, x, y, y &* columns &+ x, occupiedCount,
        freeCount, lowest, highest)
      x &+= 1
    }
    y &+= 1
  }
}

@inline(__always)
private func summarizeCell(
  _ map: UnsafePointer<Double>, _ heights: UnsafePointer<Double>, _ layout: UnsafePointer<Double>,
  _ window: UnsafePointer<Int>, _ occupied: UnsafePointer<UInt64>, _ known: UnsafePointer<UInt64>,
  _ x: Int, _ y: Int, _ cell: Int, _ occupiedCount: UnsafeMutablePointer<Float>,
  _ freeCount: UnsafeMutablePointer<Float>, _ lowest: UnsafeMutablePointer<Float>,
  _ highest: UnsafeMutablePointer<Float>
) {
  let samples = window[7]
  let share = 1 / Double(samples)
  var counts = (occupied: 0, free: 0)
  var low = Double.infinity
  var high = -Double.infinity
  var sub = 0
  while sub < samples &* samples {
    let fx = Double(x) + (Double(sub % samples) + 0.5) * share
    let fy = Double(y) + (Double(sub / samples) + 0.5) * share
    sub &+= 1
    let ex = layout[0] + fx * layout[2]
    let ey = layout[1] + fy * layout[3]
    let vx = (map[0] * ex + map[1] * ey + map[2]).rounded(.down)
    let vy = (map[3] * ex + map[4] * ey + map[5]).rounded(.down)
    guard vx > -1e9, vx < 1e9, vy > -1e9, vy < 1e9 else { continue }
    let cx = Int(vx) &- window[0]
    let cy = Int(vy) &- window[1]
    guard cx >= 0, cx < window[2], cy >= 0, cy < window[3] else { continue }
    var slotX = cx &+ window[4]
    if slotX >= window[2] { slotX &-= window[2] }
    var slotY = cy &+ window[5]
    if slotY >= window[3] { slotY &-= window[3] }
    let line = (slotY &* window[2] &+ slotX) &* window[6]
    let base = heights[0] * Double(cx) + heights[1] * Double(cy) + heights[3]
    var word = 0
    while word < window[6] {
      let bits = occupied[line &+ word]
      counts.free &+= (known[line &+ word] & ~bits).nonzeroBitCount
      if bits != 0 {
        counts.occupied &+= bits.nonzeroBitCount
        let first = 64 &* word &+ bits.trailingZeroBitCount
        let last = 64 &* word &+ 63 &- bits.leadingZeroBitCount
        low = min(low, base + heights[2] * Double(first))
        high = max(high, base + heights[2] * Double(last))
      }
      word &+= 1
    }
  }
  occupiedCount[cell] = Float(counts.occupied)
  freeCount[cell] = Float(counts.free)
  lowest[cell] = counts.occupied == 0 ? 0 : Float(low)
  highest[cell] = counts.occupied == 0 ? 0 : Float(high)
}
