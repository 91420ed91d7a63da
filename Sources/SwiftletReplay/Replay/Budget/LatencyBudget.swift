/// What `budget.yaml` says: limits in three tiers.
///
/// - A, deterministic: digest, allocations, page faults, instructions a frame. Gates everywhere.
/// - B, relative: against a stored run of the same host and settings.
/// - C, absolute: milliseconds and misses. Gates on the hosts it names, inconclusive elsewhere.
public struct LatencyBudget: Sendable, Equatable {
  /// Upper limits of one row of the report, nanoseconds.
  public struct Limits: Sendable, Equatable {
    public var percentiles: [Percentile: Int64] = [:]
    public var maximum: Int64?

    public init() {}
  }

  /// At most `misses` late frames in any `frames` that follow each other.
  public struct MissWindow: Sendable, Equatable {
    public var misses: Int
    public var frames: Int

    public init(misses: Int, frames: Int) {
      self.misses = misses
      self.frames = frames
    }
  }

  public struct Misses: Sendable, Equatable {
    /// Time a frame may take; nil takes the configuration's.
    public var budgetNanoseconds: Int64?
    public var rate: Double?
    public var consecutive: Int?
    public var window: MissWindow?

    public init() {}
  }

  public struct Deterministic: Sendable, Equatable {
    public var digest: String?
    public var allocations: Int64?
    public var pageFaults: Int64?
    /// Counted by `swiftlet instructions`, not by a replay.
    public var instructionsPerFrame: Double?
    public var instructionTolerance = 0.005

    public init() {}
  }

  public struct Relative: Sendable, Equatable {
    /// A result folder, relative to the budget file's own folder.
    public var baseline: String
    public var tolerance = 0.05

    public init(baseline: String) { self.baseline = baseline }
  }

  /// Shell patterns of the host names on which tier C gates; empty: on none.
  public var hosts: [String] = []
  public var total: Limits?
  /// By the stage's name, `response` included.
  public var stages: [String: Limits] = [:]
  public var misses: Misses?
  public var deterministic: Deterministic?
  public var relative: Relative?

  public init() {}

  public var hasAbsoluteLimits: Bool { total != nil || !stages.isEmpty || misses != nil }
}
