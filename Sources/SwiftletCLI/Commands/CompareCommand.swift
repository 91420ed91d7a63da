import ArgumentParser
import SwiftletReplay

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare two result folders: outputs frame by frame, latencies with intervals.",
    discussion: """
      Outputs are equal when every frame's digest is; sensors' validity and age are compared too, \
      and every difference names frame, sensor and both values. A latency regression is a p50 or \
      p99 whose whole bootstrap interval lies above --tolerance and 50 µs. Times from different \
      machines, builds or settings are not compared.

      Exit codes: 0 equal, 2 slower, 3 outputs differ, 5 a folder is missing, 6 inconclusive.

      Examples:
        swiftlet replay drive --out base && swiftlet replay drive --out head
        swiftlet compare base head
        swiftlet compare base head --tolerance 0.1
      """)

  @Argument(help: "Result folder of the base run.") var base: String
  @Argument(help: "Result folder of the run to judge.") var head: String
  @Option(help: "Accepted shift of p50 and p99, as a share.") var tolerance = 0.05

  func run() throws {
    let folders: (RunFolder, RunFolder)
    do throws(RecordingError) {
      folders = (try RunFolder(path: base), try RunFolder(path: head))
    } catch {
      printError("\(error)")
      throw ExitCode(ExitStatus.baselineMissing.rawValue)
    }
    var comparison = RunComparison()
    comparison.latency.tolerance = tolerance
    let result = comparison.compare(folders.0, folders.1)
    print(result)
    if let worst = result.exitStatuses.first, worst != .pass { throw ExitCode(worst.rawValue) }
  }
}
