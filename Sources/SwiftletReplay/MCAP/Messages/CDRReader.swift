import Swiftlet

/// Reads CDR, the encoding of ROS 2 messages: aligned fields behind a 4-byte encapsulation header,
/// either byte order, alignment counted from the header's end.
struct CDRReader {
  private var reader: ByteReader
  /// Where alignment counts from.
  private let origin: Int
  private let isBigEndian: Bool
  /// 8, or 4 in the second version of the encoding.
  private let maximumAlignment: Int

  /// - Parameter message: the encapsulation header and the body.
  init(_ message: ArraySlice<UInt8>) throws(FieldError) {
    reader = ByteReader(message)
    let start = reader.position
    let first = try reader.uint8("the encapsulation header")
    let kind = try reader.uint8("the encapsulation header")
    try reader.skip(2, "the encapsulation header")
    guard first == 0, [0, 1, 6, 7].contains(kind) else {
      throw FieldError(
        byteOffset: start, expected: "plain CDR (00 00, 00 01, 00 06 or 00 07)",
        found: ImageCodec.hexadecimal([first, kind]))
    }
    isBigEndian = kind & 1 == 0
    maximumAlignment = kind >= 6 ? 4 : 8
    origin = reader.position
  }

  var remaining: Int { reader.remaining }
  var position: Int { reader.position }

  mutating func align(_ byteCount: Int) throws(FieldError) {
    let alignment = min(byteCount, maximumAlignment)
    let past = (reader.position - origin) % alignment
    if past != 0 { try reader.skip(alignment - past, "padding") }
  }

  mutating func uint8(_ what: String) throws(FieldError) -> UInt8 { try reader.uint8(what) }
  mutating func bool(_ what: String) throws(FieldError) -> Bool { try reader.uint8(what) != 0 }
  mutating func uint32(_ what: String) throws(FieldError) -> UInt32 {
    try align(4)
    let value = try reader.uint32(what)
    return isBigEndian ? value.byteSwapped : value
  }
  mutating func uint64(_ what: String) throws(FieldError) -> UInt64 {
    try align(8)
    let value = try reader.uint64(what)
    return isBigEndian ? value.byteSwapped : value
  }
  mutating func size(_ what: String) throws(FieldError) -> Int { Int(try uint32(what)) }
  mutating func float32(_ what: String) throws(FieldError) -> Float {
    Float(bitPattern: try uint32(what))
  }
  mutating func float64(_ what: String) throws(FieldError) -> Double {
    Double(bitPattern: try uint64(what))
  }

  /// Text behind its length, which counts the closing zero byte.
  mutating func text(_ what: String) throws(FieldError) -> String {
    let count = try uint32("the length of \(what)")
    var bytes = try reader.slice(UInt64(count), what)
    if bytes.last == 0 { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The bytes behind their count, shared.
  mutating func bytes(_ what: String) throws(FieldError) -> ArraySlice<UInt8> {
    let count = try uint32("the length of \(what)")
    return try reader.slice(UInt64(count), what)
  }

  /// An element count that the bytes left can hold.
  mutating func count(_ what: String, elementByteCount: Int) throws(FieldError) -> Int {
    let count = try uint32("the number of \(what)")
    try reader.require(UInt64(count) * UInt64(elementByteCount), "\(count) \(what)")
    return Int(count)
  }

  mutating func float64s(_ count: Int, _ what: String) throws(FieldError) -> [Double] {
    var values: [Double] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try float64(what)) }
    return values
  }
  mutating func vector3(_ what: String) throws(FieldError) -> SIMD3<Double> {
    SIMD3(try float64(what), try float64(what), try float64(what))
  }
  /// x y z w, ROS's order.
  mutating func quaternion(_ what: String) throws(FieldError) -> Quaternion {
    let x = try float64(what)
    let y = try float64(what)
    let z = try float64(what)
    return Quaternion(w: try float64(what), x: x, y: y, z: z)
  }

  /// builtin_interfaces/Time: int32 seconds, uint32 nanoseconds.
  mutating func time(_ what: String) throws(FieldError) -> Int64 {
    let seconds = Int32(bitPattern: try uint32(what))
    return Int64(seconds) * 1_000_000_000 + Int64(try uint32(what))
  }
  mutating func header() throws(FieldError) -> MessageHeader {
    MessageHeader(stampNanoseconds: try time("the stamp"), frameID: try text("the frame"))
  }
}
