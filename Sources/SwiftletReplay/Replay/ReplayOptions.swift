/// When frames are due.
public enum ReplayRate: Sendable, Equatable {
  /// Closed loop: each frame as soon as the one before it is done. Service times are judged.
  case max
  /// Open loop at a multiple of the recording's own rate. Response times are judged.
  case scaled(Double)
  /// Open loop at a fixed number of frames a second. Response times are judged.
  case framesPerSecond(Double)

  public var isOpenLoop: Bool { self != .max }
  public var label: String {
    switch self {
    case .max: "max (closed loop)"
    case .scaled(let factor): "\(factor) × recorded (open loop)"
    case .framesPerSecond(let rate): "\(rate) frames/s (open loop)"
    }
  }
}

/// How a recording is replayed and judged.
public struct ReplayOptions: Sendable, Equatable {
  public var budgetNanoseconds: Int64 = 10_000_000
  public var rule = VerdictRule()
  /// False only reports: no verdict, no looping.
  public var isGated = true
  /// False judges the recording's own frames only, however few they are.
  public var loops = true
  public var rate = ReplayRate.max
  /// Repetitions of the first frame before the first measured one, on state that is thrown away.
  public var warmupFrameCount = 10
  /// Distinct frames to replay at most.
  public var frameLimit: Int?
  /// A looped recording ends after this many measured frames even if undecided.
  public var maximumMeasuredFrames = 3_000
  /// A looped recording goes on to this many measured frames even if decided earlier: what the
  /// percentiles of a budget file take.
  public var minimumMeasuredFrames = 0
  /// Loops to exactly this many measured frames, judged or not (but never less than the recording
  /// once): samples of equal size, for comparing builds.
  public var measuredFrameCount: Int?
  /// What happens when a frame's time is up between two stages.
  public var onDeadline = DeadlinePolicy.finish
  /// Decisions of an earlier run to repeat, in place of the clock's.
  public var decisions: DecisionLog?
  /// What the occupancy update may take: its carving stops in time (`CarvingBound`).
  public var updateBoundNanoseconds: Int64?
  /// Where an earlier run's carving stopped, to repeat it.
  public var carvingLog: CarvingLog?
  /// Every stage is lengthened by this share of its time, busy: a slow-down to try gates with.
  public var plantedSlowdown = 0.0
  /// Decoded frames the reading thread holds ready at most.
  public var readAhead = 2
  /// True reads and decodes every frame before the first is measured.
  public var preloads = false
  /// A looped recording of at most this many frames is kept decoded.
  public var cachedFrameLimit = 16

  public init() {}
}

/// The build of this code: only `release` is judged.
public enum BuildMode: String, Sendable, Codable {
  case debug
  case release

  // SwiftPM defines DEBUG for its debug configuration.
  #if DEBUG
    public static let current = BuildMode.debug
  #else
    public static let current = BuildMode.release
  #endif
}
