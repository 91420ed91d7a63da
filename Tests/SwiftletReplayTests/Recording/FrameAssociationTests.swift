import Swiftlet
import SwiftletReplay
import Testing

@Suite struct FrameAssociationTests {
  @Test func `every LiDAR sample makes a frame and the nearest image belongs to it`() throws {
    let folder = try TemporaryFolder()
    let recording = try NuScenesBuilder().open(folder)
    #expect(recording.frameCount == 3 && recording.triggerSensor == "LIDAR_TOP")
    #expect(recording.durationNanoseconds == 200_000_000)
    #expect(recording.warnings.isEmpty, "\(recording.warnings)")
    for number in 0..<3 {
      let frame = try recording.loadFrame(number).sensorFrame
      #expect(frame.cameras.map(\.name) == ["CAM_FRONT", "CAM_BACK"])
      #expect(frame.cameras.map(\.ageNanoseconds) == [-10_000_000, -20_000_000])
      #expect(frame.cameras.allSatisfy { $0.isValid && $0.image?.widthPixels == 64 })
      #expect(frame.resetsHistory == (number == 0))
      // 0.1 s at 5 m/s a frame.
      #expect(abs(frame.worldFromEgo.translation.x - 0.5 * Double(number)) < 1e-12)
    }
  }

  @Test func `the camera chain carries the ego motion between image and frame`() throws {
    let folder = try TemporaryFolder()
    let frame = try NuScenesBuilder().open(folder).loadFrame(1).sensorFrame
    // The image is 10 ms later than the frame: the camera is 0.05 m further along.
    let moved = frame.cameras[0].keyEgoFromCamera.translation
    #expect(abs(moved.x - 1.55) < 1e-9 && abs(moved.y) < 1e-9 && abs(moved.z - 1.6) < 1e-9)
    // Straight ahead of the forward camera is ego x.
    let ahead = frame.cameras[0].keyEgoFromCamera * SIMD3(0, 0, 10)
    #expect(abs(ahead.x - 11.55) < 1e-9 && abs(ahead.y) < 1e-9)
    let behind = frame.cameras[1].keyEgoFromCamera * SIMD3(1, 0, 10)
    #expect(abs(behind.x - -10.4) < 1e-9 && abs(behind.y - 1) < 1e-9)
  }

  @Test func `latest takes only samples that are not after the frame`() throws {
    let folder = try TemporaryFolder()
    let recording = try NuScenesBuilder().open(folder, RecordingOptions(association: .latest))
    let first = try recording.loadFrame(0)
    #expect(first.sensorFrame.cameras.allSatisfy { !$0.isValid })
    #expect(first.warnings.count(ReplayWarning.sensorMissing) == 2)
    let second = try recording.loadFrame(1).sensorFrame
    #expect(second.cameras.map(\.ageNanoseconds) == [90_000_000, 80_000_000])
  }

