extension MCAPRecord {
  /// A message's place: everything but its payload.
  struct MessagePrefix: Sendable {
    var channelID: UInt16
    var sequence: UInt32
    var logTime: UInt64
    var publishTime: UInt64
    static let byteCount = 22
  }

  /// Parses a record's content. Bytes after the known fields belong to later versions and are
  /// skipped; a chunk's records stay where they are.
  static func parse(
    opcode: UInt8, _ cursor: inout ByteCursor
  ) throws(CursorError) -> MCAPRecord {
    switch opcode {
    case MCAPOpcode.header:
      return .header(
        profile: try cursor.string("profile"), library: try cursor.string("library"))
    case MCAPOpcode.footer:
      return .footer(
        Footer(
          summaryStart: try cursor.integer(), summaryOffsetStart: try cursor.integer(),
          summaryCRC: try cursor.integer()))
    case MCAPOpcode.schema: return .schema(try Schema(&cursor))
    case MCAPOpcode.channel: return .channel(try Channel(&cursor))
    case MCAPOpcode.message: return .message(try Message(&cursor))
    case MCAPOpcode.chunk: return .chunk(try ChunkHeader(&cursor))
    case MCAPOpcode.messageIndex: return .messageIndex(channelID: try cursor.integer())
    case MCAPOpcode.chunkIndex: return .chunkIndex(try ChunkIndex(&cursor))
    case MCAPOpcode.attachment: return .attachment(try Attachment(&cursor))
    case MCAPOpcode.attachmentIndex: return .attachmentIndex(try AttachmentIndex(&cursor))
    case MCAPOpcode.statistics: return .statistics(try Statistics(&cursor))
    case MCAPOpcode.metadata:
      return .metadata(
        Metadata(name: try cursor.string("name"), values: try stringMap(&cursor)))
    case MCAPOpcode.metadataIndex:
      return .metadataIndex(
        offset: try cursor.integer(), length: try cursor.integer(),
        name: try cursor.string("name"))
    case MCAPOpcode.summaryOffset:
      return .summaryOffset(
        groupOpcode: try cursor.integer(), groupStart: try cursor.integer(),
        groupLength: try cursor.integer())
    case MCAPOpcode.dataEnd: return .dataEnd(dataSectionCRC: try cursor.integer())
    default: return .unknown(opcode: opcode)
    }
  }

  /// `uint32 byte length, then key and value` repeated.
  fileprivate static func stringMap(
    _ cursor: inout ByteCursor
  ) throws(CursorError) -> [String: String] {
    var values: [String: String] = [:]
    let end = try mapEnd(&cursor)
    while cursor.offset < end {
      let key = try cursor.string("map key")
      values[key] = try cursor.string("map value")
    }
    return values
  }
  fileprivate static func integerMap(
    _ cursor: inout ByteCursor
  ) throws(CursorError) -> [UInt16: UInt64] {
    var values: [UInt16: UInt64] = [:]
    let end = try mapEnd(&cursor)
    while cursor.offset < end {
      let key: UInt16 = try cursor.integer()
      values[key] = try cursor.integer()
    }
    return values
  }
  private static func mapEnd(_ cursor: inout ByteCursor) throws(CursorError) -> Int {
    let length: UInt32 = try cursor.integer()
    guard length <= cursor.remaining else {
      throw CursorError(
        byteOffset: cursor.offset, expected: "a map of \(length) bytes",
        found: "\(cursor.remaining)")
    }
    return cursor.offset + Int(length)
  }
}

extension MCAPRecord.MessagePrefix {
  init(_ cursor: inout ByteCursor) throws(CursorError) {
    channelID = try cursor.integer()
    sequence = try cursor.integer()
    logTime = try cursor.integer()
    publishTime = try cursor.integer()
  }
}
extension MCAPRecord.Message {
  init(_ cursor: inout ByteCursor) throws(CursorError) {
    let prefix = try MCAPRecord.MessagePrefix(&cursor)
    self.init(
      channelID: prefix.channelID, sequence: prefix.sequence, logTime: prefix.logTime,
      publishTime: prefix.publishTime, data: try cursor.array(cursor.remaining, "data"))
  }
}
extension MCAPRecord.Schema {
  init(_ cursor: inout ByteCursor) throws(CursorError) {
    id = try cursor.integer()
    name = try cursor.string("name")
    encoding = try cursor.string("encoding")
    let length: UInt32 = try cursor.integer()
    data = try cursor.array(length, "schema")
  }
}
extension MCAPRecord.Channel {
  init(_ cursor: inout ByteCursor) throws(CursorError) {
    id = try cursor.integer()
    schemaID = try cursor.integer()
    topic = try cursor.string("topic")
    messageEncoding = try cursor.string("message encoding")
    metadata = try MCAPRecord.stringMap(&cursor)
  }
}
extension MCAPRecord.ChunkHeader {
  init(_ cursor: inout ByteCursor) throws(CursorError) {
    messageStartTime = try cursor.integer()
    messageEndTime = try cursor.integer()
    uncompressedSize = try cursor.integer()
    uncompressedCRC = try cursor.integer()
    compression = try cursor.string("compression")
  }
}
extension MCAPRecord.ChunkIndex {
  init(_ cursor: inout ByteCursor) throws(CursorError) {
    messageStartTime = try cursor.integer()
    messageEndTime = try cursor.integer()
    chunkStartOffset = try cursor.integer()
    chunkLength = try cursor.integer()
    messageIndexOffsets = try MCAPRecord.integerMap(&cursor)
    messageIndexLength = try cursor.integer()
    compression = try cursor.string("compression")
    compressedSize = try cursor.integer()
    uncompressedSize = try cursor.integer()
  }
}
extension MCAPRecord.Attachment {
  init(_ cursor: inout ByteCursor) throws(CursorError) {
    logTime = try cursor.integer()
    createTime = try cursor.integer()
    name = try cursor.string("name")
    mediaType = try cursor.string("media type")
    let length: UInt64 = try cursor.integer()
    data = try cursor.array(length, "attachment")
  }
}
extension MCAPRecord.AttachmentIndex {
  init(_ cursor: inout ByteCursor) throws(CursorError) {
    offset = try cursor.integer()
    length = try cursor.integer()
    logTime = try cursor.integer()
    createTime = try cursor.integer()
    dataSize = try cursor.integer()
    name = try cursor.string("name")
    mediaType = try cursor.string("media type")
  }
}
extension MCAPRecord.Statistics {
  init(_ cursor: inout ByteCursor) throws(CursorError) {
    messageCount = try cursor.integer()
    schemaCount = try cursor.integer()
    channelCount = try cursor.integer()
    attachmentCount = try cursor.integer()
    metadataCount = try cursor.integer()
    chunkCount = try cursor.integer()
    messageStartTime = try cursor.integer()
    messageEndTime = try cursor.integer()
    channelMessageCounts = try MCAPRecord.integerMap(&cursor)
  }
}
