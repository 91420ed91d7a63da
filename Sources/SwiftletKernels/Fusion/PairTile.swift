import CVectorShims

// Integer tiles over pairs of 16-bit numbers, for registers of 256 bits: a quad of bytes (0, 1, 2, 3)
// becomes the pairs (0, 2) and (1, 3). The sums are the same integers as IntegerTile's.

/// Quads of unsigned bytes to two pairs each, even then odd.
@inline(__always)
func widenInputs(
  _ quads: UnsafePointer<Int32>, _ count: Int, _ pairs: UnsafeMutablePointer<Int32>
) {
  var index = 0
  while index < count {
    if count &- index >= 16 {
      let value = swl_load_i32x16(quads + index)
      let even = swl_even_bytes_i32x16(value)
      let odd = swl_odd_bytes_i32x16(value)
      swl_store_pairs_i32x16(pairs + 2 &* index, even, odd)
    } else {
      var lane = index
      while lane < count {
        pairs[2 &* lane] = quads[lane] & 0xff00ff
        pairs[2 &* lane &+ 1] = (quads[lane] &>> 8) & 0xff00ff
        lane &+= 1
      }
    }
    index &+= 16
  }
}

/// `count` vectors of quads of signed bytes to vectors of pairs, even then odd.
@inline(__always)
func widenWeights(
  _ quads: UnsafePointer<Int32>, _ count: Int, _ panel: UnsafeMutablePointer<Int32>
) {
  var step = 0
  while step < count {
    let value = swl_load_i32x16(quads + 16 &* step)
    swl_store_i32x16(panel + 32 &* step, swl_even_signed_bytes_i32x16(value))
    swl_store_i32x16(panel + 32 &* step + 16, swl_odd_signed_bytes_i32x16(value))
    step &+= 1
  }
}

/// Up to twelve rows of `depth` pairs and one or two blocks of 16 columns to `output` (rows of 32).
@inline(__always)
func pairTile(
  _ input: UnsafePointer<Int32>, _ depth: Int, _ rows: Int, _ panel: UnsafePointer<Int32>,
  _ blocks: Int, _ initial: UnsafePointer<Int32>, _ output: UnsafeMutablePointer<Int32>
) {
  var row = 0
  while row < rows {
    var block = 0
    while block < blocks {
      pairTile6x16(
        input + row &* depth, depth, min(6, rows &- row), panel + block &* depth &* 16,
        initial + block &* 16, output + row &* 32 + block &* 16)
      block &+= 1
    }
    row &+= 6
  }
}

/// 6 rows × 16 columns: twelve accumulators, two vectors of weights, one input. Rows from `rows` on
/// repeat the last one.
@inline(never)
func pairTile6x16(
  _ input: UnsafePointer<Int32>, _ depth: Int, _ rows: Int, _ panel: UnsafePointer<Int32>,
  _ initial: UnsafePointer<Int32>, _ output: UnsafeMutablePointer<Int32>
) {
  let last = rows &- 1
  let a0 = input
  let a1 = input + min(1, last) &* depth
  let a2 = input + min(2, last) &* depth
  let a3 = input + min(3, last) &* depth
  let a4 = input + min(4, last) &* depth
  let a5 = input + min(5, last) &* depth
  let start = swl_load_i32x16(initial)
  var c0 = start
  var c1 = start
  var c2 = start
  var c3 = start
  var c4 = start
  var c5 = start
  var w = panel
  var step = 0
  while step < depth {
    let b = swl_load_i32x16(w)
    c0 = swl_dot_i16_i32x16(c0, SIMD16(repeating: a0[step]), b)
    c1 = swl_dot_i16_i32x16(c1, SIMD16(repeating: a1[step]), b)
    c2 = swl_dot_i16_i32x16(c2, SIMD16(repeating: a2[step]), b)
    c3 = swl_dot_i16_i32x16(c3, SIMD16(repeating: a3[step]), b)
    c4 = swl_dot_i16_i32x16(c4, SIMD16(repeating: a4[step]), b)
    c5 = swl_dot_i16_i32x16(c5, SIMD16(repeating: a5[step]), b)
    w += 16
    step &+= 1
  }
  swl_store_i32x16(output, c0)
  swl_store_i32x16(output + min(1, last) &* 32, c1)
  swl_store_i32x16(output + min(2, last) &* 32, c2)
  swl_store_i32x16(output + min(3, last) &* 32, c3)
  swl_store_i32x16(output + min(4, last) &* 32, c4)
  swl_store_i32x16(output + min(5, last) &* 32, c5)
}
