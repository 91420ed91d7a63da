import Foundation

/// A run's numbers as CSV rows for tools that draw trends: one metric a row, so that columns never
/// change.
public struct TrendTable: Sendable {
  public static let header =
    "time,recording,host,cpu,version,build,isa,threads,config_hash,metric,value,unit\n"

  private let report: ReplayReport
  private let host: String
  private let time: Date

  public init(_ report: ReplayReport, host: String, time: Date = Date()) {
    self.report = report
    self.host = host
    self.time = time
  }

  /// The rows without the header.
  public var rows: String {
    metrics.map { name, value, unit in
      (context + [name, value, unit]).map(Self.escaped).joined(separator: ",") + "\n"
    }.joined()
  }

  /// Appends the rows to a file, with the header where the file is new or empty.
  public func append(to path: String) throws {
    let files = FileManager.default
    let size = (try? files.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    if size == 0 { try Data(Self.header.utf8).write(to: URL(fileURLWithPath: path)) }
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    defer { try? handle.close() }
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(rows.utf8))
  }

  private var context: [String] {
    let processor = report.result.processor
    return [
      time.ISO8601Format(), report.result.recordingName, host, HostEnvironment.cpuName,
      SwiftletVersion.package, report.result.build.rawValue, processor.instructionSet,
      "\(processor.threadCount)", processor.configurationHash,
    ]
  }

  private var metrics: [(String, String, String)] {
    let result = report.result
    var metrics: [(String, String, String)] = []
    for stage in report.stages {
      for percentile in Percentile.allCases {
        guard let value = stage.percentileNanoseconds[percentile] else { continue }
        metrics.append(("\(stage.name).\(percentile.label)", "\(milliseconds(value))", "ms"))
      }
      if let value = stage.maximumNanoseconds {
        metrics.append(("\(stage.name).max", "\(milliseconds(value))", "ms"))
      }
    }
    metrics.append(("frames", "\(result.records.count)", "frames"))
    metrics.append(("misses", "\(result.missCount)", "frames"))
    metrics.append(("miss_rate_upper_95", "\(report.judgement.missRateUpper95)", "share"))
    metrics.append(("longest_miss_run", "\(result.longestMissRun)", "frames"))
    if let count = result.allocationCount { metrics.append(("allocations", "\(count)", "count")) }
    metrics.append(
      ("page_faults", "\(result.records.reduce(0) { $0 + $1.host.pageFaults })", "count"))
    metrics.append(("steal", "\(milliseconds(result.stealNanoseconds))", "ms"))
    for sensor in report.sensors {
      if let age = sensor.maximumOutputAgeNanoseconds {
        metrics.append(("output_age.\(sensor.name).max", "\(milliseconds(age))", "ms"))
      }
    }
    metrics.append(("exit_code", "\(report.exitStatus.rawValue)", "code"))
    return metrics
  }

  /// RFC 4180; a leading formula sign is text to a spreadsheet too.
  static func escaped(_ field: String) -> String {
    guard field.contains(where: { ",\"\n\r".contains($0) }) else { return field }
    return "\"" + field.replacing("\"", with: "\"\"") + "\""
  }
}
