import Foundation
import Swiftlet

/// Two result folders side by side: what was computed, and how long it took.
public struct RunComparison: Sendable {
  public var latency = LatencyComparison()
  /// Sensor ages may differ by this much.
  public var ageToleranceMilliseconds = 1.0

  public init() {}

  public struct Result: Sendable {
    /// Differences of outputs and inputs, one sentence each, naming frame, sensor and both values.
    public var differences: [String]
    public var latency: LatencyComparison.Result
    public var exitStatuses: [ExitStatus]
  }

  public func compare(_ base: RunFolder, _ head: RunFolder) -> Result {
    var result = Result(
      differences: outputDifferences(base, head),
      latency: latency.judge(base: [base.judgedNanoseconds], head: [head.judgedNanoseconds]),
      exitStatuses: [])
    if let unlike = unlikeHost(base, head) {
      result.latency.refusal = unlike
      result.latency.regressions = []
    }
    var statuses: Set<ExitStatus> = []
    if !result.differences.isEmpty { statuses.insert(.outputMismatch) }
    if !result.latency.regressions.isEmpty { statuses.insert(.budgetMissed) }
    if result.latency.refusal != nil { statuses.insert(.inconclusive) }
    result.exitStatuses = ExitStatus.ordered(statuses)
    return result
  }

  /// Times taken on different machines, builds or settings are not compared.
  private func unlikeHost(_ base: RunFolder, _ head: RunFolder) -> String? {
    for field in ["cpu", "isa", "threads", "engine", "build", "rate", "config_hash", "rig_hash"] {
      let (a, b) = (base.report[field]?.text ?? "none", head.report[field]?.text ?? "none")
      if a != b { return "\(field) differs: \(a) and \(b): times are not compared" }
    }
    return base.report["build"]?.stringValue == "debug" ? "debug builds are not compared" : nil
  }

  private func outputDifferences(_ base: RunFolder, _ head: RunFolder) -> [String] {
    let (a, b) = (base.firstPass, head.firstPass)
    var differences: [String] = []
    for index in Set(a.keys).union(b.keys).sorted() {
      guard let before = a[index], let after = b[index] else {
        differences.append(
          "frame \(index): \(a[index] == nil ? "only in the second" : "only in the first") run")
        continue
      }
      differences += sensorDifferences(index, before, after)
      let digests = (before["digest"]?.stringValue, after["digest"]?.stringValue)
      if let x = digests.0, let y = digests.1, x != y {
        differences.append("frame \(index): outputs differ, digest \(x) and \(y)")
      }
    }
    return differences
  }

  private func sensorDifferences(
    _ index: Int, _ base: JSONValue, _ head: JSONValue
  ) -> [String] {
    let (before, after) = (sensors(base), sensors(head))
    var differences: [String] = []
    for name in Set(before.keys).union(after.keys).sorted() {
      let (x, y) = (before[name], after[name])
      let valid = (x?["valid"]?.boolValue ?? false, y?["valid"]?.boolValue ?? false)
      if valid.0 != valid.1 {
        differences.append("frame \(index), \(name): valid \(valid.0) and \(valid.1)")
      }
      if let a = x?["age_ms"]?.doubleValue, let b = y?["age_ms"]?.doubleValue,
        abs(a - b) > ageToleranceMilliseconds
      {
        differences.append("frame \(index), \(name): age \(a) ms and \(b) ms")
      }
    }
    return differences
  }

  private func sensors(_ frame: JSONValue) -> [String: JSONValue] {
    var byName: [String: JSONValue] = [:]
    for sensor in frame["sensors"]?.arrayValue ?? [] {
      if let name = sensor["name"]?.stringValue { byName[name] = sensor }
    }
    return byName
  }
}

extension RunComparison.Result: CustomStringConvertible {
  /// The first differences, the shifts, and the conclusion.
  public var description: String {
    var lines = differences.prefix(20).map { $0 }
    if differences.count > 20 { lines.append("… and \(differences.count - 20) more differences") }
    if differences.isEmpty { lines.append("outputs: equal") }
    lines += latency.lines
    lines.append("exit " + exitStatuses.map { "\($0.rawValue)" }.joined(separator: " also "))
    return lines.joined(separator: "\n")
  }
}

extension LatencyComparison.Result {
  /// One line a quantile, then the conclusion.
  public var lines: [String] {
    var lines = shifts.map { shift in
      String(
        format: "%@: %.3f ms and %.3f ms, %+.1f %% (99 %% interval %+.1f to %+.1f %%)%@",
        shift.percentile.label as NSString, Double(shift.baseNanoseconds) / 1e6,
        Double(shift.headNanoseconds) / 1e6, shift.relative * 100, shift.lower * 100,
        shift.upper * 100, (regressions.contains(shift) ? " REGRESSION" : "") as NSString)
    }
    if let refusal { lines.append("INCONCLUSIVE: \(refusal)") }
    return lines
  }
}
