import Foundation
import Swiftlet

/// A replay by a tool of its own process that measures a frame whenever it is given a turn.
final class ReplayInTurns {
  private let tool: String
  private let out: String
  private let process = Process()
  private let turns = Pipe()
  private let answers = Pipe()
  /// Waiting for a turn; false once it has measured everything and left its report, or has failed.
  private(set) var isReady = false

  private var log: String { out + ".log" }

  /// Starts the replay and waits until its first frame is ready.
  init(tool: String, arguments: [String]) throws(RecordingError) {
    self.tool = tool
    out = FileManager.default.temporaryDirectory.appending(path: "swiftlet-ab-\(UUID().uuidString)")
      .path
    process.executableURL = URL(fileURLWithPath: tool)
    process.arguments = ["replay"] + arguments + ["--turns", "--out", out]
    process.standardInput = turns
    process.standardOutput = answers
    // A pipe that nobody reads would fill up and stop the tool; a file does not.
    _ = FileManager.default.createFile(atPath: log, contents: nil)
    process.standardError = FileHandle(forWritingAtPath: log)
    do { try process.run() } catch {
      throw RecordingError(
        file: tool, expected: "an executable", found: "\(error.localizedDescription)",
        remedy: "build it first")
    }
    waitUntilReady()
  }

  /// Ended early (another tool could not be started), its partial results are of no use.
  deinit {
    try? turns.fileHandleForWriting.close()
    if process.isRunning {
      process.terminate()
      process.waitUntilExit()
    }
    try? FileManager.default.removeItem(atPath: out)
    try? FileManager.default.removeItem(atPath: log)
  }

  /// Has one frame measured, and waits until the next is ready or all is done.
  func takeTurn() {
    do { try turns.fileHandleForWriting.write(contentsOf: [UInt8(ascii: "\n")]) } catch {}
    waitUntilReady()
  }

  private func waitUntilReady() {
    let answer = (try? answers.fileHandleForReading.read(upToCount: 1)) ?? nil
    isReady = answer?.first == FrameTurns.ready
    guard !isReady else { return }
    // The report's text, up to the end: whoever measures next shall be alone.
    _ = try? answers.fileHandleForReading.readToEnd()
    process.waitUntilExit()
  }

  /// Ends the replay and reads what it left.
  func finish(_ recordingPath: String) throws -> RunFolder {
    try? turns.fileHandleForWriting.close()
    if isReady { _ = try? answers.fileHandleForReading.readToEnd() }
    process.waitUntilExit()
    guard FileManager.default.fileExists(atPath: "\(out)/report.json") else {
      let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
      let last = text.split(separator: "\n").suffix(2).joined(separator: "; ")
      throw RecordingError(
        file: recordingPath, expected: "a replay by \(tool) that leaves a report",
        found: "exit \(process.terminationStatus)\(last.isEmpty ? "" : ": \(last)")",
        remedy: "run \(tool) replay \(recordingPath) by itself; builds that know no --turns cannot "
          + "be compared this way")
    }
    return try RunFolder(path: out)
  }
}
