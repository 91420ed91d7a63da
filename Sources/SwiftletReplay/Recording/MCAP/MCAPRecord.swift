/// The records of an MCAP file (mcap.dev/spec). Times are nanoseconds.
public enum MCAPRecord: Sendable, Equatable {
  case header(profile: String, library: String)
  case footer(Footer)
  case schema(Schema)
  case channel(Channel)
  case message(Message)
  case chunk(ChunkHeader)
  case messageIndex(channelID: UInt16)
  case chunkIndex(ChunkIndex)
  case attachment(Attachment)
  case attachmentIndex(AttachmentIndex)
  case statistics(Statistics)
  case metadata(Metadata)
  case metadataIndex(offset: UInt64, length: UInt64, name: String)
  case summaryOffset(groupOpcode: UInt8, groupStart: UInt64, groupLength: UInt64)
  case dataEnd(dataSectionCRC: UInt32)
  /// Of a later version or private: skipped.
  case unknown(opcode: UInt8)

  public struct Footer: Sendable, Equatable {
    public var summaryStart: UInt64 = 0
    public var summaryOffsetStart: UInt64 = 0
    public var summaryCRC: UInt32 = 0
  }
  public struct Schema: Sendable, Equatable {
    public var id: UInt16
    public var name: String
    public var encoding: String
    public var data: [UInt8]

    public init(id: UInt16, name: String, encoding: String, data: [UInt8]) {
      self.id = id
      self.name = name
      self.encoding = encoding
      self.data = data
    }
  }
  public struct Channel: Sendable, Equatable {
    public var id: UInt16
    /// 0: messages without a schema.
    public var schemaID: UInt16
    public var topic: String
    public var messageEncoding: String
    public var metadata: [String: String]

    public init(
      id: UInt16, schemaID: UInt16, topic: String, messageEncoding: String,
      metadata: [String: String] = [:]
    ) {
      self.id = id
      self.schemaID = schemaID
      self.topic = topic
      self.messageEncoding = messageEncoding
      self.metadata = metadata
    }
  }
  public struct Message: Sendable, Equatable {
    public var channelID: UInt16
    public var sequence: UInt32
    public var logTime: UInt64
    public var publishTime: UInt64
    public var data: [UInt8]

    public init(
      channelID: UInt16, sequence: UInt32 = 0, logTime: UInt64, publishTime: UInt64, data: [UInt8]
    ) {
      self.channelID = channelID
      self.sequence = sequence
      self.logTime = logTime
      self.publishTime = publishTime
      self.data = data
    }
  }
  public struct ChunkHeader: Sendable, Equatable {
    public var messageStartTime: UInt64
    public var messageEndTime: UInt64
    public var uncompressedSize: UInt64
    /// 0: not computed.
    public var uncompressedCRC: UInt32
    /// Empty, `zstd` or `lz4`.
    public var compression: String
  }
  public struct ChunkIndex: Sendable, Equatable {
    public var messageStartTime: UInt64
    public var messageEndTime: UInt64
    public var chunkStartOffset: UInt64
    public var chunkLength: UInt64
    public var messageIndexOffsets: [UInt16: UInt64]
    public var messageIndexLength: UInt64
    public var compression: String
    public var compressedSize: UInt64
    public var uncompressedSize: UInt64
  }
  public struct Attachment: Sendable, Equatable {
    public var logTime: UInt64
    public var createTime: UInt64
    public var name: String
    public var mediaType: String
    public var data: [UInt8]

    public init(
      logTime: UInt64, createTime: UInt64, name: String, mediaType: String, data: [UInt8]
    ) {
      self.logTime = logTime
      self.createTime = createTime
      self.name = name
      self.mediaType = mediaType
      self.data = data
    }
  }
  public struct AttachmentIndex: Sendable, Equatable {
    public var offset: UInt64
    public var length: UInt64
    public var logTime: UInt64
    public var createTime: UInt64
    public var dataSize: UInt64
    public var name: String
    public var mediaType: String
  }
  public struct Statistics: Sendable, Equatable {
    public var messageCount: UInt64 = 0
    public var schemaCount: UInt16 = 0
    public var channelCount: UInt32 = 0
    public var attachmentCount: UInt32 = 0
    public var metadataCount: UInt32 = 0
    public var chunkCount: UInt32 = 0
    public var messageStartTime: UInt64 = 0
    public var messageEndTime: UInt64 = 0
    public var channelMessageCounts: [UInt16: UInt64] = [:]
  }
  public struct Metadata: Sendable, Equatable {
    public var name: String
    public var values: [String: String]

    public init(name: String, values: [String: String]) {
      self.name = name
      self.values = values
    }
  }
}

/// Opcodes by their names in the specification.
enum MCAPOpcode {
  static let header: UInt8 = 0x01
  static let footer: UInt8 = 0x02
  static let schema: UInt8 = 0x03
  static let channel: UInt8 = 0x04
  static let message: UInt8 = 0x05
  static let chunk: UInt8 = 0x06
  static let messageIndex: UInt8 = 0x07
  static let chunkIndex: UInt8 = 0x08
  static let attachment: UInt8 = 0x09
  static let attachmentIndex: UInt8 = 0x0a
  static let statistics: UInt8 = 0x0b
  static let metadata: UInt8 = 0x0c
  static let metadataIndex: UInt8 = 0x0d
  static let summaryOffset: UInt8 = 0x0e
  static let dataEnd: UInt8 = 0x0f

  static let magic: [UInt8] = [0x89, 0x4d, 0x43, 0x41, 0x50, 0x30, 0x0d, 0x0a]
  /// Opcode and length before every record.
  static let prefixLength = 9
}
