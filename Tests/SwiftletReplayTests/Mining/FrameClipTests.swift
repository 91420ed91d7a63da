import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

/// A small pipeline, so that recordings are replayed in little time.
enum SmallPipeline {
  static var configuration: PipelineConfiguration {
    var configuration = PipelineConfiguration()
    configuration.grid.lowerMeters = SIMD3(-12.8, -12.8, -10)
    configuration.grid.upperMeters = SIMD3(12.8, 12.8, 10)
    configuration.occupancy.extentMeters = SIMD3(51.2, 51.2, 12.8)
    configuration.channelCount = 32
    return configuration
  }
  static func make() throws -> PipelineProcessor {
    try PipelineLoader(configuration: configuration, engine: .best, threadCount: 1).makeProcessor()
  }
  /// The digest of every frame that can be read.
  static func digests(_ recording: any Recording) throws -> [UInt64?] {
    let source = RecordingSource(recording)
    let processor = try make()
    let digest = OutputDigest()
    return (0..<recording.frameCount).map { index in
      guard let owner = try? source.frame(at: index) else { return nil }
      var frame = owner.sensorFrame
      for stage in processor.stages.indices { try? processor.run(stage: stage, on: &frame) }
      withExtendedLifetime(owner) {}
      unsafe processor.forEachOutput { name, bytes in unsafe digest.add(name: name, bytes: bytes) }
      return digest.endFrame()
    }
  }
}

@Suite struct FrameClipTests {
  static func clip(
    _ recording: any Recording, _ frames: ClosedRange<Int>, _ folder: TemporaryFolder,
    _ change: (inout RecordingConverter.Options) -> Void = { _ in }
  ) throws -> any Recording {
    var options = RecordingConverter.Options()
    options.frames = frames
    change(&options)
    let path = folder.path + "/clip.mcap"
    _ = try RecordingConverter(options: options).convert(recording, to: path)
    return try RecordingOpener.open(path: path)
  }

  /// Everything a frame is made of.
  private func expectSame(_ a: RecordedFrame, _ b: RecordedFrame, isFirst: Bool) {
    let (x, y) = (a.sensorFrame, b.sensorFrame)
    #expect(x.timestampNanoseconds == y.timestampNanoseconds && x.worldFromEgo == y.worldFromEgo)
    #expect(isFirst || x.resetsHistory == y.resetsHistory)
    #expect(x.cameras.map(\.name) == y.cameras.map(\.name))
    for (c, d) in zip(x.cameras, y.cameras) {
      #expect(c.isValid == d.isValid, "\(c.name)")
      guard c.isValid, d.isValid else { continue }
      #expect(c.ageNanoseconds == d.ageNanoseconds && c.intrinsics == d.intrinsics)
      #expect(c.egoFromCamera == d.egoFromCamera && c.keyEgoFromCamera == d.keyEgoFromCamera)
      #expect(MCAPRecordingTests.pixels(c.image) == MCAPRecordingTests.pixels(d.image))
    }
    for (l, m) in zip(x.lidars, y.lidars) {
      #expect(l.name == m.name && l.isValid == m.isValid)
      #expect(l.worldFromLidar == m.worldFromLidar && l.ageNanoseconds == m.ageNanoseconds)
      #expect(MCAPRecordingTests.points(l.points) == MCAPRecordingTests.points(m.points))
    }
    withExtendedLifetime((a, b)) {}
  }

  @Test(
    .enabled(if: MCAPTestData.isThere, "SWIFTLET_DATA is not set"),
    arguments: [
      ("kitti-raw-layout", 3...6), ("kitti-raw-layout", 5...5), ("nuscenes-layout", 0...0),
      ("kitti-odometry-layout", 1...2), ("mcap-real/kitti_ros2.mcap", 3...6),
      ("mcap-real/kitti_ros2.mcap", 9...9), ("mcap-real/kitti_foxglove.mcap", 1...3),
      ("mcap-real/rosbag2_sqlite3", 1...2), ("mcap-real/nuscenes_ros2.mcap", 0...0),
      ("mcap-real/variants/camera_missing.mcap", 1...2),
      ("mcap-real/variants/camera_missing.mcap", 2...2),
      ("mcap-real/variants/unordered.mcap", 2...4),
      ("mcap-real/variants/nuscenes_five_of_six_cameras.mcap", 0...0),
    ])
  func `a clip's frames are the recording's, bit for bit`(
    name: String, frames: ClosedRange<Int>
  ) throws {
    let recording = try RecordingOpener.open(path: MCAPTestData.path(name))
    let folder = try TemporaryFolder()
    let clip = try Self.clip(recording, frames, folder)
    #expect(clip.frameCount == frames.count && clip.triggerSensor == recording.triggerSensor)
    for frame in frames {
      expectSame(
        try recording.loadFrame(frame), try clip.loadFrame(frame - frames.lowerBound),
        isFirst: frame == frames.lowerBound)
    }
  }

