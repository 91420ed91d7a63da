import Swiftlet

/// A message of Foxglove's schemas, in protocol buffers.
protocol ProtobufMessage {
  /// `foxglove.PointCloud`.
  static var foxgloveType: String { get }
  init(protobuf message: ArraySlice<UInt8>) throws(FieldError)
}

/// Parts that several messages share.
private enum Foxglove {
  /// google.protobuf.Timestamp.
  static func time(_ message: ArraySlice<UInt8>?) throws(FieldError) -> Int64 {
    guard let message else { return 0 }
    var reader = ProtobufReader(message)
    var (seconds, nanoseconds): (Int64, Int64) = (0, 0)
    while let field = try reader.next() {
      if field.number == 1 { seconds = field.value.signed ?? 0 }
      if field.number == 2 { nanoseconds = field.value.signed ?? 0 }
    }
    let scaled = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let total = scaled.partialValue.addingReportingOverflow(nanoseconds)
    guard !scaled.overflow, !total.overflow, SampleClock.isPlausible(total.partialValue) else {
      throw FieldError(
        byteOffset: message.startIndex, expected: "a time within 146 years of 1970",
        found: "\(seconds) s")
    }
    return total.partialValue
  }

  static func vector(_ message: ArraySlice<UInt8>?) throws(FieldError) -> SIMD3<Double> {
    let v = try numbers(message, 3)
    return SIMD3(v[0], v[1], v[2])
  }
  static func quaternion(_ message: ArraySlice<UInt8>?) throws(FieldError) -> Quaternion {
    let v = try numbers(message, 4)
    return Quaternion(w: v[3], x: v[0], y: v[1], z: v[2])
  }
  static func pose(
    _ message: ArraySlice<UInt8>?
  ) throws(FieldError) -> (position: SIMD3<Double>, orientation: Quaternion) {
    var position: ArraySlice<UInt8>?
    var orientation: ArraySlice<UInt8>?
    var reader = ProtobufReader(message ?? [])
    while let field = try reader.next() {
      if field.number == 1 { position = field.value.bytes }
      if field.number == 2 { orientation = field.value.bytes }
    }
    return (
      try vector(position), orientation == nil ? .identity : try quaternion(orientation)
    )
  }
  /// Doubles in fields 1, 2, …
  private static func numbers(
    _ message: ArraySlice<UInt8>?, _ count: Int
  ) throws(FieldError) -> [Double] {
    var values = [Double](repeating: 0, count: count)
    var reader = ProtobufReader(message ?? [])
    while let field = try reader.next() {
      if field.number >= 1, field.number <= UInt64(count) {
        values[Int(field.number) - 1] = field.value.double ?? 0
      }
    }
    return values
  }
  /// Packed or single doubles of a repeated field.
  static func append(
    _ value: ProtobufReader.Value, to list: inout [Double]
  ) throws(FieldError) {
    if let double = value.double { list.append(double) }
    guard let packed = value.bytes else { return }
    var reader = ByteReader(packed)
    while reader.remaining > 0 { list.append(Double(bitPattern: try reader.uint64("a double"))) }
  }
  static func size(_ value: ProtobufReader.Value) -> Int {
    Int(UInt32(truncatingIfNeeded: value.unsigned ?? 0))
  }
}

extension PointCloudMessage: ProtobufMessage {
  static let foxgloveType = "foxglove.PointCloud"
  init(protobuf message: ArraySlice<UInt8>) throws(FieldError) {
    self.init(
      header: MessageHeader(stampNanoseconds: 0, frameID: ""), height: 1, width: 0, fields: [],
      isBigEndian: false, pointByteStride: 0, rowByteStride: 0, data: [], isDense: false)
    var reader = ProtobufReader(message)
    while let field = try reader.next() {
      switch field.number {
      case 1: header.stampNanoseconds = try Foxglove.time(field.value.bytes)
      case 2: header.frameID = field.value.text ?? ""
      case 3:
        let pose = try Foxglove.pose(field.value.bytes)
        frameFromPoints = RigidTransform(
          rotation: pose.orientation.normalized, translation: pose.position)
      case 4: pointByteStride = Foxglove.size(field.value)
      case 5: fields.append(try Self.field(field.value.bytes ?? []))
      case 6: data = field.value.bytes ?? []
      default: break
      }
    }
    guard pointByteStride > 0 || data.isEmpty else {
      throw FieldError(
        byteOffset: message.startIndex, expected: "a point stride above 0", found: "0")
    }
    width = pointByteStride == 0 ? 0 : data.count / pointByteStride
    rowByteStride = width * pointByteStride
  }

