import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

/// Injected faults in everything a person or a machine reads of a replay.
@Suite struct FaultReportTests {
  private func result(_ text: String) throws -> ReplayResult {
    let clock = FakeClock()
    var options = ReplayOptions()
    options.loops = false
    options.isGated = false
    options.frameLimit = 10
    var result = Replayer(
      source: FaultySource(RigSource(), plan: try FaultPlan(text, seed: 9)),
      processor: FakeProcessor(clock: clock), options: options, clock: clock,
      counters: FakeCounters(), build: .release
    ).run()
    result.injection = "\(text), seed 9"
    return result
  }

  @Test(arguments: FaultKindTests.cases)
  func `a fault stands in the table, in the JSON and in the HTML, with sensor and frame`(
    c: FaultKindTests.Case
  ) throws {
    let text = "\(c.text)#7-7"
    let report = ReplayReport(try result(text))
    let code = "injected-\(c.kind.rawValue)"
    let table = "\(ReportTable(report))"
    #expect(table.contains("injected \(text), seed 9\n"), "\(table)")
    let place = [c.sensor, "frame 7"].compactMap(\.self).joined(separator: ", ")
    // Both partners of a swap say so.
    let count = c.kind == .reorder ? 2 : 1
    #expect(table.contains("warning \(code) × \(count) (\(place)): "), "\(table)")

    let json = try JSONReader.parse(Array(report.json()))
    #expect(json["injected"]?.stringValue == "\(text), seed 9")
    let all = try #require(json["warnings"]?.arrayValue)
    let lines = all.filter { $0["code"]?.stringValue == code }
    #expect(lines.count == count && lines.first?["frame"]?.intValue == 7)
    #expect(lines.first?["sensor"]?.stringValue == c.sensor)

    let html = HTMLReport(report: report).text()
    #expect(html.contains("<td>\(code)</td>") && html.contains("\(text), seed 9"))
  }

  @Test func `without faults nothing is said of any`() throws {
    var clean = try result("drop:CAM@0")
    clean.injection = nil
    let report = ReplayReport(clean)
    #expect(!"\(ReportTable(report))".contains("injected"))
    #expect(try JSONReader.parse(Array(report.json()))["injected"] == .null)
    #expect(!HTMLReport(report: report).text().contains("injected-"))
  }
}
