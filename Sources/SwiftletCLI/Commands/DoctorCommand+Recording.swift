import ArgumentParser
import Foundation
import SwiftletReplay

/// What `swiftlet doctor` takes for a recording as a whole.
struct RecordingDoctorOptions: ParsableArguments {
  @Option(help: "Write everything that can be read to this MCAP file, and examine that too.")
  var repair: String?
  @Flag(help: "Do not decode images and scans.") var quick = false
  @Flag(help: "Odd findings count as damage (exit code 4).") var strict = false
}

/// Examines a recording and prints the result: structure, checksums, payloads, duplicates, gaps,
/// clock, rate, skew, poses, calibration. With `repair` also writes what can be read.
///
/// - Throws: the exit code: 4 damaged (after a repair: when the repaired file is, too).
func examineRecording(
  _ path: String, _ options: RecordingDoctorOptions, recording: RecordingOptions, json: Bool
) throws {
  let doctor = RecordingDoctor(options: recording, readsPayloads: !options.quick)
  let examination = doctor.examine(path)
  guard let output = options.repair else {
    let text = json ? String(decoding: try JSONText.pretty(examination), as: UTF8.self) : examination.text + "\n"
    print(text, terminator: "")
    return try judge(examination, options)
  }
  let repair: RecordingDoctor.Repair
  do throws(RecordingError) {
    repair = try doctor.repair(path, to: output)
  } catch {
    print(examination.text)
    printError("nothing to repair: \(error.description)")
    throw ExitCode(ExitStatus.recordingDamaged.rawValue)
  }
  if json {
    print(String(decoding: try JSONText.pretty(RepairLine(examination, repair)), as: UTF8.self), terminator: "")
  } else {
    print(examination.text)
    print("\nrepaired: \(repair.messages) messages in \(output)")
    for loss in repair.losses { print("  lost: \(loss.message)") }
    print("\n" + repair.examination.text)
  }
  try judge(repair.examination, options)
}

private func judge(
  _ examination: RecordingExamination, _ options: RecordingDoctorOptions
) throws {
  let isBad = examination.state == .damaged || options.strict && examination.state == .odd
  if isBad { throw ExitCode(ExitStatus.recordingDamaged.rawValue) }
}

private struct RepairLine: Encodable {
  var before: RecordingExamination
  var output: String
  var messages: Int
  var losses: [String]
  var after: RecordingExamination

  init(_ before: RecordingExamination, _ repair: RecordingDoctor.Repair) {
    self.before = before
    output = repair.output
    messages = repair.messages
    losses = repair.losses.map(\.message)
    after = repair.examination
  }
}
