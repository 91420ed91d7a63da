/// Copies the wanted messages of MCAP files and bags into one MCAP file, in order of log time.
struct MessageCopy {
  let stores: [any MessageStore]
  let options: RecordingConverter.Options
  /// Some frames only.
  var clip: Clip?
  var redactor: MessageRedactor?
  /// Metadata records beside the input's own.
  var metadata: [(name: String, values: [String: String])] = []

  /// What a range of frames needs.
  struct Clip {
    /// Its images and scans.
    var keys: Set<MessageKey>
    /// When the rig must be known, by `clock`.
    var window: ClosedRange<Int64>
    var clock: SampleClock
  }

  struct Entry {
    var store: Int
    var message: StoredMessage
    /// What the message says about the rig until the next one does.
    var state: RigStatement
  }

  func write(to output: String) throws(RecordingError) -> RecordingConverter.Summary {
    var summary = RecordingConverter.Summary()
    var entries: [Entry] = []
    for (number, store) in stores.enumerated() {
      summary.warnings += store.scan { message in
        let state = RigStatement(message, clock: clip?.clock ?? .log)
        // Payloads are read again when they are written: memory holds only where they are.
        var message = message
        message.data = []
        entries.append(Entry(store: number, message: message, state: state))
      }
    }
    entries = clip.map { $0.wanted(entries, options) } ?? wanted(entries)
    guard !entries.isEmpty else { throw nothing() }
    let order = entries.indices.sorted {
      (entries[$0].message.logTime, $0) < (entries[$1].message.logTime, $1)
    }
    let isROS = redactor != nil || entries.allSatisfy { $0.message.encoding == "cdr" }
    let writer = try MCAPWriter(
      path: output, profile: isROS ? "ros2" : "", compression: options.compression)
    // Names of places and cars stand in attachments and metadata.
    if redactor == nil { try copyExtras(to: writer, &summary) }
    for record in metadata { try writer.addMetadata(name: record.name, record.values) }
    var channels: [String: UInt16] = [:]
    var sequences: [UInt16: UInt32] = [:]
    for index in order {
      let (store, message) = (stores[entries[index].store], entries[index].message)
      do throws(RecordingError) {
        guard var (message, data) = try payload(message, store, &summary) else { continue }
        if let redactor {
          guard let changed = try redactor.changed(message, data) else { continue }
          (message, data) = changed
        }
        let channel = channels[message.topic] ?? addChannel(message, store, writer)
        channels[message.topic] = channel
        try writer.write(
          channel: channel, sequence: sequences[channel, default: 0],
          logTime: UInt64(bitPattern: message.logTime),
          publishTime: UInt64(bitPattern: message.publishTime), data: data)
        sequences[channel, default: 0] += 1
        summary.messageCounts[message.topic, default: 0] += 1
      } catch {
        guard error.file != output else { throw error }
        summary.warnings.append(
          ReplayWarning(code: ReplayWarning.messageInvalid, message: error.description))
      }
    }
    try writer.finish()
    return summary
  }

  /// Messages of the wanted topics and times, and the last ones before that say how the rig is: a
  /// part of a recording is then a recording.
  private func wanted(_ entries: [Entry]) -> [Entry] {
    let times = options.times(from: entries.map(\.message.logTime).min() ?? 0)
    let ofTopics = entries.filter { options.wants(topic: $0.message.topic) }
    var latest: [String: Int] = [:]
    for (index, entry) in ofTopics.enumerated() where entry.message.logTime < times.lowerBound {
      for key in entry.state.keys {
        let known = latest[key].map { ofTopics[$0].message.logTime } ?? .min
        if entry.message.logTime >= known { latest[key] = index }
      }
    }
    let before = Set(latest.values)
    let isAny = ofTopics.contains {
      times.contains($0.message.logTime) && options.names(topic: $0.message.topic)
    }
    return ofTopics.enumerated().filter { index, entry in
      isAny && (times.contains(entry.message.logTime) || before.contains(index))
    }.map(\.element)
  }

  /// The message with its payload; nil for one that cannot be decoded, where that is asked for.
  private func payload(
    _ message: StoredMessage, _ store: any MessageStore, _ summary: inout RecordingConverter.Summary
  ) throws(RecordingError) -> (StoredMessage, ArraySlice<UInt8>)? {
    let data = try store.data(at: message.place)
    guard options.leavesOutUnreadable,
      let kind = MessageKind(type: message.type, encoding: message.encoding)
    else { return (message, data) }
    do throws(FieldError) {
      try kind.check(data, encoding: message.encoding)
      return (message, try kind.repaired(data, encoding: message.encoding) ?? data)
    } catch {
      let described = RecordingError.message(
        error, file: store.path, topic: message.topic, time: message.logTime, data: data)
      summary.warnings.append(
        ReplayWarning(code: ReplayWarning.messageInvalid, message: described.description))
      return nil
    }
  }

  private func nothing() -> RecordingError {
    RecordingError(
      file: stores.first?.path ?? "", expected: "messages of the wanted topics and times",
      found: "none", remedy: "widen --from, --until and --topics")
  }

  private func addChannel(
    _ message: StoredMessage, _ store: any MessageStore, _ writer: MCAPWriter
  ) -> UInt16 {
    var schema: UInt16 = 0
    var metadata: [String: String] = [:]
    if redactor == nil, let definition = store.definition(message.topic) {
      schema = writer.addSchema(
        name: message.type, encoding: definition.encoding, data: definition.data)
      metadata = definition.metadata
    } else if let text = ROSDefinitions.schema(message.type) {
      schema = writer.addSchema(name: message.type, encoding: "ros2msg", data: text)
    } else if !message.type.isEmpty {
      schema = writer.addSchema(name: message.type, encoding: "", data: [])
    }
    return writer.addChannel(
      schemaID: schema, topic: message.topic, messageEncoding: message.encoding,
      metadata: metadata)
  }

  /// Attachments and metadata; an attachment that is damaged is left out.
  private func copyExtras(
    to writer: MCAPWriter, _ summary: inout RecordingConverter.Summary
  ) throws(RecordingError) {
    for case let reader as MCAPReader in stores {
      // A clip of a clip says itself how it is read.
      for metadata in reader.metadata where !self.metadata.contains(where: { $0.name == metadata.name }) {
        try writer.addMetadata(name: metadata.name, metadata.metadata)
      }
      for index in 0..<reader.attachmentCount {
        let attachment: MCAPAttachment
        do throws(RecordingError) {
          attachment = try reader.attachment(index)
        } catch {
          summary.warnings.append(
            ReplayWarning(code: ReplayWarning.containerDamaged, message: error.description))
          continue
        }
        try writer.addAttachment(
          name: attachment.name, mediaType: attachment.mediaType, logTime: attachment.logTime,
          createTime: attachment.createTime, data: attachment.data)
      }
    }
  }
}

/// How a store describes a topic's messages.
struct TopicDefinition {
  var encoding: String
  var data: [UInt8]
  var metadata: [String: String]
}
