import Swiftlet

/// Writes CDR, little-endian, behind its encapsulation header.
struct CDRWriter {
  private(set) var bytes: [UInt8] = [0, 1, 0, 0]

  private mutating func align(_ byteCount: Int) {
    while (bytes.count - 4) % byteCount != 0 { bytes.append(0) }
  }
  mutating func put<Value: FixedWidthInteger>(_ value: Value) {
    align(Value.bitWidth / 8)
    for index in 0..<Value.bitWidth / 8 {
      bytes.append(UInt8(truncatingIfNeeded: value >> Value(index * 8)))
    }
  }
  mutating func put(_ value: Bool) { put(value ? 1 as UInt8 : 0) }
  mutating func put(_ value: Float) { put(value.bitPattern) }
  mutating func put(_ value: Double) { put(value.bitPattern) }
  mutating func put(_ values: [Double]) { for value in values { put(value) } }
  mutating func put(_ text: String) {
    put(UInt32(text.utf8.count + 1))
    bytes.append(contentsOf: text.utf8)
    bytes.append(0)
  }
  mutating func put(bytes content: some Collection<UInt8>) {
    put(UInt32(content.count))
    bytes.append(contentsOf: content)
  }
  mutating func put(_ vector: SIMD3<Double>) { put([vector.x, vector.y, vector.z]) }
  mutating func put(_ q: Quaternion) { put([q.x, q.y, q.z, q.w]) }
  /// Seconds are 32 bits: times after 2038 or before 1901 wrap in ROS 2's own format.
  mutating func put(time nanoseconds: Int64) {
    var (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    if rest < 0 { (seconds, rest) = (seconds - 1, rest + 1_000_000_000) }
    put(Int32(truncatingIfNeeded: seconds))
    put(UInt32(rest))
  }
  mutating func put(_ header: MessageHeader) {
    put(time: header.stampNanoseconds)
    put(header.frameID)
  }
}

extension PointCloudMessage {
  /// sensor_msgs/msg/PointCloud2.
  func cdr() -> [UInt8] {
    var w = CDRWriter()
    w.put(header)
    w.put(UInt32(height))
    w.put(UInt32(width))
    w.put(UInt32(fields.count))
    for field in fields {
      w.put(field.name)
      w.put(UInt32(field.byteOffset))
      w.put(field.datatype)
      w.put(UInt32(field.count))
    }
    w.put(isBigEndian)
    w.put(UInt32(pointByteStride))
    w.put(UInt32(rowByteStride))
    w.put(bytes: data)
    w.put(isDense)
    return w.bytes
  }
}

extension CompressedImageMessage {
  /// sensor_msgs/msg/CompressedImage.
  func cdr() -> [UInt8] {
    var w = CDRWriter()
    w.put(header)
    w.put(format)
    w.put(bytes: data)
    return w.bytes
  }
}

extension CameraInfoMessage {
  /// sensor_msgs/msg/CameraInfo.
  func cdr() -> [UInt8] {
    var w = CDRWriter()
    w.put(header)
    w.put(UInt32(height))
    w.put(UInt32(width))
    w.put(distortionModel)
    w.put(UInt32(distortion.count))
    w.put(distortion)
    w.put(k)
    w.put(r)
    w.put(p)
    w.put(UInt32(binningX))
    w.put(UInt32(binningY))
    for value in regionOfInterest { w.put(UInt32(value)) }
    w.put(false)
    return w.bytes
  }
}

extension TransformMessage {
  fileprivate func put(to w: inout CDRWriter) {
    w.put(header)
    w.put(childFrameID)
    w.put(translation)
    w.put(rotation)
  }
  /// tf2_msgs/msg/TFMessage.
  static func cdr(_ transforms: [TransformMessage]) -> [UInt8] {
    var w = CDRWriter()
    w.put(UInt32(transforms.count))
    for transform in transforms { transform.put(to: &w) }
    return w.bytes
  }
}

extension OccupancyGridMessage {
  /// nav_msgs/msg/OccupancyGrid.
  func cdr() -> [UInt8] {
    var w = CDRWriter()
    w.put(header)
    w.put(time: mapLoadNanoseconds)
    w.put(resolutionMeters)
    w.put(UInt32(width))
    w.put(UInt32(height))
    w.put(originPosition)
    w.put(originOrientation)
    w.put(bytes: cells.map { UInt8(bitPattern: $0) })
    return w.bytes
  }
}
