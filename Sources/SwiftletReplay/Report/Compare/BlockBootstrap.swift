/// Confidence intervals of a quantile's shift between two sets of runs.
///
/// Frames that follow each other are alike (the scene, the host's load), so blocks of frames are
/// drawn, not single ones; where there are several runs a side, runs are drawn first, because what
/// differs between runs of the same program is the larger part of the noise.
public struct BlockBootstrap: Sendable, Equatable {
  public var resampleCount = 400
  /// Of the interval, two-sided.
  public var confidence = 0.99
  public var seed: UInt64 = 1

  public init() {}

  /// The relative shift of `percentile` from `base` to `head`, with its interval; nil when one side
  /// has too few frames for that percentile.
  ///
  /// - Parameters: runs of nanoseconds in the order of measurement.
  public func shift(
    of percentile: Percentile, from base: [[Int64]], to head: [[Int64]]
  ) -> QuantileShift? {
    var baseSampler = RunSampler(base)
    var headSampler = RunSampler(head)
    guard let before = baseSampler.quantile(percentile),
      let after = headSampler.quantile(percentile)
    else { return nil }
    var random = FaultRandom(seed: seed, fault: 0, frame: 0, sensor: "bootstrap")
    var shifts: [Double] = []
    shifts.reserveCapacity(resampleCount)
    for _ in 0..<resampleCount {
      let a = Double(baseSampler.resampledQuantile(percentile, &random))
      let b = Double(headSampler.resampledQuantile(percentile, &random))
      shifts.append(b / a - 1)
    }
    shifts.sort()
    let tail = Int((Double(resampleCount) * (1 - confidence) / 2).rounded(.down))
    return QuantileShift(
      percentile: percentile, baseNanoseconds: before, headNanoseconds: after,
      lower: shifts[tail], upper: shifts[resampleCount - 1 - tail])
  }
}

/// How far a quantile moved.
public struct QuantileShift: Sendable, Equatable {
  public var percentile: Percentile
  public var baseNanoseconds: Int64
  public var headNanoseconds: Int64
  /// Bounds of the relative shift; 0.1 is 10 % slower.
  public var lower: Double
  public var upper: Double
  public var relative: Double { Double(headNanoseconds) / Double(max(baseNanoseconds, 1)) - 1 }
}

/// Draws blocks of frames from runs and finds quantiles by counting ranks: no sorting per draw.
private struct RunSampler {
  /// Every frame's place in the sorted values, by run.
  private let ranks: [[Int]]
  private let sorted: [Int64]
  private var counts: [Int]

  init(_ runs: [[Int64]]) {
    let runs = runs.filter { !$0.isEmpty }
    let values = runs.flatMap { $0 }
    let order = values.indices.sorted { values[$0] < values[$1] }
    var rankOf = [Int](repeating: 0, count: values.count)
    for (rank, index) in order.enumerated() { rankOf[index] = rank }
    sorted = order.map { values[$0] }
    counts = [Int](repeating: 0, count: values.count)
    var start = 0
    ranks = runs.map { run in
      defer { start += run.count }
      return Array(rankOf[start..<start + run.count])
    }
  }

  func quantile(_ percentile: Percentile) -> Int64? { percentile.value(ofSorted: sorted) }

  mutating func resampledQuantile(_ percentile: Percentile, _ random: inout FaultRandom) -> Int64 {
    for index in counts.indices { counts[index] = 0 }
    var drawn = 0
    for _ in ranks.indices {
      let run = ranks[Int(random.next() % UInt64(ranks.count))]
      drawn += drawBlocks(from: run, &random)
    }
    return value(atRank: (drawn * percentile.rawValue + 999) / 1000)
  }

  /// As many frames as the run has, in blocks of about the cube root of its length (the order that
  /// balances bias and variance of a block bootstrap), wrapping around at its end.
  private mutating func drawBlocks(from run: [Int], _ random: inout FaultRandom) -> Int {
    var length = 1
    while length * length * length < run.count { length += 1 }
    var drawn = 0
    while drawn < run.count {
      var at = Int(random.next() % UInt64(run.count))
      for _ in 0..<min(length, run.count - drawn) {
        counts[run[at]] += 1
        at = at + 1 == run.count ? 0 : at + 1
        drawn += 1
      }
    }
    return drawn
  }

  private func value(atRank rank: Int) -> Int64 {
    var passed = 0
    for index in counts.indices {
      passed += counts[index]
      if passed >= rank { return sorted[index] }
    }
    return sorted[sorted.count - 1]
  }
}