  @Test func `a sample older than the sensor's limit is missing, not stale`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder()
    builder.remove("sample_data", "CAM_BACK-0-1")
    let recording = try builder.open(
      folder, RecordingOptions(maximumAgeOfSensor: ["CAM_BACK": .milliseconds(79)]))
    let frame = try recording.loadFrame(1)
    #expect(!frame.sensorFrame.cameras[1].isValid && frame.sensorFrame.cameras[0].isValid)
    #expect(frame.warnings.count(ReplayWarning.sensorMissing, sensor: "CAM_BACK") == 1)
    let relaxed = try builder.open(folder).loadFrame(1).sensorFrame
    #expect(relaxed.cameras[1].isValid && relaxed.cameras[1].ageNanoseconds == 80_000_000)
  }

  @Test func `another trigger makes the frames, an unknown one says which there are`() throws {
    let folder = try TemporaryFolder()
    let recording = try NuScenesBuilder().open(folder, RecordingOptions(triggerSensor: "CAM_BACK"))
    let frame = try recording.loadFrame(2).sensorFrame
    #expect(frame.lidars[0].ageNanoseconds == 20_000_000)
    #expect(frame.cameras[0].ageNanoseconds == 10_000_000)
    do {
      _ = try NuScenesBuilder().open(folder, RecordingOptions(triggerSensor: "RADAR"))
      Issue.record("opened")
    } catch { #expect("\(error)".contains("LIDAR_TOP")) }
  }

  @Test func `a pose jump resets history and warns`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder(frames: 4)
    builder.edit("ego_pose", "e-LIDAR_TOP-0-2") {
      $0["translation"] = .array([.number(500), .number(0), .number(0)])
    }
    let recording = try builder.open(folder)
    let resets = try (0..<4).map { try recording.loadFrame($0).sensorFrame.resetsHistory }
    #expect(resets == [true, false, true, true])
    #expect(try recording.loadFrame(2).warnings.count(ReplayWarning.poseJump) == 1)
  }

  @Test func `a missing pose is interpolated from its neighbours, flagged beyond them`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder()
    builder.remove("ego_pose", "e-LIDAR_TOP-0-1")
    builder.remove("ego_pose", "e-CAM_BACK-0-2")
    let recording = try builder.open(folder)
    #expect(recording.warnings.count(ReplayWarning.recordInvalid) == 2)
    let middle = try recording.loadFrame(1)
    #expect(abs(middle.sensorFrame.worldFromEgo.translation.x - 0.5) < 1e-9)
    #expect(middle.warnings.isEmpty)
    let last = try recording.loadFrame(2)
    #expect(last.warnings.count(ReplayWarning.poseExtrapolated, sensor: "CAM_BACK") == 1)
    // 20 ms after the frame at 5 m/s, from the mount at −0.5 m.
    #expect(abs(last.sensorFrame.cameras[1].keyEgoFromCamera.translation.x - -0.4) < 1e-9)
  }

  @Test func `without any pose near it a sensor is missing, and a frame is an error`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder(frames: 5)
    for sensor in ["LIDAR_TOP", "CAM_FRONT", "CAM_BACK"] {
      for frame in 2..<5 { builder.remove("ego_pose", "e-\(sensor)-0-\(frame)") }
    }
    let recording = try builder.open(folder)
    _ = try recording.loadFrame(1)
    // 200 ms: 80 ms after the last pose. Its rear camera is 100 ms after it.
    #expect(try recording.loadFrame(2).sensorFrame.lidars[0].isValid)
    do {
      _ = try recording.loadFrame(3)
      Issue.record("loaded")
    } catch { #expect("\(error)".contains("frame 3") && "\(error)".contains("ego pose")) }
  }

  @Test func `several LiDARs and an ego-body box`() throws {
    let folder = try TemporaryFolder()
    let builder = try NuScenesBuilder(lidars: ["LIDAR_TOP", "LIDAR_REAR"])
    let frame = try builder.open(folder).loadFrame(0)
    #expect(frame.sensorFrame.lidars.map(\.name) == ["LIDAR_TOP", "LIDAR_REAR"])
    // The last of the four points lies on the roof.
    #expect(frame.sensorFrame.lidars.map(\.points.count) == [3, 3])
    #expect(frame.egoBodyPointCount == 2)
    let kept = try builder.open(folder, RecordingOptions(keepsEgoBodyPoints: true)).loadFrame(0)
    #expect(kept.sensorFrame.lidars.map(\.points.count) == [4, 4])
    let cloud = kept.sensorFrame.lidars[1].points
    withExtendedLifetime(kept) {
      #expect(cloud.value(1, cloud.yByteOffset) == 3 && cloud.value(1, 12) == 60)
    }
  }

  @Test func `points that carry times are moved to the scan's time`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder()
    // A wall at x = 20 m in the world, seen over ±40 ms from an ego at 5 m/s, LiDAR at its origin.
    let times: [Float] = [-0.04, -0.01, 0, 0.03]
    let seen = times.flatMap { [20 - 0.5 - 5 * $0, 2, 1, 9, $0] }
    builder.replace(builder.file("LIDAR_TOP", 1)) { _ in floatBytes(seen) }
    builder.files.append(
      (
        "points.json",
        Array(
          #"{"LIDAR_TOP":{"fields":["x","y","z","intensity","time"],"motion_corrected":false}}"#
            .utf8)
      ))
    let frame = try builder.open(folder).loadFrame(1)
    let cloud = frame.sensorFrame.lidars[0].points
    withExtendedLifetime(frame) {
      #expect(cloud.count == 4)
      for index in 0..<cloud.count { #expect(abs(cloud.value(index, 0) - 19.5) < 1e-5) }
    }
  }
}
