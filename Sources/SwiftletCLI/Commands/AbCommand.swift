import ArgumentParser
import SwiftletReplay

struct AbCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ab",
    abstract: "Compare two builds of this tool on one recording, interleaved.",
    discussion: """
      Replays the recording with both builds in turns (A B B A). The base's own runs say how noisy \
      this host is; a regression must lie above that, above --tolerance and above 50 µs with its \
      whole bootstrap interval. A host noisier than the tolerance gives no verdict. What follows -- \
      goes to both tools' replay.

      Exit codes: 0 no regression, 2 slower, 3 outputs differ, 4 a run failed, 6 inconclusive.

      Examples:
        swiftlet ab --base old/swiftlet --head .build/release/swiftlet drive
        swiftlet ab --base a --head b drive --rounds 5 -- --threads 2 --frames 100
      """)

  @Option(help: "The base build's executable.") var base: String
  @Option(help: "The executable to judge.") var head: String
  @Option(help: "Rounds of four runs each.") var rounds = 3
  @Option(help: "Accepted shift of p50 and p99, as a share.") var tolerance = 0.05
  @Argument(help: "The recording.") var path: String
  @Argument(parsing: .postTerminator, help: "Passed on to both tools' replay.")
  var replayArguments: [String] = []

  func validate() throws {
    guard (1...100).contains(rounds) else {
      throw ValidationError("--rounds: expected 1 to 100, found \(rounds)")
    }
  }

  func run() throws {
    let runner = ABRunner(
      basePath: base, headPath: head, recordingPath: path, rounds: rounds,
      arguments: replayArguments)
    var comparison = LatencyComparison()
    comparison.tolerance = tolerance
    let result: ABRunner.Result
    do {
      result = try runner.run(comparison) { printError($0) }
    } catch {
      printError("\(error)")
      throw ExitCode(ExitStatus.recordingDamaged.rawValue)
    }
    print("noise between the base's own runs: \((result.noiseBand * 1000).rounded() / 10) %")
    result.differences.prefix(20).forEach { print($0) }
    result.comparison.lines.forEach { print($0) }
    print("exit " + result.exitStatuses.map { "\($0.rawValue)" }.joined(separator: " also "))
    if let worst = result.exitStatuses.first, worst != .pass { throw ExitCode(worst.rawValue) }
  }
}
