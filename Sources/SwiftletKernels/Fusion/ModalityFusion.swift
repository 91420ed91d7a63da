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

/// Fuses cells `cellLower ..< cellUpper` of `modalities` maps by multi-head attention over the valid
/// ones; cells without a valid modality become 0.
///
/// The projections are moved past the sums they commute with: logit_m = (Wkᵀ q) · (x_m + e_m) and
/// Wv Σ a_m x_m, so a cell costs four products with a matrix whatever the number of modalities, and
/// the key bias, the same for every modality, drops out of the softmax.
///
/// - features, validities: one pointer per modality; nil features: absent, nil validity: all valid.
/// - weights: 0 Wq (scaled by 1/√d), 1 bq (scaled), 2 Wkᵀ by head, 3 modality embedding [M][padded],
///   4 query embedding [padded], 5 Wv by head, 6 bv, 7 Wo, 8 bo; packed as `packWeights` does.
@inline(never)
public func fuseCells(
  _ features: UnsafePointer<UnsafePointer<Float>?>,
  _ validities: UnsafePointer<UnsafePointer<UInt8>?>, _ modalities: Int,
  _ cellLower: Int, _ cellUpper: Int, _ channels: Int, _ heads: Int,
  _ weights: UnsafePointer<UnsafePointer<Float>?>, _ output: UnsafeMutablePointer<Float>,
  _ outputValidity: UnsafeMutablePointer<UInt8>, _ scratch: UnsafeMutablePointer<Float>,
  _ cells: UnsafeMutablePointer<Int32>
) {
  var waiting = 0
  var cell = cellLower
  while cell < cellUpper {
    let mask = validModalities(features, validities, modalities, cell)
    outputValidity[cell] = mask == 0 ? 0 : 1
    if mask == 0 {
      zeroRow(output + cell &* channels, channels)
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
    features, modalities, cells, masks, count, channels, padded, heads, lanes, logits, folded)
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
