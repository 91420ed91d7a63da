import Foundation

/// The verdict as JUnit XML, for CI systems that show test results: one case for each thing that
/// can fail. Inconclusive is "skipped" with its reason, never "passed".
public struct JUnitReport: Sendable {
  private let report: ReplayReport

  public init(_ report: ReplayReport) { self.report = report }

  private enum Outcome {
    case passed
    case failed(String)
    case skipped(String)
  }

  public var xml: String {
    let cases = self.cases
    let failures = cases.count { if case .failed = $0.1 { true } else { false } }
    let skipped = cases.count { if case .skipped = $0.1 { true } else { false } }
    let name = Self.escaped("swiftlet replay \(report.result.recordingName)")
    let body = cases.map { "  \(element($0.0, $0.1))\n" }.joined()
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuite name="\(name)" tests="\(cases.count)" failures="\(failures)" skipped="\(skipped)">
      \(body)</testsuite>

      """
  }

  private var cases: [(String, Outcome)] {
    let result = report.result
    return [
      ("latency budget", latency),
      (
        "recording readable",
        report.exitStatuses.contains(.recordingDamaged)
          ? .failed(
            result.warnings.first(where: \.isDamage)?.message ?? "the recording has no frames")
          : .passed
      ),
      (
        "outputs repeatable",
        report.exitStatuses.contains(.outputMismatch)
          ? .failed("two runs over the same frames differ") : .passed
      ),
      ("no allocation after warm-up", allocations),
    ] + report.budgetChecks.map { ("tier \($0.tier.rawValue): \($0.name)", outcome(of: $0)) }
  }

  private func outcome(of check: BudgetCheck) -> Outcome {
    switch check.outcome {
    case .pass: .passed
    case .fail: .failed("\(check.found), limit \(check.limit)")
    case .inconclusive: .skipped(check.reason ?? "inconclusive")
    }
  }

  private var latency: Outcome {
    let reasons = report.judgement.reasons.joined(separator: "; ")
    guard report.result.options.isGated else { return .skipped("not judged (--no-gate)") }
    switch report.judgement.verdict {
    case .pass: return .passed
    case .fail: return .failed(reasons)
    case .inconclusive: return .skipped(reasons)
    }
  }

  private var allocations: Outcome {
    switch report.result.allocationCount {
    case nil: .skipped("not counted")
    case 0?: .passed
    case let count?: .failed("\(count) allocations in \(report.result.records.count) frames")
    }
  }

  private func element(_ name: String, _ outcome: Outcome) -> String {
    let open = "<testcase classname=\"swiftlet.replay\" name=\"\(Self.escaped(name))\""
    switch outcome {
    case .passed: return open + "/>"
    case .failed(let why):
      return open + "><failure message=\"\(Self.escaped(why))\"/></testcase>"
    case .skipped(let why):
      return open + "><skipped message=\"\(Self.escaped(why))\"/></testcase>"
    }
  }

  /// Control characters have no place in XML 1.0, not even escaped.
  static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "\n", "\t": escaped += " "
      default: if scalar.value >= 0x20 { escaped.unicodeScalars.append(scalar) }
      }
    }
    return escaped
  }
}
