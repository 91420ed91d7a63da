import Foundation

/// Writes MCAP files: chunks of 1 MiB, a full index, statistics, CRCs everywhere.
///
/// The file appears under its name when it is finished; until then it is `NAME.partial`.
public final class MCAPWriter {
  public enum Compression: String, Sendable, CaseIterable {
    case none = ""
    case zstd
  }

  private let path: String
  private let handle: FileHandle
  private let compression: Compression
  private let chunkByteCount: Int
  private var offset = 0
  private var crc: UInt32 = 0
  private var isFinished = false

  private var schemas: [MCAPSchema] = []
  private var channels: [MCAPChannel] = []
  private var writtenSchemas: Set<UInt16> = []
  private var writtenChannels: Set<UInt16> = []
  private var chunk = ByteWriter()
  private var chunkTimes: ClosedRange<UInt64>?
  private var chunkEntries: [UInt16: [MCAPMessageIndex.Entry]] = [:]
  private var chunkIndexes: [MCAPChunkIndex] = []
  private var attachmentIndexes: [MCAPAttachmentIndex] = []
  private var metadataIndexes: [MCAPMetadataIndex] = []
  private var messageTimes: ClosedRange<UInt64>?
  private var messageCounts: [UInt16: UInt64] = [:]

  /// - Parameters:
  ///   - profile: `ros2` for files of ROS 2 messages.
  ///   - chunkByteCount: larger chunks only cost readers memory.
  public init(
    path: String, profile: String = "ros2", library: String = "swiftlet \(SwiftletVersion.package)",
    compression: Compression = .zstd, chunkByteCount: Int = 1 << 20
  ) throws(RecordingError) {
    self.path = path
    self.compression = compression
    self.chunkByteCount = chunkByteCount
    let partial = Self.partial(path)
    guard FileManager.default.createFile(atPath: partial, contents: nil),
      let handle = FileHandle(forWritingAtPath: partial)
    else { throw Self.unwritable(path, "a file that cannot be made") }
    self.handle = handle
    try put(raw: MCAPReader.magic)
    try put(.header(MCAPHeader(profile: profile, library: library)))
  }

  deinit {
    guard !isFinished else { return }
    try? handle.close()
    try? FileManager.default.removeItem(atPath: Self.partial(path))
  }

  private static func partial(_ path: String) -> String { path + ".partial" }
  private static func unwritable(_ path: String, _ found: String) -> RecordingError {
    RecordingError(
      file: path, expected: "a file that can be written", found: found,
      remedy: "check the folder, its permissions and the disk's free space")
  }

  // MARK: content

  /// - Returns: the schema's id.
  public func addSchema(name: String, encoding: String, data: [UInt8]) -> UInt16 {
    let id = UInt16(schemas.count + 1)
    schemas.append(MCAPSchema(id: id, name: name, encoding: encoding, data: data))
    return id
  }

  /// - Returns: the channel's id.
  public func addChannel(
    schemaID: UInt16, topic: String, messageEncoding: String, metadata: [String: String] = [:]
  ) -> UInt16 {
    precondition(schemaID <= schemas.count, "schema \(schemaID) of \(schemas.count)")
    let id = UInt16(channels.count + 1)
    channels.append(
      MCAPChannel(
        id: id, schemaID: schemaID, topic: topic, messageEncoding: messageEncoding,
        metadata: metadata))
    return id
  }

  /// Adds a message; a chunk is written when it is full.
  public func write(
    channel: UInt16, sequence: UInt32 = 0, logTime: UInt64, publishTime: UInt64,
    data: ArraySlice<UInt8>
  ) throws(RecordingError) {
    precondition(channel >= 1 && channel <= channels.count, "channel \(channel) of \(channels.count)")
    if !chunk.bytes.isEmpty, chunk.bytes.count + data.count > chunkByteCount { try flush() }
    define(channels[Int(channel) - 1])
    chunkEntries[channel, default: []].append(
      MCAPMessageIndex.Entry(logTime: logTime, offset: UInt64(chunk.bytes.count)))
    put(
      .message(
        MCAPMessageRecord(
          channelID: channel, sequence: sequence, logTime: logTime, publishTime: publishTime,
          data: data)), to: &chunk)
    chunkTimes = Self.extended(chunkTimes, logTime)
    messageTimes = Self.extended(messageTimes, logTime)
    messageCounts[channel, default: 0] += 1
    if chunk.bytes.count >= chunkByteCount { try flush() }
  }

  public func addAttachment(
    name: String, mediaType: String, logTime: UInt64, createTime: UInt64, data: ArraySlice<UInt8>
  ) throws(RecordingError) {
    try flush()
    let start = offset
    try put(
      .attachment(
        MCAPAttachment(
          logTime: logTime, createTime: createTime, name: name, mediaType: mediaType, data: data,
          crc: 0, computedCRC: 0)))
    attachmentIndexes.append(
      MCAPAttachmentIndex(
        offset: UInt64(start), byteCount: UInt64(offset - start), logTime: logTime,
        createTime: createTime, dataByteCount: UInt64(data.count), name: name,
        mediaType: mediaType))
  }

  public func addMetadata(name: String, _ metadata: [String: String]) throws(RecordingError) {
    try flush()
    let start = offset
    try put(.metadata(MCAPMetadata(name: name, metadata: metadata)))
    metadataIndexes.append(
      MCAPMetadataIndex(offset: UInt64(start), byteCount: UInt64(offset - start), name: name))
  }

