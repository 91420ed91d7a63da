import Foundation
import Swiftlet
import SwiftletReplay
import Testing

@Suite struct DeadlinePolicyTests {
  /// Frame 3 takes 24 ms (project 12, update 6, fuse 6), frame 5 takes 16 (8, 4, 4), others 4.
  private func run(
    _ policy: DeadlinePolicy, decisions: DecisionLog? = nil, slow: Bool = true
  ) -> (ReplayResult, FakeProcessor) {
    let clock = FakeClock()
    let processor = FakeProcessor(clock: clock)
    processor.milliseconds = { slow ? [3: 24, 5: 16][$0] ?? 4 : 4 }
    var options = ReplayOptions()
    options.loops = false
    options.onDeadline = policy
    options.decisions = decisions
    let replayer = Replayer(
      source: FakeSource(frameCount: 8), processor: processor, options: options, clock: clock,
      counters: FakeCounters(), build: .release)
    return (replayer.run(), processor)
  }

  @Test func `finish runs every stage however late`() {
    let (result, _) = run(.finish)
    #expect(result.records.map(\.completedStageCount) == Array(repeating: 4, count: 8))
    #expect(result.cutFrameCount == 0)
    #expect(result.digest != nil)
  }

  @Test func `skip-fusion leaves out the last stage once the budget is used up before it`() {
    let (result, _) = run(.skipFusion)
    #expect(result.records.map(\.completedStageCount) == [4, 4, 4, 3, 4, 3, 4, 4])
    #expect(result.digest == nil)
  }

  @Test func `reuse-last leaves out everything after the stage that used up the budget`() {
    let (result, _) = run(.reuseLast)
    #expect(result.records[3].completedStageCount == 2)
    #expect(result.records[3].serviceNanoseconds == 12_000_000)
    #expect(result.records[3].stageNanoseconds == [20_000_000, 12_000_000, 0, 0])
  }

  @Test func `a run from another's decisions does the same work although it is in time`() throws {
    let (first, _) = run(.reuseLast)
    let log = try DecisionLog(data: DecisionLog(first).serialized())
    #expect(log == DecisionLog(first))
    let (again, _) = run(.reuseLast, decisions: log, slow: false)
    #expect(again.records.map(\.completedStageCount) == first.records.map(\.completedStageCount))
    #expect(again.records.map(\.digest) == first.records.map(\.digest))
    #expect(again.digest != nil)
    let (free, _) = run(.reuseLast, slow: false)
    #expect(free.records.map(\.completedStageCount) != first.records.map(\.completedStageCount))
  }

  @Test func `a damaged log names its line`() {
    let text = #"{"completed_stages":4,"measured_index":0}"# + "\n{\"measured_index\":7}\n"
    #expect { try DecisionLog(data: .init(text.utf8)) } throws: { error in
      (error as? RecordingError)?.record == "line 2"
    }
  }
}
