import ArgumentParser
import SwiftletReplay

/// A time span as people write it: `10ms`, `0.5s`, `800us`; a plain number is milliseconds.
struct DurationOption: ExpressibleByArgument {
  var nanoseconds: Int64

  init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  init?(argument: String) {
    guard let nanoseconds = Durations.nanoseconds(argument) else { return nil }
    self.nanoseconds = nanoseconds
  }

  var defaultValueDescription: String { "\(Double(nanoseconds) / 1e6)ms" }
}
