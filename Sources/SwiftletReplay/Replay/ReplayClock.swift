import CThreadShims
import Glibc

/// The time a replay measures with. Recording time only orders data and says when a frame is due;
/// tests inject a clock of their own.
public protocol ReplayClock: AnyObject {
  /// Monotonic nanoseconds from an arbitrary origin.
  var nowNanoseconds: Int64 { get }
  /// Returns at or after `deadlineNanoseconds`, or earlier when a signal arrives.
  func sleep(untilNanoseconds deadlineNanoseconds: Int64)
}

/// CLOCK_MONOTONIC.
public final class MonotonicClock: ReplayClock {
  public init() {}

  public var nowNanoseconds: Int64 { swl_monotonic_nanoseconds() }

  public func sleep(untilNanoseconds deadlineNanoseconds: Int64) {
    var deadline = timespec(
      tv_sec: Int(deadlineNanoseconds / 1_000_000_000),
      tv_nsec: Int(deadlineNanoseconds % 1_000_000_000))
    _ = unsafe clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, nil)
  }
}
