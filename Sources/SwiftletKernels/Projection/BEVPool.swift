import CVectorShims

// out[cell] = Σ depth[d] * feature[f, :] over the cell's points in table order, one multiply-add
// per point and channel (fused where the target has it), from 0. Channels are independent, so a
// tile of channels may be any width without changing a bit, and cells may be visited in any order.

/// What every tile needs; a tuple, because a nominal type would need metadata symbols.
@usableFromInline
typealias PoolInput = (
  points: UnsafePointer<UInt64>, depth: UnsafePointer<Float>, features: UnsafeRawPointer,
  featureStride: Int
)

/// Sixteen feature values: float32 (format 0), half (1) or bfloat16 (2), widened exactly. `format`
/// is a constant wherever this is inlined.
@inline(__always)
private func load(_ row: UnsafeRawPointer, _ channel: Int, _ format: Int) -> SIMD16<Float> {
  if format == 0 {
    return swl_load_f32x16(row.assumingMemoryBound(to: Float.self) + channel)
  }
  let halves = row.assumingMemoryBound(to: UInt16.self) + channel
  return format == 1 ? swl_load_half_f32x16(halves) : swl_load_bfloat_f32x16(halves)
}
/// Fewer than sixteen, the rest 0.
@inline(__always)
private func loadPartial(
  _ row: UnsafeRawPointer, _ channel: Int, _ count: Int64, _ format: Int
) -> SIMD16<Float> {
  if format == 0 {
    return swl_load_f32x16_partial(row.assumingMemoryBound(to: Float.self) + channel, count)
  }
  let halves = row.assumingMemoryBound(to: UInt16.self) + channel
  return format == 1
    ? swl_load_half_f32x16_partial(halves, count) : swl_load_bfloat_f32x16_partial(halves, count)
}

@inline(__always)
private func feature(_ input: PoolInput, _ point: UInt64, _ format: Int) -> UnsafeRawPointer {
  let width = format == 0 ? 4 : 2
  return input.features + Int(truncatingIfNeeded: point &>> 32) &* (input.featureStride &* width)
}
@inline(__always)
private func weight(_ input: PoolInput, _ point: UInt64) -> SIMD16<Float> {
  SIMD16(repeating: input.depth[Int(UInt32(truncatingIfNeeded: point))])
}
@inline(__always)
private func put(_ out: UnsafeMutablePointer<Float>, _ value: SIMD16<Float>, _ streams: Bool) {
  if streams { swl_stream_f32x16(out, value) } else { swl_store_f32x16(out, value) }
}

@inline(__always)
private func poolTile5(
  _ input: PoolInput, _ begin: Int, _ end: Int, _ channel: Int, _ out: UnsafeMutablePointer<Float>,
  _ format: Int, _ streams: Bool
) {
  var sum0 = SIMD16<Float>(repeating: 0)
  var sum1 = sum0
  var sum2 = sum0
  var sum3 = sum0
  var sum4 = sum0
  var slot = begin
  while slot < end {
    let point = input.points[slot]
    let row = feature(input, point, format)
    let w = weight(input, point)
    sum0 = swl_fma_f32x16(w, load(row, channel, format), sum0)
    sum1 = swl_fma_f32x16(w, load(row, channel &+ 16, format), sum1)
    sum2 = swl_fma_f32x16(w, load(row, channel &+ 32, format), sum2)
    sum3 = swl_fma_f32x16(w, load(row, channel &+ 48, format), sum3)
    sum4 = swl_fma_f32x16(w, load(row, channel &+ 64, format), sum4)
    slot &+= 1
  }
  put(out + channel, sum0, streams)
  put(out + channel + 16, sum1, streams)
  put(out + channel + 32, sum2, streams)
  put(out + channel + 48, sum3, streams)
  put(out + channel + 64, sum4, streams)
}

@inline(__always)
private func poolTile4(
  _ input: PoolInput, _ begin: Int, _ end: Int, _ channel: Int, _ out: UnsafeMutablePointer<Float>,
  _ format: Int, _ streams: Bool
) {
  var sum0 = SIMD16<Float>(repeating: 0)
  var sum1 = sum0
  var sum2 = sum0
  var sum3 = sum0
  var slot = begin
  while slot < end {
    let point = input.points[slot]
    let row = feature(input, point, format)
    let w = weight(input, point)
    sum0 = swl_fma_f32x16(w, load(row, channel, format), sum0)
    sum1 = swl_fma_f32x16(w, load(row, channel &+ 16, format), sum1)
    sum2 = swl_fma_f32x16(w, load(row, channel &+ 32, format), sum2)
    sum3 = swl_fma_f32x16(w, load(row, channel &+ 48, format), sum3)
    slot &+= 1
  }
  put(out + channel, sum0, streams)
  put(out + channel + 16, sum1, streams)
  put(out + channel + 32, sum2, streams)
  put(out + channel + 48, sum3, streams)
}

