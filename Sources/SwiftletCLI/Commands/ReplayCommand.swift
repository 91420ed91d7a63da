import ArgumentParser
import CAllocationCounter
import Foundation
import Swiftlet
import SwiftletReplay

struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Replay a recording through the pipeline and judge its latency.",
    discussion: """
      Every recorded frame is measured once, in order, whatever the rate. A recording too short for \
      a verdict is looped with its poses continued. Reading, decoding, encoding and writing are \
      outside the budget. The digest covers the first pass.

      With m misses in n frames the verdict is fail when the exact 95 % lower bound of the miss rate \
      is above --miss-rate or more than --max-consecutive-misses follow each other, pass when the \
      upper bound is at or below it, else inconclusive.

      Exit codes: 0 pass, 1 internal error, 2 budget missed, 4 recording damaged or empty, \
      6 inconclusive (also: a debug build), 64 usage, 130 interrupted (partial results kept).

      Examples:
        swiftlet replay drive
        swiftlet replay drive --budget 8ms --threads 2 --out report
        swiftlet replay drive --rate 1.0 --no-loop --json
        SWIFTLET_ISA=avx2 swiftlet replay drive --frames 20 --no-gate
        swiftlet replay drive --inject drop:CAM_FRONT@0.05,late:LIDAR_TOP@50ms --seed 7
        swiftlet replay drive --weights a.safetensors --swap-weights b.safetensors@10
        swiftlet replay drive --on-deadline skip-fusion --out a
        swiftlet replay drive --on-deadline skip-fusion --decisions a/decisions.jsonl --out b
      """)

  @Argument(help: "A nuScenes, KITTI raw or KITTI odometry folder.") var path: String
  @OptionGroup var engineOptions: EngineOptions
  @OptionGroup var verdictOptions: VerdictOptions
  @OptionGroup var recordingOptions: RecordingSelection
  @OptionGroup var faultOptions: FaultOptions
  @Option(help: "pipeline.json; see swiftlet config.") var config: String?
  @Option(help: "Weights, .safetensors. Default: the documented default weights.")
  var weights: String?
  @Option(
    help: """
      FILE@FRAME: other weights from frame FRAME (0 is the first) on, read and packed by a thread of \
      their own and adopted between two frames.
      """) var swapWeights: String?
  @Option(help: "Folder for report.json, frames.jsonl and pictures; made where missing.")
  var out: String?
  @Flag(help: "Write the report without pictures.") var noPictures = false
  @Flag(help: "Print report.json instead of the table.") var json = false

  func run() throws {
    let loader = PipelineLoader(
      configuration: try loadConfiguration(config), weightsPath: weights, swap: try swapRequest(),
      engine: try engineOptions.makeEngine(), threadCount: engineOptions.threads)
    let processor = try usage { try loader.makeProcessor() }
    let source = try faultOptions.apply(
      to: RecordingSource(try open(loader)), loader.configuration)
    let result = try replay(source, processor, loader.configuration)
    let report = try write(result, source, processor)
    let text = json ? String(decoding: try report.json(), as: UTF8.self) : "\(ReportTable(report))"
    print(text, terminator: "")
    if report.exitStatus != .pass { throw ExitCode(report.exitStatus.rawValue) }
  }

  private func swapRequest() throws -> WeightsSwap.Request? {
    guard let swapWeights else { return nil }
    guard let request = WeightsSwap.Request(swapWeights) else {
      throw ValidationError("--swap-weights: expected FILE@FRAME, found \(swapWeights)")
    }
    return request
  }

  private func open(_ loader: PipelineLoader) throws -> any Recording {
    var options = loader.recordingOptions
    recordingOptions.apply(to: &options)
    do throws(RecordingError) {
      return try RecordingOpener.open(path: path, options: options)
    } catch {
      printError("\(error)")
      throw ExitCode(ExitStatus.recordingDamaged.rawValue)
    }
  }

  private func replay(
    _ source: any FrameSource, _ processor: PipelineProcessor,
    _ configuration: PipelineConfiguration
  ) throws -> ReplayResult {
    Interruption.install()
    let printer = ProgressPrinter(isTerminal: isatty(STDERR_FILENO) == 1) {
      FileHandle.standardError.write(Data($0.utf8))
    }
    let replayer = Replayer(
      source: source, processor: processor,
      options: try verdictOptions.makeOptions(configuration),
      allocations: AllocationCounting(
        start: { allocation_counter_start() }, stop: { allocation_counter_stop() }),
      observer: printer, isInterrupted: { Interruption.isRequested })
    var result = replayer.run()
    result.injection = faultOptions.inject
    return result
  }

  /// Judges the result and, with --out, writes the folder: pictures first, because they repeat the
  /// first pass and may find that it does not repeat.
  private func write(
    _ result: ReplayResult, _ source: any FrameSource, _ processor: PipelineProcessor
  ) throws -> ReplayReport {
    guard let out else { return ReplayReport(result) }
    var result = result
    do {
      let folder = try ReportFolder(path: out)
      printError("writing \(noPictures ? "" : "pictures and ")report to \(out)")
      if !noPictures {
        try PicturePass(
          source: source, processor: processor, folder: folder.url,
          groundTruth: try GroundTruthStore(recording: URL(fileURLWithPath: path))
        ).run(&result)
      }
      let report = ReplayReport(result)
      try folder.write(report)
      try HTMLReport(
        report: report,
        environment: HostEnvironment.measure(
          engine: processor.pipeline.engine, watchNanoseconds: 0).facts,
        pictures: HTMLReport.pictures(in: folder.url)
      ).write(to: folder.url)
      return report
    } catch {
      printError("cannot write \(out): \(error)")
      throw ExitCode(ExitStatus.internalError.rawValue)
    }
  }
}

