import Swiftlet

/// Stamp and frame of a message, whatever it was encoded with.
public struct MessageHeader: Sendable, Equatable {
  public var stampNanoseconds: Int64
  public var frameID: String

  public init(stampNanoseconds: Int64, frameID: String) {
    self.stampNanoseconds = stampNanoseconds
    self.frameID = frameID
  }
}

/// How one number of a point is stored; raw values are sensor_msgs/PointField's.
public enum PointFieldType: UInt8, Sendable {
  case int8 = 1
  case uint8 = 2
  case int16 = 3
  case uint16 = 4
  case int32 = 5
  case uint32 = 6
  case float32 = 7
  case float64 = 8

  public var byteCount: Int {
    switch self {
    case .int8, .uint8: 1
    case .int16, .uint16: 2
    case .int32, .uint32, .float32: 4
    case .float64: 8
    }
  }
}

public struct PointField: Sendable, Equatable {
  public var name: String
  public var byteOffset: Int
  /// sensor_msgs/PointField's number; others than 1 to 8 are not numbers this reader knows.
  public var datatype: UInt8
  public var count: Int

  public init(name: String, byteOffset: Int, datatype: UInt8, count: Int = 1) {
    self.name = name
    self.byteOffset = byteOffset
    self.datatype = datatype
    self.count = count
  }
  public var type: PointFieldType? { PointFieldType(rawValue: datatype) }
}

/// sensor_msgs/PointCloud2 or foxglove.PointCloud, points still packed.
public struct PointCloudMessage: Sendable, Equatable {
  public var header: MessageHeader
  public var height: Int
  public var width: Int
  public var fields: [PointField]
  public var isBigEndian: Bool
  public var pointByteStride: Int
  public var rowByteStride: Int
  public var data: ArraySlice<UInt8>
  /// False where points may be NaN.
  public var isDense: Bool
  /// From the points' own axes to the header's frame; Foxglove only.
  public var frameFromPoints: RigidTransform = .identity
}

/// sensor_msgs/CompressedImage or foxglove.CompressedImage.
public struct CompressedImageMessage: Sendable, Equatable {
  public var header: MessageHeader
  /// `jpeg`, `png`, `rgb8; jpeg compressed bgr8`.
  public var format: String
  public var data: ArraySlice<UInt8>
}

/// sensor_msgs/Image or foxglove.RawImage.
public struct RawImageMessage: Sendable, Equatable {
  public var header: MessageHeader
  public var height: Int
  public var width: Int
  /// `rgb8`, `bgr8`, `mono8`, …
  public var encoding: String
  public var isBigEndian: Bool
  public var rowByteStride: Int
  public var data: ArraySlice<UInt8>
}

/// sensor_msgs/CameraInfo or foxglove.CameraCalibration.
public struct CameraInfoMessage: Sendable, Equatable {
  public var header: MessageHeader
  public var height: Int
  public var width: Int
  public var distortionModel: String
  public var distortion: [Double]
  /// Row-major 3×3, of the raw image.
  public var k: [Double]
  /// Row-major 3×3, raw camera axes to rectified ones.
  public var r: [Double]
  /// Row-major 3×4, of the rectified image.
  public var p: [Double]
  public var binningX = 0
  public var binningY = 0
  /// x, y, height, width; all 0: the whole image.
  public var regionOfInterest = [0, 0, 0, 0]
}

/// geometry_msgs/TransformStamped or foxglove.FrameTransform: `header.frameID` from `childFrameID`.
public struct TransformMessage: Sendable, Equatable {
  public var header: MessageHeader
  public var childFrameID: String
  public var translation: SIMD3<Double>
  public var rotation: Quaternion

  public init(
    header: MessageHeader, childFrameID: String, translation: SIMD3<Double>, rotation: Quaternion
  ) {
    self.header = header
    self.childFrameID = childFrameID
    self.translation = translation
    self.rotation = rotation
  }
}

/// A pose in `header.frameID`: nav_msgs/Odometry, geometry_msgs/PoseStamped, foxglove.PoseInFrame.
public struct PoseMessage: Sendable, Equatable {
  public var header: MessageHeader
  /// What the pose is of; empty where the message does not say.
  public var childFrameID = ""
  public var position: SIMD3<Double>
  public var orientation: Quaternion
  /// m/s in the child's axes; Odometry only.
  public var linearVelocity: SIMD3<Double>?
  /// rad/s in the child's axes; Odometry only.
  public var angularVelocity: SIMD3<Double>?
}

/// sensor_msgs/Imu.
public struct InertialMessage: Sendable, Equatable {
  public var header: MessageHeader
  public var orientation: Quaternion
  /// rad/s.
  public var angularVelocity: SIMD3<Double>
  /// m/s².
  public var linearAcceleration: SIMD3<Double>
}

/// nav_msgs/OccupancyGrid.
public struct OccupancyGridMessage: Sendable, Equatable {
  public var header: MessageHeader
  public var mapLoadNanoseconds: Int64
  public var resolutionMeters: Float
  public var width: Int
  public var height: Int
  /// Cell (0, 0)'s lower corner.
  public var originPosition: SIMD3<Double>
  public var originOrientation: Quaternion
  /// [y][x]: 0 to 100 percent, −1 unknown.
  public var cells: [Int8]
}
