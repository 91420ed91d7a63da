/// Little-endian fields, appended.
struct ByteWriter {
  private(set) var bytes: [UInt8] = []

  mutating func put<Value: FixedWidthInteger>(_ value: Value) {
    for index in 0..<Value.bitWidth / 8 {
      bytes.append(UInt8(truncatingIfNeeded: value >> Value(index * 8)))
    }
  }
  mutating func put(raw: some Sequence<UInt8>) { bytes.append(contentsOf: raw) }
  /// Text behind its length in 4 bytes.
  mutating func put(_ text: String) {
    put(UInt32(text.utf8.count))
    put(raw: text.utf8)
  }
  /// Bytes behind their count in 4 bytes.
  mutating func put(block: [UInt8]) {
    put(UInt32(block.count))
    put(raw: block)
  }
  /// Pairs of text by key, behind the byte count of all of them.
  mutating func put(_ map: [String: String]) {
    var pairs = ByteWriter()
    for (key, value) in map.sorted(by: { $0.key < $1.key }) {
      pairs.put(key)
      pairs.put(value)
    }
    put(block: pairs.bytes)
  }
  mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// A whole record: opcode, length, content.
  mutating func put(record opcode: UInt8, _ content: ByteWriter) {
    put(opcode)
    put(UInt64(content.bytes.count))
    put(raw: content.bytes)
  }
}
