import CVectorShims

/// Carves free space into the window column by column: each column looks at the direction bins that
/// cross it, at most `maximumSamples` of them, and clears what their rays pass on the way.
///
/// Work is by output: rows `firstRow ..< lastRow` of the window and nothing else are written, so
/// workers share nothing. In voxels: a ray of horizontal range r and slope s is at height
/// z + t·s at horizontal distance t < r. Nothing is fused.
///
/// - `origin`: sensor in window coordinates (voxels from the window's first corner) x, y, z, then
///   the reach in voxels.
/// - `starts`, `binRanges`, `binSlopes`, `groupRanges`, `longest`: the bins' lists.
/// - `sectors`: longest range of each of `binCount / 16` groups of bins and their neighbours.
/// - `directions`: per bin x, y, 1 / x, 1 / y.
/// - `window`: as everywhere; `free`: masks [y][x][word].
@inline(never)
public func carveColumns(
  _ origin: UnsafePointer<Float>, _ binCount: Int, _ maximumSamples: Int,
  _ starts: UnsafePointer<Int32>, _ binRanges: UnsafePointer<Float>,
  _ binSlopes: UnsafePointer<Float>, _ groupRanges: UnsafePointer<Float>,
  _ longest: UnsafePointer<Float>, _ sectors: UnsafePointer<Float>,
  _ directions: UnsafePointer<Float>, _ window: UnsafePointer<Int32>, _ firstRow: Int,
  _ lastRow: Int, _ free: UnsafeMutablePointer<UInt64>
) {
  let columns = Int(window[3])
  let words = Int(window[5])
  let scale = Float(binCount) * 0.25
  let ramp = SIMD16<Float>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
  let lastSector = SIMD16<Int32>(repeating: Int32(truncatingIfNeeded: binCount / 16 &- 1))
  var row = firstRow
  while row < lastRow {
    let cy = (Float(row) + 0.5) - origin[1]
    let square = SIMD16<Float>(repeating: cy * cy)
    var first = 0
    while first < columns {
      // Sixteen columns at once: is any ray of their sector long enough to reach them?
      let cx = (ramp + (Float(first) + 0.5)) - origin[0]
      let sum = swl_abs_f32x16(cx) + abs(cy)
      let quotient = SIMD16<Float>(repeating: cy) / sum
      let behind = swl_less_f32x16(cx, SIMD16(repeating: 0))
      let angle = swl_select_f32x16(behind, SIMD16(repeating: 2) - quotient, quotient)
      let place = swl_trunc_i32x16((angle + 1) * (scale * 0.0625))
      let sector = swl_max_i32x16(swl_min_i32x16(place, lastSector), SIMD16(repeating: 0))
      let reach = swl_gather_f32x16(sectors, sector) + 0.75
      let near = swl_less_f32x16(sum, SIMD16(repeating: 64))
      let seen = swl_less_f32x16(cx * cx + square, reach * reach)
      let inReach = swl_less_f32x16(
        cx * cx + square, SIMD16(repeating: (origin[3] + 1) * (origin[3] + 1)))
      var visible = swl_mask_bits_i32x16((near | seen) & inReach)
      if columns &- first < 16 { visible &= (1 << UInt32(columns &- first)) &- 1 }
      while visible != 0 {
        let column = first &+ visible.trailingZeroBitCount
        visible &= visible &- 1
        carveColumn(
          Float(column), Float(row), origin, binCount, maximumSamples, starts, binRanges,
          binSlopes, groupRanges, longest, directions, words,
          free + (row &* columns &+ column) &* words)
      }
      first &+= 16
    }
    row &+= 1
  }
}

@inline(__always)
private func carveColumn(
  _ x: Float, _ y: Float, _ origin: UnsafePointer<Float>, _ binCount: Int,
  _ maximumSamples: Int, _ starts: UnsafePointer<Int32>, _ binRanges: UnsafePointer<Float>,
  _ binSlopes: UnsafePointer<Float>, _ groupRanges: UnsafePointer<Float>,
  _ longest: UnsafePointer<Float>, _ directions: UnsafePointer<Float>, _ words: Int,
  _ free: UnsafeMutablePointer<UInt64>
) {
  let cx = (x + 0.5) - origin[0]
  let cy = (y + 0.5) - origin[1]
  let sum = max(abs(cx) + abs(cy), 0.25)
  let quotient = cy / sum
  let angle = cx < 0 ? 2 - quotient : quotient
  // In bins: where the column's centre lies and how wide the column is.
  let center = (angle + 1) * (Float(binCount) * 0.25)
  let width = min(Float(binCount) * 0.25 / sum, Float(binCount))
  // Next to the sensor a column spans so wide an angle that few samples would miss directions.
  let most = sum < 4 ? 256 : maximumSamples
  let samples = min(most, max(1, Int(width.rounded(.up))))
  let spacing = width / Float(samples)
  var position = center - width * 0.5 + spacing * 0.5
  var sample = 0
  while sample < samples {
    var bin = Int(position.rounded(.down))
    if bin < 0 { bin &+= binCount }
    if bin >= binCount { bin &-= binCount }
    position += spacing
    sample &+= 1
    let direction = directions + bin &* 4
    let ax = (x - origin[0]) * direction[2]
    let bx = (x + 1 - origin[0]) * direction[2]
    let ay = (y - origin[1]) * direction[3]
    let by = (y + 1 - origin[1]) * direction[3]
    let enter = max(max(min(ax, bx), min(ay, by)), 0)
    let leave = min(max(ax, bx), max(ay, by))
    if enter < leave && enter < longest[bin] {
      let end = Int(starts[bin &+ 1])
      var place = Int(starts[bin])
      while place < end {
        if groupRanges[place &>> 3] > enter {
          carveGroup(
            binRanges + place, binSlopes + place, enter, leave, origin[2], words, free)
        }
        place &+= 8
      }
    }
  }
}

/// Clears the voxels of one column that eight rays pass between two horizontal distances.
@inline(__always)
private func carveGroup(
  _ ranges: UnsafePointer<Float>, _ slopes: UnsafePointer<Float>, _ enter: Float,
  _ leave: Float, _ originZ: Float, _ words: Int, _ free: UnsafeMutablePointer<UInt64>
) {
  let range = swl_ray_load_f32x8(ranges)
  let slope = swl_ray_load_f32x8(slopes)
  let start = SIMD8<Float>(repeating: enter)
  let stop = swl_ray_min_f32x8(SIMD8(repeating: leave), range)
  let live = swl_ray_mask64_from_mask32(swl_ray_less_f32x8(start, stop))
  let limit: Float = 4096
  let from = swl_ray_clamp_f32x8(start * slope + originZ, -limit, limit)
  let to = swl_ray_clamp_f32x8(stop * slope + originZ, -limit, limit)
  let lower = swl_ray_floor_i32x8(swl_ray_min_f32x8(from, to))
  let upper = swl_ray_floor_i32x8(swl_ray_max_f32x8(from, to))
  var word = 0
  while word < words {
    let base = SIMD8<Int32>(repeating: Int32(truncatingIfNeeded: word &* 64))
    free[word] |= swl_ray_or_runs_u64x8(lower &- base, upper &- base, live)
    word &+= 1
  }
}
