import Swiftlet

/// Writes a recording of files as ROS 2 messages: images and scans byte for byte, poses as `/tf`,
/// mounts as `/tf_static`, calibrations as camera_info. Every time of a message is its sample's.
struct FolderExport {
  let recording: IndexedRecording
  let options: RecordingConverter.Options

  static let world = "odom"
  static let base = "base_link"

  /// Something to write, its payload not read yet.
  private struct Entry {
    enum Content {
      case static_
      case pose(RigidTransform)
      case mount(sensor: Int, RigidTransform)
      case sample(sensor: Int, number: Int)
      case cameraInfo(sensor: Int, number: Int)
    }
    var time: Int64
    var topic: String
    var content: Content
  }

  func write(to output: String) throws(RecordingError) -> RecordingConverter.Summary {
    var summary = RecordingConverter.Summary(warnings: recording.index.warnings)
    let entries = try plan()
    let writer = try MCAPWriter(path: output, compression: options.compression)
    let redactor = options.redaction.map {
      MessageRedactor($0, recording: recording, frames: options.frames)
    }
    try writer.addMetadata(
      name: "source",
      ["layout": recording.layout, "name": redactor == nil ? recording.name : "redacted"])
    try writer.addMetadata(
      name: ReadingProfile.metadataName, ReadingProfile(recording).metadata)
    if redactor == nil {
      try writer.addMetadata(name: ExactTransforms.metadataName, exactTransforms(entries).texts)
    }
    var channels: [String: UInt16] = [:]
    var schemas: [String: UInt16] = [:]
    for entry in entries {
      var message: (type: String, data: [UInt8])
      do throws(RecordingError) {
        message = try encode(entry)
        if options.leavesOutUnreadable { try check(message, entry) }
        if let redactor {
          guard let changed = try redactor.changed(message, entry.topic, entry.time) else { continue }
          message.data = changed
        }
      } catch {
        summary.warnings.append(
          ReplayWarning(code: ReplayWarning.messageInvalid, message: error.description))
        continue
      }
      let schema =
        schemas[message.type]
        ?? writer.addSchema(
          name: message.type, encoding: "ros2msg", data: ROSDefinitions.schema(message.type) ?? [])
      schemas[message.type] = schema
      let channel =
        channels[entry.topic]
        ?? writer.addChannel(schemaID: schema, topic: entry.topic, messageEncoding: "cdr")
      channels[entry.topic] = channel
      let time = UInt64(bitPattern: max(0, entry.time))
      try writer.write(
        channel: channel, sequence: UInt32(summary.messageCounts[entry.topic, default: 0]),
        logTime: time, publishTime: time, data: message.data[...])
      summary.messageCounts[entry.topic, default: 0] += 1
    }
    try writer.finish()
    return summary
  }

  // MARK: what

  private func plan() throws(RecordingError) -> [Entry] {
    let sensors = recording.index.sensors
    let first = sensors.flatMap { $0.samples.map(\.timestampNanoseconds) }.min() ?? 0
    let selection = options.frames.map { FrameSelection(recording, frames: $0) }
    let times =
      selection.map { $0.window.lowerBound..<$0.window.upperBound } ?? options.times(from: first)
    let start = selection?.times.lowerBound ?? max(first, times.lowerBound)
    var entries = [Entry(time: start, topic: "/tf_static", content: .static_)]
    entries += poses(around: times)
    for (position, sensor) in sensors.enumerated() {
      for (number, sample) in sensor.samples.enumerated() where sample.isPresent {
        let time = sample.timestampNanoseconds
        guard times.contains(time), sensor.problem == nil,
          selection?.samples[position].contains(number) ?? true
        else { continue }
        if sensor.calibrations.count > 1, let index = sample.calibration {
          let mount = sensor.calibrations[index].egoFromSensor
          entries.append(
            Entry(time: time, topic: "/tf", content: .mount(sensor: position, mount)))
        }
        if sensor.kind == .camera, sample.calibration != nil {
          entries.append(
            Entry(
              time: time, topic: "/\(sensor.name)/camera_info",
              content: .cameraInfo(sensor: position, number: number)))
        }
        let topic = sensor.kind == .camera ? "image_rect/compressed" : "points"
        entries.append(
          Entry(
            time: time, topic: "/\(sensor.name)/\(topic)",
            content: .sample(sensor: position, number: number)))
      }
    }
    if let selection { entries += absentCameras(selection, start) }
    entries.removeAll { !options.wants(topic: $0.topic) }
    guard entries.contains(where: { $0.topic.contains("/points") || $0.topic.contains("/image") })
    else {
      throw RecordingError(
        file: recording.path, expected: "samples of the wanted topics and times", found: "none",
        remedy: "widen --from, --until and --topics")
    }
    let order = entries.indices.sorted { (entries[$0].time, $0) < (entries[$1].time, $1) }
    return order.map { entries[$0] }
  }

  /// Cameras that are calibrated but have no image in these frames: their places in the rig stay.
  private func absentCameras(_ selection: FrameSelection, _ time: Int64) -> [Entry] {
    recording.index.sensors.enumerated().compactMap { position, sensor in
      guard sensor.kind == .camera, selection.samples[position].isEmpty,
        let number = sensor.samples.firstIndex(where: { $0.calibration != nil })
      else { return nil }
      return Entry(
        time: time, topic: "/\(sensor.name)/camera_info",
        content: .cameraInfo(sensor: position, number: number))
    }
  }

  /// Mounts and poses as they are, beside the quaternions of their messages.
  private func exactTransforms(_ entries: [Entry]) -> ExactTransforms {
    var exact = ExactTransforms()
    for entry in entries {
      for (message, value) in transforms(entry) { exact.add(value, of: message) }
    }
    return exact
  }

