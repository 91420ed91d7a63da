import Swiftlet

/// nuScenes v1.0: JSON tables in `v1.0-*`, images and scans beside them.
///
/// Every sample_data has its own timestamp and its own ego pose; both are used as they are. LiDAR
/// scans are corrected for motion by the publisher. Recordings that are not say so in
/// `points.json` at the root:
/// `{"LIDAR_TOP": {"fields": ["x","y","z","intensity","ring","time"], "motion_corrected": false}}`,
/// `time` in seconds relative to the scan's timestamp.
struct NuScenesReader {
  static let layout = "nuScenes"
  /// The own car's returns, 8,500 a scan in the published recordings: its body around the LiDAR,
  /// ego axes (origin below the rear axle).
  static let egoBodyBox = EgoBodyBox(
    minimum: SIMD3(-1.2, -1.1, -0.5), maximum: SIMD3(3.7, 1.1, 2.2))

  private let root: String
  private let tables: String
  private var warnings: [ReplayWarning] = []
  private var calibrationErrors: [String: String] = [:]
  private var labels = NuScenesLabels()

  /// The folders of tables below a path, and the root that file names are relative to.
  static func tableFolders(_ path: String) -> [(root: String, tables: String)] {
    if RecordingFile.exists("\(path)/sample_data.json") { return [("\(path)/..", path)] }
    return RecordingFile.names(in: path).filter { $0.hasPrefix("v1.0-") }
      .map { (path, "\(path)/\($0)") }.filter { RecordingFile.isFolder($0.1) }
  }

  /// Opens the first folder of tables that has the wanted scene.
  static func index(
    path: String, options: RecordingOptions
  ) throws(RecordingError) -> RecordingIndex {
    if let file = options.posesFile {
      throw RecordingError(
        file: path, expected: "no poses file: nuScenes has a pose for every sample", found: file,
        remedy: "leave the poses file out")
    }
    var names: [String] = []
    for (root, tables) in tableFolders(path) {
      var reader = NuScenesReader(root: root, tables: tables)
      let scenes = try reader.scenes()
      guard let scene = scenes.first(where: { options.scene == nil || $0.isNamed(options.scene) })
      else {
        names += scenes.map(\.name)
        continue
      }
      if options.readsPointLabels {
        reader.labels = try NuScenesLabels(tables: tables, root: root, &reader.warnings)
      }
      return try reader.index(scene: scene, sceneCount: scenes.count, path: path)
    }
    throw RecordingError(
      file: path, record: "scene.json",
      expected: options.scene.map { "a scene \($0)" } ?? "at least one scene",
      found: names.isEmpty ? "none" : names.joined(separator: " "),
      remedy: "choose a scene that is there")
  }

  private init(root: String, tables: String) {
    self.root = root
    self.tables = tables
  }
  private func table(_ name: String) -> NuScenesTable {
    NuScenesTable(file: "\(tables)/\(name).json")
  }

  // MARK: scenes and samples

  private struct Scene {
    var token: String
    var name: String
    func isNamed(_ text: String?) -> Bool { name == text || token == text }
  }

  private mutating func scenes() throws(RecordingError) -> [Scene] {
    var scenes: [Scene] = []
    try table("scene").forEach(&warnings) { (record) throws(RecordingError) in
      let token = try record.token()
      scenes.append(Scene(token: token, name: record.value["name"]?.stringValue ?? token))
    }
    return scenes
  }

  private mutating func index(
    scene: Scene, sceneCount: Int, path: String
  ) throws(RecordingError) -> RecordingIndex {
    var samples: Set<String> = []
    try table("sample").forEach(&warnings) { (record) throws(RecordingError) in
      if try record.token("scene_token") == scene.token { samples.insert(try record.token()) }
    }
    guard !samples.isEmpty else {
      throw RecordingError(
        file: table("sample").file, record: "scene \(scene.name)", expected: "at least one sample",
        found: "none", remedy: "choose another scene or copy the tables again")
    }
    let channels = try readChannels()
    var rows = try readSampleData(samples)
    let (calibrations, channelOf) = try readCalibrations(Set(rows.map(\.calibration)))
    let poses = try attachPoses(&rows)
    checkLinks(rows)
    leaveOutAbsentSweeps(&rows)
    let sensors = sensors(channels, rows, calibrations, channelOf)
    return RecordingIndex(
      layout: Self.layout, path: path, name: scene.name, sensors: sensors, poses: poses,
      hasPoses: true, warnings: warnings, outputRoot: root, egoBodyBox: Self.egoBodyBox)
  }

