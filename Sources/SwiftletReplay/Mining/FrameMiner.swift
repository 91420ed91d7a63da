import Swiftlet

/// What was measured about a frame, by trigger; a trigger that could not look at it has no value.
public struct MinedFrame: Sendable {
  public var frame: Int
  public var timestampNanoseconds: Int64
  public var values: [MiningTrigger.Kind: Double] = [:]
  /// What the value is of: sensors, cameras.
  public var details: [MiningTrigger.Kind: String] = [:]
  var worldFromEgo: RigidTransform?
}

/// Runs a recording through the pipeline and measures what the triggers look at.
public final class FrameMiner {
  private let recording: any Recording
  private let processor: PipelineProcessor
  private let kinds: Set<MiningTrigger.Kind>
  private let clock: any ReplayClock
  private var seen: Set<String> = []
  private var previous: (time: Int64, pose: RigidTransform)?
  private var doctor = CalibrationDoctor()
  private var doctorFrames: [Int] = []
  /// Frames between two looks at the calibration: edges of fewer decide nothing.
  private let driftWindow = 10
  /// What the window before said of each camera.
  private var lastTurns: [String: SIMD3<Double>] = [:]
  private var lastWindow: [Int] = []
  private let thresholds: [MiningTrigger.Kind: Double]

  public private(set) var frames: [MinedFrame] = []
  /// What reading the recording found.
  public private(set) var warnings: [ReplayWarning]
  /// Why a trigger looked at no frame.
  public private(set) var notes: [MiningTrigger.Kind: String] = [:]

  public init(
    recording: any Recording, processor: PipelineProcessor, triggers: [MiningTrigger],
    clock: any ReplayClock = MonotonicClock()
  ) {
    self.recording = recording
    self.processor = processor
    self.clock = clock
    kinds = Set(triggers.map(\.kind))
    thresholds = Dictionary(triggers.map { ($0.kind, $0.threshold) }) { first, _ in first }
    warnings = recording.warnings
  }

  /// Measures every frame in order.
  ///
  /// - Parameter progress: called with the number of frames done.
  public func run(isInterrupted: () -> Bool = { false }, progress: (Int) -> Void = { _ in }) {
    for number in 0..<recording.frameCount {
      if isInterrupted() { break }
      do throws(RecordingError) {
        let loaded = try recording.loadFrame(number)
        warnings += loaded.warnings
        loaded.withSensorFrame { measure(number, $0) }
      } catch {
        warnings.append(
          ReplayWarning(
            code: ReplayWarning.frameUnreadable, frame: number, message: error.description))
      }
      progress(number + 1)
    }
    findDrift()
    findBraking()
    explain()
  }

  private func measure(_ number: Int, _ recorded: SensorFrame) {
    var frame = recorded
    var mined = MinedFrame(
      frame: number, timestampNanoseconds: frame.timestampNanoseconds,
      worldFromEgo: frame.worldFromEgo)
    findLost(frame, &mined)
    if frames.isEmpty { warmUp(frame) }
    do {
      try processor.run(stage: 0, on: &frame)
      let scene = MinedScene(frame, pipeline: processor.pipeline)
      // Before this frame's points are in the map.
      if kinds.contains(.close), !frames.isEmpty, let place = scene.nearestMoving() {
        mined.values[.close] = place.distance
        mined.details[.close] = place.text
      }
      let start = clock.nowNanoseconds
      for stage in 1..<processor.stages.count { try processor.run(stage: stage, on: &frame) }
      mined.values[.budget] = Double(clock.nowNanoseconds - start) / 1e6
      if kinds.contains(.unknown), let share = scene.unknownAhead(speed: speed(frame)) {
        mined.values[.unknown] = share.value
        mined.details[.unknown] = share.text
      }
      if kinds.contains(.disagreement), let share = scene.depthDisagreement(recorded: recorded) {
        mined.values[.disagreement] = share.value
        mined.details[.disagreement] = share.text
      }
    } catch {
      warnings.append(
        ReplayWarning(
          code: ReplayWarning.frameNotProcessed, frame: number, message: "\(error)"))
    }
    for var warning in processor.takeWarnings() {
      warning.frame = number
      warnings.append(warning)
    }
    previous = (frame.timestampNanoseconds, frame.worldFromEgo)
    frames.append(mined)
    look(at: recorded)
  }

  private func warmUp(_ frame: SensorFrame) {
    for _ in 0..<3 {
      var frame = frame
      for stage in processor.stages.indices {
        guard (try? processor.run(stage: stage, on: &frame)) != nil else { break }
      }
    }
    processor.reset()
    _ = processor.takeWarnings()
  }

