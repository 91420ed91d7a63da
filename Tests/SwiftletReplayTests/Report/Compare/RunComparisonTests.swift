import Foundation
import Swiftlet
import SwiftletReplay
import Testing

@Suite struct RunComparisonTests {
  private func folder(
    _ milliseconds: Int64 = 4, frames: Int = 40, change: (inout ReplayResult) -> Void = { _ in }
  ) throws -> RunFolder {
    let clock = FakeClock()
    let processor = FakeProcessor(clock: clock)
    processor.milliseconds = { _ in milliseconds }
    var options = ReplayOptions()
    options.loops = false
    var result = Replayer(
      source: FakeSource(frameCount: frames), processor: processor, options: options, clock: clock,
      counters: FakeCounters(), build: .release
    ).run()
    change(&result)
    let path = NSTemporaryDirectory() + "swiftlet-compare-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try ReportFolder(path: path).write(ReplayReport(result))
    return try RunFolder(path: path)
  }

  @Test func `two equal runs are equal`() throws {
    let result = RunComparison().compare(try folder(), try folder())
    #expect(result.differences.isEmpty)
    #expect(result.exitStatuses == [.pass])
  }

  @Test func `a differing output names the frame and both digests`() throws {
    let head = try folder { $0.records[7].digest = 5 }
    let result = RunComparison().compare(try folder(), head)
    #expect(result.differences.count == 1)
    #expect(result.differences[0].hasPrefix("frame 7: outputs differ, digest "))
    #expect(result.differences[0].hasSuffix("and 0000000000000005"))
    #expect(result.exitStatuses == [.outputMismatch])
  }

  @Test func `a lost sensor names frame, sensor and both values`() throws {
    let camera = SensorState(name: "CAM_FRONT", isValid: true, ageNanoseconds: 0)
    let base = try folder { $0.records[3].sensors = [camera] }
    let head = try folder {
      $0.records[3].sensors = [camera]
      $0.records[3].sensors[0].isValid = false
    }
    let result = RunComparison().compare(base, head)
    #expect(result.differences == ["frame 3, CAM_FRONT: valid true and false"])
  }

  @Test func `slower is found, other settings are not compared`() throws {
    let slower = RunComparison().compare(try folder(4), try folder(5))
    #expect(slower.exitStatuses == [.budgetMissed])
    let other = RunComparison().compare(
      try folder(4), try folder(5) { $0.processor.threadCount = 2 })
    #expect(other.exitStatuses == [.inconclusive])
    #expect(other.latency.refusal == "threads differs: 1 and 2: times are not compared")
  }

  @Test func `a missing folder is an error that says what to do`() {
    #expect { try RunFolder(path: "/nonexistent") } throws: { error in
      "\(error)".contains("replay with --out /nonexistent first")
    }
  }
}
