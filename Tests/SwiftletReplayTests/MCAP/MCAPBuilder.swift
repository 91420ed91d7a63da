import CCodecs

@testable import SwiftletReplay

/// MCAP files made record by record, so that tests know every byte and can damage any.
struct MCAPBuilder {
  enum Compression: String, CaseIterable, Sendable { case none = "", zstd, lz4 }

  private(set) var bytes = MCAPReader.magic
  /// Offsets of the chunks' records, whole records each, in the order they were added.
  private(set) var chunks: [Range<Int>] = []
  /// Of the chunks' compressed records alone.
  private(set) var chunkContents: [Range<Int>] = []

  init(hasHeader: Bool = true) {
    if hasHeader { add(.header(MCAPHeader(profile: "", library: "test"))) }
  }

  mutating func add(_ record: MCAPRecord) { bytes += Self.encoded(record) }
  mutating func add(raw: [UInt8]) { bytes += raw }
  /// A record of any opcode.
  mutating func add(opcode: UInt8, _ content: [UInt8]) {
    var body = ByteWriter()
    body.put(raw: content)
    var writer = ByteWriter()
    writer.put(record: opcode, body)
    bytes += writer.bytes
  }

  static func encoded(_ record: MCAPRecord) -> [UInt8] {
    guard let (opcode, content) = record.encoded() else { return [] }
    var writer = ByteWriter()
    writer.put(record: opcode, content)
    return writer.bytes
  }
  static let channel = MCAPChannel(
    id: 1, schemaID: 0, topic: "/a", messageEncoding: "raw", metadata: [:])
  /// A message whose bytes, times and sequence all tell its number.
  static func message(_ number: Int, channel: UInt16 = 1, byteCount: Int = 300) -> MCAPRecord {
    let data = (0..<byteCount).map { UInt8(truncatingIfNeeded: number &+ $0 * $0 / 7) }
    return .message(
      MCAPMessageRecord(
        channelID: channel, sequence: UInt32(number), logTime: UInt64(1_000 + number),
        publishTime: UInt64(number), data: data[...]))
  }

  /// A chunk of records. What its head says is right unless it is given.
  mutating func addChunk(
    _ records: [MCAPRecord], _ compression: Compression = .none, times: ClosedRange<UInt64>? = nil,
    claimedByteCount: Int? = nil
  ) {
    let plain = records.flatMap { Self.encoded($0) }
    let packed = Self.packed(plain, compression)
    let logTimes = records.compactMap { if case .message(let m) = $0 { m.logTime } else { nil } }
    let range = times ?? (logTimes.min() ?? 0)...(logTimes.max() ?? 0)
    var content = ByteWriter()
    content.put(range.lowerBound)
    content.put(range.upperBound)
    content.put(UInt64(claimedByteCount ?? plain.count))
    content.put(CRC32.of(plain))
    content.put(compression.rawValue)
    content.put(UInt64(packed.count))
    content.put(raw: packed)
    let start = bytes.count
    add(opcode: MCAPOpcode.chunk, content.bytes)
    chunks.append(start..<bytes.count)
    chunkContents.append(bytes.count - packed.count..<bytes.count)
  }

  private static func packed(_ plain: [UInt8], _ compression: Compression) -> [UInt8] {
    switch compression {
    case .none: return plain
    case .zstd: return MCAPCompression.compressZstd(plain) ?? []
    case .lz4:
      let bound = LZ4F_compressFrameBound(plain.count, nil)
      return [UInt8](unsafeUninitializedCapacity: bound) { target, used in
        used = plain.withUnsafeBytes {
          LZ4F_compressFrame(target.baseAddress, bound, $0.baseAddress, $0.count, nil)
        }
      }
    }
  }

  /// Statistics in a summary without a CRC, footer and magic.
  mutating func finish(messageCount: Int? = nil) {
    add(.dataEnd(MCAPDataEnd(dataSectionCRC: 0)))
    let summary = bytes.count
    if let messageCount {
      add(
        .statistics(
          MCAPStatistics(
            messageCount: UInt64(messageCount), schemaCount: 0, channelCount: 1,
            attachmentCount: 0, metadataCount: 0, chunkCount: UInt32(chunks.count),
            messageStartTime: 0, messageEndTime: 0, channelMessageCounts: [:])))
    }
    var footer = ByteWriter()
    footer.put(UInt64(messageCount == nil ? 0 : summary))
    footer.put(UInt64(0))
    footer.put(UInt32(0))
    add(opcode: MCAPOpcode.footer, footer.bytes)
    add(raw: MCAPReader.magic)
  }

  /// Five chunks of four messages, numbered from 0.
  static func chunked(_ compression: Compression, finishes: Bool = true) -> MCAPBuilder {
    var builder = MCAPBuilder()
    builder.add(.channel(channel))
    for chunk in 0..<5 {
      builder.addChunk((0..<4).map { message(chunk * 4 + $0) }, compression)
    }
    if finishes { builder.finish(messageCount: 20) }
    return builder
  }
}
