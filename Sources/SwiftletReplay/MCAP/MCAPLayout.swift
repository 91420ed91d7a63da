/// Something in a file that holds messages: a chunk, or one message outside of chunks.
struct MCAPUnit: Sendable, Equatable {
  var place: MCAPRecordPlace
  /// The time of the first message, by the chunk's own word.
  var startTime: UInt64
  var endTime: UInt64
  /// Of a message outside of chunks.
  var channelID: UInt16 = 0

  var isChunk: Bool { place.opcode == MCAPOpcode.chunk }
}

/// Where everything is in a file: found by walking over its records, payloads unread.
struct MCAPLayout: Sendable {
  var header: MCAPHeader?
  /// In file order.
  var units: [MCAPUnit] = []
  var schemas: [UInt16: MCAPSchema] = [:]
  var channels: [UInt16: MCAPChannel] = [:]
  var attachments: [MCAPRecordPlace] = []
  var metadata: [MCAPMetadata] = []
  var statistics: MCAPStatistics?
  var dataEnd: MCAPDataEnd?
  var dataEndOffset: Int?
  var footer: MCAPFooter?
  var footerOffset: Int?
  var chunkIndexCount = 0
  var messageIndexCount = 0
  var problems: [MCAPProblem] = []

  init() {}
  init(file: MCAPFile) {
    var walk = MCAPWalk(file: file)
    walk.run()
    self = walk.layout
  }
}

/// The walk behind `MCAPLayout`.
struct MCAPWalk {
  let file: MCAPFile
  private(set) var layout = MCAPLayout()
  private var scanner: MCAPScanner
  private var offset = MCAPReader.magic.count
  /// The record before: when nothing follows it, its length may be what is wrong.
  private var previous: MCAPRecordPlace?
  /// Chunk offsets of the summary, read when damage is met.
  private var indexedChunkOffsets: [Int]?

  init(file: MCAPFile) {
    self.file = file
    scanner = MCAPScanner(file: file)
  }

  mutating func run() {
    while layout.footer == nil {
      guard offset < file.byteCount else {
        report(
          .truncated, at: offset, expected: "a footer", found: "the file's end",
          remedy: "everything before was read; the recorder did not finish the file")
        return
      }
      do throws(FieldError) {
        let place = try scanner.record(at: offset)
        try take(place)
        previous = place
        offset = place.endOffset
      } catch {
        recover(from: error)
      }
    }
    checkEnd()
  }

  private mutating func take(_ place: MCAPRecordPlace) throws(FieldError) {
    switch place.opcode {
    case MCAPOpcode.chunk:
      let chunk = try scanner.chunkFields(place)
      if layout.units.isEmpty { scanner.hasLooseRecords = false }
      layout.units.append(
        MCAPUnit(place: place, startTime: chunk.messageStartTime, endTime: chunk.messageEndTime))
    case MCAPOpcode.message: try takeMessage(place)
    case MCAPOpcode.messageIndex: layout.messageIndexCount += 1
    case MCAPOpcode.chunkIndex: layout.chunkIndexCount += 1
    case MCAPOpcode.attachment: layout.attachments.append(place)
    case MCAPOpcode.attachmentIndex, MCAPOpcode.metadataIndex, MCAPOpcode.summaryOffset: break
    case MCAPOpcode.header...MCAPOpcode.dataEnd: try takeParsed(place)
    default:
      report(
        .unknownRecord, at: place.offset, expected: "opcodes 1 to 15",
        found: "\(place.opcode), \(place.contentByteCount) bytes", remedy: "it was skipped")
    }
  }

  private mutating func takeMessage(_ place: MCAPRecordPlace) throws(FieldError) {
    let bytes = try scanner.window.read(place.contentOffset, min(place.contentByteCount, 22))
    var reader = ByteReader(bytes)
    do throws(FieldError) {
      let message = try MCAPMessageRecord(parsing: &reader)
      scanner.hasLooseRecords = true
      layout.units.append(
        MCAPUnit(
          place: place, startTime: message.logTime, endTime: message.logTime,
          channelID: message.channelID))
    } catch {
      throw error.moved(from: bytes.startIndex, to: place.contentOffset)
    }
  }

