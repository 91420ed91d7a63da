import Swiftlet

/// KITTI odometry: `sequences/NN/{calib.txt,times.txt,velodyne,image_0..3}` and `poses/NN.txt`.
///
/// Ego axes are the LiDAR's; world is the LiDAR at the first pose: inv(Tr) · pose · Tr.
enum KITTIOdometryReader {
  static let layout = "KITTI odometry"

  /// The sequences below a path: itself, or in `sequences` (or directly inside).
  static func sequences(_ path: String) -> [String] {
    if isSequence(path) { return [path] }
    for folder in ["\(path)/sequences", "\(path)/dataset/sequences", path] {
      let found = RecordingFile.names(in: folder).map { "\(folder)/\($0)" }.filter(isSequence)
      if !found.isEmpty { return found }
    }
    return []
  }
  private static func isSequence(_ path: String) -> Bool {
    RecordingFile.exists("\(path)/times.txt")
      || RecordingFile.exists("\(path)/calib.txt") && RecordingFile.isFolder("\(path)/velodyne")
  }

  static func index(
    sequence: String, path: String, options: RecordingOptions
  ) throws(RecordingError) -> RecordingIndex {
    var warnings: [ReplayWarning] = []
    let lines = try KITTITimestamps.readSeconds("\(sequence)/times.txt")
    let timestamps = lines.times
    warnings += lines.warnings
    let calibration: KITTIKeyValues?
    var problem: RecordingError?
    do throws(RecordingError) {
      calibration = try KITTIKeyValues(file: "\(sequence)/calib.txt")
    } catch {
      calibration = nil
      problem = error
    }
    let rig = calibration.flatMap { readRig($0, &problem) }
    var sensors: [IndexedSensor] = []
    for number in 0..<4 where RecordingFile.isFolder("\(sequence)/image_\(number)") {
      sensors.append(camera(number, sequence, timestamps, calibration, rig, problem, &warnings))
    }
    if RecordingFile.isFolder("\(sequence)/velodyne") {
      var lidar = IndexedSensor(name: "velodyne", kind: .lidar)
      lidar.calibrations = [SensorCalibration(egoFromSensor: .identity)]
      lidar.samples = KITTIFiles.samples(
        "\(sequence)/velodyne", timestamps, ["bin"], digits: 6, &warnings)
      if options.readsPointLabels { addLabels("\(sequence)/labels", to: &lidar) }
      sensors.append(lidar)
    }
    let poses = try readPoses(sequence, rig, problem, options, &warnings)
    return RecordingIndex(
      layout: layout, path: path, name: RecordingFile.name(sequence), sensors: sensors,
      poses: poses?.track(timestamps: timestamps) ?? PoseTrack([]), hasPoses: poses != nil,
      warnings: warnings + (poses?.warnings ?? []), outputRoot: sequence)
  }

  /// SemanticKITTI: `labels/NNNNNN.label` beside `velodyne`.
  private static func addLabels(_ folder: String, to lidar: inout IndexedSensor) {
    lidar.labels = .semanticKITTI
    for index in lidar.samples.indices {
      let file = "\(folder)/\(RecordingFile.stem(lidar.samples[index].file)).label"
      if RecordingFile.exists(file) { lidar.samples[index].labelFile = file }
    }
  }

  private static func readRig(_ calibration: KITTIKeyValues, _ problem: inout RecordingError?) -> KITTIRig? {
    do throws(RecordingError) {
      // Some copies name it Tr_velo_to_cam.
      let key = calibration.has("Tr") ? "Tr" : "Tr_velo_to_cam"
      let transform = RigidTransform(
        rowMajor3x4: try calibration.numbers(calibration.has(key) ? key : "Tr", 12))
      do throws(CalibrationError) {
        try transform.validate(sensor: key)
      } catch {
        throw RecordingError(
          file: calibration.file, record: key, expected: error.expected, found: error.found,
          remedy: error.remedy)
      }
      return KITTIRig(rectifiedFromLidar: transform)
    } catch {
      problem = error
      return nil
    }
  }

  private static func camera(
    _ number: Int, _ sequence: String, _ timestamps: [Int64?], _ calibration: KITTIKeyValues?,
    _ rig: KITTIRig?, _ problem: RecordingError?, _ warnings: inout [ReplayWarning]
  ) -> IndexedSensor {
    var sensor = IndexedSensor(name: "image_\(number)", kind: .camera)
    sensor.samples = KITTIFiles.samples(
      "\(sequence)/image_\(number)", timestamps, ["png", "jpg"], digits: 6, &warnings)
    guard let calibration, let rig else {
      sensor.problem = problem.map(SensorProblem.init)
      return sensor
    }
    do throws(RecordingError) {
      let projection = try calibration.numbers("P\(number)", 12)
      guard let first = sensor.samples.first(where: \.isPresent) else { return sensor }
      let size = try KITTIFiles.imageSize(first.file)
      do throws(CalibrationError) {
        sensor.calibrations = [
          try rig.camera(
            projection, width: size.width, height: size.height, name: sensor.name)
        ]
      } catch {
        throw RecordingError(
          file: calibration.file, record: "P\(number)", expected: error.expected,
          found: error.found, remedy: error.remedy)
      }
    } catch {
      sensor.problem = SensorProblem(error)
    }
    return sensor
  }

  private static func readPoses(
    _ sequence: String, _ rig: KITTIRig?, _ problem: RecordingError?, _ options: RecordingOptions,
    _ warnings: inout [ReplayWarning]
  ) throws(RecordingError) -> KITTIPoses? {
    let name = RecordingFile.name(sequence)
    let folder = "\(sequence)/../../poses"
    let found = RecordingFile.names(in: folder).filter {
      $0 == "\(name).txt" || $0.hasPrefix("\(name)_") && $0.hasSuffix(".txt")
    }
    let standard = ["\(folder)/\(name).txt", "\(sequence)/poses.txt"].first(
      where: RecordingFile.exists)
    let asked = options.posesFile.map { KITTIFiles.locate($0, folders: [folder, sequence]) }
    guard let file = asked ?? standard ?? found.first.map({ "\(folder)/\($0)" }) else {
      warnings.append(
        ReplayWarning(
          code: ReplayWarning.poseMissing,
          message: "no poses for sequence \(name): frames stand for themselves"))
      return nil
    }
    if asked == nil, found.count > 1 {
      warnings.append(
        ReplayWarning(
          code: ReplayWarning.posesChosen,
          message: "poses from \(RecordingFile.name(file)); others there: "
            + found.filter { $0 != RecordingFile.name(file) }.joined(separator: " ")))
    }
    let isLidarFrame = KITTIFiles.isLidarFrame(file)
    guard let rig = rig ?? (isLidarFrame ? KITTIRig(rectifiedFromLidar: .identity) : nil) else {
      warnings.append(
        ReplayWarning(
          code: ReplayWarning.poseInvalid,
          message: "\(file) is of camera 0, whose place is unknown: \(problem?.description ?? "no Tr")"))
      return nil
    }
    return try KITTIPoses(file: file, rig: rig, isLidarFrame: isLidarFrame)
  }
}
