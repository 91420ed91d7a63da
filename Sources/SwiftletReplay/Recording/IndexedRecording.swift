import Swiftlet

/// A recording by its index: frames, association, poses and history are decided here once, for
/// every layout.
final class IndexedRecording: Recording {
  let index: RecordingIndex
  let options: RecordingOptions
  let reader: any SampleReader
  let networkOutputs: NetworkOutputs?
  /// Radar maps and map priors recorded beside the frames.
  let networkMaps: [NetworkMaps]
  let warnings: [ReplayWarning]
  let sensors: [SensorDescription]
  /// Position of the trigger sensor in `index.sensors`.
  let trigger: Int
  let frames: [PlannedFrame]

  var layout: String { index.layout }
  var path: String { index.path }
  var name: String { index.name }
  var frameCount: Int { frames.count }
  var triggerSensor: String { index.sensors[trigger].name }
  var association: SampleAssociation { options.association }
  var durationNanoseconds: Int64 {
    guard let first = frames.first, let last = frames.last else { return 0 }
    return last.timestampNanoseconds - first.timestampNanoseconds
  }

  init(
    index: RecordingIndex, reader: any SampleReader, options: RecordingOptions
  ) throws(RecordingError) {
    var index = index
    var warnings = index.warnings
    for position in index.sensors.indices {
      let recorded = index.sensors[position].samples.map(\.timestampNanoseconds)
      let name = index.sensors[position].name
      let left = index.sensors[position].sortSamples()
      if left > 0 { warnings.append(Self.implausibleTimes(name, left)) }
      warnings += SampleTimeline.warnings(
        sensor: name, timestamps: recorded.filter(RecordingTime.isPlausible))
      warnings += Self.sensorWarnings(index.sensors[position])
    }
    trigger = try Self.chooseTrigger(index, options)
    frames = PlannedFrame.plan(index, trigger: trigger, options)
    guard !frames.isEmpty else { throw Self.noFrames(index) }
    networkOutputs = try NetworkOutputs(root: index.outputRoot)
    networkMaps = NetworkMaps.open(root: index.outputRoot)
    sensors = index.sensors.map(SensorDescription.init)
    self.index = index
    self.reader = reader
    self.options = options
    self.warnings = warnings
  }

  func frameTimestampNanoseconds(_ index: Int) -> Int64 {
    precondition(frames.indices.contains(index), "frame \(index) of \(frames.count)")
    return frames[index].timestampNanoseconds
  }

  private static func chooseTrigger(
    _ index: RecordingIndex, _ options: RecordingOptions
  ) throws(RecordingError) -> Int {
    let names = index.sensors.map(\.name).joined(separator: " ")
    if let name = options.triggerSensor {
      guard let position = index.sensors.firstIndex(where: { $0.name == name }) else {
        throw RecordingError(
          file: index.path, expected: "a trigger sensor of \(names)", found: name,
          remedy: "choose one of them")
      }
      return position
    }
    let lidar = index.sensors.firstIndex { $0.kind == .lidar && !$0.samples.isEmpty }
    let camera = index.sensors.firstIndex { $0.kind == .camera && !$0.samples.isEmpty }
    guard let position = lidar ?? camera else { throw noFrames(index) }
    return position
  }

  private static func noFrames(_ index: RecordingIndex) -> RecordingError {
    let damage = index.warnings.first.map { " (\($0.message))" } ?? ""
    return RecordingError(
      file: index.path, record: index.name, expected: "at least one frame",
      found: "no samples of a LiDAR or camera\(damage)",
      remedy: "check that sensor data was copied with the recording")
  }

  private static func implausibleTimes(_ sensor: String, _ count: Int) -> ReplayWarning {
    ReplayWarning(
      code: ReplayWarning.recordInvalid, sensor: sensor,
      message: "\(count) samples have times beyond the year 2096 and were left out")
  }

  private static func sensorWarnings(_ sensor: IndexedSensor) -> [ReplayWarning] {
    var warnings: [ReplayWarning] = []
    if let problem = sensor.problem {
      warnings.append(
        ReplayWarning(code: problem.code, sensor: sensor.name, message: problem.message))
    }
    let absent = sensor.samples.filter { !$0.isPresent }
    if let first = absent.first {
      warnings.append(
        ReplayWarning(
          code: ReplayWarning.fileMissing, sensor: sensor.name,
          message: "\(absent.count) of \(sensor.samples.count) files are not there, the first: "
            + first.file))
    }
    return warnings
  }
}

/// A frame before its data is read.
struct PlannedFrame: Sendable {
  var timestampNanoseconds: Int64
  /// The trigger's sample.
  var sample: Int
  var pose: PoseTrack.Lookup
  var resetsHistory: Bool
  /// Why history is reset, where that is odd.
  var jump: String?

  static func plan(
    _ index: RecordingIndex, trigger: Int, _ options: RecordingOptions
  ) -> [PlannedFrame] {
    var frames: [PlannedFrame] = []
    var previous: (time: Int64, pose: RigidTransform)?
    for (number, sample) in index.sensors[trigger].samples.enumerated() {
      var frame = PlannedFrame(
        timestampNanoseconds: sample.timestampNanoseconds, sample: number,
        pose: index.pose(of: sample), resetsHistory: previous == nil || !index.hasPoses)
      if let pose = frame.pose.transform {
        if let previous {
          frame.checkJump(
            from: previous.pose, to: pose, options.maximumEgoSpeedMetersPerSecond,
            seconds: Double(sample.timestampNanoseconds - previous.time) / 1e9)
        }
        previous = (sample.timestampNanoseconds, pose)
      }
      frames.append(frame)
    }
    return frames
  }

  private mutating func checkJump(
    from: RigidTransform, to: RigidTransform, _ maximumSpeed: Double, seconds: Double
  ) {
    let step = to.translation - from.translation
    let distance = (step * step).sum().squareRoot()
    guard distance > maximumSpeed * seconds else { return }
    resetsHistory = true
    let meters = (distance * 100).rounded() / 100
    jump = "the ego moved \(meters) m in \(seconds) s, more than \(maximumSpeed) m/s allows"
  }
}

extension PoseTrack.Lookup {
  var transform: RigidTransform? {
    switch self {
    case .known(let pose), .extrapolated(let pose): pose
    case .missing: nil
    }
  }
  var isExtrapolated: Bool {
    if case .extrapolated = self { return true }
    return false
  }
}

extension RecordingIndex {
  /// The ego pose at a sample's time: its own where the recording stores one.
  func pose(of sample: IndexedSample) -> PoseTrack.Lookup {
    if let pose = sample.worldFromEgo { return .known(pose) }
    return pose(at: sample.timestampNanoseconds)
  }
  func pose(at time: Int64) -> PoseTrack.Lookup {
    hasPoses ? poses.lookup(time) : .known(.identity)
  }
}

extension SensorDescription {
  init(_ sensor: IndexedSensor) {
    let size = sensor.calibrations.lazy.compactMap(\.intrinsics).first
    self.init(
      name: sensor.name, kind: sensor.kind, sampleCount: sensor.samples.count,
      rateHertz: SampleTimeline.rateHertz(sensor.samples.map(\.timestampNanoseconds)),
      calibration: sensor.problem.map { .missing($0.message) } ?? .found,
      widthPixels: size?.widthPixels ?? 0, heightPixels: size?.heightPixels ?? 0)
  }
}
