import CVectorShims

/// One head and one value map of a deformable attention whose offsets are still the output of a
/// linear layer: adds the samples of queries `queryLower ..< queryUpper` that are active in the map
/// to their rows. BEVFormer's and FB-OCC's attention modules.
///
/// - projected: rows of `projectedStride`; x offsets [heads · samples] in pixels, y offsets and the
///   softmaxed weights `axisStride` floats apart, all of them beginning at this head.
/// - references: [query][2][16] of the map: x of the anchors, then y, as fractions of the map;
///   `laneAnchor` says which anchor a sample uses; pixel = reference · size - 0.5 + offset.
/// - anchorWeights: [query][16] multiplied onto the weights; nil for none.
/// - active: [query], 0 where a query leaves the map out.
@inline(never)
public func deformableHeadProjected(
  _ packed: UnsafePointer<Float>, _ padded: Int, _ channels: Int, _ samples: Int,
  _ lanes: UnsafePointer<Float>, _ places: UnsafePointer<Int32>, _ period: Int,
  _ laneAnchor: UnsafePointer<Int32>, _ projected: UnsafePointer<Float>, _ projectedStride: Int,
  _ axisStride: Int, _ references: UnsafePointer<Float>, _ anchorWeights: UnsafePointer<Float>?,
  _ active: UnsafePointer<UInt8>, _ queryLower: Int, _ queryUpper: Int,
  _ output: UnsafeMutablePointer<Float>, _ outputStride: Int,
  _ scratch: UnsafeMutablePointer<Float>, _ indices: UnsafeMutablePointer<Int32>
) {
  let capacity = deformableBlockCapacity(samples)
  let rows = indices + 2 &* capacity + capacity / 16
  var waiting = 0
  var query = queryLower
  while query < queryUpper {
    if active[query] != 0 {
      rows[waiting] = Int32(truncatingIfNeeded: query)
      placeSamples(
        projected + query &* projectedStride, axisStride, references + query &* 32,
        anchorWeights.map { $0 + query &* 16 }, samples, lanes, period, laneAnchor,
        scratch + waiting &* samples, capacity)
      waiting &+= 1
    }
    query &+= 1
    if waiting == deformableBlockQueries || (query == queryUpper && waiting > 0) {
      sampleBlock(
        packed, padded, channels, samples, waiting, lanes, places, period, scratch, indices,
        capacity, true, output, outputStride)
      waiting = 0
    }
  }
}

/// One query's samples around its anchors as pixel positions and weights to its place in the
/// block's lists. Reads and writes whole vectors.
@inline(__always)
func placeSamples(
  _ projected: UnsafePointer<Float>, _ axisStride: Int, _ reference: UnsafePointer<Float>,
  _ anchorWeights: UnsafePointer<Float>?, _ samples: Int, _ lanes: UnsafePointer<Float>,
  _ period: Int, _ laneAnchor: UnsafePointer<Int32>, _ place: UnsafeMutablePointer<Float>,
  _ capacity: Int
) {
  let half = SIMD16<Float>(repeating: 0.5)
  let anchorX = swl_load_f32x16(reference)
  let anchorY = swl_load_f32x16(reference + 16)
  var sample = 0
  var lane = 0
  while sample < samples {
    let anchor = swl_load_i32x16(laneAnchor + sample)
    let width = swl_load_f32x16(lanes + lane)
    let height = swl_load_f32x16(lanes + period + lane)
    let source = projected + sample
    let x = swl_fma_f32x16(
      swl_permute_f32x16(anchorX, anchor), width, swl_load_f32x16(source) - half)
    let y = swl_fma_f32x16(
      swl_permute_f32x16(anchorY, anchor), height, swl_load_f32x16(source + axisStride) - half)
    var weight = swl_load_f32x16(source + 2 &* axisStride)
    if let anchorWeights {
      weight = weight * swl_permute_f32x16(swl_load_f32x16(anchorWeights), anchor)
    }
    swl_store_f32x16(place + sample, x)
    swl_store_f32x16(place + capacity + sample, y)
    swl_store_f32x16(place + 2 &* capacity + sample, weight)
    sample &+= 16
    lane &+= 16
    if lane == period { lane = 0 }
  }
}

