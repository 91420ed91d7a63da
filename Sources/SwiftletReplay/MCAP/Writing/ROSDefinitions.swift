/// Texts of ROS 2 message definitions, as MCAP schemas carry them (encoding `ros2msg`): the type's own
/// text, then each type it uses behind a separator line.
enum ROSDefinitions {
  /// The schema's data for a type; nil for one that is not written here.
  static func schema(_ type: String) -> [UInt8]? {
    guard let own = texts[short(type)] else { return nil }
    var text = own
    for used in dependencies(of: own, seen: [short(type)]) {
      text += "\n" + String(repeating: "=", count: 80) + "\nMSG: \(used)\n" + (texts[used] ?? "")
    }
    return Array(text.utf8)
  }

  /// `sensor_msgs/msg/Image` → `sensor_msgs/Image`.
  private static func short(_ type: String) -> String { type.replacing("/msg/", with: "/") }

  /// Types a definition uses, directly or not, each once.
  private static func dependencies(of text: String, seen: [String]) -> [String] {
    var found: [String] = []
    for line in text.split(separator: "\n") {
      guard let word = line.split(separator: " ").first else { continue }
      let type = String(word.prefix { $0 != "[" })
      guard texts[type] != nil, !seen.contains(type), !found.contains(type) else { continue }
      found.append(type)
      for more in dependencies(of: texts[type] ?? "", seen: seen + found) where !found.contains(more) {
        found.append(more)
      }
    }
    return found
  }

  private static let texts: [String: String] = [
    "builtin_interfaces/Time": "int32 sec\nuint32 nanosec\n",
    "std_msgs/Header": "builtin_interfaces/Time stamp\nstring frame_id\n",
    "geometry_msgs/Vector3": "float64 x\nfloat64 y\nfloat64 z\n",
    "geometry_msgs/Point": "float64 x\nfloat64 y\nfloat64 z\n",
    "geometry_msgs/Quaternion": "float64 x 0\nfloat64 y 0\nfloat64 z 0\nfloat64 w 1\n",
    "geometry_msgs/Pose":
      "geometry_msgs/Point position\ngeometry_msgs/Quaternion orientation\n",
    "geometry_msgs/Transform":
      "geometry_msgs/Vector3 translation\ngeometry_msgs/Quaternion rotation\n",
    "geometry_msgs/TransformStamped":
      "std_msgs/Header header\nstring child_frame_id\ngeometry_msgs/Transform transform\n",
    "tf2_msgs/TFMessage": "geometry_msgs/TransformStamped[] transforms\n",
    "sensor_msgs/PointField":
      "uint8 INT8=1\nuint8 UINT8=2\nuint8 INT16=3\nuint8 UINT16=4\nuint8 INT32=5\n"
      + "uint8 UINT32=6\nuint8 FLOAT32=7\nuint8 FLOAT64=8\n"
      + "string name\nuint32 offset\nuint8 datatype\nuint32 count\n",
    "sensor_msgs/PointCloud2":
      "std_msgs/Header header\nuint32 height\nuint32 width\nsensor_msgs/PointField[] fields\n"
      + "bool is_bigendian\nuint32 point_step\nuint32 row_step\nuint8[] data\nbool is_dense\n",
    "sensor_msgs/CompressedImage":
      "std_msgs/Header header\nstring format\nuint8[] data\n",
    "sensor_msgs/RegionOfInterest":
      "uint32 x_offset\nuint32 y_offset\nuint32 height\nuint32 width\nbool do_rectify\n",
    "sensor_msgs/CameraInfo":
      "std_msgs/Header header\nuint32 height\nuint32 width\nstring distortion_model\n"
      + "float64[] d\nfloat64[9] k\nfloat64[9] r\nfloat64[12] p\nuint32 binning_x\n"
      + "uint32 binning_y\nsensor_msgs/RegionOfInterest roi\n",
    "nav_msgs/MapMetaData":
      "builtin_interfaces/Time map_load_time\nfloat32 resolution\nuint32 width\nuint32 height\n"
      + "geometry_msgs/Pose origin\n",
    "nav_msgs/OccupancyGrid":
      "std_msgs/Header header\nnav_msgs/MapMetaData info\nint8[] data\n",
    "swiftlet_msgs/FrameLatency":
      "std_msgs/Header header\nuint32 frame\nfloat64 service_ms\nfloat64 response_ms\n"
      + "float64 budget_ms\nbool missed\nstring miss_cause\nstring[] stage_names\n"
      + "float64[] stage_ms\nstring[] missing_sensors\n",
  ]
}
