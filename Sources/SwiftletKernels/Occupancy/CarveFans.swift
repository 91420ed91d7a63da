import CVectorShims

/// Walks the fans `firstRow`, `firstRow + step`, … below `lastRow` away from the sensor, clears what
/// their beams pass column by column, and empties their rows of the image.
///
/// A fan is the vertical plane in the middle of its bins. In a column that the plane enters at
/// horizontal distance a and leaves at b, a beam of range r > a and slope s passes the heights between
/// z + a·s and z + min(b, r)·s. In voxels; nothing is fused. The walk computes its borders from whole
/// numbers, so that it does not drift.
///
/// A walk is cut where its distance has doubled. Beams that end behind the cut and lie less than a
/// voxel apart at it are one bundle: the union of their runs has no holes, so the lowest and the
/// highest of them say it all. This is what makes the near field cheap and changes no bit.
///
/// Between two cuts the columns are listed first, then eight of them at a time meet every bundle:
/// where few beams are left no lane idles, and the chain from column to column is short.
///
/// - `origin`: sensor in window coordinates (voxels from the window's first corner) x, y, z.
/// - `lines`: per fan direction x, y, 1 / x, 1 / y, where its walk begins and ends, and the shortest
///   way through a column that counts.
/// - `image`: [row][128 slots] of beams; `unit`: voxels a range step.
/// - `window`: as everywhere; `free`: masks [y][x][word], one spare word, 7 of padding, and a row
///   [x][word] that takes window row `apartRow` in its place.
/// - `scratch`: 2,048 aligned floats.
@inline(never)
public func carveFans(
  _ origin: UnsafePointer<Float>, _ lines: UnsafePointer<Float>,
  _ image: UnsafeMutablePointer<Int32>, _ unit: Float, _ firstRow: Int, _ lastRow: Int,
  _ step: Int, _ window: UnsafePointer<Int32>, _ apartRow: Int,
  _ scratch: UnsafeMutablePointer<Float>, _ free: UnsafeMutablePointer<UInt64>
) {
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
      let bundles = listBundles(beams, unit, enter, end, scratch)
      if bundles.all == 0 { break }
      // Where the last beam has ended nothing is left to clear.
      let stop = min(end, bundles.longest)
      while enter < stop {
        let columns = listColumns(origin, line, (enter, x, y), stop, window, apartRow, scratch)
        passColumns(
          origin[2], window, scratch, bundles.lasting, bundles.all, columns.count, free)
        (enter, x, y) = columns.next
      }
      if stop < end { break }
    }
    var slot = 0
    while slot < 128 {
      swl_store_i32x16(beams + slot, zero)
      slot &+= 16
    }
    row &+= step
  }
}

/// Clears what `all` bundles of one fan pass in `count` listed columns.
///
/// - `scratch`: bundles and columns as `listBundles` and `listColumns` leave them.
@inline(__always)
private func passColumns(
  _ originZ: Float, _ window: UnsafePointer<Int32>, _ scratch: UnsafeMutablePointer<Float>,
  _ lasting: Int, _ all: Int, _ count: Int, _ free: UnsafeMutablePointer<UInt64>
) {
  let words = Int(window[5])
  let spare = Int(window[3]) &* Int(window[4]) &* words
  let distances = scratch + 1024
  let places = UnsafeMutableRawPointer(scratch + 1248).assumingMemoryBound(to: Int32.self)
  let passed = UnsafeMutableRawPointer(scratch + 512).assumingMemoryBound(to: UInt64.self)
  var word = 0
  while word < words {
    let height = SIMD8<Float>(repeating: originZ - Float(word &* 64))
    var first = 0
    while first < count {
      let enters = swl_ray_load_f32x8(distances + first)
      let leaves = swl_ray_load_f32x8(distances + (first &+ 1))
      let runs =
        lastingRuns(scratch, lasting, enters, leaves, height)
        | endingRuns(scratch, lasting, all, distances[first], enters, leaves, height)
      swl_ray_store_u64x8(passed, runs)
      let columns = min(8, count &- first)
      var column = 0
      while column < columns {
        let place = Int(places[first &+ column])
        free[place < 0 ? spare : place &+ word] |= passed[column]
        column &+= 1
      }
      first &+= 8
    }
    word &+= 1
  }
}

/// What the bundles that outlive the walk pass in eight columns.
@inline(__always)
private func lastingRuns(
  _ bundles: UnsafePointer<Float>, _ count: Int, _ enters: SIMD8<Float>, _ leaves: SIMD8<Float>,
  _ height: SIMD8<Float>
) -> SIMD8<UInt64> {
  let none = SIMD8<Int32>(repeating: 0)
  let one = SIMD8<Int32>(repeating: 1)
  var passed = SIMD8<UInt64>(repeating: 0)
  var bundle = 0
  while bundle < count {
    // What rises is lowest where it enters, what falls where it leaves.
    let low = SIMD8<Float>(repeating: bundles[bundle])
    let high = SIMD8<Float>(repeating: bundles[160 &+ bundle])
    let lowest = swl_ray_min_f32x8(low * enters, low * leaves) + height
    let highest = swl_ray_max_f32x8(high * enters, high * leaves) + height
    let lower = swl_ray_max_i32x8(swl_ray_floor_i32x8(lowest), none)
    let above = swl_ray_max_i32x8(swl_ray_floor_i32x8(highest) &+ one, none)
    passed |= swl_ray_runs_u64x8(lower, above)
    bundle &+= 1
  }
  return passed
}

/// What single beams that end within the walk pass in eight columns, the first of which they enter
/// at `begin`.
@inline(__always)
private func endingRuns(
  _ bundles: UnsafePointer<Float>, _ first: Int, _ last: Int, _ begin: Float,
  _ enters: SIMD8<Float>, _ leaves: SIMD8<Float>, _ height: SIMD8<Float>
) -> SIMD8<UInt64> {
  let none = SIMD8<Int32>(repeating: 0)
  let one = SIMD8<Int32>(repeating: 1)
  var passed = SIMD8<UInt64>(repeating: 0)
  var bundle = first
  while bundle < last {
    if bundles[320 &+ bundle] > begin {
      let range = SIMD8<Float>(repeating: bundles[320 &+ bundle])
      let slope = SIMD8<Float>(repeating: bundles[bundle])
      let from = swl_ray_floor_i32x8(slope * enters + height)
      let to = swl_ray_floor_i32x8(slope * swl_ray_min_f32x8(leaves, range) + height)
      let lower = swl_ray_max_i32x8(swl_ray_min_i32x8(from, to), none)
      let above = swl_ray_max_i32x8(swl_ray_max_i32x8(from, to) &+ one, none)
      // Where a beam has ended the run is empty.
      let isLive = swl_ray_less_f32x8(enters, range)
      passed |= swl_ray_runs_u64x8(lower, swl_ray_select_i32x8(isLive, above, lower))
    }
    bundle &+= 1
  }
  return passed
}
