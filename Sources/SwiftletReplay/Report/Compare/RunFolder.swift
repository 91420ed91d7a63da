import Foundation
import Swiftlet

/// A result folder of `swiftlet replay --out`, read back.
public struct RunFolder: Sendable {
  public var path: String
  public var report: JSONValue
  public var frames: [JSONValue]

  /// - Throws: `RecordingError` for a folder without a report, or one that is damaged.
  public init(path: String) throws(RecordingError) {
    self.path = path
    report = try Self.parse(Self.read(path, "report.json"), path + "/report.json", nil)
    frames = []
    let lines = try Self.read(path, "frames.jsonl").split(separator: UInt8(ascii: "\n"))
    for (number, line) in lines.enumerated() {
      frames.append(try Self.parse(Array(line), path + "/frames.jsonl", "line \(number + 1)"))
    }
    guard let version = report["schema_version"]?.intValue,
      version <= SwiftletVersion.reportSchema
    else {
      throw RecordingError(
        file: path + "/report.json", record: "schema_version",
        expected: "at most \(SwiftletVersion.reportSchema)",
        found: report["schema_version"]?.text ?? "none", remedy: "use a newer swiftlet")
    }
  }

  private static func read(_ path: String, _ name: String) throws(RecordingError) -> [UInt8] {
    guard let data = FileManager.default.contents(atPath: "\(path)/\(name)") else {
      throw RecordingError(
        file: "\(path)/\(name)", expected: "a file of swiftlet replay --out", found: "nothing",
        remedy: "replay with --out \(path) first")
    }
    return Array(data)
  }

  private static func parse(
    _ bytes: [UInt8], _ file: String, _ record: String?
  ) throws(RecordingError) -> JSONValue {
    do throws(JSONError) {
      return try JSONReader.parse(bytes)
    } catch {
      throw RecordingError(
        file: file, record: record, byteOffset: error.byteOffset, expected: error.expected,
        found: error.found, remedy: "replay again")
    }
  }

  /// Judged times of all measured frames, nanoseconds, in order.
  public var judgedNanoseconds: [Int64] {
    frames.compactMap { frame in
      let time = frame["response_ms"]?.doubleValue ?? frame["service_ms"]?.doubleValue
      return time.map { Int64(($0 * 1e6).rounded()) }
    }
  }

  /// The kept outputs of a frame; nil where they were not kept.
  func outputs(frame: Int) -> Result<SafeTensors, WeightsError>? {
    let file = "\(path)/\(OutputStore.folderName)/\(OutputStore.fileName(frame: frame))"
    guard let data = FileManager.default.contents(atPath: file) else { return nil }
    return Result { () throws(WeightsError) in try SafeTensors(bytes: Array(data)) }
  }

  /// Frames of the first pass, by their index in the recording.
  var firstPass: [Int: JSONValue] {
    var byIndex: [Int: JSONValue] = [:]
    for frame in frames where frame["pass"]?.intValue == 0 {
      if let index = frame["frame"]?.intValue { byIndex[index] = frame }
    }
    return byIndex
  }
}
