import CVectorShims

// Bilinear taps of deformable attention. A query has heads × levels × points samples, taken 16 at a
// time whatever head they belong to, in the order head, level, point; four lane tables say where a
// sample reads: width and height of its level as floats (0 behind the last sample) and the float
// index of its level's first token at its head.
//
// Taps outside the level or of weight 0 are dropped one by one (zero padding), so far-away points cost
// nothing and what lies at a dropped address is never read. Order of a head's sum: chunks of 16
// samples; in a chunk the upper left, upper right, lower left and lower right taps; four sums over
// every fourth tap, joined as (0 + 2) + (1 + 3). The same on every target.

/// Ints or floats that the tap lists of `taps` samples need.
@inline(__always)
func tapCapacity(_ samples: Int) -> Int { 4 &* samples &+ 80 }

/// Appends the taps of one chunk that belong to lanes `lanes` to the lists and returns the new count.
///
/// `x`, `y` are pixel positions (pixel centres at integers), `weight` the attention weights.
@inline(__always)
func appendTaps(
  _ x: SIMD16<Float>, _ y: SIMD16<Float>, _ weight: SIMD16<Float>, _ width: SIMD16<Float>,
  _ height: SIMD16<Float>, _ base: SIMD16<Int32>, _ tokenStride: Int32, _ lanes: UInt32,
  _ offsets: UnsafeMutablePointer<Int32>, _ weights: UnsafeMutablePointer<Float>, _ count: Int
) -> Int {
  let one = SIMD16<Float>(repeating: 1)
  let zero = SIMD16<Float>(repeating: 0)
  let lowest = SIMD16<Float>(repeating: -2)
  // Far positions become near ones that are outside all the same; NaN becomes -2.
  let px = swl_min_f32x16(swl_max_f32x16(x, lowest), width + one)
  let py = swl_min_f32x16(swl_max_f32x16(y, lowest), height + one)
  let x0 = swl_floor_f32x16(px)
  let y0 = swl_floor_f32x16(py)
  let fx = px - x0
  let fy = py - y0
  let left = swl_less_equal_f32x16(zero, x0) & swl_less_f32x16(x0, width)
  let right = swl_less_equal_f32x16(zero, x0 + one) & swl_less_f32x16(x0 + one, width)
  let upper = swl_less_equal_f32x16(zero, y0) & swl_less_f32x16(y0, height)
  let lower = swl_less_equal_f32x16(zero, y0 + one) & swl_less_f32x16(y0 + one, height)
  let rowStride = swl_trunc_i32x16(width) &* SIMD16(repeating: tokenStride)
  let corner =
    base &+ swl_trunc_i32x16(y0) &* rowStride
    &+ swl_trunc_i32x16(x0) &* SIMD16(repeating: tokenStride)
  let east = corner &+ SIMD16(repeating: tokenStride)
  let top = weight * (one - fy)
  let bottom = weight * fy
  var n = count
  n = appendTap(corner, top * (one - fx), upper & left, lanes, offsets, weights, n)
  n = appendTap(east, top * fx, upper & right, lanes, offsets, weights, n)
  n = appendTap(corner &+ rowStride, bottom * (one - fx), lower & left, lanes, offsets, weights, n)
  n = appendTap(east &+ rowStride, bottom * fx, lower & right, lanes, offsets, weights, n)
  return n
}

@inline(__always)
func appendTap(
  _ offset: SIMD16<Int32>, _ weight: SIMD16<Float>, _ isInside: SIMD16<Int32>, _ lanes: UInt32,
  _ offsets: UnsafeMutablePointer<Int32>, _ weights: UnsafeMutablePointer<Float>, _ count: Int
) -> Int {
  let mask = swl_mask_bits_i32x16(isInside) & lanes
  swl_compress_f32x16(weights + count, weight, mask)
  return count &+ Int(swl_compress_i32x16(offsets + count, offset, mask))
}

/// Bits of the lanes of chunk `sample ..< sample + 16` that lie in `lower ..< upper`.
@inline(__always)
func laneBits(_ sample: Int, _ lower: Int, _ upper: Int) -> UInt32 {
  let first = max(lower &- sample, 0)
  let last = min(upper &- sample, 16)
  return ((1 &<< UInt32(truncatingIfNeeded: last)) &- 1)
    & ~((1 &<< UInt32(truncatingIfNeeded: first)) &- 1)
}

