import CVectorShims

// out[cell] = Σ depth[d] * feature[f, :] over the cell's points in table order, one multiply-add
// per point and channel (fused where the target has it), from 0. Channels are independent, so a
// tile of channels may be any width without changing a bit.

/// What every tile needs; a tuple, because a nominal type would need metadata symbols.
@usableFromInline
typealias PoolInput = (
  points: UnsafePointer<UInt64>, depth: UnsafePointer<Float>, features: UnsafePointer<Float>,
  featureStride: Int
)

@inline(__always)
private func feature(_ input: PoolInput, _ point: UInt64) -> UnsafePointer<Float> {
  input.features + Int(truncatingIfNeeded: point &>> 32) &* input.featureStride
}
@inline(__always)
private func weight(_ input: PoolInput, _ point: UInt64) -> SIMD16<Float> {
  SIMD16(repeating: input.depth[Int(UInt32(truncatingIfNeeded: point))])
}

@inline(__always)
private func poolTile5(
  _ input: PoolInput, _ begin: Int, _ end: Int, _ channel: Int, _ out: UnsafeMutablePointer<Float>
) {
  var sum0 = SIMD16<Float>(repeating: 0)
  var sum1 = sum0
  var sum2 = sum0
  var sum3 = sum0
  var sum4 = sum0
  var slot = begin
  while slot < end {
    let point = input.points[slot]
    let row = feature(input, point) + channel
    let w = weight(input, point)
    sum0 = swl_fma_f32x16(w, swl_load_f32x16(row), sum0)
    sum1 = swl_fma_f32x16(w, swl_load_f32x16(row + 16), sum1)
    sum2 = swl_fma_f32x16(w, swl_load_f32x16(row + 32), sum2)
    sum3 = swl_fma_f32x16(w, swl_load_f32x16(row + 48), sum3)
    sum4 = swl_fma_f32x16(w, swl_load_f32x16(row + 64), sum4)
    slot &+= 1
  }
  swl_store_f32x16(out + channel, sum0)
  swl_store_f32x16(out + channel + 16, sum1)
  swl_store_f32x16(out + channel + 32, sum2)
  swl_store_f32x16(out + channel + 48, sum3)
  swl_store_f32x16(out + channel + 64, sum4)
}

@inline(__always)
private func poolTile4(
  _ input: PoolInput, _ begin: Int, _ end: Int, _ channel: Int, _ out: UnsafeMutablePointer<Float>
) {
  var sum0 = SIMD16<Float>(repeating: 0)
  var sum1 = sum0
  var sum2 = sum0
  var sum3 = sum0
  var slot = begin
  while slot < end {
    let point = input.points[slot]
    let row = feature(input, point) + channel
    let w = weight(input, point)
    sum0 = swl_fma_f32x16(w, swl_load_f32x16(row), sum0)
    sum1 = swl_fma_f32x16(w, swl_load_f32x16(row + 16), sum1)
    sum2 = swl_fma_f32x16(w, swl_load_f32x16(row + 32), sum2)
    sum3 = swl_fma_f32x16(w, swl_load_f32x16(row + 48), sum3)
    slot &+= 1
  }
  swl_store_f32x16(out + channel, sum0)
  swl_store_f32x16(out + channel + 16, sum1)
  swl_store_f32x16(out + channel + 32, sum2)
  swl_store_f32x16(out + channel + 48, sum3)
}

@inline(__always)
private func poolTile1(
  _ input: PoolInput, _ begin: Int, _ end: Int, _ channel: Int, _ out: UnsafeMutablePointer<Float>
) {
  var sum = SIMD16<Float>(repeating: 0)
  var slot = begin
  while slot < end {
    let point = input.points[slot]
    let row = feature(input, point) + channel
    sum = swl_fma_f32x16(weight(input, point), swl_load_f32x16(row), sum)
    slot &+= 1
  }
  swl_store_f32x16(out + channel, sum)
}

/// Fewer than 16 channels: the only case that needs partial vectors.
@inline(__always)
private func poolNarrow(
  _ input: PoolInput, _ begin: Int, _ end: Int, _ channels: Int, _ out: UnsafeMutablePointer<Float>
) {
  var sum = SIMD16<Float>(repeating: 0)
  var slot = begin
  while slot < end {
    let point = input.points[slot]
    let row = swl_load_f32x16_partial(feature(input, point), Int64(channels))
    sum = swl_fma_f32x16(weight(input, point), row, sum)
    slot &+= 1
  }
  swl_store_f32x16_partial(out, sum, Int64(channels))
}

