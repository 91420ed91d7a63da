import Swiftlet

/// Writes a recording as a nuScenes v1.0 data set: images and scans as they are, the tables made
/// anew. Samples that belong to frames are key frames, the others sweeps. Annotations are not
/// carried: recordings hold none.
struct NuScenesWriter {
  static let version = "v1.0-mini"
  let plan: FolderPlan
  let options: RecordingConverter.Options
  private var summary = RecordingConverter.Summary()
  private var sampleData: [JSONValue] = []
  private var egoPoses: [JSONValue] = []
  private var calibrations: [JSONValue] = []
  private var knownCalibrations: Set<String> = []
  private var pointFormats: [String: JSONValue] = [:]

  init(plan: FolderPlan, options: RecordingConverter.Options) {
    self.plan = plan
    self.options = options
  }

  private var scene: String { plan.recording.name }
  private func token(_ table: String, _ name: String) -> String {
    let text = "\(scene)/\(table)/\(name)"
    return OutputDigest.hash(Array(text.utf8)) + OutputDigest.hash(Array((text + "#").utf8))
  }
  private func sampleToken(_ place: Int) -> String {
    plan.frames.indices.contains(place) ? token("sample", "\(place)") : ""
  }
  private func microseconds(_ nanoseconds: Int64) -> Int64 {
    let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000)
    return rest < 0 ? whole - 1 : whole
  }

  mutating func write(to path: String) throws(RecordingError) -> RecordingConverter.Summary {
    summary.warnings = plan.recording.index.warnings
    let output = try FolderOutput(path: path)
    do throws(RecordingError) {
      noteLosses()
      for position in plan.sensors { try write(position, output) }
      guard !sampleData.isEmpty else {
        throw RecordingError(
          file: plan.recording.path, expected: "a sample that nuScenes can hold", found: "none",
          remedy: "convert to MCAP")
      }
      try writeTables(output)
      try output.finish()
    } catch {
      output.abandon()
      throw error
    }
    return summary
  }

  private mutating func lose(_ sensor: String?, _ message: String) {
    summary.warnings.append(
      ReplayWarning(code: ReplayWarning.notHeld, sensor: sensor, message: message))
  }

  private mutating func noteLosses() {
    let stamps = plan.sensors.flatMap { plan.sensor($0).samples.map(\.timestampNanoseconds) }
    if stamps.contains(where: { $0 % 1_000 != 0 }) {
      lose(nil, "nuScenes counts microseconds: times are rounded down to them")
    }
    if !plan.recording.index.hasPoses {
      lose(nil, "nuScenes needs ego poses and the recording has none: all are the origin")
    }
  }

  // MARK: sensors

  private mutating func write(
    _ position: Int, _ output: FolderOutput
  ) throws(RecordingError) {
    let sensor = plan.sensor(position)
    if let lens = sensor.calibrations.lazy.compactMap(\.intrinsics).first?.lens, lens != .pinhole {
      lose(sensor.name, "nuScenes holds pinhole cameras only; this one was left out")
      return
    }
    let ofFrame = plan.ofFrame[position] ?? []
    let rows = wantedSamples(position, ofFrame)
    for (place, row) in rows.enumerated() {
      let sample = sensor.samples[row.number]
      guard let calibration = sample.calibration else { continue }
      do throws(RecordingError) {
        try write(
          sensor, sample, calibration, row,
          previous: place > 0 ? dataToken(sensor, rows[place - 1].number) : "",
          next: place + 1 < rows.count ? dataToken(sensor, rows[place + 1].number) : "", output)
      } catch {
        guard error.file != output.path else { throw error }
        summary.warnings.append(
          ReplayWarning(
            code: ReplayWarning.messageInvalid, sensor: sensor.name, message: error.description))
      }
    }
  }

  private struct Row {
    var number: Int
    /// Place in the plan's frames.
    var frame: Int
    var isKey: Bool
  }

  /// Samples of frames, and those between them.
  private func wantedSamples(_ position: Int, _ ofFrame: [Int?]) -> [Row] {
    let samples = plan.sensor(position).samples
    var keys: [Int: Int] = [:]
    for (frame, number) in ofFrame.enumerated() {
      if let number, keys[number] == nil { keys[number] = frame }
    }
    let frameTimes = plan.frames.map { plan.recording.frames[$0].timestampNanoseconds }
    guard let first = frameTimes.first, let last = frameTimes.last else { return [] }
    return samples.indices.compactMap { number in
      guard samples[number].isPresent else { return nil }
      if let frame = keys[number] { return Row(number: number, frame: frame, isKey: true) }
      let time = samples[number].timestampNanoseconds
      guard time >= first, time <= last, options.frames == nil else { return nil }
      let after = frameTimes.partitioningIndex { $0 >= time }
      return Row(number: number, frame: min(after, frameTimes.count - 1), isKey: false)
    }
  }

  private func dataToken(_ sensor: IndexedSensor, _ number: Int) -> String {
    token("sample_data", "\(sensor.name)/\(number)")
  }

  private mutating func write(
    _ sensor: IndexedSensor, _ sample: IndexedSample, _ calibration: Int, _ row: Row,
    previous: String, next: String, _ output: FolderOutput
  ) throws(RecordingError) {
    guard let pose = plan.recording.index.pose(of: sample).transform else {
      lose(sensor.name, "the sample of \(sample.timestampNanoseconds) ns has no ego pose and was left out")
      return
    }
    let (bytes, suffix) = try payload(sensor, sample)
    let time = microseconds(sample.timestampNanoseconds)
    let folder = row.isKey ? "samples" : "sweeps"
    let file = "\(folder)/\(sensor.name)/\(Self.plain(scene))__\(sensor.name)__\(time).\(suffix)"
    try output.write(file, bytes)
    let token = dataToken(sensor, row.number)
    addCalibration(sensor, calibration)
    let size = sensor.calibrations[calibration].intrinsics
    sampleData.append(
      .object([
        "token": .string(token), "sample_token": .string(sampleToken(row.frame)),
        "ego_pose_token": .string(token),
        "calibrated_sensor_token": .string(
          self.token("calibrated_sensor", "\(sensor.name)/\(calibration)")),
        "timestamp": .integer(time), "fileformat": .string(sensor.kind == .lidar ? "pcd" : suffix),
        "is_key_frame": .bool(row.isKey),
        "height": .integer(Int64(size?.heightPixels ?? 0)),
        "width": .integer(Int64(size?.widthPixels ?? 0)), "filename": .string(file),
        "prev": .string(previous), "next": .string(next),
      ]))
    egoPoses.append(
      .object([
        "token": .string(token), "timestamp": .integer(time), "rotation": Self.rotation(pose),
        "translation": Self.numbers(pose.translation),
      ]))
    summary.messageCounts["\(folder)/\(sensor.name)", default: 0] += 1
  }

  private mutating func payload(
    _ sensor: IndexedSensor, _ sample: IndexedSample
  ) throws(RecordingError) -> (bytes: [UInt8], suffix: String) {
    guard sensor.kind == .lidar else {
      let bytes = try plan.recording.reader.readImage(sensor, sample)
      return (bytes, bytes.starts(with: PNGCodec.signature) ? "png" : "jpg")
    }
    let table = try plan.recording.reader.readTable(sensor, sample)
    var columns = ["x", "y", "z", "intensity", "ring"]
    let isTimed = ReadingProfile(plan.recording).timedLidars.contains(sensor.name)
    if isTimed, table.columns.contains("time") {
      columns.append("time")
      pointFormats[sensor.name] = .object([
        "fields": .array(columns.map { .string($0) }), "motion_corrected": .bool(false),
      ])
    }
    return (table.bytes(columns), "pcd.bin")
  }

  private mutating func addCalibration(_ sensor: IndexedSensor, _ number: Int) {
    let name = "\(sensor.name)/\(number)"
    guard knownCalibrations.insert(name).inserted else { return }
    let calibration = sensor.calibrations[number]
    let k = calibration.intrinsics.map { k in
      [k.matrix.row0, k.matrix.row1, k.matrix.row2].map(Self.numbers)
    }
    calibrations.append(
      .object([
        "token": .string(token("calibrated_sensor", name)),
        "sensor_token": .string(token("sensor", sensor.name)),
        "translation": Self.numbers(calibration.egoFromSensor.translation),
        "rotation": Self.rotation(calibration.egoFromSensor), "camera_intrinsic": .array(k ?? []),
      ]))
  }

  private static func numbers(_ v: SIMD3<Double>) -> JSONValue {
    .array([.number(v.x), .number(v.y), .number(v.z)])
  }
  private static func rotation(_ transform: RigidTransform) -> JSONValue {
    let q = Quaternion(rotation: transform.rotation).normalized
    return .array([.number(q.w), .number(q.x), .number(q.y), .number(q.z)])
  }
  private static func plain(_ name: String) -> String {
    String(name.map { $0.isLetter || $0.isNumber || "-_+".contains($0) ? $0 : "-" })
  }

  // MARK: tables

  private func writeTables(_ output: FolderOutput) throws(RecordingError) {
    let log = token("log", "")
    let sensors: [JSONValue] = plan.sensors.map { position in
      .object([
        "token": .string(token("sensor", plan.sensor(position).name)),
        "channel": .string(plan.sensor(position).name),
        "modality": .string(plan.sensor(position).kind.rawValue),
      ])
    }
    let samples: [JSONValue] = plan.frames.enumerated().map { place, frame in
      .object([
        "token": .string(sampleToken(place)),
        "timestamp": .integer(microseconds(plan.recording.frames[frame].timestampNanoseconds)),
        "prev": .string(sampleToken(place - 1)), "next": .string(sampleToken(place + 1)),
        "scene_token": .string(token("scene", "")),
      ])
    }
    let scenes: [JSONValue] = [
      .object([
        "token": .string(token("scene", "")), "name": .string(scene),
        "description": .string("converted from \(plan.recording.layout)"),
        "log_token": .string(log), "nbr_samples": .integer(Int64(plan.frames.count)),
        "first_sample_token": .string(sampleToken(0)),
        "last_sample_token": .string(sampleToken(plan.frames.count - 1)),
      ])
    ]
    let logs: [JSONValue] = [
      .object([
        "token": .string(log), "logfile": .string(scene), "vehicle": .string(""),
        "date_captured": .string(""), "location": .string(""),
      ])
    ]
    // The map is an image that development kits open.
    let maps: [JSONValue] = [
      .object([
        "token": .string(token("map", "")), "category": .string("semantic_prior"),
        "filename": .string("maps/none.png"), "log_tokens": .array([.string(log)]),
      ])
    ]
    let map: [UInt8]
    do throws(CodecError) {
      map = try PNGCodec.encode(RGBImage(widthPixels: 16, heightPixels: 16))
    } catch {
      throw RecordingError(
        file: output.path, expected: "a map image", found: error.description,
        remedy: "check the disk's free space")
    }
    try output.write("maps/none.png", map)
    let tables: [(String, [JSONValue])] = [
      ("scene", scenes), ("sample", samples), ("sample_data", sampleData),
      ("calibrated_sensor", calibrations), ("ego_pose", egoPoses), ("sensor", sensors),
      ("log", logs), ("map", maps), ("category", []), ("attribute", []), ("visibility", []),
      ("instance", []), ("sample_annotation", []),
    ]
    for (name, rows) in tables {
      let text = "[\n" + rows.map(\.text).joined(separator: ",\n") + "\n]\n"
      try output.write("\(Self.version)/\(name).json", Array(text.utf8))
    }
    if !pointFormats.isEmpty {
      try output.write("points.json", Array((JSONValue.object(pointFormats).text + "\n").utf8))
    }
  }
}

extension ReplayWarning {
  /// Something a recording holds and the layout it is converted to cannot.
  public static let notHeld = "not-held"
}
