import Foundation
import SwiftletReplay
import SwiftletTestSupport
import Testing

/// `swiftlet ab`'s judge over latencies of real replays: runs of one build taken in turns with runs
/// whose stages were lengthened by 10 %. Fixtures/README.md says how they were recorded.
@Suite struct StoredLatencyTests {
  /// What `swiftlet ab --out` keeps of its runs.
  private struct StoredRuns: Decodable {
    var plain: [[Int64]]
    var slower: [[Int64]]

    enum CodingKeys: String, CodingKey {
      case plain = "base_runs_ns"
      case slower = "head_runs_ns"
    }

    init() throws {
      var root = URL(filePath: #filePath)
      for _ in 0..<5 { root.deleteLastPathComponent() }
      let file = root.appending(path: "Fixtures/latency/ab.json")
      self = try JSONDecoder().decode(StoredRuns.self, from: Data(contentsOf: file))
    }

    /// `count` runs a side, drawn without a run on both.
    func pair(_ number: Int, count: Int, isSlower: Bool) -> (base: [[Int64]], head: [[Int64]]) {
      var generator = SeededGenerator(seed: UInt64(number + 1))
      let mixed = plain.shuffled(using: &generator)
      let head = isSlower ? slower.shuffled(using: &generator) : Array(mixed.dropFirst(count))
      return (Array(mixed.prefix(count)), Array(head.prefix(count)))
    }
  }

  /// As many as `swiftlet ab` takes by default: three rounds of two runs a side.
  private static let runsASide = 6
  /// The whole experiment in release builds, a taste of it in debug ones.
  private static let pairs = BuildMode.current == .release ? 300 : 10

  private func verdicts(isSlower: Bool) throws -> (flagged: Int, refused: Int) {
    let runs = try StoredRuns()
    #expect(runs.plain.count >= 2 * Self.runsASide && runs.slower.count >= Self.runsASide)
    var counts = (flagged: 0, refused: 0)
    for number in 0..<Self.pairs {
      let pair = runs.pair(number, count: Self.runsASide, isSlower: isSlower)
      let result = ABRunner.judge(base: pair.base, head: pair.head, LatencyComparison())
      if !result.comparison.regressions.isEmpty { counts.flagged += 1 }
      if result.comparison.refusal != nil { counts.refused += 1 }
    }
    return counts
  }

  @Test func `of pairs of identical runs at most 1 percent are flagged`() throws {
    let counts = try verdicts(isSlower: false)
    #expect(counts.flagged * 100 <= Self.pairs, "\(counts) of \(Self.pairs)")
    // A judge that refuses everything would flag nothing either.
    #expect(counts.refused * 20 <= Self.pairs, "\(counts) of \(Self.pairs)")
  }

  @Test func `a build that is 10 percent slower is found in at least 95 percent of pairs`() throws {
    let counts = try verdicts(isSlower: true)
    #expect(counts.flagged * 100 >= 95 * Self.pairs, "\(counts) of \(Self.pairs)")
  }
}
