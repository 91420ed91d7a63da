import CThreadShims
import Foundation

/// Marks for callgrind around what a frame's budget covers.
public enum Callgrind {
  /// Set by `InstructionCounter` for the process it runs.
  public static let isWatching = ProcessInfo.processInfo.environment["SWIFTLET_CALLGRIND"] == "1"

  /// Starts or stops counting; does nothing outside valgrind.
  public static func toggle() { swl_callgrind_toggle_collect() }
}

/// Counts the instructions of a frame's in-budget stages with valgrind's callgrind: a signal that no
/// host disturbs. On the avx2 path, because valgrind knows no AVX-512.
public struct InstructionCounter: Sendable {
  /// This tool.
  public var executable: String
  public var recordingPath: String
  public var frames: Int
  public var instructionSet: String
  /// Passed on to the tool's `replay`.
  public var arguments: [String]

  public init(
    executable: String, recordingPath: String, frames: Int, instructionSet: String = "avx2",
    arguments: [String] = []
  ) {
    self.executable = executable
    self.recordingPath = recordingPath
    self.frames = frames
    self.instructionSet = instructionSet
    self.arguments = arguments
  }

  public struct Count: Sendable, Equatable {
    /// Of all frames together.
    public var instructions: Int
    public var frames: Int
    public var perFrame: Double { Double(instructions) / Double(max(frames, 1)) }
  }

  /// Replays under valgrind and reads what it counted.
  ///
  /// - Throws: `RecordingError` naming what is missing or failed.
  public func count() throws -> Count {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "swiftlet-callgrind-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let tool = folder.appending(path: "swiftlet").path
    try prepare(tool)
    let output = folder.appending(path: "callgrind.out").path
    let report = folder.appending(path: "report").path
    let (status, log) = try run(
      "valgrind",
      [
        "--tool=callgrind", "--collect-atstart=no", "--callgrind-out-file=\(output)", tool, "replay",
        recordingPath, "--isa", instructionSet, "--threads", "1", "--no-gate", "--warmup", "1",
        "--frames", "\(frames)", "--out", report, "--no-pictures",
      ] + arguments,
      environment: [
        "SWIFTLET_CALLGRIND": "1", "SWIFT_DETERMINISTIC_HASHING": "1", "OPENBLAS_NUM_THREADS": "1",
      ])
    guard let total = Self.total(inFile: output), total > 0, let run = try? RunFolder(path: report),
      let measured = run.report["measured_frames"]?.intValue, measured > 0
    else {
      throw RecordingError(
        file: recordingPath, expected: "a replay under valgrind that counts instructions",
        found: "exit \(status): \(log.split(separator: "\n").suffix(3).joined(separator: "; "))",
        remedy: "check that swiftlet replay \(recordingPath) --isa \(instructionSet) works")
    }
    return Count(instructions: total, frames: measured)
  }

  /// A copy without debug information, which valgrind 3.19 cannot read.
  private func prepare(_ tool: String) throws {
    let (status, _) = (try? run("strip", ["-o", tool, executable])) ?? (1, "")
    if status != 0 { try FileManager.default.copyItem(atPath: executable, toPath: tool) }
  }

  /// The total behind `totals:` or `summary:`.
  static func total(inFile path: String) -> Int? {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
    for line in text.split(separator: "\n") {
      for key in ["summary:", "totals:"] where line.hasPrefix(key) {
        return Int(line.dropFirst(key.count).trimmingCharacters(in: .whitespaces))
      }
    }
    return nil
  }

  private func run(
    _ name: String, _ arguments: [String], environment: [String: String] = [:]
  ) throws -> (status: Int32, log: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [name] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let pipe = Pipe()
    process.standardOutput = FileHandle.nullDevice
    process.standardError = pipe
    try process.run()
    let log = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let text = String(decoding: log, as: UTF8.self)
    guard process.terminationStatus != 127 else {
      throw RecordingError(
        file: name, expected: "the program \(name)", found: "none on the PATH",
        remedy: "install it: apt-get install valgrind binutils")
    }
    return (process.terminationStatus, text)
  }
}
