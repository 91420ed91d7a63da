import Foundation

/// Progress of a replay: a single line that rewrites itself on a terminal, plain lines elsewhere.
public final class ProgressPrinter: ReplayObserver {
  private let isTerminal: Bool
  private let write: (String) -> Void
  private let clock: any ReplayClock
  private let intervalNanoseconds: Int64
  private var lastPrint: Int64
  private var services: [Int64] = []
  private var hasOpenLine = false

  /// - Parameter write: takes text without adding a newline; the tool hands in stderr.
  public init(
    isTerminal: Bool, clock: any ReplayClock = MonotonicClock(),
    write: @escaping (String) -> Void
  ) {
    self.isTerminal = isTerminal
    self.write = write
    self.clock = clock
    intervalNanoseconds = isTerminal ? 200_000_000 : 5_000_000_000
    lastPrint = clock.nowNanoseconds
  }

  public func replayDidStart(_ result: ReplayResult, frameCount: Int) {
    write("replaying \(result.recordingName), \(frameCount) frames\n")
  }

  public func replayDidMeasure(_ record: FrameRecord, progress: ReplayProgress) {
    services.append(record.serviceNanoseconds)
    let now = clock.nowNanoseconds
    guard now - lastPrint >= intervalNanoseconds else { return }
    lastPrint = now
    let line = Self.line(progress, services: services)
    // Erase to the end of the line: the new text may be shorter.
    write(isTerminal ? "\r\(line)\u{1b}[K" : "\(line)\n")
    hasOpenLine = isTerminal
  }

  public func replayDidFinish(_ result: ReplayResult) {
    if hasOpenLine { write("\r\u{1b}[K") }
  }

  /// `clip 3.0 / 12.0 s, 0.8 × real time, frames 30 / 120 (pass 1), misses 0, p50 4.21 max 6.03 ms, ETA 9 s`.
  static func line(_ progress: ReplayProgress, services: [Int64]) -> String {
    let sorted = services.sorted()
    let share = Double(progress.measuredFrames) / Double(max(progress.expectedFrames, 1))
    let elapsed = Double(progress.elapsedNanoseconds) / 1e9
    let clip = Double(progress.recordedNanoseconds) / 1e9
    return String(
      format: "clip %.1f / %.1f s, %.2f × real time, frames %d / %d (pass %d), misses %d, "
        + "p50 %.2f max %.2f ms, ETA %.0f s",
      clip, share > 0 ? clip / share : 0, elapsed > 0 ? clip / elapsed : 0,
      progress.measuredFrames, progress.expectedFrames, progress.pass + 1, progress.misses,
      milliseconds(sorted.isEmpty ? 0 : sorted[(sorted.count - 1) / 2]),
      milliseconds(sorted.last ?? 0), share > 0 ? elapsed / share - elapsed : 0)
  }
}
