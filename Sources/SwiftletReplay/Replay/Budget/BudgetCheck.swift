import Foundation
import Swiftlet

/// One limit of a budget, held against a run.
public struct BudgetCheck: Sendable, Equatable, Encodable {
  public enum Tier: String, Sendable, Codable {
    case deterministic = "A"
    case relative = "B"
    case absolute = "C"
  }

  public var tier: Tier
  /// `total p99`, `project max`, `allocations`.
  public var name: String
  public var limit: String
  public var found: String
  public var outcome: Verdict
  /// Why nothing could be decided, or what follows from it; nil where the values say it all.
  public var reason: String?
  /// What the check makes of the exit code; nil for a pass.
  public var status: ExitStatus?

  public init(
    _ tier: Tier, _ name: String, limit: String, found: String, outcome: Verdict,
    reason: String? = nil, failure: ExitStatus = .budgetMissed
  ) {
    self.tier = tier
    self.name = name
    self.limit = limit
    self.found = found
    self.outcome = outcome
    self.reason = reason
    switch outcome {
    case .pass: status = nil
    case .fail: status = failure
    case .inconclusive: status = failure == .baselineMissing ? failure : .inconclusive
    }
  }

  enum CodingKeys: String, CodingKey { case tier, name, limit, found, outcome, reason }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(tier, forKey: .tier)
    try container.encode(name, forKey: .name)
    try container.encode(limit, forKey: .limit)
    try container.encode(found, forKey: .found)
    try container.encode(outcome, forKey: .outcome)
    try container.encode(reason, forKey: .reason)
  }
}

/// Holds a budget against a run.
public struct BudgetJudge: Sendable {
  public var budget: LatencyBudget
  /// This machine's name.
  public var host: String
  /// The folder that a relative baseline is relative to.
  public var folder: URL

  public init(budget: LatencyBudget, host: String, folder: URL) {
    self.budget = budget
    self.host = host
    self.folder = folder
  }

  /// Whether the absolute limits gate on this machine.
  public var isNamedHost: Bool {
    budget.hosts.contains { unsafe fnmatch($0, host, 0) == 0 }
  }

  /// Every limit with its outcome.
  public func checks(
    _ result: ReplayResult, _ stages: [StageSummary], _ judgement: Judgement
  ) -> [BudgetCheck] {
    deterministic(result) + relative(result) + absolute(result, stages, judgement)
  }

  // MARK: A

  private func deterministic(_ result: ReplayResult) -> [BudgetCheck] {
    guard let limits = budget.deterministic else { return [] }
    var checks: [BudgetCheck] = []
    if let expected = limits.digest {
      let found = result.digest.map(OutputDigest.text)
      checks.append(
        BudgetCheck(
          .deterministic, "digest", limit: expected, found: found ?? "none",
          outcome: found == nil ? .inconclusive : found == expected ? .pass : .fail,
          reason: found == nil ? "a deadline may have cut work, or nothing was measured" : nil,
          failure: .outputMismatch))
    }
    if let allowed = limits.allocations {
      checks.append(count("allocations", allowed, result.allocationCount, result))
    }
    if let allowed = limits.pageFaults {
      let faults = result.records.reduce(0) { $0 + $1.host.pageFaults }
      checks.append(count("page faults", allowed, faults, result))
    }
    return checks
  }

  private func count(
    _ name: String, _ allowed: Int64, _ found: Int64?, _ result: ReplayResult
  ) -> BudgetCheck {
    guard let found, !result.records.isEmpty else {
      return BudgetCheck(
        .deterministic, name, limit: "\(allowed)", found: "not counted", outcome: .inconclusive,
        reason: "nothing was counted in this run")
    }
    return BudgetCheck(
      .deterministic, name, limit: "\(allowed)", found: "\(found)",
      outcome: found <= allowed ? .pass : .fail)
  }

  // MARK: B

