import CVectorShims

/// One tile of up to `swl_tile_rows()` rows and one or two blocks of 16 columns, `blockStride`
/// floats apart in the weights; see MatrixTile512.swift for what it computes. `addend` is for tiles
/// narrower than 512 bits (`swl_tile_rows()` below 12).
@inline(__always)
func matrixTile(
  _ input: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ weights: UnsafePointer<Float>,
  _ blockStride: Int, _ blocks: Int, _ depth: Int, _ initial: UnsafePointer<Float>,
  _ output: UnsafeMutablePointer<Float>, _ outputStride: Int, _ lowest: Float,
  _ addend: UnsafePointer<Float>? = nil, _ addendStride: Int = 0
) {
  if swl_tile_rows() == 12 {
    matrixTile512(
      input, stride, rows, weights, blockStride, blocks, depth, initial, output, outputStride, lowest)
    return
  }
  var block = 0
  while block < blocks {
    let w = weights + block &* blockStride
    let i = initial + block &* 16
    let o = output + block &* 16
    let a = addend.map { $0 + block &* 16 }
    switch swl_tile_rows() {
    case 6: tile6x16(input, stride, rows, w, depth, i, o, outputStride, lowest, a, addendStride)
    case 4: tile4x16(input, stride, rows, w, depth, i, o, outputStride, lowest, a, addendStride)
    default: tile2x16(input, stride, rows, w, depth, i, o, outputStride, lowest, a, addendStride)
    }
    block &+= 1
  }
}

/// Twelve rows at once, or four at a time when fewer are left.
@inline(__always)
func matrixTile512(
  _ input: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ weights: UnsafePointer<Float>,
  _ blockStride: Int, _ blocks: Int, _ depth: Int, _ initial: UnsafePointer<Float>,
  _ output: UnsafeMutablePointer<Float>, _ outputStride: Int, _ lowest: Float
) {
  let weights1 = weights + blockStride
  if rows == 12 {
    if blocks == 2 {
      tile12x32(
        input, stride, weights, weights1, depth, initial, output, outputStride, lowest)
    } else {
      tile12x16(input, stride, weights, depth, initial, output, outputStride, lowest)
    }
    return
  }
  var row = 0
  while row < rows {
    let a = input + row &* stride
    let o = output + row &* outputStride
    let count = min(4, rows &- row)
    if blocks == 2 {
      tile4x32(a, stride, count, weights, weights1, depth, initial, o, outputStride, lowest)
    } else {
      tile4x16(a, stride, count, weights, depth, initial, o, outputStride, lowest)
    }
    row &+= 4
  }
}
