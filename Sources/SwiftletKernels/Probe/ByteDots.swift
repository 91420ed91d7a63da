import CVectorShims

/// `iterations` × 8 independent dot products of 64 bytes; see RoofKernels.
@inline(never)
public func probeByteDots(_ iterations: Int, _ sink: UnsafeMutablePointer<Float>) {
  let bytes = swl_bits_f32x16(swl_load_f32x16(sink))
  let weights = swl_bits_f32x16(swl_load_f32x16(sink + 16))
  let zero = SIMD16<Int32>(repeating: 0)
  var (a, b, c, d) = (zero, zero, zero, zero)
  var (e, f, g, h) = (zero, zero, zero, zero)
  var index = 0
  while index < iterations {
    a = swl_dot_u8i8_i32x16(a, bytes, weights)
    b = swl_dot_u8i8_i32x16(b, bytes, weights)
    c = swl_dot_u8i8_i32x16(c, bytes, weights)
    d = swl_dot_u8i8_i32x16(d, bytes, weights)
    e = swl_dot_u8i8_i32x16(e, bytes, weights)
    f = swl_dot_u8i8_i32x16(f, bytes, weights)
    g = swl_dot_u8i8_i32x16(g, bytes, weights)
    h = swl_dot_u8i8_i32x16(h, bytes, weights)
    index &+= 1
  }
  let left = (a &+ b) &+ (c &+ d)
  let right = (e &+ f) &+ (g &+ h)
  swl_store_f32x16(sink + 32, swl_f32x16_from_i32x16(left &+ right))
}
