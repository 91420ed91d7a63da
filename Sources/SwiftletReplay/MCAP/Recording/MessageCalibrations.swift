import Swiftlet

/// The calibrations of one sensor: usually one, more where its mount moves or its message changes.
struct MessageCalibrations {
  private(set) var all: [SensorCalibration] = []
  /// Why there is none.
  private(set) var problem: SensorProblem?

  private let tree: TransformTree
  private let baseFrame: String
  private let topic: IndexedTopic
  private let name: String
  /// In order of time.
  private let infos: [(time: Int64, message: CameraInfoMessage)]
  private let isRectified: Bool

  init(
    tree: TransformTree, baseFrame: String, topic: IndexedTopic, name: String,
    infos: [(topic: String, time: Int64, message: CameraInfoMessage)]
  ) {
    self.tree = tree
    self.baseFrame = baseFrame
    self.topic = topic
    self.name = name
    isRectified = topic.name.contains("rect")
    // The camera_info beside the images; else one of the same frame.
    let beside = infos.filter { MessageKind.sensorName(topic: $0.topic) == name }
    let sameFrame = infos.filter { TransformTree.name($0.message.header.frameID) == topic.frameID }
    let used = beside.isEmpty ? sameFrame : beside
    self.infos = used.map { ($0.time, $0.message) }.sorted { $0.time < $1.time }
  }

  /// The calibration that holds at a time: an index into `all`; nil where there is none.
  mutating func index(at time: Int64) -> Int? {
    guard let egoFromFrame = tree.lookup(topic.frameID, in: baseFrame, at: time) else {
      note(
        ReplayWarning.calibrationMissing,
        "no transform of '\(topic.frameID)' in '\(baseFrame)' at \(time) ns")
      return nil
    }
    let calibration: SensorCalibration
    if topic.kind.sensorKind == .lidar {
      calibration = SensorCalibration(egoFromSensor: egoFromFrame)
    } else {
      guard let made = camera(at: time, egoFromFrame) else { return nil }
      calibration = made
    }
    // Mounts seldom move: compare with the last first.
    if let index = all.lastIndex(where: { $0.isSame(as: calibration) }) { return index }
    all.append(calibration)
    return all.count - 1
  }

  private mutating func camera(at time: Int64, _ egoFromFrame: RigidTransform) -> SensorCalibration? {
    let next = infos.partitioningIndex { $0.time > time }
    // The latest not after the image; before the first, the first.
    guard let info = infos.isEmpty ? nil : infos[max(0, next - 1)].message else {
      note(ReplayWarning.calibrationMissing, "no camera_info beside \(topic.name)")
      return nil
    }
    do throws(CalibrationError) {
      return try info.calibration(
        isRectified: isRectified, egoFromFrame: egoFromFrame, sensor: name)
    } catch {
      note(ReplayWarning.calibrationInvalid, "expected \(error.expected), found \(error.found)")
      return nil
    }
  }

  private mutating func note(_ code: String, _ message: String) {
    if problem == nil { problem = SensorProblem(code: code, message: message) }
  }
}

extension SensorCalibration {
  fileprivate func isSame(as other: SensorCalibration) -> Bool {
    egoFromSensor == other.egoFromSensor && intrinsics == other.intrinsics
  }
}
