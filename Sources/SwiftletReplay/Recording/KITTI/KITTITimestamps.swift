/// Timestamps of KITTI recordings.
enum KITTITimestamps {
  /// A time for each line; nil, with a warning, where a line holds none.
  struct Lines: Sendable {
    var times: [Int64?] = []
    var warnings: [ReplayWarning] = []
  }

  /// Lines `2011-09-26 13:02:25.964389445`, taken as UTC.
  static func readDates(_ file: String) throws(RecordingError) -> Lines {
    try read(file, expected: "a date and time", parse: nanoseconds(date:))
  }

  /// Lines of seconds from the start, `1.037359e-01`.
  static func readSeconds(_ file: String) throws(RecordingError) -> Lines {
    try read(file, expected: "seconds") { line in
      guard let numbers = KITTIText.numbers(line), numbers.count == 1, abs(numbers[0]) < 9e9
      else { return nil }
      return Int64((numbers[0] * 1e9).rounded())
    }
  }

  private static func read(
    _ file: String, expected: String, parse: (String) -> Int64?
  ) throws(RecordingError) -> Lines {
    var lines = Lines()
    for (number, line) in try RecordingFile.lines(file).enumerated() {
      let time = parse(line)
      lines.times.append(time)
      guard time == nil else { continue }
      let error = RecordingError(
        file: file, record: "line \(number + 1)", expected: expected,
        found: "'\(line.prefix(40))'", remedy: "repair the line; its sample is left out")
      lines.warnings.append(
        ReplayWarning(code: ReplayWarning.recordInvalid, message: error.description))
    }
    return lines
  }

  static func nanoseconds(date text: String) -> Int64? {
    let halves = text.split(separator: " ")
    guard halves.count == 2 else { return nil }
    let date = halves[0].split(separator: "-").compactMap { Int64($0) }
    let clock = halves[1].split(separator: ":")
    guard date.count == 3, clock.count == 3, let hour = Int64(clock[0]),
      let minute = Int64(clock[1])
    else { return nil }
    let parts = clock[2].split(separator: ".", maxSplits: 1)
    guard let second = parts.first.flatMap({ Int64($0) }),
      let fraction = parts.count == 2 ? nanoseconds(fraction: parts[1]) : 0,
      (1678...2261).contains(date[0]), (1...12).contains(date[1]), (1...31).contains(date[2]),
      (0..<24).contains(hour), (0..<60).contains(minute), (0...60).contains(second)
    else { return nil }
    let days = daysSince1970(year: date[0], month: date[1], day: date[2])
    return ((days * 24 + hour) * 60 + minute) * 60_000_000_000 + second * 1_000_000_000 + fraction
  }

  private static func nanoseconds(fraction digits: Substring) -> Int64? {
    guard (1...9).contains(digits.count), let value = Int64(digits), value >= 0 else { return nil }
    return (digits.count..<9).reduce(value) { product, _ in product * 10 }
  }

  /// The Gregorian calendar counted in 400-year eras from 1 March 0000.
  private static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }
}
