import Foundation

/// A replay as one HTML file: verdict, latency over time by stage with the budget line, a histogram per
/// stage, limits, the worst frames with their pictures, missing sensors, warnings, environment. No scripts,
/// nothing fetched: it can be mailed and opened anywhere.
public struct HTMLReport: Sendable {
  /// A picture to embed.
  public struct Picture: Sendable {
    public var label: String
    /// PNG or JPEG.
    public var bytes: [UInt8]
    public init(label: String, bytes: [UInt8]) {
      self.label = label
      self.bytes = bytes
    }
  }
  /// A line of the environment.
  public struct Fact: Sendable, Equatable {
    public var name: String
    public var value: String
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  public var report: ReplayReport
  public var environment: [Fact]
  public var pictures: [Picture]

  public init(report: ReplayReport, environment: [Fact] = [], pictures: [Picture] = []) {
    self.report = report
    self.environment = environment
    self.pictures = pictures
  }

  var result: ReplayResult { report.result }
  var records: [FrameRecord] { report.result.records }

  /// The whole file.
  public func text() -> String {
    let title = HTMLText.escaped("Swiftlet: \(result.recordingName)")
    return """
      <!doctype html>
      <html lang="en"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(title)</title><style>\(Self.style)</style></head><body><main>
      \(header)
      \(section("Latency over time", LatencyChart(report: report).svg))
      \(limits)
      \(section("Stages", stages))
      \(section("Worst frames", WorstFrames(result: result, pictures: pictures).html))
      \(section("Sensors", SensorStrips(records: records).html))
      \(section("Warnings", warnings))
      \(section("Run", run))
      </main></body></html>

      """
  }

  private func section(_ title: String, _ body: String) -> String {
    "<section><h2>\(HTMLText.escaped(title))</h2>\n\(body)</section>"
  }

  private var header: String {
    let verdict = result.options.isGated ? report.judgement.verdict.rawValue : "not judged"
    let kind = result.options.isGated ? report.judgement.verdict.rawValue : "inconclusive"
    let budget = HTMLText.milliseconds(result.options.budgetNanoseconds)
    let total = report.stages.last
    let rate = String(format: "%.2f %%", report.judgement.missRateUpper95 * 100)
    let numbers = [
      ("frames measured", "\(records.count)"),
      ("median", HTMLText.milliseconds(total?.percentileNanoseconds[.p50]) + " ms"),
      (
        "p99",
        total?.percentileNanoseconds[.p99].map { HTMLText.milliseconds($0) + " ms" }
          ?? "n < \(Percentile.p99.framesNeeded)"
      ),
      ("worst", HTMLText.milliseconds(total?.maximumNanoseconds) + " ms"),
      ("misses", "\(result.missCount)"),
      ("miss rate at most (95 %)", rate),
      ("longest run of misses", "\(result.longestMissRun)"),
    ]
    let tiles = numbers.map { name, value in
      "<div class=\"tile\"><b>\(HTMLText.escaped(value))</b><span>\(HTMLText.escaped(name))</span></div>"
    }.joined()
    let causes = MissCause.allCases.compactMap { cause -> String? in
      let count = result.missCauses[cause, default: 0]
      return count > 0 ? "\(count) by \(cause.rawValue)" : nil
    }
    let causeLine = causes.isEmpty ? "" : HTMLText.element("p", "Late frames: " + causes.joined(separator: ", "))
    let reasons = report.judgement.reasons.map { HTMLText.element("p", $0, "reason") }.joined()
    return """
      <header><div class="badge \(kind)">\(HTMLText.escaped(verdict))</div>
      <h1>\(HTMLText.escaped(result.recordingName))</h1>
      <p>\(HTMLText.escaped(result.distinctFrameCount.description)) frames, budget \(budget) ms a frame</p>
      \(reasons)\(causeLine)<div class="tiles">\(tiles)</div></header>
      """
  }

  // MARK: Stages

  private var stages: String {
    let columns = ["stage", "p50 ms", "p90", "p99", "p99.9", "max", ""]
    let rows = report.stages.map { stage in
      [stage.name]
        + Percentile.allCases.map { percentile in
          stage.percentileNanoseconds[percentile].map { HTMLText.milliseconds($0) }
            ?? "needs \(percentile.framesNeeded) frames"
        }
        + [
          HTMLText.milliseconds(stage.maximumNanoseconds),
          stage.isInBudget ? "" : "outside the budget",
        ]
    }
    var charts = ""
    for stage in report.stages {
      let isJudged = stage.name == (result.options.rate.isOpenLoop ? "response" : "total")
      charts += StageHistogram(
        name: stage.name, samples: result.samples(of: stage.name),
        budgetNanoseconds: isJudged ? result.options.budgetNanoseconds : nil
      ).svg
    }
    return HTMLText.table(columns, rows) + "<div class=\"charts\">\(charts)</div>"
  }

  /// The limits of a budget file.
  private var limits: String {
    guard !report.budgetChecks.isEmpty else { return "" }
    var rows = HTMLText.row(["tier", "limit on", "limit", "found", "", ""], header: true)
    for check in report.budgetChecks {
      rows += HTMLText.row(
        [
          check.tier.rawValue, check.name, check.limit, check.found, check.outcome.rawValue,
          check.reason ?? "",
        ], kind: "is-\(check.outcome.rawValue)")
    }
    return section("Budget on host \(report.budgetHost ?? "unknown")", "<table>\(rows)</table>\n")
  }

