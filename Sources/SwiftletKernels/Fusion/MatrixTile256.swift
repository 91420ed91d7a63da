import CVectorShims

// The tiles of registers narrower than 512 bits, and of the last rows everywhere; see
// MatrixTile512.swift for what they compute. `addend` joins after the floor; all of it is read before
// anything is written, so that it may be the output.

/// 6 rows × 16 columns; rows from `rows` on repeat the last one.
@inline(never)
func tile6x16(
  _ input: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ weights0: UnsafePointer<Float>,
  _ depth: Int, _ initial: UnsafePointer<Float>,
  _ output: UnsafeMutablePointer<Float>, _ outputStride: Int, _ lowest: Float,
  _ addend: UnsafePointer<Float>? = nil, _ addendStride: Int = 0
) {
  let last = rows &- 1
  let a0 = input
  let a1 = input + min(1, last) &* stride
  let a2 = input + min(2, last) &* stride
  let a3 = input + min(3, last) &* stride
  let a4 = input + min(4, last) &* stride
  let a5 = input + min(5, last) &* stride
  let start0 = swl_load_f32x16(initial)
  var c00 = start0
  var c10 = start0
  var c20 = start0
  var c30 = start0
  var c40 = start0
  var c50 = start0
  var w0 = weights0
  var step = 0
  while step < depth {
    let b0 = swl_load_f32x16(w0)
    accumulate(&c00, a0[step], b0)
    accumulate(&c10, a1[step], b0)
    accumulate(&c20, a2[step], b0)
    accumulate(&c30, a3[step], b0)
    accumulate(&c40, a4[step], b0)
    accumulate(&c50, a5[step], b0)
    w0 += 16
    step &+= 1
  }
  let floor = SIMD16<Float>(repeating: lowest)
  c00 = swl_max_f32x16(floor, c00)
  c10 = swl_max_f32x16(floor, c10)
  c20 = swl_max_f32x16(floor, c20)
  c30 = swl_max_f32x16(floor, c30)
  c40 = swl_max_f32x16(floor, c40)
  c50 = swl_max_f32x16(floor, c50)
  if let addend {
    c00 = c00 + swl_load_f32x16(addend)
    c10 = c10 + swl_load_f32x16(addend + min(1, last) &* addendStride)
    c20 = c20 + swl_load_f32x16(addend + min(2, last) &* addendStride)
    c30 = c30 + swl_load_f32x16(addend + min(3, last) &* addendStride)
    c40 = c40 + swl_load_f32x16(addend + min(4, last) &* addendStride)
    c50 = c50 + swl_load_f32x16(addend + min(5, last) &* addendStride)
  }
  swl_store_f32x16(output, c00)
  swl_store_f32x16(output + min(1, last) &* outputStride, c10)
  swl_store_f32x16(output + min(2, last) &* outputStride, c20)
  swl_store_f32x16(output + min(3, last) &* outputStride, c30)
  swl_store_f32x16(output + min(4, last) &* outputStride, c40)
  swl_store_f32x16(output + min(5, last) &* outputStride, c50)
}

