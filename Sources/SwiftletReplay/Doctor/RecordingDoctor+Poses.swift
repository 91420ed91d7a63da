import Foundation
import Swiftlet

extension RecordingDoctor {
  /// Faster than any car turns.
  private static let maximumTurnDegreesPerSecond = 180.0
  /// Steps shorter than this multiply the poses' noise.
  private static let shortestStepNanoseconds: Int64 = 5_000_000

  func examinePoses(_ recording: IndexedRecording, _ examination: inout RecordingExamination) {
    var found = findings(
      recording, .poses,
      [ReplayWarning.poseInvalid, ReplayWarning.poseMissing, ReplayWarning.poseJump])
    guard recording.index.hasPoses else {
      examination.add(.poses, examined: "none: frames stand for themselves", found)
      return
    }
    let way = poses(recording)
    found += steps(way)
    let uncovered = recording.index.sensors.map { sensor in
      (sensor.name, sensor.samples.count { recording.index.pose(of: $0).transform == nil })
    }
    for (name, count) in uncovered where count > 0 {
      found.append(
        Finding(
          subject: .poses, state: .damaged, sensor: name,
          message: "\(count) samples have no ego pose within 100 ms"))
    }
    var length = 0.0
    for (later, earlier) in zip(way.dropFirst(), way) {
      length += Self.distance(later.pose, earlier.pose)
    }
    examination.add(
      .poses,
      examined: "\(way.count) poses over \(String(format: "%.1f", length)) m, continuity below "
        + "\(Int(options.maximumEgoSpeedMetersPerSecond)) m/s and 180°/s", found)
  }

