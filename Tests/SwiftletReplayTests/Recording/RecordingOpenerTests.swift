import Foundation
import SwiftletReplay
import Testing

@Suite struct RecordingOpenerTests {
  func message(_ path: String) -> String {
    do {
      return "opened \(try RecordingOpener.open(path: path).name)"
    } catch { return error.description }
  }

  @Test func `paths without a recording say what is there instead`() throws {
    let folder = try TemporaryFolder()
    #expect(message(folder.path + "/none").contains("found nothing there; check the path"))
    #expect(message(folder.path).contains("an empty folder"))
    try folder.write("notes.txt", "hello")
    #expect(message(folder.path).contains("a folder with notes.txt"))
    #expect(message(folder.path + "/notes.txt").contains("found a file"))
    #expect(message("").contains("nothing there"))
  }

  @Test func `names that are not UTF-8 do not trap`() throws {
    let folder = try TemporaryFolder()
    let name = Array((folder.path + "/").utf8) + [0xff, 0xfe, 0x80, 0]
    let made = name.withUnsafeBufferPointer { bytes in
      bytes.withMemoryRebound(to: CChar.self) { mkdir($0.baseAddress!, 0o755) }
    }
    #expect(made == 0)
    #expect(message(folder.path).contains("expected nuScenes"))
    #expect(rmdir(name.map { CChar(bitPattern: $0) }) == 0)
  }

  @Test func `the summary of a recording is text and JSON`() throws {
    let folder = try TemporaryFolder()
    let recording = try NuScenesBuilder().open(folder)
    let summary = RecordingSummary(recording, readsFrames: true)
    #expect(!summary.isDamaged && summary.frames == 3 && summary.sensors.count == 3)
    #expect(summary.text.contains("CAM_FRONT") && summary.text.contains("10.00 Hz"))
    let parsed = try JSONSerialization.jsonObject(with: Data(summary.json.utf8))
    #expect((parsed as? [String: Any])?["trigger_sensor"] as? String == "LIDAR_TOP")
  }
}
