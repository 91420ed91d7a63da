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

  /// The noise band of runs of one and the same build, split into two interleaved halves: the
  /// larger end of the p50 shift's interval.
  public func measuredNoiseBand(_ runs: [[Int64]]) -> Double {
    let halves = (0..<2).map { half in
      runs.enumerated().filter { $0.offset % 2 == half }.map(\.element)
    }
    guard let shift = bootstrap.shift(of: .p50, from: halves[0], to: halves[1]) else {
      return .infinity
    }
    return abs(shift.relative)
  }

  private func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10) %" }
}
