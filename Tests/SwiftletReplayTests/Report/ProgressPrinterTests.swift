import SwiftletReplay
import Testing

@Suite struct ProgressPrinterTests {
  private func output(isTerminal: Bool) -> String {
    let clock = FakeClock()
    let processor = FakeProcessor(clock: clock)
    processor.encodeMilliseconds = 1000
    var text = ""
    let printer = ProgressPrinter(isTerminal: isTerminal, clock: clock) { text += $0 }
    var options = ReplayOptions()
    options.loops = false
    _ = Replayer(
      source: FakeSource(frameCount: 12), processor: processor, options: options, clock: clock,
      counters: FakeCounters(), build: .release, observer: printer
    ).run()
    return text
  }

  @Test func `plain output has whole lines only, at most one in five seconds`() {
    let text = output(isTerminal: false)
    #expect(!text.contains("\r"))
    // 12 frames of about a second each.
    #expect(text.split(separator: "\n").count == 4)
    #expect(text.contains("frames 1 / 12 (pass 1), misses 0, p50 4.00 max 4.00 ms"))
  }

  @Test func `a terminal gets one line that is rewritten and erased at the end`() {
    let text = output(isTerminal: true)
    #expect(text.split(separator: "\n").count == 2)
    #expect(text.hasSuffix("\r\u{1b}[K"))
    #expect(text.contains("real time"))
  }
}
