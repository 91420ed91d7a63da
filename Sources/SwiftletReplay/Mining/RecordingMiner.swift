import Foundation
import Swiftlet

/// Finds frames worth keeping and writes clips around them: the data filter of a fleet's loop.
public struct RecordingMiner: Sendable {
  public struct Options: Sendable {
    public var triggers: [MiningTrigger]
    /// Seconds kept around an event.
    public var beforeSeconds = 2.0
    public var afterSeconds = 1.0
    /// Events of one trigger, the worst ones.
    public var limit = 100
    public var redaction: Redaction?
    public var compression = MCAPWriter.Compression.zstd

    public init(triggers: [MiningTrigger]) { self.triggers = triggers }
  }

  public let options: Options
  public init(options: Options) { self.options = options }

  /// Writes clips of what `miner` found, `frames.jsonl` with every value, and `index.json` when all
  /// are written.
  ///
  /// - Throws: when a clip or the index cannot be written.
  public func write(
    _ miner: FrameMiner, of recording: any Recording, to folder: String
  ) throws -> MiningIndex {
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true)
    // Paths name places and cars.
    let isAnonymous = options.redaction.map { $0.positions != .keep } ?? false
    var index = MiningIndex(
      recording: isAnonymous ? "redacted" : recording.path, frames: recording.frameCount)
    index.triggers = options.triggers.map { summary($0, miner) }
    index.redaction = describedRedaction
    index.warnings = miner.warnings.filter(\.isDamage)
    let planner = ClipPlanner(
      triggers: options.triggers, beforeNanoseconds: Int64(options.beforeSeconds * 1e9),
      afterNanoseconds: Int64(options.afterSeconds * 1e9), limit: options.limit)
    for (frames, events) in planner.clips(miner.frames) {
      let name = "clip-\(Self.digits(frames.lowerBound))-\(Self.digits(frames.upperBound)).mcap"
      index.clips.append(
        try clip(frames, events, of: recording, file: name, folder: folder))
    }
    var lines = Data()
    for frame in miner.frames { lines += try JSONText.line(FrameValues(frame)) }
    try lines.write(
      to: URL(fileURLWithPath: folder).appending(path: "frames.jsonl"), options: .atomic)
    try JSONText.pretty(index).write(
      to: URL(fileURLWithPath: folder).appending(path: "index.json"), options: .atomic)
    return index
  }

  /// One line of `frames.jsonl`: every value, whether it fired or not.
  private struct FrameValues: Encodable {
    var frame: Int
    var timestamp: Int64
    var values: [String: Double]

    enum CodingKeys: String, CodingKey {
      case frame, values
      case timestamp = "timestamp_ns"
    }
    init(_ mined: MinedFrame) {
      frame = mined.frame
      timestamp = mined.timestampNanoseconds
      values = Dictionary(uniqueKeysWithValues: mined.values.map { ($0.key.rawValue, $0.value) })
    }
  }

  private func summary(_ trigger: MiningTrigger, _ miner: FrameMiner) -> MiningIndex.Trigger {
    let values = miner.frames.compactMap { $0.values[trigger.kind] }
    return MiningIndex.Trigger(
      kind: trigger.kind, threshold: trigger.threshold, evaluated: values.count,
      fired: values.count(where: trigger.fires),
      worst: values.reduce(nil) { worst, value in
        worst.map { trigger.isWorse(value, than: $0) ? value : $0 } ?? value
      }, note: miner.notes[trigger.kind])
  }

  private func clip(
    _ frames: ClosedRange<Int>, _ events: [MiningIndex.Event], of recording: any Recording,
    file: String, folder: String
  ) throws -> MiningIndex.Clip {
    var converting = RecordingConverter.Options(compression: options.compression)
    converting.frames = frames
    converting.redaction = options.redaction
    let path = "\(folder)/\(file)"
    let summary = try RecordingConverter(options: converting).convert(recording, to: path)
    if options.redaction == nil { try NetworkOutputs.copy(frames, of: recording, to: folder) }
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return MiningIndex.Clip(
      file: file, firstFrame: frames.lowerBound, lastFrame: frames.upperBound,
      startNanoseconds: recording.frameTimestampNanoseconds(frames.lowerBound),
      endNanoseconds: recording.frameTimestampNanoseconds(frames.upperBound),
      messages: summary.messageCount, bytes: attributes[.size] as? Int ?? 0, events: events)
  }

  private var describedRedaction: String {
    guard let redaction = options.redaction else { return "" }
    return "positions=\(redaction.positions.rawValue), \(redaction.boxes.count) image boxes"
  }

  private static func digits(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, 6 - text.count)) + text
  }
}

extension NetworkOutputs {
  /// Copies the network outputs of some frames beside a clip, named by time as messages are.
  static func copy(
    _ frames: ClosedRange<Int>, of recording: any Recording, to folder: String
  ) throws {
    guard let indexed = recording as? IndexedRecording, let outputs = indexed.networkOutputs else {
      return
    }
    let selection = FrameSelection(indexed, frames: frames)
    for (position, sensor) in indexed.index.sensors.enumerated() where sensor.kind == .camera {
      for number in selection.samples[position].sorted() {
        try outputs.copy(sensor.name, sensor.samples[number], to: "\(folder)/\(folderName)")
      }
    }
    let defaults = "\(outputs.folder)/network.json"
    if RecordingFile.exists(defaults) {
      try RecordingFile.copy(defaults, to: "\(folder)/\(folderName)/network.json")
    }
  }

  private func copy(_ camera: String, _ sample: IndexedSample, to target: String) throws {
    for name in [sample.outputName, String(sample.timestampNanoseconds)] {
      for suffix in [".safetensors", ".features.npy", ".depth.npy", ".depth_logits.npy"] {
        let file = "\(folder)/\(camera)/\(name)\(suffix)"
        guard RecordingFile.exists(file) else { continue }
        try RecordingFile.copy(
          file, to: "\(target)/\(camera)/\(sample.timestampNanoseconds)\(suffix)")
      }
    }
  }
}

extension RecordingFile {
  /// Copies a file, making the folders above its new place.
  static func copy(_ file: String, to target: String) throws {
    let url = URL(fileURLWithPath: target)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(try read(file)).write(to: url, options: .atomic)
  }
}
