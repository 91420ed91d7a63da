import Foundation
import Swiftlet
import SwiftletReplay
import SwiftletTestSupport
import Testing

/// Seeded damage to every file of small recordings: an error or warnings, never a trap, never a
/// frame without anything in it.
@Suite struct RecordingMutationTests {
  static let words = [
    "nan", "inf", "-1", "0", "1e400", "9223372036854775807", "-9223372036854775808", "1e18", "null",
    "[]", "{}", "\"\"", "\"\\u0000\"", "\"../../..\"", "true", "\u{feff}",
  ]

  /// One random change to a file's bytes.
  static func mutated(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
    var bytes = bytes
    guard !bytes.isEmpty else { return [UInt8.random(in: 0...255, using: &generator)] }
    let at = Int.random(in: 0..<bytes.count, using: &generator)
    switch Int.random(in: 0..<5, using: &generator) {
    case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
    case 1: bytes.removeLast(bytes.count - at)
    case 2: bytes.removeSubrange(at..<min(bytes.count, at + 9))
    case 3: bytes.insert(contentsOf: Array(bytes[at...].prefix(40)), at: at)
    default: replaceWord(&bytes, near: at, &generator)
    }
    return bytes
  }
  /// Puts a nasty word in place of the number or string around an offset.
  private static func replaceWord(
    _ bytes: inout [UInt8], near at: Int, _ generator: inout SeededGenerator
  ) {
    let stops = Set(" ,:[]{}\n".utf8)
    let start = bytes[..<at].lastIndex(where: stops.contains).map { $0 + 1 } ?? 0
    let end = bytes[at...].firstIndex(where: stops.contains) ?? bytes.count
    let word = words.randomElement(using: &generator) ?? ""
    bytes.replaceSubrange(min(start, end)..<end, with: Array(word.utf8))
  }

  func files(in folder: TemporaryFolder) -> [String] {
    let all = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
    return all.filter { name in
      var isFolder: ObjCBool = false
      let exists = FileManager.default.fileExists(
        atPath: "\(folder.path)/\(name)", isDirectory: &isFolder)
      return exists && !isFolder.boolValue
    }.sorted()
  }

  /// Damages `folder` again and again, putting it right in between.
  func hammer(_ folder: TemporaryFolder, seed: UInt64, rounds: Int) throws {
    var generator = SeededGenerator(seed: seed)
    let names = files(in: folder)
    var opened = 0
    for _ in 0..<rounds {
      let damaged = (0..<Int.random(in: 1...3, using: &generator)).compactMap { _ in
        names.randomElement(using: &generator)
      }
      let originals = try damaged.map { try folder.read($0) }
      for name in damaged { try folder.write(name, Self.mutated(folder.read(name), &generator)) }
      if let recording = try? RecordingOpener.open(path: folder.path) {
        opened += 1
        #expect(recording.frameCount > 0)
        let summary = RecordingSummary(recording, readsFrames: true)
        #expect(!summary.json.isEmpty && !summary.text.isEmpty)
        for frame in 0..<recording.frameCount {
          guard let loaded = try? recording.loadFrame(frame) else { continue }
          let sensors = loaded.sensorFrame
          #expect(sensors.cameras.contains(where: \.isValid) || sensors.lidars.contains(where: \.isValid))
          #expect(sensors.worldFromEgo.isFinite)
        }
      }
      // Reversed: a file damaged twice was good when it was first read.
      for (name, original) in zip(damaged, originals).reversed() { try folder.write(name, original) }
    }
    // Damage to one sample must leave the rest usable, so most rounds open.
    #expect(opened > rounds / 2, "seed \(seed): \(opened) of \(rounds) opened")
  }

  @Test(arguments: [1, 2, 3]) func `a damaged nuScenes recording never traps`(seed: UInt64) throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder()
    let time = (NuScenesBuilder.start + 10_000) * 1_000
    builder.files.append(
      (
        "network_outputs/CAM_FRONT/\(time).safetensors",
        SafeTensors(tensors: ["features": HostTensor([Float](repeating: 1, count: 24), shape: [2, 3, 4])])
          .serialized()
      ))
    builder.files.append(("points.json", Array(#"{"LIDAR_TOP":{"fields":["x","y","z","intensity","time"],"motion_corrected":false}}"#.utf8)))
    try builder.write(to: folder)
    try hammer(folder, seed: seed, rounds: 60)
  }

  @Test(arguments: [4, 5]) func `a damaged KITTI raw recording never traps`(seed: UInt64) throws {
    let folder = try TemporaryFolder()
    try KITTIReaderTests().raw(folder)
    try hammer(folder, seed: seed, rounds: 60)
  }

  @Test(arguments: [6, 7]) func `a damaged KITTI odometry recording never traps`(seed: UInt64) throws {
    let folder = try TemporaryFolder()
    try KITTIReaderTests().odometry(folder, poses: KITTIReaderTests.forward)
    try hammer(folder, seed: seed, rounds: 60)
  }

  @Test func `sizes and names that no recording has are refused`() throws {
    let folder = try TemporaryFolder()
    try KITTIReaderTests().raw(folder)
    let name = "2011_09_26/calib_cam_to_cam.txt"
    let text = String(decoding: try folder.read(name), as: UTF8.self)
    try folder.write(name, text.replacingOccurrences(of: "6.4e+01", with: "1e18"))
    let recording = try RecordingOpener.open(path: folder.path)
    #expect(try !recording.loadFrame(0).sensorFrame.cameras[0].isValid)

    let other = try TemporaryFolder()
    var builder = try NuScenesBuilder()
    builder.edit("sample_data", "CAM_FRONT-0-0") { $0["filename"] = .string("samples/\u{0}x.jpg") }
    builder.edit("sample_data", "CAM_BACK-0-0") { $0["filename"] = .string("samples") }
    let frame = try builder.open(other).loadFrame(0).sensorFrame
    #expect(frame.cameras.map(\.isValid) == [false, false] && frame.lidars[0].isValid)
  }
}
