import Foundation
import Swiftlet

/// Two builds of the tool replaying the same recording in turns, so that a drifting host hits both
/// alike: A B B A, again and again. How much the base's own runs differ is the noise band.
public struct ABRunner: Sendable {
  public var basePath: String
  public var headPath: String
  public var recordingPath: String
  /// Of four runs each.
  public var rounds: Int
  /// Measured frames of every run, the recording looped: as many on both sides.
  public var framesPerRun = 100
  /// Passed on to both tools' `replay`.
  public var arguments: [String]

  public init(
    basePath: String, headPath: String, recordingPath: String, rounds: Int, arguments: [String]
  ) {
    self.basePath = basePath
    self.headPath = headPath
    self.recordingPath = recordingPath
    self.rounds = rounds
    self.arguments = arguments
  }

  public struct Result: Sendable {
    public var comparison: LatencyComparison.Result
    /// Largest relative p50 shift between halves of the base's own runs.
    public var noiseBand: Double
    /// Differences of outputs between the first runs of both.
    public var differences: [String]
    public var exitStatuses: [ExitStatus]
    /// Judged times of every run in nanoseconds, base's and head's, each in the order of running.
    public var baseRuns: [[Int64]]
    public var headRuns: [[Int64]]
  }

  /// Runs everything; `progress` gets one line a run.
  ///
  /// - Throws: `RecordingError` for a tool that cannot be started or left no result folder.
  public func run(
    _ comparison: LatencyComparison, progress: (String) -> Void
  ) throws -> Result {
    var base: [RunFolder] = []
    var head: [RunFolder] = []
    for round in 0..<rounds {
      for isHead in [false, true, true, false] {
        let folder = try replay(isHead ? headPath : basePath)
        if isHead { head.append(folder) } else { base.append(folder) }
        let sorted = folder.judgedNanoseconds.sorted()
        let median = sorted.isEmpty ? 0 : milliseconds(sorted[(sorted.count - 1) / 2])
        progress(
          "round \(round + 1) of \(rounds): \(isHead ? "head" : "base"), \(sorted.count) frames, "
            + "median \(String(format: "%.3f", median)) ms")
      }
    }
    var result = Self.judge(
      base: base.map(\.judgedNanoseconds), head: head.map(\.judgedNanoseconds), comparison)
    result.differences = RunComparison().compare(base[0], head[0]).differences
    if base.contains(where: { $0.report["build"]?.stringValue == "debug" })
      || head.contains(where: { $0.report["build"]?.stringValue == "debug" })
    {
      result.comparison.refusal = "debug builds are not compared: build with -c release"
      result.comparison.regressions = []
    }
    result.exitStatuses = Self.statuses(of: result)
    return result
  }

  /// The verdict over runs that were taken in turns: the base's own runs qualify the host first.
  public static func judge(
    base: [[Int64]], head: [[Int64]], _ comparison: LatencyComparison
  ) -> Result {
    var comparison = comparison
    comparison.noiseBand = comparison.measuredNoiseBand(base)
    var result = Result(
      comparison: comparison.judge(base: base, head: head), noiseBand: comparison.noiseBand,
      differences: [], exitStatuses: [], baseRuns: base, headRuns: head)
    result.exitStatuses = statuses(of: result)
    return result
  }

  private static func statuses(of result: Result) -> [ExitStatus] {
    var statuses: Set<ExitStatus> = []
    if !result.differences.isEmpty { statuses.insert(.outputMismatch) }
    if !result.comparison.regressions.isEmpty { statuses.insert(.budgetMissed) }
    if result.comparison.refusal != nil { statuses.insert(.inconclusive) }
    return ExitStatus.ordered(statuses)
  }

  private func replay(_ tool: String) throws -> RunFolder {
    let out = FileManager.default.temporaryDirectory
      .appending(path: "swiftlet-ab-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: out) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tool)
    process.arguments =
      [
        "replay", recordingPath, "--no-gate", "--out", out, "--no-pictures", "--measure",
        "\(framesPerRun)",
      ] + arguments
    process.standardOutput = FileHandle.nullDevice
    // A pipe that nobody reads would fill up and stop the tool; a file does not.
    let log = out + ".log"
    _ = FileManager.default.createFile(atPath: log, contents: nil)
    defer { try? FileManager.default.removeItem(atPath: log) }
    process.standardError = FileHandle(forWritingAtPath: log)
    do { try process.run() } catch {
      throw RecordingError(
        file: tool, expected: "an executable", found: "\(error.localizedDescription)",
        remedy: "build it first")
    }
    process.waitUntilExit()
    guard FileManager.default.fileExists(atPath: "\(out)/report.json") else {
      let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
      let last = text.split(separator: "\n").suffix(2).joined(separator: "; ")
      throw RecordingError(
        file: recordingPath, expected: "a replay by \(tool) that leaves a report",
        found: "exit \(process.terminationStatus)\(last.isEmpty ? "" : ": \(last)")",
        remedy: "run \(tool) replay \(recordingPath) by itself")
    }
    return try RunFolder(path: out)
  }
}

extension ABRunner.Result: Encodable {
  enum CodingKeys: String, CodingKey {
    case noiseBand = "noise_band"
    case shifts, refusal, differences
    case exitCodes = "exit_codes"
    case baseRuns = "base_runs_ns"
    case headRuns = "head_runs_ns"
  }
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(noiseBand.isFinite ? noiseBand : nil, forKey: .noiseBand)
    try container.encode(comparison.shiftLines, forKey: .shifts)
    try container.encode(comparison.refusal, forKey: .refusal)
    try container.encode(differences, forKey: .differences)
    try container.encode(exitStatuses.map(\.rawValue), forKey: .exitCodes)
    try container.encode(baseRuns, forKey: .baseRuns)
    try container.encode(headRuns, forKey: .headRuns)
  }
}