  /// Poses of the track and those stored with samples, one for each time; one beyond either end.
  private func poses(around times: Range<Int64>) -> [Entry] {
    guard recording.index.hasPoses else { return [] }
    var poses: [Int64: RigidTransform] = [:]
    for (time, pose) in zip(recording.index.poses.timestamps, recording.index.poses.poses) {
      poses[time] = pose
    }
    for sample in recording.index.sensors.flatMap(\.samples) {
      if let pose = sample.worldFromEgo { poses[sample.timestampNanoseconds] = pose }
    }
    let stamps = poses.keys.sorted()
    let start = max(0, stamps.partitioningIndex { $0 >= times.lowerBound } - 1)
    let end = min(stamps.count, stamps.partitioningIndex { $0 >= times.upperBound } + 1)
    guard start < end else { return [] }
    return stamps[start..<end].compactMap { time in
      poses[time].map { Entry(time: time, topic: "/tf", content: .pose($0)) }
    }
  }

  // MARK: how

  /// Fails for an image or a scan that cannot be decoded.
  private func check(
    _ message: (type: String, data: [UInt8]), _ entry: Entry
  ) throws(RecordingError) {
    do throws(FieldError) {
      try MessageKind(type: message.type, encoding: "cdr")?.check(message.data[...], encoding: "cdr")
    } catch {
      throw RecordingError(
        file: recording.path, record: "\(entry.topic) at \(entry.time) ns",
        expected: error.expected, found: error.found, remedy: "it is left out")
    }
  }

  private func encode(_ entry: Entry) throws(RecordingError) -> (type: String, data: [UInt8]) {
    let sensors = recording.index.sensors
    switch entry.content {
    case .static_, .pose, .mount:
      let messages = transforms(entry).map(\.message)
      return (TransformListMessage.rosType, TransformMessage.cdr(messages))
    case .cameraInfo(let sensor, let number):
      return (CameraInfoMessage.rosType, cameraInfo(sensors[sensor], number, entry.time).cdr())
    case .sample(let sensor, let number):
      return try encode(sensors[sensor], sensors[sensor].samples[number])
    }
  }

  /// The transforms of an entry with what they stand for.
  private func transforms(
    _ entry: Entry
  ) -> [(message: TransformMessage, value: RigidTransform)] {
    let sensors = recording.index.sensors
    switch entry.content {
    case .static_:
      return sensors.filter { $0.calibrations.count == 1 }.map {
        let mount = $0.calibrations[0].egoFromSensor
        return (transform(mount, Self.base, $0.name, entry.time), mount)
      }
    case .pose(let worldFromEgo):
      return [(transform(worldFromEgo, Self.world, Self.base, entry.time), worldFromEgo)]
    case .mount(let sensor, let egoFromSensor):
      let message = transform(egoFromSensor, Self.base, sensors[sensor].name, entry.time)
      return [(message, egoFromSensor)]
    case .cameraInfo, .sample: return []
    }
  }

  private func transform(
    _ parentFromChild: RigidTransform, _ parent: String, _ child: String, _ time: Int64
  ) -> TransformMessage {
    TransformMessage(
      header: MessageHeader(stampNanoseconds: time, frameID: parent), childFrameID: child,
      translation: parentFromChild.translation,
      rotation: Quaternion(rotation: parentFromChild.rotation).normalized)
  }

  private func cameraInfo(
    _ sensor: IndexedSensor, _ number: Int, _ time: Int64
  ) -> CameraInfoMessage {
    let header = MessageHeader(stampNanoseconds: time, frameID: sensor.name)
    guard let index = sensor.samples[number].calibration,
      let k = sensor.calibrations[index].intrinsics
    else {
      return CameraInfoMessage(
        header: header, height: 0, width: 0, distortionModel: "plumb_bob", distortion: [],
        k: [Double](repeating: 0, count: 9), r: [Double](repeating: 0, count: 9),
        p: [Double](repeating: 0, count: 12))
    }
    return CameraInfoMessage(header: header, intrinsics: k)
  }

  private func encode(
    _ sensor: IndexedSensor, _ sample: IndexedSample
  ) throws(RecordingError) -> (type: String, data: [UInt8]) {
    let header = MessageHeader(
      stampNanoseconds: sample.timestampNanoseconds, frameID: sensor.name)
    let bytes = try RecordingFile.read(sample.file)
    guard sensor.kind == .lidar else {
      let format = bytes.starts(with: JPEGCodec.signature) ? "jpeg" : "png"
      let image = CompressedImageMessage(header: header, format: format, data: bytes[...])
      return (CompressedImageMessage.rosType, image.cdr())
    }
    let stride = sensor.points.fieldCount * 4
    let count = bytes.count / stride
    let cloud = PointCloudMessage(
      header: header, height: 1, width: count, fields: Self.fields(sensor.points),
      isBigEndian: false, pointByteStride: stride, rowByteStride: count * stride,
      data: bytes[..<(count * stride)], isDense: false)
    return (PointCloudMessage.rosType, cloud.cdr())
  }

  private static func fields(_ format: PointFormat) -> [PointField] {
    (0..<format.fieldCount).map { number in
      let names = ["x", "y", "z"]
      let name =
        number < 3
        ? names[number]
        : number == format.intensity
          ? "intensity" : number == format.time ? "time" : number == 4 ? "ring" : "field_\(number)"
      return PointField(
        name: name, byteOffset: number * 4, datatype: PointFieldType.float32.rawValue)
    }
  }
}
