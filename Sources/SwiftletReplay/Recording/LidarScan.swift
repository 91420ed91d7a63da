import Swiftlet

/// How a scan file stores its points: little-endian float32 fields, one record after the other.
struct PointFormat: Sendable, Equatable {
  var fieldCount: Int
  /// Field numbers; nil where absent.
  var intensity: Int?
  /// Seconds relative to the scan's timestamp.
  var time: Int?
  /// The publisher already moved the points to the scan's timestamp.
  var isMotionCorrected = true

  /// KITTI: x y z reflectance.
  static let xyzIntensity = PointFormat(fieldCount: 4, intensity: 3, time: nil)
  /// nuScenes: x y z intensity ring.
  static let xyzIntensityRing = PointFormat(fieldCount: 5, intensity: 3, time: nil)
}

/// A scan as recorded: finite points only.
struct LidarScan: Sendable {
  /// x y z intensity, interleaved, in LiDAR axes.
  var values: [Float] = []
  /// Seconds relative to the scan's timestamp, one a point; empty where the recording has none or
  /// the points are already corrected.
  var times: [Float] = []
  /// Occ3D's class of each point, 255 for none; empty where they were not asked for or not recorded.
  var labels: [UInt8] = []
  /// Whether the fourth value is recorded; otherwise it is 0.
  var hasIntensity = true
  /// Points left out because a coordinate is NaN or infinite.
  var notFiniteCount = 0
  /// Their numbers in a scan file.
  private(set) var notFinite: Set<Int> = []
  /// What is wrong with the scan although its points can be used.
  var problem: (code: String, message: String)?

  var count: Int { values.count / 4 }

  init() {}

  /// Whole points of a file; bytes after the last one are a problem that is reported.
  init(bytes: [UInt8], format: PointFormat, file: String) {
    let stride = format.fieldCount * 4
    let pointCount = bytes.count / stride
    values.reserveCapacity(pointCount * 4)
    hasIntensity = format.intensity != nil
    let wantsTimes = format.time != nil && !format.isMotionCorrected
    unsafe bytes.withUnsafeBytes { raw in
      for index in 0..<pointCount {
        let at = index * stride
        func field(_ number: Int) -> Float {
          unsafe raw.loadUnaligned(fromByteOffset: at + number * 4, as: Float.self)
        }
        let time = wantsTimes ? format.time.map(field) : nil
        let leftOut = notFiniteCount
        append(
          field(0), field(1), field(2), intensity: format.intensity.map(field) ?? 0, time: time)
        if notFiniteCount != leftOut { notFinite.insert(index) }
      }
    }
    if bytes.count % stride != 0 {
      let error = RecordingError(
        file: file, byteOffset: pointCount * stride, expected: "a whole point of \(stride) bytes",
        found: "\(bytes.count % stride) bytes",
        remedy: "copy the scan again; the \(pointCount) points before are used")
      problem = (ReplayWarning.pointsTruncated, error.description)
    }
  }

  /// Adds a point unless a coordinate or its time is not finite.
  mutating func append(_ x: Float, _ y: Float, _ z: Float, intensity: Float, time: Float?) {
    guard x.isFinite, y.isFinite, z.isFinite, time?.isFinite ?? true else {
      notFiniteCount += 1
      return
    }
    values.append(x)
    values.append(y)
    values.append(z)
    values.append(intensity)
    if let time { times.append(time) }
  }

  /// Moves every point to the scan's timestamp by the ego motion between its own time and that.
  ///
  /// - Parameter worldFromLidar: the LiDAR's pose at a time relative to the scan's, in seconds; nil
  ///   where no pose is known.
  /// - Returns: how many points could not be moved and were left as they are.
  mutating func deskew(_ worldFromLidar: (Float) -> RigidTransform?) -> Int {
    guard times.count == count, let scanPose = worldFromLidar(0) else { return count }
    let scanFromWorld = scanPose.inverse
    var unmoved = 0
    // Points of one firing share their time.
    var cached: (time: Float, motion: RigidTransform?)?
    for index in 0..<count {
      let time = times[index]
      if cached?.time != time {
        cached = (time, worldFromLidar(time).map { scanFromWorld * $0 })
      }
      guard let motion = cached?.motion else {
        unmoved += 1
        continue
      }
      let moved =
        motion
        * SIMD3(
          Double(values[index * 4]), Double(values[index * 4 + 1]), Double(values[index * 4 + 2]))
      values[index * 4] = Float(moved.x)
      values[index * 4 + 1] = Float(moved.y)
      values[index * 4 + 2] = Float(moved.z)
    }
    return unmoved
  }

  /// Drops points inside a box in ego axes; returns how many.
  mutating func removePoints(inside box: EgoBodyBox, egoFromLidar: RigidTransform) -> Int {
    var kept = 0
    for index in 0..<count {
      let point =
        egoFromLidar
        * SIMD3(
          Double(values[index * 4]), Double(values[index * 4 + 1]), Double(values[index * 4 + 2]))
      let isInside = all(point .>= box.minimum) && all(point .<= box.maximum)
      if isInside { continue }
      for field in 0..<4 { values[kept * 4 + field] = values[index * 4 + field] }
      if !times.isEmpty { times[kept] = times[index] }
      if !labels.isEmpty { labels[kept] = labels[index] }
      kept += 1
    }
    let removed = count - kept
    values.removeLast(removed * 4)
    if !times.isEmpty { times.removeLast(removed) }
    if !labels.isEmpty { labels.removeLast(removed) }
    return removed
  }
}
