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
  /// - Parameters:
  ///   - percentile: the quantile to follow.
  ///   - base: runs of nanoseconds in the order of measurement.
  ///   - head: the other side's.
  public func shift(
    of percentile: Percentile, from base: [[Int64]], to head: [[Int64]]
  ) -> QuantileShift? {
    let samplers = (RunSampler(base), RunSampler(head))
    return shift(of: percentile, samplers) { random in
      (samplers.0.drawBlocks(&random), samplers.1.drawBlocks(&random))
    }
  }

  /// The same where frame by frame both sides were measured one right after the other: what the host
  /// did to both cancels. The median is that of the ratios of such pairs; of other percentiles both
  /// sides are drawn from the same places. Nil too where the sides are not of the same shape.
  ///
  /// - Parameters:
  ///   - percentile: the quantile to follow.
  ///   - base: runs of nanoseconds in the order of measurement.
  ///   - head: run by run and frame by frame the partners of `base`.
  public func pairedShift(
    of percentile: Percentile, from base: [[Int64]], to head: [[Int64]]
  ) -> QuantileShift? {
    guard base.map(\.count) == head.map(\.count) else { return nil }
    guard percentile == .p50 else {
      let samplers = (RunSampler(base), RunSampler(head))
      return shift(of: percentile, samplers) { random in
        let blocks = samplers.0.drawBlocks(&random)
        return (blocks, blocks)
      }
    }
    let unit = 1e9
    let ratios = zip(base, head).map { before, after in
      zip(before, after).map { Int64((Double($1) / Double(max($0, 1)) * unit).rounded()) }
    }
    let samplers = (RunSampler(base.map { $0.map { _ in Int64(unit) } }), RunSampler(ratios))
    var shift = shift(of: percentile, samplers) { random in
      let blocks = samplers.1.drawBlocks(&random)
      return (blocks, blocks)
    }
    // The medians themselves, for people to read.
    if let a = RunSampler(base).quantile(percentile), let b = RunSampler(head).quantile(percentile) {
      shift?.baseNanoseconds = a
      shift?.headNanoseconds = b
    }
    return shift
  }

  private func shift(
    of percentile: Percentile, _ pair: (RunSampler, RunSampler),
    _ draw: (inout FaultRandom) -> ([RunSampler.Block], [RunSampler.Block])
  ) -> QuantileShift? {
    var samplers = pair
    guard let before = samplers.0.quantile(percentile), let after = samplers.1.quantile(percentile)
    else { return nil }
    var random = FaultRandom(seed: seed, fault: 0, frame: 0, sensor: "bootstrap")
    var shifts: [Double] = []
    shifts.reserveCapacity(resampleCount)
    for _ in 0..<resampleCount {
      let blocks = draw(&random)
      let a = Double(samplers.0.quantile(percentile, of: blocks.0))
      let b = Double(samplers.1.quantile(percentile, of: blocks.1))
      shifts.append(b / a - 1)
    }
    shifts.sort()
    let tail = Int((Double(resampleCount) * (1 - confidence) / 2).rounded(.down))
    return QuantileShift(
      percentile: percentile, baseNanoseconds: before, headNanoseconds: after,
      relative: Double(after) / Double(max(before, 1)) - 1, lower: shifts[tail],
      upper: shifts[resampleCount - 1 - tail])
  }
}

/// How far a quantile moved.
public struct QuantileShift: Sendable, Equatable {
  public var percentile: Percentile
  public var baseNanoseconds: Int64
  public var headNanoseconds: Int64
  /// The relative shift and its bounds; 0.1 is 10 % slower.
  public var relative: Double
  public var lower: Double
  public var upper: Double
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

  /// Frames of one run that follow each other, wrapping around at its end.
  struct Block {
    var run: Int
    var first: Int
    var count: Int
  }

  /// As many runs as there are, each in blocks of about the cube root of its length (the order that
  /// balances bias and variance of a block bootstrap).
  func drawBlocks(_ random: inout FaultRandom) -> [Block] {
    var blocks: [Block] = []
    for _ in ranks.indices {
      let run = Int(random.next() % UInt64(ranks.count))
      let frames = ranks[run].count
      var length = 1
      while length * length * length < frames { length += 1 }
      var drawn = 0
      while drawn < frames {
        let count = min(length, frames - drawn)
        blocks.append(Block(run: run, first: Int(random.next() % UInt64(frames)), count: count))
        drawn += count
      }
    }
    return blocks
  }

  mutating func quantile(_ percentile: Percentile, of blocks: [Block]) -> Int64 {
    for index in counts.indices { counts[index] = 0 }
    var drawn = 0
    for block in blocks {
      let run = ranks[block.run]
      for step in 0..<block.count { counts[run[(block.first + step) % run.count]] += 1 }
      drawn += block.count
    }
    return value(atRank: (drawn * percentile.rawValue + 999) / 1000)
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
