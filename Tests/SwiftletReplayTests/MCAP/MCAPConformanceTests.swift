import Swiftlet
import Testing

@testable import SwiftletReplay

/// The public conformance suite: every record of every file as its JSON says.
@Suite struct MCAPConformanceTests {
  @Test(.enabled(if: MCAPTestData.isThere, "SWIFTLET_DATA is not set"))
  func `every conformance file gives exactly the records its JSON lists`() throws {
    let files = MCAPTestData.conformanceFiles()
    try #require(files.count == 188)
    for name in files {
      let reader = try MCAPReader(path: MCAPTestData.path(name + ".mcap"))
      var records = reader.records()
      var found: [JSONValue] = []
      while let record = records.next() {
        if let value = ConformanceRecord.json(record) { found.append(value) }
      }
      #expect(records.error == nil, "\(name)")
      let document = try JSONReader.parse(try MCAPTestData.bytes(name + ".json"))
      let expected = try #require(document["records"]?.arrayValue)
      #expect(found == expected, "\(name)")
    }
  }

  @Test(.enabled(if: MCAPTestData.isThere, "SWIFTLET_DATA is not set"))
  func `conformance files are undamaged, their messages and attachments come out`() throws {
    for name in MCAPTestData.conformanceFiles() {
      let reader = try MCAPReader(path: MCAPTestData.path(name + ".mcap"))
      let (messages, problems) = MCAPTestData.readAll(reader)
      #expect(problems.filter(\.isDamage).isEmpty, "\(name): \(problems)")
      try reader.checkDataSection()
      #expect(messages.count == (name.contains("OneMessage") ? 1 : 0), "\(name)")
      if let message = messages.first {
        #expect(message.channel.topic == "example" && message.logTime == 2)
        #expect(message.publishTime == 1 && message.sequence == 10)
        #expect(Array(message.data) == [1, 2, 3])
        #expect(message.schema?.name == "Example")
      }
      #expect(reader.attachmentCount == (name.contains("OneAttachment") ? 1 : 0))
      if reader.attachmentCount == 1 { #expect(Array(try reader.attachment(0).data) == [1, 2, 3]) }
      #expect(reader.metadata.count == (name.contains("OneMetadata") ? 1 : 0))
    }
  }
}

/// Records in the suite's notation: names of fields sorted, numbers as text.
enum ConformanceRecord {
  /// Nil for records the suite does not list.
  static func json(_ record: MCAPRecord) -> JSONValue? {
    switch record {
    case .header(let r):
      return make("Header", [("library", .string(r.library)), ("profile", .string(r.profile))])
    case .footer(let r):
      return make(
        "Footer",
        [
          ("summary_crc", number(r.summaryCRC)),
          ("summary_offset_start", number(r.summaryOffsetStart)),
          ("summary_start", number(r.summaryStart)),
        ])
    case .schema(let r):
      return make(
        "Schema",
        [
          ("data", bytes(r.data[...])), ("encoding", .string(r.encoding)), ("id", number(r.id)),
          ("name", .string(r.name)),
        ])
    case .channel(let r):
      return make(
        "Channel",
        [
          ("id", number(r.id)), ("message_encoding", .string(r.messageEncoding)),
          ("metadata", map(r.metadata)), ("schema_id", number(r.schemaID)),
          ("topic", .string(r.topic)),
        ])
    case .message(let r):
      return make(
        "Message",
        [
          ("channel_id", number(r.channelID)), ("data", bytes(r.data)),
          ("log_time", number(r.logTime)), ("publish_time", number(r.publishTime)),
          ("sequence", number(r.sequence)),
        ])
    case .attachment(let r):
      return make(
        "Attachment",
        [
          ("create_time", number(r.createTime)), ("data", bytes(r.data)),
          ("log_time", number(r.logTime)), ("media_type", .string(r.mediaType)),
          ("name", .string(r.name)),
        ])
    case .metadata(let r):
      return make("Metadata", [("metadata", map(r.metadata)), ("name", .string(r.name))])
    case .dataEnd(let r):
      return make("DataEnd", [("data_section_crc", number(r.dataSectionCRC))])
    case .chunk, .messageIndex, .unknown: return nil
    default: return summaryRecord(record)
    }
  }

  private static func summaryRecord(_ record: MCAPRecord) -> JSONValue? {
    switch record {
    case .chunkIndex(let r):
      return make(
        "ChunkIndex",
        [
          ("chunk_length", number(r.chunkByteCount)),
          ("chunk_start_offset", number(r.chunkStartOffset)),
          ("compressed_size", number(r.compressedByteCount)),
          ("compression", .string(r.compression)),
          ("message_end_time", number(r.messageEndTime)),
          ("message_index_length", number(r.messageIndexByteCount)),
          ("message_index_offsets", counts(r.messageIndexOffsets)),
          ("message_start_time", number(r.messageStartTime)),
          ("uncompressed_size", number(r.uncompressedByteCount)),
        ])
    case .attachmentIndex(let r):
      return make(
        "AttachmentIndex",
        [
          ("create_time", number(r.createTime)), ("data_size", number(r.dataByteCount)),
          ("length", number(r.byteCount)), ("log_time", number(r.logTime)),
          ("media_type", .string(r.mediaType)), ("name", .string(r.name)),
          ("offset", number(r.offset)),
        ])
    case .metadataIndex(let r):
      return make(
        "MetadataIndex",
        [
          ("length", number(r.byteCount)), ("name", .string(r.name)), ("offset", number(r.offset)),
        ])
    case .statistics(let r):
      return make(
        "Statistics",
        [
          ("attachment_count", number(r.attachmentCount)),
          ("channel_count", number(r.channelCount)),
          ("channel_message_counts", counts(r.channelMessageCounts)),
          ("chunk_count", number(r.chunkCount)), ("message_count", number(r.messageCount)),
          ("message_end_time", number(r.messageEndTime)),
          ("message_start_time", number(r.messageStartTime)),
          ("metadata_count", number(r.metadataCount)), ("schema_count", number(r.schemaCount)),
        ])
    case .summaryOffset(let r):
      return make(
        "SummaryOffset",
        [
          ("group_length", number(r.groupByteCount)), ("group_opcode", number(r.groupOpcode)),
          ("group_start", number(r.groupStart)),
        ])
    default: return nil
    }
  }

  private static func make(_ type: String, _ fields: [(String, JSONValue)]) -> JSONValue {
    .object([
      "type": .string(type), "fields": .array(fields.map { .array([.string($0.0), $0.1]) }),
    ])
  }
  private static func number(_ value: some BinaryInteger) -> JSONValue { .string(String(value)) }
  private static func bytes(_ bytes: ArraySlice<UInt8>) -> JSONValue {
    .array(bytes.map { number($0) })
  }
  private static func map(_ map: [String: String]) -> JSONValue {
    .object(map.mapValues { .string($0) })
  }
  private static func counts(_ counts: [UInt16: UInt64]) -> JSONValue {
    .object(
      Dictionary(uniqueKeysWithValues: counts.map { (String($0.key), number($0.value)) }))
  }
}
