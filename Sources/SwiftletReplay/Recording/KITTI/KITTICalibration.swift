import Swiftlet

/// `key: number number …` files: calib_cam_to_cam.txt, calib_velo_to_cam.txt, calib.txt.
struct KITTIKeyValues: Sendable {
  let file: String
  private let values: [String: (line: Int, text: String)]

  init(file: String) throws(RecordingError) {
    self.file = file
    var values: [String: (line: Int, text: String)] = [:]
    for (number, line) in try RecordingFile.lines(file).enumerated() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      values[String(line[..<colon])] = (number + 1, String(line[line.index(after: colon)...]))
    }
    self.values = values
  }

  func has(_ key: String) -> Bool { values[key] != nil }

  /// The numbers of a key: exactly `count` finite ones.
  func numbers(_ key: String, _ count: Int) throws(RecordingError) -> [Double] {
    guard let (line, text) = values[key] else {
      throw RecordingError(
        file: file, record: key, expected: "\(count) numbers", found: "no such key",
        remedy: "copy the published calibration again")
    }
    let numbers = KITTIText.numbers(text)
    guard let numbers, numbers.count == count, numbers.allSatisfy(\.isFinite) else {
      throw RecordingError(
        file: file, record: "line \(line), \(key)", expected: "\(count) finite numbers",
        found: numbers.map { "\($0.count) numbers" } ?? "'\(text.prefix(40))'",
        remedy: "copy the published calibration again")
    }
    return numbers
  }
}

enum KITTIText {
  /// Numbers between white space; nil when something else is there.
  static func numbers(_ text: some StringProtocol) -> [Double]? {
    var numbers: [Double] = []
    for word in text.split(whereSeparator: { $0 == " " || $0 == "\t" }) {
      guard let number = Double(word) else { return nil }
      numbers.append(number)
    }
    return numbers
  }
}

/// A KITTI rig: rectified cameras and one LiDAR. Ego axes are the LiDAR's (frame-model.md).
struct KITTIRig: Sendable {
  /// LiDAR to rectified camera 0.
  var rectifiedFromLidar: RigidTransform

  /// Camera `P`, 3×4 row-major: K and the camera's offset from rectified camera 0.
  func camera(
    _ projection: [Double], width: Int, height: Int, name: String
  ) throws(CalibrationError) -> SensorCalibration {
    let p = projection
    let intrinsics = CameraIntrinsics(
      focalX: p[0], focalY: p[5], centerX: p[2], centerY: p[6], widthPixels: width,
      heightPixels: height)
    try intrinsics.validate(sensor: name)
    guard width <= 65_535, height <= 65_535 else {
      throw CalibrationError(
        sensor: name, expected: "at most 65535×65535 pixels", found: "\(width)×\(height)",
        remedy: "copy the published calibration again")
    }
    // P = K [1 | t]: all three components, the small third one too.
    let offset = intrinsics.matrix.inverse * SIMD3(p[3], p[7], p[11])
    let cameraFromLidar =
      RigidTransform(rotation: Matrix3.identity, translation: offset) * rectifiedFromLidar
    try cameraFromLidar.validate(sensor: name)
    return SensorCalibration(egoFromSensor: cameraFromLidar.exactInverse, intrinsics: intrinsics)
  }

  /// Poses of camera 0 in its first frame to poses of the LiDAR in its first frame:
  /// inv(Tr) · pose · Tr.
  func worldFromLidar(cameraPose: RigidTransform) -> RigidTransform {
    rectifiedFromLidar.exactInverse * cameraPose * rectifiedFromLidar
  }
}

extension RigidTransform {
  /// The inverse of the matrix as stored: calibration printed with seven digits is a rotation only
  /// to 1e-7, and the transpose would move points 100 m away by 10 µm.
  var exactInverse: RigidTransform {
    let inverse = rotation.inverse
    return RigidTransform(rotation: inverse, translation: -(inverse * translation))
  }
  /// From 12 numbers, row-major 3×4.
  init(rowMajor3x4 v: [Double]) {
    self.init(
      rotation: Matrix3(SIMD3(v[0], v[1], v[2]), SIMD3(v[4], v[5], v[6]), SIMD3(v[8], v[9], v[10])),
      translation: SIMD3(v[3], v[7], v[11]))
  }
}
