import Foundation

/// What `swiftlet bench` prints, as a table or as JSON.
public struct BenchmarkTable: Sendable {
  public var isa: String
  public var cpu: String
  public var measurements: [BenchmarkMeasurement]

  public init(isa: String, cpu: String, measurements: [BenchmarkMeasurement]) {
    self.isa = isa
    self.cpu = cpu
    self.measurements = measurements
  }

  /// One row a workload; a percentile the sample does not support says how many runs it takes.
  public var text: String {
    let header = [
      "workload", "category", "thr", "precision", "median", "p99", "p99.9", "max", "samples",
      "roof", "between", "error",
    ]
    let lines = ColumnLayout.lines([header] + measurements.map(row))
    return (["\(cpu), isa \(isa), times in ms"] + lines + failures).joined(separator: "\n")
  }

  /// A line of its own each: in a column it would push the others off the screen.
  private var failures: [String] {
    measurements.compactMap { measurement in
      measurement.verificationFailure.map {
        "WRONG: \(measurement.name) \(measurement.precision): \($0)"
      }
    }
  }

  private func row(_ measurement: BenchmarkMeasurement) -> [String] {
    let identity = [
      measurement.name, measurement.category, "\(measurement.threadCount)", measurement.precision,
    ]
    guard measurement.isVerified else { return identity + ["WRONG"] }
    guard !measurement.samples.isEmpty else { return identity + ["verified"] }
    let times = [Percentile.p50, .p99, .p99_9].map { percentile in
      percentile.value(ofSorted: measurement.samples).map(text) ?? "n≥\(percentile.framesNeeded)"
    }
    let share = measurement.roofShare.map { String(format: "%.0f %%", $0 * 100) }
    let between = Percentile.p50.value(ofSorted: measurement.betweenSamples).map(text)
    let error = measurement.relativeError.map { String(format: "%.1e", $0) }
    var columns: [String] = identity + times
    columns.append(measurement.samples.last.map(text) ?? "–")
    columns.append("\(measurement.samples.count)")
    for optional in [share, between, error] { columns.append(optional ?? "–") }
    return columns
  }

  private func text(_ nanoseconds: Int64) -> String {
    String(format: "%.4f", milliseconds(nanoseconds))
  }
}

extension BenchmarkTable: Encodable {
  enum CodingKeys: String, CodingKey {
    case isa, cpu, workloads
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(isa, forKey: .isa)
    try container.encode(cpu, forKey: .cpu)
    try container.encode(measurements, forKey: .workloads)
  }
}

extension BenchmarkMeasurement: Encodable {
  enum CodingKeys: String, CodingKey {
    case name, category, threads, precision, verified
    case median = "median_ms"
    case p99 = "p99_ms"
    case p99_9 = "p99_9_ms"
    case maximum = "max_ms"
    case samples, flop, bytes
    case roofShare = "roof_share"
    case between = "between_runs_median_ms"
    case relativeError = "relative_l2_error_against_fp32"
  }

  /// Every field is there; what the sample does not support is null.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(category, forKey: .category)
    try container.encode(threadCount, forKey: .threads)
    try container.encode(precision, forKey: .precision)
    try container.encode(isVerified, forKey: .verified)
    for (percentile, key) in [
      (Percentile.p50, CodingKeys.median), (.p99, .p99), (.p99_9, .p99_9),
    ] {
      try container.encode(percentile.value(ofSorted: samples).map(milliseconds), forKey: key)
    }
    try container.encode(samples.last.map(milliseconds), forKey: .maximum)
    try container.encode(samples.count, forKey: .samples)
    try container.encode(flop, forKey: .flop)
    try container.encode(bytes, forKey: .bytes)
    try container.encode(roofShare, forKey: .roofShare)
    try container.encode(
      Percentile.p50.value(ofSorted: betweenSamples).map(milliseconds), forKey: .between)
    try container.encode(relativeError, forKey: .relativeError)
  }
}
