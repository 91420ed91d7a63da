#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// One query of `MultiScaleDeformableAttention`, sample by sample, in float64, rounded once.
@unsafe func deformableReference(
  _ values: UnsafePointer<Float>, _ lanes: LanePointers, head: Int,
  _ locations: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
  _ output: UnsafeMutablePointer<Float>
) {
  let (channels, samples) = unsafe (lanes.channels, lanes.samples)
  var sum = [Double](repeating: 0, count: channels)
  for sample in 0..<samples {
    let level = unsafe lanes.levels + sample / lanes.points * 4
    let x = unsafe Double(locations[2 * sample]) * Double(level[2]) - 0.5
    let y = unsafe Double(locations[2 * sample + 1]) * Double(level[1]) - 0.5
    unsafe addSampleReference(values, lanes, head, sample, x, y, Double(weights[sample]), &sum)
  }
  for channel in 0..<channels { unsafe output[channel] = Float(sum[channel]) }
}

/// Adds `weight` times the bilinear sample at pixel (x, y) of the sample's level and `head`.
@unsafe func addSampleReference(
  _ values: UnsafePointer<Float>, _ lanes: LanePointers, _ head: Int, _ sample: Int, _ x: Double,
  _ y: Double, _ weight: Double, _ sum: inout [Double]
) {
  let level = unsafe lanes.levels + sample / lanes.points * 4
  let (first, height, width) = unsafe (Int(level[0]), Double(level[1]), Double(level[2]))
  let stride = unsafe lanes.heads * lanes.channels
  for (row, rowShare) in [(floor(y), 1 - (y - floor(y))), (floor(y) + 1, y - floor(y))] {
    for (column, share) in [(floor(x), 1 - (x - floor(x))), (floor(x) + 1, x - floor(x))] {
      guard row >= 0, row < height, column >= 0, column < width else { continue }
      let token = first + Int(row) * Int(width) + Int(column)
      let place = unsafe token * stride + head * lanes.channels
      for channel in sum.indices {
        unsafe sum[channel] += weight * rowShare * share * Double(values[place + channel])
      }
    }
  }
}
