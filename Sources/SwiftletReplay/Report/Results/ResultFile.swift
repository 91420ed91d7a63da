import Foundation
import Swiftlet

/// What a replay computed, as one MCAP file that Foxglove and Rerun draw: the map from above, the
/// voxels, the ego's path, the cameras' calibrations, the latency of every frame, and on request the
/// inputs as the pipeline saw them (injected faults included).
///
/// Frames: `odom` (the recording's world), `base_link` (the ego), one per sensor.
public final class ResultFile {
  private let path: String
  private let includesInputs: Bool
  private let writer: MCAPWriter
  private var schemas: [String: UInt16] = [:]
  private var channels: [String: UInt16] = [:]
  private var sequences: [String: UInt32] = [:]
  /// Sensor mounts as last written.
  private var mounts: [String: RigidTransform] = [:]
  private var isFirst = true

  static let world = "odom"
  static let base = "base_link"

  /// - Parameters:
  ///   - path: of the `.mcap` to write; it appears when it is finished.
  ///   - includesInputs: images (JPEG) and point clouds too.
  public init(path: String, includesInputs: Bool) throws(RecordingError) {
    self.path = path
    self.includesInputs = includesInputs
    writer = try MCAPWriter(path: path)
  }

  /// Names what was replayed; before the first frame.
  public func describe(_ result: ReplayResult) throws(RecordingError) {
    let processor = result.processor
    try writer.addMetadata(
      name: "swiftlet",
      [
        "recording": result.recordingName, "version": SwiftletVersion.package,
        "engine": processor.engine, "isa": processor.instructionSet,
        "threads": "\(processor.threadCount)", "config_hash": processor.configurationHash,
        "rig_hash": processor.rigHash, "injected": result.injection ?? "none",
        "digest": result.digest.map(OutputDigest.text) ?? "none",
      ])
  }

  /// Adds a processed frame.
  public func add(
    _ frame: SensorFrame, _ record: FrameRecord, _ result: ReplayResult, _ pipeline: FramePipeline
  ) throws(RecordingError) {
    var messages = transforms(of: frame)
    messages += frame.cameras.filter(\.isValid).map(cameraInfo)
    if includesInputs { messages += inputs(of: frame) }
    messages += maps(of: frame, pipeline)
    messages.append(latency(of: record, result))
    // In order of time, the order of making among equals: readers need not hold anything back.
    let order = messages.indices.sorted { (messages[$0].time, $0) < (messages[$1].time, $1) }
    for index in order { try write(messages[index]) }
    isFirst = false
  }

  public func finish() throws(RecordingError) { try writer.finish() }

  /// A message with its place in the file.
  struct Message {
    var topic: String
    var time: Int64
    var type: String
    var data: [UInt8]
  }

  private func write(_ message: Message) throws(RecordingError) {
    let channel = channels[message.topic] ?? addChannel(message)
    let sequence = sequences[message.topic, default: 0]
    sequences[message.topic] = sequence &+ 1
    let time = UInt64(max(0, message.time))
    try writer.write(
      channel: channel, sequence: sequence, logTime: time, publishTime: time,
      data: message.data[...])
  }

  private func addChannel(_ message: Message) -> UInt16 {
    let isFoxglove = message.type.hasPrefix("foxglove.")
    let schema =
      schemas[message.type]
      ?? writer.addSchema(
        name: message.type, encoding: isFoxglove ? "protobuf" : "ros2msg",
        data: isFoxglove
          ? FoxgloveDefinitions.voxelGrid : ROSDefinitions.schema(message.type) ?? [])
    schemas[message.type] = schema
    let channel = writer.addChannel(
      schemaID: schema, topic: message.topic, messageEncoding: isFoxglove ? "protobuf" : "cdr")
    channels[message.topic] = channel
    return channel
  }

  // MARK: transforms and calibrations

  /// The ego's pose at the frame's time and at each sensor's own, and mounts that are new.
  private func transforms(of frame: SensorFrame) -> [Message] {
    let sensors =
      frame.cameras.filter(\.isValid).map { camera in
        (
          camera.name, camera.timestampNanoseconds, camera.egoFromCamera,
          frame.worldFromEgo * camera.keyEgoFromCamera * camera.egoFromCamera.inverse
        )
      }
      + frame.lidars.filter(\.isValid).map { lidar in
        (
          lidar.name, lidar.timestampNanoseconds, lidar.egoFromLidar,
          lidar.worldFromLidar * lidar.egoFromLidar.inverse
        )
      }
    var poses = [frame.timestampNanoseconds: frame.worldFromEgo]
    var fixed: [TransformMessage] = []
    for (name, time, mount, worldFromEgo) in sensors {
      if poses[time] == nil { poses[time] = worldFromEgo }
      guard mounts[name] != mount else { continue }
      mounts[name] = mount
      fixed.append(
        transform(mount, Self.base, name, isFirst ? frame.timestampNanoseconds : time))
    }
    var messages: [Message] = []
    if !fixed.isEmpty {
      // Mounts that change during a drive are no static transforms.
      messages.append(
        Message(
          topic: isFirst ? "/tf_static" : "/tf", time: poses.keys.min() ?? 0,
          type: TransformListMessage.rosType, data: TransformMessage.cdr(fixed)))
    }
    for (time, pose) in poses.sorted(by: { $0.key < $1.key }) where pose.isFinite {
      messages.append(
        Message(
          topic: "/tf", time: time, type: TransformListMessage.rosType,
          data: TransformMessage.cdr([transform(pose, Self.world, Self.base, time)])))
    }
    return messages
  }

  private func transform(
    _ parentFromChild: RigidTransform, _ parent: String, _ child: String, _ time: Int64
  ) -> TransformMessage {
    TransformMessage(
      header: MessageHeader(stampNanoseconds: time, frameID: parent), childFrameID: child,
      translation: parentFromChild.translation,
      rotation: Quaternion(rotation: parentFromChild.rotation).normalized)
  }

  private func cameraInfo(_ camera: CameraInput) -> Message {
    let header = MessageHeader(
      stampNanoseconds: camera.timestampNanoseconds, frameID: camera.name)
    return Message(
      topic: "/\(camera.name)/camera_info", time: camera.timestampNanoseconds,
      type: CameraInfoMessage.rosType,
      data: CameraInfoMessage(header: header, intrinsics: camera.intrinsics).cdr())
  }

  private func latency(of record: FrameRecord, _ result: ReplayResult) -> Message {
    let message = FrameLatencyMessage(
      header: MessageHeader(
        stampNanoseconds: record.timestampNanoseconds, frameID: Self.base),
      frame: record.recordedIndex, serviceMilliseconds: milliseconds(record.serviceNanoseconds),
      responseMilliseconds: record.responseNanoseconds.map(milliseconds) ?? .nan,
      budgetMilliseconds: milliseconds(result.options.budgetNanoseconds),
      isMissed: record.isMissed, missCause: result.missCause(of: record)?.rawValue ?? "",
      stageNames: result.stages.map(\.name),
      stageMilliseconds: record.stageNanoseconds.map(milliseconds),
      missingSensors: record.sensors.filter { !$0.isValid }.map(\.name))
    return Message(
      topic: "/swiftlet/latency", time: record.timestampNanoseconds,
      type: FrameLatencyMessage.rosType, data: message.cdr())
  }
}
