import Swiftlet

/// Keeps an occupancy update within a time: carving stops early enough for the fold, by what the
/// folds before took.
struct UpdateBound {
  private let clock = MonotonicClock()
  private let boundNanoseconds: Int64
  private var startNanoseconds: Int64 = 0
  private var foldStartNanoseconds: Int64 = 0
  /// The slowest fold so far, forgotten by a sixteenth a frame.
  private var foldNanoseconds: Int64 = 0

  init(nanoseconds: Int64) { boundNanoseconds = nanoseconds }

  mutating func begin() { startNanoseconds = clock.nowNanoseconds }
  mutating func beginFold() { foldStartNanoseconds = clock.nowNanoseconds }
  mutating func end() {
    let latest = clock.nowNanoseconds - foldStartNanoseconds
    foldNanoseconds = max(latest, foldNanoseconds - foldNanoseconds / 16)
  }

  var limit: CarvingLimit {
    let deadline = startNanoseconds + boundNanoseconds - foldNanoseconds
    let clock = clock
    return .until { clock.nowNanoseconds >= deadline }
  }
}
