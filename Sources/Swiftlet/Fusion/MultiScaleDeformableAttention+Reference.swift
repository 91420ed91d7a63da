#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// One query of `MultiScaleDeformableAttention`, sample by sample, in float64, rounded once.
@unsafe func deformableReference(
  _ values: UnsafePointer<Float>, _ lanes: LanePointers, _ locations: UnsafePointer<Float>,
  _ weights: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>
) {
  let (heads, channels, samples) = unsafe (lanes.heads, lanes.channels, lanes.samples)
  for head in 0..<heads {
    var sum = [Double](repeating: 0, count: channels)
    for sample in head * samples..<(head + 1) * samples {
      let x = unsafe Double(locations[2 * sample]) * Double(lanes.width[sample]) - 0.5
      let y = unsafe Double(locations[2 * sample + 1]) * Double(lanes.height[sample]) - 0.5
      unsafe addSampleReference(values, lanes, sample, x, y, Double(weights[sample]), &sum)
    }
    for channel in 0..<channels { unsafe output[head * channels + channel] = Float(sum[channel]) }
  }
}

/// Adds `weight` times the bilinear sample at pixel (x, y) of the sample's level and head.
@unsafe func addSampleReference(
  _ values: UnsafePointer<Float>, _ lanes: LanePointers, _ sample: Int, _ x: Double, _ y: Double,
  _ weight: Double, _ sum: inout [Double]
) {
  let width = unsafe Double(lanes.width[sample])
  let height = unsafe Double(lanes.height[sample])
  let stride = unsafe lanes.heads * lanes.channels
  for (row, rowShare) in [(floor(y), 1 - (y - floor(y))), (floor(y) + 1, y - floor(y))] {
    for (column, share) in [(floor(x), 1 - (x - floor(x))), (floor(x) + 1, x - floor(x))] {
      guard row >= 0, row < height, column >= 0, column < width else { continue }
      let token = Int(row) * Int(width) + Int(column)
      let place = unsafe Int(lanes.base[sample]) + token * stride
      for channel in sum.indices {
        unsafe sum[channel] += weight * rowShare * share * Double(values[place + channel])
      }
    }
  }
}
