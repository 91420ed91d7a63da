/// Ground height of one row of columns, grown away from column `startX` in both directions: the
/// lowest occupied voxel within `step` of the neighbours' ground, or theirs where nothing is there.
///
/// - layout: as `castWindowRays`. inner: the row nearer to the start, nil on the start's own row.
/// - seed: ground at `startX` on the start's own row. out ground: heights by window column.
@inline(never)
public func growGroundRow(
  _ occupied: UnsafePointer<UInt64>, _ layout: UnsafePointer<Int>, _ y: Int, _ startX: Int,
  _ seed: Int, _ step: Int, _ inner: UnsafePointer<Int16>?, _ ground: UnsafeMutablePointer<Int16>
) {
  let (cellsX, cellsY, cellsZ, words) = (layout[0], layout[1], layout[2], layout[3])
  var slotY = y &+ layout[5]
  if slotY >= cellsY { slotY &-= cellsY }
  let row = occupied + slotY &* cellsX &* words
  var direction = 1
  while direction >= -1 {
    var x = direction > 0 ? startX : startX &- 1
    while x >= 0, x < cellsX {
      var reference = seed
      if x != startX {
        reference = Int(ground[x &- direction])
        // The lower of both neighbours: ground does not climb a wall seen from one side only.
        if let inner, Int(inner[x]) < reference { reference = Int(inner[x]) }
      } else if let inner {
        reference = Int(inner[x])
      }
      var slotX = x &+ layout[4]
      if slotX >= cellsX { slotX &-= cellsX }
      var height = reference &- step
      var found = reference
      while height <= reference &+ step {
        if height >= 0, height < cellsZ,
          row[slotX &* words &+ height &>> 6] &>> UInt64(height & 63) & 1 == 1
        {
          found = height
          break
        }
        height &+= 1
      }
      ground[x] = Int16(truncatingIfNeeded: found)
      x &+= direction
    }
    direction &-= 2
  }
}

/// What stands above the ground in rows `first ..< last`: occupied voxels between `low` and `high`
/// voxels above it, [y][x][word] in window order, and each column's state (0 nothing known there,
/// 1 known free, 2 obstacle).
@inline(never)
public func maskObstacles(
  _ occupied: UnsafePointer<UInt64>, _ known: UnsafePointer<UInt64>, _ layout: UnsafePointer<Int>,
  _ ground: UnsafePointer<Int16>, _ low: Int, _ high: Int, _ first: Int, _ last: Int,
  _ obstacles: UnsafeMutablePointer<UInt64>, _ states: UnsafeMutablePointer<UInt8>
) {
  let (cellsX, cellsY, cellsZ, words) = (layout[0], layout[1], layout[2], layout[3])
  var y = first
  while y < last {
    var slotY = y &+ layout[5]
    if slotY >= cellsY { slotY &-= cellsY }
    var x = 0
    while x < cellsX {
      var slotX = x &+ layout[4]
      if slotX >= cellsX { slotX &-= cellsX }
      let line = (slotY &* cellsX &+ slotX) &* words
      let column = y &* cellsX &+ x
      let base = Int(ground[column])
      let bottom = base &+ low < 0 ? 0 : base &+ low
      let top = base &+ high < cellsZ ? base &+ high : cellsZ &- 1
      var state: UInt8 = 0
      var word = 0
      while word < words {
        var mask: UInt64 = 0
        if bottom <= top, word >= bottom &>> 6, word <= top &>> 6 {
          mask = .max
          if word == bottom &>> 6 { mask &= UInt64.max &<< UInt64(bottom & 63) }
          if word == top &>> 6 { mask &= UInt64.max &>> UInt64(63 &- (top & 63)) }
        }
        let full = occupied[line &+ word] & mask
        obstacles[column &* words &+ word] = full
        if full != 0 {
          state = 2
        } else if state == 0, known[line &+ word] & ~occupied[line &+ word] & mask != 0 {
          state = 1
        }
        word &+= 1
      }
      states[column] = state
      x &+= 1
    }
    y &+= 1
  }
}
