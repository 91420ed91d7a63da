import Swiftlet
import SwiftletReplay
import Synchronization
import Testing

@Suite struct ReplayerTests {
  let clock = FakeClock()
  let processor: FakeProcessor

  init() { processor = FakeProcessor(clock: clock) }

  private func replay(
    _ source: FakeSource, counters: FakeCounters = FakeCounters(),
    allocations: AllocationCounting? = nil, build: BuildMode = .release,
    configure: (inout ReplayOptions) -> Void = { _ in },
    interruptedWhen: @escaping () -> Bool = { false }
  ) -> ReplayReport {
    var options = ReplayOptions()
    configure(&options)
    let replayer = Replayer(
      source: source, processor: processor, options: options, clock: clock, counters: counters,
      allocations: allocations, build: build, isInterrupted: interruptedWhen)
    return ReplayReport(replayer.run())
  }

  @Test func `a long clean recording is measured once and passes`() {
    let report = replay(FakeSource(frameCount: 300))
    #expect(report.result.records.count == 300)
    #expect(report.result.passCount == 1)
    #expect(report.result.warmupFrameCount == 10)
    #expect(processor.resetCount == 1)
    #expect(report.judgement.verdict == .pass)
    #expect(report.exitStatuses == [.pass])
    #expect(report.stages.map(\.name) == ["encode", "project", "update", "fuse", "total"])
    #expect(report.stages.map(\.maximumNanoseconds) == [20, 2, 1, 1, 4].map { $0 * 1_000_000 })
  }

  @Test func `a short recording is looped exactly until the verdict is decided`() {
    let report = replay(FakeSource(frameCount: 7))
    #expect(report.result.records.count == 299)
    #expect(report.result.distinctFrameCount == 7)
    #expect(report.result.passCount == 43)
    #expect(report.exitStatus == .pass)
  }

  @Test func `one miss takes 473 frames`() {
    processor.milliseconds = { $0 == 20 ? 11 : 4 }
    let report = replay(FakeSource(frameCount: 7))
    #expect(report.result.records.count == 473)
    #expect(report.result.missCount == 1)
    #expect(report.exitStatus == .pass)
  }

  @Test func `without looping a short recording is inconclusive and says what it takes`() {
    let report = replay(FakeSource(frameCount: 7)) { $0.loops = false }
    #expect(report.result.records.count == 7)
    #expect(report.exitStatus == .inconclusive)
    #expect(report.judgement.framesNeeded == 299)
  }

  @Test func `a frame exactly at the budget is no miss and one nanosecond more is`() {
    processor.milliseconds = { _ in 10 }
    #expect(replay(FakeSource(frameCount: 300)).result.missCount == 0)
    let strict = replay(FakeSource(frameCount: 300)) { $0.budgetNanoseconds = 9_999_999 }
    #expect(strict.result.missCount == 300)
  }

  @Test func `three misses in a row fail, and the whole recording is still measured`() {
    processor.milliseconds = { (10..<13).contains($0) ? 24 : 4 }
    let report = replay(FakeSource(frameCount: 50))
    #expect(report.result.records.count == 50)
    #expect(report.result.longestMissRun == 3)
    #expect(report.exitStatus == .budgetMissed)
  }

  @Test func `a debug build is never judged`() {
    let report = replay(FakeSource(frameCount: 400), build: .debug)
    #expect(report.judgement.verdict == .inconclusive)
    #expect(report.judgement.reasons == ["a debug build is never judged: build with -c release"])
    #expect(report.exitStatus == .inconclusive)
  }

  @Test func `without a gate everything is reported and the exit is 0`() {
    processor.milliseconds = { _ in 99 }
    let report = replay(FakeSource(frameCount: 7)) { $0.isGated = false }
    #expect(report.result.records.count == 7)
    #expect(report.exitStatus == .pass)
    #expect(report.result.missCount == 7)
  }

  @Test func `an empty recording is never a success`() {
    let report = replay(FakeSource(frameCount: 0))
    #expect(report.exitStatus == .recordingDamaged)
    #expect(replay(FakeSource(frameCount: 0)) { $0.isGated = false }.exitStatus == .recordingDamaged)
  }

  @Test func `unreadable frames are named, the others are measured, and the exit is 4`() {
    let report = replay(FakeSource(frameCount: 320, unreadable: [3, 9]))
    #expect(report.result.records.count == 318)
    #expect(report.result.lostFrameCount == 2)
    #expect(report.result.warnings.map(\.frame) == [3, 9])
    #expect(report.result.warnings[0].code == ReplayWarning.frameUnreadable)
    #expect(report.result.warnings[0].message == "scan.bin: expected 16 bytes, found 3")
    #expect(report.exitStatuses == [.recordingDamaged])
    #expect(replay(FakeSource(frameCount: 4, unreadable: [0, 1, 2, 3])).result.records.isEmpty)
  }

