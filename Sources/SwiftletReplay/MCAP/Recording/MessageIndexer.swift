import Swiftlet

/// A message that frames need, and where it lies.
struct IndexedMessage: Sendable {
  var store: Int
  var place: MCAPMessage.Place
  var topic: String
  var kind: MessageKind
  var encoding: String
  /// By the chosen clock.
  var time: Int64
  var logTime: Int64
  var stamp: Int64
}

/// What one topic of a recording holds.
struct IndexedTopic: Sendable {
  var name: String
  var kind: MessageKind
  var frameID = ""
  var messages: [IndexedMessage] = []
}

/// One pass over all messages of a recording: transforms, calibrations and poses are kept, of images
/// and clouds only where they are.
struct MessageIndexer {
  let clock: SampleClock
  /// In order of arrival.
  private(set) var topics: [IndexedTopic] = []
  private(set) var tree: TransformTree
  /// Camera calibrations by topic, with their times.
  private(set) var cameraInfos: [(topic: String, time: Int64, message: CameraInfoMessage)] = []
  private(set) var poses: [(topic: String, time: Int64, message: PoseMessage)] = []
  private(set) var warnings: [ReplayWarning] = []
  private var topicIndex: [String: Int] = [:]
  private var ignored: [String: (type: String, count: Int)] = [:]
  private var invalid: [String: Int] = [:]
  private var unstamped: Set<String> = []
  /// More of one topic are counted, not listed.
  private static let listedWarnings = 3

  init(clock: SampleClock, exact: ExactTransforms = ExactTransforms()) {
    self.clock = clock
    tree = TransformTree(exact: exact)
  }

  /// Scans the stores in order.
  mutating func scan(_ stores: [any MessageStore]) {
    for (number, store) in stores.enumerated() {
      warnings += store.scan { add($0, store: number, path: store.path) }
    }
    tree.sort()
    warnings += tree.warnings
    for (topic, count) in invalid.sorted(by: { $0.key < $1.key })
    where count > Self.listedWarnings {
      warnings.append(
        ReplayWarning(
          code: ReplayWarning.messageInvalid,
          message: "\(count - Self.listedWarnings) more messages on \(topic)"))
    }
    for (topic, entry) in ignored.sorted(by: { $0.key < $1.key }) {
      warnings.append(
        ReplayWarning(
          code: ReplayWarning.topicIgnored,
          message: "\(topic): \(entry.count) messages of type \(entry.type) are not used"))
    }
  }

  private mutating func add(_ message: StoredMessage, store: Int, path: String) {
    guard let kind = MessageKind(type: message.type, encoding: message.encoding) else {
      let type = "\(message.type.isEmpty ? "(none)" : message.type), \(message.encoding)"
      ignored[message.topic, default: (type, 0)].count += 1
      return
    }
    do throws(FieldError) {
      try take(message, kind, store)
    } catch {
      reject(message, error, path)
    }
  }

  private mutating func take(
    _ message: StoredMessage, _ kind: MessageKind, _ store: Int
  ) throws(FieldError) {
    let isCDR = message.encoding == "cdr"
    switch kind {
    case .cloud, .compressedImage, .rawImage:
      let header = try Self.header(message, kind)
      let time = time(of: header.stampNanoseconds, message)
      let index = topic(message.topic, kind)
      if topics[index].frameID.isEmpty {
        topics[index].frameID = TransformTree.name(header.frameID)
      }
      topics[index].messages.append(
        IndexedMessage(
          store: store, place: message.place, topic: message.topic, kind: kind,
          encoding: message.encoding, time: time, logTime: message.logTime,
          stamp: header.stampNanoseconds))
    case .cameraInfo:
      let info =
        isCDR
        ? try CameraInfoMessage(cdr: message.data) : try CameraInfoMessage(protobuf: message.data)
      cameraInfos.append((message.topic, time(of: info.header.stampNanoseconds, message), info))
    case .transforms:
      let list =
        isCDR
        ? try TransformListMessage(cdr: message.data)
        : try TransformListMessage(protobuf: message.data)
      for transform in list.transforms { add(transform, message) }
    case .transform:
      add(
        isCDR
          ? try TransformMessage(cdr: message.data) : try TransformMessage(protobuf: message.data),
        message)
    case .odometry:
      let pose = try PoseMessage(odometry: message.data)
      poses.append((message.topic, time(of: pose.header.stampNanoseconds, message), pose))
    case .pose:
      let pose =
        isCDR ? try PoseMessage(cdr: message.data) : try PoseMessage(protobuf: message.data)
      poses.append((message.topic, time(of: pose.header.stampNanoseconds, message), pose))
    }
  }

  private mutating func add(_ transform: TransformMessage, _ message: StoredMessage) {
    tree.add(
      transform, time: time(of: transform.header.stampNanoseconds, message),
      isStatic: message.topic.hasSuffix("tf_static"), source: message.topic)
  }

  /// Stamp and frame without the payload.
  private static func header(
    _ message: StoredMessage, _ kind: MessageKind
  ) throws(FieldError) -> MessageHeader {
    if message.encoding == "cdr" {
      var cdr = try CDRReader(message.data)
      return try cdr.header()
    }
    switch kind {
    case .cloud: return try PointCloudMessage(protobuf: message.data).header
    case .compressedImage: return try CompressedImageMessage(protobuf: message.data).header
    default: return try RawImageMessage(protobuf: message.data).header
    }
  }

  private mutating func time(of stamp: Int64, _ message: StoredMessage) -> Int64 {
    switch clock {
    case .log: return message.logTime
    case .publish: return message.publishTime
    case .header:
      // Mounts hold at all times, and are often stamped 0.
      if stamp != 0 || message.topic.hasSuffix("tf_static") { return stamp }
      if unstamped.insert(message.topic).inserted {
        warnings.append(
          ReplayWarning(
            code: ReplayWarning.clockDisagrees,
            message: "\(message.topic): header stamps of 0; the log time is used for them"))
      }
      return message.logTime
    }
  }

  private mutating func topic(_ name: String, _ kind: MessageKind) -> Int {
    if let index = topicIndex[name] { return index }
    topicIndex[name] = topics.count
    topics.append(IndexedTopic(name: name, kind: kind))
    return topics.count - 1
  }

  private mutating func reject(_ message: StoredMessage, _ error: FieldError, _ path: String) {
    invalid[message.topic, default: 0] += 1
    guard invalid[message.topic] ?? 0 <= Self.listedWarnings else { return }
    let described = RecordingError.message(
      error, file: path, topic: message.topic, time: message.logTime, data: message.data)
    warnings.append(
      ReplayWarning(code: ReplayWarning.messageInvalid, message: described.description))
  }
}

extension RecordingError {
  /// What is wrong inside a message; the byte counts from the message's first.
  static func message(
    _ error: FieldError, file: String, topic: String, time: Int64, data: ArraySlice<UInt8>
  ) -> RecordingError {
    RecordingError(
      file: file, record: "\(topic) at \(time) ns", byteOffset: error.byteOffset - data.startIndex,
      expected: error.expected, found: error.found, remedy: "the message is left out")
  }
}
