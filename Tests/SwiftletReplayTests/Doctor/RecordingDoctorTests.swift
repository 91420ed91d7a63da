import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

/// Recordings with planted faults, each of which one subject must name and no other be damaged by.
@Suite struct RecordingDoctorTests {
  private func examine(
    _ builder: NuScenesBuilder, readsPayloads: Bool = true, maximumAge: Duration = .milliseconds(50)
  ) throws -> RecordingExamination {
    let folder = try TemporaryFolder()
    try builder.write(to: folder)
    return RecordingDoctor(
      options: RecordingOptions(maximumAge: maximumAge), readsPayloads: readsPayloads
    ).examine(folder.path)
  }
  private func states(_ examination: RecordingExamination) -> [String: String] {
    Dictionary(
      uniqueKeysWithValues: examination.checks.map { ($0.subject.rawValue, $0.state.rawValue) })
  }

  @Test func `a healthy drive is good, with rates and skews in numbers`() throws {
    let examination = try examine(NuScenesBuilder(frames: 30))
    #expect(examination.state == .good, "\(examination.text)")
    #expect(examination.checks.count == RecordingExamination.Subject.allCases.count)
    let back = try #require(examination.sensors.first { $0.name == "CAM_BACK" })
    #expect(back.rateHertz == 10 && back.samples == 30 && back.missingSamples == 0)
    // Cameras are recorded 10 and 20 ms after the LiDAR.
    #expect(back.skewMilliseconds == [20, 20, 20])
    #expect(abs(back.driftPartsPerMillion ?? 1) < 1e-6)
  }

  @Test func `a clock that runs away from the trigger's is odd, with its drift`() throws {
    var builder = try NuScenesBuilder(frames: 60)
    for frame in 0..<60 {
      builder.edit("sample_data", "CAM_FRONT-0-\(frame)") { row in
        guard let time = row["timestamp"]?.intValue else { return }
        // 1 ms a second.
        row["timestamp"] = .integer(Int64(time + frame * 100))
      }
    }
    let examination = try examine(builder, readsPayloads: false)
    #expect(states(examination)["skew"] == "odd")
    let front = try #require(examination.sensors.first { $0.name == "CAM_FRONT" })
    #expect(abs((front.driftPartsPerMillion ?? 0) - 1_000) < 1)
  }

  @Test func `lost, repeated and shifted samples are told apart`() throws {
    var builder = try NuScenesBuilder(frames: 40)
    for frame in 10..<13 { builder.remove("sample_data", "CAM_FRONT-0-\(frame)") }
    builder.edit("sample_data", "CAM_BACK-0-20") { $0["timestamp"] = .integer(NuScenesBuilder.start + 2_120_000) }
    let examination = try examine(builder, readsPayloads: false)
    let found = states(examination)
    #expect(found["gaps"] == "odd" && found["duplicates"] == "odd" && found["poses"] == "good")
    let messages = examination.findings.map { "\($0.sensor ?? "") \($0.message)" }
    #expect(messages.contains("CAM_FRONT missing in 3 of 40 frames: 10, 11, 12"), "\(messages)")
    #expect(examination.sensors.first { $0.name == "CAM_FRONT" }?.missingSamples == 3)
    #expect(examination.sensors.first { $0.name == "CAM_BACK" }?.duplicates == 1)
  }

  @Test func `a jump and a spin of the ego are found where they are`() throws {
    var builder = try NuScenesBuilder(frames: 10)
    builder.edit("ego_pose", "e-LIDAR_TOP-0-5") {
      $0["translation"] = NuScenesBuilder.numbers([400, 0, 0])
    }
    builder.edit("ego_pose", "e-CAM_FRONT-0-7") {
      $0["rotation"] = NuScenesBuilder.numbers([0, 0, 0, 1])
    }
    let examination = try examine(builder, readsPayloads: false)
    let poses = examination.findings.filter { $0.subject == .poses }.map(\.message)
    #expect(poses.contains { $0.hasPrefix("the ego jumps") && $0.contains("1600000000500000000") })
    #expect(poses.contains { $0.hasPrefix("the ego turns: 180.0°") })
  }

  @Test func `calibrations that no car has are odd, each for its own reason`() throws {
    var builder = try NuScenesBuilder(frames: 3)
    builder.edit("calibrated_sensor", "c-CAM_FRONT") { row in
      row["camera_intrinsic"] = .array([[50, 0, 63], [0, 80, 24], [0, 0, 1]].map(NuScenesBuilder.numbers))
    }
    builder.edit("calibrated_sensor", "c-LIDAR_TOP") {
      $0["translation"] = NuScenesBuilder.numbers([0, 40, 0])
    }
    let messages = try examine(builder).findings.filter { $0.subject == .calibration }.map(\.message)
    #expect(messages.contains { $0.contains("focal lengths of 50.0 and 80.0") })
    #expect(messages.contains { $0.contains("principal point at 63.0") })
    #expect(messages.contains { $0.contains("mounted 40.0 m") })
    builder = try NuScenesBuilder(frames: 3)
    for key in ["rotation", "translation"] {
      let front = builder.tables["calibrated_sensor"]?.first?[key]
      builder.edit("calibrated_sensor", "c-CAM_BACK") { $0[key] = front }
    }
    let twins = try examine(builder).findings.map(\.message)
    #expect(twins == ["the same place and direction as CAM_FRONT"])
  }

