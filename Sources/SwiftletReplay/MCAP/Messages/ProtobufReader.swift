/// The wire format of protocol buffers, enough for Foxglove's messages: fields by number, unknown
/// ones skipped, every length checked.
///
/// By hand because these few messages are read at known field numbers without their payloads being
/// copied; a generated reader would copy each cloud into a `Data` first.
struct ProtobufReader {
  private var reader: ByteReader

  enum Value {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    case bytes(ArraySlice<UInt8>)

    var unsigned: UInt64? {
      switch self {
      case .varint(let value), .fixed64(let value): value
      case .fixed32(let value): UInt64(value)
      case .bytes: nil
      }
    }
    var signed: Int64? { unsigned.map { Int64(bitPattern: $0) } }
    var double: Double? {
      if case .fixed64(let value) = self { return Double(bitPattern: value) }
      return nil
    }
    var bytes: ArraySlice<UInt8>? {
      if case .bytes(let value) = self { return value }
      return nil
    }
    var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
  }

  init(_ message: ArraySlice<UInt8>) { reader = ByteReader(message) }

  /// The next field; nil at the end.
  mutating func next() throws(FieldError) -> (number: UInt64, value: Value)? {
    guard reader.remaining > 0 else { return nil }
    let start = reader.position
    let key = try varint()
    switch key & 7 {
    case 0: return (key >> 3, .varint(try varint()))
    case 1: return (key >> 3, .fixed64(try reader.uint64("a fixed64")))
    case 2:
      let count = try varint()
      return (key >> 3, .bytes(try reader.slice(count, "field \(key >> 3)")))
    case 5: return (key >> 3, .fixed32(try reader.uint32("a fixed32")))
    default:
      throw FieldError(
        byteOffset: start, expected: "wire type 0, 1, 2 or 5", found: "\(key & 7)")
    }
  }

  private mutating func varint() throws(FieldError) -> UInt64 {
    let start = reader.position
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while shift < 64 {
      let byte = try reader.uint8("a varint")
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw FieldError(byteOffset: start, expected: "a varint of 10 bytes", found: "more")
  }
}
