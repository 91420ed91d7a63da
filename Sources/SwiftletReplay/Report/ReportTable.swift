import Foundation

/// The verdict table that `swiftlet replay` prints.
public struct ReportTable: CustomStringConvertible, Sendable {
  private let report: ReplayReport

  public init(_ report: ReplayReport) { self.report = report }

  public var description: String {
    ([heading, ""] + table + budgetTable + [""] + facts + warningLines + ["", verdictLine])
      .joined(separator: "\n") + "\n"
  }

  private var result: ReplayResult { report.result }

  private var heading: String {
    let looped = result.passCount > 1 ? ", looped \(result.passCount) times, poses continued" : ""
    let lost = result.lostFrameCount > 0 ? ", \(result.lostFrameCount) lost" : ""
    return
      "\(result.recordingName): \(result.distinctFrameCount) frames\(lost), "
      + "\(result.records.count) measured\(looped), \(result.warmupFrameCount) warm-up"
  }

  private var table: [String] {
    let header = ["stage", "p50", "p90", "p99", "p99.9", "max"]
    let rows = report.stages.map { row in
      [row.isInBudget ? row.name : "\(row.name) *"]
        + Percentile.allCases.map { cell(row.percentileNanoseconds[$0], $0) }
        + [row.maximumNanoseconds.map(text) ?? "–"]
    }
    var lines = ColumnLayout.lines([header] + rows)
    lines[0] += "   ms"
    if report.stages.contains(where: { !$0.isInBudget }) {
      lines.append("* outside the budget")
    }
    return lines
  }

  /// The limits of a budget file.
  private var budgetTable: [String] {
    guard !report.budgetChecks.isEmpty else { return [] }
    let rows = report.budgetChecks.map { check in
      ["\(check.tier.rawValue) \(check.name)", check.limit, check.found, check.outcome.rawValue]
    }
    return ["", "budget on host \(report.budgetHost ?? "unknown")"]
      + ColumnLayout.lines([["limit on", "limit", "found", ""]] + rows)
  }

  /// The sensor whose samples were oldest when results came out.
  private var outputAgeLine: [String] {
    let oldest = report.sensors.max {
      ($0.maximumOutputAgeNanoseconds ?? .min) < ($1.maximumOutputAgeNanoseconds ?? .min)
    }
    guard let oldest, let maximum = oldest.maximumOutputAgeNanoseconds else { return [] }
    let median = oldest.medianOutputAgeNanoseconds.map(text) ?? "n≥\(Percentile.p50.framesNeeded)"
    return [
      "output age (exposure to result) at worst \(oldest.name): p50 \(median) ms, max "
        + "\(text(maximum)) ms"
    ]
  }

  private func cell(_ nanoseconds: Int64?, _ percentile: Percentile) -> String {
    nanoseconds.map(text) ?? "n≥\(percentile.framesNeeded)"
  }

  private func text(_ nanoseconds: Int64) -> String {
    String(format: "%.3f", milliseconds(nanoseconds))
  }

  private var facts: [String] {
    let processor = result.processor
    let hosts = result.records.map(\.host)
    let allocations = result.allocationCount.map(String.init) ?? "not counted"
    return [
      "misses \(result.missCount) of \(result.records.count) over "
        + "\(text(result.options.budgetNanoseconds)) ms (\(judgedTime) time), longest run "
        + "\(result.longestMissRun), miss rate ≤ \(percent(report.judgement.missRateUpper95)) "
        + "at 95 %" + causes,
      "engine \(processor.engine), isa \(processor.instructionSet), threads "
        + "\(processor.threadCount), \(result.build.rawValue) build, rate "
        + result.options.rate.label + (result.hostControls.text.map { ", \($0)" } ?? "")
        + (result.options.preloads ? ", preloaded" : ""),
      "encoder \(processor.encoder), \(processor.weights), config \(processor.configurationHash)",
      "allocations \(allocations), page faults \(hosts.reduce(0) { $0 + $1.pageFaults }), "
        + "involuntary switches \(hosts.reduce(0) { $0 + $1.involuntarySwitches }), steal "
        + "\(text(result.stealNanoseconds)) ms",
      "digest \(result.digest.map(OutputDigest.text) ?? "none") (first pass)",
    ] + injectionLine + outputAgeLine + scoreLine
  }

  private var injectionLine: [String] { result.injection.map { ["injected \($0)"] } ?? [] }

  /// What a synthetic drive's ground truth says of the voxel map.
  private var scoreLine: [String] {
    guard let score = result.mapScore else { return [] }
    func text(_ value: Double?) -> String { value.map { String(format: "%.3f", $0) } ?? "–" }
    return [
      "map against ground truth: IoU occupied \(text(score.intersectionOverUnion)), free "
        + "\(text(score.freeIntersectionOverUnion)), surface recall \(text(score.surfaceRecall)), "
        + "ghosts \(text(score.ghostRate))"
    ]
  }

  /// Who made frames late, where some were.
  private var causes: String {
    let counts = result.missCauses
    let named = MissCause.allCases.compactMap { cause in
      counts[cause, default: 0] > 0 ? "\(counts[cause, default: 0]) by \(cause.rawValue)" : nil
    }
    let cut = result.cutFrameCount
    let cutText =
      cut > 0 ? "; \(cut) frames cut short (\(result.options.onDeadline.rawValue))" : ""
    return (named.isEmpty ? "" : " (\(named.joined(separator: ", ")))") + cutText
  }

  private var judgedTime: String { result.options.rate.isOpenLoop ? "response" : "service" }

  /// One line per code, with the count and the first occurrence: a sensor missing in every frame is
  /// one fact, not a thousand.
  private var warningLines: [String] {
    var order: [String] = []
    var groups: [String: [ReplayWarning]] = [:]
    for warning in result.warnings {
      let key = "\(warning.code) \(warning.sensor ?? "")"
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(warning)
    }
    return order.map { key in
      let group = groups[key] ?? []
      let first = group[0]
      let place = [first.sensor, first.frame.map { "frame \($0)" }].compactMap(\.self)
      let where_ = place.isEmpty ? "" : " (\(place.joined(separator: ", ")))"
      let kind = first.isDamage ? "damage" : "warning"
      return "\(kind) \(first.code) × \(group.count)\(where_): \(first.message)"
    }
  }

  private var verdictLine: String {
    if result.isInterrupted { return "INTERRUPTED: partial results, exit \(exitText)" }
    if result.records.isEmpty { return "NO FRAMES: nothing was measured, exit \(exitText)" }
    guard result.options.isGated else { return "not judged (--no-gate), exit \(exitText)" }
    let reasons = report.judgement.reasons.joined(separator: "; ")
    return "\(report.judgement.verdict.rawValue.uppercased()): \(reasons), exit \(exitText)"
  }

  private var exitText: String {
    report.exitStatuses.map { "\($0.rawValue)" }.joined(separator: " also ")
  }

  private func percent(_ rate: Double) -> String { String(format: "%.3g %%", rate * 100) }
}

/// Columns as wide as their widest cell: the first to the left, the others to the right.
public enum ColumnLayout {
  public static func lines(_ rows: [[String]]) -> [String] {
    let columnCount = rows.map(\.count).max() ?? 0
    let widths = (0..<columnCount).map { column in
      rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      row.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + padding : padding + cell
      }.joined(separator: "  ")
    }
  }
}
