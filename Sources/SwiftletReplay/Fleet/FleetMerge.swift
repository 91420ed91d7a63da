import Foundation
import Swiftlet

/// Results of many recordings as one: distributions added up sample by sample, misses judged
/// together, every recording's own verdict kept.
public struct FleetMerge: Sendable {
  public struct Row: Sendable, Encodable {
    public var name: String
    public var recording: String
    public var exitCode: Int32
    public var verdict: String?
    public var frames: Int
    public var misses: Int
    public var digest: String?
    public var error: String?

    enum CodingKeys: String, CodingKey {
      case name, recording, verdict, frames, misses, digest, error
      case exitCode = "exit_code"
    }
  }

  public private(set) var rows: [Row] = []
  /// Entries of the manifest without a result.
  public private(set) var missing: [String] = []
  /// The report's rows over all recordings.
  public private(set) var stages: [StageSummary] = []
  /// Of all frames together; nil where results were made under different conditions.
  public private(set) var judgement: Judgement?
  /// The conditions that differ.
  public private(set) var differences: [String] = []
  public private(set) var frames = 0
  public private(set) var misses = 0
  private var samples: [String: [Int64]] = [:]
  private var suites: [String] = []

  /// - Parameters:
  ///   - folders: what shards wrote; a result that several hold counts once.
  ///   - manifest: says what must be there.
  public init(folders: [String], manifest: FleetManifest?) throws(RecordingError) {
    var results: [String: FleetResult] = [:]
    for folder in folders {
      guard RecordingFile.isFolder(folder) else {
        throw RecordingError(
          file: folder, expected: "a folder of results", found: "none",
          remedy: "give what swiftlet fleet --out wrote")
      }
      for name in RecordingFile.names(in: folder) where !name.hasPrefix(".") {
        guard let result = try FleetResult(folder: "\(folder)/\(name)") else { continue }
        results[result.marker.name] = result
      }
    }
    let wanted = manifest.map { Set($0.entries.map(\.name)) }
    let ordered = results.values.filter { wanted?.contains($0.marker.name) ?? true }
      .sorted { $0.marker.name < $1.marker.name }
    missing = (manifest?.entries ?? []).filter { results[$0.name] == nil }.map(\.path)
    guard !ordered.isEmpty else {
      throw RecordingError(
        file: folders.joined(separator: " "), expected: "at least one result", found: "none",
        remedy: "run swiftlet fleet first")
    }
    for result in ordered { add(result) }
    judge(ordered)
    summarize(ordered)
  }

  private mutating func add(_ result: FleetResult) {
    rows.append(
      Row(
        name: result.marker.name, recording: result.marker.recording,
        exitCode: result.marker.exitCode, verdict: result.report?["verdict"]?.stringValue,
        frames: result.isMissed.count, misses: result.isMissed.count(where: \.self),
        digest: result.report?["digest"]?.stringValue, error: result.error))
    frames += result.isMissed.count
    misses += result.isMissed.count(where: \.self)
    for (row, values) in result.samples { samples[row, default: []] += values }
    if let junit = result.junit {
      suites.append(
        junit.split(separator: "\n").filter { !$0.hasPrefix("<?xml") }.joined(separator: "\n"))
    }
  }

  private mutating func judge(_ results: [FleetResult]) {
    let opened = results.filter { $0.report != nil }
    guard let first = opened.first else { return }
    for (key, value) in first.conditions.sorted(by: { $0.key < $1.key }) {
      let others = Set(opened.map { $0.conditions[key] ?? "" }).subtracting([value])
      if !others.isEmpty {
        differences.append("\(key): \(([value] + others.sorted()).joined(separator: ", "))")
      }
    }
    guard differences.isEmpty else { return }
    let rule = VerdictRule(
      missRate: first.report?["miss_rate_limit"]?.doubleValue ?? 0.01,
      maximumConsecutiveMisses: first.report?["max_consecutive_misses"]?.intValue ?? 2)
    var judgement = rule.judge(
      frames: frames, misses: misses,
      // Frames of different recordings do not follow each other.
      longestRun: results.map(\.longestMissRun).max() ?? 0)
    if first.report?["build"]?.stringValue == BuildMode.debug.rawValue {
      judgement.verdict = .inconclusive
      judgement.reasons = ["a debug build is never judged: build with -c release"]
    }
    self.judgement = judgement
  }

  private mutating func summarize(_ results: [FleetResult]) {
    let listed = results.lazy.compactMap { $0.report?["stages"]?.arrayValue }.first ?? []
    for stage in listed {
      guard let name = stage["name"]?.stringValue else { continue }
      stages.append(
        StageSummary(
          name: name, isInBudget: stage["in_budget"]?.boolValue ?? true,
          samples: samples[name] ?? []))
    }
  }

