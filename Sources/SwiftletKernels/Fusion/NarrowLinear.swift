import CVectorShims

// Dense layers whose weights are kept in 16 bits, with the fp32 tiles: a panel of 32 columns is widened
// once per block of rows.

private let blockRows = 96

/// Floats of scratch that `narrowLinearRows` needs: a widened panel, the block's rounded inputs and
/// a tile.
@inline(never)
public func narrowScratchCount(_ inputs: Int) -> Int {
  (blockRows &+ 32) &* ((inputs &+ 1) & ~1) &+ 384 &+ 16
}

/// Rows of output = epilogue(input · Wᵀ + bias) with 16-bit weights.
///
/// - format: 0: weights are IEEE halves, inputs stay float32; packed [block of 16 outputs][inputs][16].
///   1: weights and inputs are bfloat16, products and sums float32; packed [block of 16][pair][16][2].
///   The second product of a pair joins the sum before the first, each rounded once, as the CPUs'
///   own instruction does; a product of two bfloat16 is exact, so that fused multiply-add or not
///   makes no difference and every target has the same bits. Inputs below the normals count as 0.
@inline(never)
public func narrowLinearRows(
  _ input: UnsafePointer<Float>, _ inputStride: Int, _ rowLower: Int, _ rowUpper: Int,
  _ weights: UnsafePointer<UInt16>, _ format: Int, _ bias: UnsafePointer<Float>, _ inputs: Int,
  _ outputs: Int, _ activation: Int, _ residual: UnsafePointer<Float>?, _ residualStride: Int,
  _ output: UnsafeMutablePointer<Float>, _ outputStride: Int,
  _ scratch: UnsafeMutablePointer<Float>
) {
  let depth = format == 1 ? (inputs &+ 1) & ~1 : inputs
  let panel = scratch
  let rounded = panel + 32 &* depth
  let tile = rounded + blockRows &* depth
  let rowsPerTile = Int(swl_tile_rows())
  var blockLower = rowLower
  while blockLower < rowUpper {
    let count = min(blockRows, rowUpper &- blockLower)
    let source = input + blockLower &* inputStride
    if format == 1 { roundBlock(source, inputStride, count, inputs, rounded, depth) }
    var column = 0
    while column < outputs {
      let columns = min(32, outputs &- column)
      let blocks = (columns &+ 15) &>> 4
      widenPanel(weights + column &* depth, blocks &* depth &* 16, format, panel)
      var row = 0
      while row < count {
        let rows = min(rowsPerTile, count &- row)
        matrixTile(
          format == 1 ? UnsafePointer(rounded + row &* depth) : source + row &* inputStride,
          format == 1 ? depth : inputStride, rows, panel, depth &* 16, blocks, depth, bias + column,
          tile, 32, -.infinity)
        let place = (blockLower &+ row) &* outputStride &+ column
        let addend = residual.map { $0 + (blockLower &+ row) &* residualStride + column }
        finishTile(
          tile, rows, columns, activation, addend, residualStride, output + place, outputStride)
        row &+= rowsPerTile
      }
      column &+= 32
    }
    blockLower &+= count
  }
}

/// Inputs to bfloat16 and back, the two of a pair exchanged: the tile takes the second first.
@inline(__always)
func roundBlock(
  _ input: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ inputs: Int,
  _ rounded: UnsafeMutablePointer<Float>, _ depth: Int
) {
  let zero = SIMD16<Float>(repeating: 0)
  var row = 0
  while row < rows {
    var k = 0
    while k < inputs {
      let bits = swl_dense_bfloat_bits_f32x16(loadOr(input + row &* stride + k, inputs &- k, zero))
      let value = swl_exchange1_f32x16(swl_f32x16_from_bits(bits &<< 16))
      storeSome(rounded + row &* depth + k, value, depth &- k)
      k &+= 16
    }
    row &+= 1
  }
}

/// 16-bit weights to floats; bfloat16 pairs with the second first.
@inline(__always)
func widenPanel(
  _ weights: UnsafePointer<UInt16>, _ count: Int, _ format: Int,
  _ panel: UnsafeMutablePointer<Float>
) {
  var index = 0
  if format == 0 {
    while index < count {
      swl_store_f32x16(panel + index, swl_load_half_f32x16(weights + index))
      index &+= 16
    }
    return
  }
  let high = SIMD16<Int32>(repeating: -65_536)
  let pairs = UnsafeRawPointer(weights).assumingMemoryBound(to: Int32.self)
  while index < count {
    let pair = swl_load_i32x16(pairs + index / 2)
    swl_store_f32x16(panel + index, swl_f32x16_from_bits(pair & high))
    swl_store_f32x16(panel + index + 16, swl_f32x16_from_bits(pair &<< 16))
    index &+= 32
  }
}
