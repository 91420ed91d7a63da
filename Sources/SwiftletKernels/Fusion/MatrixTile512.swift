import CVectorShims

// Matrix tiles: output[r][n] = max(lowest, initial[n] + Σ_k input[r][k] · weights[k][n]) for the rows
// of the tile and 16 or 32 columns. Weights are packed [block of 16 columns][k][16]. The sum runs
// over k in ascending order from the initial value in every tile, so a tile's shape changes no bit
// and work may be cut anywhere. `lowest` is 0 for ReLU and -∞ otherwise; NaN passes through.
//
// The accumulators are named because only named locals are sure to stay in registers.

@inline(__always)
func accumulate(
  _ c0: inout SIMD16<Float>, _ c1: inout SIMD16<Float>, _ a: Float, _ b0: SIMD16<Float>,
  _ b1: SIMD16<Float>
) {
  let value = SIMD16<Float>(repeating: a)
  c0 = swl_fma_f32x16(value, b0, c0)
  c1 = swl_fma_f32x16(value, b1, c1)
}

@inline(__always)
func accumulate(_ c: inout SIMD16<Float>, _ a: Float, _ b: SIMD16<Float>) {
  c = swl_fma_f32x16(SIMD16<Float>(repeating: a), b, c)
}

/// Twelve rows × 32 columns: 24 accumulators, two vectors of weights and the broadcast
/// input fill 27 of 32 registers; per step 24 fused multiply-adds wait for 14 loads.
@inline(never)
func tile12x32(
  _ input: UnsafePointer<Float>, _ stride: Int, _ weights0: UnsafePointer<Float>,
  _ weights1: UnsafePointer<Float>, _ depth: Int, _ initial: UnsafePointer<Float>,
  _ output: UnsafeMutablePointer<Float>, _ outputStride: Int, _ lowest: Float
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
    let b0 = swl_load_f32x16(w0)
    let b1 = swl_load_f32x16(w1)
    accumulate(&c00, &c01, a0.pointee, b0, b1)
    accumulate(&c10, &c11, a0[stride], b0, b1)
    accumulate(&c20, &c21, a0[twice], b0, b1)
    accumulate(&c30, &c31, a3.pointee, b0, b1)
    accumulate(&c40, &c41, a3[stride], b0, b1)
    accumulate(&c50, &c51, a3[twice], b0, b1)
    accumulate(&c60, &c61, a6.pointee, b0, b1)
    accumulate(&c70, &c71, a6[stride], b0, b1)
    accumulate(&c80, &c81, a6[twice], b0, b1)
    accumulate(&c90, &c91, a9.pointee, b0, b1)
    accumulate(&ca0, &ca1, a9[stride], b0, b1)
    accumulate(&cb0, &cb1, a9[twice], b0, b1)
    a0 += 1
    a3 += 1
    a6 += 1
    a9 += 1
    w0 += 16
    w1 += 16
    step &+= 1
  }
  let floor = SIMD16<Float>(repeating: lowest)
  var out = output
  swl_store_f32x16(out, swl_max_f32x16(floor, c00))
  swl_store_f32x16(out + 16, swl_max_f32x16(floor, c01))
  out += outputStride
  swl_store_f32x16(out, swl_max_f32x16(floor, c10))
  swl_store_f32x16(out + 16, swl_max_f32x16(floor, c11))
  out += outputStride
  swl_store_f32x16(out, swl_max_f32x16(floor, c20))
  swl_store_f32x16(out + 16, swl_max_f32x16(floor, c21))
  out += outputStride
  swl_store_f32x16(out, swl_max_f32x16(floor, c30))
  swl_store_f32x16(out + 16, swl_max_f32x16(floor, c31))
  out += outputStride
  swl_store_f32x16(out, swl_max_f32x16(floor, c40))
  swl_store_f32x16(out + 16, swl_max_f32x16(floor, c41))
  out += outputStride
  swl_store_f32x16(out, swl_max_f32x16(floor, c50))
  swl_store_f32x16(out + 16, swl_max_f32x16(floor, c51))
  out += outputStride
  swl_store_f32x16(out, swl_max_f32x16(floor, c60))
  swl_store_f32x16(out + 16, swl_max_f32x16(floor, c61))
  out += outputStride
  swl_store_f32x16(out, swl_max_f32x16(floor, c70))
  swl_store_f32x16(out + 16, swl_max_f32x16(floor, c71))
  out += outputStride
  swl_store_f32x16(out, swl_max_f32x16(floor, c80))
  swl_store_f32x16(out + 16, swl_max_f32x16(floor, c81))
  out += outputStride
  swl_store_f32x16(out, swl_max_f32x16(floor, c90))
  swl_store_f32x16(out + 16, swl_max_f32x16(floor, c91))
  out += outputStride
  swl_store_f32x16(out, swl_max_f32x16(floor, ca0))
  swl_store_f32x16(out + 16, swl_max_f32x16(floor, ca1))
  out += outputStride
  swl_store_f32x16(out, swl_max_f32x16(floor, cb0))
  swl_store_f32x16(out + 16, swl_max_f32x16(floor, cb1))
}

