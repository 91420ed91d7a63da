import CVectorShims

// The dense layers of CPUs with AVX-512 BF16; a module of its own, because the instruction is newer
// than what the other kernels are compiled for. One step multiplies a pair of inputs with a pair of
// weights in every lane and adds the product of the second, then that of the first, each rounded
// once: NarrowLinear.swift does the same with single multiply-adds, bit for bit, on other CPUs.

/// Rows of one block, whose rounded inputs stay in the second-level cache.
private let blockRows = 96

/// Ints of scratch that `bfloatLinearRows` needs: the block's rounded inputs and a tile of floats.
@inline(never)
public func bfloatScratchCount(_ inputs: Int) -> Int {
  blockRows &* ((inputs &+ 1) / 2) &+ 12 &* 32 &+ 16
}

/// Rows of output = epilogue(bf16(input) · bf16(W)ᵀ + bias), as `narrowLinearRows` defines it.
@inline(never)
public func bfloatLinearRows(
  _ input: UnsafePointer<Float>, _ inputStride: Int, _ rowLower: Int, _ rowUpper: Int,
  _ weights: UnsafePointer<Int32>, _ bias: UnsafePointer<Float>, _ inputs: Int, _ outputs: Int,
  _ activation: Int, _ residual: UnsafePointer<Float>?, _ residualStride: Int,
  _ output: UnsafeMutablePointer<Float>, _ outputStride: Int, _ scratch: UnsafeMutablePointer<Int32>
) {
  let pairs = (inputs &+ 1) / 2
  let tile = UnsafeMutableRawPointer(scratch + blockRows &* pairs).assumingMemoryBound(to: Float.self)
  var blockLower = rowLower
  while blockLower < rowUpper {
    let count = min(blockRows, rowUpper &- blockLower)
    var row = 0
    while row < count {
      roundPairs(input + (blockLower &+ row) &* inputStride, inputs, scratch + row &* pairs)
      row &+= 1
    }
    var column = 0
    while column < outputs {
      let columns = min(32, outputs &- column)
      let direct = activation == 0 && residual == nil && (columns & 15) == 0
      row = 0
      while row < count {
        let rows = min(12, count &- row)
        let place = (blockLower &+ row) &* outputStride &+ column
        bfloatTile(
          scratch + row &* pairs, pairs, rows, weights + (column &>> 4) &* pairs &* 16,
          pairs &* 16, (columns &+ 15) &>> 4, pairs, bias + column, direct ? output + place : tile,
          direct ? outputStride : 32)
        if !direct {
          let addend = residual.map { $0 + (blockLower &+ row) &* residualStride + column }
          finishTile(
            tile, rows, columns, activation, addend, residualStride, output + place, outputStride)
        }
        row &+= 12
      }
      column &+= 32
    }
    blockLower &+= count
  }
}

/// One row to pairs of bfloat16, a zero behind an odd last input.
@inline(__always)
func roundPairs(
  _ input: UnsafePointer<Float>, _ inputs: Int, _ target: UnsafeMutablePointer<Int32>
) {
  let bytes = UnsafeMutableRawPointer(target).assumingMemoryBound(to: UInt16.self)
  var k = 0
  while k < inputs {
    let bits = swl_dense_bfloat_bits_f32x16(loadOr(input + k, inputs &- k, SIMD16(repeating: 0)))
    if inputs &- k >= 16 {
      swl_store_low_u16x16(bytes + k, bits)
    } else {
      var lane = 0
      while lane < (inputs &- k &+ 1) & ~1 {
        bytes[k &+ lane] = UInt16(truncatingIfNeeded: bits[lane])
        lane &+= 1
      }
    }
    k &+= 16
  }
}

@inline(__always)
func dotPairs(
  _ c0: inout SIMD16<Float>, _ c1: inout SIMD16<Float>, _ a: Int32, _ b0: SIMD16<Int32>,
  _ b1: SIMD16<Int32>
) {
  let value = SIMD16<Int32>(repeating: a)
  c0 = swl_dot_bfloat_f32x16(c0, value, b0)
  c1 = swl_dot_bfloat_f32x16(c1, value, b1)
}

@inline(__always)
func dotPairs(_ c: inout SIMD16<Float>, _ a: Int32, _ b: SIMD16<Int32>) {
  c = swl_dot_bfloat_f32x16(c, SIMD16<Int32>(repeating: a), b)
}

@inline(__always)
func bfloatTile(
  _ input: UnsafePointer<Int32>, _ stride: Int, _ rows: Int, _ weights: UnsafePointer<Int32>,
  _ blockStride: Int, _ blocks: Int, _ depth: Int, _ initial: UnsafePointer<Float>,
  _ output: UnsafeMutablePointer<Float>, _ outputStride: Int
) {
  if rows == 12 && blocks == 2 {
    bfloatTile12x32(
      input, stride, weights, weights + blockStride, depth, initial, output, outputStride)
    return
  }
  var row = 0
  while row < rows {
    var block = 0
    while block < blocks {
      bfloatTile4x16(
        input + row &* stride, stride, min(4, rows &- row), weights + block &* blockStride, depth,
        initial + block &* 16, output + row &* outputStride + block &* 16, outputStride)
      block &+= 1
    }
    row &+= 4
  }
}

