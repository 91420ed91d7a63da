import Swiftlet

/// Finds a recording's ego and world frames in its transforms and makes its sensors.
struct MessageRig {
  let indexer: MessageIndexer
  /// The frame whose axes are the ego's.
  let baseFrame: String
  private(set) var warnings: [ReplayWarning] = []
  private(set) var messages: [IndexedMessage] = []

  /// Names of ego frames, best first (REP 105, CARLA, Autoware).
  private static let baseNames = [
    "base_link", "base_footprint", "ego_vehicle", "ego", "vehicle", "base",
  ]

  init(indexer: MessageIndexer) {
    self.indexer = indexer
    baseFrame = Self.findBase(indexer)
  }

  private static func findBase(_ indexer: MessageIndexer) -> String {
    let sensors = indexer.topics.sorted { $0.kind.sensorKind == .lidar && $1.kind.sensorKind != .lidar }
    let chains = sensors.compactMap { indexer.tree.chain($0.frameID) }
    for name in baseNames where chains.contains(where: { $0.contains(name) }) { return name }
    // Else the highest frame that the sensors' mounts lead to.
    guard let chain = chains.first(where: { $0.count > 1 }) ?? chains.first, let first = chain.first
    else { return "" }
    return chain.last { indexer.tree.isStatic(first, below: $0) } ?? first
  }

  // MARK: poses

  /// The ego's poses: by the transforms, else by odometry or pose messages.
  mutating func poseTrack(over times: ClosedRange<Int64>) -> PoseTrack? {
    if let chain = indexer.tree.chain(baseFrame), chain.count > 1 {
      // The odometry frame does not jump when a localiser corrects itself.
      let world = chain.dropFirst().first { $0 == "odom" } ?? chain[chain.count - 1]
      if let track = indexer.tree.track(baseFrame, in: world, over: times), !track.isEmpty {
        return track
      }
    }
    let track = odometryTrack()
    if track == nil {
      let missing =
        baseFrame.isEmpty
        ? "no transforms, odometry or poses" : "no transform, odometry or pose of '\(baseFrame)'"
      warnings.append(
        ReplayWarning(
          code: ReplayWarning.poseMissing, message: "\(missing): frames stand for themselves"))
    }
    return track
  }

  private func odometryTrack() -> PoseTrack? {
    guard let topic = indexer.poses.first?.topic else { return nil }
    var samples: [(timestampNanoseconds: Int64, worldFromEgo: RigidTransform)] = []
    for (_, time, message) in indexer.poses where message.childFrameID == baseFrame || topic == topic {
      guard message.orientation.norm > 0.5, message.orientation.norm < 2 else { continue }
      let worldFromChild = RigidTransform(
        rotation: message.orientation.normalized, translation: message.position)
      let child = TransformTree.name(message.childFrameID)
      // A message without a child frame is of the ego.
      let baseFromChild =
        child.isEmpty ? .identity : indexer.tree.lookup(child, in: baseFrame, at: time) ?? .identity
      let pose = worldFromChild * baseFromChild.inverse
      if pose.isFinite { samples.append((time, pose)) }
    }
    return samples.isEmpty ? nil : PoseTrack(samples)
  }

  // MARK: sensors

  /// Cameras in the rig's order, then LiDARs.
  mutating func sensors() -> [IndexedSensor] {
    var chosen: [String: IndexedTopic] = [:]
    var names: [String] = []
    for topic in indexer.topics {
      guard topic.kind.sensorKind != nil else { continue }
      let name = MessageKind.sensorName(topic: topic.name)
      guard let other = chosen[name] else {
        chosen[name] = topic
        names.append(name)
        continue
      }
      let (kept, left) = topic.messages.count > other.messages.count ? (topic, other) : (other, topic)
      chosen[name] = kept
      warnings.append(
        ReplayWarning(
          code: ReplayWarning.sensorIgnored, sensor: name,
          message: "\(left.name) is not used, \(kept.name) is"))
    }
    var sensors: [(frame: String, sensor: IndexedSensor)] = []
    for name in names {
      guard let topic = chosen[name] else { continue }
      sensors.append((topic.frameID, sensor(name, topic)))
    }
    sensors += camerasWithoutImages(names)
    let order = indexer.tree.order
    let ranked = sensors.enumerated().sorted { a, b in
      let (i, j) = (order.firstIndex(of: a.element.frame), order.firstIndex(of: b.element.frame))
      return (i ?? .max, a.offset) < (j ?? .max, b.offset)
    }.map(\.element.sensor)
    return ranked.filter { $0.kind == .camera } + ranked.filter { $0.kind == .lidar }
  }

  /// Cameras that are calibrated in the recording, but have no image in it.
  private func camerasWithoutImages(
    _ names: [String]
  ) -> [(frame: String, sensor: IndexedSensor)] {
    var found: [(frame: String, sensor: IndexedSensor)] = []
    for (topic, _, message) in indexer.cameraInfos {
      let name = MessageKind.sensorName(topic: topic)
      guard !names.contains(name), !found.contains(where: { $0.sensor.name == name }) else {
        continue
      }
      var sensor = IndexedSensor(name: name, kind: .camera)
      sensor.problem = SensorProblem(
        code: ReplayWarning.sensorMissing, message: "\(topic) calibrates it, but it has no images")
      found.append((TransformTree.name(message.header.frameID), sensor))
    }
    return found
  }

  private mutating func sensor(_ name: String, _ topic: IndexedTopic) -> IndexedSensor {
    var sensor = IndexedSensor(name: name, kind: topic.kind.sensorKind ?? .camera)
    warnings += DelayCheck.warnings(sensor: name, messages: topic.messages)
    var calibrations = MessageCalibrations(
      tree: indexer.tree, baseFrame: baseFrame, topic: topic, name: name,
      infos: indexer.cameraInfos)
    for message in topic.messages {
      let calibration = calibrations.index(at: message.time)
      sensor.samples.append(
        IndexedSample(
          timestampNanoseconds: message.time, file: "\(topic.name) at \(message.time) ns",
          outputName: String(message.stamp), record: messages.count, calibration: calibration))
      messages.append(message)
    }
    sensor.calibrations = calibrations.all
    if sensor.calibrations.isEmpty { sensor.problem = calibrations.problem }
    return sensor
  }
}
