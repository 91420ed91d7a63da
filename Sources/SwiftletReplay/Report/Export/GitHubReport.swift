import Foundation

/// The verdict as GitHub Actions show it: annotations (at most ten a step are shown) and the step's
/// summary in Markdown.
public struct GitHubReport: Sendable {
  public static let maximumAnnotations = 10

  private let report: ReplayReport

  public init(_ report: ReplayReport) { self.report = report }

  private var result: ReplayResult { report.result }

  /// Workflow commands, one a line, worst first; what does not fit is counted in the last one.
  public var annotations: String {
    var all = verdictAnnotations + missAnnotations + warningAnnotations
    if all.count > Self.maximumAnnotations {
      let rest = all.count - Self.maximumAnnotations + 1
      all = Array(all.prefix(Self.maximumAnnotations - 1))
      all.append(("notice", "more", "\(rest) more findings are in report.json"))
    }
    return all.map { level, title, message in
      "::\(level) title=\(Self.property("swiftlet: \(title)"))::\(Self.data(message))\n"
    }.joined()
  }

  private typealias Annotation = (level: String, title: String, message: String)

  private var verdictAnnotations: [Annotation] {
    guard report.exitStatus != .pass else { return [] }
    let failed = report.budgetChecks.filter { $0.outcome == .fail }
    let undecided = report.budgetChecks.filter { $0.outcome == .inconclusive }
    let level = report.exitStatus == .inconclusive ? "warning" : "error"
    let reasons = report.judgement.reasons.joined(separator: "; ")
    let main: Annotation = (
      level, "\(result.recordingName): \(report.exitStatus)",
      result.options.isGated && !reasons.isEmpty ? reasons : "exit \(report.exitStatus.rawValue)"
    )
    return [main]
      + failed.map { ("error", "\($0.name) (tier \($0.tier.rawValue))", "\($0.found), limit \($0.limit)") }
      + undecided.prefix(2).map { ("warning", $0.name, $0.reason ?? "inconclusive") }
  }

  /// The three worst late frames.
  private var missAnnotations: [Annotation] {
    result.worstRecords(3).filter(\.isMissed).map { record in
      let cause = result.missCause(of: record)?.rawValue ?? "code"
      return (
        result.options.isGated && report.judgement.verdict == .fail ? "error" : "warning",
        "late frame \(record.recordedIndex)",
        String(format: "%.3f ms over a budget of ", milliseconds(record.judgedNanoseconds))
          + String(format: "%.3f ms, by %@", milliseconds(result.options.budgetNanoseconds), cause)
      )
    }
  }

  /// One for each code.
  private var warningAnnotations: [Annotation] {
    Dictionary(grouping: result.warnings, by: \.code).sorted { $0.key < $1.key }.map { code, list in
      let frame = list[0].frame.map { ", first in frame \($0)" } ?? ""
      return (
        list[0].isDamage ? "error" : "warning", code, "\(list.count) ×\(frame): \(list[0].message)"
      )
    }
  }

  /// The step summary.
  public var summary: String {
    let verdict = result.options.isGated ? report.judgement.verdict.rawValue.uppercased() : "not judged"
    var lines = [
      "## swiftlet replay: \(Self.cell(result.recordingName)): \(verdict)", "",
    ]
    lines += report.judgement.reasons.map { "- \(Self.cell($0))" }
    lines += ["", "| stage | p50 ms | p90 | p99 | p99.9 | max |", "|---|---|---|---|---|---|"]
    for stage in report.stages {
      let cells = Percentile.allCases.map { percentile in
        stage.percentileNanoseconds[percentile].map(Self.time) ?? "n≥\(percentile.framesNeeded)"
      }
      lines.append(
        "| \(Self.cell(stage.name))\(stage.isInBudget ? "" : " (outside the budget)") | "
          + (cells + [stage.maximumNanoseconds.map(Self.time) ?? "–"]).joined(separator: " | ")
          + " |")
    }
    if !report.budgetChecks.isEmpty {
      lines += ["", "| tier | limit on | limit | found | |", "|---|---|---|---|---|"]
      for check in report.budgetChecks {
        let fields = [check.name, check.limit, check.found, check.reason ?? ""].map(Self.cell)
        lines.append(
          "| \(check.tier.rawValue) | \(fields[0]) | \(fields[1]) | \(fields[2]) | "
            + "\(check.outcome.rawValue) \(fields[3]) |")
      }
    }
    lines += [
      "",
      "\(result.records.count) frames measured, \(result.missCount) late, longest run "
        + "\(result.longestMissRun); digest \(result.digest.map(OutputDigest.text) ?? "none"); "
        + "exit \(report.exitStatus.rawValue)", "",
    ]
    return lines.joined(separator: "\n") + "\n"
  }

  private static func time(_ nanoseconds: Int64) -> String {
    String(format: "%.3f", milliseconds(nanoseconds))
  }
  /// Text inside a Markdown table.
  static func cell(_ text: String) -> String {
    var cell = ""
    for character in text {
      switch character {
      case "|": cell += "\\|"
      case "<": cell += "&lt;"
      case "\n", "\r": cell += " "
      default: cell.append(character)
      }
    }
    return cell
  }
  /// Workflow command data and property values have escapes of their own.
  static func data(_ text: String) -> String {
    text.replacing("%", with: "%25").replacing("\r", with: "%0D").replacing("\n", with: "%0A")
  }
  static func property(_ text: String) -> String {
    data(text).replacing(":", with: "%3A").replacing(",", with: "%2C")
  }
}

extension ReplayResult {
  /// The slowest frames, worst first.
  func worstRecords(_ count: Int) -> [FrameRecord] {
    Array(
      records.sorted { a, b in
        (b.judgedNanoseconds, a.measuredIndex) < (a.judgedNanoseconds, b.measuredIndex)
      }.prefix(count))
  }
}
