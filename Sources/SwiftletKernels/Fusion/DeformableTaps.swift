import CVectorShims

// Samples of deformable attention, one head at a time over a map packed by `packHead`.
//
// A block is up to `deformableBlockQueries` queries. Pixel positions and weights of their samples lie
// one after another (query, level, point) in `scratch`; 16 samples at a time, whatever query they
// belong to, become two addresses (upper left and lower left tap) and four bilinear weights. Samples
// that touch no pixel of their level are left out, NaN positions too: far-away points cost nothing.
//
// Order of a head's sum: samples in ascending order. Of 32 channels at a time the upper taps (left, then
// right) go to one sum, the lower ones to another, upper + lower at the end; of the last 16 or fewer
// each of the four taps has a sum, (left + right) of the upper + (left + right) of the lower. The same
// on every target.

/// Queries of one block.
public let deformableBlockQueries = 16

/// Samples that a block's lists hold, with room for whole vectors.
@inline(never)
public func deformableBlockCapacity(_ samples: Int) -> Int {
  (deformableBlockQueries &* samples &+ 47) & ~15
}

/// Floats and ints of scratch that one part needs.
@inline(never)
public func deformableScratchFloats(_ samples: Int) -> Int { 7 &* deformableBlockCapacity(samples) }
@inline(never)
public func deformableScratchInts(_ samples: Int) -> Int {
  2 &* deformableBlockCapacity(samples) &+ deformableBlockCapacity(samples) / 16 &+ 32
}

/// Samples of the block to lists of taps; `lanes` holds per sample of the pattern (which repeats
/// every `period` samples, a multiple of 16) the level's width, then height.
/// `places`: the packed float of token (0, 0) of the level, then the floats between its rows.
@inline(__always)
func listTaps(
  _ count: Int, _ padded: Int, _ lanes: UnsafePointer<Float>, _ places: UnsafePointer<Int32>,
  _ period: Int, _ scratch: UnsafeMutablePointer<Float>,
  _ indices: UnsafeMutablePointer<Int32>, _ capacity: Int
) {
  let one = SIMD16<Float>(repeating: 1)
  let zero = SIMD16<Float>(repeating: 0)
  let outside = SIMD16<Float>(repeating: -1)
  let tokenStride = SIMD16<Int32>(repeating: Int32(truncatingIfNeeded: padded))
  let masks = indices + 2 &* capacity
  var n = 0
  var sample = 0
  var lane = 0
  while sample < count {
    let width = swl_load_f32x16(lanes + lane)
    let height = swl_load_f32x16(lanes + period + lane)
    let x = swl_load_f32x16(scratch + sample)
    let y = swl_load_f32x16(scratch + capacity + sample)
    let weight = swl_load_f32x16(scratch + 2 &* capacity + sample)
    let isInside =
      (swl_less_f32x16(outside, x) & swl_less_f32x16(x, width))
      & (swl_less_f32x16(outside, y) & swl_less_f32x16(y, height))
    let mask = swl_mask_bits_i32x16(isInside) & laneBits(count &- sample)
    masks[sample &>> 4] = Int32(bitPattern: mask)
    // Lanes left out hold 0: a conversion of huge values would be undefined.
    let px = swl_select_f32x16(isInside, x, zero)
    let py = swl_select_f32x16(isInside, y, zero)
    let x0 = swl_floor_f32x16(px)
    let y0 = swl_floor_f32x16(py)
    let fx = px - x0
    let fy = py - y0
    let rowStride = swl_load_i32x16(places + period + lane)
    let top =
      swl_load_i32x16(places + lane) &+ swl_trunc_i32x16(y0) &* rowStride
      &+ swl_trunc_i32x16(x0) &* tokenStride
    let lower = weight * fy
    let upper = weight * (one - fy)
    let left = one - fx
    let taps = scratch + 3 &* capacity + n
    swl_compress_f32x16(taps, upper * left, mask)
    swl_compress_f32x16(taps + capacity, upper * fx, mask)
    swl_compress_f32x16(taps + 2 &* capacity, lower * left, mask)
    swl_compress_f32x16(taps + 3 &* capacity, lower * fx, mask)
    swl_compress_i32x16(indices + n, top, mask)
    n &+= Int(swl_compress_i32x16(indices + capacity + n, top &+ rowStride, mask))
    sample &+= 16
    lane &+= 16
    if lane == period { lane = 0 }
  }
}

/// Bits of the first `count` lanes.
@inline(__always)
func laneBits(_ count: Int) -> UInt32 {
  count >= 16 ? 0xffff : (1 &<< UInt32(truncatingIfNeeded: count)) &- 1
}

