import Foundation
import Swiftlet
import SwiftletReplay
import Testing

@Suite struct KITTIReaderTests {
  /// LiDAR x forward, y left, z up to camera x right, y down, z forward.
  static let axes = "0 -1 0 0 0 -1 1 0 0"

  func odometry(_ folder: TemporaryFolder, poses: String, frames: Int = 3) throws {
    try folder.write(
      "sequences/07/calib.txt",
      "P0: 100 0 32 0 0 100 24 0 0 0 1 0\nP1: 100 0 32 -50 0 100 24 0 0 0 1 0\n"
        + "Tr: 0 -1 0 0.5 0 0 -1 0.25 1 0 0 -0.125\n")
    try folder.write("sequences/07/times.txt", "0.0\n1.000000e-01\n2.0e-01\n")
    try folder.write("poses/07.txt", poses)
    for frame in 0..<frames {
      try folder.write(
        "sequences/07/velodyne/00000\(frame).bin", floatBytes([10, 1, -1, 0.5, 20, 2, -1, 0.25]))
      try folder.write(
        "sequences/07/image_1/00000\(frame).png",
        PNGCodec.encode(RGBImage(widthPixels: 64, heightPixels: 48)))
    }
  }
  /// Camera 0 moves 1 m forward (its z) a frame.
  static let forward =
    "1 0 0 0 0 1 0 0 0 0 1 0\n1 0 0 0 0 1 0 0 0 0 1 1\n1 0 0 0 0 1 0 0 0 0 1 2\n"

  @Test func `odometry poses of camera 0 become poses of the LiDAR`() throws {
    let folder = try TemporaryFolder()
    try odometry(folder, poses: Self.forward)
    let recording = try RecordingOpener.open(path: folder.path)
    #expect(recording.layout == "KITTI odometry" && recording.name == "07")
    let frame = try recording.loadFrame(2).sensorFrame
    // Forward is the LiDAR's x.
    #expect(frame.worldFromEgo.translation == SIMD3(2, 0, 0))
    #expect(frame.lidars[0].worldFromLidar == frame.worldFromEgo)
    #expect(frame.timestampNanoseconds == 200_000_000)
    #expect(frame.lidars[0].points.count == 2)
  }

  @Test func `a camera's offset in its projection becomes its place`() throws {
    let folder = try TemporaryFolder()
    try odometry(folder, poses: Self.forward)
    let camera = try RecordingOpener.open(path: folder.path).loadFrame(0).sensorFrame.cameras[0]
    // p = P1 · Tr · x, by hand for x = (10, 1, −1): camera 0 sees (−0.5, 1.25, 9.875).
    let point = camera.keyEgoFromCamera.inverse * SIMD3(10, 1, -1)
    let expected = SIMD3(-0.5 - 0.5, 1.25, 9.875)
    #expect(abs((point - expected).sum()) < 1e-12)
    #expect(camera.intrinsics.focalX == 100 && camera.intrinsics.widthPixels == 64)
  }

  @Test func `a NaN pose is interpolated and named with its line`() throws {
    let folder = try TemporaryFolder()
    let poses = Self.forward.replacingOccurrences(of: "1 0 0 0 0 1 0 0 0 0 1 1\n", with: "nan\n")
    try odometry(folder, poses: poses)
    let recording = try RecordingOpener.open(path: folder.path)
    #expect(recording.warnings.contains { $0.code == "pose-invalid" && $0.message.contains("line 2") })
    #expect(abs(try recording.loadFrame(1).sensorFrame.worldFromEgo.translation.x - 1) < 1e-12)
  }

  @Test func `no poses at all leaves frames that stand for themselves`() throws {
    let folder = try TemporaryFolder()
    try odometry(folder, poses: Self.forward)
    try folder.remove("poses/07.txt")
    let recording = try RecordingOpener.open(path: folder.path)
    #expect(recording.warnings.count(ReplayWarning.poseMissing) == 1)
    #expect(try recording.loadFrame(1).sensorFrame.resetsHistory)
  }

