import Swiftlet

/// KITTI raw: `<date>/calib_*.txt` and `<date>/<drive>/{image_0x,velodyne_points,oxts}`.
///
/// Ego axes are the LiDAR's; world is the LiDAR at the first pose. Poses come from `poses.txt`
/// (rectified camera 0, the odometry format), `poses_velodyne.txt` (LiDAR) or `oxts`, in this order.
enum KITTIRawReader {
  static let layout = "KITTI raw"

  /// The drives below a path: itself, in a date folder, or in date folders of a root.
  static func drives(_ path: String) -> [String] {
    if isDrive(path) { return [path] }
    let inside = folders(path)
    let direct = inside.filter(isDrive)
    return direct.isEmpty ? inside.flatMap { folders($0).filter(isDrive) } : direct
  }
  private static func folders(_ path: String) -> [String] {
    RecordingFile.names(in: path).map { "\(path)/\($0)" }.filter(RecordingFile.isFolder)
  }
  private static func isDrive(_ path: String) -> Bool {
    RecordingFile.isFolder("\(path)/velodyne_points")
      || (0..<4).contains { RecordingFile.isFolder("\(path)/image_0\($0)/data") }
  }

  static func index(
    drive: String, path: String, options: RecordingOptions
  ) throws(RecordingError) -> RecordingIndex {
    var warnings: [ReplayWarning] = []
    let calibration = calibrationFolder(drive)
    let rig = readRig(calibration)
    var sensors: [IndexedSensor] = []
    var timeline: [Int64?] = []
    for number in 0..<4 where RecordingFile.isFolder("\(drive)/image_0\(number)/data") {
      let lines = readTimes("\(drive)/image_0\(number)", &warnings)
      sensors.append(camera(number, drive, lines, calibration, rig, &warnings))
      if timeline.isEmpty { timeline = lines }
    }
    if RecordingFile.isFolder("\(drive)/velodyne_points") {
      let lines = readTimes("\(drive)/velodyne_points", &warnings)
      var lidar = IndexedSensor(name: "velodyne", kind: .lidar)
      lidar.calibrations = [SensorCalibration(egoFromSensor: .identity)]
      lidar.samples = KITTIFiles.samples(
        "\(drive)/velodyne_points/data", lines, ["bin"], digits: 10, &warnings)
      sensors.append(lidar)
      if !lines.isEmpty { timeline = lines }
    }
    let poses = try readPoses(drive, calibration, rig, options, &warnings)
    return RecordingIndex(
      layout: layout, path: path, name: RecordingFile.name(drive), sensors: sensors,
      poses: poses?.track(timestamps: timeline) ?? PoseTrack([]), hasPoses: poses != nil,
      warnings: warnings + (poses?.warnings ?? []), outputRoot: drive)
  }

  // MARK: calibration

  /// Beside the drive, as published, or inside it, as some copies have it.
  private static func calibrationFolder(_ drive: String) -> String {
    RecordingFile.exists("\(drive)/calib_velo_to_cam.txt") ? drive : "\(drive)/.."
  }

  private static func readRig(_ folder: String) -> Result<KITTIRig, RecordingError> {
    do throws(RecordingError) {
      let velodyne = try KITTIKeyValues(file: "\(folder)/calib_velo_to_cam.txt")
      let cameras = try KITTIKeyValues(file: "\(folder)/calib_cam_to_cam.txt")
      let cameraFromLidar = RigidTransform(
        rotation: Matrix3(rowMajor: try velodyne.numbers("R", 9)),
        translation: vector(try velodyne.numbers("T", 3)))
      let rectification = RigidTransform(
        rotation: Matrix3(rowMajor: try cameras.numbers("R_rect_00", 9)), translation: .zero)
      try validate(cameraFromLidar, velodyne.file, "R")
      try validate(rectification, cameras.file, "R_rect_00")
      return .success(KITTIRig(rectifiedFromLidar: rectification * cameraFromLidar))
    } catch {
      return .failure(error)
    }
  }

  private static func validate(
    _ transform: RigidTransform, _ file: String, _ key: String
  ) throws(RecordingError) {
    do throws(CalibrationError) {
      try transform.validate(sensor: key)
    } catch {
      throw RecordingError(
        file: file, record: key, expected: error.expected, found: error.found,
        remedy: error.remedy)
    }
  }

  private static func vector(_ v: [Double]) -> SIMD3<Double> { SIMD3(v[0], v[1], v[2]) }

