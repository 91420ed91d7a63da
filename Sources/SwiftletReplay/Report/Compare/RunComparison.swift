import Foundation
import Swiftlet

/// Two result folders side by side: what was computed, and how long it took.
public struct RunComparison: Sendable {
  public var latency = LatencyComparison()
  /// Sensor ages may differ by this much.
  public var ageToleranceMilliseconds = 1.0
  /// How far named outputs may differ (`fused_bev`, `occupancy`, …); others must be equal.
  public var tolerances: [String: FieldTolerance] = [:]
  /// False compares outputs only: a golden run's times mean nothing elsewhere.
  public var judgesLatency = true

  public init() {}

  public struct Result: Sendable {
    /// Differences of outputs and inputs, one sentence each, naming frame, sensor and both values.
    public var differences: [String]
    /// What was not compared, and what may explain a difference.
    public var notes: [String] = []
    /// Frames whose outputs both sides kept, compared value by value.
    public var comparedFrameCount = 0
    public var latency: LatencyComparison.Result
    public var exitStatuses: [ExitStatus]
  }

  public func compare(_ base: RunFolder, _ head: RunFolder) -> Result {
    var result = Result(
      differences: [], latency: LatencyComparison.Result(shifts: [], regressions: []),
      exitStatuses: [])
    compareOutputs(base, head, &result)
    if judgesLatency {
      result.latency = latency.judge(
        base: [base.judgedNanoseconds], head: [head.judgedNanoseconds])
      if let unlike = Self.unlikeHost(base.report, head.report) {
        result.latency.refusal = unlike
        result.latency.regressions = []
      }
    }
    var statuses: Set<ExitStatus> = []
    if !result.differences.isEmpty { statuses.insert(.outputMismatch) }
    if !result.latency.regressions.isEmpty { statuses.insert(.budgetMissed) }
    if result.latency.refusal != nil || nothingWasCompared(base, head, result) {
      statuses.insert(.inconclusive)
    }
    result.exitStatuses = ExitStatus.ordered(statuses)
    return result
  }

  /// Tolerances were given, but no frame's values were there to hold against them.
  private func nothingWasCompared(
    _ base: RunFolder, _ head: RunFolder, _ result: Result
  ) -> Bool {
    !tolerances.isEmpty && result.comparedFrameCount == 0
      && base.report["digest"]?.stringValue != head.report["digest"]?.stringValue
  }

  /// Times taken on different machines, builds or settings are not compared.
  static func unlikeHost(_ base: JSONValue, _ head: JSONValue) -> String? {
    for field in ["cpu", "isa", "threads", "engine", "build", "rate", "config_hash", "rig_hash"] {
      let (a, b) = (base[field]?.text ?? "none", head[field]?.text ?? "none")
      if a != b { return "\(field) differs: \(a) and \(b): times are not compared" }
    }
    return base["build"]?.stringValue == "debug" ? "debug builds are not compared" : nil
  }

  private func compareOutputs(_ base: RunFolder, _ head: RunFolder, _ result: inout Result) {
    let (a, b) = (base.firstPass, head.firstPass)
    var onlyByDigest = 0
    for index in Set(a.keys).union(b.keys).sorted() {
      guard let before = a[index], let after = b[index] else {
        result.differences.append(
          "frame \(index): \(a[index] == nil ? "only in the second" : "only in the first") run")
        continue
      }
      result.differences += sensorDifferences(index, before, after)
      let digests = (before["digest"]?.stringValue, after["digest"]?.stringValue)
      guard let x = digests.0, let y = digests.1 else { continue }
      if let values = valueDifferences(index, base, head) {
        result.comparedFrameCount += 1
        result.differences += values
      } else if x != y {
        onlyByDigest += 1
        if tolerances.isEmpty {
          result.differences.append("frame \(index): outputs differ, digest \(x) and \(y)")
        }
      }
    }
    explain(base, head, onlyByDigest, &result)
  }

  /// Nil where one side did not keep the frame's outputs.
  private func valueDifferences(
    _ frame: Int, _ base: RunFolder, _ head: RunFolder
  ) -> [String]? {
    guard let before = base.outputs(frame: frame), let after = head.outputs(frame: frame) else {
      return nil
    }
    switch (before, after) {
    case (.success(let a), .success(let b)):
      return OutputComparison(tolerances: tolerances).differences(frame: frame, a, b)
    case (.failure(let error), _), (_, .failure(let error)):
      return ["frame \(frame): kept outputs cannot be read: \(error)"]
    }
  }

  private func explain(
    _ base: RunFolder, _ head: RunFolder, _ onlyByDigest: Int, _ result: inout Result
  ) {
    if onlyByDigest > 0 {
      result.notes.append(
        "\(onlyByDigest) frames differ by digest and their outputs were not kept: replay both with "
          + "--keep-outputs to see which cells, or to judge by tolerance")
    }
    guard !result.differences.isEmpty || onlyByDigest > 0 else { return }
    for field in ["isa", "engine", "config_hash", "rig_hash", "weights", "injected"] {
      let (a, b) = (base.report[field]?.text ?? "none", head.report[field]?.text ?? "none")
      if a != b { result.notes.append("\(field) differs: \(a) and \(b)") }
    }
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
    if differences.isEmpty {
      let how = comparedFrameCount > 0 ? " (\(comparedFrameCount) frames value by value)" : ""
      lines.append("outputs: equal\(how)")
    }
    lines += notes
    lines += latency.lines
    lines.append("exit " + exitStatuses.map { "\($0.rawValue)" }.joined(separator: " also "))
    return lines.joined(separator: "\n")
  }
}

extension RunComparison.Result: Encodable {
  enum CodingKeys: String, CodingKey {
    case differences, notes
    case comparedFrames = "frames_compared_by_value"
    case shifts, refusal
    case exitCodes = "exit_codes"
  }
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(differences, forKey: .differences)
    try container.encode(notes, forKey: .notes)
    try container.encode(comparedFrameCount, forKey: .comparedFrames)
    try container.encode(latency.shiftLines, forKey: .shifts)
    try container.encode(latency.refusal, forKey: .refusal)
    try container.encode(exitStatuses.map(\.rawValue), forKey: .exitCodes)
  }
}

/// A shift as JSON has it.
public struct ShiftLine: Encodable, Sendable {
  var percentile: String
  var base: Double
  var head: Double
  var relative: Double
  var lower: Double
  var upper: Double
  var isRegression: Bool

  enum CodingKeys: String, CodingKey {
    case percentile
    case base = "base_ms"
    case head = "head_ms"
    case relative, lower, upper
    case isRegression = "regression"
  }
}

extension LatencyComparison.Result {
  public var shiftLines: [ShiftLine] {
    shifts.map {
      ShiftLine(
        percentile: $0.percentile.label, base: milliseconds($0.baseNanoseconds),
        head: milliseconds($0.headNanoseconds), relative: $0.relative, lower: $0.lower,
        upper: $0.upper, isRegression: regressions.contains($0))
    }
  }

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
