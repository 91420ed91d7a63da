import CVectorShims

// Integer matrix tiles: output[r][n] = initial[n] + Σ input[r][4 q + i] · weights[q][n][i] over quads q of
// unsigned 8-bit inputs and signed 8-bit weights. Integer sums are exact: every target has the
// same bits. Weights are packed [block of 16 columns][quad][16][4].

@inline(__always)
func dot(
  _ c0: inout SIMD16<Int32>, _ c1: inout SIMD16<Int32>, _ a: Int32, _ b0: SIMD16<Int32>,
  _ b1: SIMD16<Int32>
) {
  let value = SIMD16<Int32>(repeating: a)
  c0 = swl_dot_u8i8_i32x16(c0, value, b0)
  c1 = swl_dot_u8i8_i32x16(c1, value, b1)
}

@inline(__always)
func dot(_ c: inout SIMD16<Int32>, _ a: Int32, _ b: SIMD16<Int32>) {
  c = swl_dot_u8i8_i32x16(c, SIMD16<Int32>(repeating: a), b)
}

/// Up to twelve rows and one or two blocks of 16 columns, `blockStride` apart in the weights.
@inline(__always)
func integerTile(
  _ input: UnsafePointer<Int32>, _ stride: Int, _ rows: Int, _ weights: UnsafePointer<Int32>,
  _ blockStride: Int, _ blocks: Int, _ depth: Int, _ initial: UnsafePointer<Int32>,
  _ output: UnsafeMutablePointer<Int32>, _ outputStride: Int
) {
  if swl_tile_rows() == 12 && rows == 12 && blocks == 2 {
    integerTile12x32(
      input, stride, weights, weights + blockStride, depth, initial, output, outputStride)
    return
  }
  var row = 0
  while row < rows {
    var block = 0
    while block < blocks {
      integerTile4x16(
        input + row &* stride, stride, min(4, rows &- row), weights + block &* blockStride, depth,
        initial + block &* 16, output + row &* outputStride + block &* 16, outputStride)
      block &+= 1
    }
    row &+= 4
  }
}

/// Twelve rows × 32 columns: 24 accumulators and two vectors of weights in 32 registers.
@inline(never)
func integerTile12x32(
  _ input: UnsafePointer<Int32>, _ stride: Int, _ weights0: UnsafePointer<Int32>,
  _ weights1: UnsafePointer<Int32>, _ depth: Int, _ initial: UnsafePointer<Int32>,
  _ output: UnsafeMutablePointer<Int32>, _ outputStride: Int
) {
  let start0 = swl_load_i32x16(initial)
  let start1 = swl_load_i32x16(initial + 16)
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
    dot(&c00, &c01, a0.pointee, b0, b1)
    dot(&c10, &c11, a0[stride], b0, b1)
    dot(&c20, &c21, a0[twice], b0, b1)
    dot(&c30, &c31, a3.pointee, b0, b1)
    dot(&c40, &c41, a3[stride], b0, b1)
    dot(&c50, &c51, a3[twice], b0, b1)
    dot(&c60, &c61, a6.pointee, b0, b1)
    dot(&c70, &c71, a6[stride], b0, b1)
    dot(&c80, &c81, a6[twice], b0, b1)
    dot(&c90, &c91, a9.pointee, b0, b1)
    dot(&ca0, &ca1, a9[stride], b0, b1)
    dot(&cb0, &cb1, a9[twice], b0, b1)
    a0 += 1
    a3 += 1
    a6 += 1
    a9 += 1
    w0 += 16
    w1 += 16
    step &+= 1
  }
  var out = output
  swl_store_i32x16(out, c00)
  swl_store_i32x16(out + 16, c01)
  out += outputStride
  swl_store_i32x16(out, c10)
  swl_store_i32x16(out + 16, c11)
  out += outputStride
  swl_store_i32x16(out, c20)
  swl_store_i32x16(out + 16, c21)
  out += outputStride
  swl_store_i32x16(out, c30)
  swl_store_i32x16(out + 16, c31)
  out += outputStride
  swl_store_i32x16(out, c40)
  swl_store_i32x16(out + 16, c41)
  out += outputStride
  swl_store_i32x16(out, c50)
  swl_store_i32x16(out + 16, c51)
  out += outputStride
  swl_store_i32x16(out, c60)
  swl_store_i32x16(out + 16, c61)
  out += outputStride
  swl_store_i32x16(out, c70)
  swl_store_i32x16(out + 16, c71)
  out += outputStride
  swl_store_i32x16(out, c80)
  swl_store_i32x16(out + 16, c81)
  out += outputStride
  swl_store_i32x16(out, c90)
  swl_store_i32x16(out + 16, c91)
  out += outputStride
  swl_store_i32x16(out, ca0)
  swl_store_i32x16(out + 16, ca1)
  out += outputStride
  swl_store_i32x16(out, cb0)
  swl_store_i32x16(out + 16, cb1)
}

/// 4 rows × 16 columns; rows from `rows` on repeat the last one.
@inline(never)
func integerTile4x16(
  _ input: UnsafePointer<Int32>, _ stride: Int, _ rows: Int, _ weights0: UnsafePointer<Int32>,
  _ depth: Int, _ initial: UnsafePointer<Int32>, _ output: UnsafeMutablePointer<Int32>,
  _ outputStride: Int
) {
  let last = rows &- 1
  let a0 = input
  let a1 = input + min(1, last) &* stride
  let a2 = input + min(2, last) &* stride
  let a3 = input + min(3, last) &* stride
  let start0 = swl_load_i32x16(initial)
  var c00 = start0
  var c10 = start0
  var c20 = start0
  var c30 = start0
  var w0 = weights0
  var step = 0
  while step < depth {
    let b0 = swl_load_i32x16(w0)
    dot(&c00, a0[step], b0)
    dot(&c10, a1[step], b0)
    dot(&c20, a2[step], b0)
    dot(&c30, a3[step], b0)
    w0 += 16
    step &+= 1
  }
  swl_store_i32x16(output, c00)
  swl_store_i32x16(output + min(1, last) &* outputStride, c10)
  swl_store_i32x16(output + min(2, last) &* outputStride, c20)
  swl_store_i32x16(output + min(3, last) &* outputStride, c30)
}
