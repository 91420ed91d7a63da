/// Bytes that do not hold what they should, by offset from where the cursor began.
struct CursorError: Error, Sendable {
  var byteOffset: Int
  var expected: String
  var found: String
}

/// Reads integers, floats and text from borrowed bytes, never past their end: the one place where
/// untrusted binary data is taken apart.
@safe
struct ByteCursor {
  private let bytes: UnsafeRawBufferPointer
  private(set) var offset = 0
  /// Big-endian numbers.
  var isBigEndian = false

  /// - Parameter bytes: stays alive and unchanged while the cursor is used.
  @unsafe
  init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = bytes }

  var count: Int { unsafe bytes.count }
  var remaining: Int { count - offset }

  /// A fixed-width integer at any alignment.
  mutating func integer<T: FixedWidthInteger>(_: T.Type = T.self) throws(CursorError) -> T {
    let size = MemoryLayout<T>.size
    try need(size, "\(T.self)")
    let value = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: T.self)
    offset += size
    return isBigEndian ? T(bigEndian: value) : T(littleEndian: value)
  }
  mutating func float32() throws(CursorError) -> Float { Float(bitPattern: try integer(UInt32.self)) }
  mutating func float64() throws(CursorError) -> Double {
    Double(bitPattern: try integer(UInt64.self))
  }

  /// The range of the next bytes, skipped.
  mutating func range(_ length: some BinaryInteger, _ what: String) throws(CursorError) -> Range<Int>
  {
    guard length >= 0, length <= remaining else {
      throw CursorError(
        byteOffset: offset, expected: "\(length) bytes of \(what)", found: "\(remaining)")
    }
    defer { offset += Int(length) }
    return offset..<offset + Int(length)
  }
  mutating func array(_ length: some BinaryInteger, _ what: String) throws(CursorError) -> [UInt8] {
    let range = try range(length, what)
    return unsafe [UInt8](UnsafeRawBufferPointer(rebasing: bytes[range]))
  }
  /// Text with a 32-bit length; bytes that are not UTF-8 become replacement characters.
  mutating func string(_ what: String) throws(CursorError) -> String {
    let length = try integer(UInt32.self)
    let range = try range(length, what)
    return unsafe String(decoding: bytes[range], as: UTF8.self)
  }
  /// Moves to an absolute offset inside the bytes.
  mutating func seek(_ target: Int) throws(CursorError) {
    guard target >= 0, target <= count else {
      throw CursorError(byteOffset: offset, expected: "an offset to \(count)", found: "\(target)")
    }
    offset = target
  }

  private func need(_ size: Int, _ what: String) throws(CursorError) {
    guard size <= remaining else {
      throw CursorError(byteOffset: offset, expected: what, found: "\(remaining) bytes")
    }
  }
}
