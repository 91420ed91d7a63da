extension DeformableLayerJob {
  /// One query in float64: per active map samples around the anchors, then the mean. The weights
  /// are softmaxed already.
  func attendReference(_ query: Int) {
    let l = unsafe lanes
    let width = unsafe l.heads * l.channels
    var mean = [Double](repeating: 0, count: width)
    let activeMaps = unsafe (0..<maps).filter { unsafe active[$0 * queryCount + query] != 0 }
    for map in activeMaps {
      for head in unsafe 0..<l.heads {
        let sum = unsafe sampleReference(map, query, head)
        for channel in sum.indices { mean[unsafe head * l.channels + channel] += sum[channel] }
      }
    }
    for channel in 0..<width {
      unsafe output[query * width + channel] = Float(mean[channel] / Double(max(1, activeMaps.count)))
    }
  }

  private func sampleReference(_ map: Int, _ query: Int, _ head: Int) -> [Double] {
    let l = unsafe lanes
    let total = unsafe l.count
    let item = unsafe map * queryCount + query
    let p = unsafe projected + query * projectedStride + map * projectedMapStride
    let first = unsafe head * l.samples
    var sum = unsafe [Double](repeating: 0, count: l.channels)
    for sample in unsafe 0..<l.samples {
      let level = unsafe l.levels + sample / l.points * 4
      let anchor = unsafe Int(l.anchor[sample])
      let u = unsafe Double(references[item * 32 + anchor])
      let v = unsafe Double(references[item * 32 + 16 + anchor])
      let x = unsafe u * Double(level[2]) + Double(p[first + sample]) - 0.5
      let y = unsafe v * Double(level[1]) + Double(p[total + first + sample]) - 0.5
      let anchorShare = unsafe anchorWeights.map { unsafe Double($0[item * 16 + anchor]) } ?? 1
      let share = unsafe Double(p[2 * total + first + sample]) * anchorShare
      unsafe addSampleReference(
        values + map * valueMapStride, l, head, sample, x, y, share, &sum)
    }
    return sum
  }
}
