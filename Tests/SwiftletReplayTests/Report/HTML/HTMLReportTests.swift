import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

struct HTMLReportTests {
  private func result(_ milliseconds: [Int64], name: String = "drive") -> ReplayResult {
    let clock = FakeClock()
    let processor = FakeProcessor(clock: clock)
    processor.milliseconds = { $0 < milliseconds.count ? milliseconds[$0] : 1 }
    var options = ReplayOptions()
    options.loops = false
    var result = Replayer(
      source: FakeSource(frameCount: milliseconds.count), processor: processor, options: options,
      clock: clock, counters: FakeCounters(), build: .release
    ).run()
    result.recordingName = name
    return result
  }
  private func occurrences(_ part: String, in text: String) -> Int {
    text.components(separatedBy: part).count - 1
  }

  @Test("The file is whole, fetches nothing and runs nothing")
  func selfContained() {
    let text = HTMLReport(report: ReplayReport(result([4, 8, 12]))).text()
    #expect(text.hasPrefix("<!doctype html>") && text.contains("</html>"))
    for part in ["http", "<script", "@import", "url(", "<link"] { #expect(!text.contains(part)) }
    for tag in ["section", "table", "svg", "tr"] {
      #expect(occurrences("<\(tag)", in: text) == occurrences("</\(tag)>", in: text), "\(tag)")
    }
  }

  @Test("Text from a recording cannot become markup")
  func escaping() {
    var bad = result([4], name: "<img src=x onerror=alert(1)>\"'&")
    bad.warnings = [ReplayWarning(code: "c", sensor: "<b>", message: "</table><script>")]
    let text = HTMLReport(report: ReplayReport(bad)).text()
    #expect(!text.contains("<img src=x") && !text.contains("<script"))
    #expect(text.contains("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;"))
    #expect(text.contains("&lt;/table&gt;&lt;script&gt;"))
  }

  @Test("Verdict, budget line and one mark per miss are there, in short and in long runs")
  func chart() {
    for count in [5, 5000] {
      var times = [Int64](repeating: 4, count: count)
      times[2] = 30
      times[4] = 20
      let report = ReplayReport(result(times))
      let svg = LatencyChart(report: report).svg
      #expect(svg.contains("budget 10.0 ms"))
      #expect(occurrences("<circle", in: svg) == 2)
      // One area a stage: project, update, fuse; never more points than pixels ask for.
      #expect(occurrences("<polygon", in: svg) == 3)
      #expect(svg.utf8.count < 200_000)
      #expect(svg.contains("frame 2: 30.0 ms, by host"))
      #expect(HTMLReport(report: report).text().contains(report.judgement.verdict.rawValue))
    }
  }

  @Test("An empty run and a run without misses give a file too")
  func edges() {
    #expect(HTMLReport(report: ReplayReport(result([]))).text().contains("No frame was measured"))
    #expect(!LatencyChart(report: ReplayReport(result([4]))).svg.contains("<circle"))
  }

  @Test("Histogram bins hold every sample, the greatest included")
  func histogram() {
    #expect(StageHistogram.bins([1, 2, 3, 4, 5], count: 4) == [1, 1, 1, 2])
    #expect(StageHistogram.bins([7, 7], count: 3) == [2, 0, 0])
    #expect(StageHistogram.bins([], count: 3).isEmpty)
  }

  @Test("Labels of a histogram's lines never overlap and stay inside")
  func labels() {
    let names = ["p50", "p99", "budget"]
    for first in stride(from: 10.0, through: 250, by: 16) {
      for second in stride(from: 10.0, through: 250, by: 7) {
        for third in stride(from: 10.0, through: 250, by: 7) {
          let places = StageHistogram.labelPlaces(
            Array(zip(names, [first, second, third])), width: 260)
          for (index, place) in places.enumerated() {
            #expect(place.left >= 0 && place.right <= 260 && place.row <= 2)
            #expect(!places[..<index].contains { $0.overlaps(place) }, "\(first) \(second) \(third)")
          }
        }
      }
    }
  }

  @Test("The last frame's number ends inside the chart")
  func lastLabel() {
    let svg = LatencyChart(report: ReplayReport(result([Int64](repeating: 4, count: 3001)))).svg
    #expect(svg.contains("text-anchor=\"end\">3000</text>"))
    #expect(occurrences("text-anchor=\"middle\"", in: svg) == 4)
  }

  @Test("Axis ticks are round, start at 0 and number three to seven")
  func ticks() {
    for highest in [0.003, 0.9, 11.5, 13.9, 47, 1234] {
      let ticks = LatencyChart.ticks(upTo: highest)
      #expect(ticks[0] == 0 && ticks.count >= 3 && ticks.count <= 7, "\(highest): \(ticks)")
    }
  }

  @Test("A missing sensor shows as a mark as long as its gap")
  func sensors() {
    var records = result([Int64](repeating: 1, count: 100)).records
    for index in records.indices {
      records[index].sensors = [
        SensorState(name: "CAM", isValid: !(20..<30).contains(index), ageNanoseconds: 5)
      ]
    }
    let html = SensorStrips(records: records).html
    #expect(html.contains("10 of 100") && html.contains("missing in 10 frames from 20"))
    #expect(occurrences("<title>", in: html) == 1)
  }

  @Test("Pictures are embedded by their kind")
  func pictures() throws {
    let image = RGBImage(widthPixels: 4, heightPixels: 4)
    let report = HTMLReport(
      report: ReplayReport(result([4])),
      pictures: [
        HTMLReport.Picture(label: "worst map", bytes: try PNGCodec.encode(image)),
        HTMLReport.Picture(label: "worst cameras", bytes: try JPEGCodec.encode(image)),
      ])
    let text = report.text()
    #expect(text.contains("data:image/png;base64,iVBOR"))
    #expect(text.contains("data:image/jpeg;base64,/9j/"))
  }
}
