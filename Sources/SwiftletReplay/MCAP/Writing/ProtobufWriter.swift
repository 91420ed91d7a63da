/// Writes the wire format of protocol buffers: the counterpart of `ProtobufReader`.
///
/// Fields with the type's zero are left out, as proto3 has it.
struct ProtobufWriter {
  private(set) var bytes: [UInt8] = []

  mutating func put(_ number: Int, varint value: UInt64) {
    guard value != 0 else { return }
    key(number, 0)
    varint(value)
  }
  mutating func put(_ number: Int, fixed32 value: UInt32) {
    guard value != 0 else { return }
    key(number, 5)
    for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(shift))) }
  }
  mutating func put(_ number: Int, _ value: Double) {
    guard value.bitPattern != 0 else { return }
    key(number, 1)
    let bits = value.bitPattern
    for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift))) }
  }
  mutating func put(_ number: Int, _ text: String) {
    guard !text.isEmpty else { return }
    put(number, block: text.utf8)
  }
  mutating func put(_ number: Int, block content: some Collection<UInt8>) {
    key(number, 2)
    varint(UInt64(content.count))
    bytes.append(contentsOf: content)
  }
  /// A message in a field; written even when it is empty, so that readers see that it is there.
  mutating func put(_ number: Int, message body: (inout ProtobufWriter) -> Void) {
    var inner = ProtobufWriter()
    body(&inner)
    put(number, block: inner.bytes)
  }

  private mutating func key(_ number: Int, _ wireType: UInt64) {
    varint(UInt64(number) << 3 | wireType)
  }
  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
