import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

@Suite struct LatencyBudgetTests {
  static let whole = """
    version: 1
    hosts: [bench-*, orin]
    total: {p50: 8ms, p99: 10ms, max: 20ms}
    stages:
      project: {p99: 3ms}
    misses: {budget: 9ms, rate: 2%, consecutive: 1, at_most: {misses: 1, in: 20}}
    deterministic:
      digest: 6cf0bcded8188095
      allocations: 0
      page_faults: 0
      instructions_per_frame: 181000000
      instruction_tolerance: 0.5%
    relative: {baseline: results/main, tolerance: 5%}
    """

  @Test func `every field of a budget is read`() throws {
    let budget = try LatencyBudget(yaml: Self.whole)
    #expect(budget.hosts == ["bench-*", "orin"])
    #expect(budget.total?.percentiles == [.p50: 8_000_000, .p99: 10_000_000])
    #expect(budget.total?.maximum == 20_000_000)
    #expect(budget.stages["project"]?.percentiles == [.p99: 3_000_000])
    #expect(budget.misses?.budgetNanoseconds == 9_000_000)
    #expect(budget.misses?.rate == 0.02)
    #expect(budget.misses?.consecutive == 1)
    #expect(budget.misses?.window == LatencyBudget.MissWindow(misses: 1, frames: 20))
    #expect(budget.deterministic?.digest == "6cf0bcded8188095")
    #expect(budget.deterministic?.instructionsPerFrame == 181_000_000)
    #expect(budget.deterministic?.instructionTolerance == 0.005)
    #expect(budget.relative?.baseline == "results/main" && budget.relative?.tolerance == 0.05)
  }

  @Test(arguments: [
    ("", "empty"), ("version: 2\n", "version: 1"), ("version: 1\ntotals: {p50: 1ms}\n", "totals"),
    ("version: 1\ntotal: {p50: soon}\n", "line 2"), ("version: 1\ntotal: {p95: 1ms}\n", "p95"),
    ("version: 1\nmisses: {rate: 200%}\n", "200%"), ("version: 1\nstages: [a]\n", "a mapping"),
    ("version: 1\nmisses: {at_most: {misses: 1}}\n", "misses: 1, in: 20"), ("a: [\n", "YAML"),
  ])
  func `a wrong budget says where and what was expected`(yaml: String, part: String) {
    #expect { try LatencyBudget(yaml: yaml) } throws: { error in "\(error)".contains(part) }
  }
}

@Suite struct BudgetJudgeTests {
  private func result(
    _ milliseconds: @escaping (Int) -> Int64 = { _ in 4 }, frames: Int = 400,
    build: BuildMode = .release
  ) -> ReplayResult {
    let clock = FakeClock()
    let processor = FakeProcessor(clock: clock)
    processor.milliseconds = milliseconds
    var options = ReplayOptions()
    options.loops = false
    var result = Replayer(
      source: FakeSource(frameCount: frames), processor: processor, options: options, clock: clock,
      counters: FakeCounters(), build: build
    ).run()
    for index in result.records.indices { result.records[index].allocations = 0 }
    return result
  }

  private func report(
    _ yaml: String, _ result: ReplayResult, host: String = "bench-7", folder: String = "/tmp"
  ) throws -> ReplayReport {
    ReplayReport(
      result,
      budget: BudgetJudge(
        budget: try LatencyBudget(yaml: "version: 1\n" + yaml), host: host,
        folder: URL(fileURLWithPath: folder)))
  }

  @Test func `absolute limits gate on the hosts they name`() throws {
    let yaml = "hosts: [bench-*]\ntotal: {p50: 5ms, max: 5ms}\nstages: {project: {p99: 1ms}}\n"
    let named = try report(yaml, result())
    #expect(named.budgetChecks.map(\.name) == ["total p50", "total max", "project p99"])
    #expect(named.budgetChecks.map(\.outcome) == [.pass, .pass, .fail])
    #expect(named.exitStatuses == [.budgetMissed])
    #expect(named.judgement.reasons == ["project p99 is 2.000 ms, limit 1.000 ms"])
  }

  @Test func `absolute limits are inconclusive elsewhere, kept or not`() throws {
    for limit in ["5ms", "1ms"] {
      let other = try report("hosts: [bench-*]\ntotal: {p50: \(limit)}\n", result(), host: "laptop")
      #expect(other.budgetChecks.map(\.outcome) == [.inconclusive])
      #expect(other.exitStatuses == [.inconclusive])
      #expect(other.judgement.reasons == ["this host is laptop; the absolute limits gate on bench-*"])
    }
  }

  @Test func `a percentile without enough frames is inconclusive and says how many it takes`() throws {
    let short = try report("hosts: ['*']\ntotal: {p99: 10ms}\n", result(frames: 50))
    #expect(short.budgetChecks.first?.outcome == .inconclusive)
    #expect(short.budgetChecks.first?.reason == "it takes 299 frames")
  }

  @Test func `deterministic limits gate on every host`() throws {
    let run = result()
    let digest = OutputDigest.text(try #require(run.digest))
    let good = try report("deterministic: {digest: \(digest), allocations: 0, page_faults: 0}\n", run)
    #expect(good.exitStatuses == [.pass])
    var leaky = run
    leaky.records[3].allocations = 2
    let allocating = try report("deterministic: {allocations: 0}\n", leaky, host: "laptop")
    #expect(allocating.exitStatuses == [.budgetMissed])
    var other = run
    other.digest = 1
    let wrong = try report("deterministic: {digest: \(digest)}\n", other, host: "laptop")
    #expect(wrong.exitStatuses == [.outputMismatch])
  }

  @Test func `a debug build is never judged by milliseconds`() throws {
    let debug = try report("hosts: ['*']\ntotal: {p50: 5ms}\n", result(build: .debug))
    #expect(debug.exitStatuses == [.inconclusive])
    #expect(debug.judgement.reasons[0].contains("debug build"))
  }

  @Test func `a stored run is the relative baseline; a missing one is exit 5`() throws {
    let folder = try TemporaryFolder()
    try ReportFolder(path: folder.path + "/main").write(ReplayReport(result()))
    let yaml = "relative: {baseline: main, tolerance: 5%}\n"
    let same = try report(yaml, result(), folder: folder.path)
    #expect(same.budgetChecks.allSatisfy { $0.outcome == .pass } && same.budgetChecks.count == 2)
    let slower = try report(yaml, result({ _ in 5 }), folder: folder.path)
    #expect(slower.exitStatuses == [.budgetMissed])
    var other = result()
    other.processor.threadCount = 2
    let unlike = try report(yaml, other, folder: folder.path)
    #expect(unlike.exitStatuses == [.inconclusive])
    #expect(unlike.judgement.reasons[0].contains("threads differs: 1 and 2"))
    let missing = try report("relative: {baseline: nowhere}\n", result(), folder: folder.path)
    #expect(missing.exitStatuses == [.baselineMissing])
  }

  @Test func `two misses in a window of twenty break a rule of one, twenty-one apart they do not`() {
    var rule = VerdictRule(missRate: 0.5, maximumConsecutiveMisses: 2)
    rule.window = LatencyBudget.MissWindow(misses: 1, frames: 20)
    for (distance, verdict) in [(19, Verdict.fail), (20, .pass)] {
      var run = result({ $0 == 100 || $0 == 100 + distance ? 30 : 4 })
      run.options.rule = rule
      #expect(run.worstMissWindow(of: 20) == (verdict == .fail ? 2 : 1))
      #expect(ReplayReport(run).judgement.verdict == verdict)
    }
  }
}
