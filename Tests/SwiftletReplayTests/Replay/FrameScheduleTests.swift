import Swiftlet
import SwiftletReplay
import Testing

/// Frames recorded 100 ms apart; the processor's time is the test's.
@Suite struct FrameScheduleTests {
  let clock = FakeClock()
  let processor: FakeProcessor

  init() { processor = FakeProcessor(clock: clock) }

  private func responses(_ rate: ReplayRate, frames: Int = 6) -> [Int64] {
    var options = ReplayOptions()
    options.rate = rate
    options.loops = false
    let replayer = Replayer(
      source: FakeSource(frameCount: frames), processor: processor, options: options, clock: clock,
      counters: FakeCounters(), build: .release)
    return replayer.run().records.map { ($0.responseNanoseconds ?? -1_000_000) / 1_000_000 }
  }

  @Test func `a closed loop has no response time`() {
    #expect(responses(.max) == [-1, -1, -1, -1, -1, -1])
    #expect(clock.sleeps.isEmpty)
  }

  @Test func `at the recorded rate a pipeline in time answers in its service time`() {
    #expect(responses(.scaled(1)) == [4, 4, 4, 4, 4, 4])
    #expect(clock.sleeps.count == 5)
    // 100 ms periods: frame 5 is done 500 ms + 4 ms after the first was due.
  }

  @Test func `frames behind a late frame are late too`() {
    // Frame 1 takes 250 ms at a period of 100 ms: it is done at 350, frame 2 (due at 200) at 354,
    // frame 3 (due at 300) at 358, frame 4 (due at 400) in time again.
    processor.encodeMilliseconds = 0
    processor.milliseconds = { $0 == 1 ? 250 : 4 }
    let got = responses(.scaled(1))
    #expect(got[1] == 250)
    #expect(got[2] == 154)
    #expect(got[3] == 58)
    #expect(got[4] == 4)
  }

  @Test func `time spent encoding is not held against the pipeline`() {
    processor.encodeMilliseconds = 300
    #expect(responses(.scaled(1)) == [4, 4, 4, 4, 4, 4])
    processor.reset()
    processor.milliseconds = { $0 == 1 ? 250 : 4 }
    // The encoder delays the whole schedule; waiting behind frame 1 still counts.
    #expect(responses(.scaled(1))[2] == 154)
  }

  @Test func `a fixed frame rate ignores the recording's own`() {
    processor.encodeMilliseconds = 0
    processor.milliseconds = { _ in 25 }
    // 50 frames a second leave 20 ms: each frame is 5 ms later than the one before it.
    #expect(responses(.framesPerSecond(50)) == [25, 30, 35, 40, 45, 50])
  }
}
