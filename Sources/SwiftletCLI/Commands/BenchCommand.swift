import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Time named workloads against the roof measured in the same run.",
    discussion: """
      Each workload's result is checked against the scalar reference before it is timed. The roof \
      is the larger share of what this instruction set and thread count can multiply or read, \
      measured in the same run.

      Exit codes: 0 done, 3 a result is wrong, 6 a debug build (never timed), 64 nothing matches.

      Examples:
        swiftlet bench
        swiftlet bench --filter projection --threads 2
        swiftlet bench --filter msda-tiny --isa avx2 --json
        swiftlet bench --verify-only --threads 2
      """)

  @Option(help: "A category (projection, occupancy, attention, frame) or part of a name.")
  var filter: String?
  @Option(
    help: """
      Only this precision: fp32, fp16 (weights in half), bf16, int8, or fp32-openblas. Default: all \
      a workload has.
      """)
  var precision: String?
  @Option(help: "Seconds to sample each workload.") var seconds = 2.0
  @OptionGroup var engineOptions: EngineOptions
  @Flag(help: "Print JSON instead of the table.") var json = false
  @Flag(help: "List the workloads and time nothing.") var list = false

  @Flag(help: "Check every result against the reference and time nothing.") var verifyOnly = false

  func run() throws {
    let workloads = BenchmarkRunner.select(BenchmarkCatalog.all, filter: filter)
    guard !workloads.isEmpty else {
      throw ValidationError("no workload matches \(filter ?? "at all"); see swiftlet bench --list")
    }
    if list { return workloads.forEach { print("\($0.name)  \($0.category)  \($0.precisions)") } }
    guard verifyOnly || BuildMode.current == .release else {
      printError("a debug build is never timed: build with -c release")
      throw ExitCode(ExitStatus.inconclusive.rawValue)
    }
    try measure(workloads)
  }

  private func measure(_ workloads: [BenchmarkWorkload]) throws {
    let engine = try engineOptions.makeEngine()
    var runner = BenchmarkRunner(
      engine: engine, pool: WorkerPool(threadCount: engineOptions.threads))
    runner.sampleNanoseconds = Int64(seconds * 1e9)
    var table = BenchmarkTable(
      isa: engine.instructionSetName, cpu: HostEnvironment.cpuName, measurements: [])
    for workload in workloads {
      for name in workload.precisions where precision == nil || precision == name {
        printError("bench \(workload.name) \(name)")
        table.measurements.append(
          try verifyOnly
            ? runner.verify(workload, precision: name) : runner.measure(workload, precision: name))
      }
    }
    print(json ? String(decoding: try JSONText.pretty(table), as: UTF8.self) : table.text)
    if table.measurements.contains(where: { !$0.isVerified }) {
      throw ExitCode(ExitStatus.outputMismatch.rawValue)
    }
  }
}
