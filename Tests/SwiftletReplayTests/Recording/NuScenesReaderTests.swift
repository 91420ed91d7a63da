import Foundation
import Swiftlet
import SwiftletReplay
import Testing

@Suite struct NuScenesReaderTests {
  @Test func `a scene is chosen by name or token`() throws {
    let folder = try TemporaryFolder()
    let builder = try NuScenesBuilder(scenes: 2)
    #expect(try builder.open(folder).name == "scene-0001")
    for wanted in ["scene-0002", "scene1"] {
      let recording = try builder.open(folder, RecordingOptions(scene: wanted))
      #expect(recording.name == "scene-0002" && recording.frameCount == 3)
    }
    do {
      _ = try builder.open(folder, RecordingOptions(scene: "scene-9"))
      Issue.record("opened")
    } catch { #expect("\(error)".contains("scene-0002")) }
  }

  @Test func `a missing table is named`() throws {
    for table in ["scene", "sample", "sample_data", "ego_pose", "calibrated_sensor", "sensor"] {
      let folder = try TemporaryFolder()
      try NuScenesBuilder().write(to: folder)
      try folder.remove("v1.0-mini/\(table).json")
      do {
        _ = try RecordingOpener.open(path: folder.path)
        Issue.record("opened without \(table)")
      } catch { #expect("\(error)".contains("\(table).json")) }
    }
  }

  @Test func `a calibration record that is not there costs its camera only`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder()
    builder.remove("calibrated_sensor", "c-CAM_FRONT")
    let recording = try builder.open(folder)
    #expect(recording.warnings.contains { $0.isDamage && $0.message.contains("c-CAM_FRONT") })
    let frame = try recording.loadFrame(0).sensorFrame
    #expect(frame.cameras.map(\.isValid) == [false, true] && frame.lidars[0].isValid)
  }

  @Test func `a table cut in the middle gives the records before the cut`() throws {
    let folder = try TemporaryFolder()
    try NuScenesBuilder().write(to: folder)
    let name = "v1.0-mini/sample_data.json"
    let text = try folder.read(name)
    try folder.write(name, Array(text.prefix(text.count / 2)))
    let recording = try RecordingOpener.open(path: folder.path)
    #expect(recording.frameCount == 2)
    #expect(recording.warnings.contains { $0.isDamage && $0.message.contains("byte ") })
  }

  @Test func `rotations that are none, zero focal lengths and wrong sizes are calibrations refused`()
    throws
  {
    let changes: [(String, JSONValue)] = [
      ("rotation", .array([.number(0.9), .number(0), .number(0), .number(0)])),
      ("rotation", .array([.number(1), .number(0), .number(0)])),
      ("translation", .array([.null, .number(0), .number(0)])),
      (
        "camera_intrinsic",
        .array([
          .array([.number(0), .number(0), .number(32)]), .array([.number(0), .number(50), .number(24)]),
          .array([.number(0), .number(0), .number(1)]),
        ])
      ),
      ("camera_intrinsic", .array([])),
    ]
    for (key, value) in changes {
      let folder = try TemporaryFolder()
      var builder = try NuScenesBuilder()
      builder.edit("calibrated_sensor", "c-CAM_BACK") { $0[key] = value }
      let recording = try builder.open(folder)
      let warning = try #require(recording.warnings.first { $0.sensor == "CAM_BACK" })
      #expect(warning.isDamage && warning.message.contains("c-CAM_BACK"), "\(warning)")
      #expect(try recording.loadFrame(0).sensorFrame.cameras.map(\.isValid) == [true, false])
    }
  }

  @Test func `a truncated JPEG costs its camera in its frame`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder()
    builder.replace(builder.file("CAM_FRONT", 1)) { Array($0.prefix($0.count * 2 / 3)) }
    builder.replace(builder.file("CAM_BACK", 2)) { _ in [] }
    let recording = try builder.open(folder)
    let valid = try (0..<3).map { try recording.loadFrame($0).sensorFrame.cameras.map(\.isValid) }
    #expect(valid == [[true, true], [false, true], [true, false]])
    let warning = try #require(recording.loadFrame(1).warnings.first)
    #expect(warning.code == "image-undecodable" && warning.frame == 1 && warning.isDamage)
    #expect(warning.message.contains("CAM_FRONT__"))
  }

