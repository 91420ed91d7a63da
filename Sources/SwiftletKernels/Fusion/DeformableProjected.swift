import CVectorShims

/// Deformable attention whose offsets and weights are still the output of a linear layer, over
/// several value maps (cameras, or previous and current map), summed and divided by how many of them
/// a query is active in (at least 1): BEVFormer's spatial cross attention, temporal self attention
/// and FB-OCC's depth-aware attention.
///
/// - projected: [query][projectedStride]; for map j from j · projectedMapStride: x offsets
///   [heads · samples] in pixels, y offsets, logits; the softmax runs over the samples of a head.
/// - references: [map][query][2][16]: x of the anchors, then y, as fractions of the map;
///   `laneAnchor` says which anchor a sample uses; pixel = reference · size - 0.5 + offset.
/// - anchorWeights: [map][query][16] multiplied onto the weights after the softmax; nil for none.
/// - active: [map][query], 0 where a query leaves the map out; nil: all active.
@inline(never)
public func deformableProjectedRows(
  _ values: UnsafePointer<Float>, _ valueMapStride: Int, _ maps: Int, _ heads: Int,
  _ channels: Int, _ samples: Int, _ laneWidth: UnsafePointer<Float>,
  _ laneHeight: UnsafePointer<Float>, _ laneBase: UnsafePointer<Int32>,
  _ laneAnchor: UnsafePointer<Int32>, _ projected: UnsafePointer<Float>, _ projectedStride: Int,
  _ projectedMapStride: Int, _ references: UnsafePointer<Float>,
  _ anchorWeights: UnsafePointer<Float>?, _ active: UnsafePointer<UInt8>?, _ queryCount: Int,
  _ queryLower: Int, _ queryUpper: Int, _ output: UnsafeMutablePointer<Float>,
  _ shares: UnsafeMutablePointer<Float>, _ tapOffsets: UnsafeMutablePointer<Int32>,
  _ tapWeights: UnsafeMutablePointer<Float>
) {
  let total = heads &* samples
  let width = heads &* channels
  var query = queryLower
  while query < queryUpper {
    let row = output + query &* width
    zeroRow(row, width)
    var activeCount = 0
    var map = 0
    while map < maps {
      let item = map &* queryCount &+ query
      if active == nil || active![item] != 0 {
        let p = projected + query &* projectedStride + map &* projectedMapStride
        if activeCount == 0 || projectedMapStride != 0 {
          softmaxRows(p + 2 &* total, 0, heads, samples, shares)
        }
        sampleMap(
          values + map &* valueMapStride, width, heads, channels, samples, laneWidth, laneHeight,
          laneBase, laneAnchor, p, references + item &* 32, anchorWeights.map { $0 + item &* 16 },
          shares, row, tapOffsets, tapWeights)
        activeCount &+= 1
      }
      map &+= 1
    }
    if activeCount > 1 { scaleRow(row, width, 1 / Float(activeCount)) }
    query &+= 1
  }
}

@inline(__always)
func scaleRow(_ row: UnsafeMutablePointer<Float>, _ count: Int, _ factor: Float) {
  var index = 0
  while index < count {
    let value = loadOr(row + index, count &- index, SIMD16(repeating: 0))
    storeSome(row + index, value * factor, count &- index)
    index &+= 16
  }
}

/// Adds one query's samples of one map to `row`.
@inline(never)
func sampleMap(
  _ values: UnsafePointer<Float>, _ tokenStride: Int, _ heads: Int, _ channels: Int,
  _ samples: Int, _ laneWidth: UnsafePointer<Float>, _ laneHeight: UnsafePointer<Float>,
  _ laneBase: UnsafePointer<Int32>, _ laneAnchor: UnsafePointer<Int32>,
  _ projected: UnsafePointer<Float>, _ reference: UnsafePointer<Float>,
  _ anchorWeights: UnsafePointer<Float>?, _ shares: UnsafePointer<Float>,
  _ row: UnsafeMutablePointer<Float>, _ tapOffsets: UnsafeMutablePointer<Int32>,
  _ tapWeights: UnsafeMutablePointer<Float>
) {
  let total = heads &* samples
  let half = SIMD16<Float>(repeating: 0.5)
  let anchorX = swl_load_f32x16(reference)
  let anchorY = swl_load_f32x16(reference + 16)
  var head = 0
  var count = 0
  var sample = 0
  while sample < total {
    let anchor = swl_load_i32x16(laneAnchor + sample)
    let width = swl_load_f32x16(laneWidth + sample)
    let height = swl_load_f32x16(laneHeight + sample)
    let rx = swl_permute_f32x16(anchorX, anchor)
    let ry = swl_permute_f32x16(anchorY, anchor)
    // Far references (beside a camera) times the size stay finite; the sum is clamped in appendTaps.
    let x = swl_fma_f32x16(rx, width, swl_load_f32x16(projected + sample) - half)
    let y = swl_fma_f32x16(ry, height, swl_load_f32x16(projected + total + sample) - half)
    var weight = swl_load_f32x16(shares + sample)
    if let anchorWeights {
      weight = weight * swl_permute_f32x16(swl_load_f32x16(anchorWeights), anchor)
    }
    let base = swl_load_i32x16(laneBase + sample)
    let end = min(sample &+ 16, total)
    while head &* samples < end {
      let lower = head &* samples
      let upper = lower &+ samples
      count = appendTaps(
        x, y, weight, width, height, base, Int32(truncatingIfNeeded: tokenStride),
        laneBits(sample, lower, upper), tapOffsets, tapWeights, count)
      if upper > end { break }
      sumTaps(values, tapOffsets, tapWeights, count, channels, true, row + head &* channels)
      count = 0
      head &+= 1
    }
    sample &+= 16
  }
}
