/// The summary section, found from the file's end.
struct MCAPSummary {
  /// Of chunk records, by their index.
  private(set) var chunkOffsets: [Int] = []

  /// A footer record of 20 bytes, its head and the magic behind it.
  private static let footerByteCount = MCAPRecordPlace.headByteCount + 20

  init(file: MCAPFile) throws(FieldError) {
    let footerOffset = file.byteCount - MCAPReader.magic.count - Self.footerByteCount
    var scanner = MCAPScanner(file: file)
    let place = try scanner.record(at: footerOffset)
    guard place.opcode == MCAPOpcode.footer else {
      throw FieldError(
        byteOffset: footerOffset, expected: "a footer", found: MCAPOpcode.name(place.opcode))
    }
    var reader = ByteReader(try file.read(place.contentOffset, place.contentByteCount))
    let footer = try MCAPFooter(parsing: &reader)
    try Self.check(file: file, footer: footer, footerOffset: footerOffset)
    guard footer.summaryStart > 0 else { return }
    var offset = Int(footer.summaryStart)
    while offset < footerOffset {
      let place = try scanner.record(at: offset)
      if place.opcode == MCAPOpcode.chunkIndex {
        var reader = ByteReader(try file.read(place.contentOffset, place.contentByteCount))
        let index = try MCAPChunkIndex(parsing: &reader)
        if let chunkOffset = Int(exactly: index.chunkStartOffset) { chunkOffsets.append(chunkOffset) }
      }
      offset = place.endOffset
    }
  }

  /// Fails unless the footer points into the file and the summary's CRC fits.
  static func check(
    file: MCAPFile, footer: MCAPFooter?, footerOffset: Int
  ) throws(FieldError) {
    guard let footer else { return }
    let limit = UInt64(footerOffset)
    let content = footerOffset + MCAPRecordPlace.headByteCount
    guard footer.summaryStart <= limit, footer.summaryOffsetStart <= limit else {
      throw FieldError(
        byteOffset: content, expected: "a summary before the footer at byte \(footerOffset)",
        found: "\(max(footer.summaryStart, footer.summaryOffsetStart))", kind: .summaryUnreadable)
    }
    guard footer.summaryCRC != 0, footer.summaryStart > 0 else { return }
    // The CRC covers the footer's fields before itself.
    let start = Int(footer.summaryStart)
    let computed = try crc(file: file, start..<content + 16)
    guard computed == footer.summaryCRC else {
      throw FieldError(
        byteOffset: start, expected: "CRC \(footer.summaryCRC) of the summary",
        found: "\(computed)", kind: .crcMismatch)
    }
  }

  /// CRC-32 of a part of the file, read in pieces.
  static func crc(file: MCAPFile, _ range: Range<Int>) throws(FieldError) -> UInt32 {
    var crc: UInt32 = 0
    var offset = range.lowerBound
    while offset < range.upperBound {
      let bytes = try file.read(offset, min(1 << 20, range.upperBound - offset))
      guard !bytes.isEmpty else { break }
      crc = CRC32.of(bytes, continuing: crc)
      offset += bytes.count
    }
    return crc
  }
}
