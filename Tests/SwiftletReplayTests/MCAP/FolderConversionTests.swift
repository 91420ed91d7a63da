import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

/// Recordings written as folders: what both layouts hold is the same afterwards.
@Suite struct FolderConversionTests {
  static func convert(
    _ input: String, _ format: RecordingConverter.Format, _ folder: TemporaryFolder,
    _ name: String = "out", _ change: (inout RecordingConverter.Options) -> Void = { _ in }
  ) throws -> (path: String, summary: RecordingConverter.Summary) {
    var options = RecordingConverter.Options()
    options.format = format
    change(&options)
    let path = folder.path + "/" + name + (format == .mcap ? ".mcap" : "")
    return (path, try RecordingConverter(options: options).convert(input, to: path))
  }

  private func expectSame(
    _ before: any Recording, _ after: any Recording, names: [String: String]? = nil,
    timeTolerance: Int64, placeTolerance: Double
  ) throws {
    #expect(after.frameCount == before.frameCount)
    for index in 0..<min(3, before.frameCount) {
      let (a, b) = (try before.loadFrame(index), try after.loadFrame(index))
      let (x, y) = (a.sensorFrame, b.sensorFrame)
      #expect(abs(x.timestampNanoseconds - y.timestampNanoseconds) <= timeTolerance)
      for d in y.cameras {
        let name = names?.first { $0.value == d.name }?.key ?? d.name
        guard let c = x.cameras.first(where: { $0.name == name }) else { continue }
        #expect(c.isValid == d.isValid && c.intrinsics == d.intrinsics, "\(name)")
        #expect(MCAPRecordingTests.pixels(c.image) == MCAPRecordingTests.pixels(d.image))
        #expect(
          MCAPRecordingTests.distance(
            x.worldFromEgo * c.keyEgoFromCamera, y.worldFromEgo * d.keyEgoFromCamera)
            < placeTolerance)
      }
      for (l, m) in zip(x.lidars, y.lidars) {
        #expect(MCAPRecordingTests.points(l.points) == MCAPRecordingTests.points(m.points))
        #expect(MCAPRecordingTests.distance(l.worldFromLidar, m.worldFromLidar) < placeTolerance)
      }
      withExtendedLifetime((a, b)) {}
    }
  }

  @Test(
    .enabled(if: MCAPTestData.isThere, "SWIFTLET_DATA is not set"),
    arguments: [
      "nuscenes-layout", "kitti-raw-layout", "kitti-odometry-layout", "mcap-real/kitti_ros2.mcap",
      "mcap-real/nuscenes_ros2.mcap", "mcap-real/kitti_foxglove.mcap", "mcap-real/rosbag2_sqlite3",
    ])
  func `every recording becomes nuScenes and stays what it is`(input: String) throws {
    let folder = try TemporaryFolder()
    let (path, summary) = try Self.convert(MCAPTestData.path(input), .nuScenes, folder)
    let before = try RecordingOpener.open(
      path: MCAPTestData.path(input), options: RecordingOptions(keepsEgoBodyPoints: true))
    let after = try RecordingOpener.open(
      path: path, options: RecordingOptions(keepsEgoBodyPoints: true))
    #expect(after.layout == "nuScenes" && summary.messageCount > 1)
    // Seven digits of rotation are no quaternion; at 100 m that is 0.01 mm.
    try expectSame(before, after, timeTolerance: 999, placeTolerance: 1e-5)
  }

  @Test(
    .enabled(if: MCAPTestData.isThere, "SWIFTLET_DATA is not set"),
    arguments: [
      "kitti-raw-layout", "kitti-odometry-layout", "mcap-real/kitti_ros2.mcap",
      "mcap-real/rosbag2_sqlite3",
    ])
  func `a recording of parallel cameras becomes KITTI, to the nanosecond and the last bit`(
    input: String
  ) throws {
    let folder = try TemporaryFolder()
    let (path, _) = try Self.convert(MCAPTestData.path(input), .kitti, folder)
    let before = try RecordingOpener.open(path: MCAPTestData.path(input))
    let after = try RecordingOpener.open(path: path)
    #expect(after.layout == "KITTI raw")
    let camera = before.sensors.first { $0.kind == .camera }?.name
    let written = after.sensors.first { $0.kind == .camera }?.name
    let names = camera.flatMap { camera in written.map { [camera: $0] } }
    try expectSame(before, after, names: names, timeTolerance: 0, placeTolerance: 1e-6)
  }

  @Test(.enabled(if: MCAPTestData.isThere, "SWIFTLET_DATA is not set"))
  func `nuScenes in KITTI is its front camera and its LiDAR, and what is lost is named`() throws {
    let folder = try TemporaryFolder()
    let (path, summary) = try Self.convert(
      MCAPTestData.path("nuscenes-layout"), .kitti, folder)
    let lost = summary.warnings.filter { $0.code == ReplayWarning.notHeld }
    #expect(lost.count { $0.message.contains("look the same way") } == 5)
    #expect(lost.contains { $0.message.contains("ring") })
    let after = try RecordingOpener.open(path: path)
    #expect(after.sensors.count == 2 && after.frameCount == 1)
  }

  @Test func `there and back, through every layout, frames are the same`() throws {
    let folder = try TemporaryFolder()
    let opening = RecordingOptions(keepsEgoBodyPoints: true)
    let before = try NuScenesBuilder(frames: 5).open(folder, opening)
    var path = folder.path
    for (number, format) in [
      RecordingConverter.Format.mcap, .nuScenes, .mcap, .nuScenes,
    ].enumerated() {
      path = try Self.convert(path, format, folder, "step\(number)").path
    }
    try expectSame(
      before, try RecordingOpener.open(path: path, options: opening), timeTolerance: 0,
      placeTolerance: 1e-12)
    let (kitti, _) = try Self.convert(path, .kitti, folder, "kitti") { $0.topics = ["CAM_FRONT", "LIDAR_TOP"] }
    let (back, _) = try Self.convert(kitti, .mcap, folder, "back")
    let after = try RecordingOpener.open(path: back, options: opening)
    try expectSame(
      before, after, names: ["CAM_FRONT": "image_00"], timeTolerance: 0, placeTolerance: 0.06)
  }

  @Test func `times and sensors are sliced, and an existing folder is left alone`() throws {
    let folder = try TemporaryFolder()
    _ = try NuScenesBuilder(frames: 10).open(folder)
    let (path, summary) = try Self.convert(folder.path, .nuScenes, folder, "part") {
      $0.fromSeconds = 0.25
      $0.untilSeconds = 0.65
      $0.topics = ["/CAM_BACK/image_rect/compressed", "LIDAR_TOP"]
    }
    let part = try RecordingOpener.open(path: path)
    #expect(part.frameCount == 4 && part.sensors.map(\.name) == ["CAM_BACK", "LIDAR_TOP"])
    #expect(summary.messageCounts == ["samples/CAM_BACK": 4, "samples/LIDAR_TOP": 4])
    #expect(throws: RecordingError.self) { _ = try Self.convert(folder.path, .kitti, folder, "part") }
    #expect(throws: RecordingError.self) {
      _ = try Self.convert(folder.path, .kitti, folder, "none") { $0.fromSeconds = 1e6 }
    }
    #expect(!RecordingFile.exists(folder.path + "/none") && !RecordingFile.exists(folder.path + "/none.partial"))
  }

  @Test func `a sensor's name selects its topics and where it is, from folders and from messages`()
    throws
  {
    let folder = try TemporaryFolder()
    let before = try NuScenesBuilder(frames: 4).open(folder)
    let (all, _) = try Self.convert(folder.path, .mcap, folder, "all")
    for (number, input) in [folder.path, all].enumerated() {
      let (path, summary) = try Self.convert(input, .mcap, folder, "part\(number)") {
        $0.topics = ["CAM_BACK", "LIDAR_TOP"]
      }
      let part = try RecordingOpener.open(path: path)
      #expect(part.frameCount == before.frameCount)
      #expect(Set(part.sensors.map(\.name)) == ["CAM_BACK", "LIDAR_TOP"])
      #expect(part.sensors.allSatisfy { $0.calibration == .found })
      #expect((part as? IndexedRecording)?.index.hasPoses == true)
      #expect(
        Set(summary.messageCounts.keys) == [
          "/CAM_BACK/camera_info", "/CAM_BACK/image_rect/compressed", "/LIDAR_TOP/points", "/tf",
          "/tf_static",
        ])
    }
  }

  @Test func `dates are written as they are read, over centuries`() {
    for time: Int64 in [
      0, 1, 1_317_038_400_123_456_789, 951_782_400_000_000_000, 4_102_444_799_999_999_999,
      -1_000_000_001, 1_709_164_800_000_000_000,
    ] {
      #expect(KITTITimestamps.nanoseconds(date: KITTIWriter.date(time)) == time, "\(time)")
    }
    #expect(KITTIWriter.date(1_317_038_400_000_000_000) == "2011-09-26 12:00:00.000000000")
  }

  static let judgeScript = """
    import sys
    from pathlib import Path
    from rosbags.highlevel import AnyReader
    from mcap.reader import SeekingReader
    counts = {}
    with open(sys.argv[1], 'rb') as stream:
        for _, c, m in SeekingReader(stream, validate_crcs=True).iter_messages():
            counts[c.topic] = counts.get(c.topic, 0) + 1
    with AnyReader([Path(sys.argv[1])]) as reader:
        decoded = [reader.deserialize(raw, c.msgtype) for c, _, raw in reader.messages()]
    assert len(decoded) == sum(counts.values()), (len(decoded), counts)
    print('ok', len(decoded))
    """

  @Test(
    .enabled(if: MCAPTestData.judges != nil, "SWIFTLET_JUDGES names no Python with mcap and rosbags"))
  func `mcap and rosbags read clips, redacted clips and repaired files too`() throws {
    let folder = try TemporaryFolder()
    let recording = try NuScenesBuilder(frames: 6).open(folder)
    for positions in Redaction.Positions.allCases {
      let inner = try TemporaryFolder()
      _ = try FrameClipTests.clip(recording, 1...4, inner) {
        $0.redaction = positions == .keep ? nil : Redaction(positions: positions)
      }
      let (output, status) = try MCAPJudgeTests.run(
        Self.judgeScript, [inner.path + "/clip.mcap"])
      #expect(status == 0 && output.hasPrefix("ok"), "\(output)")
    }
    let repaired = folder.path + "/repaired.mcap"
    _ = try RecordingDoctor().repair(folder.path, to: repaired)
    #expect(try MCAPJudgeTests.run(Self.judgeScript, [repaired]).status == 0)
  }
}
