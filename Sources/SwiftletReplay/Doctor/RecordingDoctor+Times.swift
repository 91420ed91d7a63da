import Swiftlet

extension RecordingDoctor {
  /// A sensor's clock that runs away from the trigger's by more than this is odd: crystals are good
  /// for 50.
  private static let maximumDrift = 200.0

  func examineTimes(_ recording: IndexedRecording, _ examination: inout RecordingExamination) {
    let trigger = recording.index.sensors[recording.trigger].samples.map(\.timestampNanoseconds)
    var rates: [Finding] = []
    var skews: [Finding] = []
    for sensor in recording.index.sensors {
      let stamps = sensor.samples.map(\.timestampNanoseconds)
      let timing = SensorTiming(stamps, trigger: trigger)
      examination.sensors.append(
        RecordingExamination.Sensor(
          name: sensor.name, kind: sensor.kind.rawValue, samples: stamps.count,
          rateHertz: timing.rateHertz, missingSamples: timing.missing,
          duplicates: timing.duplicates, jitterMilliseconds: timing.jitter,
          skewMilliseconds: timing.skew, driftPartsPerMillion: timing.drift))
      if let finding = rateFinding(sensor.name, timing) { rates.append(finding) }
      if let drift = timing.drift, abs(drift) > Self.maximumDrift {
        skews.append(
          Finding(
            subject: .skew, state: .odd, sensor: sensor.name,
            message: "its times move against the trigger's by \(Int(drift.rounded())) ppm"))
      }
    }
    let count = recording.index.sensors.count
    examination.add(
      .duplicates, examined: "times of \(count) sensors",
      findings(recording, .duplicates, [ReplayWarning.timestampDuplicate]))
    examination.add(
      .gaps, examined: "steps of more than 1.5 periods",
      findings(recording, .gaps, [ReplayWarning.timestampGap]) + absences(recording))
    examination.add(
      .clock, examined: "order of times, header against recorder",
      findings(
        recording, .clock,
        [
          ReplayWarning.timestampOrder, ReplayWarning.clockDisagrees, ReplayWarning.sampleLate,
        ]) + jumps(recording))
    examination.add(.rate, examined: "periods of \(count) sensors", rates)
    examination.add(.skew, examined: "against \(recording.triggerSensor)", skews)
  }

  private func rateFinding(_ name: String, _ timing: SensorTiming) -> Finding? {
    guard let rate = timing.rateHertz, timing.irregular > 0 else { return nil }
    let share = Double(timing.irregular) / Double(max(1, timing.stepCount))
    guard share > 0.1 else { return nil }
    return Finding(
      subject: .rate, state: .odd, sensor: name,
      message: "\(timing.irregular) of \(timing.stepCount) steps differ from the period of "
        + "\(SampleTimeline.milliseconds(Int64(1e9 / rate))) by more than a fifth")
  }

  /// Frames that a sensor has no sample for.
  private func absences(_ recording: IndexedRecording) -> [Finding] {
    var found: [Finding] = []
    for (position, sensor) in recording.index.sensors.enumerated() where sensor.problem == nil {
      let frames = (0..<recording.frameCount).filter {
        recording.sampleNumber(sensor: position, frame: $0) == nil
      }
      guard !frames.isEmpty else { continue }
      let listed = frames.prefix(8).map(String.init).joined(separator: ", ")
      found.append(
        Finding(
          subject: .gaps, state: .odd, sensor: sensor.name,
          message: "missing in \(frames.count) of \(recording.frameCount) frames: \(listed)"
            + (frames.count > 8 ? ", …" : "")))
    }
    return found
  }

  /// Pauses in which no sensor recorded anything: the recorder's clock was set, or it stood still.
  private func jumps(_ recording: IndexedRecording) -> [Finding] {
    let all = recording.index.sensors.flatMap { $0.samples.map(\.timestampNanoseconds) }.sorted()
    let periods = recording.index.sensors.compactMap {
      SensorTiming($0.samples.map(\.timestampNanoseconds), trigger: []).rateHertz.map { 1e9 / $0 }
    }
    // With one sensor that loses samples this would be no more than its gap.
    let limit = max(1e9, 5 * (periods.min() ?? 1e9))
    return zip(all.dropFirst(), all).filter { Double($0 - $1) > limit }.prefix(3).map { later, earlier in
      Finding(
        subject: .clock, state: .odd,
        message: "no sensor has a sample for \(SampleTimeline.milliseconds(later - earlier)) from "
          + "\(earlier) ns on: time jumped, or nothing was recorded")
    }
  }
}

/// Numbers about one sensor's times.
struct SensorTiming {
  private(set) var rateHertz: Double?
  private(set) var missing = 0
  private(set) var duplicates = 0
  /// Milliseconds.
  private(set) var jitter: Double?
  /// Steps, and those that differ from the median by more than a fifth.
  private(set) var stepCount = 0
  private(set) var irregular = 0
  /// Median, smallest and largest offset to the trigger's nearest sample, milliseconds.
  private(set) var skew: [Double]?
  /// Parts per million; nil for fewer samples than say anything.
  private(set) var drift: Double?
  private static let minimumDriftSamples = 20

  init(_ timestamps: [Int64], trigger: [Int64]) {
    let sorted = timestamps.sorted()
    let steps = zip(sorted.dropFirst(), sorted).map { $0 - $1 }
    duplicates = steps.count { $0 == 0 }
    let positive = steps.filter { $0 > 0 }.sorted()
    if !positive.isEmpty {
      let period = positive[positive.count / 2]
      rateHertz = 1e9 / Double(period)
      stepCount = positive.count
      irregular = positive.count { abs(Double($0 - period)) > 0.2 * Double(period) }
      // A lost sample is a gap, not jitter.
      jitter =
        (positive.filter { Double($0) < 1.5 * Double(period) }.map { abs($0 - period) }.max())
        .map { Double($0) / 1e6 }
      for step in positive where Double(step) > 1.5 * Double(period) {
        missing += max(0, Int((Double(step) / Double(period)).rounded()) - 1)
      }
    }
    measureSkew(sorted, trigger.sorted())
  }

  private mutating func measureSkew(_ sorted: [Int64], _ trigger: [Int64]) {
    guard let start = trigger.first, !sorted.isEmpty else { return }
    var points: [(x: Double, y: Double)] = []
    for time in trigger {
      let after = sorted.partitioningIndex { $0 > time }
      let candidates = [after - 1, after].filter(sorted.indices.contains).map { sorted[$0] - time }
      guard let offset = candidates.min(by: { abs($0) < abs($1) }) else { continue }
      points.append((Double(time - start), Double(offset)))
    }
    guard !points.isEmpty else { return }
    let offsets = points.map { $0.y / 1e6 }.sorted()
    skew = [offsets[offsets.count / 2], offsets[0], offsets[offsets.count - 1]]
    // Where a sample is missing its neighbour says nothing about the clock.
    let limit = rateHertz.map { 0.45e9 / $0 } ?? .infinity
    let middle = offsets[offsets.count / 2] * 1e6
    points.removeAll { abs($0.y - middle) > limit }
    guard points.count >= Self.minimumDriftSamples else { return }
    let meanX = points.reduce(0) { $0 + $1.x } / Double(points.count)
    let meanY = points.reduce(0) { $0 + $1.y } / Double(points.count)
    let spread = points.reduce(0) { $0 + ($1.x - meanX) * ($1.x - meanX) }
    guard spread > 0 else { return }
    let slope = points.reduce(0) { $0 + ($1.x - meanX) * ($1.y - meanY) } / spread
    drift = slope * 1e6
  }
}
