/// A field that is not what its format says, by its index in the bytes being read.
struct FieldError: Error, Equatable {
  var byteOffset: Int
  var expected: String
  var found: String
  var kind = MCAPProblem.Kind.recordDamaged

  /// The same error with positions that count from another origin.
  func moved(from origin: Int, to target: Int) -> FieldError {
    var moved = self
    moved.byteOffset += target - origin
    return moved
  }
}

/// Little-endian fields of an untrusted record, each read checked against the record's end.
struct ByteReader {
  /// The record; its indices are those of the array it is a slice of, so nothing is copied.
  let bytes: ArraySlice<UInt8>
  /// The next byte to read, an index into `bytes`.
  private(set) var position: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }
  init(_ bytes: [UInt8]) { self.init(bytes[...]) }

  var remaining: Int { bytes.endIndex - position }

  /// Fails unless `count` more bytes are there.
  func require(_ count: UInt64, _ what: String) throws(FieldError) {
    guard count <= UInt64(remaining) else {
      throw FieldError(
        byteOffset: position, expected: "\(count) bytes for \(what)", found: "\(remaining)")
    }
  }

  mutating func skip(_ count: Int, _ what: String) throws(FieldError) {
    try require(UInt64(count), what)
    position += count
  }

  mutating func uint8(_ what: String) throws(FieldError) -> UInt8 {
    try integer(what, as: UInt8.self)
  }
  mutating func uint16(_ what: String) throws(FieldError) -> UInt16 {
    try integer(what, as: UInt16.self)
  }
  mutating func uint32(_ what: String) throws(FieldError) -> UInt32 {
    try integer(what, as: UInt32.self)
  }
  mutating func uint64(_ what: String) throws(FieldError) -> UInt64 {
    try integer(what, as: UInt64.self)
  }
  private mutating func integer<Value: FixedWidthInteger & UnsignedInteger>(
    _ what: String, as type: Value.Type
  ) throws(FieldError) -> Value {
    let count = Value.bitWidth / 8
    try require(UInt64(count), what)
    var value: Value = 0
    for index in 0..<count {
      value |= Value(truncatingIfNeeded: bytes[position + index]) << (index * 8)
    }
    position += count
    return value
  }

  /// The next `count` bytes, shared.
  mutating func slice(_ count: UInt64, _ what: String) throws(FieldError) -> ArraySlice<UInt8> {
    try require(count, what)
    let start = position
    position += Int(count)
    return bytes[start..<position]
  }

  /// Text behind its length in 4 bytes; bytes that are not UTF-8 become replacement characters,
  /// because a message is worth more than its topic's spelling.
  mutating func text(_ what: String) throws(FieldError) -> String {
    let count = try uint32(what)
    return String(decoding: try slice(UInt64(count), what), as: UTF8.self)
  }

  /// The part behind its length in 4 bytes, as a reader of its own.
  mutating func block(_ what: String) throws(FieldError) -> ByteReader {
    let count = try uint32(what)
    return ByteReader(try slice(UInt64(count), what))
  }
}
