/// One row of the verdict table: a stage's times over all measured frames.
public struct StageSummary: Sendable, Equatable, Encodable {
  public var name: String
  public var isInBudget: Bool
  /// By `Percentile`; absent where the sample is too small.
  public var percentileNanoseconds: [Percentile: Int64]
  public var maximumNanoseconds: Int64?
  public var sampleCount: Int

  /// - Parameter samples: nanoseconds, in any order.
  public init(name: String, isInBudget: Bool, samples: [Int64]) {
    let sorted = samples.sorted()
    self.name = name
    self.isInBudget = isInBudget
    sampleCount = sorted.count
    maximumNanoseconds = sorted.last
    percentileNanoseconds = [:]
    for percentile in Percentile.allCases {
      percentileNanoseconds[percentile] = percentile.value(ofSorted: sorted)
    }
  }

  enum CodingKeys: String, CodingKey {
    case name
    case isInBudget = "in_budget"
    case p50 = "p50_ms"
    case p90 = "p90_ms"
    case p99 = "p99_ms"
    case p99_9 = "p99_9_ms"
    case maximum = "max_ms"
    case framesNeeded = "frames_needed"
  }

  /// A percentile the sample does not support is null, and `frames_needed` says what it would take.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(isInBudget, forKey: .isInBudget)
    let keys: [(Percentile, CodingKeys)] = [
      (.p50, .p50), (.p90, .p90), (.p99, .p99), (.p99_9, .p99_9),
    ]
    var needed: [String: Int] = [:]
    for (percentile, key) in keys {
      let value = percentileNanoseconds[percentile]
      try container.encode(value.map(milliseconds), forKey: key)
      if value == nil { needed[percentile.label] = percentile.framesNeeded }
    }
    try container.encode(maximumNanoseconds.map(milliseconds), forKey: .maximum)
    try container.encode(needed, forKey: .framesNeeded)
  }
}

/// Milliseconds with the nanoseconds kept: what JSON and tables print.
func milliseconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds) / 1e6 }
