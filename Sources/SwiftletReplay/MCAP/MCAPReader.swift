/// Reads MCAP files (mcap.dev/spec): chunked or not, indexed or not, whole or damaged.
///
/// Opening walks over the records without reading payloads; behind damage it goes on at the next
/// record that is certain and says what was lost. Memory holds one entry for each chunk (and for
/// each message outside of chunks) and `cacheByteCount` of uncompressed chunks.
public final class MCAPReader: Sendable {
  static let magic: [UInt8] = [0x89, 0x4d, 0x43, 0x41, 0x50, 0x30, 0x0d, 0x0a]

  public struct Options: Sendable {
    /// A chunk that claims more is not read.
    public var maximumChunkByteCount: Int
    /// Uncompressed chunks kept for messages out of order; at least one is.
    public var cacheByteCount: Int

    public init(maximumChunkByteCount: Int = 1 << 31, cacheByteCount: Int = 64 << 20) {
      self.maximumChunkByteCount = maximumChunkByteCount
      self.cacheByteCount = cacheByteCount
    }
  }

  public let path: String
  public let header: MCAPHeader
  public let schemas: [UInt16: MCAPSchema]
  public let channels: [UInt16: MCAPChannel]
  /// As the file says; nil where it does not.
  public let statistics: MCAPStatistics?
  public let metadata: [MCAPMetadata]
  /// What opening found. Chunks are read later; their problems come with the messages.
  public let problems: [MCAPProblem]
  public var attachmentCount: Int { layout.attachments.count }
  public var chunkCount: Int { layout.units.count { $0.isChunk } }

  let file: MCAPFile
  let layout: MCAPLayout
  let loader: MCAPChunkLoader

  /// - Throws: `RecordingError` when the file cannot be read or is not an MCAP file.
  public convenience init(path: String, options: Options = Options()) throws(RecordingError) {
    try self.init(file: try MCAPFile(path: path), options: options)
  }
  /// - Parameter path: the name in errors.
  public convenience init(
    bytes: [UInt8], path: String, options: Options = Options()
  ) throws(RecordingError) {
    try self.init(file: MCAPFile(bytes: bytes, path: path), options: options)
  }

  init(file: MCAPFile, options: Options) throws(RecordingError) {
    let magicProblem = try Self.checkMagic(file)
    self.file = file
    path = file.path
    layout = MCAPLayout(file: file)
    loader = MCAPChunkLoader(
      file: file, maximumChunkByteCount: options.maximumChunkByteCount,
      cacheByteCount: options.cacheByteCount)
    var problems = [magicProblem].compactMap(\.self) + layout.problems
    if layout.header == nil {
      problems.append(
        MCAPProblem(
          .recordDamaged, path, at: Self.magic.count, expected: "a Header record", found: "none"))
    }
    header = layout.header ?? MCAPHeader(profile: "", library: "")
    if layout.chunkIndexCount < layout.units.count(where: \.isChunk), layout.footer != nil {
      problems.append(
        MCAPProblem(
          .unindexed, path, at: layout.footerOffset ?? 0, expected: "an index of every chunk",
          found: "\(layout.chunkIndexCount) of \(layout.units.count(where: \.isChunk))",
          remedy: "the file was read through instead"))
    }
    let definitions = Self.completeDefinitions(layout, loader)
    schemas = definitions.schemas
    channels = definitions.channels
    statistics = layout.statistics
    metadata = layout.metadata
    self.problems = problems
  }

  /// Nil when the magic is right; a problem when a header follows all the same.
  private static func checkMagic(_ file: MCAPFile) throws(RecordingError) -> MCAPProblem? {
    let start = (try? file.read(0, magic.count)) ?? []
    if start.elementsEqual(magic) { return nil }
    var scanner = MCAPScanner(file: file)
    let isMCAP = (try? scanner.record(at: magic.count))?.opcode == MCAPOpcode.header
    let isVersionOnly =
      start.count == magic.count && start.starts(with: magic.prefix(5))
      && start.dropFirst(6).elementsEqual(magic[6...])
    if isMCAP && !isVersionOnly {
      return MCAPProblem(
        .magicDamaged, file.path, at: 0, expected: "the MCAP magic", found: quoted(start))
    }
    throw RecordingError(
      file: file.path, byteOffset: 0, expected: "the magic of an MCAP file, version 0",
      found: file.byteCount == 0 ? "an empty file" : quoted(start),
      remedy: file.byteCount == 0
        ? "record or copy the file again" : "check that this is the right file")
  }