  private mutating func takeParsed(_ place: MCAPRecordPlace) throws(FieldError) {
    let bytes = try scanner.window.read(place.contentOffset, place.contentByteCount)
    let record: MCAPRecord
    do throws(FieldError) {
      record = try MCAPRecord.parse(opcode: place.opcode, bytes)
    } catch {
      throw error.moved(from: bytes.startIndex, to: place.contentOffset)
    }
    switch record {
    case .header(let header): if layout.header == nil { layout.header = header }
    case .schema(let schema): layout.schemas[schema.id] = layout.schemas[schema.id] ?? schema
    case .channel(let channel):
      layout.channels[channel.id] = layout.channels[channel.id] ?? channel
      scanner.channels.insert(channel.id)
      // A channel before any chunk: messages may follow it bare.
      if layout.units.isEmpty { scanner.hasLooseRecords = true }
    case .metadata(let metadata): layout.metadata.append(metadata)
    case .statistics(let statistics): layout.statistics = statistics
    case .dataEnd(let dataEnd):
      layout.dataEnd = dataEnd
      layout.dataEndOffset = place.offset
    case .footer(let footer):
      layout.footer = footer
      layout.footerOffset = place.offset
    default: break
    }
  }

  // MARK: damage

  /// Goes on at the next record that is certain, or at the file's end.
  private mutating func recover(from error: FieldError) {
    let damageOffset = offset
    var searchStart = damageOffset + 1
    // A bare message with a wrong length swallows what follows it, so the search starts inside it.
    if let previous, previous.endOffset == damageOffset,
      previous.opcode == MCAPOpcode.message || previous.opcode > MCAPOpcode.dataEnd
    {
      searchStart = previous.contentOffset
    }
    let next = nextRecordOffset(from: searchStart, after: damageOffset)
    var lostStart = damageOffset
    if let next, next < damageOffset, let last = layout.units.last, last.place == previous {
      layout.units.removeLast()
      lostStart = last.place.offset
    }
    let end = next ?? file.byteCount
    report(
      next == nil ? .truncated : .recordDamaged, at: error.byteOffset, expected: error.expected,
      found: error.found,
      remedy: next == nil
        ? "everything before was read; copy the file again if there is more"
        : "reading went on at byte \(end); copy the file again for the rest",
      lost: min(lostStart, end)..<end)
    previous = nil
    offset = end
    if next == nil { isCut = true }
  }
  /// The end was already reported.
  private var isCut = false

  /// The summary's chunk index knows where the next chunk starts; without one the bytes are searched.
  private mutating func nextRecordOffset(from start: Int, after damageOffset: Int) -> Int? {
    if indexedChunkOffsets == nil { indexedChunkOffsets = readChunkOffsets() }
    let found = (try? scanner.nextRecord(from: start))?.offset
    let indexed = indexedChunkOffsets?.first { $0 > damageOffset }
    guard let indexed, let place = try? scanner.record(at: indexed),
      place.opcode == MCAPOpcode.chunk
    else { return found }
    return min(found ?? indexed, indexed)
  }

  /// Chunk offsets by a readable footer and its summary, in file order.
  private mutating func readChunkOffsets() -> [Int] {
    guard let summary = try? MCAPSummary(file: file) else { return [] }
    return summary.chunkOffsets.sorted()
  }

  private mutating func checkEnd() {
    guard let footerOffset = layout.footerOffset else { return }
    let magic = (try? file.read(offset, MCAPReader.magic.count)) ?? []
    if !magic.elementsEqual(MCAPReader.magic) {
      report(
        .magicDamaged, at: offset, expected: "the MCAP magic after the footer",
        found: MCAPReader.quoted(magic))
    } else if offset + magic.count < file.byteCount {
      report(
        .trailingBytes, at: offset + magic.count, expected: "the file's end",
        found: "\(file.byteCount - offset - magic.count) more bytes",
        lost: offset + magic.count..<file.byteCount)
    }
    do throws(FieldError) {
      try MCAPSummary.check(file: file, footer: layout.footer, footerOffset: footerOffset)
    } catch {
      report(
        error.kind, at: error.byteOffset, expected: error.expected, found: error.found,
        remedy: "the file was read through instead; write its index anew")
    }
  }

  private mutating func report(
    _ kind: MCAPProblem.Kind, at byteOffset: Int, expected: String, found: String,
    remedy: String = MCAPProblem.restoreRemedy, lost: Range<Int>? = nil
  ) {
    if isCut, kind == .truncated { return }
    layout.problems.append(
      MCAPProblem(
        kind, file.path, at: byteOffset, expected: expected, found: found, remedy: remedy,
        lost: lost))
  }
}
