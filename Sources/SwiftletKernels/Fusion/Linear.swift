import CVectorShims

/// Floats of scratch that `linearRows` needs: one tile of 12 rows × 32 columns.
public let linearScratchCount = 384

/// Rows `rowLower ..< rowUpper` of output = epilogue(input · Wᵀ + bias).
///
/// `weights` is packed [block of 16 outputs][inputs][16] with zero columns behind the last output,
/// `bias` padded to whole blocks. `activation`: 0 none, 1 ReLU, 2 GELU with erf, 3 GELU with tanh;
/// `residual` is added after it. Rows are taken in blocks that stay in the second-level cache while
/// a panel of 32 columns of weights stays in the first.
@inline(never)
public func linearRows(
  _ input: UnsafePointer<Float>, _ inputStride: Int, _ rowLower: Int, _ rowUpper: Int,
  _ weights: UnsafePointer<Float>, _ bias: UnsafePointer<Float>, _ inputs: Int, _ outputs: Int,
  _ activation: Int, _ residual: UnsafePointer<Float>?, _ residualStride: Int,
  _ output: UnsafeMutablePointer<Float>, _ outputStride: Int,
  _ scratch: UnsafeMutablePointer<Float>
) {
  let rowsPerTile = Int(swl_tile_rows())
  let blockStride = inputs &* 16
  let lowest: Float = activation == 1 ? 0 : -.infinity
  var blockLower = rowLower
  while blockLower < rowUpper {
    let blockUpper = min(blockLower &+ 96, rowUpper)
    var column = 0
    while column < outputs {
      let columns = min(32, outputs &- column)
      let panel = weights + (column &>> 4) &* blockStride
      // The tiles of 512 bits have no register left for a residual.
      let addsInTile = residual == nil || rowsPerTile < 12
      let direct = activation < 2 && addsInTile && (columns & 15) == 0
      var row = blockLower
      while row < blockUpper {
        let rows = min(rowsPerTile, blockUpper &- row)
        let target = output + row &* outputStride + column
        let addend = residual.map { $0 + row &* residualStride + column }
        matrixTile(
          input + row &* inputStride, inputStride, rows, panel, blockStride,
          (columns &+ 15) &>> 4, inputs, bias + column, direct ? target : scratch,
          direct ? outputStride : 32, lowest, direct ? addend : nil, residualStride)
        if !direct {
          finishTile(scratch, rows, columns, activation, addend, residualStride, target, outputStride)
        }
        row &+= rowsPerTile
      }
      column &+= 32
    }
    blockLower = blockUpper
  }
}

/// Row-major weights [outputs][inputs] to packed blocks [block of 16][inputs][16], zeros behind the
/// last output.
@inline(never)
public func packWeights(
  _ weights: UnsafePointer<Float>, _ outputs: Int, _ inputs: Int, _ weightStride: Int,
  _ packed: UnsafeMutablePointer<Float>
) {
  var column = 0
  let padded = (outputs &+ 15) & ~15
  while column < padded {
    let target = packed + (column &>> 4) &* inputs &* 16 + (column & 15)
    var k = 0
    while k < inputs {
      target[k &* 16] = column < outputs ? weights[column &* weightStride &+ k] : 0
      k &+= 1
    }
    column &+= 1
  }
}
