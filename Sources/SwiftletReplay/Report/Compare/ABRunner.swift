import Foundation
import Swiftlet

/// Two builds of the tool replaying the same recording in turns, frame by frame: base, head, and once
/// more the base, in changing order. A drifting host meets all three alike, and what the base shows
/// against itself says how much a difference means.
public struct ABRunner: Sendable {
  public var basePath: String
  public var headPath: String
  public var recordingPath: String
  /// Each a run of base, head and base at the same time.
  public var rounds: Int
  /// Measured frames of every run, the recording looped: as many on both sides.
  public var framesPerRun = 100
  /// Passed on to both tools' `replay`.
  public var arguments: [String]

  /// - Parameters:
  ///   - basePath: executable of the build to hold against.
  ///   - headPath: executable of the build to judge.
  ///   - recordingPath: what both replay.
  ///   - rounds: how often all three are started; processes of one program differ too.
  ///   - arguments: passed on to both tools' `replay`.
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
    /// Differences of outputs between the first runs of both.
    public var differences: [String]
    public var exitStatuses: [ExitStatus]
    /// Judged times of every run in nanoseconds: the base's, the head's and the base's once more;
    /// frame by frame the three were measured one right after the other.
    public var baseRuns: [[Int64]]
    public var headRuns: [[Int64]]
    public var controlRuns: [[Int64]]
  }

  /// Runs everything; `progress` gets one line a round.
  ///
  /// - Parameters:
  ///   - comparison: the rule to judge by.
  ///   - progress: told about every round.
  /// - Throws: `RecordingError` for a tool that cannot be started or left no result folder.
  public func run(
    _ comparison: LatencyComparison, progress: (String) -> Void
  ) throws -> Result {
    var rounds: [[RunFolder]] = []
    for number in 0..<self.rounds {
      let round = try measureRound(number)
      rounds.append(round)
      progress(Self.line(round, number: number + 1, of: self.rounds))
    }
    let runs = (0..<3).map { side in rounds.map(\.[side].judgedNanoseconds) }
    var result = Self.judge(base: runs[0], head: runs[1], control: runs[2], comparison)
    result.differences = RunComparison().compare(rounds[0][0], rounds[0][1]).differences
    if rounds.joined().contains(where: { $0.report["build"]?.stringValue == "debug" }) {
      result.comparison.refusal = "debug builds are not compared: build with -c release"
      result.comparison.regressions = []
    }
    result.exitStatuses = Self.statuses(of: result)
    return result
  }

  /// The verdict over runs whose frames were measured in turns.
  ///
  /// - Parameters:
  ///   - base: the base's runs, nanoseconds in the order of measurement.
  ///   - head: the head's, frame by frame their partners.
  ///   - control: the base's once more.
  ///   - comparison: the rule to judge by.
  public static func judge(
    base: [[Int64]], head: [[Int64]], control: [[Int64]], _ comparison: LatencyComparison
  ) -> Result {
    var result = Result(
      comparison: comparison.judge(base: base, head: head, control: control), differences: [],
      exitStatuses: [], baseRuns: base, headRuns: head, controlRuns: control)
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

  private static func line(_ round: [RunFolder], number: Int, of count: Int) -> String {
    let medians = zip(["base", "head", "base again"], round).map { name, folder in
      let sorted = folder.judgedNanoseconds.sorted()
      let median = sorted.isEmpty ? 0 : milliseconds(sorted[(sorted.count - 1) / 2])
      return "\(name) \(String(format: "%.3f", median)) ms"
    }
    return "round \(number) of \(count): \(round[0].judgedNanoseconds.count) frames each, median "
      + medians.joined(separator: ", ")
  }

  /// Every order of three, so that none of them always follows another.
  private static let orders = [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1], [2, 0, 1], [1, 0, 2]]

  /// Whoever is started first has been up to 2 % slower than the others on some hosts: they take turns
  /// in that too.
  private func measureRound(_ number: Int) throws -> [RunFolder] {
    let options =
      [recordingPath, "--no-gate", "--no-pictures", "--measure", "\(framesPerRun)"] + arguments
    let tools = [basePath, headPath, basePath]
    var started: [Int: ReplayInTurns] = [:]
    for side in Self.orders[number % Self.orders.count] {
      started[side] = try ReplayInTurns(tool: tools[side], arguments: options)
    }
    let replays = tools.indices.compactMap { started[$0] }
    var turn = 0
    while replays.contains(where: \.isReady) {
      for place in Self.orders[turn % Self.orders.count] where replays[place].isReady {
        replays[place].takeTurn()
      }
      turn += 1
    }
    return try replays.map { try $0.finish(recordingPath) }
  }
}

extension ABRunner.Result: Encodable {
  enum CodingKeys: String, CodingKey {
    case noiseBand = "noise_band"
    case shifts, refusal, differences
    case exitCodes = "exit_codes"
    case baseRuns = "base_runs_ns"
    case headRuns = "head_runs_ns"
    case controlRuns = "control_runs_ns"
  }
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(comparison.noiseBand, forKey: .noiseBand)
    try container.encode(comparison.shiftLines, forKey: .shifts)
    try container.encode(comparison.refusal, forKey: .refusal)
    try container.encode(differences, forKey: .differences)
    try container.encode(exitStatuses.map(\.rawValue), forKey: .exitCodes)
    try container.encode(baseRuns, forKey: .baseRuns)
    try container.encode(headRuns, forKey: .headRuns)
    try container.encode(controlRuns, forKey: .controlRuns)
  }
}
