/// Writes ROS 2 messages: plain CDR, little-endian, numbers aligned to their size after the
/// four-byte encapsulation header.
struct CDRWriter {
  private(set) var bytes: [UInt8] = [0, 1, 0, 0]

  mutating func integer<T: FixedWidthInteger>(_ value: T) {
    let size = MemoryLayout<T>.size
    let padding = (size - (bytes.count - 4) % size) % size
    bytes.append(contentsOf: repeatElement(0, count: padding))
    unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
  }
  mutating func bool(_ value: Bool) { integer(UInt8(value ? 1 : 0)) }
  mutating func float32(_ value: Float) { integer(value.bitPattern) }
  mutating func float64(_ value: Double) { integer(value.bitPattern) }
  /// Length with the closing zero, text, zero.
  mutating func string(_ text: String) {
    integer(UInt32(text.utf8.count + 1))
    bytes.append(contentsOf: text.utf8)
    bytes.append(0)
  }
  mutating func sequence(_ values: some Collection<UInt8>) {
    integer(UInt32(values.count))
    bytes.append(contentsOf: values)
  }
  /// A fixed-size array: no length.
  mutating func array(_ values: [Double]) { for value in values { float64(value) } }
  mutating func vector(_ value: SIMD3<Double>) { array([value.x, value.y, value.z]) }
}