  /// Definitions stand before the first message that needs them.
  private func define(_ channel: MCAPChannel) {
    if channel.schemaID > 0, writtenSchemas.insert(channel.schemaID).inserted {
      put(.schema(schemas[Int(channel.schemaID) - 1]), to: &chunk)
    }
    if writtenChannels.insert(channel.id).inserted { put(.channel(channel), to: &chunk) }
  }

  private static func extended(_ range: ClosedRange<UInt64>?, _ time: UInt64) -> ClosedRange<UInt64> {
    guard let range else { return time...time }
    return min(range.lowerBound, time)...max(range.upperBound, time)
  }

  // MARK: chunks

  private func flush() throws(RecordingError) {
    guard !chunk.bytes.isEmpty else { return }
    let uncompressed = chunk.bytes
    var records = uncompressed
    if compression == .zstd {
      guard let compressed = MCAPCompression.compressZstd(uncompressed) else {
        throw Self.unwritable(path, "a chunk that zstd does not compress")
      }
      records = compressed
    }
    let times = chunkTimes ?? 0...0
    var content = ByteWriter()
    content.put(times.lowerBound)
    content.put(times.upperBound)
    content.put(UInt64(uncompressed.count))
    content.put(CRC32.of(uncompressed))
    content.put(compression.rawValue)
    content.put(UInt64(records.count))
    content.put(raw: records)
    let start = offset
    var record = ByteWriter()
    record.put(record: MCAPOpcode.chunk, content)
    try put(raw: record.bytes)
    var index = MCAPChunkIndex(
      messageStartTime: times.lowerBound, messageEndTime: times.upperBound,
      chunkStartOffset: UInt64(start), chunkByteCount: UInt64(offset - start),
      messageIndexOffsets: [:], messageIndexByteCount: 0, compression: compression.rawValue,
      compressedByteCount: UInt64(records.count), uncompressedByteCount: UInt64(uncompressed.count))
    let indexStart = offset
    for (channel, entries) in chunkEntries.sorted(by: { $0.key < $1.key }) {
      index.messageIndexOffsets[channel] = UInt64(offset)
      let sorted = entries.sorted { ($0.logTime, $0.offset) < ($1.logTime, $1.offset) }
      try put(.messageIndex(MCAPMessageIndex(channelID: channel, entries: sorted)))
    }
    index.messageIndexByteCount = UInt64(offset - indexStart)
    chunkIndexes.append(index)
    chunk.removeAll()
    chunkEntries = [:]
    chunkTimes = nil
  }

  // MARK: end

  /// Writes index, statistics and footer, and gives the file its name.
  public func finish() throws(RecordingError) {
    precondition(!isFinished, "finish() was called before")
    try flush()
    try put(.dataEnd(MCAPDataEnd(dataSectionCRC: crc)))
    let summaryStart = offset
    crc = 0
    var groups: [MCAPSummaryOffset] = []
    for records in summaryGroups() {
      guard let first = records.first?.encoded() else { continue }
      let start = offset
      for record in records { try put(record) }
      groups.append(
        MCAPSummaryOffset(
          groupOpcode: first.opcode, groupStart: UInt64(start),
          groupByteCount: UInt64(offset - start)))
    }
    let summaryOffsetStart = offset
    for group in groups { try put(.summaryOffset(group)) }
    try putFooter(UInt64(summaryStart), UInt64(summaryOffsetStart))
    try put(raw: MCAPReader.magic)
    do { try handle.close() } catch { throw Self.unwritable(path, "\(error)") }
    guard unsafe rename(Self.partial(path), path) == 0 else {
      throw unsafe Self.unwritable(path, String(cString: strerror(errno)))
    }
    isFinished = true
  }

  private func summaryGroups() -> [[MCAPRecord]] {
    let statistics = MCAPStatistics(
      messageCount: messageCounts.values.reduce(0, +), schemaCount: UInt16(writtenSchemas.count),
      channelCount: UInt32(writtenChannels.count), attachmentCount: UInt32(attachmentIndexes.count),
      metadataCount: UInt32(metadataIndexes.count), chunkCount: UInt32(chunkIndexes.count),
      messageStartTime: messageTimes?.lowerBound ?? 0, messageEndTime: messageTimes?.upperBound ?? 0,
      channelMessageCounts: messageCounts)
    return [
      schemas.filter { writtenSchemas.contains($0.id) }.map { .schema($0) },
      channels.filter { writtenChannels.contains($0.id) }.map { .channel($0) },
      [.statistics(statistics)], chunkIndexes.map { .chunkIndex($0) },
      attachmentIndexes.map { .attachmentIndex($0) }, metadataIndexes.map { .metadataIndex($0) },
    ]
  }

  /// The summary's CRC covers the footer's fields before itself.
  private func putFooter(_ summaryStart: UInt64, _ offsetStart: UInt64) throws(RecordingError) {
    var footer = ByteWriter()
    footer.put(MCAPOpcode.footer)
    footer.put(UInt64(20))
    footer.put(summaryStart)
    footer.put(offsetStart)
    footer.put(CRC32.of(footer.bytes[...], continuing: crc))
    try put(raw: footer.bytes)
  }

  // MARK: bytes

  private func put(_ record: MCAPRecord, to writer: inout ByteWriter) {
    guard let (opcode, content) = record.encoded() else { return }
    writer.put(record: opcode, content)
  }
  private func put(_ record: MCAPRecord) throws(RecordingError) {
    var writer = ByteWriter()
    put(record, to: &writer)
    try put(raw: writer.bytes)
  }
  private func put(raw bytes: [UInt8]) throws(RecordingError) {
    do {
      try handle.write(contentsOf: Data(bytes))
    } catch { throw Self.unwritable(path, "\(error)") }
    crc = CRC32.of(bytes, continuing: crc)
    offset += bytes.count
  }
}