  private static func field(_ message: ArraySlice<UInt8>) throws(FieldError) -> PointField {
    // Foxglove numbers the types differently: UINT8 1, INT8 2, UINT16 3, INT16 4, UINT32 5, INT32 6.
    let types: [UInt64: PointFieldType] = [
      1: .uint8, 2: .int8, 3: .uint16, 4: .int16, 5: .uint32, 6: .int32, 7: .float32, 8: .float64,
    ]
    var result = PointField(name: "", byteOffset: 0, datatype: 0)
    var reader = ProtobufReader(message)
    while let field = try reader.next() {
      switch field.number {
      case 1: result.name = field.value.text ?? ""
      case 2: result.byteOffset = Foxglove.size(field.value)
      case 3: result.datatype = types[field.value.unsigned ?? 0]?.rawValue ?? 0
      default: break
      }
    }
    return result
  }
}

extension CompressedImageMessage: ProtobufMessage {
  static let foxgloveType = "foxglove.CompressedImage"
  init(protobuf message: ArraySlice<UInt8>) throws(FieldError) {
    header = MessageHeader(stampNanoseconds: 0, frameID: "")
    format = ""
    data = []
    var reader = ProtobufReader(message)
    while let field = try reader.next() {
      switch field.number {
      case 1: header.stampNanoseconds = try Foxglove.time(field.value.bytes)
      case 2: data = field.value.bytes ?? []
      case 3: format = field.value.text ?? ""
      case 4: header.frameID = field.value.text ?? ""
      default: break
      }
    }
  }
}

extension RawImageMessage: ProtobufMessage {
  static let foxgloveType = "foxglove.RawImage"
  init(protobuf message: ArraySlice<UInt8>) throws(FieldError) {
    self.init(
      header: MessageHeader(stampNanoseconds: 0, frameID: ""), height: 0, width: 0, encoding: "",
      isBigEndian: false, rowByteStride: 0, data: [])
    var reader = ProtobufReader(message)
    while let field = try reader.next() {
      switch field.number {
      case 1: header.stampNanoseconds = try Foxglove.time(field.value.bytes)
      case 2: width = Foxglove.size(field.value)
      case 3: height = Foxglove.size(field.value)
      case 4: encoding = field.value.text ?? ""
      case 5: rowByteStride = Foxglove.size(field.value)
      case 6: data = field.value.bytes ?? []
      case 7: header.frameID = field.value.text ?? ""
      default: break
      }
    }
  }
}

extension CameraInfoMessage: ProtobufMessage {
  static let foxgloveType = "foxglove.CameraCalibration"
  init(protobuf message: ArraySlice<UInt8>) throws(FieldError) {
    self.init(
      header: MessageHeader(stampNanoseconds: 0, frameID: ""), height: 0, width: 0,
      distortionModel: "", distortion: [], k: [], r: [], p: [])
    var reader = ProtobufReader(message)
    while let field = try reader.next() {
      switch field.number {
      case 1: header.stampNanoseconds = try Foxglove.time(field.value.bytes)
      case 2: width = Foxglove.size(field.value)
      case 3: height = Foxglove.size(field.value)
      case 4: distortionModel = field.value.text ?? ""
      case 5: try Foxglove.append(field.value, to: &distortion)
      case 6: try Foxglove.append(field.value, to: &k)
      case 7: try Foxglove.append(field.value, to: &r)
      case 8: try Foxglove.append(field.value, to: &p)
      case 9: header.frameID = field.value.text ?? ""
      default: break
      }
    }
  }
}

extension TransformMessage: ProtobufMessage {
  static let foxgloveType = "foxglove.FrameTransform"
  init(protobuf message: ArraySlice<UInt8>) throws(FieldError) {
    self.init(
      header: MessageHeader(stampNanoseconds: 0, frameID: ""), childFrameID: "",
      translation: .zero, rotation: .identity)
    var reader = ProtobufReader(message)
    while let field = try reader.next() {
      switch field.number {
      case 1: header.stampNanoseconds = try Foxglove.time(field.value.bytes)
      case 2: header.frameID = field.value.text ?? ""
      case 3: childFrameID = field.value.text ?? ""
      case 4: translation = try Foxglove.vector(field.value.bytes)
      case 5: rotation = try Foxglove.quaternion(field.value.bytes)
      default: break
      }
    }
  }
}

extension TransformListMessage: ProtobufMessage {
  static let foxgloveType = "foxglove.FrameTransforms"
  init(protobuf message: ArraySlice<UInt8>) throws(FieldError) {
    var reader = ProtobufReader(message)
    while let field = try reader.next() {
      guard field.number == 1, let bytes = field.value.bytes else { continue }
      transforms.append(try TransformMessage(protobuf: bytes))
    }
  }
}

extension PoseMessage: ProtobufMessage {
  static let foxgloveType = "foxglove.PoseInFrame"
  init(protobuf message: ArraySlice<UInt8>) throws(FieldError) {
    header = MessageHeader(stampNanoseconds: 0, frameID: "")
    (position, orientation) = (.zero, .identity)
    var reader = ProtobufReader(message)
    while let field = try reader.next() {
      switch field.number {
      case 1: header.stampNanoseconds = try Foxglove.time(field.value.bytes)
      case 2: header.frameID = field.value.text ?? ""
      case 3: (position, orientation) = try Foxglove.pose(field.value.bytes)
      default: break
      }
    }
  }
}
