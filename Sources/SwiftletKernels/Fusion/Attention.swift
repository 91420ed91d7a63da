import CVectorShims

/// Keys that one step of the online softmax takes together: four vectors of scores a row.
public let attentionKeyBlock = 64

/// Floats of scratch that one part of `attendRows` needs for values of `valueWidth` channels.
@inline(never)
public func attentionScratchCount(_ valueWidth: Int) -> Int {
  let padded = (valueWidth &+ 15) & ~15
  return 12 &* attentionKeyBlock &+ 12 &* padded &+ max(padded, 32)
    &+ attentionGroup &* attentionTileCount(padded)
}

/// Tiles of rows that meet a block of keys and values one after the other while the first-level cache
/// holds it: a tile alone would fetch 16 KB from the second level for every block.
let attentionGroup = 4

/// Floats of what a tile carries from block to block: outputs, sums, largest scores.
@inline(__always)
func attentionTileCount(_ padded: Int) -> Int { 12 &* padded &+ 12 &* 16 &+ 3 &* 16 }

/// Softmax(scale · q kᵀ + additive) v for query rows `rowLower ..< rowUpper` of one head with an online
/// softmax: the largest score so far, the sum and the output are rescaled per block of 64 keys, so no
/// row of scores longer than a block exists. A row whose keys are all excluded gives 0.
///
/// `keys` is packed [block of 16 keys][width][16] (`packWeights`), `values` [block of 16
/// channels][key][16] with `valueBlockStride` floats between blocks (`packValues`). Byte 1 of
/// `excluded` leaves a key out; both masks have rows of `…Stride` elements, 0 for one row for all.
/// The products of a block are summed before they join the total, which keeps 65,536 keys accurate.
@inline(never)
public func attendRows(
  _ queries: UnsafePointer<Float>, _ queryStride: Int, _ rowLower: Int, _ rowUpper: Int,
  _ keys: UnsafePointer<Float>, _ values: UnsafePointer<Float>, _ valueBlockStride: Int,
  _ keyCount: Int, _ width: Int, _ valueWidth: Int, _ scale: Float,
  _ excluded: UnsafePointer<UInt8>?, _ excludedStride: Int,
  _ additive: UnsafePointer<Float>?, _ additiveStride: Int,
  _ output: UnsafeMutablePointer<Float>, _ outputStride: Int,
  _ scratch: UnsafeMutablePointer<Float>
) {
  let rowsPerTile = Int(swl_tile_rows())
  let padded = (valueWidth &+ 15) & ~15
  let tileCount = attentionTileCount(padded)
  let scores = scratch
  let part = scores + 12 &* attentionKeyBlock
  let zeros = part + 12 &* padded
  let tiles = zeros + max(padded, 32)
  // Nothing joins or leaves the scores, and the largest stays the largest once scaled.
  let isPlain = excluded == nil && additive == nil && scale > 0 && scale < .infinity
  var group = rowLower
  while group < rowUpper {
    let groupEnd = min(group &+ attentionGroup &* rowsPerTile, rowUpper)
    var tile = tiles
    while tile < tiles + attentionGroup &* tileCount {
      clearTile(tile, rowsPerTile &* padded, tile + 12 &* padded, tile + 12 &* (padded &+ 16))
      tile += tileCount
    }
    var key = 0
    while key < keyCount {
      let count = min(attentionKeyBlock, keyCount &- key)
      var row = group
      tile = tiles
      while row < groupEnd {
        let rows = min(rowsPerTile, groupEnd &- row)
        let sums = tile + 12 &* padded
        let largest = sums + 12 &* 16
        scoreTile(
          queries + row &* queryStride, queryStride, rows, keys + key &* width, count, width,
          zeros, scores)
        var factor = scale
        if isPlain && count & 15 == 0 {
          raiseTile(scores, rows, count, scale, largest)
        } else {
          maskTile(
            scores, rows, count, scale, excluded.map { $0 + row &* excludedStride + key },
            excludedStride, additive.map { $0 + row &* additiveStride + key }, additiveStride,
            largest)
          factor = 1
        }
        exponentiateTile(scores, rows, count, factor, sums, largest)
        weighTile(
          scores, rows, count, values + key &* 16, valueBlockStride, padded, zeros, part)
        addTile(tile, part, rows, padded, largest + 32)
        row &+= rowsPerTile
        tile += tileCount
      }
      key &+= attentionKeyBlock
    }
    finishGroup(
      tiles, group, groupEnd, padded, valueWidth, output + group &* outputStride, outputStride)
    group = groupEnd
  }
}

