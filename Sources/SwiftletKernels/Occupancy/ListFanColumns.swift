import CVectorShims

/// Where a walk stands: the distance at which it enters column (x, y).
typealias FanWalk = (enter: Float, x: Int, y: Int)

/// Lists at most 192 of the columns that a fan enters from `start` on before the distance `stop`.
/// Borders across x and across y are two rising rows of numbers; the columns are the two merged, y
/// first where both are equal.
///
/// - `scratch`, floats: 1024 ..< 1224 out, where each column is entered and the last one left; 1248 ..<
///   1440 out, Int32, each column's place in the masks, −1 for one outside the window or crossed by
///   less than the shortest way; 1440 ..< 2048 for itself.
/// - Returns: how many columns, and where the walk goes on, infinitely far where it has left the
///   window for good.
@inline(__always)
func listColumns(
  _ origin: UnsafePointer<Float>, _ line: UnsafePointer<Float>, _ start: FanWalk, _ stop: Float,
  _ window: UnsafePointer<Int32>, _ apartRow: Int, _ scratch: UnsafeMutablePointer<Float>
) -> (count: Int, next: FanWalk) {
  let distances = scratch + 1024
  let acrossX = UnsafeMutableRawPointer(scratch + 1440).assumingMemoryBound(to: Int32.self)
  let acrossY = UnsafeMutableRawPointer(scratch + 1640).assumingMemoryBound(to: Int32.self)
  let turns = UnsafeMutableRawPointer(scratch + 1840).assumingMemoryBound(to: Int32.self)
  let ends = UnsafeMutableRawPointer(distances).assumingMemoryBound(to: Int32.self)
  listBorders(origin[0], line[0], line[2], start.x, stop - start.enter, acrossX)
  listBorders(origin[1], line[1], line[3], start.y, stop - start.enter, acrossY)
  // Distances are not negative: their bits compare as they do.
  let last = Int32(bitPattern: stop.bitPattern)
  var enter = Int32(bitPattern: start.enter.bitPattern)
  var count = 0
  var crossed = 0
  ends[0] = enter
  while enter < last && count < 192 {
    turns[count] = Int32(truncatingIfNeeded: crossed)
    let x = acrossX[crossed]
    let y = acrossY[count &- crossed]
    // All ones where x is crossed first. A branch here is wrong every third time.
    let isX = (x &- y) &>> 31
    enter = y &+ ((x &- y) & isX)
    crossed &-= Int(isX)
    count &+= 1
    ends[count] = enter
  }
  let next = Float(bitPattern: UInt32(bitPattern: enter))
  swl_ray_store_f32x8(distances + (count &+ 1), SIMD8(repeating: next))
  placeColumns(line, start, count, window, apartRow, scratch)
  let x = start.x &+ (line[0] > 0 ? crossed : 0 &- crossed)
  let y = start.y &+ (line[1] > 0 ? count &- crossed : crossed &- count)
  let awayX = line[0] > 0 ? x >= Int(window[3]) : x < 0
  let awayY = line[1] > 0 ? y >= Int(window[4]) : y < 0
  return (count, (awayX || awayY ? .infinity : next, x, y))
}

/// Distances at which a fan crosses the borders across one axis behind cell `cell`, in order, at
/// least those within `reach` of where it stands in the cell.
@inline(__always)
private func listBorders(
  _ origin: Float, _ direction: Float, _ inverse: Float, _ cell: Int, _ reach: Float,
  _ borders: UnsafeMutablePointer<Int32>
) {
  let forward = direction > 0
  let step = SIMD8<Float>(repeating: forward ? 8 : -8)
  let lanes = SIMD8<Float>(0, 1, 2, 3, 4, 5, 6, 7)
  // Whole numbers, exact in float32.
  var border =
    SIMD8<Float>(repeating: Float(forward ? cell &+ 1 : cell)) + (forward ? lanes : 0 - lanes)
  // Three more than fit for the cell it stands in, the one it ends in and rounding.
  let count = Int(min(reach * abs(direction) + 3, 193))
  var first = 0
  while first < count {
    // − 0 becomes 0, so that bits compare as numbers.
    let distance = (border - SIMD8(repeating: origin)) * SIMD8(repeating: inverse) + 0
    swl_ray_store_i32x8(borders + first, unsafeBitCast(distance, to: SIMD8<Int32>.self))
    border += step
    first &+= 8
  }
}

/// Turns counts of borders crossed across x into places in the masks.
@inline(__always)
private func placeColumns(
  _ line: UnsafePointer<Float>, _ start: FanWalk, _ count: Int, _ window: UnsafePointer<Int32>,
  _ apartRow: Int, _ scratch: UnsafeMutablePointer<Float>
) {
  let distances = scratch + 1024
  let places = UnsafeMutableRawPointer(scratch + 1248).assumingMemoryBound(to: Int32.self)
  let turns = UnsafeMutableRawPointer(scratch + 1840).assumingMemoryBound(to: Int32.self)
  let columns = SIMD8<Int32>(repeating: window[3])
  let rows = SIMD8<Int32>(repeating: window[4])
  let words = SIMD8<Int32>(repeating: window[5])
  // Window row `apartRow` lies behind the spare word and its padding.
  let apart = window[3] &* window[4] &* window[5] &+ 8
    &- Int32(truncatingIfNeeded: apartRow) &* window[3] &* window[5]
  let startX = SIMD8<Int32>(repeating: Int32(truncatingIfNeeded: start.x))
  let startY = SIMD8<Int32>(repeating: Int32(truncatingIfNeeded: start.y))
  let forward = SIMD8<Int32>(repeating: line[0] > 0 ? 1 : -1)
  let upward = SIMD8<Int32>(repeating: line[1] > 0 ? 1 : -1)
  let least = SIMD8<Float>(repeating: line[6])
  let none = SIMD8<Int32>(repeating: -1)
  var index = SIMD8<Int32>(0, 1, 2, 3, 4, 5, 6, 7)
  var first = 0
  while first < count {
    let crossed = swl_ray_load_i32x8(turns + first)
    let x = startX &+ crossed &* forward
    let y = startY &+ (index &- crossed) &* upward
    let isInside =
      swl_ray_less_i32x8(none, x) & swl_ray_less_i32x8(x, columns)
      & swl_ray_less_i32x8(none, y) & swl_ray_less_i32x8(y, rows)
    let isApart = swl_ray_equal_i32x8(y, SIMD8(repeating: Int32(truncatingIfNeeded: apartRow)))
    let place =
      (y &* columns &+ x) &* words &+ (isApart & SIMD8<Int32>(repeating: apart))
    let way =
      swl_ray_load_f32x8(distances + (first &+ 1)) - swl_ray_load_f32x8(distances + first)
    let isShort = swl_ray_less_f32x8(way, least)
    swl_ray_store_i32x8(
      places + first, swl_ray_select_i32x8(isInside & ~isShort, place, none))
    index &+= SIMD8(repeating: 8)
    first &+= 8
  }
}
