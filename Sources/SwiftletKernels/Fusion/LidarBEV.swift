import CVectorShims

/// Floats of statistics per cell in `lidarAccumulate`: count, Σz, max z, min z, Σintensity, eight
/// height bins, three unused.
public let lidarStatisticCount = 16

/// The cell of points `pointLower ..< pointUpper`, y · width + x, or -1 outside the map and for points
/// that are not finite.
///
/// Records are `stride` floats apart; x, y, z are at `xOffset`, `yOffset`, `zOffset`.
@inline(never)
public func lidarCells(
  _ points: UnsafePointer<Float>, _ stride: Int, _ xOffset: Int, _ yOffset: Int, _ zOffset: Int,
  _ pointLower: Int, _ pointUpper: Int, _ lowerX: Float, _ lowerY: Float, _ inverseSize: Float,
  _ width: Int, _ height: Int, _ cells: UnsafeMutablePointer<Int32>
) {
  let columns = SIMD16<Float>(repeating: Float(width))
  let rows = SIMD16<Float>(repeating: Float(height))
  let zero = SIMD16<Float>(repeating: 0)
  let limit = SIMD16<Float>(repeating: .greatestFiniteMagnitude)
  let none = SIMD16<Int32>(repeating: -1)
  let step = Int32(truncatingIfNeeded: stride)
  let lanes =
    SIMD16<Int32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) &* SIMD16(repeating: step)
  var point = pointLower
  while point < pointUpper {
    // The last vector repeats the last point: every address stays inside the cloud.
    let rest = Int32(truncatingIfNeeded: min(16, pointUpper &- point) &- 1) &* step
    let index = swl_min_i32x16(lanes, SIMD16(repeating: rest))
    let base = points + point &* stride
    let x = (swl_gather_f32x16(base + xOffset, index) - SIMD16(repeating: lowerX)) * inverseSize
    let y = (swl_gather_f32x16(base + yOffset, index) - SIMD16(repeating: lowerY)) * inverseSize
    let z = swl_abs_f32x16(swl_gather_f32x16(base + zOffset, index))
    let insideX = swl_less_equal_f32x16(zero, x) & swl_less_f32x16(x, columns)
    let insideY = swl_less_equal_f32x16(zero, y) & swl_less_f32x16(y, rows)
    let inside = insideX & insideY & swl_less_equal_f32x16(z, limit)
    let column = swl_trunc_i32x16(swl_select_f32x16(inside, x, zero))
    let row = swl_trunc_i32x16(swl_select_f32x16(inside, y, zero))
    let cell = row &* SIMD16(repeating: Int32(truncatingIfNeeded: width)) &+ column
    let result = swl_select_i32x16(inside, cell, none)
    if pointUpper &- point >= 16 {
      swl_store_i32x16(cells + point, result)
    } else {
      var lane = 0
      while point &+ lane < pointUpper {
        cells[point &+ lane] = result[lane]
        lane &+= 1
      }
    }
    point &+= 16
  }
}

/// Adds every point of cells `cellLower ..< cellUpper` to the cell's statistics, in the order of the
/// cloud, so that the sums are the same for any split of the cells.
@inline(never)
public func lidarAccumulate(
  _ points: UnsafePointer<Float>, _ stride: Int, _ zOffset: Int, _ intensityOffset: Int,
  _ cells: UnsafePointer<Int32>, _ pointCount: Int, _ cellLower: Int, _ cellUpper: Int,
  _ binLower: Float, _ inverseBinSize: Float, _ statistics: UnsafeMutablePointer<Float>
) {
  var cell = cellLower
  let empty = SIMD16<Float>(
    0, 0, -.infinity, .infinity, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
  while cell < cellUpper {
    swl_store_f32x16(statistics + cell &* 16, empty)
    cell &+= 1
  }
  let span = UInt(bitPattern: cellUpper &- cellLower)
  var point = 0
  while point < pointCount {
    let cell = Int(cells[point])
    if UInt(bitPattern: cell &- cellLower) < span {
      let z = points[point &* stride &+ zOffset]
      let own = statistics + cell &* 16
      own[0] += 1
      own[1] += z
      own[2] = z > own[2] ? z : own[2]
      own[3] = z < own[3] ? z : own[3]
      if intensityOffset >= 0 { own[4] += points[point &* stride &+ intensityOffset] }
      let place = (z - binLower) * inverseBinSize
      // Points below the first bin and above the last belong to them.
      let bin = place < 7 ? (place > 0 ? Int(place) : 0) : 7
      own[5 &+ bin] += 1
    }
    point &+= 1
  }
}

/// Writes the map's rows for cells `cellLower ..< cellUpper`: 16 channels at `channelOffset`, zeros in
/// the others, and the validity. `logarithms[n]` = ln(1 + n) for n below `logarithmCount`; larger
/// counts take the last. The four column arrays may be nil together.
@inline(never)
public func lidarWrite(
  _ statistics: UnsafePointer<Float>, _ cellLower: Int, _ cellUpper: Int,
  _ occupied: UnsafePointer<Float>?, _ free: UnsafePointer<Float>?,
  _ lowest: UnsafePointer<Float>?, _ highest: UnsafePointer<Float>?,
  _ logarithms: UnsafePointer<Float>, _ logarithmCount: Int, _ channels: Int, _ channelOffset: Int,
  _ output: UnsafeMutablePointer<Float>, _ validity: UnsafeMutablePointer<UInt8>
) {
  let zero = SIMD16<Float>(repeating: 0)
  var cell = cellLower
  while cell < cellUpper {
    let own = statistics + cell &* 16
    let count = own[0]
    let occupiedCount = occupied.map { $0[cell] } ?? 0
    let freeCount = free.map { $0[cell] } ?? 0
    let row = output + cell &* channels
    zeroRow(row, channels)
    let isKnown = count > 0 || occupiedCount > 0 || freeCount > 0
    validity[cell] = isKnown ? 1 : 0
    if isKnown {
      let target = row + channelOffset
      swl_store_f32x16(target, zero)
      if count > 0 {
        let share = 1 / count
        target[0] = logarithm(count, logarithms, logarithmCount)
        target[1] = own[1] * share
        target[2] = own[2]
        target[3] = own[3]
        target[4] = own[4] * share
        var bin = 0
        while bin < 8 {
          target[5 &+ bin] = logarithm(own[5 &+ bin], logarithms, logarithmCount)
          bin &+= 1
        }
      }
      target[13] = logarithm(occupiedCount, logarithms, logarithmCount)
      target[14] = logarithm(freeCount, logarithms, logarithmCount)
      if occupiedCount > 0, let lowest, let highest { target[15] = highest[cell] - lowest[cell] }
    }
    cell &+= 1
  }
}

@inline(__always)
func logarithm(_ count: Float, _ table: UnsafePointer<Float>, _ tableCount: Int) -> Float {
  let limit = Float(tableCount &- 1)
  return table[Int(count < limit ? (count > 0 ? count : 0) : limit)]
}
