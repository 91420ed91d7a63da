import Swiftlet

/// Where a cloud keeps the numbers that are used, checked against its point stride and its data.
struct PointCloudLayout {
  struct Field {
    var byteOffset: Int
    var type: PointFieldType
  }
  var x: Field
  var y: Field
  var z: Field
  var intensity: Field?
  /// Seconds relative to the cloud's stamp.
  var time: Field?
  /// What is wrong although the points can be used.
  var problem: String?

  /// Names drivers give the strength of the return.
  static let intensityNames = ["intensity", "intensities", "i", "reflectivity", "reflectance"]

  init(_ cloud: PointCloudMessage) throws(FieldError) {
    x = try Self.coordinate("x", cloud)
    y = try Self.coordinate("y", cloud)
    z = try Self.coordinate("z", cloud)
    let names = Self.intensityNames
    if let field = cloud.fields.first(where: { $0.name == "time" }), let type = field.type,
      Self.problem(of: field, cloud) == nil
    {
      time = Field(byteOffset: field.byteOffset, type: type)
    }
    guard let field = cloud.fields.first(where: { names.contains($0.name) }) else { return }
    if let problem = Self.problem(of: field, cloud) {
      self.problem = "\(problem); the points are used without it"
    } else if let type = field.type {
      intensity = Field(byteOffset: field.byteOffset, type: type)
    }
  }

  /// Float32 fields, little-endian, in one row.
  func isPlain(_ cloud: PointCloudMessage) -> Bool {
    !cloud.isBigEndian && cloud.height == 1 && x.type == .float32 && y.type == .float32
      && z.type == .float32 && intensity?.type ?? .float32 == .float32
  }

  private static func coordinate(
    _ name: String, _ cloud: PointCloudMessage
  ) throws(FieldError) -> Field {
    guard let field = cloud.fields.first(where: { $0.name == name }), let type = field.type else {
      let names = cloud.fields.map { "\($0.name) (type \($0.datatype))" }
      throw FieldError(
        byteOffset: cloud.data.startIndex, expected: "a field \(name) of types 1 to 8",
        found: names.isEmpty ? "no fields" : names.joined(separator: ", "))
    }
    if let problem = problem(of: field, cloud) {
      throw FieldError(
        byteOffset: cloud.data.startIndex, expected: "fields inside the point step",
        found: problem)
    }
    return Field(byteOffset: field.byteOffset, type: type)
  }

  static func problem(of field: PointField, _ cloud: PointCloudMessage) -> String? {
    guard let type = field.type else { return "field \(field.name) has type \(field.datatype)" }
    guard field.byteOffset + type.byteCount <= cloud.pointByteStride else {
      return "field \(field.name) ends at byte \(field.byteOffset + type.byteCount) of a point of "
        + "\(cloud.pointByteStride)"
    }
    return nil
  }
}

extension PointCloudMessage {
  /// Bytes from one row to the next: a single row's step is often left 0.
  var usedRowByteStride: Int { height <= 1 ? width * pointByteStride : rowByteStride }

  /// Fails unless every point lies inside the data.
  func checkExtent() throws(FieldError) {
    guard width > 0, height > 0 else { return }
    // Sizes are below 2^32 each, so products of two fit.
    let row = width * pointByteStride
    let (rows, overflow) = usedRowByteStride.multipliedReportingOverflow(by: height - 1)
    let needed = rows.addingReportingOverflow(row)
    guard !overflow, !needed.overflow, needed.partialValue <= data.count else {
      throw FieldError(
        byteOffset: data.startIndex,
        expected: "\(height)×\(width) points of \(pointByteStride) bytes",
        found: "\(data.count) bytes")
    }
    guard usedRowByteStride >= row else {
      throw FieldError(
        byteOffset: data.startIndex, expected: "a row step of at least \(row) bytes",
        found: "\(rowByteStride)")
    }
  }
}

