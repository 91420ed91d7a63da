/// Appends little-endian fields, as MCAP records have them.
struct ByteBuilder {
  private(set) var bytes: [UInt8] = []

  mutating func integer<T: FixedWidthInteger>(_ value: T) {
    unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
  }
  mutating func raw(_ values: some Sequence<UInt8>) { bytes.append(contentsOf: values) }
  mutating func string(_ text: String) {
    integer(UInt32(text.utf8.count))
    raw(text.utf8)
  }
  /// Sorted by key, so that the same map gives the same bytes.
  mutating func map(_ values: [String: String]) {
    var content = ByteBuilder()
    for (key, value) in values.sorted(by: { $0.key < $1.key }) {
      content.string(key)
      content.string(value)
    }
    integer(UInt32(content.bytes.count))
    raw(content.bytes)
  }
  mutating func map(_ values: [UInt16: UInt64]) {
    integer(UInt32(values.count * 10))
    for (key, value) in values.sorted(by: { $0.key < $1.key }) {
      integer(key)
      integer(value)
    }
  }
  /// Opcode, length, content.
  static func record(_ opcode: UInt8, _ fill: (inout ByteBuilder) -> Void) -> [UInt8] {
    var content = ByteBuilder()
    fill(&content)
    var record = ByteBuilder()
    record.bytes.reserveCapacity(content.bytes.count + 9)
    record.integer(opcode)
    record.integer(UInt64(content.bytes.count))
    record.raw(content.bytes)
    return record.bytes
  }
}
