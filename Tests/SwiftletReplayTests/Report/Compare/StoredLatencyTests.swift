import Foundation
import SwiftletReplay
import SwiftletTestSupport
import Testing

/// `swiftlet ab`'s judge over latencies of real replays, kept by its `--out`: of one build three
/// times, and of one build beside itself with every stage lengthened by 10 %. Fixtures/README.md says
/// how they were recorded.
@Suite struct StoredLatencyTests {
  /// [side][round][frame] nanoseconds: base, head, base again.
  private struct StoredRuns: Decodable {
    var base: [[Int64]]
    var head: [[Int64]]
    var control: [[Int64]]
    var sides: [[[Int64]]] { [base, head, control] }

    enum CodingKeys: String, CodingKey {
      case base = "base_runs_ns"
      case head = "head_runs_ns"
      case control = "control_runs_ns"
    }

    init(_ name: String) throws {
      var root = URL(filePath: #filePath)
      for _ in 0..<5 { root.deleteLastPathComponent() }
      let file = root.appending(path: "Fixtures/latency/\(name).json")
      self = try JSONDecoder().decode(StoredRuns.self, from: Data(contentsOf: file))
    }
  }

  /// As many as `swiftlet ab` takes by default.
  private static let rounds = 4
  /// The whole experiment in release builds, a taste of it in debug ones.
  private static let pairs = BuildMode.current == .release ? 300 : 10

  /// Judges many comparisons of some of the stored rounds each; `mixes` lets the sides change roles.
  private func verdicts(_ name: String, mixes: Bool) throws -> (flagged: Int, refused: Int) {
    let stored = try StoredRuns(name).sides
    let count = stored[0].count
    try #require(count >= 8 && stored.allSatisfy { $0.count == count })
    var generator = SeededGenerator(seed: 1)
    var counts = (flagged: 0, refused: 0)
    for _ in 0..<Self.pairs {
      let rounds = (0..<count).shuffled(using: &generator).prefix(Self.rounds)
      let roles = mixes ? [0, 1, 2].shuffled(using: &generator) : [0, 1, 2]
      let sides = roles.map { side in rounds.map { stored[side][$0] } }
      let result = ABRunner.judge(
        base: sides[0], head: sides[1], control: sides[2], LatencyComparison())
      if !result.comparison.regressions.isEmpty { counts.flagged += 1 }
      if result.comparison.refusal != nil { counts.refused += 1 }
    }
    return counts
  }

  @Test func `of pairs of identical runs at most 1 percent are flagged`() throws {
    let counts = try verdicts("identical", mixes: true)
    print("identical: \(counts) of \(Self.pairs)")
    #expect(counts.flagged * 100 <= Self.pairs, "\(counts) of \(Self.pairs)")
    // A judge that refuses everything would flag nothing either.
    #expect(counts.refused * 20 <= Self.pairs, "\(counts) of \(Self.pairs)")
  }

  @Test func `a build that is 10 percent slower is found in at least 95 percent of pairs`() throws {
    let counts = try verdicts("slower", mixes: false)
    print("slower: \(counts) of \(Self.pairs)")
    #expect(counts.flagged * 100 >= 95 * Self.pairs, "\(counts) of \(Self.pairs)")
  }
}
