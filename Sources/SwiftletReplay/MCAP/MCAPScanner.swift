/// A record's place in a file or in a chunk's records.
struct MCAPRecordPlace: Sendable, Equatable {
  static let headByteCount = 9

  var opcode: UInt8
  /// Of the opcode.
  var offset: Int
  var contentByteCount: Int

  var contentOffset: Int { offset + Self.headByteCount }
  var endOffset: Int { contentOffset + contentByteCount }
}

/// Reads small pieces near each other without a system call for each.
struct MCAPWindow {
  private static let byteCount = 1 << 14
  let file: MCAPFile
  private var offset = 0
  private var bytes: ArraySlice<UInt8> = []

  init(file: MCAPFile) { self.file = file }

  /// The bytes from `at` on, fewer than `count` only at the file's end.
  mutating func read(_ at: Int, _ count: Int) throws(FieldError) -> ArraySlice<UInt8> {
    let count = min(count, file.byteCount - at)
    guard count > 0, at >= 0 else { return [] }
    if count > Self.byteCount { return try file.read(at, count) }
    if at < offset || at + count > offset + bytes.count {
      offset = at
      bytes = try file.read(at, Self.byteCount)
    }
    let start = bytes.startIndex + at - offset
    return bytes[start..<start + count]
  }
}

/// Walks over the records of a file without reading their payloads, and finds the next one behind
/// damage.
struct MCAPScanner {
  let file: MCAPFile
  var window: MCAPWindow
  /// A file without chunks holds its messages bare; behind damage they are searched for then.
  var hasLooseRecords = false
  /// Channels met so far: a bare message is searched for by them.
  var channels: Set<UInt16> = []

  init(file: MCAPFile) {
    self.file = file
    window = MCAPWindow(file: file)
  }

  /// The record that starts at `offset`.
  mutating func record(at offset: Int) throws(FieldError) -> MCAPRecordPlace {
    let head = try window.read(offset, MCAPRecordPlace.headByteCount)
    guard head.count == MCAPRecordPlace.headByteCount else {
      throw FieldError(
        byteOffset: offset, expected: "a record's head of 9 bytes", found: "\(head.count) bytes")
    }
    let opcode = head[head.startIndex]
    guard opcode != 0 else {
      throw FieldError(byteOffset: offset, expected: "an opcode", found: "0")
    }
    var length: UInt64 = 0
    for index in 0..<8 { length |= UInt64(head[head.startIndex + 1 + index]) << (8 * index) }
    let available = file.byteCount - offset - MCAPRecordPlace.headByteCount
    guard length <= UInt64(available) else {
      throw FieldError(
        byteOffset: offset, expected: "\(length) bytes of \(MCAPOpcode.name(opcode))",
        found: "\(available) to the file's end")
    }
    return MCAPRecordPlace(opcode: opcode, offset: offset, contentByteCount: Int(length))
  }

  /// A chunk's fields before its records, when they agree with the record's length.
  mutating func chunkFields(_ place: MCAPRecordPlace) throws(FieldError) -> MCAPChunk {
    // 32 bytes of numbers, the compression's name and a length; no name is near this long.
    let bytes = try window.read(place.contentOffset, min(place.contentByteCount, 256))
    var reader = ByteReader(bytes)
    do throws(FieldError) {
      let (chunk, recordByteCount) = try MCAPChunk.parseFields(&reader)
      let fieldByteCount = reader.position - bytes.startIndex
      let available = place.contentByteCount - fieldByteCount
      guard recordByteCount <= UInt64(available) else {
        throw FieldError(
          byteOffset: reader.position, expected: "at most \(available) bytes of records",
          found: "\(recordByteCount)")
      }
      return chunk
    } catch {
      throw error.moved(from: bytes.startIndex, to: place.contentOffset)
    }
  }

  // MARK: behind damage

  /// The next place from `start` on that holds a record beyond doubt; nil: none to the file's end.
  mutating func nextRecord(from start: Int) throws(FieldError) -> MCAPRecordPlace? {
    let step = 1 << 20
    var offset = start
    while offset < file.byteCount {
      let bytes = try file.read(offset, step + MCAPRecordPlace.headByteCount)
      guard bytes.count > MCAPRecordPlace.headByteCount else { return nil }
      for index in 0..<min(step, bytes.count - MCAPRecordPlace.headByteCount) {
        let at = bytes.startIndex + index
        // A length below 2^40: cheap, and it rules out nearly everything.
        guard (1...15).contains(bytes[at]), bytes[at + 8] == 0, bytes[at + 7] == 0,
          bytes[at + 6] == 0
        else { continue }
        if let place = try? record(at: offset + index), isCertain(place) { return place }
      }
      offset += step
    }
    return nil
  }

  /// True when the bytes at a place can hardly be anything but a record.
  private mutating func isCertain(_ place: MCAPRecordPlace) -> Bool {
    switch place.opcode {
    case MCAPOpcode.chunk:
      guard let chunk = try? chunkFields(place) else { return false }
      return MCAPCompression.names.contains(chunk.compression)
        && chunk.messageStartTime <= chunk.messageEndTime
    case MCAPOpcode.messageIndex:
      return place.contentByteCount >= 6 && (place.contentByteCount - 6) % 16 == 0
        && isFollowed(place)
    case MCAPOpcode.dataEnd:
      return place.contentByteCount == 4 && isFollowed(place)
    case MCAPOpcode.footer:
      return place.contentByteCount == 20
        && (try? window.read(place.endOffset, 8))?.elementsEqual(MCAPReader.magic) == true
    case MCAPOpcode.message:
      guard hasLooseRecords, place.contentByteCount >= 22 else { return false }
      guard let bytes = try? window.read(place.contentOffset, 2), bytes.count == 2 else {
        return false
      }
      let channel = UInt16(bytes[bytes.startIndex]) | UInt16(bytes[bytes.startIndex + 1]) << 8
      return channels.contains(channel) && isFollowed(place)
    case MCAPOpcode.schema, MCAPOpcode.channel:
      guard hasLooseRecords, place.contentByteCount < 1 << 20 else { return false }
      return isParsed(place) && isFollowed(place)
    case MCAPOpcode.metadata:
      guard place.contentByteCount < 1 << 20 else { return false }
      return isParsed(place) && isFollowed(place)
    default: return false
    }
  }

  private mutating func isParsed(_ place: MCAPRecordPlace) -> Bool {
    guard let content = try? window.read(place.contentOffset, place.contentByteCount) else {
      return false
    }
    return (try? MCAPRecord.parse(opcode: place.opcode, content)) != nil
  }

  /// True when a record of a known kind, or the file's end, comes right behind.
  private mutating func isFollowed(_ place: MCAPRecordPlace) -> Bool {
    if place.endOffset == file.byteCount { return true }
    guard let next = try? record(at: place.endOffset) else { return false }
    return (1...15).contains(next.opcode)
  }
}
