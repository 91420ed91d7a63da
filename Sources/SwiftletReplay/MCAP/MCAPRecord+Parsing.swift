extension MCAPRecord {
  /// Reads a record's content. Bytes after the last known field are allowed: newer writers may add
  /// fields.
  static func parse(
    opcode: UInt8, _ content: ArraySlice<UInt8>
  ) throws(FieldError) -> MCAPRecord {
    var reader = ByteReader(content)
    switch opcode {
    case MCAPOpcode.header: return .header(try MCAPHeader(parsing: &reader))
    case MCAPOpcode.footer: return .footer(try MCAPFooter(parsing: &reader))
    case MCAPOpcode.schema: return .schema(try MCAPSchema(parsing: &reader))
    case MCAPOpcode.channel: return .channel(try MCAPChannel(parsing: &reader))
    case MCAPOpcode.message: return .message(try MCAPMessageRecord(parsing: &reader))
    case MCAPOpcode.chunk: return .chunk(try MCAPChunk(parsing: &reader))
    case MCAPOpcode.messageIndex: return .messageIndex(try MCAPMessageIndex(parsing: &reader))
    case MCAPOpcode.chunkIndex: return .chunkIndex(try MCAPChunkIndex(parsing: &reader))
    case MCAPOpcode.attachment: return .attachment(try MCAPAttachment(parsing: &reader))
    case MCAPOpcode.attachmentIndex:
      return .attachmentIndex(try MCAPAttachmentIndex(parsing: &reader))
    case MCAPOpcode.statistics: return .statistics(try MCAPStatistics(parsing: &reader))
    case MCAPOpcode.metadata: return .metadata(try MCAPMetadata(parsing: &reader))
    case MCAPOpcode.metadataIndex: return .metadataIndex(try MCAPMetadataIndex(parsing: &reader))
    case MCAPOpcode.summaryOffset: return .summaryOffset(try MCAPSummaryOffset(parsing: &reader))
    case MCAPOpcode.dataEnd:
      return .dataEnd(MCAPDataEnd(dataSectionCRC: try reader.uint32("the data section's CRC")))
    default: return .unknown(opcode: opcode)
    }
  }
}

extension MCAPHeader {
  init(parsing reader: inout ByteReader) throws(FieldError) {
    profile = try reader.text("the profile")
    library = try reader.text("the library")
  }
}

extension MCAPFooter {
  init(parsing reader: inout ByteReader) throws(FieldError) {
    summaryStart = try reader.uint64("the summary's start")
    summaryOffsetStart = try reader.uint64("the summary offsets' start")
    summaryCRC = try reader.uint32("the summary's CRC")
  }
}

extension MCAPSchema {
  init(parsing reader: inout ByteReader) throws(FieldError) {
    let start = reader.position
    id = try reader.uint16("the schema's id")
    guard id != 0 else {
      throw FieldError(byteOffset: start, expected: "a schema id from 1", found: "0")
    }
    name = try reader.text("the schema's name")
    encoding = try reader.text("the schema's encoding")
    data = Array(try reader.block("the schema's data").bytes)
  }
}

extension MCAPChannel {
  init(parsing reader: inout ByteReader) throws(FieldError) {
    id = try reader.uint16("the channel's id")
    schemaID = try reader.uint16("the channel's schema")
    topic = try reader.text("the topic")
    messageEncoding = try reader.text("the message encoding")
    metadata = try Self.map(&reader, "the channel's metadata")
  }

  /// Pairs of text behind the byte count of all of them.
  static func map(
    _ reader: inout ByteReader, _ what: String
  ) throws(FieldError) -> [String: String] {
    var pairs = try reader.block(what)
    var map: [String: String] = [:]
    while pairs.remaining > 0 {
      let key = try pairs.text("a key of \(what)")
      map[key] = try pairs.text("a value of \(what)")
    }
    return map
  }
}

extension MCAPMessageRecord {
  init(parsing reader: inout ByteReader) throws(FieldError) {
    channelID = try reader.uint16("the message's channel")
    sequence = try reader.uint32("the message's sequence")
    logTime = try reader.uint64("the message's log time")
    publishTime = try reader.uint64("the message's publish time")
    data = try reader.slice(UInt64(reader.remaining), "the message's data")
  }
}

extension MCAPChunk {
  init(parsing reader: inout ByteReader) throws(FieldError) {
    let recordByteCount: UInt64
    (self, recordByteCount) = try Self.parseFields(&reader)
    records = try reader.slice(recordByteCount, "the chunk's records")
  }