@inline(__always)
private func poolTile1(
  _ input: PoolInput, _ begin: Int, _ end: Int, _ channel: Int, _ out: UnsafeMutablePointer<Float>,
  _ format: Int, _ streams: Bool
) {
  var sum = SIMD16<Float>(repeating: 0)
  var slot = begin
  while slot < end {
    let point = input.points[slot]
    let row = feature(input, point, format)
    sum = swl_fma_f32x16(weight(input, point), load(row, channel, format), sum)
    slot &+= 1
  }
  put(out + channel, sum, streams)
}

/// Fewer than 16 channels: the only case that needs partial vectors.
@inline(__always)
private func poolNarrow(
  _ input: PoolInput, _ begin: Int, _ end: Int, _ channels: Int, _ out: UnsafeMutablePointer<Float>,
  _ format: Int
) {
  var sum = SIMD16<Float>(repeating: 0)
  var slot = begin
  while slot < end {
    let point = input.points[slot]
    let row = loadPartial(feature(input, point, format), 0, Int64(channels), format)
    sum = swl_fma_f32x16(weight(input, point), row, sum)
    slot &+= 1
  }
  swl_store_f32x16_partial(out, sum, Int64(channels))
}

/// All channels of one cell. A remainder of less than 16 channels is covered by a vector that
/// overlaps its neighbour: the shared channels are computed twice, to the same bits.
@inline(__always)
private func poolCell(
  _ input: PoolInput, _ begin: Int, _ end: Int, _ channels: Int, _ out: UnsafeMutablePointer<Float>,
  _ format: Int, _ streams: Bool
) {
  if channels < 16 { return poolNarrow(input, begin, end, channels, out, format) }
  var channel = 0
  while channel &+ 80 <= channels && channels &- channel != 128 {
    poolTile5(input, begin, end, channel, out, format, streams)
    channel &+= 80
  }
  while channel &+ 64 <= channels {
    poolTile4(input, begin, end, channel, out, format, streams)
    channel &+= 64
  }
  while channel &+ 16 <= channels {
    poolTile1(input, begin, end, channel, out, format, streams)
    channel &+= 16
  }
  if channel < channels { poolTile1(input, begin, end, channels &- 16, out, format, streams) }
}

@inline(__always)
private func clearCell(_ out: UnsafeMutablePointer<Float>, _ channels: Int, _ streams: Bool) {
  let zero = SIMD16<Float>(repeating: 0)
  var channel = 0
  while channel &+ 16 <= channels {
    put(out + channel, zero, streams)
    channel &+= 16
  }
  if channel < channels {
    swl_store_f32x16_partial(out + channel, zero, Int64(channels &- channel))
  }
}

/// Where a cell lies in the output: `target` holds the grid's x and y size, then the strides in
/// floats along x, y and z.
@inline(__always)
private func offset(ofCell cell: Int, _ target: UnsafePointer<Int>) -> Int {
  if target[3] == target[2] &* target[0] && target[4] == target[3] &* target[1] {
    return cell &* target[2]
  }
  // 32-bit divisions: cells are below 2^30, and a 64-bit one takes twice as long.
  let index = UInt32(truncatingIfNeeded: cell)
  let row = index / UInt32(truncatingIfNeeded: target[0])
  let slab = row / UInt32(truncatingIfNeeded: target[1])
  let x = Int(index) &- Int(row) &* target[0]
  let y = Int(row) &- Int(slab) &* target[1]
  return x &* target[2] &+ y &* target[3] &+ Int(slab) &* target[4]
}

