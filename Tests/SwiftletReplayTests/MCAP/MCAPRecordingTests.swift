import Swiftlet
import Testing

@testable import SwiftletReplay

/// MCAP files and bags as recordings: the same frames as their twins in folders.
@Suite(.enabled(if: MCAPTestData.isThere, "SWIFTLET_DATA is not set"))
struct MCAPRecordingTests {
  static func open(
    _ relative: String, _ change: (inout RecordingOptions) -> Void = { _ in }
  ) throws -> any Recording {
    var options = RecordingOptions()
    change(&options)
    return try RecordingOpener.open(path: MCAPTestData.path(relative), options: options)
  }

  static func points(_ view: PointCloudView) -> [Float] {
    precondition(view.byteStride == 16 && view.intensityByteOffset == 12 || view.count == 0)
    let base = view.baseAddress?.assumingMemoryBound(to: Float.self)
    return Array(UnsafeBufferPointer(start: base, count: view.count * 4))
  }
  static func pixels(_ view: ImageView?) -> [UInt8] {
    guard let view else { return [] }
    return Array(
      UnsafeBufferPointer(start: view.baseAddress, count: view.heightPixels * view.byteStride))
  }

  /// The file's quaternions went through a matrix when it was made: a few units in the last place.
  static func distance(_ a: RigidTransform, _ b: RigidTransform) -> Double {
    zip(a.rowMajor4x4, b.rowMajor4x4).map { abs($0 - $1) }.max() ?? 0
  }

  @Test func `the nuScenes recording in MCAP gives its folder's frame, payloads bit for bit`()
    throws
  {
    let folder = try Self.open("nuscenes-layout")
    let mcap = try Self.open("mcap-real/nuscenes_ros2.mcap")
    #expect(mcap.layout == "MCAP" && mcap.frameCount == folder.frameCount)
    #expect(mcap.sensors.map(\.name) == folder.sensors.map(\.name))
    for index in 0..<folder.frameCount {
      let a = try folder.loadFrame(index)
      let b = try mcap.loadFrame(index)
      #expect(b.warnings.isEmpty, "\(b.warnings)")
      #expect(a.egoBodyPointCount == b.egoBodyPointCount)
      let (x, y) = (a.sensorFrame, b.sensorFrame)
      #expect(x.timestampNanoseconds == y.timestampNanoseconds)
      #expect(Self.distance(x.worldFromEgo, y.worldFromEgo) < 1e-14)
      #expect(x.resetsHistory == y.resetsHistory)
      for (c, d) in zip(x.cameras, y.cameras) {
        #expect(c.name == d.name && c.isValid && d.isValid)
        #expect(c.timestampNanoseconds == d.timestampNanoseconds)
        #expect(c.intrinsics == d.intrinsics && c.augmentation == d.augmentation)
        #expect(Self.distance(c.egoFromCamera, d.egoFromCamera) < 1e-14)
        // World coordinates of 1,200 m times 2e-16.
        #expect(Self.distance(c.keyEgoFromCamera, d.keyEgoFromCamera) < 1e-11)
        #expect(Self.pixels(c.image) == Self.pixels(d.image) && c.image != nil)
      }
      let (l, m) = (x.lidars[0], y.lidars[0])
      #expect(Self.distance(l.egoFromLidar, m.egoFromLidar) < 1e-14)
      #expect(Self.distance(l.worldFromLidar, m.worldFromLidar) < 1e-11)
      #expect(Self.points(l.points) == Self.points(m.points) && l.points.count > 10_000)
      withExtendedLifetime((a, b)) {}
    }
  }

  @Test(arguments: [("kitti_ros2.mcap", 10), ("kitti_foxglove.mcap", 5)])
  func `the KITTI recording in MCAP gives its folder's clouds point for point`(
    file: String, count: Int
  ) throws {
    let folder = try Self.open("kitti-raw-layout") { $0.decodesImages = false }
    let mcap = try Self.open("mcap-real/\(file)")
    #expect(mcap.frameCount == count)
    #expect(mcap.warnings.isEmpty, "\(mcap.warnings)")
    #expect(mcap.sensors.map(\.name) == ["camera_color_left", "velo"])
    for index in 0..<count {
      let a = try folder.loadFrame(index)
      let b = try mcap.loadFrame(index)
      #expect(b.warnings.isEmpty, "\(b.warnings)")
      #expect(Self.points(a.sensorFrame.lidars[0].points) == Self.points(b.sensorFrame.lidars[0].points))
      // The folder's ego is the LiDAR, the file's the inertial unit: the camera lies to the LiDAR
      // as calib_*.txt says in both, through quaternions in one.
      let (c, d) = (a.sensorFrame.cameras[0], b.sensorFrame.cameras[0])
      #expect(d.isValid && d.image != nil && c.intrinsics == d.intrinsics)
      let lidarFromCamera = b.sensorFrame.lidars[0].egoFromLidar.inverse * d.egoFromCamera
      let difference = lidarFromCamera.translation - c.egoFromCamera.translation
      #expect((difference * difference).sum().squareRoot() < 1e-4)
      // The motion from the first frame is the same in either ego.
      withExtendedLifetime((a, b)) {}
    }
  }

