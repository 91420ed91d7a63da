import Foundation

/// What `swiftlet info` says about a recording, as text and as JSON.
public struct RecordingSummary: Sendable, Encodable {
  public struct Sensor: Sendable, Encodable {
    public var name: String
    public var kind: String
    public var samples: Int
    public var rateHertz: Double?
    public var widthPixels: Int?
    public var heightPixels: Int?
    /// `found`, or what is missing.
    public var calibration: String

    enum CodingKeys: String, CodingKey {
      case name, kind, samples, calibration
      case rateHertz = "rate_hertz"
      case widthPixels = "width_pixels"
      case heightPixels = "height_pixels"
    }
  }

  public var schemaVersion = 1
  public var layout: String
  public var path: String
  public var name: String
  public var frames: Int
  public var durationSeconds: Double
  public var triggerSensor: String
  public var association: String
  public var sensors: [Sensor]
  /// What is odd; with `readsFrames` also what reading every frame found.
  public var warnings: [ReplayWarning]
  /// True when some warning means damage (exit code 4).
  public var isDamaged: Bool

  enum CodingKeys: String, CodingKey {
    case layout, path, name, frames, association, sensors, warnings
    case schemaVersion = "schema_version"
    case durationSeconds = "duration_seconds"
    case triggerSensor = "trigger_sensor"
    case isDamaged = "is_damaged"
  }

  /// - Parameter readsFrames: also read and decode every frame, one in memory at a time.
  public init(_ recording: any Recording, readsFrames: Bool) {
    layout = recording.layout
    path = recording.path
    name = recording.name
    frames = recording.frameCount
    durationSeconds = Double(recording.durationNanoseconds) / 1e9
    triggerSensor = recording.triggerSensor
    association = recording.association.rawValue
    sensors = recording.sensors.map(Sensor.init)
    warnings = recording.warnings
    if readsFrames {
      for frame in 0..<recording.frameCount { warnings += Self.read(frame, of: recording) }
    }
    isDamaged = warnings.contains(where: \.isDamage)
  }

  private static func read(_ frame: Int, of recording: any Recording) -> [ReplayWarning] {
    do throws(RecordingError) {
      return try recording.loadFrame(frame).warnings
    } catch {
      return [
        ReplayWarning(
          code: ReplayWarning.frameUnreadable, frame: frame, message: error.description)
      ]
    }
  }

  /// Pretty-printed, keys sorted.
  public var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let data = try? encoder.encode(self) else { return "{}" }
    return String(decoding: data, as: UTF8.self)
  }

  /// A table for people.
  public var text: String {
    var lines = [
      "\(layout) \(name): \(frames) frames in \(String(format: "%.2f", durationSeconds)) s",
      "frames by \(triggerSensor), other sensors \(association)",
    ]
    let width = sensors.map(\.name.count).max() ?? 0
    for sensor in sensors {
      let name = sensor.name.padding(toLength: width, withPad: " ", startingAt: 0)
      let kind = sensor.kind.padding(toLength: 6, withPad: " ", startingAt: 0)
      let rate = sensor.rateHertz.map { String(format: "%6.2f Hz", $0) } ?? "        –"
      var line = "  \(name)  \(kind)  \(String(format: "%5d", sensor.samples)) samples  \(rate)"
      if let width = sensor.widthPixels, let height = sensor.heightPixels {
        line += "  \(width)×\(height)"
      }
      lines.append("\(line)  calibration \(sensor.calibration)")
    }
    lines.append(warnings.isEmpty ? "nothing odd" : "odd:")
    for warning in warnings {
      let place = [warning.frame.map { "frame \($0)" }, warning.sensor].compactMap { $0 }
      let prefix = place.isEmpty ? "" : place.joined(separator: " ") + ": "
      lines.append("  \(warning.code)  \(prefix)\(warning.message)")
    }
    return lines.joined(separator: "\n")
  }
}

extension RecordingSummary.Sensor {
  init(_ sensor: SensorDescription) {
    self.init(
      name: sensor.name, kind: sensor.kind.rawValue, samples: sensor.sampleCount,
      rateHertz: sensor.rateHertz, widthPixels: sensor.widthPixels > 0 ? sensor.widthPixels : nil,
      heightPixels: sensor.heightPixels > 0 ? sensor.heightPixels : nil, calibration: "found")
    if case .missing(let what) = sensor.calibration { calibration = "missing: \(what)" }
  }
}
