import CVectorShims

// Dense layers in 8-bit integers: inputs quantised row by row to unsigned bytes (128 stands for 0),
// signed weights with a scale per output channel, exact 32-bit sums.

private let blockRows = 96

/// Ints of scratch that `integerLinearRows` needs: the block's bytes and scales, two tiles, and the
/// bytes and a panel of weights again in 16 bits.
@inline(never)
public func integerScratchCount(_ inputs: Int) -> Int {
  let quads = (inputs &+ 3) / 4
  return blockRows &* (quads &+ 1) &+ 2 &* 384 &+ 32 &+ 2 &* quads &* (blockRows &+ 32)
}

/// Rows of output = epilogue(float(sum) · (inputScale · weightScale) + bias), each step rounded,
/// sum = Σ q(input) · q(weight), q(x) = clamp(round half even(x / inputScale), -128, 127).
///
/// - weights: [block of 16 outputs][quad of inputs][16][4] signed bytes.
/// - offsets: -128 · the sum of an output's weights, padded to whole blocks.
/// - scale: of every input; 0: each row's largest magnitude / 127 (1 for a row of zeros).
/// - sums: [row][outputs] of the integer sums, nil when not wanted.
@inline(never)
public func integerLinearRows(
  _ input: UnsafePointer<Float>, _ inputStride: Int, _ rowLower: Int, _ rowUpper: Int,
  _ weights: UnsafePointer<Int32>, _ offsets: UnsafePointer<Int32>, _ scale: Float,
  _ weightScales: UnsafePointer<Float>, _ bias: UnsafePointer<Float>, _ inputs: Int,
  _ outputs: Int, _ activation: Int, _ residual: UnsafePointer<Float>?, _ residualStride: Int,
  _ sums: UnsafeMutablePointer<Int32>?, _ output: UnsafeMutablePointer<Float>,
  _ outputStride: Int, _ scratch: UnsafeMutablePointer<Int32>
) {
  let quads = (inputs &+ 3) / 4
  let scales = UnsafeMutableRawPointer(scratch + blockRows &* quads).assumingMemoryBound(
    to: Float.self)
  let integers = scratch + blockRows &* (quads &+ 1)
  let tile = UnsafeMutableRawPointer(integers + 384).assumingMemoryBound(to: Float.self)
  // 256-bit registers: no instruction sums four bytes without saturating, one sums two 16-bit products.
  let usesPairs = swl_tile_rows() == 6
  let pairs = integers + 2 &* 384
  let panel = pairs + 2 &* blockRows &* quads
  var blockLower = rowLower
  while blockLower < rowUpper {
    let count = min(blockRows, rowUpper &- blockLower)
    var row = 0
    while row < count {
      scales[row] = quantizeRow(
        input + (blockLower &+ row) &* inputStride, inputs, scale, scratch + row &* quads)
      row &+= 1
    }
    if usesPairs { widenInputs(scratch, count &* quads, pairs) }
    var column = 0
    while column < outputs {
      let columns = min(32, outputs &- column)
      let blocks = (columns &+ 15) &>> 4
      let block = weights + (column &>> 4) &* quads &* 16
      if usesPairs { widenWeights(block, blocks &* quads, panel) }
      row = 0
      while row < count {
        let rows = min(12, count &- row)
        if usesPairs {
          pairTile(
            pairs + 2 &* row &* quads, 2 &* quads, rows, panel, blocks, offsets + column, integers)
        } else {
          integerTile(
            scratch + row &* quads, quads, rows, block, quads &* 16, blocks, quads,
            offsets + column, integers, 32)
        }
        let place = (blockLower &+ row) &* outputStride &+ column
        let direct = activation < 2 && residual == nil && columns == 32
        scaleTile(
          integers, rows, (columns &+ 15) & ~15, scales + row, weightScales + column, bias + column,
          activation == 1, direct ? output + place : tile, direct ? outputStride : 32)
        if !direct {
          let addend = residual.map { $0 + (blockLower &+ row) &* residualStride + column }
          finishTile(
            tile, rows, columns, activation, addend, residualStride, output + place, outputStride)
        }
        if let sums {
          copySums(integers, rows, columns, sums + (blockLower &+ row) &* outputs + column, outputs)
        }
        row &+= 12
      }
      column &+= 32
    }
    blockLower &+= count
  }
}

/// One row to bytes, 128 behind the last input; returns the scale.
@inline(__always)
func quantizeRow(
  _ input: UnsafePointer<Float>, _ inputs: Int, _ scale: Float,
  _ target: UnsafeMutablePointer<Int32>
) -> Float {
  let zero = SIMD16<Float>(repeating: 0)
  var chosen = scale
  if scale == 0 {
    var top = zero
    var k = 0
    while k < inputs {
      top = swl_max_f32x16(swl_abs_f32x16(loadOr(input + k, inputs &- k, zero)), top)
      k &+= 16
    }
    let largest = swl_max_lane_f32x16(top)
    chosen = largest > 0 ? largest / 127 : 1
  }
  let divisor = SIMD16<Float>(repeating: chosen)
  let lowest = SIMD16<Float>(repeating: -128)
  let highest = SIMD16<Float>(repeating: 127)
  let bytes = UnsafeMutableRawPointer(target).assumingMemoryBound(to: UInt8.self)
  let end = (inputs &+ 3) & ~3
  var k = 0
  while k < end {
    let value = loadOr(input + k, inputs &- k, zero) / divisor
    let clamped = swl_min_f32x16(swl_max_f32x16(value, lowest), highest)
    let whole = swl_trunc_i32x16(swl_round_even_f32x16(clamped)) &+ SIMD16(repeating: 128)
    if end &- k >= 16 {
      swl_store_low_u8x16(bytes + k, whole)
    } else {
      var lane = 0
      while lane < end &- k {
        bytes[k &+ lane] = UInt8(truncatingIfNeeded: whole[lane])
        lane &+= 1
      }
    }
    k &+= 16
  }
  return chosen
}

@inline(__always)
func scaleTile(
  _ integers: UnsafePointer<Int32>, _ rows: Int, _ columns: Int, _ scales: UnsafePointer<Float>,
  _ weightScales: UnsafePointer<Float>, _ bias: UnsafePointer<Float>, _ isRelu: Bool,
  _ output: UnsafeMutablePointer<Float>, _ outputStride: Int
) {
  let lowest = SIMD16<Float>(repeating: isRelu ? 0 : -.infinity)
  var row = 0
  while row < rows {
    var column = 0
    while column < columns {
      let factor = swl_load_f32x16(weightScales + column) * SIMD16(repeating: scales[row])
      let product = swl_f32x16_from_i32x16(swl_load_i32x16(integers + row &* 32 + column)) * factor
      let value = product + swl_load_f32x16(bias + column)
      swl_store_f32x16(output + row &* outputStride + column, swl_max_f32x16(lowest, value))
      column &+= 16
    }
    row &+= 1
  }
}

@inline(__always)
func copySums(
  _ integers: UnsafePointer<Int32>, _ rows: Int, _ columns: Int,
  _ sums: UnsafeMutablePointer<Int32>, _ stride: Int
) {
  var row = 0
  while row < rows {
    var column = 0
    while column < columns {
      sums[row &* stride &+ column] = integers[row &* 32 &+ column]
      column &+= 1
    }
    row &+= 1
  }
}
