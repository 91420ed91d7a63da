import ArgumentParser
import Foundation
import SwiftletReplay

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare two result folders, or one with a golden run.",
    discussion: """
      Where both runs kept a frame's outputs (replay --keep-outputs N), they are compared value by \
      value, and a difference names frame, output, cell and both values; other frames are compared \
      by digest. Sensors' validity and age are compared too. --field-tolerance NAME=1e-4 lets \
      values of an output (camera_bev, lidar_bev, fused_bev, occupancy, …) differ by that much, \
      NAME=1e-4:0.1% a share of them by more.

      A latency regression is a p50 or p99 whose whole bootstrap interval lies above --tolerance \
      and 50 µs. Times from different machines, builds or settings are not compared, and a golden \
      run's never.

      Exit codes: 0 equal, 2 slower, 3 outputs differ, 5 a folder is missing, 6 inconclusive.

      Examples:
        swiftlet replay drive --out base --keep-outputs 3
        swiftlet replay drive --out head --keep-outputs 3 && swiftlet compare base head
        swiftlet compare head --golden golden/drive --update-golden
        swiftlet compare head --golden golden/drive --field-tolerance fused_bev=1e-4
      """)

  @Argument(help: "Result folder of the base run; with --golden, of the run to judge.")
  var base: String
  @Argument(help: "Result folder of the run to judge.") var head: String?
  @Option(help: "A golden run's folder in place of HEAD.") var golden: String?
  @Flag(help: "Make the run the golden one, after showing what changes.") var updateGolden = false
  @Option(help: "Accepted shift of p50 and p99, as a share.") var tolerance = 0.05
  @Option(help: "NAME=ABSOLUTE or NAME=ABSOLUTE:SHARE%; may be given several times.")
  var fieldTolerance: [String] = []
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    guard (head == nil) != (golden == nil) else {
      throw ValidationError("give two result folders, or one and --golden")
    }
    guard golden != nil || !updateGolden else {
      throw ValidationError("--update-golden goes with --golden")
    }
    for text in fieldTolerance where FieldTolerance.parse(text) == nil {
      throw ValidationError("--field-tolerance: expected NAME=1e-4 or NAME=1e-4:0.1%, found \(text)")
    }
  }

  func run() throws {
    var comparison = RunComparison()
    comparison.latency.tolerance = tolerance
    for text in fieldTolerance {
      if let field = FieldTolerance.parse(text) { comparison.tolerances[field.name] = field.tolerance }
    }
    if let golden { return try judge(against: golden, &comparison) }
    try conclude(comparison.compare(try open(base), try open(head ?? "")))
  }

  private func judge(against golden: String, _ comparison: inout RunComparison) throws {
    comparison.judgesLatency = false
    let run = try open(base)
    guard FileManager.default.fileExists(atPath: golden) || !updateGolden else {
      try accept(run, golden)
      return
    }
    let result = comparison.compare(try open(golden), run)
    guard updateGolden else {
      if result.exitStatuses.first != .pass {
        printError("accept with: swiftlet compare \(base) --golden \(golden) --update-golden")
      }
      return try conclude(result)
    }
    print(result)
    try accept(run, golden)
  }

  private func accept(_ run: RunFolder, _ golden: String) throws {
    do { try GoldenRun(path: golden).update(from: run) } catch {
      printError("cannot write \(golden): \(error.localizedDescription)")
      throw ExitCode(ExitStatus.internalError.rawValue)
    }
    printError("\(golden) now holds the run of \(run.path)")
  }

  private func open(_ path: String) throws -> RunFolder {
    do throws(RecordingError) {
      return try RunFolder(path: path)
    } catch {
      printError("\(error)")
      throw ExitCode(ExitStatus.baselineMissing.rawValue)
    }
  }

  private func conclude(_ result: RunComparison.Result) throws {
    if json {
      print(String(decoding: try JSONText.pretty(result), as: UTF8.self), terminator: "")
    } else {
      print(result)
    }
    if let worst = result.exitStatuses.first, worst != .pass { throw ExitCode(worst.rawValue) }
  }
}
