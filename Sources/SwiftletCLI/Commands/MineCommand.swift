import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct MineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mine",
    abstract: "Find frames worth keeping and write clips around them.",
    discussion: """
      Runs the recording through the pipeline and writes an MCAP clip around every event, with \
      index.json beside them. A clip replays to the same frames as the recording.

      Triggers, each with an optional =threshold:
        budget=10ms        the pipeline took longer
        disagreement=0.3   share of places where camera network depth and LiDAR differ
        lost=1             sensors that delivered before and are missing now
        close=8m           points in space seen free before, this near: something moves
        unknown=0.5        share of unknown voxels in the ego's way
        drift=0.5deg       a camera's edges fit better when it is turned by this
        braking=3m/s2      the ego slows down

      Redaction: positions=offset (the drive begins at the origin), positions=drop, boxes=FILE with \
      [{"sensor": "CAM_FRONT", "box": [x, y, width, height]}]; only understood messages are written.

      Exit codes: 0 done, 4 recording damaged or empty, 64 usage, 130 interrupted.

      Examples:
        swiftlet mine drive --trigger lost,braking=4 --out clips
        swiftlet mine drive.mcap --trigger all --out clips --redact positions=offset
      """)

  @Argument(help: "A recording.") var path: String
  @Option(help: "Triggers, separated by commas, or all.") var trigger = "all"
  @Option(help: "Folder for clips and index.json.") var out: String
  @Option(help: "Seconds kept before an event.") var before = 2.0
  @Option(help: "Seconds kept after an event.") var after = 1.0
  @Option(help: "Events of each trigger to keep at most, the worst ones.") var limit = 100
  @Option(help: "positions=offset|drop and boxes=FILE, separated by commas.") var redact: String?
  @OptionGroup var engineOptions: EngineOptions
  @Option(help: "Scene (nuScenes), drive (KITTI raw) or sequence (KITTI odometry).")
  var scene: String?
  @Option(help: "pipeline.json; see swiftlet config.") var config: String?
  @Option(help: "Fusion weights, .safetensors.") var weights: String?
  @Flag(help: "Print index.json instead of the table.") var json = false

  func validate() throws {
    guard before >= 0, after >= 0, before < 1e6, after < 1e6, limit >= 1 else {
      throw ValidationError("--before and --after are seconds from 0 on, --limit is 1 or more")
    }
  }

  func run() throws {
    let loader = PipelineLoader(
      configuration: try loadConfiguration(config), weightsPath: weights,
      engine: try engineOptions.makeEngine(), threadCount: engineOptions.threads)
    var options = RecordingMiner.Options(
      triggers: try usage {
        try MiningTrigger.list(
          trigger, budgetMilliseconds: loader.configuration.budgetMilliseconds)
      })
    (options.beforeSeconds, options.afterSeconds, options.limit) = (before, after, limit)
    options.redaction = try redact.map { text in try usage { try Redaction(text) } }
    let recording = try open(loader)
    let miner = FrameMiner(
      recording: recording, processor: try usage { try loader.makeProcessor() },
      triggers: options.triggers)
    Interruption.install()
    miner.run(isInterrupted: { Interruption.isRequested }) { done in
      if done % 50 == 0 { printError("\(done) of \(recording.frameCount) frames") }
    }
    let index = try write(miner, recording, options)
    print(json ? String(decoding: try JSONText.pretty(index), as: UTF8.self) : index.text)
    if Interruption.isRequested { throw ExitCode(ExitStatus.interrupted.rawValue) }
    if !index.warnings.isEmpty {
      for warning in index.warnings.prefix(10) { printError("\(warning.code): \(warning.message)") }
      throw ExitCode(ExitStatus.recordingDamaged.rawValue)
    }
  }

  private func open(_ loader: PipelineLoader) throws -> any Recording {
    var options = loader.recordingOptions
    options.scene = scene
    do throws(RecordingError) {
      return try RecordingOpener.open(path: path, options: options)
    } catch {
      printError(error.description)
      throw ExitCode(ExitStatus.recordingDamaged.rawValue)
    }
  }

  private func write(
    _ miner: FrameMiner, _ recording: any Recording, _ options: RecordingMiner.Options
  ) throws -> MiningIndex {
    do {
      return try RecordingMiner(options: options).write(miner, of: recording, to: out)
    } catch {
      printError("cannot write \(out): \(error)")
      throw ExitCode(ExitStatus.internalError.rawValue)
    }
  }
}
