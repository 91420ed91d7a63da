import ArgumentParser
import Foundation
import SwiftletReplay

struct AbCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ab",
    abstract: "Compare two builds of this tool on one recording, interleaved.",
    discussion: """
      Replays the recording with the base, the head and the base once more at the same time, which \
      take turns frame by frame: what the host does meets all three alike. A regression must lie \
      above --tolerance, above 50 µs and above what the base shows against itself with its whole \
      bootstrap interval. Where the base differs from itself by more than the tolerance there is no \
      verdict. What follows -- goes to all three replays.

      Exit codes: 0 no regression, 2 slower, 3 outputs differ, 4 a run failed, 6 inconclusive.

      Examples:
        swiftlet ab --base old/swiftlet --head .build/release/swiftlet drive
        swiftlet ab --base a --head b drive --rounds 5 -- --threads 2 --frames 100
      """)

  @Option(help: "The base build's executable.") var base: String
  @Option(help: "The executable to judge.") var head: String
  @Option(help: "How often all three are started and compared.") var rounds = 4
  @Option(help: "Measured frames of every run; the recording is looped.") var framesPerRun = 100
  @Option(help: "Accepted shift of p50 and p99, as a share.") var tolerance = 0.05
  @Flag(help: "Print JSON with every frame's times.") var json = false
  @Option(help: "Also write the JSON here.") var out: String?
  @Argument(help: "The recording.") var path: String
  @Argument(parsing: .postTerminator, help: "Passed on to both tools' replay.")
  var replayArguments: [String] = []

  func validate() throws {
    guard (1...100).contains(rounds) else {
      throw ValidationError("--rounds: expected 1 to 100, found \(rounds)")
    }
    guard (1...1_000_000).contains(framesPerRun) else {
      throw ValidationError("--frames-per-run: expected 1 or more, found \(framesPerRun)")
    }
    guard tolerance > 0, tolerance.isFinite else {
      throw ValidationError("--tolerance: expected above 0, found \(tolerance)")
    }
  }

  func run() throws {
    var runner = ABRunner(
      basePath: base, headPath: head, recordingPath: path, rounds: rounds,
      arguments: replayArguments)
    runner.framesPerRun = framesPerRun
    var comparison = LatencyComparison()
    comparison.tolerance = tolerance
    let result: ABRunner.Result
    // A replay that ends early shall not end this program.
    signal(SIGPIPE, SIG_IGN)
    do {
      result = try runner.run(comparison) { printError($0) }
    } catch {
      printError("\(error)")
      throw ExitCode(ExitStatus.recordingDamaged.rawValue)
    }
    let text = String(decoding: try JSONText.pretty(result), as: UTF8.self)
    if let out { try Data(text.utf8).write(to: URL(fileURLWithPath: out), options: .atomic) }
    if json { print(text, terminator: "") } else { show(result) }
    if let worst = result.exitStatuses.first, worst != .pass { throw ExitCode(worst.rawValue) }
  }

  private func show(_ result: ABRunner.Result) {
    for shift in result.comparison.ownShifts {
      print(
        String(
          format: "%@ of the base against itself: %+.1f %% (99 %% interval %+.1f to %+.1f %%)",
          shift.percentile.label as NSString, shift.relative * 100, shift.lower * 100,
          shift.upper * 100))
    }
    result.differences.prefix(20).forEach { print($0) }
    if result.differences.isEmpty { print("outputs: equal") }
    result.comparison.lines.forEach { print($0) }
    if result.comparison.refusal == nil, result.comparison.regressions.isEmpty {
      print("no regression above \(tolerance * 100) %")
    }
    print("exit " + result.exitStatuses.map { "\($0.rawValue)" }.joined(separator: " also "))
  }
}