  @Test func `a frame that cannot be processed is named and the next one is measured`() {
    processor.failing = [2]
    let report = replay(FakeSource(frameCount: 5)) { $0.loops = false }
    #expect(report.result.records.map(\.recordedIndex) == [0, 1, 3, 4])
    #expect(report.result.warnings.map(\.code) == [ReplayWarning.frameNotProcessed])
    #expect(report.exitStatuses == [.recordingDamaged, .inconclusive])
  }

  @Test func `an interrupt keeps what was measured and marks it`() {
    var asked = 0
    let report = replay(
      FakeSource(frameCount: 300),
      interruptedWhen: {
        asked += 1
        return asked > 20
      })
    #expect(report.result.isInterrupted)
    #expect(report.result.records.count == 20)
    #expect(report.exitStatus == .interrupted)
  }

  @Test func `the digest is that of the first pass however long it is looped`() {
    let once = replay(FakeSource(frameCount: 7)) { $0.loops = false }
    let looped = replay(FakeSource(frameCount: 7))
    #expect(looped.result.passCount > 1)
    #expect(once.result.digest == looped.result.digest)
    #expect(once.result.digest != nil)
    let shorter = replay(FakeSource(frameCount: 7)) { $0.frameLimit = 6 }
    #expect(shorter.result.distinctFrameCount == 6)
    #expect(shorter.result.digest != once.result.digest)
  }

  @Test func `an exact number of frames is measured whether judged or not`() {
    let report = replay(FakeSource(frameCount: 7)) {
      $0.isGated = false
      $0.measuredFrameCount = 20
    }
    #expect(report.result.records.count == 20)
    #expect(report.result.digest == replay(FakeSource(frameCount: 7)) { $0.loops = false }.result.digest)
    let whole = replay(FakeSource(frameCount: 7)) { $0.measuredFrameCount = 3 }
    #expect(whole.result.records.count == 7)
  }

  @Test func `a looped drive goes on from where it ended`() {
    _ = replay(FakeSource(frameCount: 7))
    let frames = processor.frames
    #expect(frames[7].timestampNanoseconds - frames[6].timestampNanoseconds == 100_000_000)
    #expect(frames[7].worldFromEgo.translation == frames[6].worldFromEgo.translation)
    #expect(frames[8].worldFromEgo.translation.x == 7)
    #expect(frames[0].resetsHistory)
    #expect(!frames[7].resetsHistory)
  }

  @Test func `allocations and host counters are those of the in-budget stages`() {
    let counters = FakeCounters()
    let counter = AllocationCounter()
    processor.onStage = { stage in
      counters.current.pageFaults += stage > 0 ? 2 : 100
      counter.note(stage > 0 ? 3 : 1000)
    }
    let report = replay(
      FakeSource(frameCount: 5), counters: counters,
      allocations: AllocationCounting(start: counter.start, stop: counter.stop))
    #expect(report.result.records.allSatisfy { $0.allocations == 9 && $0.host.pageFaults == 6 })
    #expect(report.result.allocationCount == 9 * Int64(report.result.records.count))
    #expect(replay(FakeSource(frameCount: 5)).result.allocationCount == nil)
  }

  @Test func `nothing is read while a frame is timed`() {
    let source = FakeSource(frameCount: 200, readMicroseconds: 500)
    var overlaps = 0
    processor.onStage = { _ in
      // Long enough for a reader that ignores the gate to be seen.
      for _ in 0..<50 where source.isReading.load(ordering: .sequentiallyConsistent) {
        overlaps += 1
      }
    }
    _ = replay(source) { $0.cachedFrameLimit = 0 }
    #expect(overlaps == 0)
    #expect(source.readCount.load(ordering: .relaxed) >= 299)
  }

  @Test func `a short recording is decoded once`() {
    let source = FakeSource(frameCount: 7)
    _ = replay(source)
    #expect(source.readCount.load(ordering: .relaxed) == 7)
  }
}

/// Counts what a test notes between start and stop.
private final class AllocationCounter: Sendable {
  private let counting = Atomic<Bool>(false)
  private let count = Atomic<Int64>(0)
  func note(_ allocations: Int64) {
    if counting.load(ordering: .relaxed) { count.add(allocations, ordering: .relaxed) }
  }
  var start: @Sendable () -> Void {
    {
      self.count.store(0, ordering: .relaxed)
      self.counting.store(true, ordering: .relaxed)
    }
  }
  var stop: @Sendable () -> Int64 {
    {
      self.counting.store(false, ordering: .relaxed)
      return self.count.load(ordering: .relaxed)
    }
  }
}