  @Test func `a poses file is chosen by name or path`() throws {
    let folder = try TemporaryFolder()
    try odometry(folder, poses: Self.forward)
    try folder.write("poses/07_slow.txt", Self.forward.replacingOccurrences(of: "1 2\n", with: "1 1.5\n"))
    let warned = try RecordingOpener.open(path: folder.path)
    #expect(warned.warnings.contains { $0.code == "poses-chosen" && $0.message.contains("07_slow") })
    for file in ["07_slow.txt", folder.path + "/poses/07_slow.txt"] {
      let recording = try RecordingOpener.open(
        path: folder.path + "/sequences/07", options: RecordingOptions(posesFile: file))
      #expect(try recording.loadFrame(2).sensorFrame.worldFromEgo.translation.x == 1.5)
    }
    #expect(throws: RecordingError.self) {
      try RecordingOpener.open(path: folder.path, options: RecordingOptions(posesFile: "none.txt"))
    }
  }

  func raw(_ folder: TemporaryFolder, rotation: String = axes, focal: String = "100") throws {
    let drive = "2011_09_26/2011_09_26_drive_0001_sync"
    try folder.write("2011_09_26/calib_velo_to_cam.txt", "R: \(rotation)\nT: 0 0 0\n")
    try folder.write(
      "2011_09_26/calib_cam_to_cam.txt",
      "R_rect_00: 1 0 0 0 1 0 0 0 1\nS_rect_02: 6.4e+01 4.8e+01\n"
        + "P_rect_02: \(focal) 0 32 0 0 \(focal) 24 0 0 0 1 0\n")
    let times = (0..<3).map { "2011-09-26 13:02:25.\($0)00000000\n" }.joined()
    for sensor in ["image_02", "velodyne_points"] {
      try folder.write("\(drive)/\(sensor)/timestamps.txt", times)
    }
    for frame in 0..<3 {
      try folder.write(
        "\(drive)/velodyne_points/data/000000000\(frame).bin", floatBytes([10, 1, -1, 0.5]))
      try folder.write(
        "\(drive)/image_02/data/000000000\(frame).png",
        PNGCodec.encode(RGBImage(widthPixels: 64, heightPixels: 48)))
    }
    try folder.write("\(drive)/poses.txt", Self.forward)
  }

  @Test func `KITTI raw opens from its root, its date and its drive`() throws {
    let folder = try TemporaryFolder()
    try raw(folder)
    for inner in ["", "/2011_09_26", "/2011_09_26/2011_09_26_drive_0001_sync/"] {
      let recording = try RecordingOpener.open(path: folder.path + inner)
      #expect(recording.layout == "KITTI raw" && recording.frameCount == 3)
      #expect(recording.warnings.isEmpty, "\(recording.warnings)")
      // 2011-09-26 13:02:25 UTC.
      #expect(recording.frameTimestampNanoseconds(1) == 1_317_042_145_100_000_000)
      let frame = try recording.loadFrame(2).sensorFrame
      #expect(frame.cameras[0].isValid && frame.worldFromEgo.translation.x == 2)
    }
  }

  @Test func `damaged calibrations cost the camera, never the scans`() throws {
    for (rotation, focal) in [("1 0 0 0 1 0 0 0 2", "100"), (Self.axes, "0"), (Self.axes, "x")] {
      let folder = try TemporaryFolder()
      try raw(folder, rotation: rotation, focal: focal)
      let recording = try RecordingOpener.open(path: folder.path)
      #expect(recording.warnings.contains { $0.code == "calibration-invalid" && $0.isDamage })
      let frame = try recording.loadFrame(0).sensorFrame
      #expect(!frame.cameras[0].isValid && frame.lidars[0].isValid)
    }
  }

  @Test func `a scan that is not there leaves a frame with its camera`() throws {
    let folder = try TemporaryFolder()
    try raw(folder)
    let drive = "2011_09_26/2011_09_26_drive_0001_sync"
    try folder.remove("\(drive)/velodyne_points/data/0000000001.bin")
    let frame = try RecordingOpener.open(path: folder.path).loadFrame(1)
    #expect(!frame.sensorFrame.lidars[0].isValid && frame.sensorFrame.cameras[0].isValid)
    try folder.remove("\(drive)/image_02/data/0000000001.png")
    do {
      _ = try RecordingOpener.open(path: folder.path).loadFrame(1)
      Issue.record("loaded")
    } catch { #expect("\(error)".contains("frame 1")) }
  }

  @Test func `a damaged timestamp leaves out its sample only`() throws {
    let folder = try TemporaryFolder()
    try raw(folder)
    try folder.write(
      "2011_09_26/2011_09_26_drive_0001_sync/velodyne_points/timestamps.txt",
      "2011-09-26 13:02:25.000000000\n2011-13-99 13:02\n2011-09-26 13:02:25.200000000\n")
    let recording = try RecordingOpener.open(path: folder.path)
    #expect(recording.frameCount == 2)
    #expect(recording.warnings.contains { $0.isDamage && $0.message.contains("line 2") })
    #expect(try recording.loadFrame(1).sensorFrame.worldFromEgo.translation.x == 2)
  }
}
