import ArgumentParser
import CAllocationCounter
import Foundation
import Swiftlet
import SwiftletReplay

struct FleetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fleet",
    abstract: "Replay a list of recordings, or a part of it, into one folder each.",
    discussion: """
      The manifest has one recording a line, and behind a tab a scene. Results appear whole or not \
      at all; one that is there and was made the same way is kept, so that an interrupted run goes \
      on. Several machines take a shard each and write to folders that swiftlet merge adds up.

      Exit codes: 0 every recording has a result (whatever its verdict), 4 some could not be read, \
      64 usage, 130 interrupted.

      Examples:
        swiftlet fleet drives.txt --out results --shard 2/8
        swiftlet merge results --manifest drives.txt --out all
      """)

  @Argument(help: "A text file of recordings.") var manifest: String
  @Option(help: "Folder for the results.") var out: String
  @Option(help: "Part I of N of the list, such as 2/8.") var shard = "1/1"
  @Flag(help: "Make results that are there again.") var force = false
  @OptionGroup var engineOptions: EngineOptions
  @OptionGroup var verdictOptions: VerdictOptions
  @Option(help: "pipeline.json; see swiftlet config.") var config: String?
  @Option(help: "Fusion weights, .safetensors.") var weights: String?
  @Flag(help: "Print JSON instead of lines.") var json = false

  func validate() throws {
    guard FleetShard(shard) != nil else {
      throw ValidationError("--shard: expected I/N with I from 1 to N, found \(shard)")
    }
  }

  private struct Line: Encodable {
    var name: String
    var recording: String
    var outcome: String
    var exitCode: Int32

    enum CodingKeys: String, CodingKey {
      case name, recording, outcome
      case exitCode = "exit_code"
    }
  }

  func run() throws {
    let list = try usage { try FleetManifest(file: manifest) }
    let loader = PipelineLoader(
      configuration: try loadConfiguration(config), weightsPath: weights,
      engine: try engineOptions.makeEngine(), threadCount: engineOptions.threads)
    let options = try verdictOptions.makeOptions(loader.configuration, nil)
    let settings =
      "\(loader.configuration.commentedJSON) \(loader.engine.instructionSetName) "
      + "\(loader.threadCount) \(weights ?? "") \(options)"
    Interruption.install()
    let runner = FleetRunner(folder: out, settings: settings) { entry in
      try replay(entry, loader, options)
    }
    var lines: [Line] = []
    guard let part = FleetShard(shard) else { return }
    for entry in list.entries(of: part) {
      let outcome = try runner.run(entry, redo: force)
      let (word, status): (String, ExitStatus) =
        switch outcome {
        case .made(let status): ("made", status)
        case .kept(let status): ("kept", status)
        case .interrupted: ("interrupted", .interrupted)
        }
      if word == "interrupted" { throw ExitCode(ExitStatus.interrupted.rawValue) }
      lines.append(
        Line(
          name: entry.name, recording: entry.path, outcome: word, exitCode: status.rawValue))
      if !json { print("\(word)  \(status)  \(entry.name)") }
    }
    if json { print(String(decoding: try JSONText.pretty(lines), as: UTF8.self), terminator: "") }
    if lines.contains(where: { $0.exitCode == ExitStatus.recordingDamaged.rawValue }) {
      throw ExitCode(ExitStatus.recordingDamaged.rawValue)
    }
  }

  private func replay(
    _ entry: FleetManifest.Entry, _ loader: PipelineLoader, _ options: ReplayOptions
  ) throws -> ReplayReport {
    var opening = loader.recordingOptions
    opening.scene = entry.scene
    let recording = try RecordingOpener.open(path: entry.path, options: opening)
    let replayer = Replayer(
      source: RecordingSource(recording), processor: try loader.makeProcessor(), options: options,
      allocations: AllocationCounting(
        start: { allocation_counter_start() }, stop: { allocation_counter_stop() }),
      isInterrupted: { Interruption.isRequested })
    return ReplayReport(replayer.run())
  }
}

struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Add up what swiftlet fleet wrote: distributions, verdicts, JUnit.",
    discussion: """
      Latencies are added sample by sample, misses are judged together by the recordings' rule, and \
      every recording's own suite stays in junit.xml. Results of different budgets, \
      configurations, instruction sets or machines are listed, but not judged together.

      Exit codes: 0 pass, 2 budget missed, 4 results missing or recordings damaged, \
      6 inconclusive.

      Example:
        swiftlet merge results-1 results-2 --manifest drives.txt --out all
      """)

  @Argument(help: "Folders that swiftlet fleet wrote.") var folders: [String]
  @Option(help: "The list of recordings: those without a result are named.") var manifest: String?
  @Option(help: "Folder for merged.json, junit.xml and hgrm/.") var out: String?
  @Flag(help: "Print merged.json instead of the table.") var json = false

  func run() throws {
    let list = try manifest.map { file in try usage { try FleetManifest(file: file) } }
    let merge = try usage { try FleetMerge(folders: folders, manifest: list) }
    if let out { try merge.write(to: out) }
    print(json ? String(decoding: try JSONText.pretty(merge), as: UTF8.self) : merge.text)
    let status = merge.exitStatuses[0]
    if status != .pass { throw ExitCode(status.rawValue) }
  }
}