  /// Worst first: of every recording, of the sum, and of what is missing.
  public var exitStatuses: [ExitStatus] {
    // That one recording alone decides nothing is why they are added up.
    var statuses = Set(
      rows.compactMap { ExitStatus(rawValue: $0.exitCode) }.filter {
        $0 != .pass && $0 != .inconclusive
      })
    if !missing.isEmpty { statuses.insert(.recordingDamaged) }
    switch judgement?.verdict {
    case .pass?: break
    case .fail?: statuses.insert(.budgetMissed)
    case .inconclusive?, nil: statuses.insert(.inconclusive)
    }
    return ExitStatus.ordered(statuses)
  }

  // MARK: files

  /// Writes `merged.json`, `junit.xml` and `hgrm/`.
  public func write(to folder: String) throws {
    let target = try ReportFolder(path: folder).url
    try JSONText.pretty(self).write(to: target.appending(path: "merged.json"), options: .atomic)
    try Data(junit.utf8).write(to: target.appending(path: "junit.xml"), options: .atomic)
    let distributions = target.appending(path: "hgrm", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: distributions, withIntermediateDirectories: true)
    for (name, values) in samples where !values.isEmpty {
      try Data(PercentileFiles.text(values).utf8).write(
        to: distributions.appending(path: "\(FramePictures.fileName(name)).hgrm"),
        options: .atomic)
    }
  }

  /// Every recording's suite, and one for the fleet.
  public var junit: String {
    var own: [String] = []
    func test(_ name: String, _ element: String) {
      own.append(
        "  <testcase classname=\"swiftlet.fleet\" name=\"\(JUnitReport.escaped(name))\">\(element)</testcase>")
    }
    func message(_ kind: String, _ text: String) -> String {
      "<\(kind) message=\"\(JUnitReport.escaped(text))\"/>"
    }
    let reasons = judgement?.reasons.joined(separator: "; ") ?? differences.joined(separator: "; ")
    switch judgement?.verdict {
    case .pass?: test("latency budget of all recordings", "")
    case .fail?: test("latency budget of all recordings", message("failure", reasons))
    case .inconclusive?, nil:
      test("latency budget of all recordings", message("skipped", reasons))
    }
    for path in missing { test(path, message("failure", "no result")) }
    for row in rows { if let error = row.error { test(row.name, message("failure", error)) } }
    let failures = own.count { $0.contains("<failure") }
    let skipped = own.count { $0.contains("<skipped") }
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuites>
      <testsuite name="swiftlet fleet" tests="\(own.count)" failures="\(failures)" skipped="\(skipped)">
      \(own.joined(separator: "\n"))
      </testsuite>
      \(suites.joined(separator: "\n"))
      </testsuites>

      """
  }

  /// A table for people.
  public var text: String {
    var lines = ["\(rows.count) recordings, \(frames) frames, \(misses) misses"]
    let width = rows.map(\.name.count).max() ?? 0
    for row in rows {
      let name = row.name.padding(toLength: width, withPad: " ", startingAt: 0)
      let verdict = row.error.map { "not opened: \($0)" } ?? row.verdict ?? "–"
      lines.append("  \(name)  \(row.frames) frames  \(row.misses) misses  \(verdict)")
    }
    for path in missing { lines.append("  no result: \(path)") }
    func cell(_ value: Int64?) -> String { value.map { String(format: "%9.3f", milliseconds($0)) } ?? "        –" }
    lines.append("  stage            p50 ms     p99 ms   p99.9 ms     max ms")
    for stage in stages {
      let values = [
        stage.percentileNanoseconds[.p50], stage.percentileNanoseconds[.p99],
        stage.percentileNanoseconds[.p99_9], stage.maximumNanoseconds,
      ]
      lines.append(
        "  " + stage.name.padding(toLength: 12, withPad: " ", startingAt: 0)
          + values.map { "  " + cell($0) }.joined())
    }
    if let judgement {
      lines.append("\(judgement.verdict.rawValue): \(judgement.reasons.joined(separator: "; "))")
    } else {
      lines.append("not judged together, made under different conditions:")
      lines += differences.map { "  \($0)" }
    }
    return lines.joined(separator: "\n")
  }
}

extension FleetMerge: Encodable {
  enum CodingKeys: String, CodingKey {
    case frames, misses, missing, stages, verdict, reasons, differences, recordings
    case schemaVersion = "schema_version"
    case missRateUpper = "miss_rate_upper_95"
    case exitCode = "exit_code"
    case exitCodes = "exit_codes"
  }
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(1, forKey: .schemaVersion)
    try container.encode(frames, forKey: .frames)
    try container.encode(misses, forKey: .misses)
    try container.encode(missing, forKey: .missing)
    try container.encode(stages, forKey: .stages)
    try container.encode(judgement?.verdict, forKey: .verdict)
    try container.encode(judgement?.reasons ?? [], forKey: .reasons)
    try container.encode(judgement?.missRateUpper95, forKey: .missRateUpper)
    try container.encode(differences, forKey: .differences)
    try container.encode(exitStatuses[0].rawValue, forKey: .exitCode)
    try container.encode(exitStatuses.map(\.rawValue), forKey: .exitCodes)
    try container.encode(rows, forKey: .recordings)
  }
}
