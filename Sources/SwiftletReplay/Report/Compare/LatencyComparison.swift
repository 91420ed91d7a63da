/// Whether one build is slower than another, judged so that identical builds are not flagged.
public struct LatencyComparison: Sendable {
  /// A shift up to this share is accepted.
  public var tolerance = 0.05
  /// A shift up to this many nanoseconds is accepted, whatever its share.
  public var floorNanoseconds: Int64 = 50_000
  /// The shift that a comparison of a build with itself showed on this host; 0 when unknown.
  public var noiseBand = 0.0
  public var bootstrap = BlockBootstrap()

  public init() {}

  public struct Result: Sendable, Equatable {
    public var shifts: [QuantileShift]
    public var regressions: [QuantileShift]
    /// Why nothing can be said; nil when something can.
    public var refusal: String?

    init(shifts: [QuantileShift], regressions: [QuantileShift], refusal: String? = nil) {
      self.shifts = shifts
      self.regressions = regressions
      self.refusal = refusal
    }
  }

  /// Compares runs (nanoseconds in order of measurement) of `base` and `head`.
  ///
  /// A regression is a p50 or p99 whose whole bootstrap interval lies above the tolerance, above
  /// the floor and above the noise band. A noise band wider than the tolerance refuses to judge.
  public func judge(base: [[Int64]], head: [[Int64]]) -> Result {
    let shifts = [Percentile.p50, .p99].compactMap {
      bootstrap.shift(of: $0, from: base, to: head)
    }
    var result = Result(shifts: shifts, regressions: [], refusal: nil)
    if shifts.isEmpty {
      result.refusal = "fewer than \(Percentile.p50.framesNeeded) frames on one side"
    } else if noiseBand > tolerance {
      result.refusal =
        "this host shifts by \(percent(noiseBand)) between identical builds, more than the "
        + "tolerance of \(percent(tolerance))"
    } else {
      result.regressions = shifts.filter(isRegression)
    }
    return result
  }

  private func isRegression(_ shift: QuantileShift) -> Bool {
    shift.lower > tolerance && shift.lower > noiseBand
      && shift.lower * Double(shift.baseNanoseconds) > Double(floorNanoseconds)
  }

  /// The noise band of runs of one and the same build: the largest p50 shift between two halves of
  /// them, over every way to split them evenly (64 of them where there are more). Infinite for fewer
  /// than two runs: nothing is known then.
  public func measuredNoiseBand(_ runs: [[Int64]]) -> Double {
    guard runs.count >= 2 else { return .infinity }
    var largest = 0.0
    for split in Self.evenSplits(of: runs.count) {
      let sides = [true, false].map { side in
        runs.indices.filter { split[$0] == side }.flatMap { runs[$0] }.sorted()
      }
      guard let a = Percentile.p50.value(ofSorted: sides[0]),
        let b = Percentile.p50.value(ofSorted: sides[1])
      else { return .infinity }
      largest = max(largest, abs(Double(b) / Double(max(a, 1)) - 1))
    }
    return largest
  }

  /// Ways to put `count` runs on two sides of equal size (one may have one more), at most 64.
  static func evenSplits(of count: Int) -> [[Bool]] {
    var splits: [[Bool]] = []
    func extend(_ split: [Bool], _ left: Int) {
      guard splits.count < 64 else { return }
      guard split.count < count else {
        if left == 0 { splits.append(split) }
        return
      }
      // The first run's side is fixed: the mirror image is the same split.
      if left > 0 { extend(split + [true], left - 1) }
      if !split.isEmpty, count - split.count > left { extend(split + [false], left) }
    }
    extend([], (count + 1) / 2)
    return splits
  }

  private func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10) %" }
}
