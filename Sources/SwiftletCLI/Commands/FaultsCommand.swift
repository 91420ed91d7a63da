import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct FaultsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "faults",
    abstract: "Inject faults one by one and say how the pipeline recovers.",
    discussion: """
      Runs the recording's first frames without and with each fault and compares the outputs: are \
      they finite, are the right sensors masked, after how many frames are the fault's traces gone \
      from the fused map and from all voxels that scans behind it have looked at. What no later scan \
      looks at stays: "unseen" is the share of those voxels that differs. Default: every kind of \
      fault, in one frame.

      Exit codes: 0 every fault was survived and forgotten, 3 outputs not finite, validity wrong or \
      no recovery, 4 recording unreadable, 64 usage.

      Examples:
        swiftlet faults drive
        swiftlet faults drive --at 5 --lasting 3 --frames 20 --json
        swiftlet faults drive --inject drop:CAM_FRONT@1#4-6,sector:LIDAR_TOP@180deg#4-6
      """)

  @Argument(help: "A recording.") var path: String
  @Option(help: "Faults to inject together, each with its #FIRST-LAST, in place of every kind.")
  var inject: String?
  @Option(help: "The frame in which faults happen.") var at = 4
  @Option(help: "Frames a fault lasts.") var lasting = 1
  @Option(help: "Frames to run.") var frames = 16
  @Option(help: "A fault is over when at most this share of cells differs.") var tolerance = 0.01
  @Option(help: "Fail when a fault takes more frames than this to be over.") var within = 10
  @Option(help: "Seed of the faults.") var seed: UInt64 = 1
  @OptionGroup var engineOptions: EngineOptions
  @Option(help: "pipeline.json; see swiftlet config.") var config: String?
  @Option(help: "Scene (nuScenes), drive (KITTI raw) or sequence (KITTI odometry).")
  var scene: String?
  @Flag(help: "Print JSON instead of the table.") var json = false

  func validate() throws {
    guard at >= 1, lasting >= 1, frames > at + lasting, frames <= 60 else {
      throw ValidationError("--at is 1 or more, and --frames (at most 60) go on behind the fault")
    }
  }

  func run() throws {
    let loader = PipelineLoader(
      configuration: try loadConfiguration(config), engine: try engineOptions.makeEngine(),
      threadCount: engineOptions.threads)
    let recording: any Recording
    do throws(RecordingError) {
      var options = loader.recordingOptions
      options.scene = scene
      recording = try RecordingOpener.open(path: path, options: options)
    } catch {
      printError(error.description)
      throw ExitCode(ExitStatus.recordingDamaged.rawValue)
    }
    guard recording.frameCount > at + lasting else {
      throw ValidationError("\(path) has \(recording.frameCount) frames; give an earlier --at")
    }
    var trial = try FaultTrial(
      source: RecordingSource(recording), frames: 0..<min(frames, recording.frameCount),
      maximumAgeNanoseconds: Int64(loader.configuration.maximumAgeMilliseconds * 1e6),
      makeProcessor: { try loader.makeProcessor() })
    trial.tolerance = tolerance
    let plans = try plans(recording)
    var outcomes: [FaultTrial.Outcome] = []
    for plan in plans { outcomes.append(try trial.outcome(of: plan)) }
    if json {
      print(String(decoding: try JSONText.pretty(outcomes), as: UTF8.self), terminator: "")
    } else {
      printTable(outcomes)
    }
    let isGood = outcomes.allSatisfy {
      $0.isFinite && $0.isValidityRight && $0.recoveryFrames ?? .max <= within
    }
    if !isGood { throw ExitCode(ExitStatus.outputMismatch.rawValue) }
  }

  private func plans(_ recording: any Recording) throws -> [FaultPlan] {
    if let inject {
      let plan = try usage { try FaultPlan(inject, seed: seed) }
      try usage { try plan.check(sensors: recording.sensors) }
      return [plan]
    }
    let faults = FaultTrial.standardFaults(
      camera: recording.sensors.first { $0.kind == .camera && $0.calibration == .found }?.name,
      lidar: recording.sensors.first { $0.kind == .lidar }?.name,
      frames: at...at + lasting - 1)
    return try faults.map { fault in try usage { try FaultPlan(fault, seed: seed) } }
  }

  private func printTable(_ outcomes: [FaultTrial.Outcome]) {
    let width = outcomes.map(\.fault.count).max() ?? 0
    func padded(_ text: String, _ width: Int) -> String {
      text.padding(toLength: width, withPad: " ", startingAt: 0)
    }
    func percent(_ value: Double) -> String { String(format: "%6.2f %%", value * 100) }
    print(
      "\(padded("fault", width))  finite  validity  peak BEV  peak map  recovery     unseen  masked")
    for outcome in outcomes {
      let recovery = outcome.recoveryFrames.map { "\($0) frames" } ?? "none"
      print(
        "\(padded(outcome.fault, width))  \(padded(outcome.isFinite ? "yes" : "NO", 6))  "
          + "\(padded(outcome.isValidityRight ? "right" : "WRONG", 8))  \(percent(outcome.peakFused))"
          + "  \(percent(outcome.peakOccupancy))  \(padded(recovery, 9))  "
          + "\(percent(outcome.residualUnseen))  "
          + outcome.masked.joined(separator: " "))
    }
  }
}
