/// One message of a recording, whatever container it lies in.
struct StoredMessage {
  var topic: String
  /// `sensor_msgs/msg/PointCloud2`, `foxglove.PointCloud`.
  var type: String
  /// `cdr`, `protobuf`.
  var encoding: String
  var logTime: Int64
  var publishTime: Int64
  var data: ArraySlice<UInt8>
  /// Where to find it again.
  var place: MCAPMessage.Place
}

/// A container of messages: an MCAP file, a part of a ROS 2 bag.
protocol MessageStore: Sendable {
  var path: String { get }
  /// Hands over every message that can be read, in file order; returns what could not.
  func scan(_ body: (StoredMessage) -> Void) -> [ReplayWarning]
  /// Reads one message's data again.
  func data(at place: MCAPMessage.Place) throws(RecordingError) -> ArraySlice<UInt8>
  /// The text that defines a topic's messages; nil where the container has none.
  func definition(_ topic: String) -> TopicDefinition?
}

extension MCAPReader: MessageStore {
  func scan(_ body: (StoredMessage) -> Void) -> [ReplayWarning] {
    var iterator = messages(order: .file)
    var implausible = 0
    while let message = iterator.next() {
      guard let logTime = Int64(exactly: message.logTime), SampleClock.isPlausible(logTime) else {
        implausible += 1
        continue
      }
      let publishTime = Int64(exactly: message.publishTime)
      body(
        StoredMessage(
          topic: message.channel.topic, type: message.schema?.name ?? "",
          encoding: message.channel.messageEncoding, logTime: logTime,
          publishTime: publishTime.flatMap { SampleClock.isPlausible($0) ? $0 : nil } ?? logTime,
          data: message.data, place: message.place))
    }
    var warnings = (problems + iterator.problems).map { problem in
      ReplayWarning(
        code: problem.isDamage ? ReplayWarning.containerDamaged : ReplayWarning.containerNote,
        message: problem.description)
    }
    if implausible > 0 {
      warnings.append(
        ReplayWarning(
          code: ReplayWarning.messageInvalid,
          message: "\(path): \(implausible) messages with log times after 2116 left out"))
    }
    return warnings
  }

  func data(at place: MCAPMessage.Place) throws(RecordingError) -> ArraySlice<UInt8> {
    try message(at: place).data
  }

  func definition(_ topic: String) -> TopicDefinition? {
    guard let channel = channels.values.first(where: { $0.topic == topic }) else { return nil }
    guard let schema = schemas[channel.schemaID] else { return nil }
    return TopicDefinition(
      encoding: schema.encoding, data: schema.data, metadata: channel.metadata)
  }
}
