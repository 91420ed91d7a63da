import Swiftlet

/// A message that ROS 2 recordings hold, in CDR.
protocol CDRMessage {
  /// The ROS 2 type, `sensor_msgs/msg/PointCloud2`.
  static var rosType: String { get }
  init(parsing cdr: inout CDRReader) throws(FieldError)
}

extension CDRMessage {
  /// - Parameter message: encapsulation header and body. Bytes behind the last field are allowed.
  init(cdr message: ArraySlice<UInt8>) throws(FieldError) {
    var reader = try CDRReader(message)
    try self.init(parsing: &reader)
  }
}

extension MessageHeader: CDRMessage {
  static let rosType = "std_msgs/msg/Header"
  init(parsing cdr: inout CDRReader) throws(FieldError) { self = try cdr.header() }
}

extension PointCloudMessage: CDRMessage {
  static let rosType = "sensor_msgs/msg/PointCloud2"
  init(parsing cdr: inout CDRReader) throws(FieldError) {
    header = try cdr.header()
    height = try cdr.size("the height")
    width = try cdr.size("the width")
    // A field is at least two lengths, an offset, a type and a count.
    let fieldCount = try cdr.count("point fields", elementByteCount: 13)
    fields = []
    for _ in 0..<fieldCount {
      fields.append(
        PointField(
          name: try cdr.text("a field's name"), byteOffset: try cdr.size("a field's offset"),
          datatype: try cdr.uint8("a field's type"), count: try cdr.size("a field's count")))
    }
    isBigEndian = try cdr.bool("the byte order")
    pointByteStride = try cdr.size("the point step")
    rowByteStride = try cdr.size("the row step")
    data = try cdr.bytes("the points")
    isDense = try cdr.bool("is_dense")
  }
}

extension CompressedImageMessage: CDRMessage {
  static let rosType = "sensor_msgs/msg/CompressedImage"
  init(parsing cdr: inout CDRReader) throws(FieldError) {
    header = try cdr.header()
    format = try cdr.text("the format")
    data = try cdr.bytes("the image")
  }
}

extension RawImageMessage: CDRMessage {
  static let rosType = "sensor_msgs/msg/Image"
  init(parsing cdr: inout CDRReader) throws(FieldError) {
    header = try cdr.header()
    height = try cdr.size("the height")
    width = try cdr.size("the width")
    encoding = try cdr.text("the encoding")
    isBigEndian = try cdr.bool("the byte order")
    rowByteStride = try cdr.size("the row step")
    data = try cdr.bytes("the image")
  }
}

extension CameraInfoMessage: CDRMessage {
  static let rosType = "sensor_msgs/msg/CameraInfo"
  init(parsing cdr: inout CDRReader) throws(FieldError) {
    header = try cdr.header()
    height = try cdr.size("the height")
    width = try cdr.size("the width")
    distortionModel = try cdr.text("the distortion model")
    let count = try cdr.count("distortion coefficients", elementByteCount: 8)
    distortion = try cdr.float64s(count, "the distortion")
    k = try cdr.float64s(9, "K")
    r = try cdr.float64s(9, "R")
    p = try cdr.float64s(12, "P")
    binningX = try cdr.size("the binning")
    binningY = try cdr.size("the binning")
    regionOfInterest = []
    for _ in 0..<4 { regionOfInterest.append(try cdr.size("the region of interest")) }
    _ = try cdr.bool("do_rectify")
  }
}

extension TransformMessage: CDRMessage {
  static let rosType = "geometry_msgs/msg/TransformStamped"
  init(parsing cdr: inout CDRReader) throws(FieldError) {
    header = try cdr.header()
    childFrameID = try cdr.text("the child frame")
    translation = try cdr.vector3("the translation")
    rotation = try cdr.quaternion("the rotation")
  }
}

/// tf2_msgs/TFMessage.
struct TransformListMessage: CDRMessage {
  static let rosType = "tf2_msgs/msg/TFMessage"
  var transforms: [TransformMessage] = []

  init(parsing cdr: inout CDRReader) throws(FieldError) {
    // Stamp, two lengths and seven numbers.
    let count = try cdr.count("transforms", elementByteCount: 72)
    transforms.reserveCapacity(count)
    for _ in 0..<count { transforms.append(try TransformMessage(parsing: &cdr)) }
  }
}

extension PoseMessage: CDRMessage {
  static let rosType = "geometry_msgs/msg/PoseStamped"
  init(parsing cdr: inout CDRReader) throws(FieldError) {
    header = try cdr.header()
    position = try cdr.vector3("the position")
    orientation = try cdr.quaternion("the orientation")
  }

  static let odometryType = "nav_msgs/msg/Odometry"
  init(odometry message: ArraySlice<UInt8>) throws(FieldError) {
    var cdr = try CDRReader(message)
    header = try cdr.header()
    childFrameID = try cdr.text("the child frame")
    position = try cdr.vector3("the position")
    orientation = try cdr.quaternion("the orientation")
    _ = try cdr.float64s(36, "the covariance")
    linearVelocity = try cdr.vector3("the linear velocity")
    angularVelocity = try cdr.vector3("the angular velocity")
  }
}

extension InertialMessage: CDRMessage {
  static let rosType = "sensor_msgs/msg/Imu"
  init(parsing cdr: inout CDRReader) throws(FieldError) {
    header = try cdr.header()
    orientation = try cdr.quaternion("the orientation")
    _ = try cdr.float64s(9, "the covariance")
    angularVelocity = try cdr.vector3("the angular velocity")
    _ = try cdr.float64s(9, "the covariance")
    linearAcceleration = try cdr.vector3("the acceleration")
  }
}

extension OccupancyGridMessage: CDRMessage {
  static let rosType = "nav_msgs/msg/OccupancyGrid"
  init(parsing cdr: inout CDRReader) throws(FieldError) {
    header = try cdr.header()
    mapLoadNanoseconds = try cdr.time("the map's time")
    resolutionMeters = try cdr.float32("the resolution")
    width = try cdr.size("the width")
    height = try cdr.size("the height")
    originPosition = try cdr.vector3("the origin")
    originOrientation = try cdr.quaternion("the origin")
    let start = cdr.position
    cells = try cdr.bytes("the cells").map { Int8(bitPattern: $0) }
    let product = width.multipliedReportingOverflow(by: height)
    guard !product.overflow, product.partialValue == cells.count else {
      throw FieldError(
        byteOffset: start, expected: "\(width)×\(height) cells", found: "\(cells.count)")
    }
  }
}
