extension MCAPRecord {
  /// The record's content as the format has it; nil for chunks and unknown records.
  func encoded() -> (opcode: UInt8, content: ByteWriter)? {
    var w = ByteWriter()
    switch self {
    case .header(let r):
      w.put(r.profile)
      w.put(r.library)
      return (MCAPOpcode.header, w)
    case .schema(let r):
      w.put(r.id)
      w.put(r.name)
      w.put(r.encoding)
      w.put(block: r.data)
      return (MCAPOpcode.schema, w)
    case .channel(let r):
      w.put(r.id)
      w.put(r.schemaID)
      w.put(r.topic)
      w.put(r.messageEncoding)
      w.put(r.metadata)
      return (MCAPOpcode.channel, w)
    case .message(let r):
      w.put(r.channelID)
      w.put(r.sequence)
      w.put(r.logTime)
      w.put(r.publishTime)
      w.put(raw: r.data)
      return (MCAPOpcode.message, w)
    case .messageIndex(let r):
      w.put(r.channelID)
      w.put(UInt32(r.entries.count * 16))
      for entry in r.entries {
        w.put(entry.logTime)
        w.put(entry.offset)
      }
      return (MCAPOpcode.messageIndex, w)
    case .attachment(let r):
      w.put(r.logTime)
      w.put(r.createTime)
      w.put(r.name)
      w.put(r.mediaType)
      w.put(UInt64(r.data.count))
      w.put(raw: r.data)
      w.put(CRC32.of(w.bytes))
      return (MCAPOpcode.attachment, w)
    case .metadata(let r):
      w.put(r.name)
      w.put(r.metadata)
      return (MCAPOpcode.metadata, w)
    case .dataEnd(let r):
      w.put(r.dataSectionCRC)
      return (MCAPOpcode.dataEnd, w)
    case .chunkIndex, .attachmentIndex, .metadataIndex, .statistics, .summaryOffset:
      return encodedSummary()
    case .chunk, .footer, .unknown: return nil
    }
  }

  private func encodedSummary() -> (opcode: UInt8, content: ByteWriter)? {
    var w = ByteWriter()
    switch self {
    case .chunkIndex(let r):
      w.put(r.messageStartTime)
      w.put(r.messageEndTime)
      w.put(r.chunkStartOffset)
      w.put(r.chunkByteCount)
      Self.put(r.messageIndexOffsets, &w)
      w.put(r.messageIndexByteCount)
      w.put(r.compression)
      w.put(r.compressedByteCount)
      w.put(r.uncompressedByteCount)
      return (MCAPOpcode.chunkIndex, w)
    case .attachmentIndex(let r):
      w.put(r.offset)
      w.put(r.byteCount)
      w.put(r.logTime)
      w.put(r.createTime)
      w.put(r.dataByteCount)
      w.put(r.name)
      w.put(r.mediaType)
      return (MCAPOpcode.attachmentIndex, w)
    case .metadataIndex(let r):
      w.put(r.offset)
      w.put(r.byteCount)
      w.put(r.name)
      return (MCAPOpcode.metadataIndex, w)
    case .statistics(let r):
      w.put(r.messageCount)
      w.put(r.schemaCount)
      w.put(r.channelCount)
      w.put(r.attachmentCount)
      w.put(r.metadataCount)
      w.put(r.chunkCount)
      w.put(r.messageStartTime)
      w.put(r.messageEndTime)
      Self.put(r.channelMessageCounts, &w)
      return (MCAPOpcode.statistics, w)
    case .summaryOffset(let r):
      w.put(r.groupOpcode)
      w.put(r.groupStart)
      w.put(r.groupByteCount)
      return (MCAPOpcode.summaryOffset, w)
    default: return nil
    }
  }

  private static func put(_ map: [UInt16: UInt64], _ w: inout ByteWriter) {
    w.put(UInt32(map.count * 10))
    for (key, value) in map.sorted(by: { $0.key < $1.key }) {
      w.put(key)
      w.put(value)
    }
  }
}