  // MARK: tables

  private struct Channel {
    var token: String
    var name: String
    var kind: SensorDescription.Kind?
  }
  private struct Row {
    var token: String
    var next: String
    var poseToken: String
    var calibration: String
    var timestamp: Int64
    var file: String
    var width: Int
    var height: Int
    var isKeyFrame: Bool
    var worldFromEgo: RigidTransform?
  }
  private struct CalibrationRow {
    var mount: RigidTransform
    var intrinsics: [Double]?
  }

  private mutating func readChannels() throws(RecordingError) -> [Channel] {
    var channels: [Channel] = []
    try table("sensor").forEach(&warnings) { (record) throws(RecordingError) in
      let kinds: [String: SensorDescription.Kind] = ["camera": .camera, "lidar": .lidar]
      channels.append(
        Channel(
          token: try record.token(), name: try record.token("channel"),
          kind: kinds[try record.string("modality")]))
    }
    return channels
  }

  private mutating func readSampleData(_ samples: Set<String>) throws(RecordingError) -> [Row] {
    var rows: [Row] = []
    try table("sample_data").forEach(&warnings) { (record) throws(RecordingError) in
      guard samples.contains(try record.token("sample_token")) else { return }
      rows.append(
        Row(
          token: try record.token(), next: record.value["next"]?.stringValue ?? "",
          poseToken: try record.token("ego_pose_token"),
          calibration: try record.token("calibrated_sensor_token"),
          timestamp: try record.timestamp(), file: try record.token("filename"),
          width: record.size("width"), height: record.size("height"),
          isKeyFrame: record.value["is_key_frame"]?.boolValue ?? true))
    }
    return rows
  }

  /// Calibrations in use; damaged ones leave a reason in `calibrationErrors`.
  private mutating func readCalibrations(
    _ wanted: Set<String>
  ) throws(RecordingError) -> ([String: CalibrationRow], channelOf: [String: String]) {
    var calibrations: [String: CalibrationRow] = [:]
    var channelOf: [String: String] = [:]
    var errors: [String: String] = [:]
    let file = table("calibrated_sensor").file
    try table("calibrated_sensor").forEach(&warnings) { (record) throws(RecordingError) in
      let token = try record.token()
      guard wanted.contains(token) else { return }
      channelOf[token] = try record.token("sensor_token")
      do throws(RecordingError) {
        calibrations[token] = CalibrationRow(
          mount: try record.transform(), intrinsics: try record.intrinsicMatrix())
      } catch {
        errors[token] = error.description
      }
    }
    for token in wanted.subtracting(channelOf.keys).sorted() {
      let error = RecordingError(
        file: file, expected: "a record with token \(token), as sample_data refers to",
        found: "none", remedy: "copy the table again; the samples that refer to it are left out")
      warnings.append(
        ReplayWarning(code: ReplayWarning.recordInvalid, message: error.description))
    }
    calibrationErrors = errors
    return (calibrations, channelOf)
  }

  /// Reads the poses that rows refer to, gives each row its own, and returns all as a track.
  private mutating func attachPoses(_ rows: inout [Row]) throws(RecordingError) -> PoseTrack {
    let wanted = Set(rows.map(\.poseToken))
    var poses: [String: (time: Int64, pose: RigidTransform)] = [:]
    var damaged: Set<String> = []
    var poseWarnings: [ReplayWarning] = []
    try table("ego_pose").forEach(&warnings) { (record) throws(RecordingError) in
      let token = try record.token()
      guard wanted.contains(token) else { return }
      do throws(RecordingError) {
        poses[token] = (try record.timestamp(), try record.transform())
      } catch {
        damaged.insert(token)
        poseWarnings.append(
          ReplayWarning(code: ReplayWarning.poseInvalid, message: error.description))
      }
    }
    warnings += poseWarnings
    for row in rows.indices {
      // A pose of another time than the sample's is interpolated like any other.
      if let found = poses[rows[row].poseToken], found.time == rows[row].timestamp {
        rows[row].worldFromEgo = found.pose
      } else if poses[rows[row].poseToken] == nil, !damaged.contains(rows[row].poseToken) {
        warnMissingPose(rows[row])
      }
    }
    return PoseTrack(poses.sorted { $0.key < $1.key }.map { ($0.value.time, $0.value.pose) })
  }