  /// Everything before the records, whose bytes may not have been read.
  static func parseFields(
    _ reader: inout ByteReader
  ) throws(FieldError) -> (MCAPChunk, recordByteCount: UInt64) {
    let chunk = MCAPChunk(
      messageStartTime: try reader.uint64("the chunk's start time"),
      messageEndTime: try reader.uint64("the chunk's end time"),
      uncompressedByteCount: try reader.uint64("the chunk's uncompressed size"),
      uncompressedCRC: try reader.uint32("the chunk's CRC"),
      compression: try reader.text("the chunk's compression"), records: [])
    return (chunk, try reader.uint64("the size of the chunk's records"))
  }
}

extension MCAPMessageIndex {
  init(parsing reader: inout ByteReader) throws(FieldError) {
    channelID = try reader.uint16("the index's channel")
    var block = try reader.block("the index's entries")
    entries = []
    entries.reserveCapacity(block.remaining / 16)
    while block.remaining > 0 {
      entries.append(
        Entry(logTime: try block.uint64("a log time"), offset: try block.uint64("an offset")))
    }
  }
}

extension MCAPChunkIndex {
  init(parsing reader: inout ByteReader) throws(FieldError) {
    messageStartTime = try reader.uint64("the chunk's start time")
    messageEndTime = try reader.uint64("the chunk's end time")
    chunkStartOffset = try reader.uint64("the chunk's offset")
    chunkByteCount = try reader.uint64("the chunk's size")
    var block = try reader.block("the message index offsets")
    messageIndexOffsets = [:]
    while block.remaining > 0 {
      let channel = try block.uint16("a channel")
      messageIndexOffsets[channel] = try block.uint64("an offset")
    }
    messageIndexByteCount = try reader.uint64("the size of the message indexes")
    compression = try reader.text("the chunk's compression")
    compressedByteCount = try reader.uint64("the compressed size")
    uncompressedByteCount = try reader.uint64("the uncompressed size")
  }
}

extension MCAPAttachment {
  init(parsing reader: inout ByteReader) throws(FieldError) {
    let start = reader.position
    logTime = try reader.uint64("the attachment's log time")
    createTime = try reader.uint64("the attachment's create time")
    name = try reader.text("the attachment's name")
    mediaType = try reader.text("the attachment's media type")
    let byteCount = try reader.uint64("the attachment's size")
    data = try reader.slice(byteCount, "the attachment's data")
    computedCRC = CRC32.of(reader.bytes[start..<reader.position])
    crc = try reader.uint32("the attachment's CRC")
  }
}

extension MCAPAttachmentIndex {
  init(parsing reader: inout ByteReader) throws(FieldError) {
    offset = try reader.uint64("the attachment's offset")
    byteCount = try reader.uint64("the attachment record's size")
    logTime = try reader.uint64("the attachment's log time")
    createTime = try reader.uint64("the attachment's create time")
    dataByteCount = try reader.uint64("the attachment's size")
    name = try reader.text("the attachment's name")
    mediaType = try reader.text("the attachment's media type")
  }
}

extension MCAPMetadata {
  init(parsing reader: inout ByteReader) throws(FieldError) {
    name = try reader.text("the metadata's name")
    metadata = try MCAPChannel.map(&reader, "the metadata")
  }
}

extension MCAPMetadataIndex {
  init(parsing reader: inout ByteReader) throws(FieldError) {
    offset = try reader.uint64("the metadata's offset")
    byteCount = try reader.uint64("the metadata record's size")
    name = try reader.text("the metadata's name")
  }
}

extension MCAPStatistics {
  init(parsing reader: inout ByteReader) throws(FieldError) {
    messageCount = try reader.uint64("the message count")
    schemaCount = try reader.uint16("the schema count")
    channelCount = try reader.uint32("the channel count")
    attachmentCount = try reader.uint32("the attachment count")
    metadataCount = try reader.uint32("the metadata count")
    chunkCount = try reader.uint32("the chunk count")
    messageStartTime = try reader.uint64("the first log time")
    messageEndTime = try reader.uint64("the last log time")
    var block = try reader.block("the message counts")
    channelMessageCounts = [:]
    while block.remaining > 0 {
      let channel = try block.uint16("a channel")
      channelMessageCounts[channel] = try block.uint64("a message count")
    }
  }
}

extension MCAPSummaryOffset {
  init(parsing reader: inout ByteReader) throws(FieldError) {
    groupOpcode = try reader.uint8("the group's opcode")
    groupStart = try reader.uint64("the group's start")
    groupByteCount = try reader.uint64("the group's size")
  }
}
