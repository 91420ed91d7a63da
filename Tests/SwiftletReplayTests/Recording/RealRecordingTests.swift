import Foundation
import Swiftlet
import SwiftletReplay
import Testing

/// The numbers that the recordings' own READMEs give.
@Suite(.enabled(if: SharedData.isThere, "SWIFTLET_DATA is not set"))
struct RealRecordingTests {
  func open(_ folder: String, _ options: RecordingOptions = RecordingOptions()) throws -> any Recording
  {
    try RecordingOpener.open(path: try #require(SharedData.path) + "/" + folder, options: options)
  }

  /// LiDAR points inside a camera's image, through key ego: the chain the pipeline uses.
  func pointsInView(_ loaded: RecordedFrame, camera: CameraInput, minimumDepth: Double) -> Int {
    withExtendedLifetime(loaded) {
      pointsInView(loaded.sensorFrame, camera: camera, minimumDepth: minimumDepth)
    }
  }
  private func pointsInView(
    _ frame: SensorFrame, camera: CameraInput, minimumDepth: Double
  ) -> Int {
    let lidar = frame.lidars[0]
    let cameraFromLidar =
      camera.keyEgoFromCamera.inverse * frame.worldFromEgo.inverse * lidar.worldFromLidar
    var count = 0
    for index in 0..<lidar.points.count {
      let p =
        cameraFromLidar
        * SIMD3(
          Double(lidar.points.value(index, 0)), Double(lidar.points.value(index, 4)),
          Double(lidar.points.value(index, 8)))
      guard p.z > minimumDepth else { continue }
      let k = camera.intrinsics
      let u = k.focalX * p.x / p.z + k.centerX
      let v = k.focalY * p.y / p.z + k.centerY
      if u >= 0, u < Double(k.widthPixels), v >= 0, v < Double(k.heightPixels) { count += 1 }
    }
    return count
  }

  @Test func `nuScenes: points in view of the six cameras`() throws {
    let recording = try open("nuscenes-layout", RecordingOptions(keepsEgoBodyPoints: true))
    let loaded = try recording.loadFrame(0)
    let frame = loaded.sensorFrame
    #expect(frame.lidars[0].points.count == 34_688)
    let expected = [
      "CAM_FRONT": 3067, "CAM_FRONT_RIGHT": 3079, "CAM_FRONT_LEFT": 3704, "CAM_BACK": 4826,
      "CAM_BACK_LEFT": 4097, "CAM_BACK_RIGHT": 3379,
    ]
    for camera in frame.cameras {
      #expect(camera.isValid && camera.image?.widthPixels == 1600)
      #expect(pointsInView(loaded, camera: camera, minimumDepth: 1) == expected[camera.name])
    }
  }

  @Test func `nuScenes: the own car's points go, the others stay`() throws {
    let frame = try open("nuscenes-layout").loadFrame(0)
    #expect(frame.egoBodyPointCount == 8_526)
    #expect(frame.sensorFrame.lidars[0].points.count == 34_688 - 8_526)
  }

  @Test func `nuScenes: box centres land on their published pixels`() throws {
    let root = try #require(SharedData.path) + "/nuscenes-layout"
    let boxes = try JSONReader.parse(
      [UInt8](Data(contentsOf: URL(fileURLWithPath: root + "/v1.0-mini/sample_annotation.json"))))
    let published = try JSONReader.parse(
      [UInt8](Data(contentsOf: URL(fileURLWithPath: root + "/reference/annotations.json"))))
    let centers = try #require(boxes.arrayValue).compactMap { $0["translation"]?.doublesValue }
    let frame = try open("nuscenes-layout").loadFrame(0).sensorFrame
    var checked = 0
    for camera in frame.cameras {
      let cameraFromWorld = (frame.worldFromEgo * camera.keyEgoFromCamera).inverse
      let pixels = centers.map { center -> (Double, Double) in
        let p = cameraFromWorld * SIMD3(center[0], center[1], center[2])
        let k = camera.intrinsics
        return (k.focalX * p.x / p.z + k.centerX, k.focalY * p.y / p.z + k.centerY)
      }
      for instance in published["cam_instances"]?[camera.name]?.arrayValue ?? [] {
        let center = try #require(instance["center_2d"]?.doublesValue)
        let nearest = pixels.map { hypot($0.0 - center[0], $0.1 - center[1]) }.min() ?? 1e9
        // The published pixels are float32 of values up to 1600.
        #expect(nearest < 3e-4, "\(camera.name): \(nearest) px")
        checked += 1
      }
    }
    #expect(checked == 84)
  }

  @Test func `KITTI raw: points in view of camera 2 in every frame`() throws {
    let expected = [16333, 16298, 16125, 15782, 15469, 15306, 15196, 15187, 15248, 15321]
    let recording = try open("kitti-raw-layout")
    #expect(recording.frameCount == 10 && recording.warnings.isEmpty)
    for number in 0..<10 {
      let frame = try recording.loadFrame(number)
      let count = pointsInView(frame, camera: frame.sensorFrame.cameras[0], minimumDepth: 0)
      #expect(count == expected[number], "frame \(number)")
    }
  }

  @Test func `KITTI raw: camera poses, LiDAR poses and inertial packets agree`() throws {
    let drive = "kitti-raw-layout/2011_09_26/2011_09_26_drive_0000_sync"
    let source = try #require(SharedData.path) + "/" + drive
    let folder = try TemporaryFolder()
    // The same drive without pose files, so that only its packets are left.
    let copy = folder.path + "/2011_09_26/2011_09_26_drive_0000_sync"
    let files = FileManager.default
    try files.createDirectory(atPath: copy, withIntermediateDirectories: true)
    for name in ["velodyne_points", "oxts"] {
      try files.createSymbolicLink(atPath: "\(copy)/\(name)", withDestinationPath: "\(source)/\(name)")
    }
    for name in ["calib_imu_to_velo.txt", "calib_velo_to_cam.txt", "calib_cam_to_cam.txt"] {
      try files.createSymbolicLink(
        atPath: "\(copy)/../\(name)", withDestinationPath: "\(source)/../\(name)")
    }
    let camera = try open(drive)
    let lidar = try open(drive, RecordingOptions(posesFile: "poses_velodyne.txt"))
    let inertial = try RecordingOpener.open(path: folder.path)
    for frame in 0..<10 {
      let wanted = try lidar.loadFrame(frame).sensorFrame.worldFromEgo
      for other in [camera, inertial] {
        let found = try other.loadFrame(frame).sensorFrame.worldFromEgo
        let step = found.translation - wanted.translation
        #expect((step * step).sum().squareRoot() < 2e-7, "frame \(frame)")
        for (a, b) in zip(found.rotation.rowMajor, wanted.rotation.rowMajor) {
          #expect(abs(a - b) < 2e-7)
        }
      }
    }
  }

  @Test func `KITTI odometry: scans, times and poses`() throws {
    let recording = try open("kitti-odometry-layout")
    #expect(recording.frameCount == 4)
    let counts = try (0..<4).map { try recording.loadFrame($0).sensorFrame.lidars[0].points.count }
    #expect(counts == [124_668, 124_605, 124_478, 124_167])
    #expect(recording.frameTimestampNanoseconds(1) == 103_735_900)
    let steps = try ["00.txt", "00_kiss_icp.txt"].map { name in
      let poses = try open("kitti-odometry-layout", RecordingOptions(posesFile: name))
      return try poses.loadFrame(1).sensorFrame.worldFromEgo.translation.x
    }
    // The README: 0.86 m a frame by the ground truth, 0.67 to 0.73 m by LiDAR alignment.
    #expect(abs(steps[0] - 0.86) < 0.005 && steps[1] > 0.67 && steps[1] < 0.73)
  }
}
