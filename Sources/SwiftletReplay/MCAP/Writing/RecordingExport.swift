import Swiftlet

/// Writes a recording as MCAP with ROS 2 messages: images as they are on disk, points as float32
/// x y z intensity, calibration, `/tf` at every sample's own time, `/tf_static`.
public enum RecordingExport {
  /// What was written and what could not be.
  public struct Summary: Sendable {
    public var messageCount = 0
    public var warnings: [ReplayWarning] = []
  }

  /// - Throws: where the file cannot be written or the recording has no samples of its own (one that
  ///   wraps another).
  public static func writeMCAP(
    _ recording: any Recording, to path: String,
    compression: MCAPFileWriter.Compression = .zstd
  ) throws(RecordingError) -> Summary {
    guard let recording = recording as? IndexedRecording else {
      throw RecordingError(
        file: recording.path, expected: "a recording of samples", found: recording.layout,
        remedy: "convert the recording it was made from")
    }
    let writer = try MCAPFileWriter(path: path, profile: "ros2", compression: compression)
    var export = Export(recording: recording, writer: writer)
    try export.run()
    try writer.finish()
    return export.summary
  }

  private struct Export {
    let recording: IndexedRecording
    let writer: MCAPFileWriter
    var summary = Summary()
    private var schemas: [String: UInt16] = [:]
    private var channels: [String: UInt16] = [:]
    private var sequences: [UInt16: UInt32] = [:]

    init(recording: IndexedRecording, writer: MCAPFileWriter) {
      self.recording = recording
      self.writer = writer
    }

    mutating func run() throws(RecordingError) {
      var order: [(time: Int64, sensor: Int, sample: Int)] = []
      for (number, sensor) in recording.index.sensors.enumerated() where sensor.problem == nil {
        for sample in sensor.samples.indices {
          order.append((sensor.samples[sample].timestampNanoseconds, number, sample))
        }
      }
      order.sort { ($0.time, $0.sensor, $0.sample) < ($1.time, $1.sensor, $1.sample) }
      try writeMounts(at: order.first?.time ?? 0)
      for entry in order {
        let sensor = recording.index.sensors[entry.sensor]
        try write(sensor, sensor.samples[entry.sample])
      }
    }

    private mutating func writeMounts(at time: Int64) throws(RecordingError) {
      for sensor in recording.index.sensors {
        guard sensor.problem == nil, let mount = sensor.calibrations.first else { continue }
        try write(
          "/tf_static", "tf2_msgs/TFMessage", time,
          ROSMessageEncoding.transform(
            parent: "base_link", child: sensor.name, mount.egoFromSensor, stamp: time))
      }
    }

    private mutating func write(
      _ sensor: IndexedSensor, _ sample: IndexedSample
    ) throws(RecordingError) {
      let time = sample.timestampNanoseconds
      guard time >= 0 else {
        return warn(ReplayWarning.recordInvalid, sensor, "a time before 1970: \(time) ns")
      }
      if recording.index.hasPoses, case .known(let pose) = recording.index.pose(of: sample) {
        try write(
          "/tf", "tf2_msgs/TFMessage", time,
          ROSMessageEncoding.transform(parent: "map", child: "base_link", pose, stamp: time))
      }
      guard sample.isPresent else {
        return warn(ReplayWarning.fileMissing, sensor, "\(sample.file) is not there")
      }
      switch sensor.kind {
      case .camera: try writeImage(sensor, sample)
      case .lidar: try writeScan(sensor, sample)
      }
    }

    private mutating func writeImage(
      _ sensor: IndexedSensor, _ sample: IndexedSample
    ) throws(RecordingError) {
      let time = sample.timestampNanoseconds
      let bytes: [UInt8]
      do throws(RecordingError) {
        bytes = try recording.reader.readImage(sensor, sample)
      } catch {
        return warn(ReplayWarning.imageUndecodable, sensor, error.description)
      }
      if let number = sample.calibration, let camera = sensor.calibrations[number].intrinsics {
        try write(
          "/\(sensor.name)/camera_info", "sensor_msgs/CameraInfo", time,
          ROSMessageEncoding.cameraInfo(camera, frame: sensor.name, stamp: time))
      }
      let format = bytes.starts(with: PNGCodec.signature) ? "png" : "jpeg"
      try write(
        "/\(sensor.name)/image_rect_compressed", "sensor_msgs/CompressedImage", time,
        ROSMessageEncoding.compressedImage(
          bytes, format: format, frame: sensor.name, stamp: time))
    }

    private mutating func writeScan(
      _ sensor: IndexedSensor, _ sample: IndexedSample
    ) throws(RecordingError) {
      let time = sample.timestampNanoseconds
      let scan: LidarScan
      do throws(RecordingError) {
        scan = try recording.reader.readScan(sensor, sample)
      } catch {
        return warn(ReplayWarning.pointsUnreadable, sensor, error.description)
      }
      if let problem = scan.problem { warn(problem.code, sensor, problem.message) }
      try write(
        "/\(sensor.name)", "sensor_msgs/PointCloud2", time,
        ROSMessageEncoding.pointCloud(scan, frame: sensor.name, stamp: time))
    }

    private mutating func write(
      _ topic: String, _ type: String, _ time: Int64, _ data: [UInt8]
    ) throws(RecordingError) {
      let channel = channel(topic, type)
      let sequence = sequences[channel, default: 0]
      sequences[channel] = sequence &+ 1
      summary.messageCount += 1
      let stamp = UInt64(max(0, time))
      try writer.writeMessage(
        channel: channel, sequence: sequence, logTime: stamp, publishTime: stamp, data: data)
    }

    private mutating func channel(_ topic: String, _ type: String) -> UInt16 {
      if let id = channels[topic] { return id }
      let schema: UInt16
      if let known = schemas[type] {
        schema = known
      } else {
        schema = writer.addSchema(
          name: type.replacing("/", with: "/msg/"), encoding: "ros2msg",
          data: ROSDefinitions.schema(type))
        schemas[type] = schema
      }
      let id = writer.addChannel(topic: topic, schema: schema, messageEncoding: "cdr")
      channels[topic] = id
      return id
    }

    private mutating func warn(_ code: String, _ sensor: IndexedSensor, _ message: String) {
      summary.warnings.append(ReplayWarning(code: code, sensor: sensor.name, message: message))
    }
  }
}