/// 4 rows × 32 columns; rows from `rows` on repeat the last one.
@inline(never)
func tile4x32(
  _ input: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ weights0: UnsafePointer<Float>,
  _ weights1: UnsafePointer<Float>, _ depth: Int, _ initial: UnsafePointer<Float>,
  _ output: UnsafeMutablePointer<Float>, _ outputStride: Int, _ lowest: Float
) {
  let last = rows &- 1
  let a0 = input
  let a1 = input + min(1, last) &* stride
  let a2 = input + min(2, last) &* stride
  let a3 = input + min(3, last) &* stride
  let start0 = swl_load_f32x16(initial)
  let start1 = swl_load_f32x16(initial + 16)
  var c00 = start0, c01 = start1
  var c10 = start0, c11 = start1
  var c20 = start0, c21 = start1
  var c30 = start0, c31 = start1
  var w0 = weights0
  var w1 = weights1
  var step = 0
  while step < depth {
    let b0 = swl_load_f32x16(w0)
    let b1 = swl_load_f32x16(w1)
    accumulate(&c00, &c01, a0[step], b0, b1)
    accumulate(&c10, &c11, a1[step], b0, b1)
    accumulate(&c20, &c21, a2[step], b0, b1)
    accumulate(&c30, &c31, a3[step], b0, b1)
    w0 += 16
    w1 += 16
    step &+= 1
  }
  let floor = SIMD16<Float>(repeating: lowest)
  swl_store_f32x16(output, swl_max_f32x16(floor, c00))
  swl_store_f32x16(output + 16, swl_max_f32x16(floor, c01))
  swl_store_f32x16(output + min(1, last) &* outputStride, swl_max_f32x16(floor, c10))
  swl_store_f32x16(output + min(1, last) &* outputStride + 16, swl_max_f32x16(floor, c11))
  swl_store_f32x16(output + min(2, last) &* outputStride, swl_max_f32x16(floor, c20))
  swl_store_f32x16(output + min(2, last) &* outputStride + 16, swl_max_f32x16(floor, c21))
  swl_store_f32x16(output + min(3, last) &* outputStride, swl_max_f32x16(floor, c30))
  swl_store_f32x16(output + min(3, last) &* outputStride + 16, swl_max_f32x16(floor, c31))
}

/// 4 rows × 16 columns; rows from `rows` on repeat the last one.
@inline(never)
func tile4x16(
  _ input: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ weights0: UnsafePointer<Float>,
  _ depth: Int, _ initial: UnsafePointer<Float>,
  _ output: UnsafeMutablePointer<Float>, _ outputStride: Int, _ lowest: Float,
  _ addend: UnsafePointer<Float>? = nil, _ addendStride: Int = 0
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
    let b0 = swl_load_f32x16(w0)
    accumulate(&c00, a0[step], b0)
    accumulate(&c10, a1[step], b0)
    accumulate(&c20, a2[step], b0)
    accumulate(&c30, a3[step], b0)
    w0 += 16
    step &+= 1
  }
  let floor = SIMD16<Float>(repeating: lowest)
  c00 = swl_max_f32x16(floor, c00)
  c10 = swl_max_f32x16(floor, c10)
  c20 = swl_max_f32x16(floor, c20)
  c30 = swl_max_f32x16(floor, c30)
  if let addend {
    c00 = c00 + swl_load_f32x16(addend)
    c10 = c10 + swl_load_f32x16(addend + min(1, last) &* addendStride)
    c20 = c20 + swl_load_f32x16(addend + min(2, last) &* addendStride)
    c30 = c30 + swl_load_f32x16(addend + min(3, last) &* addendStride)
  }
  swl_store_f32x16(output, c00)
  swl_store_f32x16(output + min(1, last) &* outputStride, c10)
  swl_store_f32x16(output + min(2, last) &* outputStride, c20)
  swl_store_f32x16(output + min(3, last) &* outputStride, c30)
}

/// 2 rows × 16 columns; rows from `rows` on repeat the last one.
@inline(never)
func tile2x16(
  _ input: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ weights0: UnsafePointer<Float>,
  _ depth: Int, _ initial: UnsafePointer<Float>,
  _ output: UnsafeMutablePointer<Float>, _ outputStride: Int, _ lowest: Float,
  _ addend: UnsafePointer<Float>? = nil, _ addendStride: Int = 0
) {
  let last = rows &- 1
  let a0 = input
  let a1 = input + min(1, last) &* stride
  let start0 = swl_load_f32x16(initial)
  var c00 = start0
  var c10 = start0
  var w0 = weights0
  var step = 0
  while step < depth {
    let b0 = swl_load_f32x16(w0)
    accumulate(&c00, a0[step], b0)
    accumulate(&c10, a1[step], b0)
    w0 += 16
    step &+= 1
  }
  let floor = SIMD16<Float>(repeating: lowest)
  c00 = swl_max_f32x16(floor, c00)
  c10 = swl_max_f32x16(floor, c10)
  if let addend {
    c00 = c00 + swl_load_f32x16(addend)
    c10 = c10 + swl_load_f32x16(addend + min(1, last) &* addendStride)
  }
  swl_store_f32x16(output, c00)
  swl_store_f32x16(output + min(1, last) &* outputStride, c10)
}
