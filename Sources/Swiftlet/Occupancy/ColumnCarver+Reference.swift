extension OccupancyGrid {
  /// The definition of carving by columns, one voxel run at a time: what `binRays` and
  /// `carveColumns` compute, without their lists and their tests for what can be skipped.
  func collectByColumnsReference(
    count: Int, origin: SIMD3<Float>, carver: ColumnCarver
  ) -> ScanSummary {
    carver.place(
      origin: origin, window: window, voxel: configuration.voxelSizeMeters,
      reach: configuration.maximumRangeMeters)
    var bins = [[(range: Float, slope: Float)]](repeating: [], count: ColumnCarver.binCount)
    let summary = forEachRayReference(count: count, origin: origin) { ray, last in
      if ray.isHit { mark(last, windowHits) }
      let away = ray.end - origin
      let run = (away.x * away.x + away.y * away.y).squareRoot()
      let range = run * carver.origin[3]
      if range < 0.001 { return }
      let quotient = away.y / (abs(away.x) + abs(away.y))
      let angle = away.x < 0 ? 2 - quotient : quotient
      let bin = min(Int((angle + 1) * (Float(ColumnCarver.binCount) * 0.25)), ColumnCarver.binCount - 1)
      bins[bin].append((range - 0.75, away.z / run))
    }
    for y in 0..<configuration.cellCountY {
      for x in 0..<configuration.cellCountX { carveReference(x, y, bins, carver) }
    }
    return summary
  }

  /// Looks at the bins that cross one column, spread evenly over its width.
  private func carveReference(
    _ x: Int, _ y: Int, _ bins: [[(range: Float, slope: Float)]], _ carver: ColumnCarver
  ) {
    let origin = SIMD3(carver.origin[4], carver.origin[5], carver.origin[6])
    let count = Float(ColumnCarver.binCount)
    let cx = (Float(x) + 0.5) - origin.x
    let cy = (Float(y) + 0.5) - origin.y
    let sum = max(abs(cx) + abs(cy), 0.25)
    let quotient = cy / sum
    let angle = cx < 0 ? 2 - quotient : quotient
    let center = (angle + 1) * (count * 0.25)
    let width = min(count * 0.25 / sum, count)
    let samples = min(
      sum < 4 ? 256 : carver.maximumSamples, max(1, Int(width.rounded(.up))))
    let spacing = width / Float(samples)
    var position = center - width * 0.5 + spacing * 0.5
    for _ in 0..<samples {
      var bin = Int(position.rounded(.down))
      if bin < 0 { bin += ColumnCarver.binCount }
      if bin >= ColumnCarver.binCount { bin -= ColumnCarver.binCount }
      position += spacing
      let ax = (Float(x) - origin.x) * carver.directions[4 * bin + 2]
      let bx = (Float(x) + 1 - origin.x) * carver.directions[4 * bin + 2]
      let ay = (Float(y) - origin.y) * carver.directions[4 * bin + 3]
      let by = (Float(y) + 1 - origin.y) * carver.directions[4 * bin + 3]
      let enter = max(max(min(ax, bx), min(ay, by)), 0)
      let leave = min(max(ax, bx), max(ay, by))
      for ray in bins[bin] where enter < leave && enter < ray.range {
        let from = min(max(enter * ray.slope + origin.z, -4096), 4096)
        let to = min(max(min(leave, ray.range) * ray.slope + origin.z, -4096), 4096)
        let lower = max(0, Int(min(from, to).rounded(.down)))
        let upper = min(configuration.cellCountZ - 1, Int(max(from, to).rounded(.down)))
        if lower > upper { continue }
        for z in lower...upper {
          let word = (y * configuration.cellCountX + x) * configuration.wordCount + z / 64
          windowFree[word] |= 1 << UInt64(z % 64)
        }
      }
    }
  }
}
