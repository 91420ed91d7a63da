import Foundation
import Swiftlet
import SwiftletReplay
import Testing

@Suite struct ReportFilesTests {
  private func result(_ milliseconds: @escaping (Int) -> Int64, frames: Int) -> ReplayResult {
    let clock = FakeClock()
    let processor = FakeProcessor(clock: clock)
    processor.milliseconds = milliseconds
    var options = ReplayOptions()
    options.loops = false
    return Replayer(
      source: FakeSource(frameCount: frames), processor: processor, options: options, clock: clock,
      counters: FakeCounters(), build: .release
    ).run()
  }

  @Test func `the trace has every stage where it ran, one after the other`() throws {
    let result = result({ $0 == 1 ? 12 : 4 }, frames: 2)
    let trace = try JSONReader.parse(Array(ChromeTrace(result).json()))
    let events = try #require(trace["traceEvents"]?.arrayValue)
    let stages = events.filter { $0["ph"]?.stringValue == "X" }
    #expect(stages.map { $0["name"]?.stringValue } == ["encode", "project", "update", "fuse", "encode", "project", "update", "fuse"])
    // Microseconds: encode 20 ms, then 2, 1, 1 ms; the second frame encodes from 24 ms on.
    #expect(stages.map { $0["ts"]?.doubleValue } == [0, 20_000, 22_000, 23_000, 24_000, 44_000, 50_000, 53_000])
    #expect(stages[5]["dur"]?.doubleValue == 6_000)
    #expect(events.last?["name"]?.stringValue == "late (host)")
  }

  @Test func `JUnit counts failures and skips and escapes what recordings may contain`() {
    var bad = result({ _ in 20 }, frames: 5)
    bad.recordingName = "a<b>&\"c\"\u{1}"
    let xml = JUnitReport(ReplayReport(bad)).xml
    #expect(xml.contains(#"name="swiftlet replay a&lt;b&gt;&amp;&quot;c&quot;""#))
    #expect(xml.contains(#"tests="4" failures="1" skipped="1""#))
    let short = JUnitReport(ReplayReport(result({ _ in 4 }, frames: 5))).xml
    #expect(short.contains(#"failures="0" skipped="2""#))
    #expect(short.contains("it takes 299 frames"))
  }
}
