import Synchronization

/// The uncompressed records of chunks: read, checked, and the latest ones kept.
final class MCAPChunkLoader: Sendable {
  let file: MCAPFile
  private let maximumChunkByteCount: Int
  private let cacheByteCount: Int
  private let cache = Mutex(Cache())

  private struct Cache {
    /// Latest use last.
    var entries: [(unit: Int, records: ArraySlice<UInt8>)] = []
    var byteCount = 0
  }

  init(file: MCAPFile, maximumChunkByteCount: Int, cacheByteCount: Int) {
    self.file = file
    self.maximumChunkByteCount = maximumChunkByteCount
    self.cacheByteCount = cacheByteCount
  }

  /// Records of a chunk, from the cache where it still has them.
  func records(unit: Int, _ place: MCAPRecordPlace) throws(FieldError) -> ArraySlice<UInt8> {
    if let known = cached(unit) { return known }
    let records = try load(place)
    cache.withLock { cache in
      cache.entries.append((unit, records))
      cache.byteCount += records.count
      while cache.byteCount > cacheByteCount, cache.entries.count > 1 {
        cache.byteCount -= cache.entries.removeFirst().records.count
      }
    }
    return records
  }

  private func cached(_ unit: Int) -> ArraySlice<UInt8>? {
    cache.withLock { cache in
      guard let index = cache.entries.lastIndex(where: { $0.unit == unit }) else { return nil }
      let entry = cache.entries.remove(at: index)
      cache.entries.append(entry)
      return entry.records
    }
  }

  /// Reads, decompresses and checks a chunk.
  func load(_ place: MCAPRecordPlace) throws(FieldError) -> ArraySlice<UInt8> {
    var readOffset = place.contentOffset
    do throws(FieldError) {
      let content = try file.read(place.contentOffset, place.contentByteCount)
      readOffset -= content.startIndex
      var reader = ByteReader(content)
      let chunk = try MCAPChunk(parsing: &reader)
      let records = try MCAPCompression.decompress(
        chunk.records, compression: chunk.compression,
        claimedByteCount: chunk.uncompressedByteCount, maximum: maximumChunkByteCount)
      let crc = chunk.uncompressedCRC
      if crc != 0 {
        let computed = CRC32.of(records)
        guard computed == crc else {
          throw FieldError(
            byteOffset: chunk.records.startIndex, expected: "CRC \(crc) of the chunk's records",
            found: "\(computed)", kind: .crcMismatch)
        }
      }
      return records
    } catch {
      var error = error.moved(from: 0, to: readOffset)
      if error.kind == .recordDamaged { error.kind = .chunkUndecodable }
      throw error
    }
  }
}

/// The records inside a chunk, one after the other.
struct MCAPChunkRecords {
  private let records: ArraySlice<UInt8>
  private(set) var position: Int

  init(_ records: ArraySlice<UInt8>) {
    self.records = records
    position = records.startIndex
  }

  /// The next record and its offset from the chunk's first; nil at the end.
  mutating func next() throws(FieldError) -> (
    opcode: UInt8, offset: Int, content: ArraySlice<UInt8>
  )? {
    guard position < records.endIndex else { return nil }
    var reader = ByteReader(records[position...])
    let opcode = try reader.uint8("an opcode")
    let byteCount = try reader.uint64("the length of \(MCAPOpcode.name(opcode))")
    let content = try reader.slice(byteCount, MCAPOpcode.name(opcode))
    let offset = position - records.startIndex
    position = reader.position
    return (opcode, offset, content)
  }
}