  /// Poses of the track and of samples, one for each time.
  private func poses(
    _ recording: IndexedRecording
  ) -> [(time: Int64, pose: RigidTransform)] {
    var byTime: [Int64: RigidTransform] = [:]
    for (time, pose) in zip(recording.index.poses.timestamps, recording.index.poses.poses) {
      byTime[time] = pose
    }
    for sample in recording.index.sensors.flatMap(\.samples) {
      if let pose = sample.worldFromEgo { byTime[sample.timestampNanoseconds] = pose }
    }
    return byTime.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private func steps(_ way: [(time: Int64, pose: RigidTransform)]) -> [Finding] {
    var jumps: [String] = []
    var turns: [String] = []
    var gaps: [String] = []
    for (later, earlier) in zip(way.dropFirst(), way) {
      let nanoseconds = later.time - earlier.time
      if nanoseconds > 1_000_000_000 {
        gaps.append(
          "\(SampleTimeline.milliseconds(nanoseconds)) without a pose from \(earlier.time) ns on")
      }
      let seconds = Double(max(nanoseconds, Self.shortestStepNanoseconds)) / 1e9
      let distance = Self.distance(later.pose, earlier.pose)
      if distance > options.maximumEgoSpeedMetersPerSecond * seconds {
        jumps.append(
          "\(String(format: "%.2f", distance)) m in \(SampleTimeline.milliseconds(nanoseconds)) at "
            + "\(later.time) ns")
      }
      let turn = Self.degrees(earlier.pose.rotation.transpose * later.pose.rotation)
      // Two degrees within a millisecond are noise or a bad pose; only the latter turns far.
      if turn > max(2, Self.maximumTurnDegreesPerSecond * seconds) {
        turns.append(
          "\(String(format: "%.1f", turn))° in \(SampleTimeline.milliseconds(nanoseconds)) at "
            + "\(later.time) ns")
      }
    }
    return summarized("the ego jumps", jumps) + summarized("the ego turns", turns)
      + summarized("a gap", gaps)
  }

  private func summarized(_ what: String, _ places: [String]) -> [Finding] {
    var found = places.prefix(3).map {
      Finding(subject: .poses, state: .odd, message: "\(what): \($0)")
    }
    if places.count > 3 {
      found.append(
        Finding(subject: .poses, state: .odd, message: "\(what): \(places.count - 3) more"))
    }
    return found
  }

  static func distance(_ a: RigidTransform, _ b: RigidTransform) -> Double {
    let step = a.translation - b.translation
    return (step * step).sum().squareRoot()
  }
  /// The angle of a rotation.
  static func degrees(_ rotation: Matrix3) -> Double {
    let trace = rotation.row0.x + rotation.row1.y + rotation.row2.z
    return acos(min(1, max(-1, (trace - 1) / 2))) * 180 / .pi
  }

  // MARK: calibration

  func examineCalibration(
    _ recording: IndexedRecording, _ examination: inout RecordingExamination
  ) {
    var found = findings(
      recording, .calibration,
      [ReplayWarning.calibrationMissing, ReplayWarning.calibrationInvalid])
    for sensor in recording.index.sensors {
      for calibration in sensor.calibrations.prefix(1) {
        found += oddities(sensor, calibration).map {
          Finding(subject: .calibration, state: .odd, sensor: sensor.name, message: $0)
        }
      }
      if let change = change(sensor.calibrations) {
        found.append(
          Finding(subject: .calibration, state: .odd, sensor: sensor.name, message: change))
      }
    }
    found += twins(recording.index.sensors)
    let count = recording.index.sensors.count { !$0.calibrations.isEmpty }
    examination.add(
      .calibration,
      examined: "\(count) of \(recording.index.sensors.count) sensors calibrated", found)
  }

  /// What no mount or lens on a car looks like.
  private func oddities(_ sensor: IndexedSensor, _ calibration: SensorCalibration) -> [String] {
    var found: [String] = []
    let place = calibration.egoFromSensor.translation
    let reach = (place * place).sum().squareRoot()
    if reach > 15 { found.append("mounted \(String(format: "%.1f", reach)) m from the ego's origin") }
    let error = calibration.egoFromSensor.rotation.orthonormalityError
    if error > 1e-5 { found.append("its rotation is off orthonormal by \(error)") }
    guard let k = calibration.intrinsics else { return found }
    let view = 2 * atan(Double(k.widthPixels) / 2 / k.focalX) * 180 / .pi
    if k.lens == .pinhole, !(15...150).contains(view) {
      found.append("a field of view of \(String(format: "%.0f", view))° across")
    }
    if !(0.8...1.25).contains(k.focalX / k.focalY) {
      found.append("focal lengths of \(k.focalX) and \(k.focalY) pixels")
    }
    let (x, y) = (k.centerX / Double(k.widthPixels), k.centerY / Double(k.heightPixels))
    if !(0.25...0.75).contains(x) || !(0.1...0.9).contains(y) {
      found.append("a principal point at \(k.centerX), \(k.centerY) of an image of "
        + "\(k.widthPixels)×\(k.heightPixels)")
    }
    let forward = calibration.egoFromSensor.rotation * SIMD3<Double>(0, 0, 1)
    if abs(forward.z) > 0.94 { found.append("it looks straight up or down") }
    let down = calibration.egoFromSensor.rotation * SIMD3<Double>(0, 1, 0)
    if down.z > 0.5 { found.append("its images are upside down") }
    return found
  }

  /// How far a mount moves over the recording; nil where it does not.
  private func change(_ calibrations: [SensorCalibration]) -> String? {
    guard let first = calibrations.first, calibrations.count > 1 else { return nil }
    let way = calibrations.map { Self.distance($0.egoFromSensor, first.egoFromSensor) }.max() ?? 0
    let turn =
      calibrations.map {
        Self.degrees(first.egoFromSensor.rotation.transpose * $0.egoFromSensor.rotation)
      }.max() ?? 0
    return "\(calibrations.count) calibrations, up to \(String(format: "%.3f", way)) m and "
      + "\(String(format: "%.3f", turn))° from the first"
  }

  /// Cameras that would see the same: one was copied over the other.
  private func twins(_ sensors: [IndexedSensor]) -> [Finding] {
    let cameras = sensors.filter { $0.kind == .camera && !$0.calibrations.isEmpty }
    var found: [Finding] = []
    for (number, a) in cameras.enumerated() {
      for b in cameras.dropFirst(number + 1) {
        let (first, second) = (a.calibrations[0].egoFromSensor, b.calibrations[0].egoFromSensor)
        let turn = Self.degrees(first.rotation.transpose * second.rotation)
        guard Self.distance(first, second) < 0.005, turn < 0.1 else { continue }
        found.append(
          Finding(
            subject: .calibration, state: .odd, sensor: b.name,
            message: "the same place and direction as \(a.name)"))
      }
    }
    return found
  }
}
