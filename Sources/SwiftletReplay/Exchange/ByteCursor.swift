/// Little-endian values from a file's bytes, in order; running out is an error with the offset.
struct ByteCursor {
  let bytes: [UInt8]
  let file: String
  private(set) var offset: Int

  init(_ bytes: [UInt8], file: String, offset: Int = 0) {
    self.bytes = bytes
    self.file = file
    self.offset = offset
  }

  var remaining: Int { bytes.count - offset }

  mutating func take(_ count: Int, _ what: String) throws(ExchangeError) -> ArraySlice<UInt8> {
    guard count >= 0, count <= remaining else {
      throw ExchangeError(
        file: file, byteOffset: offset, expected: "\(count) bytes of \(what)",
        found: "\(remaining)", remedy: "copy the file again: it is cut short")
    }
    defer { offset += count }
    return bytes[offset..<offset + count]
  }

  mutating func integer<T: FixedWidthInteger>(_: T.Type, _ what: String) throws(ExchangeError) -> T {
    var value = T.zero
    for (index, byte) in try take(MemoryLayout<T>.size, what).enumerated() {
      value |= T(truncatingIfNeeded: byte) << (8 * index)
    }
    return value
  }
  mutating func float(_ what: String) throws(ExchangeError) -> Float {
    Float(bitPattern: try integer(UInt32.self, what))
  }
  mutating func double(_ what: String) throws(ExchangeError) -> Double {
    Double(bitPattern: try integer(UInt64.self, what))
  }
}

extension [UInt8] {
  /// Appends little-endian bytes.
  mutating func append(littleEndian value: some FixedWidthInteger) {
    for shift in stride(from: 0, to: value.bitWidth, by: 8) {
      append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }
  mutating func append(bitsOf value: Float) { append(littleEndian: value.bitPattern) }
  mutating func append(bitsOf value: Double) { append(littleEndian: value.bitPattern) }
}
