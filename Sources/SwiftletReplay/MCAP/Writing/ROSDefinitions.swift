/// Definitions of the ROS 2 messages this project writes, as MCAP's `ros2msg` schemas have them: the
/// message, then every type it uses.
enum ROSDefinitions {
  static func schema(_ type: String) -> [UInt8] {
    var listed: [String] = []
    collect(type, &listed)
    let rule = String(repeating: "=", count: 80)
    let texts = listed.enumerated().map { index, name in
      (index == 0 ? "" : "\(rule)\nMSG: \(name)\n") + (fields[name] ?? "")
    }
    return Array(texts.joined().utf8)
  }

  private static func collect(_ type: String, _ listed: inout [String]) {
    guard !listed.contains(type) else { return }
    listed.append(type)
    for line in (fields[type] ?? "").split(separator: "\n") {
      let name = line.split(separator: " ").first.map { $0.prefix { $0 != "[" } } ?? ""
      if name.contains("/") { collect(String(name), &listed) }
    }
  }

  private static let fields: [String: String] = [
    "builtin_interfaces/Time": "int32 sec\nuint32 nanosec\n",
    "std_msgs/Header": "builtin_interfaces/Time stamp\nstring frame_id\n",
    "geometry_msgs/Vector3": "float64 x\nfloat64 y\nfloat64 z\n",
    "geometry_msgs/Point": "float64 x\nfloat64 y\nfloat64 z\n",
    "geometry_msgs/Quaternion": "float64 x\nfloat64 y\nfloat64 z\nfloat64 w\n",
    "geometry_msgs/Transform":
      "geometry_msgs/Vector3 translation\ngeometry_msgs/Quaternion rotation\n",
    "geometry_msgs/Pose":
      "geometry_msgs/Point position\ngeometry_msgs/Quaternion orientation\n",
    "geometry_msgs/TransformStamped":
      "std_msgs/Header header\nstring child_frame_id\ngeometry_msgs/Transform transform\n",
    "tf2_msgs/TFMessage": "geometry_msgs/TransformStamped[] transforms\n",
    "sensor_msgs/CompressedImage": "std_msgs/Header header\nstring format\nuint8[] data\n",
    "sensor_msgs/RegionOfInterest":
      "uint32 x_offset\nuint32 y_offset\nuint32 height\nuint32 width\nbool do_rectify\n",
    "sensor_msgs/CameraInfo":
      "std_msgs/Header header\nuint32 height\nuint32 width\nstring distortion_model\nfloat64[] d\n"
      + "float64[9] k\nfloat64[9] r\nfloat64[12] p\nuint32 binning_x\nuint32 binning_y\n"
      + "sensor_msgs/RegionOfInterest roi\n",
    "sensor_msgs/PointField":
      "uint8 INT8=1\nuint8 UINT8=2\nuint8 INT16=3\nuint8 UINT16=4\nuint8 INT32=5\nuint8 UINT32=6\n"
      + "uint8 FLOAT32=7\nuint8 FLOAT64=8\nstring name\nuint32 offset\nuint8 datatype\n"
      + "uint32 count\n",
    "sensor_msgs/PointCloud2":
      "std_msgs/Header header\nuint32 height\nuint32 width\nsensor_msgs/PointField[] fields\n"
      + "bool is_bigendian\nuint32 point_step\nuint32 row_step\nuint8[] data\nbool is_dense\n",
    "nav_msgs/MapMetaData":
      "builtin_interfaces/Time map_load_time\nfloat32 resolution\nuint32 width\nuint32 height\n"
      + "geometry_msgs/Pose origin\n",
    "nav_msgs/OccupancyGrid":
      "std_msgs/Header header\nnav_msgs/MapMetaData info\nint8[] data\n",
  ]
}
