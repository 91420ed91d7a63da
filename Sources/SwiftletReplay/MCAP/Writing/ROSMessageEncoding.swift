import Swiftlet

/// ROS 2 messages in CDR, from what recordings and the pipeline hold.
enum ROSMessageEncoding {
  /// tf2_msgs/TFMessage with one transform: coordinates in `child` to coordinates in `parent`.
  static func transform(
    parent: String, child: String, _ parentFromChild: RigidTransform, stamp: Int64
  ) -> [UInt8] {
    var writer = CDRWriter()
    writer.integer(UInt32(1))
    writer.header(stamp, parent)
    writer.string(child)
    writer.vector(parentFromChild.translation)
    writer.orientation(Quaternion(rotation: parentFromChild.rotation).normalized)
    return writer.bytes
  }

  /// sensor_msgs/CompressedImage; `format` is `jpeg` or `png`.
  static func compressedImage(
    _ bytes: [UInt8], format: String, frame: String, stamp: Int64
  ) -> [UInt8] {
    var writer = CDRWriter()
    writer.header(stamp, frame)
    writer.string(format)
    writer.sequence(bytes)
    return writer.bytes
  }

  /// sensor_msgs/CameraInfo of a raw image: P is K without stereo offset.
  static func cameraInfo(_ camera: CameraIntrinsics, frame: String, stamp: Int64) -> [UInt8] {
    var writer = CDRWriter()
    writer.header(stamp, frame)
    writer.integer(UInt32(camera.heightPixels))
    writer.integer(UInt32(camera.widthPixels))
    let (model, distortion) = lens(camera.lens)
    writer.string(model)
    writer.integer(UInt32(distortion.count))
    writer.array(distortion)
    let k = camera.matrix.rowMajor
    writer.array(k)
    writer.array(Matrix3.identity.rowMajor)
    writer.array([k[0], k[1], k[2], 0, k[3], k[4], k[5], 0, k[6], k[7], k[8], 0])
    for _ in 0..<6 { writer.integer(UInt32(0)) }
    writer.bool(false)
    return writer.bytes
  }

  private static func lens(_ lens: LensModel) -> (model: String, distortion: [Double]) {
    switch lens {
    case .pinhole: ("plumb_bob", [0, 0, 0, 0, 0])
    case .brownConrady(let d) where d.count == 8: ("rational_polynomial", d)
    case .brownConrady(let d): ("plumb_bob", d + [Double](repeating: 0, count: max(0, 5 - d.count)))
    case .kannalaBrandt(let d): ("equidistant", d)
    }
  }

  /// sensor_msgs/PointCloud2 of float32 x y z intensity, and time where the scan has it.
  static func pointCloud(_ scan: LidarScan, frame: String, stamp: Int64) -> [UInt8] {
    var names = ["x", "y", "z", "intensity"]
    if !scan.times.isEmpty { names.append("time") }
    let stride = names.count * 4
    var writer = CDRWriter()
    writer.header(stamp, frame)
    writer.integer(UInt32(1))
    writer.integer(UInt32(scan.count))
    writer.integer(UInt32(names.count))
    for (index, name) in names.enumerated() {
      writer.string(name)
      writer.integer(UInt32(index * 4))
      writer.integer(UInt8(7))
      writer.integer(UInt32(1))
    }
    writer.bool(false)
    writer.integer(UInt32(stride))
    writer.integer(UInt32(stride * scan.count))
    var data: [UInt8] = []
    data.reserveCapacity(stride * scan.count)
    for index in 0..<scan.count {
      let point = scan.values[index * 4..<index * 4 + 4]
      let times = scan.times.isEmpty ? [] : scan.times[index..<index + 1]
      for value in point + times {
        unsafe withUnsafeBytes(of: value.bitPattern.littleEndian) {
          unsafe data.append(contentsOf: $0)
        }
      }
    }
    writer.sequence(data)
    writer.bool(true)
    return writer.bytes
  }

  /// nav_msgs/OccupancyGrid, [y][x] from the lower corner: 0 to 100 percent, −1 unknown.
  ///
  /// - Precondition: `cells` holds `width · height` values.
  static func occupancyGrid(
    cells: [Int8], width: Int, height: Int, cellSizeMeters: Double, frameFromGrid: RigidTransform,
    frame: String, stamp: Int64
  ) -> [UInt8] {
    precondition(cells.count == width * height, "\(cells.count) cells of \(width)×\(height)")
    var writer = CDRWriter()
    writer.header(stamp, frame)
    writer.time(stamp)
    writer.float32(Float(cellSizeMeters))
    writer.integer(UInt32(width))
    writer.integer(UInt32(height))
    writer.vector(frameFromGrid.translation)
    writer.orientation(Quaternion(rotation: frameFromGrid.rotation).normalized)
    writer.integer(UInt32(cells.count))
    for cell in cells { writer.integer(cell) }
    return writer.bytes
  }
}

extension CDRWriter {
  /// Seconds and nanoseconds; the seconds of ROS are 32 bits wide and end in 2038.
  fileprivate mutating func time(_ nanoseconds: Int64) {
    let seconds = (nanoseconds >= 0 ? nanoseconds : nanoseconds - 999_999_999) / 1_000_000_000
    integer(Int32(clamping: seconds))
    integer(UInt32(nanoseconds - seconds * 1_000_000_000))
  }
  fileprivate mutating func header(_ stamp: Int64, _ frame: String) {
    time(stamp)
    string(frame)
  }
  /// x y z w.
  fileprivate mutating func orientation(_ q: Quaternion) { array([q.x, q.y, q.z, q.w]) }
}
