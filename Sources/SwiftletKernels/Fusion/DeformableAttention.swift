import CVectorShims

/// Ints and floats of scratch that one part needs for queries of `samples` (levels × points) a head.
@inline(never)
public func deformableTapCount(_ samples: Int) -> Int { tapCapacity(samples) }

/// Multi-scale deformable attention of queries `queryLower ..< queryUpper` with given locations and
/// weights: out[q][m · c + k] = Σ over levels and points of weight · sample of head m.
///
/// `locations` [query][head][level][point][2] in 0 ... 1 (x, y; pixel = l · W - 0.5), `weights` [query]
/// [head][level][point]; `samples` = levels · points; lane tables as DeformableTaps.swift says, padded
/// to whole vectors. `tokenStride` = heads · channels.
@inline(never)
public func deformableRows(
  _ values: UnsafePointer<Float>, _ tokenStride: Int, _ heads: Int, _ channels: Int, _ samples: Int,
  _ laneWidth: UnsafePointer<Float>, _ laneHeight: UnsafePointer<Float>,
  _ laneBase: UnsafePointer<Int32>, _ locations: UnsafePointer<Float>,
  _ weights: UnsafePointer<Float>, _ queryLower: Int, _ queryUpper: Int,
  _ output: UnsafeMutablePointer<Float>, _ tapOffsets: UnsafeMutablePointer<Int32>,
  _ tapWeights: UnsafeMutablePointer<Float>
) {
  let total = heads &* samples
  let half = SIMD16<Float>(repeating: -0.5)
  let stride = Int32(truncatingIfNeeded: tokenStride)
  var query = queryLower
  while query < queryUpper {
    let place = locations + query &* total &* 2
    let share = weights + query &* total
    let row = output + query &* heads &* channels
    var head = 0
    var count = 0
    var sample = 0
    while sample < total {
      let rest = total &- sample
      let pairs = place + 2 &* sample
      let lo = loadOr(pairs, 2 &* rest, half)
      let hi = rest > 8 ? loadOr(pairs + 16, 2 &* rest &- 16, half) : half
      let lx = swl_even_f32x16(lo, hi)
      let ly = swl_odd_f32x16(lo, hi)
      let width = swl_load_f32x16(laneWidth + sample)
      let height = swl_load_f32x16(laneHeight + sample)
      let x = swl_fma_f32x16(lx, width, half)
      let y = swl_fma_f32x16(ly, height, half)
      let weight = loadOr(share + sample, rest, SIMD16(repeating: 0))
      let base = swl_load_i32x16(laneBase + sample)
      let end = min(sample &+ 16, total)
      while head &* samples < end {
        let lower = head &* samples
        let upper = lower &+ samples
        count = appendTaps(
          x, y, weight, width, height, base, stride, laneBits(sample, lower, upper), tapOffsets,
          tapWeights, count)
        if upper > end { break }
        sumTaps(values, tapOffsets, tapWeights, count, channels, false, row + head &* channels)
        count = 0
        head &+= 1
      }
      sample &+= 16
    }
    query &+= 1
  }
}
