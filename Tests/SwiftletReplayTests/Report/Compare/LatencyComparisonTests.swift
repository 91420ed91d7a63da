import Foundation
import SwiftletReplay
import SwiftletTestSupport
import Testing

/// Latencies as replays have them: a run's own level (±1 %), frames that resemble their
/// neighbours (±2 %), and rare long ones.
private func samples(seed: UInt64, scale: Double = 1, count: Int = 600) -> [Int64] {
  var generator = SeededGenerator(seed: seed)
  func normal() -> Double {
    (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &generator) }
  }
  let level = 6e6 * scale * (1 + 0.01 * normal())
  var drift = 0.0
  return (0..<count).map { _ in
    drift = 0.9 * drift + 0.02 * normal() * 0.436
    let spike = Double.random(in: 0..<1, using: &generator) < 0.005 ? 1.4 : 1
    return Int64(level * (1 + drift) * spike)
  }
}

@Suite struct LatencyComparisonTests {
  /// The whole experiment in release builds, a taste of it in debug ones.
  static let pairs = BuildMode.current == .release ? 300 : 20

  @Test func `identical builds are flagged in at most 1 percent of pairs`() {
    let comparison = LatencyComparison()
    let flagged = (0..<Self.pairs).count { pair in
      let base = samples(seed: UInt64(2 * pair + 1))
      let head = samples(seed: UInt64(2 * pair + 2))
      return !comparison.judge(base: [base], head: [head]).regressions.isEmpty
    }
    #expect(flagged * 100 <= Self.pairs, "\(flagged) of \(Self.pairs)")
  }

  @Test func `a slow-down of 10 percent is found in at least 95 percent of pairs`() {
    let comparison = LatencyComparison()
    let found = (0..<Self.pairs).count { pair in
      let base = samples(seed: UInt64(2 * pair + 10_001))
      let head = samples(seed: UInt64(2 * pair + 10_002), scale: 1.1)
      return !comparison.judge(base: [base], head: [head]).regressions.isEmpty
    }
    #expect(found * 100 >= 95 * Self.pairs, "\(found) of \(Self.pairs)")
  }

  @Test func `a speed-up is no regression`() {
    let result = LatencyComparison().judge(
      base: [samples(seed: 1)], head: [samples(seed: 2, scale: 0.8)])
    #expect(result.regressions.isEmpty)
    #expect(result.shifts[0].upper < -0.1)
  }

  @Test func `a shift below the absolute floor is no regression`() {
    let base = samples(seed: 1).map { $0 / 1000 }
    let head = samples(seed: 2, scale: 1.5).map { $0 / 1000 }
    // 3 µs of 6 µs: half as much again, but below 50 µs.
    #expect(LatencyComparison().judge(base: [base], head: [head]).regressions.isEmpty)
  }

  @Test func `a base that differs from itself by more than the tolerance gives no verdict`() {
    let base = [samples(seed: 1)]
    let result = LatencyComparison().judge(
      base: base, head: [samples(seed: 2, scale: 2)], control: [samples(seed: 3, scale: 1.2)])
    #expect(result.regressions.isEmpty)
    #expect(result.refusal?.contains("the base differs from itself by") == true)
  }

  @Test func `frames without partners give no verdict and say how many there were`() {
    let result = LatencyComparison().judge(
      base: [samples(seed: 1)], head: [samples(seed: 2, scale: 2, count: 599)],
      control: [samples(seed: 3)])
    #expect(result.regressions.isEmpty)
    #expect(result.refusal?.contains("[600], [599] and [600]") == true)
  }

  /// Three sides of runs whose frames were measured one after the other on a host that drifts by half
  /// within a run: one by one the samples say nothing.
  private func turns(seed: UInt64, headScale: Double) -> [[[Int64]]] {
    let runs = (0..<3).map { run in
      (0..<3).map { side in
        let scale = side == 1 ? headScale : 1
        return samples(seed: 100 * seed + UInt64(10 * run + side), scale: scale, count: 100)
          .enumerated().map { index, value in
            Int64(Double(value) * (1.25 + 0.25 * (Double(index) / 9 + Double(run)).sineLike))
          }
      }
    }
    return (0..<3).map { side in runs.map { $0[side] } }
  }

  @Test func `in turns a drifting host hides neither identity nor 10 percent`() {
    let comparison = LatencyComparison()
    var flagged = 0
    var found = 0
    for pair in 0..<Self.pairs {
      let same = turns(seed: UInt64(pair + 1), headScale: 1)
      let slower = turns(seed: UInt64(pair + 5001), headScale: 1.1)
      let result = comparison.judge(base: same[0], head: same[1], control: same[2])
      if !result.regressions.isEmpty || result.refusal != nil { flagged += 1 }
      let other = comparison.judge(base: slower[0], head: slower[1], control: slower[2])
      if !other.regressions.isEmpty { found += 1 }
    }
    #expect(flagged * 100 <= Self.pairs, "\(flagged) of \(Self.pairs)")
    #expect(found * 100 >= 95 * Self.pairs, "\(found) of \(Self.pairs)")
  }

  @Test func `partners are compared with each other`() throws {
    // Every head frame takes a tenth longer than its partner; the levels differ tenfold.
    let base: [[Int64]] = [(0..<100).map { 1_000_000 * ($0 < 50 ? 1 : 10) + Int64($0) }]
    let head = base.map { $0.map { $0 + $0 / 10 } }
    let shift = try #require(BlockBootstrap().pairedShift(of: .p50, from: base, to: head))
    #expect(abs(shift.relative - 0.1) < 1e-5 && abs(shift.lower - 0.1) < 1e-5)
    #expect(shift.upper < 0.1001 && shift.baseNanoseconds == base[0][49])
    #expect(BlockBootstrap().pairedShift(of: .p50, from: base, to: [[1, 2]]) == nil)
  }

  @Test func `the shift of constant samples is exact`() throws {
    let shift = try #require(
      BlockBootstrap().shift(
        of: .p50, from: [Array(repeating: 100, count: 50)], to: [Array(repeating: 110, count: 50)]))
    #expect(abs(shift.lower - 0.1) < 1e-12 && abs(shift.upper - 0.1) < 1e-12)
    #expect(BlockBootstrap().shift(of: .p99, from: [[1, 2]], to: [[1, 2]]) == nil)
  }
}

extension Double {
  /// Between -1 and 1, with period 4, without libm.
  fileprivate var sineLike: Double {
    let phase = truncatingRemainder(dividingBy: 4)
    return abs(phase - 2) - 1
  }
}
