import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

@Suite struct ExportTests {
  private func report(_ milliseconds: @escaping (Int) -> Int64 = { _ in 4 }, frames: Int = 300) -> ReplayReport {
    let clock = FakeClock()
    let processor = FakeProcessor(clock: clock)
    processor.milliseconds = milliseconds
    var options = ReplayOptions()
    options.loops = false
    return ReplayReport(
      Replayer(
        source: FakeSource(frameCount: frames), processor: processor, options: options,
        clock: clock, counters: FakeCounters(), build: .release
      ).run())
  }

  @Test func `percentile files have HdrHistogram's columns and total counts`() throws {
    let files = PercentileFiles(report()).files
    #expect(Set(files.keys) == ["encode.hgrm", "project.hgrm", "update.hgrm", "fuse.hgrm", "total.hgrm"])
    let lines = try #require(files["total.hgrm"]).split(separator: "\n").map(String.init)
    #expect(lines[0].split(separator: " ") == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"])
    let first = lines[1].split(separator: " ")
    // Three significant digits of 4 ms.
    #expect(abs((Double(first[0]) ?? 0) - 4) < 0.004 && first[2] == "300")
    #expect(lines.contains { $0.hasPrefix("#[Max") && $0.contains("300]") })
    #expect(PercentileFiles(report(frames: 0)).files.isEmpty)
  }

  @Test func `the trend table has one metric a row and grows by appending`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/trend.csv"
    var named = report()
    named.result.recordingName = "a, \"b\""
    let table = TrendTable(named, host: "h", time: Date(timeIntervalSince1970: 0))
    try table.append(to: path)
    try table.append(to: path)
    let lines = String(decoding: try folder.read("trend.csv"), as: UTF8.self).split(separator: "\n")
    #expect(lines[0] + "\n" == TrendTable.header)
    let columns = TrendTable.header.split(separator: ",").count
    #expect(lines.filter { $0.hasPrefix("time,") }.count == 1)
    #expect(lines[1].hasPrefix("1970-01-01T00:00:00Z,\"a, \"\"b\"\"\",h,"))
    #expect(lines.filter { $0.contains(",total.p50,4.0,ms") }.count == 2)
    let fields = lines[1].replacing("\"a, \"\"b\"\"\"", with: "x").split(
      separator: ",", omittingEmptySubsequences: false)
    #expect(fields.count == columns)
  }

  @Test func `at most ten annotations are written, and what does not fit is counted`() {
    var bad = report({ _ in 20 }, frames: 40).result
    bad.warnings = (0..<30).map { ReplayWarning(code: "code-\($0)", frame: 3, message: "50% lost\nhere") }
    let lines = GitHubReport(ReplayReport(bad)).annotations.split(separator: "\n")
    #expect(lines.count == 10)
    #expect(lines[0].hasPrefix("::error title=swiftlet%3A fake%3A budgetMissed::"))
    #expect(lines[9] == "::notice title=swiftlet%3A more::25 more findings are in report.json")
    #expect(lines.contains { $0.hasSuffix("50%25 lost%0Ahere") })
    #expect(GitHubReport(report()).annotations.isEmpty)
  }

  @Test func `the step summary is a table that names from a recording cannot break`() {
    var odd = report().result
    odd.recordingName = "a|b<script>\nc"
    let summary = GitHubReport(ReplayReport(odd)).summary
    #expect(summary.hasPrefix("## swiftlet replay: a\\|b&lt;script> c: PASS\n"))
    #expect(summary.contains("| total | 4.000 | 4.000 | 4.000 | n≥2995 | 4.000 |"))
  }

  @Test func `JUnit has a case for each limit of a budget`() throws {
    let budget = BudgetJudge(
      budget: try LatencyBudget(yaml: "version: 1\nhosts: [h]\ntotal: {p50: 1ms, p99: 9ms}\n"),
      host: "h", folder: URL(fileURLWithPath: "/"))
    let xml = JUnitReport(ReplayReport(report().result, budget: budget)).xml
    #expect(xml.contains(#"tests="6""#))
    #expect(xml.contains(#"name="tier C: total p50"><failure message="4.000 ms, limit 1.000 ms"/>"#))
    #expect(xml.contains(#"name="tier C: total p99"/>"#))
  }
}
