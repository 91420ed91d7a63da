/// A percentile that a report may print, by nearest rank.
///
/// A percentile is only worth printing when the sample supports it: with zero misses in n frames
/// the 95 % upper bound of the miss rate is 1 − 0.05^(1/n), so p99 takes 299 frames and p99.9 takes
/// 2,995 (frame-model, "Percentiles").
public enum Percentile: Int, CaseIterable, Sendable {
  case p50 = 500
  case p90 = 900
  case p99 = 990
  case p99_9 = 999

  /// Measured frames below which this percentile is not printed: the smallest n with
  /// (rawValue / 1000)^n ≤ 0.05.
  public var framesNeeded: Int {
    switch self {
    case .p50: 5
    case .p90: 29
    case .p99: 299
    case .p99_9: 2995
    }
  }

  /// The name people know, `p99.9`.
  public var label: String {
    switch self {
    case .p50: "p50"
    case .p90: "p90"
    case .p99: "p99"
    case .p99_9: "p99.9"
    }
  }

  /// The smallest sample with at least `rawValue` per mille of the sample at or below it; nil when
  /// there are fewer than `framesNeeded` samples.
  ///
  /// - Parameter sorted: ascending.
  public func value(ofSorted sorted: [Int64]) -> Int64? {
    guard sorted.count >= framesNeeded else { return nil }
    // Integers, because ceil(0.999 * 1000) in binary floating point is 1000 on a bad day.
    let rank = (sorted.count * rawValue + 999) / 1000
    return sorted[rank - 1]
  }
}
