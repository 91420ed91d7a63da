import ArgumentParser

/// A time span as people write it: `10ms`, `0.5s`, `800us`; a plain number is milliseconds.
struct DurationOption: ExpressibleByArgument {
  var nanoseconds: Int64

  init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  init?(argument: String) {
    let units: [(suffix: String, nanoseconds: Double)] = [
      ("ms", 1e6), ("us", 1e3), ("µs", 1e3), ("ns", 1), ("s", 1e9), ("", 1e6),
    ]
    guard let unit = units.first(where: { argument.hasSuffix($0.suffix) }),
      let value = Double(argument.dropLast(unit.suffix.count)), value > 0, value * unit.nanoseconds < 1e18
    else { return nil }
    nanoseconds = Int64((value * unit.nanoseconds).rounded())
  }

  var defaultValueDescription: String { "\(Double(nanoseconds) / 1e6)ms" }
}
