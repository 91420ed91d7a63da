import CVectorShims

/// Cells that `fuseCells` takes through all steps together: two tiles of rows, so that the block's
/// intermediate values stay in the first two cache levels.
public let fusionBlockCells = 24

/// Floats of scratch that one part of `fuseCells` needs.
///
/// Per cell: query, projected query, one folded query and one mixed token per head (shared memory),
/// logits, sums and the output row.
@inline(never)
public func fusionScratchCount(_ channels: Int, _ heads: Int, _ modalities: Int) -> Int {
  let padded = (channels &+ 15) & ~15
  let headPadded = ((channels / heads) &+ 15) & ~15
  let lanes = (heads &+ 3) & ~3
  return fusionBlockCells
    &* (padded &+ 2 &* heads &* headPadded &+ (lanes &* padded) &+ (modalities &+ 1) &* lanes)
    &+ max(padded, heads &* headPadded) &+ 64
}

/// What `fuseCells` may leave out because the weights make it a constant; see `PackedFusionWeights`.
///
/// With `fusionAttendsEvenly` no logit depends on the modality, so every valid one gets the same
/// share; with `fusionKeepsValues` output and value projection together are the identity and their
/// biases cancel to 0.
public let fusionAttendsEvenly = 1
public let fusionKeepsValues = 2

/// Fuses cells `cellLower ..< cellUpper` of `modalities` maps by multi-head attention over the valid
/// ones; cells without a valid modality become 0.
///
/// The projections are moved past the sums they commute with: logit_m = (Wkᵀ q) · (x_m + e_m) and
/// Wv Σ a_m x_m, so a cell costs four products with a matrix whatever the number of modalities, and
/// the key bias, the same for every modality, drops out of the softmax. Where one modality alone is
/// valid its share is exactly 1: such a cell costs one product with Wo Wv.
///
/// - features, validities: one pointer per modality; nil features: absent, nil validity: all valid.
/// - weights: 0 Wq (scaled by 1/√d), 1 bq (scaled), 2 Wkᵀ by head, 3 modality embedding [M][padded],
///   4 query embedding [padded], 5 Wv by head, 6 bv, 7 Wo, 8 bo, 9 Wo Wv, 10 Wo bv + bo; packed as
///   `packWeights` does.
/// - traits: `fusionAttendsEvenly`, `fusionKeepsValues` or both.
/// - cells: room for four lists of `fusionBlockCells`.
@inline(never)
public func fuseCells(
  _ features: UnsafePointer<UnsafePointer<Float>?>,
  _ validities: UnsafePointer<UnsafePointer<UInt8>?>, _ modalities: Int,
  _ cellLower: Int, _ cellUpper: Int, _ channels: Int, _ heads: Int,
  _ weights: UnsafePointer<UnsafePointer<Float>?>, _ traits: Int,
  _ output: UnsafeMutablePointer<Float>, _ outputValidity: UnsafeMutablePointer<UInt8>,
  _ scratch: UnsafeMutablePointer<Float>, _ cells: UnsafeMutablePointer<Int32>
) {
  let even = cells + 2 &* fusionBlockCells
  var waiting = 0
  var evenWaiting = 0
  var cell = cellLower
  while cell < cellUpper {
    let mask = validModalities(features, validities, modalities, cell)
    outputValidity[cell] = mask == 0 ? 0 : 1
    if mask == 0 {
      zeroRow(output + cell &* channels, channels)
    } else if traits & fusionAttendsEvenly != 0 || mask & (mask &- 1) == 0 {
      if traits & fusionKeepsValues != 0 {
        meanToken(
          features, modalities, cell &* channels, mask, channels, output + cell &* channels)
      } else {
        even[evenWaiting] = Int32(truncatingIfNeeded: cell)
        even[fusionBlockCells &+ evenWaiting] = Int32(truncatingIfNeeded: mask)
        evenWaiting &+= 1
      }
    } else {
      cells[waiting] = Int32(truncatingIfNeeded: cell)
      cells[fusionBlockCells &+ waiting] = Int32(truncatingIfNeeded: mask)
      waiting &+= 1
    }
    cell &+= 1
    if waiting == fusionBlockCells || (cell == cellUpper && waiting > 0) {
      fuseBlock(
        features, modalities, cells, cells + fusionBlockCells, waiting, channels, heads, weights,
        output, scratch)
      waiting = 0
    }
    if evenWaiting == fusionBlockCells || (cell == cellUpper && evenWaiting > 0) {
      projectMeans(
        features, modalities, even, even + fusionBlockCells, evenWaiting, channels, weights,
        output, scratch)
      evenWaiting = 0
    }
  }
}

/// Cells whose valid modalities have equal shares: one product of their mean with Wo Wv.
@inline(never)
func projectMeans(
  _ features: UnsafePointer<UnsafePointer<Float>?>, _ modalities: Int,
  _ cells: UnsafePointer<Int32>, _ masks: UnsafePointer<Int32>, _ count: Int, _ channels: Int,
  _ weights: UnsafePointer<UnsafePointer<Float>?>, _ output: UnsafeMutablePointer<Float>,
  _ scratch: UnsafeMutablePointer<Float>
) {
  let padded = (channels &+ 15) & ~15
  let rows = scratch + fusionBlockCells &* padded
  var i = 0
  while i < count {
    meanToken(
      features, modalities, Int(cells[i]) &* channels, Int(masks[i]), channels,
      scratch + i &* padded)
    i &+= 1
  }
  matrixRows(scratch, padded, count, weights[9]!, channels, padded, weights[10]!, rows, padded)
  scatterRows(rows, padded, cells, count, channels, output)
}

