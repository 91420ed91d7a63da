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
    /// Relative p50 shift between the base's own runs.
    public var noiseBand: Double
    /// Differences of outputs between the first runs of both.
    public var differences: [String]
    public var exitStatuses: [ExitStatus]
  }

  /// Runs everything; `progress` gets one line a run.
  ///
  /// - Throws: `RecordingError` for a run that left no result folder.
  public func run(
    _ comparison: LatencyComparison, progress: (String) -> Void
  ) throws -> Result {
    var base: [RunFolder] = []
    var head: [RunFolder] = []
    for round in 0..<rounds {
      for isHead in [false, true, true, false] {
        let folder = try replay(isHead ? headPath : basePath)
        if isHead { head.append(folder) } else { base.append(folder) }
        progress("round \(round + 1) of \(rounds): \(isHead ? "head" : "base")")
      }
    }
    return judge(base, head, comparison)
  }

  private func judge(
    _ base: [RunFolder], _ head: [RunFolder], _ comparison: LatencyComparison
  ) -> Result {
    var comparison = comparison
    let baseRuns = base.map(\.judgedNanoseconds)
    comparison.noiseBand = comparison.measuredNoiseBand(baseRuns)
    var result = Result(
      comparison: comparison.judge(base: baseRuns, head: head.map(\.judgedNanoseconds)),
      noiseBand: comparison.noiseBand,
      differences: RunComparison().compare(base[0], head[0]).differences, exitStatuses: [])
    var statuses: Set<ExitStatus> = []
    if !result.differences.isEmpty { statuses.insert(.outputMismatch) }
    if !result.comparison.regressions.isEmpty { statuses.insert(.budgetMissed) }
    if result.comparison.refusal != nil { statuses.insert(.inconclusive) }
    result.exitStatuses = ExitStatus.ordered(statuses)
    return result
  }

  private func replay(_ tool: String) throws -> RunFolder {
    let out = FileManager.default.temporaryDirectory
      .appending(path: "swiftlet-ab-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: out) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tool)
    process.arguments =
      ["replay", recordingPath, "--no-gate", "--out", out, "--no-pictures"] + arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return try RunFolder(path: out)
  }
}
