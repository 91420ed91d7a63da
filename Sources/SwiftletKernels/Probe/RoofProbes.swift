import CVectorShims

// What this instruction set can do at best on this machine, measured in the run it is compared
// with. A roof takes the best of the three shapes below: how many accumulators hide the latency of
// a multiply-add without spilling depends on the registers (32 × 512 bit, 16 × 256, 16 × 128).

/// `iterations` × 8 × 16 multiply-adds in 8 independent chains.
@inline(never)
public func probeMultiplyAdd8(_ iterations: Int, _ sink: UnsafeMutablePointer<Float>) {
  let scale = swl_load_f32x16(sink)
  let offset = swl_load_f32x16(sink + 16)
  var (a, b, c, d) = (offset, offset, offset, offset)
  var (e, f, g, h) = (offset, offset, offset, offset)
  var index = 0
  while index < iterations {
    a = swl_fma_f32x16(a, scale, offset)
    b = swl_fma_f32x16(b, scale, offset)
    c = swl_fma_f32x16(c, scale, offset)
    d = swl_fma_f32x16(d, scale, offset)
    e = swl_fma_f32x16(e, scale, offset)
    f = swl_fma_f32x16(f, scale, offset)
    g = swl_fma_f32x16(g, scale, offset)
    h = swl_fma_f32x16(h, scale, offset)
    index &+= 1
  }
  let left = (a + b) + (c + d)
  let right = (e + f) + (g + h)
  swl_store_f32x16(sink + 32, left + right)
}

/// `iterations` × 5 × 16 multiply-adds in 5 independent chains.
@inline(never)
public func probeMultiplyAdd5(_ iterations: Int, _ sink: UnsafeMutablePointer<Float>) {
  let scale = swl_load_f32x16(sink)
  let offset = swl_load_f32x16(sink + 16)
  var (a, b, c, d, e) = (offset, offset, offset, offset, offset)
  var index = 0
  while index < iterations {
    a = swl_fma_f32x16(a, scale, offset)
    b = swl_fma_f32x16(b, scale, offset)
    c = swl_fma_f32x16(c, scale, offset)
    d = swl_fma_f32x16(d, scale, offset)
    e = swl_fma_f32x16(e, scale, offset)
    index &+= 1
  }
  let left = (a + b) + (c + d)
  swl_store_f32x16(sink + 32, left + e)
}

/// `iterations` × 2 × 16 multiply-adds in 2 independent chains.
@inline(never)
public func probeMultiplyAdd2(_ iterations: Int, _ sink: UnsafeMutablePointer<Float>) {
  let scale = swl_load_f32x16(sink)
  let offset = swl_load_f32x16(sink + 16)
  var (a, b) = (offset, offset)
  var index = 0
  while index < iterations {
    a = swl_fma_f32x16(a, scale, offset)
    b = swl_fma_f32x16(b, scale, offset)
    index &+= 1
  }
  swl_store_f32x16(sink + 32, a + b)
}

/// Reads `count` floats (a multiple of 64) once; their sum by lanes goes to `sink`.
@inline(never)
public func probeRead(
  _ source: UnsafePointer<Float>, _ count: Int, _ sink: UnsafeMutablePointer<Float>
) {
  var a = SIMD16<Float>(repeating: 0)
  var b = a
  var c = a
  var d = a
  var index = 0
  while index < count {
    a += swl_load_f32x16(source + index)
    b += swl_load_f32x16(source + index + 16)
    c += swl_load_f32x16(source + index + 32)
    d += swl_load_f32x16(source + index + 48)
    index &+= 64
  }
  let left = a + b
  let right = c + d
  swl_store_f32x16(sink, left + right)
}
