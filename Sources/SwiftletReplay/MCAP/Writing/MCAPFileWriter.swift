import CCodecs
import Foundation

/// Writes an MCAP file (mcap.dev/spec): chunked, indexed, with statistics and every CRC.
///
/// Chunks are closed at 1 MiB: larger ones only cost readers memory. Messages may come in any order;
/// a message larger than a chunk gets one of its own. The file appears under its name when `finish`
/// succeeds, not before.
public final class MCAPFileWriter {
  public enum Compression: String, Sendable, CaseIterable {
    case none = ""
    case zstd
    case lz4
  }

  public let path: String
  private let compression: Compression
  private let chunkByteCount: Int
  private let file: FileHandle
  private var offset = 0
  private var crc: UInt32 = 0

  private var schemas: [[UInt8]] = []
  private var channels: [[UInt8]] = []
  private var attachmentIndexes: [[UInt8]] = []
  private var metadataIndexes: [[UInt8]] = []
  private var chunkIndexes: [[UInt8]] = []
  private var messageCounts: [UInt16: UInt64] = [:]
  private var times: ClosedRange<UInt64>?

  /// The chunk being filled.
  private var records: [UInt8] = []
  private var chunkTimes: ClosedRange<UInt64>?
  private var messageIndexes: [UInt16: [MCAPMessageIndex.Entry]] = [:]
  /// Definitions are repeated in no chunk: a reader without the summary finds them in the first
  /// chunk that uses them.
  private var pendingDefinitions: [[UInt8]] = []

  /// - Parameter profile: `ros2` where channels follow its conventions.
  public init(
    path: String, profile: String = "", library: String = "swiftlet \(SwiftletVersion.package)",
    compression: Compression = .zstd, chunkByteCount: Int = 1 << 20
  ) throws(RecordingError) {
    precondition(chunkByteCount > 0, "chunks of \(chunkByteCount) bytes")
    self.path = path
    self.compression = compression
    self.chunkByteCount = chunkByteCount
    let partial = path + ".part"
    guard FileManager.default.createFile(atPath: partial, contents: nil),
      let file = FileHandle(forWritingAtPath: partial)
    else {
      throw RecordingError(
        file: partial, expected: "a file that can be written", found: "none",
        remedy: "choose a folder that exists and can be written to")
    }
    self.file = file
    try write(MCAPReader.magic)
    try write(
      ByteBuilder.record(MCAPOpcode.header) {
        $0.string(profile)
        $0.string(library)
      })
  }

  /// - Returns: the schema's id, for channels.
  public func addSchema(name: String, encoding: String, data: [UInt8]) -> UInt16 {
    precondition(schemas.count < Int(UInt16.max), "more than \(UInt16.max) schemas")
    let id = UInt16(schemas.count + 1)
    let record = ByteBuilder.record(MCAPOpcode.schema) {
      $0.integer(id)
      $0.string(name)
      $0.string(encoding)
      $0.integer(UInt32(data.count))
      $0.raw(data)
    }
    schemas.append(record)
    pendingDefinitions.append(record)
    return id
  }

  /// - Parameter schema: from `addSchema`; 0 for messages without one.
  /// - Returns: the channel's id, for messages.
  public func addChannel(
    topic: String, schema: UInt16, messageEncoding: String, metadata: [String: String] = [:]
  ) -> UInt16 {
    precondition(channels.count < Int(UInt16.max), "more than \(UInt16.max) channels")
    precondition(Int(schema) <= schemas.count, "schema \(schema) of \(schemas.count)")
    let id = UInt16(channels.count + 1)
    let record = ByteBuilder.record(MCAPOpcode.channel) {
      $0.integer(id)
      $0.integer(schema)
      $0.string(topic)
      $0.string(messageEncoding)
      $0.map(metadata)
    }
    channels.append(record)
    pendingDefinitions.append(record)
    return id
  }

