import Swiftlet

/// A named piece of work with seeded inputs, shared by `swiftlet bench` and `Benchmarks/`.
public struct BenchmarkWorkload: Sendable {
  /// The name users filter by, `bevdet-r50-pool`.
  public var name: String
  /// projection, occupancy, attention or frame.
  public var category: String
  /// fp32, bf16, int8 …
  public var precisions: [String]
  /// Builds inputs and buffers; called outside the clock.
  public var prepare:
    @Sendable (_ engine: Engine, _ pool: WorkerPool, _ precision: String) throws -> any PreparedWorkload

  public init(
    name: String, category: String, precisions: [String] = ["fp32"],
    prepare: @escaping @Sendable (Engine, WorkerPool, String) throws -> any PreparedWorkload
  ) {
    self.name = name
    self.category = category
    self.precisions = precisions
    self.prepare = prepare
  }
}

/// A workload ready to be timed.
public protocol PreparedWorkload: AnyObject {
  /// Floating-point operations of one run (a multiply-add is 2) and bytes moved at the least.
  var floatingPointOperations: Double { get }
  var bytesMoved: Double { get }
  /// What of the next run does not depend on its inputs, done between runs and timed apart.
  /// Allocates nothing.
  func prepareNextRun()
  /// Whether `prepareNextRun` does anything.
  var hasWorkBetweenRuns: Bool { get }
  /// ‖result - fp32 reference‖ / ‖fp32 reference‖ as the verification found it; nil for results that
  /// are fp32 themselves.
  var relativeError: Double? { get }
  /// One run; allocates nothing.
  func run()
  /// Runs once and compares with the scalar reference; nil when equal within the stated tolerance,
  /// else what differs.
  func verificationFailure() -> String?
}

extension PreparedWorkload {
  public func prepareNextRun() {}
  public var hasWorkBetweenRuns: Bool { false }
  public var relativeError: Double? { nil }
}
