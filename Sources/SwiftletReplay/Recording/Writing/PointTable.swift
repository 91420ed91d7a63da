import Swiftlet

/// The points of a scan as they were recorded, not a number changed: what layouts of files store.
struct PointTable {
  /// `x`, `y`, `z`, `intensity`, `ring`, `time`.
  var columns: [String]
  /// [point][column], interleaved.
  var values: [Float]

  var count: Int { columns.isEmpty ? 0 : values.count / columns.count }

  /// The bytes of some columns, little-endian float32; absent ones are 0.
  func bytes(_ wanted: [String]) -> [UInt8] {
    if wanted == columns { return HostTensor(values, shape: [values.count]).bytes }
    let places = wanted.map { columns.firstIndex(of: $0) }
    var chosen: [Float] = []
    chosen.reserveCapacity(count * wanted.count)
    for point in 0..<count {
      for place in places { chosen.append(place.map { values[point * columns.count + $0] } ?? 0) }
    }
    return HostTensor(chosen, shape: [chosen.count]).bytes
  }
}

extension SampleReader {
  /// The points of a sample, NaN ones included.
  func readTable(
    _ sensor: IndexedSensor, _ sample: IndexedSample
  ) throws(RecordingError) -> PointTable {
    if let reader = self as? MessageSampleReader {
      if let table = try reader.readCloudTable(sample) { return table }
    } else {
      let bytes = try RecordingFile.read(sample.file)
      let columns = Self.columns(sensor.points)
      let whole = bytes.count / (columns.count * 4) * columns.count
      var values = [Float](repeating: 0, count: whole)
      unsafe values.withUnsafeMutableBytes { target in
        unsafe target.copyBytes(from: bytes.prefix(whole * 4))
      }
      return PointTable(columns: columns, values: values)
    }
    // Points in axes of their own come moved, which other layouts cannot say.
    return PointTable(
      columns: ["x", "y", "z", "intensity"], values: try readScan(sensor, sample).values)
  }

  private static func columns(_ format: PointFormat) -> [String] {
    (0..<format.fieldCount).map { (number: Int) -> String in
      switch number {
      case 0: return "x"
      case 1: return "y"
      case 2: return "z"
      case format.intensity: return "intensity"
      case format.time: return "time"
      case 4: return "ring"
      default: return "field_\(number)"
      }
    }
  }
}

extension MessageSampleReader {
  /// Nil for a cloud in axes of its own.
  fileprivate func readCloudTable(_ sample: IndexedSample) throws(RecordingError) -> PointTable? {
    let message = messages[sample.record]
    let data = try stores[message.store].data(at: message.place)
    do throws(FieldError) {
      let cloud =
        message.encoding == "cdr"
        ? try PointCloudMessage(cdr: data) : try PointCloudMessage(protobuf: data)
      return cloud.frameFromPoints == .identity ? try PointTable(cloud) : nil
    } catch {
      throw RecordingError.message(
        error, file: stores[message.store].path, topic: message.topic, time: message.time,
        data: data)
    }
  }
}

extension PointTable {
  init(_ cloud: PointCloudMessage) throws(FieldError) {
    self.init(columns: [], values: [])
    guard cloud.width > 0, cloud.height > 0 else { return }
    let layout = try PointCloudLayout(cloud)
    try cloud.checkExtent()
    var fields = [("x", layout.x), ("y", layout.y), ("z", layout.z)]
    if let intensity = layout.intensity { fields.append(("intensity", intensity)) }
    if let field = cloud.fields.first(where: { $0.name == "ring" }), let type = field.type,
      PointCloudLayout.problem(of: field, cloud) == nil
    {
      fields.append(
        ("ring", PointCloudLayout.Field(byteOffset: field.byteOffset, type: type)))
    }
    if let time = layout.time { fields.append(("time", time)) }
    columns = fields.map(\.0)
    values.reserveCapacity(cloud.width * cloud.height * fields.count)
    unsafe cloud.data.withUnsafeBytes { raw in
      for row in 0..<cloud.height {
        for column in 0..<cloud.width {
          let at = row * cloud.usedRowByteStride + column * cloud.pointByteStride
          for (_, field) in fields {
            values.append(
              unsafe LidarScan.number(raw, at + field.byteOffset, field.type, cloud.isBigEndian))
          }
        }
      }
    }
  }
}
