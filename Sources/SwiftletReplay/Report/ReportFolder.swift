import Foundation

/// The folder that `--out` names.
public struct ReportFolder: Sendable {
  public var url: URL

  /// Makes the folder where it is missing.
  public init(path: String) throws {
    url = URL(fileURLWithPath: path, isDirectory: true)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  /// Writes `report.json`, `frames.jsonl`, `decisions.jsonl`, `trace.json`, `junit.xml`,
  /// `summary.md`, and `hgrm/` with a percentile file for each stage; each file whole or not at all.
  public func write(_ report: ReplayReport) throws {
    try report.json().write(to: url.appending(path: "report.json"), options: .atomic)
    var lines = Data()
    for record in report.result.records {
      let line = FrameLine(
        record: record, stages: report.result.stages,
        missCause: report.result.missCause(of: record))
      lines += try JSONText.line(line)
    }
    try lines.write(to: url.appending(path: "frames.jsonl"), options: .atomic)
    try DecisionLog(report.result).serialized().write(
      to: url.appending(path: "decisions.jsonl"), options: .atomic)
    try ChromeTrace(report.result).json().write(
      to: url.appending(path: "trace.json"), options: .atomic)
    try Data(JUnitReport(report).xml.utf8).write(
      to: url.appending(path: "junit.xml"), options: .atomic)
    try Data(GitHubReport(report).summary.utf8).write(
      to: url.appending(path: "summary.md"), options: .atomic)
    let distributions = url.appending(path: "hgrm", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: distributions, withIntermediateDirectories: true)
    for (name, text) in PercentileFiles(report).files {
      try Data(text.utf8).write(to: distributions.appending(path: name), options: .atomic)
    }
  }
}