  private func relative(_ result: ReplayResult) -> [BudgetCheck] {
    guard let limits = budget.relative else { return [] }
    let path = URL(fileURLWithPath: limits.baseline, relativeTo: folder).path
    let name = "against \(limits.baseline)"
    let limit = "+\(Self.number(limits.tolerance * 100)) %"
    let baseline: RunFolder
    do throws(RecordingError) {
      baseline = try RunFolder(path: path)
    } catch {
      return [
        BudgetCheck(
          .relative, name, limit: limit, found: "no baseline", outcome: .inconclusive,
          reason: "\(error)", failure: .baselineMissing)
      ]
    }
    var comparison = LatencyComparison()
    comparison.tolerance = limits.tolerance
    let judged = comparison.judge(
      base: [baseline.judgedNanoseconds], head: [result.records.map(\.judgedNanoseconds)])
    if let refusal = unlike(baseline, result) ?? judged.refusal {
      return [
        BudgetCheck(
          .relative, name, limit: limit, found: "not compared", outcome: .inconclusive,
          reason: refusal)
      ]
    }
    return judged.shifts.map { shift in
      BudgetCheck(
        .relative, "\(shift.percentile.label) \(name)", limit: limit,
        found: String(
          format: "%+.1f %% (%+.1f to %+.1f)", shift.relative * 100, shift.lower * 100,
          shift.upper * 100),
        outcome: judged.regressions.contains(shift) ? .fail : .pass)
    }
  }

  private func unlike(_ baseline: RunFolder, _ result: ReplayResult) -> String? {
    if result.build == .debug { return "a debug build is never judged: build with -c release" }
    guard let data = try? ReplayReport(result).json(),
      let report = try? JSONReader.parse(Array(data))
    else { return "this run's report cannot be made" }
    return RunComparison.unlikeHost(baseline.report, report)
  }

  // MARK: C

  private func absolute(
    _ result: ReplayResult, _ stages: [StageSummary], _ judgement: Judgement
  ) -> [BudgetCheck] {
    var checks: [BudgetCheck] = []
    if let total = budget.total {
      checks += limits("total", total, stages.first { $0.name == "total" })
    }
    for (name, limits) in budget.stages.sorted(by: { $0.key < $1.key }) {
      checks += self.limits(name, limits, stages.first { $0.name == name })
    }
    if budget.misses != nil {
      checks.append(
        BudgetCheck(
          .absolute, "misses", limit: result.options.rule.text,
          found: "\(result.missCount) of \(result.records.count), longest run "
            + "\(result.longestMissRun)",
          outcome: judgement.verdict, reason: judgement.reasons.joined(separator: "; ")))
    }
    guard let refusal = refusal(result) else { return checks }
    return checks.map {
      BudgetCheck(
        .absolute, $0.name, limit: $0.limit, found: $0.found, outcome: .inconclusive,
        reason: refusal)
    }
  }

  private func refusal(_ result: ReplayResult) -> String? {
    if result.build == .debug { return "a debug build is never judged: build with -c release" }
    guard isNamedHost else {
      let names = budget.hosts.isEmpty ? "none" : budget.hosts.joined(separator: ", ")
      return "this host is \(host); the absolute limits gate on \(names)"
    }
    return nil
  }

  private func limits(
    _ name: String, _ limits: LatencyBudget.Limits, _ row: StageSummary?
  ) -> [BudgetCheck] {
    guard let row else {
      return [
        BudgetCheck(
          .absolute, name, limit: "some", found: "no such stage", outcome: .inconclusive,
          reason: "the pipeline has no stage \(name), or the run is a closed loop")
      ]
    }
    var checks = Percentile.allCases.compactMap { percentile -> BudgetCheck? in
      guard let limit = limits.percentiles[percentile] else { return nil }
      let label = "\(name) \(percentile.label)"
      guard let found = row.percentileNanoseconds[percentile] else {
        return BudgetCheck(
          .absolute, label, limit: Self.time(limit), found: "\(row.sampleCount) frames",
          outcome: .inconclusive, reason: "it takes \(percentile.framesNeeded) frames")
      }
      return Self.check(label, limit, found)
    }
    if let limit = limits.maximum, let found = row.maximumNanoseconds {
      checks.append(Self.check("\(name) max", limit, found))
    }
    return checks
  }

  private static func check(_ name: String, _ limit: Int64, _ found: Int64) -> BudgetCheck {
    BudgetCheck(
      .absolute, name, limit: time(limit), found: time(found),
      outcome: found <= limit ? .pass : .fail)
  }
  private static func time(_ nanoseconds: Int64) -> String {
    String(format: "%.3f ms", milliseconds(nanoseconds))
  }
  private static func number(_ value: Double) -> String {
    value == value.rounded() ? "\(Int(value))" : "\((value * 1000).rounded() / 1000)"
  }
}