  @Test func `a clip of a clip, of a drive with points of their own times, is still the same`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder(frames: 8)
    // Points with times, 50 ms before and after the scan's.
    try builder.write(to: folder)
    builder.files = []
    try folder.write(
      "points.json",
      #"{"LIDAR_TOP": {"fields": ["x","y","z","intensity","time"], "motion_corrected": false}}"#)
    for name in RecordingFile.names(in: folder.path + "/samples/LIDAR_TOP") {
      try folder.write(
        "samples/LIDAR_TOP/\(name)",
        floatBytes([10, 0, -1, 50, -0.05, 20, 3, -1, 60, 0.05, -15, 2, 0.5, 70, 0]))
    }
    let recording = try RecordingOpener.open(path: folder.path)
    let first = try Self.clip(recording, 2...6, folder)
    let inner = try TemporaryFolder()
    let second = try Self.clip(first, 1...3, inner)
    #expect(second.frameCount == 3)
    for frame in 0..<3 {
      expectSame(
        try recording.loadFrame(frame + 3), try second.loadFrame(frame), isFirst: frame == 0)
    }
    // The ego moved: points with times are not where they were recorded.
    let moved = try second.loadFrame(1)
    moved.withSensorFrame {
      #expect(MCAPRecordingTests.points($0.lidars[0].points)[0] != 10)
    }
  }

  @Test func `a late frame's clip is the shortest that repeats it, and a changed one is told`()
    throws
  {
    let folder = try TemporaryFolder()
    let recording = try NuScenesBuilder(frames: 6).open(folder)
    let digests = try SmallPipeline.digests(recording)
    let replay = FrameReplay(makeProcessor: { try SmallPipeline.make() })
    let source = RecordingSource(recording)
    let last = 4
    let digest = try #require(digests[last])
    let start = try #require(try replay.latestStart(of: source, for: last, digest: digest))
    #expect(try replay.digest(of: source, from: start, to: last) == digest)
    if start < last {
      #expect(try replay.digest(of: source, from: start + 1, to: last) != digest)
    }
    #expect(try replay.latestStart(of: source, for: last, digest: digest ^ 1) == nil)
  }

  @Test func `on-miss writes clips that replay to the late frames' digests`() throws {
    let folder = try TemporaryFolder()
    let recording = try NuScenesBuilder(frames: 5).open(folder)
    var options = ReplayOptions()
    options.budgetNanoseconds = 1
    options.isGated = false
    let result = Replayer(
      source: RecordingSource(recording), processor: try SmallPipeline.make(), options: options
    ).run()
    #expect(result.missCount == 5)
    let clipper = MissClipper(
      recording: recording,
      command: MissClipper.Command(
        options: ["--threads", "1"], configuration: SmallPipeline.configuration),
      makeProcessor: { try SmallPipeline.make() })
    let clips = try clipper.write(result, to: folder.path + "/clips")
    #expect(clips.count == 3 && clips.allSatisfy(\.isVerified))
    for clip in clips {
      let path = "\(folder.path)/clips/\(clip.folder)"
      let replayed = try SmallPipeline.digests(try RecordingOpener.open(path: path + "/clip.mcap"))
      #expect(replayed.count == clip.frames)
      #expect(replayed.last.flatMap(\.self).map(OutputDigest.text) == clip.digest)
      #expect(clip.digest == result.records[clip.frame].digest.map(OutputDigest.text))
      #expect(RecordingFile.exists(path + "/replay.sh") && RecordingFile.exists(path + "/pipeline.json"))
    }
  }
}