/// All channels of one cell. A remainder of less than 16 channels is covered by a vector that
/// overlaps its neighbour: the shared channels are computed twice, to the same bits.
@inline(__always)
private func poolCell(
  _ input: PoolInput, _ begin: Int, _ end: Int, _ channels: Int, _ out: UnsafeMutablePointer<Float>
) {
  if channels < 16 { return poolNarrow(input, begin, end, channels, out) }
  var channel = 0
  while channel &+ 80 <= channels && channels &- channel != 128 {
    poolTile5(input, begin, end, channel, out)
    channel &+= 80
  }
  while channel &+ 64 <= channels {
    poolTile4(input, begin, end, channel, out)
    channel &+= 64
  }
  while channel &+ 16 <= channels {
    poolTile1(input, begin, end, channel, out)
    channel &+= 16
  }
  if channel < channels { poolTile1(input, begin, end, channels &- 16, out) }
}

@inline(__always)
private func clearCell(_ out: UnsafeMutablePointer<Float>, _ channels: Int) {
  let zero = SIMD16<Float>(repeating: 0)
  var channel = 0
  while channel &+ 16 <= channels {
    swl_store_f32x16(out + channel, zero)
    channel &+= 16
  }
  if channel < channels {
    swl_store_f32x16_partial(out + channel, zero, Int64(channels &- channel))
  }
}

/// Pools cells `begin..<end`: cell i has the points `points[starts[i]..<starts[i + 1]]` and writes
/// `channels` floats at `output + (i - begin) * outputStride`. Cells without points become 0.
@inline(never)
public func poolCells(
  _ points: UnsafePointer<UInt64>, _ starts: UnsafePointer<Int32>, _ begin: Int, _ end: Int,
  _ depth: UnsafePointer<Float>, _ features: UnsafePointer<Float>, _ featureStride: Int,
  _ channels: Int, _ output: UnsafeMutablePointer<Float>, _ outputStride: Int
) {
  let input: PoolInput = (points, depth, features, featureStride)
  var cell = begin
  var out = output
  var first = Int(starts[begin])
  while cell < end {
    let stop = Int(starts[cell &+ 1])
    if first == stop {
      clearCell(out, channels)
    } else if channels == 64 {
      poolTile4(input, first, stop, 0, out)
    } else if channels == 80 {
      poolTile5(input, first, stop, 0, out)
    } else {
      poolCell(input, first, stop, channels, out)
    }
    first = stop
    out += outputStride
    cell &+= 1
  }
}

/// As `poolCells`, but points whose depth index lies in one of `excludedCount` ranges
/// (`excluded[2 r]..<excluded[2 r + 1]`, the depth of missing cameras) are neither read nor added.
@inline(never)
public func poolCellsExcluding(
  _ points: UnsafePointer<UInt64>, _ starts: UnsafePointer<Int32>, _ begin: Int, _ end: Int,
  _ depth: UnsafePointer<Float>, _ features: UnsafePointer<Float>, _ featureStride: Int,
  _ channels: Int, _ output: UnsafeMutablePointer<Float>, _ outputStride: Int,
  _ excluded: UnsafePointer<Int32>, _ excludedCount: Int
) {
  let input: PoolInput = (points, depth, features, featureStride)
  var cell = begin
  var out = output
  while cell < end {
    clearCell(out, channels)
    var slot = Int(starts[cell])
    let stop = Int(starts[cell &+ 1])
    while slot < stop {
      let index = Int32(truncatingIfNeeded: points[slot])
      var range = 0
      var isExcluded = false
      while range < excludedCount {
        if index >= excluded[2 &* range] && index < excluded[2 &* range &+ 1] { isExcluded = true }
        range &+= 1
      }
      if !isExcluded { addPoint(input, points[slot], channels, out) }
      slot &+= 1
    }
    out += outputStride
    cell &+= 1
  }
}

/// Adds one point to a cell's sums in memory.
@inline(__always)
private func addPoint(
  _ input: PoolInput, _ point: UInt64, _ channels: Int, _ out: UnsafeMutablePointer<Float>
) {
  let row = feature(input, point)
  let w = weight(input, point)
  var channel = 0
  while channel &+ 16 <= channels {
    let sum = swl_load_f32x16(out + channel)
    swl_store_f32x16(out + channel, swl_fma_f32x16(w, swl_load_f32x16(row + channel), sum))
    channel &+= 16
  }
  let rest = Int64(channels &- channel)
  if rest > 0 {
    let sum = swl_load_f32x16_partial(out + channel, rest)
    let value = swl_load_f32x16_partial(row + channel, rest)
    swl_store_f32x16_partial(out + channel, swl_fma_f32x16(w, value, sum), rest)
  }
}
