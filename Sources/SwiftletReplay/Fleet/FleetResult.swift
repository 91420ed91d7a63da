import Foundation
import Swiftlet

/// One recording's result as `swiftlet fleet` left it.
struct FleetResult: Sendable {
  var marker: FleetRunner.Marker
  /// `report.json`; nil for a recording that could not be opened.
  var report: JSONValue?
  /// Why not.
  var error: String?
  /// Nanoseconds by the report's rows: stages, `total`, `response`.
  var samples: [String: [Int64]] = [:]
  var isMissed: [Bool] = []
  var junit: String?

  /// Nil for a folder that holds no result.
  init?(folder: String) throws(RecordingError) {
    guard let marker = FleetRunner.marker(in: folder) else { return nil }
    self.marker = marker
    if RecordingFile.exists("\(folder)/error.txt") {
      error = try RecordingFile.lines("\(folder)/error.txt").joined(separator: " ")
      return
    }
    report = try Self.json(try RecordingFile.read("\(folder)/report.json"), "\(folder)/report.json")
    for (number, line) in try RecordingFile.lines("\(folder)/frames.jsonl").enumerated() {
      let value = try Self.json(Array(line.utf8), "\(folder)/frames.jsonl, line \(number + 1)")
      isMissed.append(value["missed"]?.boolValue ?? false)
      add(value["service_ms"], to: "total")
      add(value["response_ms"], to: "response")
      for (stage, time) in value["stages_ms"]?.objectValue ?? [:] { add(time, to: stage) }
    }
    if RecordingFile.exists("\(folder)/junit.xml") {
      junit = String(decoding: try RecordingFile.read("\(folder)/junit.xml"), as: UTF8.self)
    }
  }

  private mutating func add(_ value: JSONValue?, to row: String) {
    guard let milliseconds = value?.doubleValue, milliseconds.isFinite, abs(milliseconds) < 1e12
    else { return }
    samples[row, default: []].append(Int64((milliseconds * 1e6).rounded()))
  }

  private static func json(_ bytes: [UInt8], _ file: String) throws(RecordingError) -> JSONValue {
    do throws(JSONError) {
      return try JSONReader.parse(bytes)
    } catch {
      throw RecordingError(
        file: file, byteOffset: error.byteOffset, expected: error.expected, found: error.found,
        remedy: "run the recording again")
    }
  }

  /// What must be the same for misses to be added up.
  var conditions: [String: String] {
    let keys = [
      "budget_ms", "miss_rate_limit", "max_consecutive_misses", "config_hash", "weights", "engine",
      "isa", "threads", "judged_time", "rate", "build", "version", "cpu",
    ]
    return Dictionary(
      uniqueKeysWithValues: keys.map { ($0, report?[$0]?.text ?? "null") })
  }

  var longestMissRun: Int {
    var longest = 0
    var current = 0
    for missed in isMissed {
      current = missed ? current + 1 : 0
      longest = max(longest, current)
    }
    return longest
  }
}