  @Test(arguments: ["mcap-real/rosbag2_mcap", "mcap-real/rosbag2_sqlite3"])
  func `a bag gives the frames of the file it was made from`(path: String) throws {
    let small = try Self.open("mcap-real/variants/small.mcap")
    let bag = try Self.open(path)
    #expect(bag.layout == "ROS 2 bag" && bag.frameCount == 4 && bag.warnings.isEmpty)
    for index in 0..<4 {
      let a = try small.loadFrame(index)
      let b = try bag.loadFrame(index)
      #expect(b.warnings.isEmpty && a.sensorFrame.worldFromEgo == b.sensorFrame.worldFromEgo)
      #expect(Self.points(a.sensorFrame.lidars[0].points) == Self.points(b.sensorFrame.lidars[0].points))
      #expect(
        Self.pixels(a.sensorFrame.cameras[0].image) == Self.pixels(b.sensorFrame.cameras[0].image))
      withExtendedLifetime((a, b)) {}
    }
  }

  @Test func `a single part of a SQLite bag opens by itself`() throws {
    let part = try Self.open("mcap-real/rosbag2_sqlite3/rosbag2_sqlite3.db3")
    #expect(part.frameCount == 4)
  }

  // MARK: degraded recordings

  static func codes(_ recording: any Recording, _ sensor: String? = nil) -> Set<String> {
    Set(recording.warnings.filter { sensor == nil || $0.sensor == sensor }.map(\.code))
  }

  @Test func `frames without their image say so, and no stale one is used`() throws {
    let recording = try Self.open("mcap-real/variants/camera_missing.mcap")
    #expect(recording.frameCount == 6)
    for index in 0..<6 {
      let frame = try recording.loadFrame(index)
      let isMissing = [2, 4].contains(index)
      #expect(frame.sensorFrame.cameras[0].isValid == !isMissing, "frame \(index)")
      #expect(
        frame.warnings.contains {
          $0.sensor == "camera_color_left" && $0.code == ReplayWarning.sensorMissing
        } == isMissing)
    }
  }

  @Test func `a camera that is calibrated but has no image keeps its place and is named`() throws {
    let recording = try Self.open("mcap-real/variants/nuscenes_five_of_six_cameras.mcap")
    #expect(recording.sensors.count == 7)
    #expect(Self.codes(recording, "CAM_BACK_LEFT") == [ReplayWarning.sensorMissing])
    let frame = try recording.loadFrame(0).sensorFrame
    #expect(frame.cameras.count == 6 && frame.cameras.filter { $0.isValid }.count == 5)
    #expect(frame.cameras.first { !$0.isValid }?.name == "CAM_BACK_LEFT")
  }

  @Test func `duplicate stamps are reported for each sensor and lose nothing`() throws {
    let recording = try Self.open("mcap-real/variants/duplicate_timestamps.mcap")
    #expect(recording.frameCount == 6)
    #expect(Self.codes(recording, "velo").contains(ReplayWarning.timestampDuplicate))
    #expect(Self.codes(recording, "camera_color_left").contains(ReplayWarning.timestampDuplicate))
  }

  @Test func `a late image is complete by header time and late by log time`() throws {
    let byHeader = try Self.open("mcap-real/variants/late_frame.mcap")
    let warning = try #require(
      byHeader.warnings.first { $0.code == ReplayWarning.sampleLate })
    #expect(warning.sensor == "camera_color_left" && warning.message.contains("350"))
    let complete = try byHeader.loadFrame(2)
    #expect(complete.sensorFrame.cameras[0].isValid)
    let byLog = try Self.open("mcap-real/variants/late_frame.mcap") {
      $0.clock = .log
      $0.maximumAge = .milliseconds(45)
    }
    let valid = try [1, 2].map { try byLog.loadFrame($0).sensorFrame.cameras[0].isValid }
    #expect(valid == [true, false])
  }

  @Test func `a clock that jumps back is reported and poses are not made up`() throws {
    let recording = try Self.open("mcap-real/variants/clock_jump.mcap")
    for sensor in ["velo", "camera_color_left"] {
      #expect(Self.codes(recording, sensor).contains(ReplayWarning.clockDisagrees))
      #expect(Self.codes(recording, sensor).contains(ReplayWarning.timestampOrder))
    }
    #expect(recording.warnings.contains { $0.message.contains("9900") })
    // Sorted by stamp, the three jumped frames come first and have no pose.
    #expect(recording.frameCount == 6)
    for index in 0..<3 {
      #expect(throws: RecordingError.self) { _ = try recording.loadFrame(index) }
    }
    for index in 3..<6 {
      let frame = try recording.loadFrame(index)
      #expect(frame.sensorFrame.lidars[0].isValid)
    }
    let byLog = try Self.open("mcap-real/variants/clock_jump.mcap") { $0.clock = .log }
    for index in 0..<6 {
      let frame = try byLog.loadFrame(index)
      #expect(frame.sensorFrame.lidars[0].isValid)
    }
  }

  @Test func `bad payloads are rejected one by one, the rest is delivered`() throws {
    let recording = try Self.open("mcap-real/variants/bad_payloads.mcap")
    let good = try Self.open("mcap-real/variants/small.mcap")
    var rejected: [String] = recording.warnings.map(\.message)
    var valid: [Int64: (lidar: Bool, camera: Bool, points: Int)] = [:]
    for index in 0..<recording.frameCount {
      guard let loaded = try? recording.loadFrame(index) else { continue }
      rejected += loaded.warnings.map(\.message)
      let frame = loaded.sensorFrame
      valid[frame.timestampNanoseconds] = (
        frame.lidars[0].isValid, frame.cameras[0].isValid, frame.lidars[0].points.count
      )
    }
    let times = (0..<6).map { good.frameTimestampNanoseconds($0) }
    #expect(valid[times[0]]?.lidar == true)
    #expect(valid[times[1]]?.lidar == false, "the data is too short")
    #expect(valid[times[2]]?.lidar == true, "points without their intensity")
    #expect(valid[times[3]]?.points == 0)
    #expect(valid[times[3]]?.camera == false, "a third of a JPEG")
    #expect(valid[times[5]]?.lidar == true && valid[times[5]]?.camera == true)
    for part in ["intensity ends at byte 18", "points of 16 bytes", "bytes for the points", "JPEG"] {
      #expect(rejected.contains { $0.contains(part) }, "\(part) in \(rejected)")
    }
    for message in rejected where message.contains("cloud") {
      #expect(message.contains("/velo/pointcloud at 131703840"))
    }
  }

  @Test(arguments: [
    "truncated_mid_chunk", "no_footer", "flipped_byte_stored_chunk", "flipped_byte_zstd_chunk",
    "broken_zstd_chunk",
  ])
  func `a damaged file replays what it holds and says it is damaged`(name: String) throws {
    let recording = try Self.open("mcap-real/variants/\(name).mcap")
    #expect(Self.codes(recording).contains(ReplayWarning.containerDamaged))
    var loaded = 0
    for index in 0..<recording.frameCount {
      if (try? recording.loadFrame(index)) != nil { loaded += 1 }
    }
    #expect(recording.frameCount >= 4 && loaded >= 3, "\(loaded) of \(recording.frameCount)")
  }

  @Test func `a file without messages is an error, not an empty success`() {
    #expect {
      _ = try Self.open("mcap-real/variants/zero_messages.mcap")
    } throws: {
      "\($0)".contains("at least one frame")
    }
  }

  @Test func `a robot's file without cameras or LiDAR names what it has`() throws {
    #expect {
      _ = try Self.open("mcap-nav2/nav2_turtlebot.mcap")
    } throws: {
      "\($0)".contains("no samples of a LiDAR or camera")
    }
    let reader = try MCAPReader(path: MCAPTestData.path("mcap-nav2/nav2_turtlebot.mcap"))
    var indexer = MessageIndexer(clock: .header)
    indexer.scan([reader])
    let transforms = indexer.tree.edges.values.reduce(0) { $0 + $1.samples.count }
    #expect(transforms > 5_000 && indexer.poses.count == 2_639)
  }
}