/// Twelve rows × 32 columns: 24 accumulators and two vectors of weights in 32 registers.
@inline(never)
func bfloatTile12x32(
  _ input: UnsafePointer<Int32>, _ stride: Int, _ weights0: UnsafePointer<Int32>,
  _ weights1: UnsafePointer<Int32>, _ depth: Int, _ initial: UnsafePointer<Float>,
  _ output: UnsafeMutablePointer<Float>, _ outputStride: Int
) {
  let start0 = swl_load_f32x16(initial)
  let start1 = swl_load_f32x16(initial + 16)
  var c00 = start0, c01 = start1
  var c10 = start0, c11 = start1
  var c20 = start0, c21 = start1
  var c30 = start0, c31 = start1
  var c40 = start0, c41 = start1
  var c50 = start0, c51 = start1
  var c60 = start0, c61 = start1
  var c70 = start0, c71 = start1
  var c80 = start0, c81 = start1
  var c90 = start0, c91 = start1
  var ca0 = start0, ca1 = start1
  var cb0 = start0, cb1 = start1
  var a0 = input
  var a3 = input + 3 &* stride
  var a6 = input + 6 &* stride
  var a9 = input + 9 &* stride
  let twice = 2 &* stride
  var w0 = weights0
  var w1 = weights1
  var step = 0
  while step < depth {
    let b0 = swl_load_i32x16(w0)
    let b1 = swl_load_i32x16(w1)
    dotPairs(&c00, &c01, a0.pointee, b0, b1)
    dotPairs(&c10, &c11, a0[stride], b0, b1)
    dotPairs(&c20, &c21, a0[twice], b0, b1)
    dotPairs(&c30, &c31, a3.pointee, b0, b1)
    dotPairs(&c40, &c41, a3[stride], b0, b1)
    dotPairs(&c50, &c51, a3[twice], b0, b1)
    dotPairs(&c60, &c61, a6.pointee, b0, b1)
    dotPairs(&c70, &c71, a6[stride], b0, b1)
    dotPairs(&c80, &c81, a6[twice], b0, b1)
    dotPairs(&c90, &c91, a9.pointee, b0, b1)
    dotPairs(&ca0, &ca1, a9[stride], b0, b1)
    dotPairs(&cb0, &cb1, a9[twice], b0, b1)
    a0 += 1
    a3 += 1
    a6 += 1
    a9 += 1
    w0 += 16
    w1 += 16
    step &+= 1
  }
  var out = output
  swl_store_f32x16(out, c00)
  swl_store_f32x16(out + 16, c01)
  out += outputStride
  swl_store_f32x16(out, c10)
  swl_store_f32x16(out + 16, c11)
  out += outputStride
  swl_store_f32x16(out, c20)
  swl_store_f32x16(out + 16, c21)
  out += outputStride
  swl_store_f32x16(out, c30)
  swl_store_f32x16(out + 16, c31)
  out += outputStride
  swl_store_f32x16(out, c40)
  swl_store_f32x16(out + 16, c41)
  out += outputStride
  swl_store_f32x16(out, c50)
  swl_store_f32x16(out + 16, c51)
  out += outputStride
  swl_store_f32x16(out, c60)
  swl_store_f32x16(out + 16, c61)
  out += outputStride
  swl_store_f32x16(out, c70)
  swl_store_f32x16(out + 16, c71)
  out += outputStride
  swl_store_f32x16(out, c80)
  swl_store_f32x16(out + 16, c81)
  out += outputStride
  swl_store_f32x16(out, c90)
  swl_store_f32x16(out + 16, c91)
  out += outputStride
  swl_store_f32x16(out, ca0)
  swl_store_f32x16(out + 16, ca1)
  out += outputStride
  swl_store_f32x16(out, cb0)
  swl_store_f32x16(out + 16, cb1)
}

/// 4 rows × 16 columns; rows from `rows` on repeat the last one.
@inline(never)
func bfloatTile4x16(
  _ input: UnsafePointer<Int32>, _ stride: Int, _ rows: Int, _ weights0: UnsafePointer<Int32>,
  _ depth: Int, _ initial: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>,
  _ outputStride: Int
) {
  let last = rows &- 1
  let a0 = input
  let a1 = input + min(1, last) &* stride
  let a2 = input + min(2, last) &* stride
  let a3 = input + min(3, last) &* stride
  let start0 = swl_load_f32x16(initial)
  var c00 = start0
  var c10 = start0
  var c20 = start0
  var c30 = start0
  var w0 = weights0
  var step = 0
  while step < depth {
    let b0 = swl_load_i32x16(w0)
    dotPairs(&c00, a0[step], b0)
    dotPairs(&c10, a1[step], b0)
    dotPairs(&c20, a2[step], b0)
    dotPairs(&c30, a3[step], b0)
    w0 += 16
    step &+= 1
  }
  swl_store_f32x16(output, c00)
  swl_store_f32x16(output + min(1, last) &* outputStride, c10)
  swl_store_f32x16(output + min(2, last) &* outputStride, c20)
  swl_store_f32x16(output + min(3, last) &* outputStride, c30)
}
