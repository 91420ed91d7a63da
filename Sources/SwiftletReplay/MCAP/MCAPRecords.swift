/// Record kinds of an MCAP file (mcap.dev/spec).
public enum MCAPOpcode {
  public static let header: UInt8 = 0x01
  public static let footer: UInt8 = 0x02
  public static let schema: UInt8 = 0x03
  public static let channel: UInt8 = 0x04
  public static let message: UInt8 = 0x05
  public static let chunk: UInt8 = 0x06
  public static let messageIndex: UInt8 = 0x07
  public static let chunkIndex: UInt8 = 0x08
  public static let attachment: UInt8 = 0x09
  public static let attachmentIndex: UInt8 = 0x0a
  public static let statistics: UInt8 = 0x0b
  public static let metadata: UInt8 = 0x0c
  public static let metadataIndex: UInt8 = 0x0d
  public static let summaryOffset: UInt8 = 0x0e
  public static let dataEnd: UInt8 = 0x0f

  /// `Chunk`, `MessageIndex`, …, or the number of one this reader does not know.
  public static func name(_ opcode: UInt8) -> String {
    let names = [
      "Header", "Footer", "Schema", "Channel", "Message", "Chunk", "MessageIndex", "ChunkIndex",
      "Attachment", "AttachmentIndex", "Statistics", "Metadata", "MetadataIndex", "SummaryOffset",
      "DataEnd",
    ]
    return (1...15).contains(opcode) ? names[Int(opcode) - 1] : "record 0x\(String(opcode, radix: 16))"
  }
}

/// Any record. Chunks come with their records still packed.
public enum MCAPRecord: Sendable, Equatable {
  case header(MCAPHeader)
  case footer(MCAPFooter)
  case schema(MCAPSchema)
  case channel(MCAPChannel)
  case message(MCAPMessageRecord)
  case chunk(MCAPChunk)
  case messageIndex(MCAPMessageIndex)
  case chunkIndex(MCAPChunkIndex)
  case attachment(MCAPAttachment)
  case attachmentIndex(MCAPAttachmentIndex)
  case statistics(MCAPStatistics)
  case metadata(MCAPMetadata)
  case metadataIndex(MCAPMetadataIndex)
  case summaryOffset(MCAPSummaryOffset)
  case dataEnd(MCAPDataEnd)
  /// A kind this reader does not know, skipped.
  case unknown(opcode: UInt8)
}

public struct MCAPHeader: Sendable, Equatable {
  /// `ros2`, or empty.
  public var profile: String
  /// What wrote the file.
  public var library: String
}

public struct MCAPFooter: Sendable, Equatable {
  /// File offset of the summary section; 0: none.
  public var summaryStart: UInt64
  public var summaryOffsetStart: UInt64
  /// CRC-32 from the summary's start to this field; 0: not computed.
  public var summaryCRC: UInt32
}

public struct MCAPSchema: Sendable, Equatable {
  public var id: UInt16
  /// `sensor_msgs/msg/PointCloud2`, `foxglove.PointCloud`.
  public var name: String
  /// `ros2msg`, `protobuf`.
  public var encoding: String
  public var data: [UInt8]
}

public struct MCAPChannel: Sendable, Equatable {
  public var id: UInt16
  /// 0: none.
  public var schemaID: UInt16
  public var topic: String
  /// `cdr`, `protobuf`.
  public var messageEncoding: String
  public var metadata: [String: String]
}

public struct MCAPMessageRecord: Sendable, Equatable {
  public var channelID: UInt16
  public var sequence: UInt32
  /// Nanoseconds.
  public var logTime: UInt64
  /// Nanoseconds.
  public var publishTime: UInt64
  /// Shares the memory it was read into.
  public var data: ArraySlice<UInt8>
}

public struct MCAPChunk: Sendable, Equatable {
  public var messageStartTime: UInt64
  public var messageEndTime: UInt64
  public var uncompressedByteCount: UInt64
  /// CRC-32 of the uncompressed records; 0: not computed.
  public var uncompressedCRC: UInt32
  /// Empty, `zstd` or `lz4`.
  public var compression: String
  /// Shares the memory it was read into.
  public var records: ArraySlice<UInt8>
}

public struct MCAPMessageIndex: Sendable, Equatable {
  public struct Entry: Sendable, Equatable {
    public var logTime: UInt64
    /// From the start of the chunk's uncompressed records.
    public var offset: UInt64
  }
  public var channelID: UInt16
  public var entries: [Entry]
}

public struct MCAPChunkIndex: Sendable, Equatable {
  public var messageStartTime: UInt64
  public var messageEndTime: UInt64
  public var chunkStartOffset: UInt64
  public var chunkByteCount: UInt64
  /// File offset of each channel's MessageIndex record.
  public var messageIndexOffsets: [UInt16: UInt64]
  public var messageIndexByteCount: UInt64
  public var compression: String
  public var compressedByteCount: UInt64
  public var uncompressedByteCount: UInt64
}

public struct MCAPAttachment: Sendable, Equatable {
  public var logTime: UInt64
  public var createTime: UInt64
  public var name: String
  public var mediaType: String
  public var data: ArraySlice<UInt8>
  /// CRC-32 of the fields before it; 0: not computed.
  public var crc: UInt32
  /// Of the fields before `crc`, as they are in the file.
  public var computedCRC: UInt32
}

public struct MCAPAttachmentIndex: Sendable, Equatable {
  public var offset: UInt64
  public var byteCount: UInt64
  public var logTime: UInt64
  public var createTime: UInt64
  public var dataByteCount: UInt64
  public var name: String
  public var mediaType: String
}

public struct MCAPMetadata: Sendable, Equatable {
  public var name: String
  public var metadata: [String: String]
}

public struct MCAPMetadataIndex: Sendable, Equatable {
  public var offset: UInt64
  public var byteCount: UInt64
  public var name: String
}

public struct MCAPStatistics: Sendable, Equatable {
  public var messageCount: UInt64
  public var schemaCount: UInt16
  public var channelCount: UInt32
  public var attachmentCount: UInt32
  public var metadataCount: UInt32
  public var chunkCount: UInt32
  public var messageStartTime: UInt64
  public var messageEndTime: UInt64
  public var channelMessageCounts: [UInt16: UInt64]
}

public struct MCAPSummaryOffset: Sendable, Equatable {
  public var groupOpcode: UInt8
  public var groupStart: UInt64
  public var groupByteCount: UInt64
}

public struct MCAPDataEnd: Sendable, Equatable {
  /// CRC-32 of everything before this record; 0: not computed.
  public var dataSectionCRC: UInt32
}
