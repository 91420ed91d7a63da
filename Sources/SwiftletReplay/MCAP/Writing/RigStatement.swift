import Swiftlet

/// What a message says about the rig or the ego's way, until the next one about the same does.
struct RigStatement {
  /// What it is about: child frames, or the topic.
  var keys: [String] = []
  /// When it says so; nil for mounts that hold at all times, and for messages about nothing here.
  var times: ClosedRange<Int64>?
  /// An image or a scan.
  var isSample = false

  /// - Parameter clock: which of the message's times counts.
  init(_ message: StoredMessage, clock: SampleClock) {
    guard let kind = MessageKind(type: message.type, encoding: message.encoding) else { return }
    let isCDR = message.encoding == "cdr"
    let data = message.data
    switch kind {
    case .cloud, .compressedImage, .rawImage: isSample = true
    case .cameraInfo:
      let info = isCDR ? try? CameraInfoMessage(cdr: data) : try? CameraInfoMessage(protobuf: data)
      guard let info else { return }
      note([message.topic], [info.header], message, clock)
    case .transforms:
      let list =
        isCDR ? try? TransformListMessage(cdr: data) : try? TransformListMessage(protobuf: data)
      guard let transforms = list?.transforms else { return }
      note(transforms.map(\.childFrameID), transforms.map(\.header), message, clock)
    case .transform:
      let transform =
        isCDR ? try? TransformMessage(cdr: data) : try? TransformMessage(protobuf: data)
      guard let transform else { return }
      note([transform.childFrameID], [transform.header], message, clock)
    case .odometry:
      guard let pose = try? PoseMessage(odometry: data) else { return }
      note([message.topic], [pose.header], message, clock)
    case .pose:
      let pose = isCDR ? try? PoseMessage(cdr: data) : try? PoseMessage(protobuf: data)
      guard let pose else { return }
      note([message.topic], [pose.header], message, clock)
    }
  }

  private mutating func note(
    _ keys: [String], _ headers: [MessageHeader], _ message: StoredMessage, _ clock: SampleClock
  ) {
    self.keys = keys
    if message.topic.hasSuffix("tf_static") { return }
    let stamps = headers.map { header in
      switch clock {
      case .header: header.stampNanoseconds == 0 ? message.logTime : header.stampNanoseconds
      case .publish: message.publishTime
      case .log: message.logTime
      }
    }
    if let first = stamps.min(), let last = stamps.max() { times = first...last }
  }
}

extension MessageCopy.Clip {
  /// The samples, what is said about the rig while they were taken, and the last and first that
  /// is said before and after: a clip's poses are interpolated between the same neighbours.
  func wanted(
    _ entries: [MessageCopy.Entry], _ options: RecordingConverter.Options
  ) -> [MessageCopy.Entry] {
    var before: [String: (time: Int64, entry: Int)] = [:]
    var after: [String: (time: Int64, entry: Int)] = [:]
    var kept: Set<Int> = []
    var logTimes: ClosedRange<Int64>?
    for (index, entry) in entries.enumerated() {
      guard options.wants(topic: entry.message.topic) else { continue }
      if entry.state.isSample {
        guard keys.contains(MessageKey(store: entry.store, place: entry.message.place)) else {
          continue
        }
        kept.insert(index)
        let time = entry.message.logTime
        logTimes = min(logTimes?.lowerBound ?? time, time)...max(logTimes?.upperBound ?? time, time)
        continue
      }
      guard !entry.state.keys.isEmpty else { continue }
      guard let times = entry.state.times, !times.overlaps(window) else {
        kept.insert(index)
        continue
      }
      for key in entry.state.keys {
        if times.upperBound < window.lowerBound,
          times.upperBound >= before[key]?.time ?? .min
        {
          before[key] = (times.upperBound, index)
        }
        if times.lowerBound > window.upperBound, times.lowerBound < after[key]?.time ?? .max {
          after[key] = (times.lowerBound, index)
        }
      }
    }
    kept.formUnion(before.values.map(\.entry))
    kept.formUnion(after.values.map(\.entry))
    let others = options.includesOtherTopics ? logTimes : nil
    return entries.enumerated().filter { index, entry in
      if kept.contains(index) { return true }
      guard let others, !entry.state.isSample, entry.state.keys.isEmpty else { return false }
      return others.contains(entry.message.logTime)
        && options.wants(topic: entry.message.topic)
    }.map(\.element)
  }
}

extension MessageKind {
  /// Decodes a message as frames would; fails where they would do without it.
  func check(_ data: ArraySlice<UInt8>, encoding: String) throws(FieldError) {
    let isCDR = encoding == "cdr"
    switch self {
    case .cloud:
      let cloud =
        isCDR ? try PointCloudMessage(cdr: data) : try PointCloudMessage(protobuf: data)
      _ = try LidarScan(cloud)
    case .compressedImage:
      let image =
        isCDR ? try CompressedImageMessage(cdr: data) : try CompressedImageMessage(protobuf: data)
      do throws(CodecError) {
        _ = try ImageCodec.decode(Array(image.data))
      } catch {
        throw FieldError(
          byteOffset: image.data.startIndex, expected: error.expected, found: error.found)
      }
    case .rawImage:
      _ = try RGBImage(
        isCDR ? try RawImageMessage(cdr: data) : try RawImageMessage(protobuf: data))
    case .cameraInfo:
      _ = isCDR ? try CameraInfoMessage(cdr: data) : try CameraInfoMessage(protobuf: data)
    case .transforms:
      _ = isCDR ? try TransformListMessage(cdr: data) : try TransformListMessage(protobuf: data)
    case .transform:
      _ = isCDR ? try TransformMessage(cdr: data) : try TransformMessage(protobuf: data)
    case .odometry: _ = try PoseMessage(odometry: data)
    case .pose: _ = isCDR ? try PoseMessage(cdr: data) : try PoseMessage(protobuf: data)
    }
  }

  /// A cloud without the fields that no reader can use; nil where nothing is to be changed.
  func repaired(
    _ data: ArraySlice<UInt8>, encoding: String
  ) throws(FieldError) -> ArraySlice<UInt8>? {
    guard case .cloud = self, encoding == "cdr" else { return nil }
    var cloud = try PointCloudMessage(cdr: data)
    let usable = cloud.fields.filter { PointCloudLayout.problem(of: $0, cloud) == nil }
    guard usable.count < cloud.fields.count else { return nil }
    cloud.fields = usable
    return cloud.cdr()[...]
  }
}