  private mutating func warnMissingPose(_ row: Row) {
    let error = RecordingError(
      file: table("ego_pose").file,
      expected: "a record with token \(row.poseToken), as sample_data \(row.token) refers to",
      found: "none", remedy: "copy the table again; the pose is interpolated from its neighbours")
    warnings.append(ReplayWarning(code: ReplayWarning.recordInvalid, message: error.description))
  }

  /// `next` must lead to a later sample of the same sensor, where it leads anywhere in the scene.
  private mutating func checkLinks(_ rows: [Row]) {
    var byToken: [String: Row] = [:]
    for row in rows where byToken.updateValue(row, forKey: row.token) != nil {
      let error = RecordingError(
        file: table("sample_data").file, record: "token \(row.token)", expected: "each token once",
        found: "it again", remedy: "copy the table again")
      warnings.append(ReplayWarning(code: ReplayWarning.recordInvalid, message: error.description))
    }
    for row in rows {
      guard let next = byToken[row.next], next.timestamp < row.timestamp else { continue }
      let error = RecordingError(
        file: table("sample_data").file, record: "token \(row.token)",
        expected: "next to be later than \(row.timestamp / 1_000) µs",
        found: "\(next.timestamp / 1_000) µs", remedy: "samples are used in the order of time")
      warnings.append(
        ReplayWarning(code: ReplayWarning.timestampOrder, message: error.description))
    }
  }

  /// Many copies hold the key frames only, though the tables list the sweeps between them: without
  /// a single sweep on disk they are no missing files. Their poses stay in the track.
  private mutating func leaveOutAbsentSweeps(_ rows: inout [Row]) {
    let sweeps = rows.filter { !$0.isKeyFrame }
    guard sweeps.count < rows.count, let first = sweeps.first,
      !sweeps.contains(where: { RecordingFile.exists("\(root)/\($0.file)") })
    else { return }
    rows.removeAll { !$0.isKeyFrame }
    warnings.append(
      ReplayWarning(
        code: ReplayWarning.sweepsAbsent,
        message: "none of \(sweeps.count) samples between key frames is there, the first: "
          + "\(first.file); frames are key frames only"))
  }

  // MARK: sensors

  private mutating func sensors(
    _ channels: [Channel], _ rows: [Row], _ calibrations: [String: CalibrationRow],
    _ channelOf: [String: String]
  ) -> [IndexedSensor] {
    var rowsOf: [String: [Row]] = [:]
    for row in rows {
      guard let channel = channelOf[row.calibration] else { continue }
      rowsOf[channel, default: []].append(row)
    }
    let formats = readPointFormats()
    var sensors: [IndexedSensor] = []
    for channel in channels {
      let rows = rowsOf[channel.token] ?? []
      guard let kind = channel.kind else {
        if !rows.isEmpty { warnIgnored(channel, rows.count) }
        continue
      }
      var sensor = IndexedSensor(name: channel.name, kind: kind, points: .xyzIntensityRing)
      if let format = formats[channel.name] { sensor.points = format }
      sensor.labels = labels.format
      addSamples(rows, calibrations, to: &sensor)
      sensors.append(sensor)
    }
    return sensors.filter { $0.kind == .camera } + sensors.filter { $0.kind == .lidar }
  }

  private mutating func warnIgnored(_ channel: Channel, _ count: Int) {
    warnings.append(
      ReplayWarning(
        code: ReplayWarning.sensorIgnored, sensor: channel.name,
        message: "\(count) samples of a sensor that is neither camera nor LiDAR"))
  }

