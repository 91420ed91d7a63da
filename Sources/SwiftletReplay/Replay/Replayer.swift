import Swiftlet

/// Told about every measured frame, outside the timed region.
public protocol ReplayObserver: AnyObject {
  func replayDidStart(_ result: ReplayResult, frameCount: Int)
  /// `progress.target` is how many frames the verdict would take now, as far as that is known.
  func replayDidMeasure(_ record: FrameRecord, progress: ReplayProgress)
  func replayDidFinish(_ result: ReplayResult)
}

/// Where a replay stands.
public struct ReplayProgress: Sendable, Equatable {
  public var measuredFrames = 0
  /// Frames this run will measure, as far as is known now.
  public var expectedFrames = 0
  public var misses = 0
  public var pass = 0
  /// Recorded time since the first frame, and wall time since the first measured frame.
  public var recordedNanoseconds: Int64 = 0
  public var elapsedNanoseconds: Int64 = 0

  public init() {}
}

/// Replays a recording through a processor, with a clock between the stages.
///
/// Every recorded frame is measured once, in order, at any rate; a recording too short for a verdict
/// is looped with its poses continued. Reading and decoding happen on another thread and never while
/// a frame is timed.
public final class Replayer {
  private let source: any FrameSource
  private let processor: any FrameProcessor
  private let options: ReplayOptions
  private let clock: any ReplayClock
  private let counters: any HostCounters
  private let allocations: AllocationCounting?
  private let isInterrupted: () -> Bool
  private let waitForTurn: (() -> Bool)?
  private weak var observer: (any ReplayObserver)?

  private var result: ReplayResult
  private var schedule: FrameSchedule
  private var progress = ReplayProgress()
  private let digest = OutputDigest()
  private let timer: StageTimer
  private var pipelineFreeSince: Int64 = 0
  private var startNanoseconds: Int64 = 0
  private var longestRun = 0
  private var currentRun = 0
  private var worstWindow = 0
  private var lostInLoops = 0

  /// - Parameters:
  ///   - build: what the verdict assumes; tests with a clock of their own say `release`.
  ///   - isInterrupted: asked between frames; true ends the run with what there is.
  ///   - waitForTurn: called before every measured frame, when nothing is left to do but to measure
  ///     it; false ends the run with what there is.
  public init(
    source: any FrameSource, processor: any FrameProcessor, options: ReplayOptions = .init(),
    clock: any ReplayClock = MonotonicClock(), counters: any HostCounters = LinuxHostCounters(),
    allocations: AllocationCounting? = nil, build: BuildMode = .current,
    observer: (any ReplayObserver)? = nil, isInterrupted: @escaping () -> Bool = { false },
    waitForTurn: (() -> Bool)? = nil
  ) {
    self.source = source
    self.processor = processor
    self.options = options
    self.clock = clock
    self.counters = counters
    self.allocations = allocations
    self.observer = observer
    self.isInterrupted = isInterrupted
    self.waitForTurn = waitForTurn
    timer = StageTimer(stages: processor.stages, options: options, clock: clock)
    schedule = FrameSchedule(rate: options.rate)
    result = ReplayResult(
      recordingName: source.name, stages: processor.stages, processor: processor.processorDescription,
      options: options, build: build)
    result.records.reserveCapacity(
      max(source.frameCount, options.maximumMeasuredFrames, options.measuredFrameCount ?? 0))
  }

  /// Runs to the end of the recording, or on until the verdict is decided, and returns everything
  /// measured.
  public func run() -> ReplayResult {
    let prefetcher = Prefetcher(
      reader: LoopingReader(
        source: source, frameLimit: options.frameLimit,
        cachedFrameLimit: options.preloads ? .max : options.cachedFrameLimit, loops: mayLoop),
      readAhead: options.preloads ? max(1, distinctFrameCount) : options.readAhead)
    defer { prefetcher.stop() }
    if options.preloads { prefetcher.fill() }
    observer?.replayDidStart(
      result, frameCount: distinctFrameCount)
    replay(from: prefetcher)
    finish()
    observer?.replayDidFinish(result)
    return result
  }

  private var distinctFrameCount: Int { min(source.frameCount, options.frameLimit ?? .max) }

  private var mayLoop: Bool {
    (options.isGated || options.measuredFrameCount != nil) && options.loops
      && result.build == .release
  }