/// Turns errors in what the user named into usage errors.
func usage<T>(_ body: () throws -> T) throws -> T {
  do { return try body() } catch { throw ValidationError("\(error)") }
}

/// Which part of a recording, and how its sensors are matched.
struct RecordingSelection: ParsableArguments {
  @Option(help: "Scene (nuScenes), drive (KITTI raw) or sequence (KITTI odometry).")
  var scene: String?
  @Option(help: "A poses file in place of the recording's own (KITTI).") var poses: String?
  @Option(help: "The sensor whose samples make frames. Default: the LiDAR, else the first camera.")
  var trigger: String?
  @Option(help: "Samples of other sensors: nearest, or latest (not after the frame).")
  var association: SampleAssociation?
  @Option(help: "Samples further from the frame than this are not used.")
  var maxAge: DurationOption?
  @Option(help: "The time messages are ordered by: header, publish or log (MCAP, ROS 2 bags).")
  var clock: SampleClock?

  func apply(to options: inout RecordingOptions) {
    options.scene = scene
    options.posesFile = poses
    if let trigger { options.triggerSensor = trigger }
    if let association { options.association = association }
    if let maxAge { options.maximumAge = .nanoseconds(maxAge.nanoseconds) }
    if let clock { options.clock = clock }
  }
}

extension SampleAssociation: ExpressibleByArgument {}
extension SampleClock: ExpressibleByArgument {}
extension DeadlinePolicy: ExpressibleByArgument {}

/// Faults on demand.
struct FaultOptions: ParsableArguments {
  @Option(
    help: """
      Faults to inject, kind:sensor@value separated by commas; * means all sensors. Probabilities: \
      drop, duplicate, freeze, reorder, corrupt. Amounts, with an optional @probability: \
      late:S@50ms, clockjump:*@2s, pose:*@5m@0.1, rotate:S@2deg, focal:S@0.9, sector:S@90deg.
      """)
  var inject: String?
  @Option(help: "Seed of the injected faults.") var seed: UInt64 = 1

  func apply(
    to source: any FrameSource, _ configuration: PipelineConfiguration
  ) throws -> any FrameSource {
    guard let inject else { return source }
    return FaultySource(
      source, plan: try usage { try FaultPlan(inject, seed: seed) },
      maximumAgeNanoseconds: Int64(configuration.maximumAgeMilliseconds * 1e6),
      maximumEgoSpeedMetersPerSecond: configuration.maximumEgoSpeedMetersPerSecond)
  }
}

/// What is judged, and when frames are due.
struct VerdictOptions: ParsableArguments {
  @Option(help: "Time a frame may take: 10ms, 0.5s, 800us. Default: the configuration's, 10ms.")
  var budget: DurationOption?
  @Option(help: "Share of frames that may be late, above 0 and below 1.") var missRate = 0.01
  @Option(help: "Misses that may follow each other.") var maxConsecutiveMisses = 2
  @Flag(help: "Only report: no verdict, no looping.") var noGate = false
  @Flag(help: "Judge the recording's own frames only, however few they are.") var noLoop = false
  @Option(
    help: "max (closed loop), or a multiple of the recorded rate (open loop; responses are judged).")
  var rate = "max"
  @Option(help: "Frames a second, open loop, in place of --rate.") var fps: Double?
  @Option(help: "Distinct frames to replay at most.") var frames: Int?
  @Option(help: "End looping after this many measured frames even if undecided.")
  var maxFrames = 3000
  @Option(help: "Repetitions of the first frame before measuring.") var warmup = 10
  @Option(
    help: """
      When a frame's time is up between two stages: finish, skip-fusion (the fused map of the frame \
      before stays) or reuse-last (all its results stay).
      """)
  var onDeadline = DeadlinePolicy.finish
  @Option(help: "decisions.jsonl of an earlier run: leave out what it left out.")
  var decisions: String?

  func validate() throws {
    guard missRate > 0, missRate < 1 else {
      throw ValidationError("--miss-rate: expected above 0 and below 1, found \(missRate)")
    }
    guard maxConsecutiveMisses >= 0, maxFrames >= 1, warmup >= 0, (frames ?? 1) >= 1 else {
      throw ValidationError("counts cannot be negative, and --frames and --max-frames are 1 or more")
    }
    guard fps.map({ $0 > 0 && $0.isFinite }) ?? true else {
      throw ValidationError("--fps: expected above 0")
    }
    _ = try replayRate()
  }

  func makeOptions(_ configuration: PipelineConfiguration) throws -> ReplayOptions {
    var options = ReplayOptions()
    options.budgetNanoseconds =
      budget?.nanoseconds ?? Int64(configuration.budgetMilliseconds * 1e6)
    options.rule = VerdictRule(
      missRate: missRate, maximumConsecutiveMisses: maxConsecutiveMisses)
    options.isGated = !noGate
    options.loops = !noLoop
    options.rate = (try? replayRate()) ?? .max
    options.frameLimit = frames
    options.maximumMeasuredFrames = maxFrames
    options.warmupFrameCount = warmup
    options.onDeadline = onDeadline
    if let decisions {
      options.decisions = try usage {
        try DecisionLog(data: Data(contentsOf: URL(fileURLWithPath: decisions)))
      }
    }
    return options
  }

  private func replayRate() throws -> ReplayRate {
    if let fps { return .framesPerSecond(fps) }
    if rate == "max" { return .max }
    guard let factor = Double(rate), factor > 0, factor.isFinite else {
      throw ValidationError("--rate: expected max or a number above 0, found \(rate)")
    }
    return .scaled(factor)
  }
}