/// Twelve rows × 16 columns: 12 accumulators, one load of weights per 12
/// fused multiply-adds.
@inline(never)
func tile12x16(
  _ input: UnsafePointer<Float>, _ stride: Int, _ weights0: UnsafePointer<Float>,
  _ depth: Int, _ initial: UnsafePointer<Float>,
  _ output: UnsafeMutablePointer<Float>, _ outputStride: Int, _ lowest: Float
) {
  let start0 = swl_load_f32x16(initial)
  var c00 = start0
  var c10 = start0
  var c20 = start0
  var c30 = start0
  var c40 = start0
  var c50 = start0
  var c60 = start0
  var c70 = start0
  var c80 = start0
  var c90 = start0
  var ca0 = start0
  var cb0 = start0
  var a0 = input
  var a3 = input + 3 &* stride
  var a6 = input + 6 &* stride
  var a9 = input + 9 &* stride
  let twice = 2 &* stride
  var w0 = weights0
  var step = 0
  while step < depth {
    let b0 = swl_load_f32x16(w0)
    accumulate(&c00, a0.pointee, b0)
    accumulate(&c10, a0[stride], b0)
    accumulate(&c20, a0[twice], b0)
    accumulate(&c30, a3.pointee, b0)
    accumulate(&c40, a3[stride], b0)
    accumulate(&c50, a3[twice], b0)
    accumulate(&c60, a6.pointee, b0)
    accumulate(&c70, a6[stride], b0)
    accumulate(&c80, a6[twice], b0)
    accumulate(&c90, a9.pointee, b0)
    accumulate(&ca0, a9[stride], b0)
    accumulate(&cb0, a9[twice], b0)
    a0 += 1
    a3 += 1
    a6 += 1
    a9 += 1
    w0 += 16
    step &+= 1
  }
  let floor = SIMD16<Float>(repeating: lowest)
  var out = output
  swl_store_f32x16(out, swl_max_f32x16(floor, c00))
  out += outputStride
  swl_store_f32x16(out, swl_max_f32x16(floor, c10))
  out += outputStride
  swl_store_f32x16(out, swl_max_f32x16(floor, c20))
  out += outputStride
  swl_store_f32x16(out, swl_max_f32x16(floor, c30))
  out += outputStride
  swl_store_f32x16(out, swl_max_f32x16(floor, c40))
  out += outputStride
  swl_store_f32x16(out, swl_max_f32x16(floor, c50))
  out += outputStride
  swl_store_f32x16(out, swl_max_f32x16(floor, c60))
  out += outputStride
  swl_store_f32x16(out, swl_max_f32x16(floor, c70))
  out += outputStride
  swl_store_f32x16(out, swl_max_f32x16(floor, c80))
  out += outputStride
  swl_store_f32x16(out, swl_max_f32x16(floor, c90))
  out += outputStride
  swl_store_f32x16(out, swl_max_f32x16(floor, ca0))
  out += outputStride
  swl_store_f32x16(out, swl_max_f32x16(floor, cb0))
}
