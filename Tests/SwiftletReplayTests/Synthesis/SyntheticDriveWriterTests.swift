import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

struct SyntheticDriveWriterTests {
  private func folder(_ name: String) -> URL {
    FileManager.default.temporaryDirectory.appendingPathComponent(
      "swiftlet-synth-\(name)-\(UUID().uuidString)")
  }
  private func files(_ folder: URL) throws -> [String: Data] {
    var contents: [String: Data] = [:]
    let prefix = folder.path.count + 1
    guard let walk = FileManager.default.enumerator(atPath: folder.path) else { return [:] }
    for case let name as String in walk {
      let file = folder.appendingPathComponent(name)
      if file.hasDirectoryPath { continue }
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder)
      if !isFolder.boolValue { contents[String(file.path.dropFirst(prefix))] = try Data(contentsOf: file) }
    }
    return contents
  }

  @Test("A longer drive starts with the shorter one, bit for bit, whatever the threads")
  func prefix() throws {
    let short = folder("short")
    let long = folder("long")
    defer {
      try? FileManager.default.removeItem(at: short)
      try? FileManager.default.removeItem(at: long)
    }
    try SyntheticDriveWriter(drive: TinyDrive.make(), frameCount: 1, folder: short)
      .write(threadCount: 1)
    try SyntheticDriveWriter(drive: TinyDrive.make(), frameCount: 3, folder: long)
      .write(threadCount: 2)
    let few = try files(short)
    let many = try files(long)
    let sensorFiles = few.keys.filter { $0.hasPrefix("samples/") }
    #expect(sensorFiles.count == 7)
    for name in few.keys where name.hasPrefix("samples/") || name.contains("ground_truth/0") {
      #expect(many[name] == few[name], "\(name)")
    }
    try checkTables(long, frames: 3)
    try checkReading(long)
  }

  private func table(_ folder: URL, _ name: String) throws -> [JSONValue] {
    let file = folder.appendingPathComponent("v1.0-mini/\(name).json")
    return try #require(
      try JSONReader.parse([UInt8](Data(contentsOf: file))).arrayValue, "\(name)")
  }

  private func checkTables(_ folder: URL, frames: Int) throws {
    let references: [(String, String, String)] = [
      ("scene", "log_token", "log"), ("scene", "first_sample_token", "sample"),
      ("scene", "last_sample_token", "sample"), ("sample", "scene_token", "scene"),
      ("sample", "prev", "sample"), ("sample", "next", "sample"),
      ("sample_data", "sample_token", "sample"), ("sample_data", "ego_pose_token", "ego_pose"),
      ("sample_data", "calibrated_sensor_token", "calibrated_sensor"),
      ("sample_data", "prev", "sample_data"), ("sample_data", "next", "sample_data"),
      ("calibrated_sensor", "sensor_token", "sensor"),
      ("instance", "category_token", "category"),
      ("instance", "first_annotation_token", "sample_annotation"),
      ("instance", "last_annotation_token", "sample_annotation"),
      ("sample_annotation", "sample_token", "sample"),
      ("sample_annotation", "instance_token", "instance"),
      ("sample_annotation", "visibility_token", "visibility"),
      ("sample_annotation", "prev", "sample_annotation"),
      ("sample_annotation", "next", "sample_annotation"),
    ]
    for (name, column, target) in references {
      let tokens = Set(try table(folder, target).compactMap { $0["token"]?.stringValue })
      let rowCount = try table(folder, target).count
      #expect(tokens.count == rowCount, "\(target) repeats a token")
      for row in try table(folder, name) {
        let token = try #require(row[column]?.stringValue, "\(name).\(column)")
        let mayBeEmpty = column == "prev" || column == "next"
        #expect(tokens.contains(token) || (mayBeEmpty && token.isEmpty), "\(name).\(column)")
      }
    }
    let data = try table(folder, "sample_data")
    #expect(data.count == 7 * frames)
    #expect(data.count { $0["prev"]?.stringValue == "" } == 7)
    for row in data {
      let name = try #require(row["filename"]?.stringValue)
      #expect(FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path))
    }
  }

  private func checkReading(_ folder: URL) throws {
    var options = RecordingOptions(keepsEgoBodyPoints: true)
    options.readsPointLabels = true
    let recording = try RecordingOpener.open(path: folder.path, options: options)
    #expect(recording.frameCount == 3)
    #expect(recording.warnings.isEmpty, "\(recording.warnings)")
    let frame = try recording.loadFrame(1)
    #expect(frame.sensorFrame.cameras.count == 6)
    #expect(frame.sensorFrame.cameras.allSatisfy { $0.isValid })
    let truth = try #require(try GroundTruthStore(recording: folder))
    let microseconds = frame.sensorFrame.timestampNanoseconds / 1000
    let stored = try #require(try truth.frame(atMicroseconds: microseconds))
    let made = try TinyDrive.frame.get()
    #expect(stored == made.groundTruth)
    #expect(frame.pointLabels.first?.count == made.pointLabels.count)
    #expect(frame.pointLabels.first?.contains(255) == false)
    let none = try truth.frame(atMicroseconds: 5)
    #expect(none == nil)
  }

  @Test("A drive that is there is kept unless asked to replace it")
  func overwriting() throws {
    let place = folder("force")
    defer { try? FileManager.default.removeItem(at: place) }
    let mine = place.appendingPathComponent("mine.txt")
    try FileManager.default.createDirectory(
      at: place.appendingPathComponent("samples"), withIntermediateDirectories: true)
    try Data("kept".utf8).write(to: mine)
    let writer = SyntheticDriveWriter(drive: try TinyDrive.make(), frameCount: 1, folder: place)
    #expect(throws: RecordingError.self) { try writer.write() }
    try writer.write(overwrites: true)
    let kept = try String(contentsOf: mine, encoding: .utf8)
    #expect(kept == "kept")
  }

  @Test("A folder without ground truth has none")
  func noGroundTruth() throws {
    let store = try GroundTruthStore(recording: folder("none"))
    #expect(store == nil)
  }

  @Test("A planted fault turns one camera's recorded mount by its angle and no other")
  func plantedFault() throws {
    let fault = SyntheticCalibrationFault(
      camera: "CAM_BACK", axis: SIMD3(0, 1, 0), degrees: 0.5)
    let drive = try TinyDrive.make(TinyDrive.options(fault: fault))
    for camera in drive.rig.cameras {
      let turned = camera.egoFromCamera.rotation.transpose * drive.recordedMount(camera).rotation
      let trace = turned.row0.x + turned.row1.y + turned.row2.z
      let degrees = acos(min(1, (trace - 1) / 2)) * 180 / .pi
      #expect(abs(degrees - (camera.name == "CAM_BACK" ? 0.5 : 0)) < 1e-4, "\(camera.name)")
    }
  }
}
