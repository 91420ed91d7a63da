/// Copies the wanted messages of MCAP files and bags into one MCAP file, in order of log time.
struct MessageCopy {
  let stores: [any MessageStore]
  let options: RecordingConverter.Options

  private struct Entry {
    var store: Int
    var message: StoredMessage
  }

  func write(to output: String) throws(RecordingError) -> RecordingConverter.Summary {
    var summary = RecordingConverter.Summary()
    var entries: [Entry] = []
    for (number, store) in stores.enumerated() {
      summary.warnings += store.scan { message in
        // Payloads are read again when they are written: memory holds only where they are.
        var message = message
        message.data = []
        entries.append(Entry(store: number, message: message))
      }
    }
    let times = options.times(from: entries.map(\.message.logTime).min() ?? 0)
    entries.removeAll { entry in
      !times.contains(entry.message.logTime) && !entry.message.topic.hasSuffix("tf_static")
        || !(options.topics?.contains(entry.message.topic) ?? true)
    }
    guard !entries.isEmpty else { throw nothing() }
    let order = entries.indices.sorted {
      (entries[$0].message.logTime, $0) < (entries[$1].message.logTime, $1)
    }
    let isROS = entries.allSatisfy { $0.message.encoding == "cdr" }
    let writer = try MCAPWriter(
      path: output, profile: isROS ? "ros2" : "", compression: options.compression)
    try copyExtras(to: writer, &summary)
    var channels: [String: UInt16] = [:]
    var sequences: [UInt16: UInt32] = [:]
    for index in order {
      let (store, message) = (stores[entries[index].store], entries[index].message)
      let channel = channels[message.topic] ?? addChannel(message, store, writer)
      channels[message.topic] = channel
      do throws(RecordingError) {
        let data = try store.data(at: message.place)
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
    if let definition = store.definition(message.topic) {
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
      for metadata in reader.metadata {
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
