import CVectorShims

/// `iterations` × 8 independent dot products of 32 bfloat16; see RoofKernels.
@inline(never)
public func probePairDots(_ iterations: Int, _ sink: UnsafeMutablePointer<Float>) {
  let inputs = swl_bits_f32x16(swl_load_f32x16(sink))
  let weights = swl_bits_f32x16(swl_load_f32x16(sink + 16))
  let zero = SIMD16<Float>(repeating: 0)
  var (a, b, c, d) = (zero, zero, zero, zero)
  var (e, f, g, h) = (zero, zero, zero, zero)
  var index = 0
  while index < iterations {
    a = swl_dot_bfloat_f32x16(a, inputs, weights)
    b = swl_dot_bfloat_f32x16(b, inputs, weights)
    c = swl_dot_bfloat_f32x16(c, inputs, weights)
    d = swl_dot_bfloat_f32x16(d, inputs, weights)
    e = swl_dot_bfloat_f32x16(e, inputs, weights)
    f = swl_dot_bfloat_f32x16(f, inputs, weights)
    g = swl_dot_bfloat_f32x16(g, inputs, weights)
    h = swl_dot_bfloat_f32x16(h, inputs, weights)
    index &+= 1
  }
  let left = (a + b) + (c + d)
  let right = (e + f) + (g + h)
  swl_store_f32x16(sink + 32, left + right)
}
