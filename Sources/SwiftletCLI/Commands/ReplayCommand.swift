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

      Exit codes: 0 pass, 1 internal error, 2 budget missed, 3 outputs not as expected, 4 recording \
      damaged or empty, 5 a budget file's baseline missing, 6 inconclusive (also: a debug build), \
      64 usage, 130 interrupted (partial results kept).

      Examples:
        swiftlet replay drive
        swiftlet replay drive --budget 8ms --threads 2 --out report
        swiftlet replay drive --rate 1.0 --no-loop --json
        SWIFTLET_ISA=avx2 swiftlet replay drive --frames 20 --no-gate
        swiftlet replay drive --inject drop:CAM_FRONT@0.05,late:LIDAR_TOP@50ms --seed 7
        swiftlet replay drive --weights a.safetensors --swap-weights b.safetensors@10
        swiftlet replay drive --mcap results.mcap --mcap-inputs
        swiftlet replay drive --budget-file budget.yaml --csv trend.csv --out report
        swiftlet replay drive --cpus 0,1 --threads 2 --rt-priority 50 --lock-memory --preload
        swiftlet replay drive --budget 4ms --on-miss clip --out report
        swiftlet replay drive --on-deadline skip-fusion --out a
        swiftlet replay drive --on-deadline skip-fusion --decisions a/decisions.jsonl --out b
      """)

  @Argument(help: "A nuScenes, KITTI raw or KITTI odometry folder.") var path: String
  @OptionGroup var engineOptions: EngineOptions
  @OptionGroup var verdictOptions: VerdictOptions
  @OptionGroup var recordingOptions: RecordingSelection
  @OptionGroup var faultOptions: FaultOptions
  @OptionGroup var budgetOptions: BudgetOptions
  @OptionGroup var hostOptions: HostOptions
  @OptionGroup var missClipOptions: MissClipOptions
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
  @Option(
    help: "Keep the outputs of this many frames (or all) in --out, for swiftlet compare.")
  var keepOutputs: String?
  @Option(
    help: """
      Write maps, voxels, transforms, calibrations and latency of the first pass to this MCAP file; \
      Foxglove and Rerun draw it.
      """)
  var mcap: String?
  @Flag(help: "With --mcap: images and point clouds too, as the pipeline saw them.")
  var mcapInputs = false
  @Flag(help: "Print report.json instead of the table.") var json = false

  func validate() throws {
    if let keepOutputs, keepOutputs != "all", Int(keepOutputs).map({ $0 < 1 }) ?? true {
      throw ValidationError("--keep-outputs: expected a count or all, found \(keepOutputs)")
    }
    guard keepOutputs == nil || out != nil else {
      throw ValidationError("--keep-outputs goes with --out")
    }
    guard missClipOptions.onMiss == .report || out != nil else {
      throw ValidationError("--on-miss clip goes with --out")
    }
    guard !mcapInputs || mcap != nil else {
      throw ValidationError("--mcap-inputs goes with --mcap")
    }
  }

  func run() throws {
    let judge = try budgetOptions.makeJudge()
    // Before the pool starts its threads: they inherit priority.
    let (controls, refusals) = hostOptions.controls.apply()
    for refusal in refusals { printError("warning: \(refusal.message)") }
    let loader = PipelineLoader(
      configuration: try loadConfiguration(config), weightsPath: weights, swap: try swapRequest(),
      engine: try engineOptions.makeEngine(), threadCount: engineOptions.threads,
      cpus: controls.cpus(forParts: engineOptions.threads))
    let processor = try usage { try loader.makeProcessor() }
    let recording = try open(loader)
    try faultOptions.check(recording)
    let source = try faultOptions.apply(to: RecordingSource(recording), loader.configuration)
    var result = try replay(source, processor, loader.configuration, judge?.budget)
    result.hostControls = controls
    result.warnings = refusals + result.warnings
    let report = try write(result, source, processor, judge)
    try budgetOptions.export(report)
    try writeMissClips(report.result, loader)
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

  private func writeMissClips(_ result: ReplayResult, _ loader: PipelineLoader) throws {
    var options = loader.recordingOptions
    recordingOptions.apply(to: &options)
    var words = ["--engine", engineOptions.engine, "--threads", "\(engineOptions.threads)"]
    if case .simd(let set) = loader.engine { words += ["--isa", "\(set)"] }
    if let weights { words += ["--weights", weights] }
    words += ["--budget", "\(result.options.budgetNanoseconds)ns"]
    try missClipOptions.write(
      result, to: out, path: path, loader: loader, recording: options, faults: faultOptions,
      options: words)
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
    _ configuration: PipelineConfiguration, _ budget: LatencyBudget?
  ) throws -> ReplayResult {
    Interruption.install()
    var options = try verdictOptions.makeOptions(configuration, budget)
    hostOptions.apply(to: &options)
    if options.updateBoundNanoseconds != nil || options.carvingLog != nil {
      processor.carvingBound = CarvingBound(
        boundNanoseconds: options.updateBoundNanoseconds, repeating: options.carvingLog)
    }
    let countsInstructions = Callgrind.isWatching
    let printer = ProgressPrinter(isTerminal: isatty(STDERR_FILENO) == 1) {
      FileHandle.standardError.write(Data($0.utf8))
    }
    let turns: (() -> Bool)? = hostOptions.turns ? { FrameTurns.wait() } : nil
    let replayer = Replayer(
      source: source, processor: processor,
      options: options,
      allocations: AllocationCounting(
        start: {
          allocation_counter_start()
          if countsInstructions { Callgrind.toggle() }
        },
        stop: {
          if countsInstructions { Callgrind.toggle() }
          return allocation_counter_stop()
        }),
      observer: printer, isInterrupted: { Interruption.isRequested },
      waitForTurn: turns)
    var result = replayer.run()
    try writeCarvingLog(processor)
    let slowdown = hostOptions.plantSlowdown.map { "slow-down \($0) %" }
    let injected = [faultOptions.text, slowdown].compactMap(\.self)
    result.injection = injected.isEmpty ? nil : injected.joined(separator: ", ")
    return result
  }

  private func writeCarvingLog(_ processor: PipelineProcessor) throws {
    guard let log = processor.carvingBound?.log else { return }
    let counts = log.batchCounts.values.flatMap { $0 }
    let whole = max(1, counts.count * CarvingLimit.batchCount)
    let share = Double(counts.reduce(0, +)) / Double(whole) * 100
    let cut = counts.count { $0 < CarvingLimit.batchCount }
    printError(
      String(format: "carved %.1f %% of the free space; %d of %d scans cut", share, cut, counts.count))
    guard let out else { return }
    try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    try Data(log.text.utf8).write(to: URL(fileURLWithPath: out).appending(path: "carving.txt"))
  }

  /// Repeats the first pass where something is to be drawn or written, then judges: the repetition
  /// may find that the outputs do not repeat.
  private func write(
    _ result: ReplayResult, _ source: any FrameSource, _ processor: PipelineProcessor,
    _ judge: BudgetJudge?
  ) throws -> ReplayReport {
    var result = result
    do {
      let folder = try out.map(ReportFolder.init(path:))
      try repeatFirstPass(&result, source, processor, folder)
      let report = ReplayReport(result, budget: judge)
      guard let folder else { return report }
      try folder.write(report)
      try HTMLReport(
        report: report,
        environment: HostEnvironment.measure(
          engine: processor.pipeline.engine, watchNanoseconds: 0).facts,
        pictures: HTMLReport.pictures(in: folder.url)
      ).write(to: folder.url)
      return report
    } catch {
      printError("cannot write results: \(error)")
      throw ExitCode(ExitStatus.internalError.rawValue)
    }
  }

  private func repeatFirstPass(
    _ result: inout ReplayResult, _ source: any FrameSource, _ processor: PipelineProcessor,
    _ folder: ReportFolder?
  ) throws {
    var pass = RepeatPass(source: source, processor: processor)
    if let folder {
      if !noPictures { pass.pictureFolder = folder.url }
      OutputStore.clear(folder.url)
      if let keepOutputs {
        pass.outputs = try OutputStore(
          resultFolder: folder.url, frameCount: keepOutputs == "all" ? nil : Int(keepOutputs))
      }
    }
    if let mcap { pass.resultFile = try ResultFile(path: mcap, includesInputs: mcapInputs) }
    let wanted = [
      pass.pictureFolder == nil ? nil : "pictures and report to \(out ?? "")",
      pass.outputs == nil ? nil : "outputs to \(out ?? "")/\(OutputStore.folderName)",
      mcap.map { "results to \($0)" },
    ].compactMap(\.self)
    guard !wanted.isEmpty else { return }
    printError("writing \(wanted.joined(separator: ", "))")
    pass.groundTruth = try GroundTruthStore(recording: URL(fileURLWithPath: path))
    try pass.run(&result)
  }
}

/// Turns errors in what the user named into usage errors.
func usage<T>(_ body: () throws -> T) throws -> T {
  do { return try body() } catch { throw ValidationError("\(error)") }
}

/// What is judged, and when frames are due.
struct VerdictOptions: ParsableArguments {
  @Option(help: "Time a frame may take: 10ms, 0.5s, 800us. Default: the configuration's, 10ms.")
  var budget: DurationOption?
  @Option(help: "Share of frames that may be late, above 0 and below 1. Default: 0.01.")
  var missRate: Double?
  @Option(help: "Misses that may follow each other. Default: 2.") var maxConsecutiveMisses: Int?
  @Option(help: "M/K: at most M misses in any K frames that follow each other.")
  var missWindow: String?
  @Flag(help: "Only report: no verdict, no looping.") var noGate = false
  @Flag(help: "Judge the recording's own frames only, however few they are.") var noLoop = false
  @Option(
    help: "max (closed loop), or a multiple of the recorded rate (open loop; responses are judged).")
  var rate = "max"
  @Option(help: "Frames a second, open loop, in place of --rate.") var fps: Double?
  @Option(help: "Distinct frames to replay at most.") var frames: Int?
  @Option(help: "End looping after this many measured frames even if undecided.")
  var maxFrames = 3000
  @Option(help: "Loop to exactly this many measured frames, whatever the verdict.")
  var measure: Int?
  @Option(help: "Repetitions of the first frame before measuring.") var warmup = 10
  @Option(
    help: """
      When a frame's time is up between two stages: finish, skip-fusion (the fused map of the frame \
      before stays) or reuse-last (all its results stay).
      """)
  var onDeadline = DeadlinePolicy.finish
  @Option(help: "decisions.jsonl of an earlier run: leave out what it left out.")
  var decisions: String?
  @Option(help: "What the occupancy update may take (1.5ms): its carving stops evenly in time.")
  var timeBound: DurationOption?
  @Option(help: "carving.txt of an earlier run: stop carving where it stopped, bit for bit.")
  var repeatCarving: String?

  func validate() throws {
    if let missRate, !(missRate > 0 && missRate < 1) {
      throw ValidationError("--miss-rate: expected above 0 and below 1, found \(missRate)")
    }
    _ = try window()
    guard (maxConsecutiveMisses ?? 0) >= 0, maxFrames >= 1, warmup >= 0, (frames ?? 1) >= 1,
      (1...10_000_000).contains(measure ?? 1)
    else {
      throw ValidationError(
        "counts cannot be negative, and --frames, --max-frames and --measure are 1 or more")
    }
    guard fps.map({ $0 > 0 && $0.isFinite }) ?? true else {
      throw ValidationError("--fps: expected above 0")
    }
    _ = try replayRate()
  }

  /// What is asked for on the command line goes before a budget file, and that before the
  /// configuration.
  func makeOptions(
    _ configuration: PipelineConfiguration, _ file: LatencyBudget?
  ) throws -> ReplayOptions {
    var options = ReplayOptions()
    options.budgetNanoseconds =
      budget?.nanoseconds ?? file?.misses?.budgetNanoseconds
      ?? Int64(configuration.budgetMilliseconds * 1e6)
    options.rule = VerdictRule(
      missRate: missRate ?? file?.misses?.rate ?? 0.01,
      maximumConsecutiveMisses: maxConsecutiveMisses ?? file?.misses?.consecutive ?? 2,
      window: try window() ?? file?.misses?.window)
    let limits = [file?.total].compactMap(\.self) + (file?.stages.values.map(\.self) ?? [])
    options.minimumMeasuredFrames =
      limits.flatMap(\.percentiles.keys).map(\.framesNeeded).max() ?? 0
    options.isGated = !noGate
    options.loops = !noLoop
    options.rate = (try? replayRate()) ?? .max
    options.frameLimit = frames
    options.maximumMeasuredFrames = maxFrames
    options.measuredFrameCount = measure
    options.warmupFrameCount = warmup
    options.onDeadline = onDeadline
    if let decisions {
      options.decisions = try usage {
        try DecisionLog(data: Data(contentsOf: URL(fileURLWithPath: decisions)))
      }
    }
    options.updateBoundNanoseconds = timeBound?.nanoseconds
    if let repeatCarving {
      options.carvingLog = try usage { try CarvingLog(file: repeatCarving) }
    }
    return options
  }

  private func window() throws -> LatencyBudget.MissWindow? {
    guard let missWindow else { return nil }
    let parts = missWindow.split(separator: "/").map { Int($0) }
    guard parts.count == 2, let misses = parts[0], let frames = parts[1], misses >= 0, frames > misses
    else { throw ValidationError("--miss-window: expected M/K such as 1/20, found \(missWindow)") }
    return LatencyBudget.MissWindow(misses: misses, frames: frames)
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
