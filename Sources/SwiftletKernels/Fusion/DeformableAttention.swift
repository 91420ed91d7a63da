import CVectorShims

/// Multi-scale deformable attention of one head with given locations and weights, for queries
/// `queryLower ..< queryUpper`: output[q][k] = Σ over levels and points of weight · sample.
///
/// `locations` [query][level][point][2] in 0 ... 1 (x, y; pixel = l · size - 0.5), queries
/// `2 · weightStride` floats apart; `weights` [query][level][point]; `output` rows `outputStride`
/// apart; all of them begin at this head. Lane tables as DeformableTaps.swift says.
@inline(never)
public func deformableHead(
  _ packed: UnsafePointer<Float>, _ padded: Int, _ channels: Int, _ samples: Int,
  _ lanes: UnsafePointer<Float>, _ places: UnsafePointer<Int32>, _ period: Int,
  _ locations: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, _ weightStride: Int,
  _ queryLower: Int, _ queryUpper: Int, _ output: UnsafeMutablePointer<Float>,
  _ outputStride: Int, _ scratch: UnsafeMutablePointer<Float>,
  _ indices: UnsafeMutablePointer<Int32>
) {
  let capacity = deformableBlockCapacity(samples)
  let rows = indices + 2 &* capacity + capacity / 16
  var lower = queryLower
  while lower < queryUpper {
    let queries = min(deformableBlockQueries, queryUpper &- lower)
    var query = 0
    while query < queries {
      rows[query] = Int32(truncatingIfNeeded: lower &+ query)
      copySamples(
        locations + 2 &* (lower &+ query) &* weightStride,
        weights + (lower &+ query) &* weightStride, samples, lanes, period,
        scratch + query &* samples, capacity)
      query &+= 1
    }
    sampleBlock(
      packed, padded, channels, samples, queries, lanes, places, period, scratch, indices,
      capacity, false, output, outputStride)
    lower &+= queries
  }
}

/// One query's samples as pixel positions and weights to its place in the block's lists; whole
/// vectors, so that up to 15 entries behind them are written too. `lanes` begins with sample 0.
@inline(__always)
func copySamples(
  _ locations: UnsafePointer<Float>, _ weights: UnsafePointer<Float>, _ samples: Int,
  _ lanes: UnsafePointer<Float>, _ period: Int, _ place: UnsafeMutablePointer<Float>,
  _ capacity: Int
) {
  let zero = SIMD16<Float>(repeating: 0)
  let half = SIMD16<Float>(repeating: -0.5)
  var sample = 0
  var lane = 0
  while sample < samples {
    let rest = samples &- sample
    let pairs = locations + 2 &* sample
    let lo = loadOr(pairs, 2 &* rest, zero)
    let hi = rest > 8 ? loadOr(pairs + 16, 2 &* rest &- 16, zero) : zero
    let width = swl_load_f32x16(lanes + lane)
    let height = swl_load_f32x16(lanes + period + lane)
    swl_store_f32x16(place + sample, swl_fma_f32x16(swl_even_f32x16(lo, hi), width, half))
    swl_store_f32x16(
      place + capacity + sample, swl_fma_f32x16(swl_odd_f32x16(lo, hi), height, half))
    swl_store_f32x16(place + 2 &* capacity + sample, loadOr(weights + sample, rest, zero))
    sample &+= 16
    lane &+= 16
    if lane == period { lane = 0 }
  }
}
