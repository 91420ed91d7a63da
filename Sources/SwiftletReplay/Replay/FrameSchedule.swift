/// When frames are due in an open loop.
///
/// Reading, decoding, encoding and writing are outside the budget, so the schedule stands still
/// while they hold up a frame that is already due and the pipeline is idle; waiting behind a late
/// frame is not forgiven. `delayNanoseconds` is how long it stood still.
struct FrameSchedule {
  private let rate: ReplayRate
  private var originNanoseconds: Int64?
  private var firstTimestampNanoseconds: Int64 = 0
  private var issued = 0
  private(set) var delayNanoseconds: Int64 = 0

  init(rate: ReplayRate) { self.rate = rate }

  /// The due time of the next frame; nil in a closed loop. The first frame is due at `now`.
  mutating func nextDue(timestampNanoseconds: Int64, now: Int64) -> Int64? {
    guard rate.isOpenLoop else { return nil }
    defer { issued += 1 }
    guard let origin = originNanoseconds else {
      originNanoseconds = now
      firstTimestampNanoseconds = timestampNanoseconds
      return now
    }
    return origin + delayNanoseconds + offset(timestampNanoseconds)
  }

  /// Forgives our own work between `idleSince` (when the pipeline was free and the frame due) and
  /// `ready`; returns the new due time.
  mutating func forgive(due: Int64, pipelineFreeSince free: Int64, readyAt ready: Int64) -> Int64 {
    let late = max(0, ready - max(due, free))
    delayNanoseconds += late
    return due + late
  }

  private func offset(_ timestampNanoseconds: Int64) -> Int64 {
    switch rate {
    case .max: 0
    case .scaled(let factor):
      Int64((Double(timestampNanoseconds - firstTimestampNanoseconds) / factor).rounded())
    case .framesPerSecond(let rate): Int64((Double(issued) * 1e9 / rate).rounded())
    }
  }
}