  private func speed(_ frame: SensorFrame) -> Double {
    guard let previous, frame.timestampNanoseconds > previous.time else { return 0 }
    let way = frame.worldFromEgo.translation - previous.pose.translation
    return (way * way).sum().squareRoot()
      / (Double(frame.timestampNanoseconds - previous.time) / 1e9)
  }

  private func findLost(_ frame: SensorFrame, _ mined: inout MinedFrame) {
    let states = frame.cameras.map { ($0.name, $0.isValid) } + frame.lidars.map { ($0.name, $0.isValid) }
    let lost = states.filter { !$0.1 && seen.contains($0.0) }.map(\.0)
    seen.formUnion(states.filter(\.1).map(\.0))
    mined.values[.lost] = Double(lost.count)
    if !lost.isEmpty { mined.details[.lost] = lost.joined(separator: " ") }
  }

  // MARK: over several frames

  private func look(at frame: SensorFrame) {
    guard kinds.contains(.drift) else { return }
    doctor.add(frame)
    doctorFrames.append(frames.count - 1)
    if doctorFrames.count == driftWindow { findDrift() }
  }

  /// A camera drifts when two windows after each other ask for the same turn: noise asks for
  /// another one every time.
  private func findDrift() {
    guard doctorFrames.count >= driftWindow / 2 else { return }
    doctor.thresholdDegrees = thresholds[.drift] ?? doctor.thresholdDegrees
    let findings = doctor.findings()
    let isJudged = findings.contains { $0.state != .undecided }
    var turns: [String: SIMD3<Double>] = [:]
    var worst: (value: Double, detail: String)?
    for finding in findings where finding.state == .turned {
      let turn = finding.turnDegrees
      turns[finding.camera] = turn
      guard let before = lastTurns[finding.camera] else { continue }
      let change = turn - before
      let largest = max(abs(turn.x), abs(turn.y), abs(turn.z))
      guard max(abs(change.x), abs(change.y), abs(change.z)) <= 0.3, largest > worst?.value ?? 0
      else { continue }
      let axes = (0..<3).map { "\(Self.rounded(turn[$0]))°" }.joined(separator: " ")
      worst = (largest, "\(finding.camera) fits better turned by \(axes) about its x, y, z")
    }
    for index in doctorFrames where isJudged { frames[index].values[.drift] = 0 }
    if let worst {
      for index in lastWindow + doctorFrames {
        guard frames[index].values[.drift] ?? 0 < worst.value else { continue }
        frames[index].values[.drift] = worst.value
        frames[index].details[.drift] = worst.detail
      }
    }
    (lastTurns, lastWindow) = (turns, doctorFrames)
    doctor = CalibrationDoctor()
    doctorFrames = []
  }

  /// Speeds over half a second on either side: poses' noise over one frame would look like brakes.
  private func findBraking() {
    let span: Int64 = 400_000_000
    for index in frames.indices {
      let time = frames[index].timestampNanoseconds
      guard let here = frames[index].worldFromEgo,
        let before = frames[..<index].last(where: { time - $0.timestampNanoseconds >= span }),
        let after = frames[index...].first(where: { $0.timestampNanoseconds - time >= span }),
        let start = before.worldFromEgo, let end = after.worldFromEgo,
        after.timestampNanoseconds - before.timestampNanoseconds < 5 * span
      else { continue }
      let first = Double(time - before.timestampNanoseconds) / 1e9
      let second = Double(after.timestampNanoseconds - time) / 1e9
      let speeds = (
        RecordingDoctor.distance(start, here) / first, RecordingDoctor.distance(here, end) / second
      )
      let deceleration = (speeds.0 - speeds.1) / ((first + second) / 2)
      frames[index].values[.braking] = deceleration
      frames[index].details[.braking] =
        "\(Self.rounded(speeds.0)) to \(Self.rounded(speeds.1)) m/s"
    }
  }

  private func explain() {
    let reasons: [MiningTrigger.Kind: String] = [
      .disagreement: "no camera has a network's depth and LiDAR points to compare it with",
      .drift: "too few edges to judge a camera by",
      .braking: "fewer than 0.8 s of ego poses",
      .unknown: "no occupancy map", .close: "no occupancy map of earlier frames, or nothing moves",
    ]
    for kind in kinds where !frames.contains(where: { $0.values[kind] != nil }) {
      notes[kind] = reasons[kind] ?? "no frame could be processed"
    }
  }

  static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}
