/// Validity and age of one sensor in one frame.
public struct SensorState: Sendable, Equatable {
  public var name: String
  public var isValid: Bool
  public var ageNanoseconds: Int64
  /// From the sample's own time (its exposure) to the frame's result: the age at the frame's time
  /// plus what the frame took from when it was due (open loop) or started (closed loop). Nil for a
  /// sensor that is missing.
  public var outputAgeNanoseconds: Int64?

  public init(
    name: String, isValid: Bool, ageNanoseconds: Int64, outputAgeNanoseconds: Int64? = nil
  ) {
    self.name = name
    self.isValid = isValid
    self.ageNanoseconds = ageNanoseconds
    self.outputAgeNanoseconds = outputAgeNanoseconds
  }
}

/// What was measured about one frame.
public struct FrameRecord: Sendable, Equatable {
  /// 0, 1, … in order of measurement.
  public var measuredIndex: Int
  /// 0 for the recording itself, 1 … when it is looped.
  public var pass: Int
  /// Index in the recording.
  public var recordedIndex: Int
  public var timestampNanoseconds: Int64
  /// One per stage of the processor, in its order; 0 for a stage that a deadline left out.
  public var stageNanoseconds: [Int64]
  /// When each stage began, since the first measured frame.
  public var stageStartNanoseconds: [Int64]
  /// Stages that ran; fewer than all when a deadline policy left some out.
  public var completedStageCount: Int
  /// First in-budget stage's start to the last one's end.
  public var serviceNanoseconds: Int64
  /// Due time to the end of the last stage; nil in a closed loop.
  public var responseNanoseconds: Int64?
  public var isMissed: Bool
  /// Allocations of the process during the in-budget stages; nil where nothing counts them.
  public var allocations: Int64?
  /// What the host did during the in-budget stages.
  public var host: HostSample
  /// Of the outputs; first pass only.
  public var digest: UInt64?
  public var sensors: [SensorState]

  /// What the budget is compared with.
  public var judgedNanoseconds: Int64 { responseNanoseconds ?? serviceNanoseconds }
}

/// Everything a replay measured.
public struct ReplayResult: Sendable {
  public var recordingName: String
  public var stages: [ReplayStage]
  public var processor: ProcessorDescription
  public var options: ReplayOptions
  public var build: BuildMode
  /// What the system granted of `--cpus`, `--rt-priority` and `--lock-memory`.
  public var hostControls = HostControls()
  /// The faults that were injected, as the user wrote them, and their seed.
  public var injection: String?
  /// Frames of the recording that were replayed at least once.
  public var distinctFrameCount = 0
  /// Frames of the recording that could not be read or processed.
  public var lostFrameCount = 0
  public var warmupFrameCount = 0
  public var records: [FrameRecord] = []
  public var warnings: [ReplayWarning] = []
  /// Of the first pass; nil when nothing was processed.
  public var digest: UInt64?
  public var stealNanoseconds: Int64 = 0
  public var isInterrupted = false
  /// The occupancy map against a synthetic drive's ground truth, over the first pass; nil for
  /// recordings without one, and where no pictures were asked for.
  public var mapScore: MapScore?
  /// Codes found while running, before the verdict.
  public var faults: Set<ExitStatus> = []

  public var missCount: Int { records.count(where: \.isMissed) }
  public var passCount: Int { (records.last?.pass ?? -1) + 1 }

  /// The most misses that followed each other in order of measurement.
  public var longestMissRun: Int {
    var longest = 0
    var current = 0
    for record in records {
      current = record.isMissed ? current + 1 : 0
      longest = max(longest, current)
    }
    return longest
  }

  /// The most misses in any `frameCount` measured frames that follow each other.
  public func worstMissWindow(of frameCount: Int) -> Int {
    var (worst, current) = (0, 0)
    for index in records.indices {
      if records[index].isMissed { current += 1 }
      if index >= frameCount, records[index - frameCount].isMissed { current -= 1 }
      worst = max(worst, current)
    }
    return worst
  }

  /// The rule's verdict over all measured frames.
  var ruleJudgement: Judgement {
    options.rule.judge(
      frames: records.count, misses: missCount, longestRun: longestMissRun,
      worstWindow: options.rule.window.map { worstMissWindow(of: $0.frames) } ?? 0)
  }

  /// Frames in which a deadline policy left stages out.
  public var cutFrameCount: Int {
    records.count { $0.completedStageCount < stages.count }
  }

  /// Nil where counting was not possible, else the sum over all measured frames.
  public var allocationCount: Int64? {
    records.reduce(Int64?.some(0)) { sum, record in
      guard let sum, let count = record.allocations else { return nil }
      return sum + count
    }
  }
}
