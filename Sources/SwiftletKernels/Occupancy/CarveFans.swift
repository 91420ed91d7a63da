import CVectorShims

/// Walks the fans `firstRow`, `firstRow + step`, … below `lastRow` away from the sensor, column by
/// column, and clears what their beams pass.
///
/// A fan is the vertical plane in the middle of its bins. In a column that the plane enters at
/// horizontal distance a and leaves at b, a beam of range r > a and slope s passes the heights between
/// z + a·s and z + min(b, r)·s. In voxels; nothing is fused. The walk recomputes its borders from whole
/// numbers, so that it does not drift.
///
/// - `origin`: sensor in window coordinates (voxels from the window's first corner) x, y, z.
/// - `lines`: per fan direction x, y, 1 / x, 1 / y, and where its walk begins and ends.
/// - `ranges`, `slopes`, `groups`, `counts`: as `listBeams` leaves them.
/// - `window`: as everywhere; `free`: masks [y][x][word] and one spare word.
/// - `depths`: 128 aligned Int32 of scratch.
@inline(never)
public func carveFans(
  _ origin: UnsafePointer<Float>, _ lines: UnsafePointer<Float>, _ ranges: UnsafePointer<Float>,
  _ slopes: UnsafePointer<Float>, _ groups: UnsafePointer<Float>, _ counts: UnsafePointer<Int32>,
  _ firstRow: Int, _ lastRow: Int, _ step: Int, _ window: UnsafePointer<Int32>,
  _ depths: UnsafeMutablePointer<Int32>, _ free: UnsafeMutablePointer<UInt64>
) {
  var row = firstRow
  while row < lastRow {
    let groupCount = Int(counts[row])
    if groupCount > 0 {
      var word = 0
      while word < Int(window[5]) {
        carveFan(
          origin, lines + row &* 8, ranges + row &* 128, slopes + row &* 128, groups + row &* 8,
          groupCount, window, word, depths, free)
        word &+= 1
      }
    }
    row &+= step
  }
}

@inline(__always)
private func carveFan(
  _ origin: UnsafePointer<Float>, _ line: UnsafePointer<Float>, _ ranges: UnsafePointer<Float>,
  _ slopes: UnsafePointer<Float>, _ groups: UnsafePointer<Float>, _ groupCount: Int,
  _ window: UnsafePointer<Int32>, _ word: Int, _ depths: UnsafeMutablePointer<Int32>,
  _ free: UnsafeMutablePointer<UInt64>
) {
  let columns = Int(window[3])
  let rows = Int(window[4])
  let words = Int(window[5])
  let spare = columns &* rows &* words
  let forward = line[0] > 0
  let upward = line[1] > 0
  let stepX = forward ? 1 : -1
  let stepY = upward ? 1 : -1
  let height = SIMD16<Float>(repeating: origin[2] - Float(word &* 64))
  let none = SIMD16<Int32>(repeating: 0)
  let one = SIMD16<Int32>(repeating: 1)
  var live = groupCount
  var enter = line[4]
  var group = 0
  while group < live {
    let z = swl_load_f32x16(slopes + group &* 16) * enter + height
    swl_store_i32x16(depths + group &* 16, swl_ray_floor_i32x16(z))
    group &+= 1
  }
  var x = Int((origin[0] + line[0] * enter).rounded(.down))
  var y = Int((origin[1] + line[1] * enter).rounded(.down))
  while enter < line[5] {
    while live > 0 && groups[live &- 1] <= enter { live &-= 1 }
    if live == 0 { break }
    let awayX = forward ? x >= columns : x < 0
    let awayY = upward ? y >= rows : y < 0
    if awayX || awayY { break }
    let borderX = Float(forward ? x &+ 1 : x)
    let borderY = Float(upward ? y &+ 1 : y)
    let exitX = (borderX - origin[0]) * line[2]
    let exitY = (borderY - origin[1]) * line[3]
    let leave = min(exitX, exitY)
    let enters = SIMD16<Float>(repeating: enter)
    let leaves = SIMD16<Float>(repeating: leave)
    var passed = SIMD8<UInt64>(repeating: 0)
    group = 0
    while group < live {
      let range = swl_load_f32x16(ranges + group &* 16)
      let until = swl_min_f32x16(leaves, range)
      let z = swl_ray_floor_i32x16(swl_load_f32x16(slopes + group &* 16) * until + height)
      let from = swl_load_i32x16(depths + group &* 16)
      swl_store_i32x16(depths + group &* 16, z)
      let lower = swl_max_i32x16(swl_min_i32x16(from, z), none)
      let above = swl_max_i32x16(swl_max_i32x16(from, z) &+ one, none)
      let isLive = swl_less_f32x16(enters, range)
      // Where a beam has ended the run is empty.
      let end = swl_select_i32x16(isLive, above, lower)
      passed = passed | swl_ray_runs_u64x8(lower, end)
      group &+= 1
    }
    let isInside = x >= 0 && x < columns && y >= 0 && y < rows
    let place = isInside ? (y &* columns &+ x) &* words &+ word : spare
    free[place] |= swl_ray_or_lanes_u64x8(passed)
    let crossesX = exitX < exitY
    x &+= crossesX ? stepX : 0
    y &+= crossesX ? 0 : stepY
    enter = leave
  }
}
