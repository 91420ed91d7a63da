import Foundation

/// The folder that `--out` names.
public struct ReportFolder: Sendable {
  public var url: URL

  /// Makes the folder where it is missing.
  public init(path: String) throws {
    url = URL(fileURLWithPath: path, isDirectory: true)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  /// Writes `report.json` and `frames.jsonl`, each whole or not at all.
  public func write(_ report: ReplayReport) throws {
    try report.json().write(to: url.appending(path: "report.json"), options: .atomic)
    var lines = Data()
    for record in report.result.records {
      lines += try JSONText.line(FrameLine(record: record, stages: report.result.stages))
    }
    try lines.write(to: url.appending(path: "frames.jsonl"), options: .atomic)
  }
}