  private func replay(from prefetcher: Prefetcher) {
    var before = HostSample()
    while let frame = prefetcher.take() {
      if isInterrupted() { result.isInterrupted = true }
      if result.isInterrupted { return }
      if frame.pass > 0, isDecided || lostInLoops > options.maximumMeasuredFrames { return }
      result.warnings += frame.warnings
      guard let sensorFrame = frame.sensorFrame else {
        noteLoss(of: frame)
        continue
      }
      prefetcher.closeGate()
      if result.records.isEmpty, result.warmupFrameCount == 0 {
        warmUp(sensorFrame)
        before = counters.sample()
        startNanoseconds = clock.nowNanoseconds
      }
      let isMeasured = measure(frame, sensorFrame, prefetcher)
      result.stealNanoseconds = (counters.sample() - before).stealNanoseconds
      progress.elapsedNanoseconds = clock.nowNanoseconds - startNanoseconds
      if isMeasured, let record = result.records.last {
        observer?.replayDidMeasure(record, progress: progress)
      }
    }
  }

  /// True when looping on would change nothing.
  private var isDecided: Bool {
    if let exact = options.measuredFrameCount { return result.records.count >= exact }
    guard result.records.count < options.maximumMeasuredFrames else { return true }
    return result.records.count >= options.minimumMeasuredFrames
      && judgement.verdict != .inconclusive
  }

  private var judgement: Judgement {
    options.rule.judge(
      frames: result.records.count, misses: progress.misses, longestRun: longestRun,
      worstWindow: worstWindow)
  }

  /// Repeats the first frame so that caches, page tables and clocks settle, then forgets it.
  private func warmUp(_ frame: SensorFrame) {
    for _ in 0..<options.warmupFrameCount {
      do { try runStages(frame) } catch { break }
      result.warmupFrameCount += 1
    }
    processor.reset()
    _ = processor.takeWarnings()
    pipelineFreeSince = clock.nowNanoseconds
  }

  private func runStages(_ frame: SensorFrame) throws {
    var frame = frame
    for stage in result.stages.indices { try processor.run(stage: stage, on: &frame) }
  }

  /// False when the frame could not be processed.
  private func measure(
    _ frame: LoopedFrame, _ sensorFrame: SensorFrame, _ prefetcher: Prefetcher
  ) -> Bool {
    defer {
      collectWarnings(of: frame)
      prefetcher.openGate()
    }
    do {
      var sensorFrame = sensorFrame
      try timer.runOutsideBudget(processor, &sensorFrame)
      let due = waitUntilDue(sensorFrame, prefetcher)
      if let waitForTurn, !waitForTurn() {
        result.isInterrupted = true
        return false
      }
      allocations?.start()
      let before = counters.sample()
      try timer.runInBudget(processor, &sensorFrame, measuredIndex: result.records.count)
      let host = counters.sample() - before
      let allocated = allocations?.stop()
      append(frame, sensorFrame, due: due, host: host, allocated: allocated)
      return true
    } catch {
      _ = allocations?.stop()
      noteFailure(of: frame, error)
      return false
    }
  }

  private func collectWarnings(of frame: LoopedFrame) {
    for var warning in processor.takeWarnings() where frame.pass == 0 {
      warning.frame = frame.index
      result.warnings.append(warning)
    }
  }

  private func waitUntilDue(_ frame: SensorFrame, _ prefetcher: Prefetcher) -> Int64? {
    let ready = clock.nowNanoseconds
    guard
      var due = schedule.nextDue(timestampNanoseconds: frame.timestampNanoseconds, now: ready)
    else { return nil }
    due = schedule.forgive(due: due, pipelineFreeSince: pipelineFreeSince, readyAt: ready)
    guard due > ready else { return due }
    prefetcher.openGate()
    while clock.nowNanoseconds < due, !isInterrupted() { clock.sleep(untilNanoseconds: due) }
    let woken = clock.nowNanoseconds
    prefetcher.closeGate()
    return schedule.forgive(due: due, pipelineFreeSince: woken, readyAt: clock.nowNanoseconds)
  }

