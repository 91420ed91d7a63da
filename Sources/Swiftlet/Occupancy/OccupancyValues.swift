/// What a window keeps of a voxel's log-odds.
public enum OccupancyValues: String, Sendable, CaseIterable {
  /// A byte in steps of about 0.04: states agree with float32 but for ties at the threshold.
  case int8
  /// Two more bytes in steps that both the hit and the miss fall on: within 0.001 of float32, and
  /// the same states.
  case int16
}

/// An occupancy model in int16 steps: 0 is even odds, -32768 unknown.
struct ShortModel {
  /// Steps of one unit of log-odds.
  let stepsPerUnit: Float
  let hit: Int16
  let miss: Int16
  let minimum: Int16
  let maximum: Int16
  let threshold: Int16

  /// Of the scales that use at least half of the range the one at which hit and miss lie closest to
  /// whole steps: what they miss is all that can add up, because clamps forget.
  ///
  /// - Parameter searches: false takes the first scale, for windows that keep bytes only.
  init(_ model: OccupancyModel, missWeight: Float = 1, searches: Bool) {
    let weighed = Double(model.miss * missWeight)
    let widest = max(
      Double(-model.minimum), Double(model.maximum), Double(model.hit), -weighed)
    let most = 32_000 / widest
    var best = (error: Double.infinity, steps: most)
    for index in 0..<(searches ? 20_000 : 1) {
      let steps = most * (1 - Double(index) / 40_000)
      let hit = Double(model.hit) * steps
      let miss = weighed * steps
      let error = max(abs(hit - hit.rounded()), abs(miss - miss.rounded())) / steps
      if error < best.error { best = (error, steps) }
    }
    let steps = best.steps
    stepsPerUnit = Float(steps)
    hit = Int16((Double(model.hit) * steps).rounded())
    miss = Int16((weighed * steps).rounded())
    minimum = Int16((Double(model.minimum) * steps).rounded())
    maximum = Int16((Double(model.maximum) * steps).rounded())
    threshold = Int16((Double(model.threshold) * steps).rounded())
  }

  func updated(_ value: Int16, isHit: Bool) -> Int16 {
    let start = value == .min ? 0 : Int(value)
    return isHit
      ? Int16(min(start + Int(hit), Int(maximum))) : Int16(max(start + Int(miss), Int(minimum)))
  }
}