/// Pools the cells of visits `begin..<end`: three words each, the cell and its points
/// `points[first..<stop]`. The order of visits is the caller's: neighbours that read the same
/// feature rows keep them in the first-level cache. A cell without points becomes 0.
///
/// `features` are rows of `featureStride` values of `format` (0 float32, 1 half, 2 bfloat16).
/// With `streams` whole cache lines bypass the caches: `output` and the strides must then be
/// multiples of 16 floats. Points whose depth index lies in one of `excludedCount` ranges
/// (`excluded[2 r]..<excluded[2 r + 1]`, the depth of missing cameras) are neither read nor added.
@inline(never)
public func poolVisits(
  _ points: UnsafePointer<UInt64>, _ visits: UnsafePointer<Int32>, _ begin: Int, _ end: Int,
  _ depth: UnsafePointer<Float>, _ features: UnsafeRawPointer, _ featureStride: Int,
  _ format: Int, _ channels: Int, _ output: UnsafeMutablePointer<Float>,
  _ target: UnsafePointer<Int>, _ streams: Bool, _ excluded: UnsafePointer<Int32>,
  _ excludedCount: Int
) {
  let input: PoolInput = (points, depth, features, featureStride)
  if excludedCount > 0 {
    poolExcluding(input, visits, begin, end, format, channels, output, target, excluded, excludedCount)
  } else if format == 0 && streams {
    poolAll(input, visits, begin, end, channels, output, target, 0, true)
  } else if format == 0 {
    poolAll(input, visits, begin, end, channels, output, target, 0, false)
  } else if format == 1 {
    poolAll(input, visits, begin, end, channels, output, target, 1, false)
  } else {
    poolAll(input, visits, begin, end, channels, output, target, 2, false)
  }
  if streams { swl_stream_fence() }
}

@inline(__always)
private func poolAll(
  _ input: PoolInput, _ visits: UnsafePointer<Int32>, _ begin: Int, _ end: Int, _ channels: Int,
  _ output: UnsafeMutablePointer<Float>, _ target: UnsafePointer<Int>, _ format: Int,
  _ streams: Bool
) {
  var visit = begin
  while visit < end {
    let cell = visits + 3 &* visit
    // Segments of 15 points lie anywhere in the table, where no hardware prefetcher follows.
    let ahead = visit &+ 8 < end ? cell + 24 : cell
    swl_prefetch(input.points + Int(ahead[1]))
    swl_prefetch(input.points + Int(ahead[1]) + 8)
    let first = Int(cell[1])
    let stop = Int(cell[2])
    let out = output + offset(ofCell: Int(cell[0]), target)
    if first == stop {
      clearCell(out, channels, streams)
    } else if channels == 64 {
      poolTile4(input, first, stop, 0, out, format, streams)
    } else if channels == 80 {
      poolTile5(input, first, stop, 0, out, format, streams)
    } else {
      poolCell(input, first, stop, channels, out, format, streams)
    }
    visit &+= 1
  }
}

@inline(never)
func poolExcluding(
  _ input: PoolInput, _ visits: UnsafePointer<Int32>, _ begin: Int, _ end: Int, _ format: Int,
  _ channels: Int, _ output: UnsafeMutablePointer<Float>, _ target: UnsafePointer<Int>,
  _ excluded: UnsafePointer<Int32>, _ excludedCount: Int
) {
  var visit = begin
  while visit < end {
    let cell = visits + 3 &* visit
    let out = output + offset(ofCell: Int(cell[0]), target)
    clearCell(out, channels, false)
    var slot = Int(cell[1])
    let stop = Int(cell[2])
    while slot < stop {
      let index = Int32(truncatingIfNeeded: input.points[slot])
      var range = 0
      var isExcluded = false
      while range < excludedCount {
        if index >= excluded[2 &* range] && index < excluded[2 &* range &+ 1] { isExcluded = true }
        range &+= 1
      }
      if !isExcluded { addPoint(input, input.points[slot], channels, out, format) }
      slot &+= 1
    }
    visit &+= 1
  }
}

/// Adds one point to a cell's sums in memory.
@inline(__always)
private func addPoint(
  _ input: PoolInput, _ point: UInt64, _ channels: Int, _ out: UnsafeMutablePointer<Float>,
  _ format: Int
) {
  let row = feature(input, point, format)
  let w = weight(input, point)
  var channel = 0
  while channel &+ 16 <= channels {
    let sum = swl_load_f32x16(out + channel)
    swl_store_f32x16(out + channel, swl_fma_f32x16(w, load(row, channel, format), sum))
    channel &+= 16
  }
  let rest = Int64(channels &- channel)
  if rest > 0 {
    let sum = swl_load_f32x16_partial(out + channel, rest)
    let value = loadPartial(row, channel, rest, format)
    swl_store_f32x16_partial(out + channel, swl_fma_f32x16(w, value, sum), rest)
  }
}