/// target = the sum of the valid tokens in the order of the modalities, divided once.
@inline(__always)
func meanToken(
  _ features: UnsafePointer<UnsafePointer<Float>?>, _ modalities: Int, _ offset: Int, _ mask: Int,
  _ channels: Int, _ target: UnsafeMutablePointer<Float>
) {
  let zero = SIMD16<Float>(repeating: 0)
  let divisor = SIMD16<Float>(repeating: Float(mask.nonzeroBitCount))
  var channel = 0
  while channel < channels {
    let rest = channels &- channel
    var sum = zero
    var modality = 0
    while modality < modalities {
      if (mask &>> modality) & 1 != 0 {
        sum = sum + loadOr(features[modality]! + offset + channel, rest, zero)
      }
      modality &+= 1
    }
    storeSome(target + channel, sum / divisor, rest)
    channel &+= 16
  }
}

/// Bit m is set where modality m is there and valid in `cell`.
@inline(__always)
func validModalities(
  _ features: UnsafePointer<UnsafePointer<Float>?>,
  _ validities: UnsafePointer<UnsafePointer<UInt8>?>, _ modalities: Int, _ cell: Int
) -> Int {
  var mask = 0
  var modality = 0
  while modality < modalities {
    if features[modality] != nil {
      if let validity = validities[modality] {
        mask |= validity[cell] != 0 ? 1 &<< modality : 0
      } else {
        mask |= 1 &<< modality
      }
    }
    modality &+= 1
  }
  return mask
}

@inline(__always)
func zeroRow(_ row: UnsafeMutablePointer<Float>, _ count: Int) {
  var index = 0
  while index < count {
    storeSome(row + index, SIMD16<Float>(repeating: 0), count &- index)
    index &+= 16
  }
}

/// All steps for `count` cells, each with at least one valid modality.
@inline(never)
func fuseBlock(
  _ features: UnsafePointer<UnsafePointer<Float>?>, _ modalities: Int,
  _ cells: UnsafePointer<Int32>, _ masks: UnsafePointer<Int32>, _ count: Int, _ channels: Int,
  _ heads: Int, _ weights: UnsafePointer<UnsafePointer<Float>?>,
  _ output: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>
) {
  let padded = (channels &+ 15) & ~15
  let headWidth = channels / heads
  let headPadded = (headWidth &+ 15) & ~15
  let projected = heads &* headPadded
  let lanes = (heads &+ 3) & ~3
  let query = scratch
  let q = query + fusionBlockCells &* padded
  let folded = q + fusionBlockCells &* projected
  let logits = folded + fusionBlockCells &* lanes &* padded
  let sums = logits + fusionBlockCells &* modalities &* lanes
  let value = sums + fusionBlockCells &* lanes
  let zeros = value + fusionBlockCells &* projected

  meanTokens(features, modalities, cells, masks, count, channels, padded, weights[4]!, query)
  matrixRows(query, padded, count, weights[0]!, channels, projected, weights[1]!, q, projected)
  var head = 0
  while head < heads {
    matrixRows(
      q + head &* headPadded, projected, count, weights[2]! + head &* padded &* headWidth,
      headWidth, padded, zeros, folded + head &* padded, lanes &* padded)
    head &+= 1
  }
  tokenLogits(
    features, modalities, cells, masks, count, channels, padded, lanes, weights[3]!, folded, logits)
  softmaxOverModalities(logits, modalities, lanes, sums)
  mixTokens(
    features, modalities, cells, masks, count, channels, padded, lanes, logits, folded)
  head = 0
  while head < heads {
    matrixRows(
      folded + head &* padded, lanes &* padded, count,
      weights[5]! + head &* headPadded &* channels, channels, headPadded, zeros,
      value + head &* headPadded, projected)
    head &+= 1
  }
  normalizeValues(value, count, heads, headPadded, sums, lanes, weights[6]!)
  matrixRows(value, projected, count, weights[7]!, projected, padded, weights[8]!, query, padded)
  scatterRows(query, padded, cells, count, channels, output)
}

/// `count` rows of one packed matrix, `outputs` (a multiple of 16) columns, no epilogue.
@inline(never)
func matrixRows(
  _ input: UnsafePointer<Float>, _ stride: Int, _ count: Int, _ weights: UnsafePointer<Float>,
  _ depth: Int, _ outputs: Int, _ initial: UnsafePointer<Float>,
  _ output: UnsafeMutablePointer<Float>, _ outputStride: Int
) {
  let rowsPerTile = Int(swl_tile_rows())
  var column = 0
  while column < outputs {
    let blocks = min(2, (outputs &- column) &>> 4)
    var row = 0
    while row < count {
      matrixTile(
        input + row &* stride, stride, min(rowsPerTile, count &- row), weights + column &* depth,
        depth &* 16, blocks, depth, initial + column, output + row &* outputStride + column,
        outputStride, -.infinity)
      row &+= rowsPerTile
    }
    column &+= 32
  }
}
