/// What the recorder's time says about a sensor's stamps: late samples, clocks that jump.
enum DelayCheck {
  /// Later than the sensor's median by this much is late.
  static let lateNanoseconds: Int64 = 100_000_000
  /// A change of the delay between two samples by this much is a jump of a clock.
  static let jumpNanoseconds: Int64 = 1_000_000_000

  static func warnings(sensor: String, messages: [IndexedMessage]) -> [ReplayWarning] {
    let stamped = messages.filter { $0.stamp != 0 }
    let delays = stamped.map { $0.logTime - $0.stamp }
    guard delays.count > 1 else { return [] }
    var warnings: [ReplayWarning] = []
    for index in delays.indices.dropFirst() {
      let change = delays[index] - delays[index - 1]
      guard abs(change) >= jumpNanoseconds else { continue }
      warnings.append(
        ReplayWarning(
          code: ReplayWarning.clockDisagrees, sensor: sensor,
          message: "from sample \(index) on the header's clock is "
            + "\(SampleTimeline.milliseconds(abs(change))) \(change > 0 ? "behind" : "ahead of") "
            + "where the recorder's clock would have it"))
      if warnings.count == 3 { break }
    }
    if !warnings.isEmpty { return warnings }
    let median = delays.sorted()[delays.count / 2]
    let late = delays.indices.filter { delays[$0] - median > lateNanoseconds }
    for index in late.prefix(3) {
      warnings.append(
        ReplayWarning(
          code: ReplayWarning.sampleLate, sensor: sensor,
          message: "the sample of \(stamped[index].stamp) ns was recorded "
            + "\(SampleTimeline.milliseconds(delays[index] - median)) later than the others"))
    }
    if late.count > 3 {
      warnings.append(
        ReplayWarning(
          code: ReplayWarning.sampleLate, sensor: sensor, message: "\(late.count - 3) more"))
    }
    return warnings
  }
}