  /// Appends a message to the current chunk.
  ///
  /// - Precondition: `channel` was returned by `addChannel`.
  public func writeMessage(
    channel: UInt16, sequence: UInt32 = 0, logTime: UInt64, publishTime: UInt64, data: [UInt8]
  ) throws(RecordingError) {
    precondition((1...channels.count).contains(Int(channel)), "channel \(channel) was not added")
    for definition in pendingDefinitions { records += definition }
    pendingDefinitions = []
    messageIndexes[channel, default: []].append(
      MCAPMessageIndex.Entry(logTime: logTime, offset: UInt64(records.count)))
    records += ByteBuilder.record(MCAPOpcode.message) {
      $0.integer(channel)
      $0.integer(sequence)
      $0.integer(logTime)
      $0.integer(publishTime)
      $0.raw(data)
    }
    messageCounts[channel, default: 0] += 1
    times = Self.widened(times, logTime)
    chunkTimes = Self.widened(chunkTimes, logTime)
    if records.count >= chunkByteCount { try closeChunk() }
  }

  public func writeAttachment(
    name: String, mediaType: String, logTime: UInt64, createTime: UInt64, data: [UInt8]
  ) throws(RecordingError) {
    try closeChunk()
    let record = ByteBuilder.record(MCAPOpcode.attachment) {
      $0.integer(logTime)
      $0.integer(createTime)
      $0.string(name)
      $0.string(mediaType)
      $0.integer(UInt64(data.count))
      $0.raw(data)
      $0.integer(CRC32.of($0.bytes))
    }
    attachmentIndexes.append(
      ByteBuilder.record(MCAPOpcode.attachmentIndex) {
        $0.integer(UInt64(offset))
        $0.integer(UInt64(record.count))
        $0.integer(logTime)
        $0.integer(createTime)
        $0.integer(UInt64(data.count))
        $0.string(name)
        $0.string(mediaType)
      })
    try write(record)
  }

  public func writeMetadata(
    name: String, _ values: [String: String]
  ) throws(RecordingError) {
    try closeChunk()
    let record = ByteBuilder.record(MCAPOpcode.metadata) {
      $0.string(name)
      $0.map(values)
    }
    metadataIndexes.append(
      ByteBuilder.record(MCAPOpcode.metadataIndex) {
        $0.integer(UInt64(offset))
        $0.integer(UInt64(record.count))
        $0.string(name)
      })
    try write(record)
  }

  // MARK: chunks

  private func closeChunk() throws(RecordingError) {
    guard let chunkTimes else { return }
    let packed = try compressed(records)
    let chunk = ByteBuilder.record(MCAPOpcode.chunk) {
      $0.integer(chunkTimes.lowerBound)
      $0.integer(chunkTimes.upperBound)
      $0.integer(UInt64(records.count))
      $0.integer(CRC32.of(records))
      $0.string(compression.rawValue)
      $0.integer(UInt64(packed.count))
      $0.raw(packed)
    }
    let chunkStart = offset
    try write(chunk)
    let indexStart = offset
    var indexOffsets: [UInt16: UInt64] = [:]
    for (channel, entries) in messageIndexes.sorted(by: { $0.key < $1.key }) {
      indexOffsets[channel] = UInt64(offset)
      try write(Self.messageIndex(channel, entries))
    }
    chunkIndexes.append(
      ByteBuilder.record(MCAPOpcode.chunkIndex) {
        $0.integer(chunkTimes.lowerBound)
        $0.integer(chunkTimes.upperBound)
        $0.integer(UInt64(chunkStart))
        $0.integer(UInt64(chunk.count))
        $0.map(indexOffsets)
        $0.integer(UInt64(offset - indexStart))
        $0.string(compression.rawValue)
        $0.integer(UInt64(packed.count))
        $0.integer(UInt64(records.count))
      })
    records.removeAll(keepingCapacity: true)
    messageIndexes = [:]
    self.chunkTimes = nil
  }

  private static func messageIndex(
    _ channel: UInt16, _ entries: [MCAPMessageIndex.Entry]
  ) -> [UInt8] {
    ByteBuilder.record(MCAPOpcode.messageIndex) {
      $0.integer(channel)
      $0.integer(UInt32(entries.count * 16))
      for entry in entries {
        $0.integer(entry.logTime)
        $0.integer(entry.offset)
      }
    }
  }

  private func compressed(_ bytes: [UInt8]) throws(RecordingError) -> [UInt8] {
    let packed: [UInt8]? =
      switch compression {
      case .none: bytes
      case .zstd: MCAPCompression.compressZstd(bytes)
      case .lz4: Self.compressLZ4(bytes)
      }
    guard let packed else {
      throw RecordingError(
        file: path, record: "chunk \(chunkIndexes.count)", expected: "data to compress",
        found: "\(compression.rawValue) refused \(bytes.count) bytes",
        remedy: "free memory and try again")
    }
    return packed
  }

