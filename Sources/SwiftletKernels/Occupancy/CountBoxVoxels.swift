/// Counts the voxels that an oriented box overlaps, by state.
///
/// A voxel overlaps when none of the 15 axes of the separating-axis test parts the two (Gottschalk,
/// 1996); a box and a column are convex, so a column's voxels are one run and the window's words
/// answer it at once.
///
/// - layout: as `castWindowRays`.
/// - box: centre in voxels from the window's corner [3]; reach along x, y, z, half a voxel included
///   [3]; axes of the box [3][3]; reach along these [3]; reach along the cross products, world axis
///   by box axis [3][3], infinite where both are parallel.
/// - out counts: free, unknown, occupied, and how many of the unknown lie outside the window.
@inline(never)
public func countBoxVoxels(
  _ occupied: UnsafePointer<UInt64>, _ known: UnsafePointer<UInt64>, _ layout: UnsafePointer<Int>,
  _ box: UnsafePointer<Double>, _ counts: UnsafeMutablePointer<Int>
) {
  let (cellsX, cellsY, cellsZ, words) = (layout[0], layout[1], layout[2], layout[3])
  let lastY = floorOf(box[1] + box[4] - 0.5)
  let lastX = floorOf(box[0] + box[3] - 0.5)
  let bottom = floorOf(box[2] - box[5] + 0.5)
  let top = floorOf(box[2] + box[5] - 0.5)
  var y = floorOf(box[1] - box[4] + 0.5)
  while y <= lastY {
    var x = floorOf(box[0] - box[3] + 0.5)
    while x <= lastX {
      let dx = box[0] - (Double(x) + 0.5)
      let dy = box[1] - (Double(y) + 0.5)
      var low = bottom
      while low <= top, !boxOverlaps(box, dx, dy, box[2] - (Double(low) + 0.5)) { low &+= 1 }
      if low <= top {
        var high = top
        while !boxOverlaps(box, dx, dy, box[2] - (Double(high) + 0.5)) { high &-= 1 }
        if x >= 0, x < cellsX, y >= 0, y < cellsY {
          var slotX = x &+ layout[4]
          if slotX >= cellsX { slotX &-= cellsX }
          var slotY = y &+ layout[5]
          if slotY >= cellsY { slotY &-= cellsY }
          let line = (slotY &* cellsX &+ slotX) &* words
          countRun(occupied + line, known + line, low, high, cellsZ, counts)
        } else {
          counts[1] &+= high &- low &+ 1
          counts[3] &+= high &- low &+ 1
        }
      }
      x &+= 1
    }
    y &+= 1
  }
}

@inline(__always)
private func countRun(
  _ occupied: UnsafePointer<UInt64>, _ known: UnsafePointer<UInt64>, _ low: Int, _ high: Int,
  _ cells: Int, _ counts: UnsafeMutablePointer<Int>
) {
  let first = low < 0 ? 0 : low
  let last = high < cells ? high : cells &- 1
  var inside = 0
  if first <= last {
    inside = last &- first &+ 1
    var word = first &>> 6
    while word <= last &>> 6 {
      var mask = UInt64.max
      if word == first &>> 6 { mask &= UInt64.max &<< UInt64(first & 63) }
      if word == last &>> 6 { mask &= UInt64.max &>> UInt64(63 &- (last & 63)) }
      let full = (occupied[word] & mask).nonzeroBitCount
      let seen = (known[word] & mask).nonzeroBitCount
      counts[0] &+= seen &- full
      counts[1] &+= mask.nonzeroBitCount &- seen
      counts[2] &+= full
      word &+= 1
    }
  }
  let outside = high &- low &+ 1 &- inside
  counts[1] &+= outside
  counts[3] &+= outside
}

/// Strictly: a voxel that the box only touches does not count.
@inline(__always)
private func boxOverlaps(
  _ box: UnsafePointer<Double>, _ dx: Double, _ dy: Double, _ dz: Double
) -> Bool {
  if abs(dx) >= box[3] || abs(dy) >= box[4] || abs(dz) >= box[5] { return false }
  var axis = 0
  while axis < 3 {
    let ux = box[6 &+ 3 &* axis]
    let uy = box[7 &+ 3 &* axis]
    let uz = box[8 &+ 3 &* axis]
    if abs(dx * ux + dy * uy + dz * uz) >= box[15 &+ axis] { return false }
    if abs(dz * uy - dy * uz) >= box[18 &+ axis] { return false }
    if abs(dx * uz - dz * ux) >= box[21 &+ axis] { return false }
    if abs(dy * ux - dx * uy) >= box[24 &+ axis] { return false }
    axis &+= 1
  }
  return true
}
