import Foundation
import Swiftlet

/// Replays recordings of a manifest, each into a folder of its own that is there whole or not at
/// all. What is there already and was made the same way stays: a run that was interrupted goes on.
public struct FleetRunner {
  /// `fleet.json` of a result.
  public struct Marker: Codable, Sendable, Equatable {
    public var name: String
    public var recording: String
    /// A hash of everything that decides the result.
    public var key: String
    public var exitCode: Int32

    enum CodingKeys: String, CodingKey {
      case name, recording, key
      case exitCode = "exit_code"
    }
  }
  public enum Outcome: Sendable, Equatable {
    case made(ExitStatus)
    case kept(ExitStatus)
    /// SIGINT: nothing was written.
    case interrupted
  }

  private let folder: String
  /// What decides results besides the recording: version, configuration, engine, options.
  private let settings: String
  private let replay: (FleetManifest.Entry) throws -> ReplayReport

  /// - Parameter replay: makes the report of one recording; `RecordingError` for one that cannot be
  ///   opened.
  public init(
    folder: String, settings: String,
    replay: @escaping (FleetManifest.Entry) throws -> ReplayReport
  ) {
    self.folder = folder
    self.settings = "\(SwiftletVersion.package) \(settings)"
    self.replay = replay
  }

  /// Makes or keeps the result of one recording.
  ///
  /// - Parameter redo: make it even where it is there.
  public func run(_ entry: FleetManifest.Entry, redo: Bool = false) throws -> Outcome {
    let target = URL(fileURLWithPath: folder).appending(path: entry.name)
    let key = Self.key(entry, settings)
    if !redo, let marker = Self.marker(in: target.path), marker.key == key {
      return .kept(ExitStatus(rawValue: marker.exitCode) ?? .internalError)
    }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let partial = URL(fileURLWithPath: folder).appending(
      path: ".\(entry.name).\(ProcessInfo.processInfo.processIdentifier).partial")
    try? FileManager.default.removeItem(at: partial)
    defer { try? FileManager.default.removeItem(at: partial) }
    let status = try write(entry, key, to: partial)
    if status == .interrupted { return .interrupted }
    // Two shards at work on the same entry would make the same result: the later one stays.
    try? FileManager.default.removeItem(at: target)
    try FileManager.default.moveItem(at: partial, to: target)
    return .made(status)
  }

  private func write(
    _ entry: FleetManifest.Entry, _ key: String, to partial: URL
  ) throws -> ExitStatus {
    let results = try ReportFolder(path: partial.path)
    var status = ExitStatus.recordingDamaged
    do {
      let report = try replay(entry)
      status = report.exitStatus
      if status == .interrupted { return status }
      try results.write(report)
    } catch let error as RecordingError {
      // A recording that cannot be opened has a result too: that.
      try Data((error.description + "\n").utf8).write(to: partial.appending(path: "error.txt"))
    }
    let marker = Marker(
      name: entry.name, recording: entry.path, key: key, exitCode: status.rawValue)
    try JSONText.pretty(marker).write(to: partial.appending(path: "fleet.json"))
    return status
  }

  static func marker(in folder: String) -> Marker? {
    guard let data = FileManager.default.contents(atPath: "\(folder)/fleet.json") else { return nil }
    return try? JSONDecoder().decode(Marker.self, from: data)
  }

  /// Paths, sizes and times of the recording's files, and the settings.
  static func key(_ entry: FleetManifest.Entry, _ settings: String) -> String {
    var text = "\(settings)\n\(entry.path)\t\(entry.scene ?? "")\n"
    var files = [entry.path]
    if RecordingFile.isFolder(entry.path) {
      let inside = FileManager.default.enumerator(atPath: entry.path)
      files += (inside?.compactMap { $0 as? String } ?? []).sorted().map { "\(entry.path)/\($0)" }
    }
    for file in files {
      let attributes = try? FileManager.default.attributesOfItem(atPath: file)
      let size = attributes?[.size] as? Int ?? -1
      let time = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
      text += "\(file) \(size) \(time)\n"
    }
    return OutputDigest.hash(Array(text.utf8))
  }
}
