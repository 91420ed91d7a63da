/// What a topic's messages are to a recording.
enum MessageKind: Sendable {
  case cloud
  case compressedImage
  case rawImage
  case cameraInfo
  case transforms
  case transform
  case odometry
  case pose

  /// - Parameters:
  ///   - type: with or without ROS's `/msg/`.
  ///   - encoding: `cdr` for ROS types, `protobuf` for Foxglove's.
  init?(type: String, encoding: String) {
    let name = type.replacing("/msg/", with: "/")
    switch (encoding, name) {
    case ("cdr", "sensor_msgs/PointCloud2"), ("protobuf", "foxglove.PointCloud"): self = .cloud
    case ("cdr", "sensor_msgs/CompressedImage"), ("protobuf", "foxglove.CompressedImage"):
      self = .compressedImage
    case ("cdr", "sensor_msgs/Image"), ("protobuf", "foxglove.RawImage"): self = .rawImage
    case ("cdr", "sensor_msgs/CameraInfo"), ("protobuf", "foxglove.CameraCalibration"):
      self = .cameraInfo
    case ("cdr", "tf2_msgs/TFMessage"), ("protobuf", "foxglove.FrameTransforms"):
      self = .transforms
    case ("cdr", "geometry_msgs/TransformStamped"), ("protobuf", "foxglove.FrameTransform"):
      self = .transform
    case ("cdr", "nav_msgs/Odometry"): self = .odometry
    case ("cdr", "geometry_msgs/PoseStamped"), ("protobuf", "foxglove.PoseInFrame"): self = .pose
    default: return nil
    }
  }

  var sensorKind: SensorDescription.Kind? {
    switch self {
    case .cloud: .lidar
    case .compressedImage, .rawImage: .camera
    default: nil
    }
  }

  /// The sensor a topic belongs to: its name without what says which of the sensor's outputs it is,
  /// `/CAM_FRONT/image_rect_compressed` → `CAM_FRONT`, `/velo/pointcloud` → `velo`.
  static func sensorName(topic: String) -> String {
    let generic = [
      "compressed", "image", "camera_info", "calibration", "points", "pointcloud", "point_cloud",
      "pointcloud2", "cloud", "raw", "packets", "scan", "lidar_points",
    ]
    var parts = topic.split(separator: "/").map(String.init)
    while parts.count > 1, let last = parts.last?.lowercased(),
      generic.contains(last) || last.hasPrefix("image_") || last.hasPrefix("points_")
        || last.hasPrefix("pointcloud_")
    {
      parts.removeLast()
    }
    return parts.joined(separator: "_")
  }
}