extension LidarScan {
  /// The finite points of a cloud, whatever its fields' order, types, padding and byte order.
  ///
  /// - Parameter readsTimes: points come with their times, for motion to be taken out.
  init(_ cloud: PointCloudMessage, readsTimes: Bool = false) throws(FieldError) {
    self.init()
    guard cloud.width > 0, cloud.height > 0 else { return }
    var layout = try PointCloudLayout(cloud)
    if !readsTimes { layout.time = nil }
    hasIntensity = layout.intensity != nil
    try cloud.checkExtent()
    if let problem = layout.problem {
      self.problem = (ReplayWarning.messageInvalid, problem)
    }
    values.reserveCapacity(cloud.width * cloud.height * 4)
    if layout.isPlain(cloud), layout.time == nil {
      unsafe cloud.data.withUnsafeBytes { unsafe appendPlain($0, cloud, layout) }
    } else {
      unsafe cloud.data.withUnsafeBytes { unsafe appendAny($0, cloud, layout) }
    }
    if cloud.frameFromPoints != .identity { move(by: cloud.frameFromPoints) }
  }

  /// What nearly every driver publishes: little-endian float32, one row.
  private mutating func appendPlain(
    _ raw: UnsafeRawBufferPointer, _ cloud: PointCloudMessage, _ layout: PointCloudLayout
  ) {
    let (x, y, z) = (layout.x.byteOffset, layout.y.byteOffset, layout.z.byteOffset)
    let intensity = layout.intensity?.byteOffset
    var at = 0
    for _ in 0..<cloud.width {
      let value = intensity.map {
        unsafe raw.loadUnaligned(fromByteOffset: at + $0, as: Float.self)
      }
      unsafe append(
        raw.loadUnaligned(fromByteOffset: at + x, as: Float.self),
        raw.loadUnaligned(fromByteOffset: at + y, as: Float.self),
        raw.loadUnaligned(fromByteOffset: at + z, as: Float.self), intensity: value ?? 0, time: nil)
      at += cloud.pointByteStride
    }
  }

  private mutating func appendAny(
    _ raw: UnsafeRawBufferPointer, _ cloud: PointCloudMessage, _ layout: PointCloudLayout
  ) {
    for row in 0..<cloud.height {
      for column in 0..<cloud.width {
        let at = row * cloud.usedRowByteStride + column * cloud.pointByteStride
        func number(_ field: PointCloudLayout.Field) -> Float {
          unsafe Self.number(raw, at + field.byteOffset, field.type, cloud.isBigEndian)
        }
        append(
          number(layout.x), number(layout.y), number(layout.z),
          intensity: layout.intensity.map(number) ?? 0, time: layout.time.map(number))
      }
    }
  }

  private mutating func move(by frameFromPoints: RigidTransform) {
    for index in 0..<count {
      let at = index * 4
      let point =
        frameFromPoints
        * SIMD3(Double(values[at]), Double(values[at + 1]), Double(values[at + 2]))
      (values[at], values[at + 1], values[at + 2]) = (Float(point.x), Float(point.y), Float(point.z))
    }
  }

  static func number(
    _ raw: UnsafeRawBufferPointer, _ at: Int, _ type: PointFieldType, _ isBigEndian: Bool
  ) -> Float {
    func load<Value: FixedWidthInteger>(_: Value.Type) -> Value {
      let value = unsafe raw.loadUnaligned(fromByteOffset: at, as: Value.self)
      return isBigEndian ? Value(bigEndian: value) : Value(littleEndian: value)
    }
    switch type {
    case .float32: return Float(bitPattern: load(UInt32.self))
    case .float64: return Float(Double(bitPattern: load(UInt64.self)))
    case .int8: return Float(load(Int8.self))
    case .uint8: return Float(load(UInt8.self))
    case .int16: return Float(load(Int16.self))
    case .uint16: return Float(load(UInt16.self))
    case .int32: return Float(load(Int32.self))
    case .uint32: return Float(load(UInt32.self))
    }
  }
}