/// part[r][channel] = Σ weight[r][k] · value[k][channel] over up to 64 keys.
@inline(__always)
func weighTile(
  _ weights: UnsafePointer<Float>, _ rows: Int, _ count: Int, _ values: UnsafePointer<Float>,
  _ valueBlockStride: Int, _ padded: Int, _ zeros: UnsafePointer<Float>,
  _ part: UnsafeMutablePointer<Float>
) {
  var block = 0
  while block < padded {
    matrixTile(
      weights, attentionKeyBlock, rows, values + (block &>> 4) &* valueBlockStride,
      valueBlockStride, min(2, (padded &- block) &>> 4), count, zeros, part + block, padded,
      -.infinity)
    block &+= 32
  }
}

@inline(__always)
func finishGroup(
  _ tiles: UnsafePointer<Float>, _ lower: Int, _ upper: Int, _ padded: Int, _ valueWidth: Int,
  _ output: UnsafeMutablePointer<Float>, _ outputStride: Int
) {
  let rowsPerTile = Int(swl_tile_rows())
  var row = lower
  var tile = tiles
  while row < upper {
    finishRows(
      tile, min(rowsPerTile, upper &- row), padded, tile + 12 &* padded, valueWidth,
      output + (row &- lower) &* outputStride, outputStride)
    row &+= rowsPerTile
    tile += attentionTileCount(padded)
  }
}

@inline(__always)
func clearTile(
  _ total: UnsafeMutablePointer<Float>, _ count: Int, _ sums: UnsafeMutablePointer<Float>,
  _ largest: UnsafeMutablePointer<Float>
) {
  let zero = SIMD16<Float>(repeating: 0)
  var index = 0
  while index < count {
    swl_store_f32x16(total + index, zero)
    index &+= 16
  }
  index = 0
  while index < 192 {
    swl_store_f32x16(sums + index, zero)
    index &+= 16
  }
  swl_store_f32x16(largest, SIMD16(repeating: -.infinity))
}

/// scores[r][k] = q[r] · k for up to 64 keys.
@inline(__always)
func scoreTile(
  _ queries: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ keys: UnsafePointer<Float>,
  _ count: Int, _ width: Int, _ zeros: UnsafePointer<Float>,
  _ scores: UnsafeMutablePointer<Float>
) {
  var key = 0
  while key < count {
    let blocks = min(2, (count &- key &+ 15) &>> 4)
    matrixTile(
      queries, stride, rows, keys + key &* width, width &* 16, blocks, width, zeros, scores + key,
      attentionKeyBlock, -.infinity)
    key &+= 32
  }
}

/// Scales and masks the scores, and updates per row: largest[r], the shift largest[16 + r] (0 while
/// every key was masked) and the factor largest[32 + r] for what was summed before.
@inline(never)
func maskTile(
  _ scores: UnsafeMutablePointer<Float>, _ rows: Int, _ count: Int, _ scale: Float,
  _ excluded: UnsafePointer<UInt8>?, _ excludedStride: Int, _ additive: UnsafePointer<Float>?,
  _ additiveStride: Int, _ largest: UnsafeMutablePointer<Float>
) {
  let lowest = SIMD16<Float>(repeating: -.infinity)
  let factor = SIMD16<Float>(repeating: scale)
  let old = swl_load_f32x16(largest)
  var row = 0
  while row < rows {
    var top = lowest
    var key = 0
    while key < count {
      let rest = count &- key
      let place = scores + row &* attentionKeyBlock + key
      var value = swl_load_f32x16(place) * factor
      if let additive {
        value = value + loadOr(additive + row &* additiveStride + key, rest, lowest)
      }
      if let excluded {
        let isExcluded = swl_nonzero_bytes_i32x16(
          excluded + row &* excludedStride + key, Int64(min(rest, 16)))
        value = swl_select_f32x16(isExcluded, lowest, value)
      } else if rest < 16 {
        let lanes = swl_first_lanes_i32x16(Int32(truncatingIfNeeded: rest))
        value = swl_select_f32x16(lanes, value, lowest)
      }
      swl_store_f32x16(place, value)
      top = swl_max_f32x16(value, top)
      key &+= 16
    }
    let maximum = swl_max_lane_f32x16(top)
    largest[row] = maximum > largest[row] ? maximum : largest[row]
    row &+= 1
  }
  shiftRows(old, largest)
}