/// Before the maps of a head are added: zeros. After them: the sum divided by how many maps a query
/// is active in, when there are several. `channels` floats of rows `outputStride` apart.
@inline(never)
public func clearHeadRows(
  _ queryLower: Int, _ queryUpper: Int, _ channels: Int, _ output: UnsafeMutablePointer<Float>,
  _ outputStride: Int
) {
  var query = queryLower
  while query < queryUpper {
    zeroRow(output + query &* outputStride, channels)
    query &+= 1
  }
}

/// See `clearHeadRows`. `active`: [map][query].
@inline(never)
public func averageHeadRows(
  _ active: UnsafePointer<UInt8>, _ maps: Int, _ queryCount: Int, _ queryLower: Int,
  _ queryUpper: Int, _ channels: Int, _ output: UnsafeMutablePointer<Float>, _ outputStride: Int
) {
  var query = queryLower
  while query < queryUpper {
    var count = 0
    var map = 0
    while map < maps {
      count &+= active[map &* queryCount &+ query] != 0 ? 1 : 0
      map &+= 1
    }
    if count > 1 { scaleRow(output + query &* outputStride, channels, 1 / Float(count)) }
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

/// Softmax in place over each run of `samples` among `runs` runs, for rows `rowLower ..< rowUpper`
/// of `stride` floats. Runs of 1, 2, 4, 8 and 16 share vectors; a run of -∞ alone gives zeros.
@inline(never)
public func softmaxRuns(
  _ logits: UnsafeMutablePointer<Float>, _ stride: Int, _ rowLower: Int, _ rowUpper: Int,
  _ runs: Int, _ samples: Int
) {
  let sharesVectors = samples <= 16 && samples & (samples &- 1) == 0
  var row = rowLower
  while row < rowUpper {
    let place = logits + row &* stride
    if sharesVectors {
      softmaxShared(place, runs &* samples, samples)
    } else {
      var run = 0
      while run < runs {
        softmaxRow(place + run &* samples, place + run &* samples, samples)
        run &+= 1
      }
    }
    row &+= 1
  }
}

/// Runs of a power of two up to 16 lanes: maxima and sums by exchanging lanes 1, 2, 4 and 8 apart.
@inline(__always)
func softmaxShared(_ place: UnsafeMutablePointer<Float>, _ count: Int, _ samples: Int) {
  let zero = SIMD16<Float>(repeating: 0)
  let lowest = SIMD16<Float>(repeating: -.infinity)
  var index = 0
  while index < count {
    let rest = count &- index
    let value = loadOr(place + index, rest, zero)
    var top = value
    if samples > 1 { top = swl_max_f32x16(swl_exchange1_f32x16(top), top) }
    if samples > 2 { top = swl_max_f32x16(swl_exchange2_f32x16(top), top) }
    if samples > 4 { top = swl_max_f32x16(swl_exchange4_f32x16(top), top) }
    if samples > 8 { top = swl_max_f32x16(swl_exchange8_f32x16(top), top) }
    let shift = swl_select_f32x16(swl_less_equal_f32x16(top, lowest), zero, top)
    let share = exponential(value - shift)
    var sum = share
    if samples > 1 { sum = sum + swl_exchange1_f32x16(sum) }
    if samples > 2 { sum = sum + swl_exchange2_f32x16(sum) }
    if samples > 4 { sum = sum + swl_exchange4_f32x16(sum) }
    if samples > 8 { sum = sum + swl_exchange8_f32x16(sum) }
    let isEmpty = swl_less_equal_f32x16(sum, zero)
    storeSome(
      place + index, share / swl_select_f32x16(isEmpty, SIMD16(repeating: 1), sum), rest)
    index &+= 16
  }
}