  private func addSamples(
    _ rows: [Row], _ calibrations: [String: CalibrationRow], to sensor: inout IndexedSensor
  ) {
    // A calibration is made for an image size, which stands in sample_data.
    var known: [String: Int] = [:]
    var problem: SensorProblem?
    for row in rows {
      let file = "\(root)/\(row.file)"
      let isPresent = RecordingFile.exists(file)
      let key = "\(row.calibration) \(row.width) \(row.height)"
      if known[key] == nil, isPresent || row.width > 0 || sensor.kind == .lidar {
        do throws(RecordingError) {
          let calibration = try calibration(row, calibrations, sensor, file)
          known[key] = sensor.calibrations.count
          sensor.calibrations.append(calibration)
        } catch {
          problem = problem ?? SensorProblem(error)
        }
      }
      sensor.samples.append(
        IndexedSample(
          timestampNanoseconds: row.timestamp, file: file, outputName: RecordingFile.stem(row.file),
          labelFile: labels.files[row.token], worldFromEgo: row.worldFromEgo, calibration: known[key], isPresent: isPresent))
    }
    guard sensor.calibrations.isEmpty else { return }
    sensor.problem =
      problem
      ?? SensorProblem(
        code: rows.isEmpty ? ReplayWarning.sensorMissing : ReplayWarning.fileMissing,
        message: rows.isEmpty
          ? "no samples in this scene" : "no file is there to take the image size from")
  }

  private func calibration(
    _ row: Row, _ calibrations: [String: CalibrationRow], _ sensor: IndexedSensor, _ file: String
  ) throws(RecordingError) -> SensorCalibration {
    guard let found = calibrations[row.calibration] else {
      throw RecordingError(
        file: table("calibrated_sensor").file, record: "token \(row.calibration)",
        expected: "a usable calibration",
        found: calibrationErrors[row.calibration] ?? "no such record", remedy: "repair the record")
    }
    guard sensor.kind == .camera else { return SensorCalibration(egoFromSensor: found.mount) }
    guard let k = found.intrinsics else {
      throw RecordingError(
        file: table("calibrated_sensor").file, record: "token \(row.calibration)",
        expected: "camera_intrinsic as 3×3 numbers", found: "none", remedy: "calibrate the camera")
    }
    var size = (width: row.width, height: row.height)
    if size.width == 0 || size.height == 0 { size = try KITTIFiles.imageSize(file) }
    let intrinsics = CameraIntrinsics(
      focalX: k[0], focalY: k[4], centerX: k[2], centerY: k[5], widthPixels: size.width,
      heightPixels: size.height)
    do throws(CalibrationError) {
      try intrinsics.validate(sensor: sensor.name)
    } catch {
      throw RecordingError(
        file: table("calibrated_sensor").file, record: "token \(row.calibration), \(sensor.name)",
        expected: error.expected, found: error.found, remedy: error.remedy)
    }
    return SensorCalibration(egoFromSensor: found.mount, intrinsics: intrinsics)
  }

  // MARK: points.json

  private mutating func readPointFormats() -> [String: PointFormat] {
    let file = "\(root)/points.json"
    guard RecordingFile.exists(file) else { return [:] }
    do throws(RecordingError) {
      let bytes = try RecordingFile.read(file)
      do throws(JSONError) {
        let value = try JSONReader.parse(bytes)
        return (value.objectValue ?? [:]).compactMapValues(Self.pointFormat)
      } catch {
        throw RecordingError(
          file: file, byteOffset: error.byteOffset, expected: error.expected, found: error.found,
          remedy: "repair the file; points are read as x y z intensity ring")
      }
    } catch {
      warnings.append(
        ReplayWarning(code: ReplayWarning.recordInvalid, message: error.description))
      return [:]
    }
  }

  private static func pointFormat(_ value: JSONValue) -> PointFormat? {
    guard let fields = value["fields"]?.arrayValue?.compactMap(\.stringValue), fields.count >= 3,
      Array(fields.prefix(3)) == ["x", "y", "z"], fields.count <= 64
    else { return nil }
    return PointFormat(
      fieldCount: fields.count, intensity: fields.firstIndex(of: "intensity"),
      time: fields.firstIndex(of: "time"),
      isMotionCorrected: value["motion_corrected"]?.boolValue ?? true)
  }
}