/// What `maskTile` does where no key is masked and the tile has whole vectors of keys: the scores stay
/// as they are, `exponentiateTile` scales them.
@inline(never)
func raiseTile(
  _ scores: UnsafePointer<Float>, _ rows: Int, _ count: Int, _ scale: Float,
  _ largest: UnsafeMutablePointer<Float>
) {
  let old = swl_load_f32x16(largest)
  var row = 0
  while row < rows {
    var top = SIMD16<Float>(repeating: -.infinity)
    var key = 0
    while key < count {
      top = swl_max_f32x16(swl_load_f32x16(scores + row &* attentionKeyBlock + key), top)
      key &+= 16
    }
    let maximum = swl_max_lane_f32x16(top) * scale
    largest[row] = maximum > largest[row] ? maximum : largest[row]
    row &+= 1
  }
  shiftRows(old, largest)
}

/// The shift largest[16 + r] and the factor largest[32 + r] of rows whose largest score was `old`.
@inline(__always)
func shiftRows(_ old: SIMD16<Float>, _ largest: UnsafeMutablePointer<Float>) {
  let lowest = SIMD16<Float>(repeating: -.infinity)
  let new = swl_load_f32x16(largest)
  let isEmpty = swl_less_equal_f32x16(new, lowest)
  let shift = swl_select_f32x16(isEmpty, SIMD16(repeating: 0), new)
  swl_store_f32x16(largest + 16, shift)
  swl_store_f32x16(largest + 32, exponential(old - shift))
}

/// Scores to e^(factor · score - shift); their sums, kept in 16 lanes per row, join the rescaled sums.
@inline(never)
func exponentiateTile(
  _ scores: UnsafeMutablePointer<Float>, _ rows: Int, _ count: Int, _ factor: Float,
  _ sums: UnsafeMutablePointer<Float>, _ largest: UnsafePointer<Float>
) {
  let scale = SIMD16<Float>(repeating: factor)
  var row = 0
  while row < rows {
    let shift = SIMD16<Float>(repeating: -largest[16 &+ row])
    var sum = SIMD16<Float>(repeating: 0)
    var key = 0
    while key < count {
      let place = scores + row &* attentionKeyBlock + key
      let value = decayingExponential(swl_fma_f32x16(swl_load_f32x16(place), scale, shift))
      swl_store_f32x16(place, value)
      sum = sum + value
      key &+= 16
    }
    let before = swl_load_f32x16(sums + row &* 16)
    let rescale = SIMD16<Float>(repeating: largest[32 &+ row])
    swl_store_f32x16(sums + row &* 16, swl_fma_f32x16(before, rescale, sum))
    row &+= 1
  }
}

@inline(__always)
func addTile(
  _ total: UnsafeMutablePointer<Float>, _ part: UnsafePointer<Float>, _ rows: Int, _ padded: Int,
  _ factors: UnsafePointer<Float>
) {
  var row = 0
  while row < rows {
    let factor = SIMD16<Float>(repeating: factors[row])
    var column = row &* padded
    let end = column &+ padded
    while column < end {
      let before = swl_load_f32x16(total + column)
      swl_store_f32x16(total + column, swl_fma_f32x16(before, factor, swl_load_f32x16(part + column)))
      column &+= 16
    }
    row &+= 1
  }
}

@inline(__always)
func finishRows(
  _ total: UnsafePointer<Float>, _ rows: Int, _ padded: Int, _ sums: UnsafePointer<Float>,
  _ valueWidth: Int, _ output: UnsafeMutablePointer<Float>, _ outputStride: Int
) {
  var row = 0
  while row < rows {
    let sum = swl_sum_f32x16(swl_load_f32x16(sums + row &* 16))
    let divisor = SIMD16<Float>(repeating: sum == 0 ? 1 : sum)
    var column = 0
    while column < valueWidth {
      let value = swl_load_f32x16(total + row &* padded + column) / divisor
      storeSome(output + row &* outputStride + column, value, valueWidth &- column)
      column &+= 16
    }
    row &+= 1
  }
}

/// Values [key][channel], rows `stride` floats apart, to [block of 16 channels][key][16] with zeros
/// behind the last channel; keys `keyLower ..< keyUpper`.
@inline(never)
public func packValues(
  _ values: UnsafePointer<Float>, _ stride: Int, _ keyLower: Int, _ keyUpper: Int, _ width: Int,
  _ packed: UnsafeMutablePointer<Float>, _ blockStride: Int
) {
  let zero = SIMD16<Float>(repeating: 0)
  var key = keyLower
  while key < keyUpper {
    var channel = 0
    while channel < width {
      let value = loadOr(values + key &* stride + channel, width &- channel, zero)
      swl_store_f32x16(packed + (channel &>> 4) &* blockStride + key &* 16, value)
      channel &+= 16
    }
    key &+= 1
  }
}
