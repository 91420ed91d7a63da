import ArgumentParser
import Foundation
import SwiftletReplay

struct InstructionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "instructions",
    abstract: "Count the instructions of a frame with callgrind, and gate them.",
    discussion: """
      Runs this tool's replay under valgrind on the avx2 path with one thread and counts what the \
      in-budget stages execute, frame after frame. Counts repeat where times do not: a change of \
      half a per cent, up or down, is a change of the code, and a baseline that no longer fits is \
      to be replaced on purpose.

      Exit codes: 0 within tolerance or nothing to compare with, 2 outside, 4 the replay failed.

      Examples:
        swiftlet instructions drive --frames 3
        swiftlet instructions drive --expect 181000000
        swiftlet instructions drive --budget-file budget.yaml --json
      """)

  @Argument(help: "The recording.") var path: String
  @Option(help: "Distinct frames to count.") var frames = 3
  @Option(help: "portable, baseline or avx2.") var isa = "avx2"
  @Option(help: "Instructions a frame that were counted before.") var expect: Int?
  @Option(help: "Accepted change, per cent.") var tolerance: Double?
  @Option(help: "budget.yaml with deterministic.instructions_per_frame.") var budgetFile: String?
  @Flag(help: "Print JSON.") var json = false
  @Argument(parsing: .postTerminator, help: "Passed on to replay.") var replayArguments: [String] = []

  func validate() throws {
    guard frames >= 1 else { throw ValidationError("--frames: expected 1 or more, found \(frames)") }
    guard ["portable", "baseline", "avx2"].contains(isa) else {
      throw ValidationError("--isa: valgrind knows portable, baseline and avx2, not \(isa)")
    }
  }

  private struct Line: Encodable {
    var instructionsPerFrame: Int
    var frames: Int
    var isa: String
    var expected: Int?
    var change: Double?
    var tolerance: Double
    var verdict: Verdict?

    enum CodingKeys: String, CodingKey {
      case instructionsPerFrame = "instructions_per_frame"
      case frames, isa, expected
      case change = "change_percent"
      case tolerance = "tolerance_percent"
      case verdict
    }
  }

  func run() throws {
    let budget = try budgetFile.map { path in try usage { try LatencyBudget(path: path) } }
    let expected = expect ?? budget?.deterministic?.instructionsPerFrame.map { Int($0) }
    let allowed = tolerance ?? (budget?.deterministic?.instructionTolerance ?? 0.005) * 100
    let counter = InstructionCounter(
      executable: Bundle.main.executablePath ?? CommandLine.arguments[0], recordingPath: path,
      frames: frames, instructionSet: isa, arguments: replayArguments)
    let count: InstructionCounter.Count
    do { count = try counter.count() } catch {
      printError("\(error)")
      throw ExitCode(ExitStatus.recordingDamaged.rawValue)
    }
    let change = expected.map { (count.perFrame / Double($0) - 1) * 100 }
    let line = Line(
      instructionsPerFrame: Int(count.perFrame.rounded()), frames: count.frames, isa: isa,
      expected: expected, change: change, tolerance: allowed,
      verdict: change.map { abs($0) <= allowed ? .pass : .fail })
    if json {
      print(String(decoding: try JSONText.pretty(line), as: UTF8.self), terminator: "")
    } else {
      show(line, count)
    }
    if line.verdict == .fail { throw ExitCode(ExitStatus.budgetMissed.rawValue) }
  }

  private func show(_ line: Line, _ count: InstructionCounter.Count) {
    print("\(line.instructionsPerFrame) instructions a frame")
    print("\(count.instructions) in \(line.frames) frames, isa \(isa), 1 thread, in-budget stages")
    guard let expected = line.expected, let change = line.change, let verdict = line.verdict else {
      return
    }
    print(
      "\(verdict.rawValue.uppercased()): \(String(format: "%+.3f", change)) % of \(expected), "
        + "accepted are ±\(line.tolerance) %")
  }
}
