import Foundation

/// What `swiftlet doctor` found out about a recording, as text and as JSON.
public struct RecordingExamination: Sendable, Encodable {
  /// The things that are looked at, in the order of the report.
  public enum Subject: String, Sendable, Encodable, CaseIterable {
    case structure, checksums, payloads, duplicates, gaps, clock, rate, skew, poses, calibration
  }
  public enum State: String, Sendable, Encodable {
    case good
    /// Legal and usable, but worth knowing before it is trusted.
    case odd
    /// Something that was recorded cannot be used.
    case damaged
    /// The recording has nothing of the kind.
    case absent = "not applicable"
  }
  public struct Finding: Sendable, Encodable, Equatable {
    public var subject: Subject
    public var state: State
    public var sensor: String?
    public var message: String
  }
  public struct Check: Sendable, Encodable {
    public var subject: Subject
    public var state: State
    /// What was looked at, in words.
    public var examined: String
    public var findings: [Finding]
  }
  public struct Sensor: Sendable, Encodable {
    public var name: String
    public var kind: String
    public var samples: Int
    public var rateHertz: Double?
    /// Samples that the rate promises and that are not there.
    public var missingSamples: Int
    public var duplicates: Int
    /// Of the steps between samples, the largest difference from the median step.
    public var jitterMilliseconds: Double?
    /// To the trigger's nearest sample: median, smallest, largest.
    public var skewMilliseconds: [Double]?
    /// How fast the skew grows.
    public var driftPartsPerMillion: Double?

    enum CodingKeys: String, CodingKey {
      case name, kind, samples, duplicates
      case rateHertz = "rate_hertz"
      case missingSamples = "missing_samples"
      case jitterMilliseconds = "jitter_ms"
      case skewMilliseconds = "skew_ms_median_min_max"
      case driftPartsPerMillion = "drift_ppm"
    }
  }

  public var schemaVersion = 1
  public var path: String
  /// Nil where nothing says what it is.
  public var layout: String?
  public var frames = 0
  public var checks: [Check] = []
  public var sensors: [Sensor] = []
  /// Messages of an MCAP file or bag that could be read.
  public var messages: Int?

  enum CodingKeys: String, CodingKey {
    case path, layout, frames, checks, sensors, messages, state
    case schemaVersion = "schema_version"
  }
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(schemaVersion, forKey: .schemaVersion)
    try container.encode(path, forKey: .path)
    try container.encode(layout, forKey: .layout)
    try container.encode(state, forKey: .state)
    try container.encode(frames, forKey: .frames)
    try container.encode(messages, forKey: .messages)
    try container.encode(checks, forKey: .checks)
    try container.encode(sensors, forKey: .sensors)
  }

  init(path: String) { self.path = path }

  /// The worst of all checks.
  public var state: State {
    let states = checks.map(\.state)
    return states.contains(.damaged) ? .damaged : states.contains(.odd) ? .odd : .good
  }
  public var findings: [Finding] { checks.flatMap(\.findings) }

  mutating func add(_ subject: Subject, examined: String, _ findings: [Finding]) {
    let worst: State =
      findings.contains { $0.state == .damaged }
      ? .damaged : findings.contains { $0.state == .odd } ? .odd : .good
    checks.append(
      Check(subject: subject, state: worst, examined: examined, findings: findings))
  }
  mutating func addAbsent(_ subject: Subject, _ why: String) {
    checks.append(Check(subject: subject, state: .absent, examined: why, findings: []))
  }

  // MARK: text

  /// A table for people.
  public var text: String {
    var lines = ["\(path): \(state.rawValue)"]
    var what = layout ?? "no recording"
    if let messages { what += ", \(messages) readable messages" }
    lines.append("\(what), \(frames) frames, \(sensors.count) sensors")
    let width = checks.map(\.subject.rawValue.count).max() ?? 0
    let stateWidth = checks.map(\.state.rawValue.count).max() ?? 0
    for check in checks {
      let name = check.subject.rawValue.padding(toLength: width, withPad: " ", startingAt: 0)
      let state = check.state.rawValue.padding(toLength: stateWidth, withPad: " ", startingAt: 0)
      lines.append("  \(name)  \(state)  \(check.examined)")
      for finding in check.findings {
        let sensor = finding.sensor.map { "\($0): " } ?? ""
        lines.append("      \(finding.state.rawValue): \(sensor)\(finding.message)")
      }
    }
    if !sensors.isEmpty { lines += sensorTable }
    return lines.joined(separator: "\n")
  }

  private var sensorTable: [String] {
    var rows = [
      [
        "sensor", "samples", "Hz", "missing", "twice", "jitter ms", "skew ms", "min", "max",
        "drift ppm",
      ]
    ]
    func number(_ value: Double?, _ digits: Int) -> String {
      value.map { String(format: "%.\(digits)f", $0) } ?? "–"
    }
    for sensor in sensors {
      let skew = sensor.skewMilliseconds
      rows.append([
        sensor.name, "\(sensor.samples)", number(sensor.rateHertz, 2), "\(sensor.missingSamples)",
        "\(sensor.duplicates)", number(sensor.jitterMilliseconds, 1), number(skew?[0], 1),
        number(skew?[1], 1), number(skew?[2], 1), number(sensor.driftPartsPerMillion, 0),
      ])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + padding : padding + cell
      }
      return "  " + cells.joined(separator: "  ")
    }
  }
}
