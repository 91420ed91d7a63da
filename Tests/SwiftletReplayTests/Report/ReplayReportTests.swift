import Foundation
import Swiftlet
import SwiftletReplay
import Testing

@Suite struct ReplayReportTests {
  private func result(_ milliseconds: [Int64], build: BuildMode = .release) -> ReplayResult {
    let clock = FakeClock()
    let processor = FakeProcessor(clock: clock)
    processor.milliseconds = { $0 < milliseconds.count ? milliseconds[$0] : 1 }
    var options = ReplayOptions()
    options.loops = false
    return Replayer(
      source: FakeSource(frameCount: milliseconds.count), processor: processor, options: options,
      clock: clock, counters: FakeCounters(), build: build
    ).run()
  }

  private func json(_ report: ReplayReport) throws -> JSONValue {
    try JSONReader.parse(Array(report.json()))
  }

  @Test func `report json holds every promised field`() throws {
    let value = try json(ReplayReport(result([4, 8, 4, 8, 12])))
    let fields = [
      "schema_version", "recording", "frames", "measured_frames", "warmup_frames", "engine", "isa",
      "threads", "build", "encoder", "weights", "config_hash", "budget_ms", "verdict", "exit_code",
      "misses", "miss_rate_upper_95", "longest_miss_run", "digest", "allocations_after_warmup",
      "steal_ms", "stages", "warnings",
    ]
    let object = try #require(value.objectValue)
    #expect(fields.allSatisfy { object[$0] != nil })
    #expect(value["frames"]?.intValue == 5)
    #expect(value["misses"]?.intValue == 1)
    #expect(value["verdict"]?.stringValue == "fail")
    #expect(value["exit_code"]?.intValue == 2)
    #expect(value["budget_ms"]?.doubleValue == 10)
    #expect(value["allocations_after_warmup"] == .null)
  }

  @Test func `stages end with the total, and unsupported percentiles are null with their need`()
    throws
  {
    let value = try json(ReplayReport(result([4, 8, 4, 8, 12])))
    let stages = try #require(value["stages"]?.arrayValue)
    #expect(stages.map { $0["name"]?.stringValue } == ["encode", "project", "update", "fuse", "total"])
    #expect(stages.map { $0["in_budget"]?.boolValue } == [false, true, true, true, true])
    let total = try #require(stages.last)
    // Sorted 4 4 8 8 12: the third of five.
    #expect(total["p50_ms"]?.doubleValue == 8)
    #expect(total["p90_ms"] == .null)
    #expect(total["p99_9_ms"] == .null)
    #expect(total["max_ms"]?.doubleValue == 12)
    #expect(total["frames_needed"]?["p99.9"]?.intValue == 2995)
    #expect(total["frames_needed"]?["p50"] == nil)
  }

  @Test func `all statuses that apply are listed, worst first`() throws {
    var result = result([20, 20, 20])
    result.warnings = [ReplayWarning(code: ReplayWarning.fileMissing, frame: 1, message: "gone")]
    result.faults = [.recordingDamaged]
    let value = try json(ReplayReport(result))
    #expect(value["exit_code"]?.intValue == 4)
    #expect(value["exit_codes"]?.arrayValue?.map(\.intValue) == [4, 2])
    let warning = try #require(value["warnings"]?.arrayValue?.first)
    #expect(warning["code"]?.stringValue == "file-missing")
    #expect(warning["sensor"] == .null)
  }

  @Test func `the folder gets a line per frame that adds up`() throws {
    let path = NSTemporaryDirectory() + "swiftlet-report-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try ReportFolder(path: path).write(ReplayReport(result([4, 8, 12])))
    let text = try String(contentsOfFile: path + "/frames.jsonl", encoding: .utf8)
    let lines = try text.split(separator: "\n").map { try JSONReader.parse(Array($0.utf8)) }
    #expect(lines.map { $0["service_ms"]?.doubleValue } == [4, 8, 12])
    #expect(lines.map { $0["missed"]?.boolValue } == [false, false, true])
    #expect(lines[2]["stages_ms"]?["project"]?.doubleValue == 6)
    #expect(lines[0]["digest"]?.stringValue?.count == 16)
    #expect(FileManager.default.fileExists(atPath: path + "/report.json"))
  }

  @Test func `the table says what decided`() {
    let failed = "\(ReportTable(ReplayReport(result([4, 20, 20, 20]))))"
    #expect(failed.contains("FAIL: "))
    #expect(failed.contains("3 misses follow each other, more than 2"))
    #expect(failed.contains("n≥2995"))
    let short = "\(ReportTable(ReplayReport(result([4, 4]))))"
    #expect(short.contains("INCONCLUSIVE: "))
    #expect(short.contains("it takes 299 frames"))
    let debug = "\(ReportTable(ReplayReport(result([4, 4], build: .debug))))"
    #expect(debug.contains("a debug build is never judged"))
  }
}