  // MARK: Warnings and run

  private var warnings: String {
    guard !result.warnings.isEmpty else { return HTMLText.element("p", "None.") }
    var groups: [String: [ReplayWarning]] = [:]
    for warning in result.warnings { groups[warning.code, default: []].append(warning) }
    let rows = groups.sorted { $0.key < $1.key }.map { code, list in
      [
        code, "\(list.count)", list.first?.frame.map(String.init) ?? "all",
        Set(list.compactMap(\.sensor)).sorted().joined(separator: ", "), list[0].message,
      ]
    }
    return HTMLText.table(["code", "count", "first frame", "sensors", "first message"], rows)
  }

  private var run: String {
    let processor = result.processor
    var facts = [
      Fact("engine", "\(processor.engine), \(processor.instructionSet)"),
      Fact("threads", "\(processor.threadCount)"), Fact("build", result.build.rawValue),
      Fact("rate", result.options.rate.label),
      Fact("encoder", processor.encoder), Fact("weights", processor.weights),
      Fact("configuration", processor.configurationHash), Fact("rig", processor.rigHash),
      Fact("warm-up frames", "\(result.warmupFrameCount)"), Fact("passes", "\(result.passCount)"),
      Fact("frames lost", "\(result.lostFrameCount)"),
      Fact("allocations after warm-up", result.allocationCount.map(String.init) ?? "not counted"),
      Fact("host controls", result.hostControls.text ?? "none"),
      Fact("deadline policy", result.options.onDeadline.rawValue),
      Fact("injected faults", result.injection ?? "none"),
      Fact("exit code", report.exitStatuses.map { "\($0.rawValue)" }.joined(separator: " also ")),
      Fact("steal", HTMLText.milliseconds(result.stealNanoseconds) + " ms"),
      Fact("digest", result.digest.map { String($0, radix: 16) } ?? "none"),
    ]
    facts += environment
    return HTMLText.table([], facts.map { [$0.name, $0.value] })
  }

  private static let style = """
    :root{color-scheme:light dark;--ink:#1d2126;--soft:#6b7480;--line:#dfe3e8;--paper:#fff;\
    --card:#f5f7f9;--mark:#2f6fde;--bad:#cf3a2b;--good:#1f8a4c;--mid:#b57800}
    @media(prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#97a1ad;--line:#353b43;\
    --paper:#16191d;--card:#20242a;--mark:#6fa3ff;--bad:#ff7161;--good:#4cc583;--mid:#e0a63a}}
    *{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);\
    font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
    main{max-width:1180px;margin:0 auto;padding:28px 20px 60px}
    h1{margin:6px 0 0;font-size:28px}h2{font-size:19px;margin:38px 0 10px}
    header p{margin:2px 0;color:var(--soft)}header .reason{color:var(--ink)}
    .badge{display:inline-block;padding:3px 14px;border-radius:14px;color:#fff;font-weight:600;\
    text-transform:uppercase;letter-spacing:.04em}
    .pass{background:var(--good)}.fail{background:var(--bad)}.inconclusive{background:var(--mid)}
    .tiles{display:flex;flex-wrap:wrap;gap:10px;margin-top:14px}
    .tile{background:var(--card);border-radius:8px;padding:10px 16px;min-width:118px}
    .tile b{display:block;font-size:20px}.tile span{color:var(--soft);font-size:13px}
    table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
    th,td{text-align:left;padding:5px 10px;border-bottom:1px solid var(--line)}
    th{color:var(--soft);font-weight:500;font-size:13px}.note{color:var(--soft);font-size:13px}
    section{overflow-x:auto}.charts{display:grid;gap:12px;\
    grid-template-columns:repeat(auto-fill,minmax(260px,1fr))}
    .charts svg{background:var(--card);border-radius:8px}
    svg{max-width:100%;height:auto;display:block}svg text{fill:var(--soft);font-size:11px}
    .pictures{display:grid;gap:14px;margin-top:14px;\
    grid-template-columns:repeat(auto-fit,minmax(340px,1fr))}
    figure{margin:0}figure img{width:100%;border-radius:6px}figcaption{color:var(--soft);font-size:13px}
    .wide{grid-column:1/-1}.legend{display:flex;flex-wrap:wrap;gap:14px;font-size:13px;\
    color:var(--soft);margin-top:4px}.legend i{display:inline-block;width:11px;height:11px;\
    border-radius:2px;margin-right:5px}
    .is-fail td{color:var(--bad)}.is-inconclusive td{color:var(--mid)}
    .frame{background:var(--card);border-radius:10px;padding:14px 16px;margin:0 0 16px}
    .frame h3{margin:0 0 4px;font-size:16px}.frame p{margin:0 0 8px;color:var(--soft);font-size:13px}
    .frame .pictures{grid-template-columns:2fr 1fr 1fr;align-items:start}
    @media(max-width:800px){.frame .pictures{grid-template-columns:1fr}}
    """
}