  static func quoted(_ bytes: ArraySlice<UInt8>) -> String {
    if bytes.isEmpty { return "nothing" }
    let isText = bytes.allSatisfy { (0x20...0x7e).contains($0) }
    return isText ? "'\(String(decoding: bytes, as: UTF8.self))'" : "\(ImageCodec.hexadecimal(bytes))"
  }

  /// Channels that only chunks define are found by reading these, once.
  private static func completeDefinitions(
    _ layout: MCAPLayout, _ loader: MCAPChunkLoader
  ) -> (schemas: [UInt16: MCAPSchema], channels: [UInt16: MCAPChannel]) {
    var (schemas, channels) = (layout.schemas, layout.channels)
    let isComplete =
      layout.footer != nil && !channels.isEmpty
      && UInt32(channels.count) >= layout.statistics?.channelCount ?? 0
      && channels.values.allSatisfy { $0.schemaID == 0 || schemas[$0.schemaID] != nil }
    if isComplete { return (schemas, channels) }
    for unit in layout.units where unit.isChunk {
      guard let records = try? loader.load(unit.place) else { continue }
      var inner = MCAPChunkRecords(records)
      while let record = try? inner.next() {
        guard record.opcode != MCAPOpcode.message else { continue }
        switch try? MCAPRecord.parse(opcode: record.opcode, record.content) {
        case .schema(let schema): schemas[schema.id] = schemas[schema.id] ?? schema
        case .channel(let channel): channels[channel.id] = channels[channel.id] ?? channel
        default: break
        }
      }
    }
    return (schemas, channels)
  }
}

// MARK: attachments

extension MCAPReader {
  /// An attachment; one whose CRC does not fit is an error.
  ///
  /// - Precondition: `index` is below `attachmentCount`.
  public func attachment(_ index: Int) throws(RecordingError) -> MCAPAttachment {
    precondition(
      layout.attachments.indices.contains(index),
      "attachment \(index) of \(layout.attachments.count)")
    let place = layout.attachments[index]
    do throws(FieldError) {
      let content = try file.read(place.contentOffset, place.contentByteCount)
      var reader = ByteReader(content)
      do throws(FieldError) {
        let attachment = try MCAPAttachment(parsing: &reader)
        guard attachment.crc == 0 || attachment.crc == attachment.computedCRC else {
          throw FieldError(
            byteOffset: content.startIndex, expected: "CRC \(attachment.crc)",
            found: "\(attachment.computedCRC)")
        }
        return attachment
      } catch { throw error.moved(from: content.startIndex, to: place.contentOffset) }
    } catch {
      throw RecordingError(
        file: path, record: "attachment \(index)", byteOffset: error.byteOffset,
        expected: error.expected, found: error.found, remedy: MCAPProblem.restoreRemedy)
    }
  }

  /// Fails when the data section's CRC, where the file has one, does not fit its bytes. Reads the
  /// whole file.
  public func checkDataSection() throws(RecordingError) {
    guard let dataEnd = layout.dataEnd, let end = layout.dataEndOffset,
      dataEnd.dataSectionCRC != 0
    else { return }
    do throws(FieldError) {
      let computed = try MCAPSummary.crc(file: file, 0..<end)
      guard computed != dataEnd.dataSectionCRC else { return }
      throw FieldError(
        byteOffset: 0, expected: "CRC \(dataEnd.dataSectionCRC) of bytes 0 to \(end)",
        found: "\(computed)")
    } catch {
      throw RecordingError(
        file: path, record: "data section", byteOffset: error.byteOffset,
        expected: error.expected, found: error.found, remedy: MCAPProblem.restoreRemedy)
    }
  }
}
