/// What a sensor's timestamps say: its rate, and what is odd about them.
enum SampleTimeline {
  /// More of one kind a sensor are counted, not listed.
  private static let listedWarnings = 3

  /// Samples a second by the median period; nil without two different times.
  static func rateHertz(_ timestamps: [Int64]) -> Double? {
    medianPeriod(timestamps).map { 1e9 / Double($0) }
  }

  /// - Parameter timestamps: in the recording's order.
  static func warnings(sensor: String, timestamps: [Int64]) -> [ReplayWarning] {
    var backward: [String] = []
    for index in timestamps.indices.dropFirst() where timestamps[index] < timestamps[index - 1] {
      backward.append(
        "sample \(index) lies \(milliseconds(timestamps[index - 1] - timestamps[index])) before "
          + "the one recorded before it")
    }
    let sorted = timestamps.sorted()
    var duplicates: [String] = []
    var gaps: [String] = []
    let period = medianPeriod(timestamps)
    for index in sorted.indices.dropFirst() {
      let step = sorted[index] - sorted[index - 1]
      if step == 0 { duplicates.append("two samples at \(sorted[index]) ns") }
      if let period, Double(step) > 1.5 * Double(period) {
        gaps.append("\(milliseconds(step)) without a sample from \(sorted[index - 1]) ns on")
      }
    }
    return summarized(ReplayWarning.timestampOrder, sensor, backward)
      + summarized(ReplayWarning.timestampDuplicate, sensor, duplicates)
      + summarized(ReplayWarning.timestampGap, sensor, gaps)
  }

  private static func summarized(
    _ code: String, _ sensor: String, _ messages: [String]
  ) -> [ReplayWarning] {
    var listed = messages.prefix(listedWarnings).map {
      ReplayWarning(code: code, sensor: sensor, message: $0)
    }
    if messages.count > listedWarnings {
      listed.append(
        ReplayWarning(
          code: code, sensor: sensor, message: "\(messages.count - listedWarnings) more"))
    }
    return listed
  }

  private static func medianPeriod(_ timestamps: [Int64]) -> Int64? {
    let sorted = timestamps.sorted()
    let steps = zip(sorted.dropFirst(), sorted).map { $0 - $1 }.filter { $0 > 0 }.sorted()
    return steps.isEmpty ? nil : steps[steps.count / 2]
  }

  static func milliseconds(_ nanoseconds: Int64) -> String {
    "\((Double(nanoseconds) / 1e5).rounded() / 10) ms"
  }
}