  // MARK: sensors

  /// Times of a sensor's samples; none, with a warning, where the file is not usable.
  private static func readTimes(_ folder: String, _ warnings: inout [ReplayWarning]) -> [Int64?] {
    do throws(RecordingError) {
      let lines = try KITTITimestamps.readDates("\(folder)/timestamps.txt")
      warnings += lines.warnings
      return lines.times
    } catch {
      warnings.append(
        ReplayWarning(
          code: ReplayWarning.recordInvalid, sensor: RecordingFile.name(folder),
          message: error.description))
      return []
    }
  }

  private static func camera(
    _ number: Int, _ drive: String, _ times: [Int64?], _ calibration: String,
    _ rig: Result<KITTIRig, RecordingError>, _ warnings: inout [ReplayWarning]
  ) -> IndexedSensor {
    let name = "image_0\(number)"
    var sensor = IndexedSensor(name: name, kind: .camera)
    sensor.samples = KITTIFiles.samples(
      "\(drive)/\(name)/data", times, ["png", "jpg"], digits: 10, &warnings)
    do throws(RecordingError) {
      let file = try KITTIKeyValues(file: "\(calibration)/calib_cam_to_cam.txt")
      let size = try file.numbers("S_rect_0\(number)", 2)
      let projection = try file.numbers("P_rect_0\(number)", 12)
      guard let width = Int(exactly: size[0]), let height = Int(exactly: size[1]) else {
        throw RecordingError(
          file: file.file, record: "S_rect_0\(number)", expected: "whole pixels",
          found: "\(size)", remedy: "copy the published calibration again")
      }
      let rig = try rig.get()
      do throws(CalibrationError) {
        sensor.calibrations = [
          try rig.camera(projection, width: width, height: height, name: name)
        ]
      } catch {
        throw RecordingError(
          file: file.file, record: "P_rect_0\(number)", expected: error.expected,
          found: error.found, remedy: error.remedy)
      }
    } catch {
      sensor.problem = SensorProblem(error)
    }
    return sensor
  }

  // MARK: poses

  private static func readPoses(
    _ drive: String, _ calibration: String, _ rig: Result<KITTIRig, RecordingError>,
    _ options: RecordingOptions, _ warnings: inout [ReplayWarning]
  ) throws(RecordingError) -> KITTIPoses? {
    let files = [options.posesFile.map { KITTIFiles.locate($0, folders: [drive]) }]
      .compactMap { $0 } + ["\(drive)/poses.txt", "\(drive)/poses_velodyne.txt"]
    for file in files where RecordingFile.exists(file) || file == files[0] && options.posesFile != nil {
      let isLidarFrame = KITTIFiles.isLidarFrame(file)
      switch rig {
      case .success(let rig):
        return try KITTIPoses(file: file, rig: rig, isLidarFrame: isLidarFrame)
      case .failure(let error):
        guard isLidarFrame else {
          warnings.append(
            ReplayWarning(
              code: ReplayWarning.poseInvalid,
              message: "\(file) is of camera 0, whose place is unknown: \(error.description)"))
          continue
        }
        return try KITTIPoses(
          file: file, rig: KITTIRig(rectifiedFromLidar: .identity), isLidarFrame: true)
      }
    }
    return readInertialPoses(drive, calibration, &warnings)
  }

  private static func readInertialPoses(
    _ drive: String, _ calibration: String, _ warnings: inout [ReplayWarning]
  ) -> KITTIPoses? {
    guard RecordingFile.isFolder("\(drive)/oxts/data") else {
      warnings.append(
        ReplayWarning(
          code: ReplayWarning.poseMissing,
          message: "\(drive) has neither poses nor oxts: frames stand for themselves"))
      return nil
    }
    do throws(RecordingError) {
      let file = try KITTIKeyValues(file: "\(calibration)/calib_imu_to_velo.txt")
      let lidarFromInertial = RigidTransform(
        rotation: Matrix3(rowMajor: try file.numbers("R", 9)),
        translation: vector(try file.numbers("T", 3)))
      try validate(lidarFromInertial, file.file, "R")
      return KITTIPoses(oxtsFolder: "\(drive)/oxts/data", egoFromInertial: lidarFromInertial)
    } catch {
      warnings.append(
        ReplayWarning(code: ReplayWarning.poseMissing, message: error.description))
      return nil
    }
  }
}