  @Test func `an image that is no image and half a point damage the payloads alone`() throws {
    var builder = try NuScenesBuilder(frames: 4)
    builder.replace(builder.file("CAM_FRONT", 1)) { Array($0.prefix($0.count / 2)) }
    builder.replace(builder.file("LIDAR_TOP", 2)) { Array($0.dropLast(7)) }
    let examination = try examine(builder)
    let damaged = examination.checks.filter { $0.state == .damaged }
    #expect(damaged.map(\.subject) == [.payloads] && damaged[0].findings.count == 2)
  }

  @Test func `a folder with damage is repaired to a recording of everything else`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder(frames: 4)
    builder.replace(builder.file("CAM_FRONT", 1)) { _ in [1, 2, 3] }
    try builder.write(to: folder)
    let output = folder.path + "/repaired.mcap"
    let repair = try RecordingDoctor().repair(folder.path, to: output)
    #expect(repair.examination.frames == 4 && repair.examination.state != .damaged)
    #expect(repair.losses.contains { $0.message.contains("CAM_FRONT") })
    #expect(repair.examination.sensors.map(\.samples) == [3, 4, 4])
  }

  // MARK: files of messages

  struct Expectation: Sendable, CustomTestStringConvertible {
    var name: String
    /// Subjects that are not good.
    var states: [String: String]
    var repairedMessages: Int
    var testDescription: String { name }
  }
  static let expectations = [
    Expectation(name: "small", states: [:], repairedMessages: 61),
    Expectation(
      name: "truncated_mid_chunk", states: ["structure": "damaged"], repairedMessages: 44),
    Expectation(name: "no_footer", states: ["structure": "damaged"], repairedMessages: 44),
    Expectation(name: "no_summary", states: ["structure": "odd"], repairedMessages: 61),
    Expectation(name: "unchunked", states: [:], repairedMessages: 61),
    Expectation(
      name: "flipped_byte_stored_chunk", states: ["checksums": "damaged", "gaps": "odd", "rate": "odd"],
      repairedMessages: 47),
    Expectation(
      name: "flipped_byte_zstd_chunk", states: ["checksums": "damaged", "gaps": "odd", "rate": "odd"],
      repairedMessages: 47),
    Expectation(
      name: "broken_zstd_chunk", states: ["structure": "damaged", "gaps": "odd", "rate": "odd"],
      repairedMessages: 47),
    Expectation(name: "unordered", states: ["clock": "odd"], repairedMessages: 61),
    Expectation(
      name: "camera_missing", states: ["gaps": "odd", "rate": "odd"], repairedMessages: 57),
    Expectation(
      name: "duplicate_timestamps",
      states: ["duplicates": "odd", "gaps": "odd", "rate": "odd"], repairedMessages: 62),
    Expectation(name: "late_frame", states: ["clock": "odd"], repairedMessages: 61),
    Expectation(
      name: "clock_jump",
      states: ["clock": "odd", "gaps": "odd", "rate": "odd", "poses": "damaged"],
      repairedMessages: 61),
    Expectation(name: "bad_payloads", states: ["payloads": "damaged"], repairedMessages: 58),
    Expectation(
      name: "nuscenes_five_of_six_cameras", states: ["structure": "odd"], repairedMessages: 27),
  ]

  @Test(.enabled(if: MCAPTestData.isThere, "SWIFTLET_DATA is not set"), arguments: expectations)
  func `each damaged file is diagnosed, and repaired to what it holds`(e: Expectation) throws {
    let path = MCAPTestData.path("mcap-real/variants/\(e.name).mcap")
    let examination = RecordingDoctor().examine(path)
    let odd = states(examination).filter { $0.value == "odd" || $0.value == "damaged" }
    #expect(odd == e.states, "\(examination.text)")
    let folder = try TemporaryFolder()
    let repair = try RecordingDoctor().repair(path, to: folder.path + "/out.mcap")
    #expect(repair.messages == e.repairedMessages)
    let after = states(repair.examination)
    #expect(after["structure"] != "damaged" && after["checksums"] == "good")
    #expect(after["payloads"] != "damaged", "\(repair.examination.text)")
  }

  @Test(
    .enabled(if: MCAPTestData.isThere, "SWIFTLET_DATA is not set"),
    arguments: [("empty", "an empty file"), ("not_mcap", "'timestam'"), ("zero_messages", "no samples")])
  func `what is no recording is damaged and says why`(name: String, found: String) throws {
    let path = MCAPTestData.path("mcap-real/variants/\(name).mcap")
    let examination = RecordingDoctor().examine(path)
    #expect(examination.state == .damaged && examination.findings[0].message.contains(found))
    #expect(throws: RecordingError.self) {
      _ = try RecordingDoctor().repair(path, to: NSTemporaryDirectory() + "never.mcap")
    }
  }

  @Test func `a path without anything is a finding, not a trap`() {
    let examination = RecordingDoctor().examine("/nowhere/at/all")
    #expect(examination.state == .damaged && examination.text.contains("nothing there"))
  }
}