  private static func compressLZ4(_ bytes: [UInt8]) -> [UInt8]? {
    let bound = LZ4F_compressFrameBound(bytes.count, nil)
    var output = [UInt8](repeating: 0, count: bound)
    let count = unsafe output.withUnsafeMutableBytes { target in
      unsafe bytes.withUnsafeBytes { source in
        unsafe LZ4F_compressFrame(target.baseAddress, bound, source.baseAddress, source.count, nil)
      }
    }
    guard LZ4F_isError(count) == 0 else { return nil }
    output.removeLast(bound - count)
    return output
  }

  private static func widened(_ range: ClosedRange<UInt64>?, _ time: UInt64) -> ClosedRange<UInt64> {
    guard let range else { return time...time }
    return min(range.lowerBound, time)...max(range.upperBound, time)
  }

  // MARK: the end

  /// Closes the last chunk, writes the summary and gives the file its name.
  public func finish() throws(RecordingError) {
    try closeChunk()
    // Channels without any message stand in the data section too: readers without an index.
    for definition in pendingDefinitions { try write(definition) }
    pendingDefinitions = []
    let dataCRC = crc
    try write(ByteBuilder.record(MCAPOpcode.dataEnd) { $0.integer(dataCRC) })
    let summaryStart = offset
    crc = 0
    let groups: [(UInt8, [[UInt8]])] = [
      (MCAPOpcode.schema, schemas), (MCAPOpcode.channel, channels),
      (MCAPOpcode.statistics, [statistics()]), (MCAPOpcode.chunkIndex, chunkIndexes),
      (MCAPOpcode.attachmentIndex, attachmentIndexes),
      (MCAPOpcode.metadataIndex, metadataIndexes),
    ]
    var summaryOffsets: [[UInt8]] = []
    for (opcode, records) in groups where !records.isEmpty {
      let start = offset
      for record in records { try write(record) }
      summaryOffsets.append(
        ByteBuilder.record(MCAPOpcode.summaryOffset) {
          $0.integer(opcode)
          $0.integer(UInt64(start))
          $0.integer(UInt64(offset - start))
        })
    }
    let offsetStart = offset
    for record in summaryOffsets { try write(record) }
    var footer = ByteBuilder()
    footer.integer(MCAPOpcode.footer)
    footer.integer(UInt64(20))
    footer.integer(UInt64(summaryStart))
    footer.integer(UInt64(offsetStart))
    try write(footer.bytes)
    var end = ByteBuilder()
    end.integer(crc)
    end.raw(MCAPReader.magic)
    try write(end.bytes)
    try rename()
  }

  private func statistics() -> [UInt8] {
    ByteBuilder.record(MCAPOpcode.statistics) {
      $0.integer(messageCounts.values.reduce(0, +))
      $0.integer(UInt16(schemas.count))
      $0.integer(UInt32(channels.count))
      $0.integer(UInt32(attachmentIndexes.count))
      $0.integer(UInt32(metadataIndexes.count))
      $0.integer(UInt32(chunkIndexes.count))
      $0.integer(times?.lowerBound ?? 0)
      $0.integer(times?.upperBound ?? 0)
      $0.map(messageCounts)
    }
  }

  private func write(_ bytes: [UInt8]) throws(RecordingError) {
    do {
      try file.write(contentsOf: Data(bytes))
    } catch {
      throw RecordingError(
        file: path + ".part", byteOffset: offset, expected: "to write \(bytes.count) bytes",
        found: "\(error.localizedDescription)", remedy: "free space on the disk")
    }
    crc = CRC32.of(bytes, continuing: crc)
    offset += bytes.count
  }

  private func rename() throws(RecordingError) {
    do {
      try file.close()
      if FileManager.default.fileExists(atPath: path) {
        try FileManager.default.removeItem(atPath: path)
      }
      try FileManager.default.moveItem(atPath: path + ".part", toPath: path)
    } catch {
      throw RecordingError(
        file: path, expected: "to rename the finished file", found: "\(error.localizedDescription)",
        remedy: "check the folder's permissions")
    }
  }
}
