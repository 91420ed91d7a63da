/// The entries of a `.zip` file, which is what `.npz` is: stored or deflated, ZIP64 sizes included.
///
/// Sizes come from the central directory, and every entry's CRC-32 is checked.
struct ZipArchive {
  struct Entry {
    var name: String
    var method: UInt16
    var checksum: UInt32
    var compressedSize: Int
    var size: Int
    var headerOffset: Int
  }
  /// Larger than any label grid; a damaged size allocates nothing beyond it.
  static let maximumEntrySize = 1 << 31

  let entries: [Entry]
  private let bytes: [UInt8]
  private let file: String

  init(_ bytes: [UInt8], file: String) throws(ExchangeError) {
    self.bytes = bytes
    self.file = file
    let (count, offset) = try Self.directory(of: bytes, file: file)
    var cursor = ByteCursor(bytes, file: file, offset: offset)
    var entries: [Entry] = []
    for _ in 0..<count { entries.append(try Self.entry(&cursor)) }
    self.entries = entries
  }

  /// The number of entries and where the central directory starts, from the record at the end.
  private static func directory(
    of bytes: [UInt8], file: String
  ) throws(ExchangeError) -> (count: Int, offset: Int) {
    let signature: [UInt8] = [0x50, 0x4b, 0x05, 0x06]
    // The record is 22 bytes before the end, or more where a comment of up to 64 KB follows it.
    var start = bytes.count - 22
    let last = max(0, start - 0xffff)
    while start >= last, !bytes[start...].starts(with: signature) { start -= 1 }
    guard start >= last else {
      throw ExchangeError(
        file: file, expected: "a zip archive's end record", found: "none in \(bytes.count) bytes",
        remedy: "copy the file again: it is no .npz or cut short")
    }
    var cursor = ByteCursor(bytes, file: file, offset: start + 10)
    let count = try cursor.integer(UInt16.self, "the entry count")
    _ = try cursor.integer(UInt32.self, "the directory's size")
    let offset = try cursor.integer(UInt32.self, "the directory's offset")
    guard offset <= start else {
      throw ExchangeError(
        file: file, byteOffset: start + 16, expected: "a directory before byte \(start)",
        found: "byte \(offset)", remedy: "write the archive again without ZIP64 directories")
    }
    return (Int(count), Int(offset))
  }

  private static func entry(_ cursor: inout ByteCursor) throws(ExchangeError) -> Entry {
    let start = cursor.offset
    let signature = try cursor.integer(UInt32.self, "a directory entry")
    guard signature == 0x0201_4b50 else {
      throw ExchangeError(
        file: cursor.file, byteOffset: start, expected: "a directory entry (504b0102)",
        found: String(signature, radix: 16), remedy: "copy the file again")
    }
    _ = try cursor.take(6, "versions and flags")
    let method = try cursor.integer(UInt16.self, "a method")
    _ = try cursor.take(4, "a date")
    let checksum = try cursor.integer(UInt32.self, "a checksum")
    var compressed = Int(try cursor.integer(UInt32.self, "a size"))
    var size = Int(try cursor.integer(UInt32.self, "a size"))
    let nameLength = Int(try cursor.integer(UInt16.self, "a length"))
    let extraLength = Int(try cursor.integer(UInt16.self, "a length"))
    let commentLength = Int(try cursor.integer(UInt16.self, "a length"))
    _ = try cursor.take(8, "attributes")
    var offset = Int(try cursor.integer(UInt32.self, "an offset"))
    let name = String(decoding: try cursor.take(nameLength, "a name"), as: UTF8.self)
    let extra = Array(try cursor.take(extraLength, "extra fields"))
    try readZIP64(extra, cursor.file, &size, &compressed, &offset)
    _ = try cursor.take(commentLength, "a comment")
    return Entry(
      name: name, method: method, checksum: checksum, compressedSize: compressed, size: size,
      headerOffset: offset)
  }

  /// 64-bit values replace those that are all ones, in the order size, compressed size, offset.
  private static func readZIP64(
    _ extra: [UInt8], _ file: String, _ size: inout Int, _ compressed: inout Int, _ offset: inout Int
  ) throws(ExchangeError) {
    var fields = ByteCursor(extra, file: file)
    while fields.remaining >= 4 {
      let identifier = try fields.integer(UInt16.self, "an extra field")
      let length = Int(try fields.integer(UInt16.self, "an extra field"))
      var field = ByteCursor(Array(try fields.take(length, "an extra field")), file: file)
      guard identifier == 1 else { continue }
      let unknown = Int(UInt32.max)
      if size == unknown { size = Int(clamping: try field.integer(UInt64.self, "a size")) }
      if compressed == unknown { compressed = Int(clamping: try field.integer(UInt64.self, "a size")) }
      if offset == unknown { offset = Int(clamping: try field.integer(UInt64.self, "an offset")) }
    }
  }

  /// The bytes of an entry.
  func contents(of entry: Entry) throws(ExchangeError) -> [UInt8] {
    guard entry.size < Self.maximumEntrySize, entry.headerOffset <= bytes.count else {
      throw failure(entry, "at most \(Self.maximumEntrySize) bytes", "\(entry.size)")
    }
    var cursor = ByteCursor(bytes, file: file, offset: entry.headerOffset)
    guard try cursor.integer(UInt32.self, "an entry's header") == 0x0403_4b50 else {
      throw failure(entry, "a local header (504b0304)", "other bytes")
    }
    _ = try cursor.take(22, "an entry's header")
    let nameLength = Int(try cursor.integer(UInt16.self, "a length"))
    let extraLength = Int(try cursor.integer(UInt16.self, "a length"))
    _ = try cursor.take(nameLength + extraLength, "an entry's header")
    let data = try cursor.take(entry.compressedSize, "entry \(entry.name)")
    let contents: [UInt8]? =
      switch entry.method {
      case 0: data.count == entry.size ? Array(data) : nil
      // Deflate expands at most 1032 times; a size beyond that is damage, not a reason to allocate.
      case 8:
        entry.size <= 1040 * data.count + 64
          ? ZlibCodec.inflateRaw(data, byteCount: entry.size) : nil
      default: throw failure(entry, "method 0 (stored) or 8 (deflated)", "\(entry.method)")
      }
    guard let contents else { throw failure(entry, "\(entry.size) bytes", "a damaged stream") }
    let checksum = ZlibCodec.checksum(contents)
    guard checksum == entry.checksum else {
      throw failure(
        entry, "CRC-32 \(String(entry.checksum, radix: 16))", String(checksum, radix: 16))
    }
    return contents
  }

  private func failure(_ entry: Entry, _ expected: String, _ found: String) -> ExchangeError {
    ExchangeError(
      file: "\(file) \(entry.name)", byteOffset: entry.headerOffset, expected: expected,
      found: found, remedy: "copy the file again or save it with numpy.savez")
  }
}