  @Test func `an image of another size than calibrated is not used`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder()
    let other = try JPEGCodec.encode(RGBImage(widthPixels: 32, heightPixels: 24))
    builder.replace(builder.file("CAM_FRONT", 0)) { _ in other }
    let frame = try builder.open(folder).loadFrame(0)
    #expect(!frame.sensorFrame.cameras[0].isValid)
    #expect(frame.warnings.count(ReplayWarning.imageSizeMismatch) == 1)
  }

  @Test func `a truncated scan keeps its whole points and NaN points are left out`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder()
    builder.replace(builder.file("LIDAR_TOP", 0)) { Array($0.prefix(2 * 20 + 7)) }
    builder.replace(builder.file("LIDAR_TOP", 1)) { _ in
      floatBytes([.nan, 0, 0, 0, 0, 30, 1, 1, 0, 0, 5, .infinity, 0, 0, 0])
    }
    builder.replace(builder.file("LIDAR_TOP", 2)) { _ in [] }
    let recording = try builder.open(folder)
    let cut = try recording.loadFrame(0)
    #expect(cut.sensorFrame.lidars[0].points.count == 2)
    #expect(cut.warnings.contains { $0.code == "points-truncated" && $0.message.contains("byte 40") })
    let sieved = try recording.loadFrame(1)
    #expect(sieved.sensorFrame.lidars[0].points.count == 1 && sieved.notFinitePointCount == 2)
    #expect(sieved.warnings.first?.isDamage == false)
    let empty = try recording.loadFrame(2)
    #expect(empty.sensorFrame.lidars[0].isValid && empty.sensorFrame.lidars[0].points.count == 0)
    #expect(empty.warnings.map(\.code) == [ReplayWarning.pointsEmpty])
  }

  @Test func `missing files are named once for the recording and in their frames`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder()
    let gone = builder.file("CAM_BACK", 1)
    builder.files.removeAll { $0.name == gone }
    let recording = try builder.open(folder)
    #expect(recording.warnings.count(ReplayWarning.fileMissing, sensor: "CAM_BACK") == 1)
    let frame = try recording.loadFrame(1)
    #expect(!frame.sensorFrame.cameras[1].isValid)
    #expect(frame.warnings.count(ReplayWarning.fileMissing) == 1)
  }

  @Test func `poses with nonsense are left out and replaced by their neighbours`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder()
    builder.edit("ego_pose", "e-LIDAR_TOP-0-1") {
      $0["translation"] = .array([.null, .number(0), .number(0)])
    }
    let recording = try builder.open(folder)
    #expect(recording.warnings.count(ReplayWarning.poseInvalid) == 1)
    #expect(abs(try recording.loadFrame(1).sensorFrame.worldFromEgo.translation.x - 0.5) < 1e-9)
  }

  @Test func `odd times are reported`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder(frames: 8)
    builder.edit("sample_data", "CAM_FRONT-0-3") {
      $0["timestamp"] = .integer(NuScenesBuilder.start + 210_000)
    }
    builder.remove("sample_data", "CAM_BACK-0-4")
    builder.tables["sample_data"]?.swapAt(3, 6)
    let warnings = try builder.open(folder).warnings
    #expect(warnings.count(ReplayWarning.timestampDuplicate, sensor: "CAM_FRONT") == 1)
    #expect(warnings.count(ReplayWarning.timestampGap, sensor: "CAM_BACK") == 1)
    #expect(warnings.count(ReplayWarning.timestampOrder, sensor: "LIDAR_TOP") == 1)
    #expect(warnings.allSatisfy { !$0.isDamage })
  }

  @Test func `no samples is refused and absurd times do not trap`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder(frames: 1)
    builder.tables["sample_data"] = []
    do {
      _ = try builder.open(folder)
      Issue.record("opened")
    } catch { #expect("\(error)".contains("at least one frame")) }
    var absurd = try NuScenesBuilder(frames: 1)
    absurd.edit("sample_data", "CAM_FRONT-0-0") { $0["timestamp"] = .integer(.max) }
    absurd.edit("sample_data", "CAM_BACK-0-0") { $0["timestamp"] = .integer(.min / 1_000) }
    let other = try TemporaryFolder()
    let recording = try absurd.open(other)
    let frame = try recording.loadFrame(0).sensorFrame
    #expect(frame.cameras.map(\.isValid) == [false, false] && frame.lidars[0].isValid)
  }

  @Test func `a copy without sweeps is replayed by its key frames`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder(frames: 6)
    for sensor in ["LIDAR_TOP", "CAM_FRONT", "CAM_BACK"] {
      for frame in 0..<6 where frame % 3 != 0 {
        builder.edit("sample_data", "\(sensor)-0-\(frame)") { $0["is_key_frame"] = .bool(false) }
      }
    }
    let whole = try builder.open(folder)
    #expect(whole.frameCount == 6 && whole.warnings.isEmpty)
    let sweeps = builder.files.filter { file in
      ["100000", "110000", "120000", "200000", "210000", "220000", "400000", "410000", "420000",
        "500000", "510000", "520000"].contains { file.name.contains("\($0).") }
    }
    for file in sweeps { try folder.remove(file.name) }
    let copy = try RecordingOpener.open(path: folder.path)
    #expect(copy.frameCount == 2)
    #expect(copy.warnings.map(\.code) == [ReplayWarning.sweepsAbsent])
    #expect(copy.warnings.allSatisfy { !$0.isDamage })
    // A single sweep on disk makes the others missing files.
    try folder.write(sweeps[0].name, sweeps[0].bytes)
    let partial = try RecordingOpener.open(path: folder.path)
    #expect(partial.frameCount == 6 && partial.warnings.contains(where: \.isDamage))
  }

  @Test func `times far apart do not overflow`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder()
    for (token, time) in [("LIDAR_TOP-0-0", Int64.min), ("LIDAR_TOP-0-2", .max)] {
      builder.edit("sample_data", token) { $0["timestamp"] = .integer(time / 1_000) }
      builder.edit("ego_pose", "e-\(token)") { $0["timestamp"] = .integer(time / 1_000) }
    }
    let recording = try builder.open(folder)
    #expect(recording.frameCount == 1)
    #expect(recording.warnings.count(ReplayWarning.recordInvalid, sensor: "LIDAR_TOP") == 1)
    _ = try recording.loadFrame(0)
  }
}