/// Set bits `lower ..< upper` of the masks, 16 bits in each.
@inline(__always)
func countBits(_ masks: UnsafePointer<Int32>, _ lower: Int, _ upper: Int) -> Int {
  var count = 0
  var bit = lower
  while bit < upper {
    let first = bit & 15
    let length = min(16 &- first, upper &- bit)
    let bits = (UInt32(bitPattern: masks[bit &>> 4]) &>> UInt32(truncatingIfNeeded: first))
      & laneBits(length)
    count &+= bits.nonzeroBitCount
    bit &+= length
  }
  return count
}

/// The block's samples, already in `scratch`, to its queries' rows: output[rows[j] · outputStride ...]
/// (+)= Σ weight · sample.
@inline(__always)
func sampleBlock(
  _ packed: UnsafePointer<Float>, _ padded: Int, _ channels: Int, _ samples: Int,
  _ queries: Int, _ lanes: UnsafePointer<Float>, _ places: UnsafePointer<Int32>, _ period: Int,
  _ scratch: UnsafeMutablePointer<Float>, _ indices: UnsafeMutablePointer<Int32>,
  _ capacity: Int, _ adds: Bool, _ output: UnsafeMutablePointer<Float>, _ outputStride: Int
) {
  listTaps(queries &* samples, padded, lanes, places, period, scratch, indices, capacity)
  let masks = indices + 2 &* capacity
  let rows = masks + capacity / 16
  var first = 0
  var query = 0
  while query < queries {
    let count = countBits(masks, query &* samples, (query &+ 1) &* samples)
    let row = output + Int(rows[query]) &* outputStride
    sumTaps(
      packed, padded, channels, scratch + 3 &* capacity + first, indices + first, capacity, count,
      adds, row)
    first &+= count
    query &+= 1
  }
}

@inline(__always)
func sumTaps(
  _ packed: UnsafePointer<Float>, _ padded: Int, _ channels: Int, _ weights: UnsafePointer<Float>,
  _ offsets: UnsafePointer<Int32>, _ capacity: Int, _ count: Int, _ adds: Bool,
  _ output: UnsafeMutablePointer<Float>
) {
  if adds && count == 0 { return }
  var channel = 0
  while channel < channels {
    let rest = channels &- channel
    if rest > 16 {
      let (a, b) = sumTwo(packed + channel, padded, weights, offsets, capacity, count)
      storeSum(output + channel, a, 16, adds)
      storeSum(output + channel + 16, b, rest &- 16, adds)
    } else {
      let a = sumOne(packed + channel, padded, weights, offsets, capacity, count)
      storeSum(output + channel, a, rest, adds)
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

/// 16 channels: the taps of a sample have a sum each, so that four multiply-adds are under way.
@inline(__always)
func sumOne(
  _ values: UnsafePointer<Float>, _ right: Int, _ weights: UnsafePointer<Float>,
  _ offsets: UnsafePointer<Int32>, _ capacity: Int, _ count: Int
) -> SIMD16<Float> {
  var upperLeft = SIMD16<Float>(repeating: 0)
  var upperRight = upperLeft
  var lowerLeft = upperLeft
  var lowerRight = upperLeft
  let weights2 = weights + 2 &* capacity
  var tap = 0
  while tap < count {
    let top = values + Int(offsets[tap])
    let bottom = values + Int(offsets[capacity &+ tap])
    accumulate(&upperLeft, weights[tap], swl_load_f32x16(top))
    accumulate(&lowerLeft, weights2[tap], swl_load_f32x16(bottom))
    accumulate(&upperRight, weights[capacity &+ tap], swl_load_f32x16(top + right))
    accumulate(&lowerRight, weights2[capacity &+ tap], swl_load_f32x16(bottom + right))
    tap &+= 1
  }
  return (upperLeft + upperRight) + (lowerLeft + lowerRight)
}

/// The same for 32 channels: four sums, so that four multiply-adds are under way.
@inline(__always)
func sumTwo(
  _ values: UnsafePointer<Float>, _ right: Int, _ weights: UnsafePointer<Float>,
  _ offsets: UnsafePointer<Int32>, _ capacity: Int, _ count: Int
) -> (SIMD16<Float>, SIMD16<Float>) {
  var a0 = SIMD16<Float>(repeating: 0)
  var a1 = a0
  var b0 = a0
  var b1 = a0
  let weights2 = weights + 2 &* capacity
  var tap = 0
  while tap < count {
    let top = values + Int(offsets[tap])
    let bottom = values + Int(offsets[capacity &+ tap])
    accumulate(&a0, &a1, weights[tap], swl_load_f32x16(top), swl_load_f32x16(top + 16))
    accumulate(&b0, &b1, weights2[tap], swl_load_f32x16(bottom), swl_load_f32x16(bottom + 16))
    accumulate(
      &a0, &a1, weights[capacity &+ tap], swl_load_f32x16(top + right),
      swl_load_f32x16(top + right + 16))
    accumulate(
      &b0, &b1, weights2[capacity &+ tap], swl_load_f32x16(bottom + right),
      swl_load_f32x16(bottom + right + 16))
    tap &+= 1
  }
  return (a0 + b0, a1 + b1)
}
