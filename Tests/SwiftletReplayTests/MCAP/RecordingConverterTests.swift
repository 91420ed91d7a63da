import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

@Suite(.enabled(if: MCAPTestData.isThere, "SWIFTLET_DATA is not set"))
struct RecordingConverterTests {
  static func convert(
    _ relative: String, _ folder: ScratchFolder, _ change: (inout RecordingConverter.Options) -> Void = { _ in }
  ) throws -> (path: String, summary: RecordingConverter.Summary) {
    var options = RecordingConverter.Options()
    change(&options)
    let path = folder.path + "/out.mcap"
    let summary = try RecordingConverter(options: options).convert(
      MCAPTestData.path(relative), to: path)
    return (path, summary)
  }

  @Test(arguments: ["nuscenes-layout", "kitti-raw-layout", "kitti-odometry-layout"])
  func `a folder converted to MCAP gives the same frames`(layout: String) throws {
    let folder = try ScratchFolder()
    let (path, summary) = try Self.convert(layout, folder) { $0.compression = .none }
    #expect(summary.messageCount > 2)
    let before = try RecordingOpener.open(path: MCAPTestData.path(layout))
    let after = try RecordingOpener.open(path: path)
    #expect(after.frameCount == before.frameCount)
    #expect(after.sensors.map(\.name) == before.sensors.map(\.name))
    for index in 0..<min(3, before.frameCount) {
      let a = try before.loadFrame(index)
      let b = try after.loadFrame(index)
      // Calibration files print rotations with seven digits; a quaternion is a rotation.
      #expect(
        MCAPRecordingTests.distance(a.sensorFrame.worldFromEgo, b.sensorFrame.worldFromEgo) < 2e-6)
      for (c, d) in zip(a.sensorFrame.cameras, b.sensorFrame.cameras) {
        #expect(c.isValid == d.isValid && c.intrinsics == d.intrinsics)
        #expect(MCAPRecordingTests.distance(c.keyEgoFromCamera, d.keyEgoFromCamera) < 2e-6)
        #expect(MCAPRecordingTests.pixels(c.image) == MCAPRecordingTests.pixels(d.image))
      }
      for (l, m) in zip(a.sensorFrame.lidars, b.sensorFrame.lidars) {
        #expect(l.isValid == m.isValid)
        #expect(MCAPRecordingTests.points(l.points) == MCAPRecordingTests.points(m.points))
      }
      withExtendedLifetime((a, b)) {}
    }
  }

  @Test(arguments: ["mcap-real/rosbag2_sqlite3", "mcap-real/variants/unordered.mcap"])
  func `messages are copied bit for bit, in order of log time`(input: String) throws {
    let folder = try ScratchFolder()
    let (path, summary) = try Self.convert(input, folder)
    let found = try #require(try MessageRecording.stores(MCAPTestData.path(input)))
    var expected: [(Int64, String, [UInt8])] = []
    for store in found.stores {
      _ = store.scan { expected.append(($0.logTime, $0.topic, Array($0.data))) }
    }
    let order = expected.indices.sorted { (expected[$0].0, $0) < (expected[$1].0, $1) }
    let copied = MCAPTestData.readAll(try MCAPReader(path: path), order: .file)
    #expect(copied.problems.isEmpty && copied.messages.count == summary.messageCount)
    #expect(copied.messages.map { Array($0.data) } == order.map { expected[$0].2 })
    #expect(copied.messages.map(\.channel.topic) == order.map { expected[$0].1 })
    #expect(copied.messages.allSatisfy { $0.schema?.encoding == "ros2msg" })
  }

  @Test(arguments: ["kitti_ros2.mcap", "kitti_foxglove.mcap"])
  func `a part of a recording is a recording: its mounts come along`(file: String) throws {
    let folder = try ScratchFolder()
    let (path, summary) = try Self.convert("mcap-real/\(file)", folder) {
      $0.fromSeconds = 0.2
      $0.untilSeconds = 0.6
    }
    let part = try RecordingOpener.open(path: path)
    #expect(part.frameCount == 4 && summary.warnings.isEmpty)
    for index in 0..<4 {
      let frame = try part.loadFrame(index)
      #expect(frame.sensorFrame.lidars[0].isValid && frame.sensorFrame.cameras[0].isValid)
    }
  }

  @Test func `topics are chosen, and nothing wanted is an error that leaves no file`() throws {
    let folder = try ScratchFolder()
    let (path, summary) = try Self.convert("mcap-real/variants/small.mcap", folder) {
      $0.topics = ["/velo/pointcloud"]
    }
    #expect(summary.messageCounts == ["/velo/pointcloud": 6])
    try FileManager.default.removeItem(atPath: path)
    for topic in ["/none", "", "nobody"] {
      #expect(throws: RecordingError.self) {
        _ = try Self.convert("mcap-real/variants/small.mcap", folder) { $0.topics = [topic] }
      }
    }
    #expect(throws: RecordingError.self) {
      _ = try Self.convert("mcap-real/variants/small.mcap", folder) { $0.fromSeconds = 1e6 }
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(left.isEmpty)
  }

  @Test func `a damaged file is copied without what is damaged, and that is said`() throws {
    let folder = try ScratchFolder()
    let (path, summary) = try Self.convert("mcap-real/variants/broken_zstd_chunk.mcap", folder)
    #expect(summary.messageCount == 47)
    #expect(summary.warnings.contains { $0.code == ReplayWarning.containerDamaged })
    #expect(MCAPTestData.readAll(try MCAPReader(path: path)).problems.isEmpty)
  }
}