  private func append(
    _ frame: LoopedFrame, _ sensorFrame: SensorFrame, due: Int64?, host: HostSample,
    allocated: Int64?
  ) {
    let end = timer.endNanoseconds
    pipelineFreeSince = end
    var record = FrameRecord(
      measuredIndex: result.records.count, pass: frame.pass, recordedIndex: frame.index,
      timestampNanoseconds: sensorFrame.timestampNanoseconds,
      stageNanoseconds: result.stages.indices.map(timer.duration),
      stageStartNanoseconds: result.stages.indices.map { timer.begin($0) - startNanoseconds },
      completedStageCount: timer.completedStageCount,
      serviceNanoseconds: end - timer.startNanoseconds,
      responseNanoseconds: due.map { end - $0 }, isMissed: false,
      allocations: allocated, host: host, digest: nil, sensors: [])
    record.sensors = sensorStates(of: sensorFrame, tookNanoseconds: record.judgedNanoseconds)
    record.isMissed = record.judgedNanoseconds > options.budgetNanoseconds
    if frame.pass == 0 {
      result.distinctFrameCount += 1
      record.digest = digestOfOutputs()
    }
    result.records.append(record)
    note(record)
  }

  private func note(_ record: FrameRecord) {
    currentRun = record.isMissed ? currentRun + 1 : 0
    longestRun = max(longestRun, currentRun)
    if let window = options.rule.window, record.isMissed {
      worstWindow = max(worstWindow, result.records.suffix(window.frames).count(where: \.isMissed))
    }
    progress.misses += record.isMissed ? 1 : 0
    progress.measuredFrames = result.records.count
    progress.pass = record.pass
    progress.recordedNanoseconds =
      record.timestampNanoseconds - result.records[0].timestampNanoseconds
    progress.expectedFrames = expectedFrames
  }

  private var expectedFrames: Int {
    guard mayLoop else { return distinctFrameCount }
    if let exact = options.measuredFrameCount { return max(distinctFrameCount, exact) }
    let decided = judgement.verdict == .fail
    let needed =
      decided
      ? 0
      : BinomialBounds.framesToBound(misses: progress.misses, rate: options.rule.missRate)
    return max(
      distinctFrameCount,
      min(max(needed, options.minimumMeasuredFrames), options.maximumMeasuredFrames))
  }

  private func digestOfOutputs() -> UInt64 {
    unsafe processor.forEachOutput { name, bytes in unsafe digest.add(name: name, bytes: bytes) }
    return digest.endFrame()
  }

  private func sensorStates(
    of frame: SensorFrame, tookNanoseconds took: Int64
  ) -> [SensorState] {
    func state(_ name: String, _ isValid: Bool, _ age: Int64) -> SensorState {
      SensorState(
        name: name, isValid: isValid, ageNanoseconds: age,
        outputAgeNanoseconds: isValid ? age + took : nil)
    }
    return frame.cameras.map { state($0.name, $0.isValid, $0.ageNanoseconds) }
      + frame.lidars.map { state($0.name, $0.isValid, $0.ageNanoseconds) }
      + frame.bevMaps.map { state($0.name, $0.isValid, $0.ageNanoseconds) }
  }

  private func noteFailure(of frame: LoopedFrame, _ error: any Error) {
    pipelineFreeSince = clock.nowNanoseconds
    noteLoss(of: frame)
    guard frame.pass == 0 else { return }
    result.warnings.append(
      ReplayWarning(
        code: ReplayWarning.frameNotProcessed, frame: frame.index, message: "\(error)"))
  }

  private func noteLoss(of frame: LoopedFrame) {
    if frame.pass == 0 { result.lostFrameCount += 1 } else { lostInLoops += 1 }
  }

  private func finish() {
    // Only now is it known whether the built-in encoder ran, and on which rig.
    result.processor = processor.processorDescription
    result.warnings = source.warnings + result.warnings
    // A digest that depends on the clock would differ from run to run.
    let isWhole = options.updateBoundNanoseconds == nil || options.carvingLog != nil
    let isRepeatable = isWhole && (options.onDeadline == .finish || options.decisions != nil)
    if result.distinctFrameCount > 0, isRepeatable { result.digest = digest.run }
    if result.isInterrupted { result.faults.insert(.interrupted) }
    if result.warnings.contains(where: \.isDamage) { result.faults.insert(.recordingDamaged) }
    if result.distinctFrameCount == 0, !result.isInterrupted {
      result.faults.insert(.recordingDamaged)
    }
  }
}
