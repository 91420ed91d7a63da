import Foundation
import Swiftlet

/// What is written of a recording as a layout of files: frames, sensors and samples by time and
/// name.
struct FolderPlan {
  let recording: IndexedRecording
  /// Frame numbers.
  var frames: [Int]
  /// Positions of the sensors.
  var sensors: [Int]
  /// By sensor position: the sample of each frame in `frames`.
  var ofFrame: [Int: [Int?]] = [:]

  init(_ recording: IndexedRecording, _ options: RecordingConverter.Options) throws(RecordingError) {
    self.recording = recording
    let all = recording.index.sensors
    let first = all.flatMap { $0.samples.map(\.timestampNanoseconds) }.min() ?? 0
    let times = options.times(from: first)
    frames = (0..<recording.frameCount).filter { frame in
      options.frames?.contains(frame)
        ?? times.contains(recording.frames[frame].timestampNanoseconds)
    }
    sensors = all.indices.filter { position in
      guard all[position].problem == nil else { return false }
      guard let topics = options.topics else { return true }
      let name = all[position].name
      return topics.contains { $0 == name || MessageKind.sensorName(topic: $0) == name }
    }
    for position in sensors {
      ofFrame[position] = frames.map { recording.sampleNumber(sensor: position, frame: $0) }
    }
    guard !frames.isEmpty, ofFrame.values.contains(where: { $0.contains { $0 != nil } }) else {
      throw RecordingError(
        file: recording.path, expected: "samples of the wanted sensors and times", found: "none",
        remedy: "widen --from, --until and --topics")
    }
  }

  func sensor(_ position: Int) -> IndexedSensor { recording.index.sensors[position] }
}

/// A folder that is there whole or not at all.
struct FolderOutput {
  let path: String
  private let partial: String

  init(path: String) throws(RecordingError) {
    self.path = path
    partial = path + ".partial"
    guard RecordingFile.names(in: path).isEmpty, !RecordingFile.exists(path) || RecordingFile.isFolder(path)
    else {
      throw RecordingError(
        file: path, expected: "no folder, or an empty one", found: "something there",
        remedy: "give another folder or remove this one")
    }
    try? FileManager.default.removeItem(atPath: partial)
  }

  func write(_ name: String, _ bytes: [UInt8]) throws(RecordingError) {
    let url = URL(fileURLWithPath: "\(partial)/\(name)")
    do {
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: url)
    } catch { throw unwritable("\(error)") }
  }
  func write(_ name: String, lines: [String]) throws(RecordingError) {
    try write(name, Array((lines.joined(separator: "\n") + "\n").utf8))
  }

  /// Gives the folder its name.
  func finish() throws(RecordingError) {
    try? FileManager.default.removeItem(atPath: path)
    do {
      try FileManager.default.moveItem(atPath: partial, toPath: path)
    } catch { throw unwritable("\(error)") }
  }
  func abandon() { try? FileManager.default.removeItem(atPath: partial) }

  private func unwritable(_ found: String) -> RecordingError {
    RecordingError(
      file: path, expected: "a folder that can be written", found: found,
      remedy: "check its permissions and the disk's free space")
  }
}