/// output[0 ..< channels] (+)= Σ taps weight · values[offset ...]. The lists may be written behind
/// `count`. Reads whole vectors: up to 15 floats behind a tap's channels.
@inline(__always)
func sumTaps(
  _ values: UnsafePointer<Float>, _ offsets: UnsafeMutablePointer<Int32>,
  _ weights: UnsafeMutablePointer<Float>, _ count: Int, _ channels: Int, _ adds: Bool,
  _ output: UnsafeMutablePointer<Float>
) {
  if count == 0 {
    if !adds { zeroRow(output, channels) }
    return
  }
  // A list of whole groups of four: the last tap again, with weight 0.
  var n = count
  while n & 3 != 0 {
    offsets[n] = offsets[count &- 1]
    weights[n] = 0
    n &+= 1
  }
  var channel = 0
  while channel < channels {
    let rest = channels &- channel
    if rest > 16 {
      let (a, b) = sumTwo(values + channel, offsets, weights, n)
      storeSum(output + channel, a, 16, adds)
      storeSum(output + channel + 16, b, rest &- 16, adds)
    } else {
      storeSum(output + channel, sumOne(values + channel, offsets, weights, n), rest, adds)
    }
    channel &+= 32
  }
}

@inline(__always)
func storeSum(
  _ output: UnsafeMutablePointer<Float>, _ sum: SIMD16<Float>, _ count: Int, _ adds: Bool
) {
  let value = adds ? loadOr(output, count, SIMD16(repeating: 0)) + sum : sum
  storeSome(output, value, count)
}

/// Four sums, so that four multiply-adds are under way.
@inline(__always)
func sumOne(
  _ values: UnsafePointer<Float>, _ offsets: UnsafePointer<Int32>,
  _ weights: UnsafePointer<Float>, _ count: Int
) -> SIMD16<Float> {
  var s0 = SIMD16<Float>(repeating: 0)
  var s1 = s0
  var s2 = s0
  var s3 = s0
  var tap = 0
  while tap < count {
    accumulate(&s0, weights[tap], swl_load_f32x16(values + Int(offsets[tap])))
    accumulate(&s1, weights[tap &+ 1], swl_load_f32x16(values + Int(offsets[tap &+ 1])))
    accumulate(&s2, weights[tap &+ 2], swl_load_f32x16(values + Int(offsets[tap &+ 2])))
    accumulate(&s3, weights[tap &+ 3], swl_load_f32x16(values + Int(offsets[tap &+ 3])))
    tap &+= 4
  }
  return (s0 + s2) + (s1 + s3)
}

/// The same for 32 channels: eight sums.
@inline(__always)
func sumTwo(
  _ values: UnsafePointer<Float>, _ offsets: UnsafePointer<Int32>,
  _ weights: UnsafePointer<Float>, _ count: Int
) -> (SIMD16<Float>, SIMD16<Float>) {
  var a0 = SIMD16<Float>(repeating: 0)
  var a1 = a0
  var a2 = a0
  var a3 = a0
  var b0 = a0
  var b1 = a0
  var b2 = a0
  var b3 = a0
  var tap = 0
  while tap < count {
    let v0 = values + Int(offsets[tap])
    accumulate(&a0, &b0, weights[tap], swl_load_f32x16(v0), swl_load_f32x16(v0 + 16))
    let v1 = values + Int(offsets[tap &+ 1])
    accumulate(&a1, &b1, weights[tap &+ 1], swl_load_f32x16(v1), swl_load_f32x16(v1 + 16))
    let v2 = values + Int(offsets[tap &+ 2])
    accumulate(&a2, &b2, weights[tap &+ 2], swl_load_f32x16(v2), swl_load_f32x16(v2 + 16))
    let v3 = values + Int(offsets[tap &+ 3])
    accumulate(&a3, &b3, weights[tap &+ 3], swl_load_f32x16(v3), swl_load_f32x16(v3 + 16))
    tap &+= 4
  }
  return ((a0 + a2) + (a1 + a3), (b0 + b2) + (b1 + b3))
}
