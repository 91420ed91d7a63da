import Swiftlet

/// One row of `swiftlet bench`.
public struct BenchmarkMeasurement: Sendable, Equatable {
  public var name: String
  public var category: String
  public var threadCount: Int
  public var precision: String
  /// Nil when the result equals the reference; else what differs, and nothing was timed.
  public var verificationFailure: String?
  /// Nanoseconds, sorted.
  public var samples: [Int64]
  /// Nanoseconds of the work between runs, sorted; empty when there is none.
  public var betweenSamples: [Int64] = []
  /// Relative L2 error against the fp32 reference; nil for fp32.
  public var relativeError: Double?
  public var flop: Double
  public var bytes: Double
  /// Share of the roof at the median; nil when nothing was timed.
  public var roofShare: Double?

  public var isVerified: Bool { verificationFailure == nil }
}

/// Verifies workloads, then times them one by one.
public struct BenchmarkRunner {
  public var engine: Engine
  public var pool: WorkerPool
  /// How long each workload is sampled at least, and how many samples are enough.
  public var sampleNanoseconds: Int64 = 2_000_000_000
  public var maximumSampleCount = 10_000
  private let clock: any ReplayClock
  private let roof: RoofProbe

  public init(engine: Engine, pool: WorkerPool, clock: any ReplayClock = MonotonicClock()) {
    self.engine = engine
    self.pool = pool
    self.clock = clock
    roof = RoofProbe(engine: engine, pool: pool)
  }

  /// Those of `workloads` whose category is `filter` or whose name contains it; all for nil.
  public static func select(
    _ workloads: [BenchmarkWorkload], filter: String?
  ) -> [BenchmarkWorkload] {
    guard let filter else { return workloads }
    return workloads.filter { $0.category == filter || $0.name.contains(filter) }
  }

  /// Compares `workload` with its reference and times nothing.
  public func verify(
    _ workload: BenchmarkWorkload, precision: String
  ) throws -> BenchmarkMeasurement {
    try verified(workload, precision: precision).measurement
  }

  private func verified(
    _ workload: BenchmarkWorkload, precision: String
  ) throws -> (measurement: BenchmarkMeasurement, prepared: any PreparedWorkload) {
    let prepared = try workload.prepare(engine, pool, precision)
    var measurement = BenchmarkMeasurement(
      name: workload.name, category: workload.category, threadCount: pool.threadCount,
      precision: precision, verificationFailure: prepared.verificationFailure(), samples: [],
      flop: prepared.floatingPointOperations, bytes: prepared.bytesMoved, roofShare: nil)
    measurement.relativeError = prepared.relativeError
    return (measurement, prepared)
  }

  /// Verifies, warms up and samples `workload`.
  public func measure(
    _ workload: BenchmarkWorkload, precision: String
  ) throws -> BenchmarkMeasurement {
    var (measurement, prepared) = try verified(workload, precision: precision)
    guard measurement.isVerified else { return measurement }
    let times = sample(prepared)
    measurement.samples = times.runs.sorted()
    measurement.betweenSamples = times.between.sorted()
    let median = measurement.samples[(measurement.samples.count - 1) / 2]
    measurement.roofShare = roof.share(
      flop: measurement.flop, bytes: measurement.bytes, seconds: Double(median) / 1e9,
      precision: precision)
    return measurement
  }

  private func sample(
    _ prepared: any PreparedWorkload
  ) -> (runs: [Int64], between: [Int64]) {
    var runs: [Int64] = []
    var between: [Int64] = []
    runs.reserveCapacity(maximumSampleCount)
    if prepared.hasWorkBetweenRuns { between.reserveCapacity(maximumSampleCount) }
    // Verification ran it once; a few more runs settle caches and the CPU's clock.
    let start = clock.nowNanoseconds
    while clock.nowNanoseconds - start < sampleNanoseconds / 10 {
      prepared.prepareNextRun()
      prepared.run()
    }
    let end = clock.nowNanoseconds + sampleNanoseconds
    var now = clock.nowNanoseconds
    while runs.count < maximumSampleCount,
      now < end || runs.count < Percentile.p50.framesNeeded
    {
      let first = clock.nowNanoseconds
      prepared.prepareNextRun()
      let before = clock.nowNanoseconds
      prepared.run()
      now = clock.nowNanoseconds
      if prepared.hasWorkBetweenRuns { between.append(before - first) }
      runs.append(now - before)
    }
    return (runs, between)
  }
}
