import Foundation
import Swiftlet

/// A late frame as a recording of its own.
public struct MissClip: Sendable, Encodable {
  /// In the recording.
  public var frame: Int
  public var pass: Int
  public var judgedMilliseconds: Double
  public var cause: MissCause?
  /// The folder, below the one asked for.
  public var folder: String
  /// The first frame of the clip; what came before does not change the late frame's outputs.
  public var firstFrame: Int
  public var frames: Int
  /// Of the late frame's outputs, the last of the clip.
  public var digest: String
  /// The clip was read back and replayed to the same digest.
  public var isVerified: Bool
  /// Repeats the frame's work.
  public var command: String

  enum CodingKeys: String, CodingKey {
    case frame, pass, cause, folder, frames, digest, command
    case judgedMilliseconds = "judged_ms"
    case firstFrame = "first_frame"
    case isVerified = "verified"
  }
}

/// Writes the shortest recordings that repeat late frames' work bit for bit.
public struct MissClipper {
  /// How a clip is replayed: what the run itself was given.
  public struct Command: Sendable {
    /// Options that decide outputs or the verdict, as typed: `--isa avx2 --threads 2`.
    public var options: [String]
    public var configuration: PipelineConfiguration
    /// `--inject …`, which counts frames from the recording's first.
    public var injection: String?

    public init(
      options: [String], configuration: PipelineConfiguration, injection: String? = nil
    ) {
      self.options = options
      self.configuration = configuration
      self.injection = injection
    }
  }

  private let recording: any Recording
  /// A source of a recording, with the run's faults.
  private let makeSource: (any Recording) throws -> any FrameSource
  private let makeProcessor: () throws -> any FrameProcessor
  private let command: Command
  /// The worst misses.
  public var limit = 3

  public init(
    recording: any Recording, command: Command,
    makeSource: @escaping (any Recording) throws -> any FrameSource = { RecordingSource($0) },
    makeProcessor: @escaping () throws -> any FrameProcessor
  ) {
    self.recording = recording
    self.command = command
    self.makeSource = makeSource
    self.makeProcessor = makeProcessor
  }

  /// Writes a folder for each of the worst misses, and `clips.json`.
  ///
  /// A frame that was late in a looped pass is kept as the first pass computed it.
  public func write(_ result: ReplayResult, to folder: String) throws -> [MissClip] {
    var replay = FrameReplay(makeProcessor: makeProcessor)
    for record in result.records where record.pass == 0 {
      if record.completedStageCount < result.stages.count {
        replay.completedStages[record.recordedIndex] = record.completedStageCount
      }
    }
    let digests = Dictionary(
      result.records.compactMap { record in record.digest.map { (record.recordedIndex, $0) } }
    ) { first, _ in first }
    var clips: [MissClip] = []
    for record in worst(result) {
      guard let digest = digests[record.recordedIndex] else { continue }
      if let clip = try write(record, digest, result, replay, to: folder) { clips.append(clip) }
    }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try JSONText.pretty(clips).write(
      to: URL(fileURLWithPath: folder).appending(path: "clips.json"), options: .atomic)
    return clips
  }

  /// One record a frame, worst first.
  private func worst(_ result: ReplayResult) -> [FrameRecord] {
    let missed = result.records.filter(\.isMissed).sorted {
      ($1.judgedNanoseconds, $0.measuredIndex) < ($0.judgedNanoseconds, $1.measuredIndex)
    }
    var seen: Set<Int> = []
    return Array(missed.filter { seen.insert($0.recordedIndex).inserted }.prefix(limit))
  }

  private func write(
    _ record: FrameRecord, _ digest: UInt64, _ result: ReplayResult, _ replay: FrameReplay,
    to folder: String
  ) throws -> MissClip? {
    let last = record.recordedIndex
    let source = try makeSource(recording)
    // Injected faults are drawn by frame number: a clip of them begins where the recording does.
    let start =
      command.injection == nil
      ? try replay.latestStart(of: source, for: last, digest: digest) ?? 0 : 0
    let name = "miss-frame-\(last)"
    let path = "\(folder)/\(name)"
    try? FileManager.default.removeItem(atPath: path)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    // What the configuration cannot say, the clip does: trigger, association, ages.
    var options = RecordingConverter.Options()
    options.includesOtherTopics = false
    options.frames = start...last
    _ = try RecordingConverter(options: options).convert(recording, to: "\(path)/clip.mcap")
    try NetworkOutputs.copy(start...last, of: recording, to: path)
    let isVerified = try verify("\(path)/clip.mcap", digest, replay, from: start, to: last)
    let text = try writeCommand(result, start...last, to: path)
    return MissClip(
      frame: last, pass: record.pass, judgedMilliseconds: milliseconds(record.judgedNanoseconds),
      cause: result.missCause(of: record), folder: name, firstFrame: start,
      frames: last - start + 1, digest: OutputDigest.text(digest), isVerified: isVerified,
      command: text)
  }

  private func verify(
    _ path: String, _ digest: UInt64, _ replay: FrameReplay, from first: Int, to last: Int
  ) throws -> Bool {
    let clip = try RecordingOpener.open(path: path, options: openingOptions)
    guard clip.frameCount == last - first + 1 else { return false }
    var replay = replay
    replay.completedStages = Dictionary(
      uniqueKeysWithValues: replay.completedStages.map { ($0.key - first, $0.value) })
    return try replay.digest(of: makeSource(clip), from: 0, to: last - first) == digest
  }

  /// As `replay --config pipeline.json` opens it.
  private var openingOptions: RecordingOptions {
    PipelineLoader(configuration: command.configuration, engine: .reference, threadCount: 1)
      .recordingOptions
  }

  /// The configuration, decisions and the command that uses them.
  private func writeCommand(
    _ result: ReplayResult, _ frames: ClosedRange<Int>, to path: String
  ) throws -> String {
    var words = ["swiftlet", "replay", "clip.mcap", "--config", "pipeline.json", "--no-loop"]
    try Data(command.configuration.commentedJSON.utf8).write(
      to: URL(fileURLWithPath: path).appending(path: "pipeline.json"))
    words += command.options
    if let injection = command.injection { words += ["--inject", injection] }
    let decided = result.records.filter { $0.pass == 0 && frames.contains($0.recordedIndex) }
    if decided.contains(where: { $0.completedStageCount < result.stages.count }) {
      try DecisionLog(completedStages: decided.map(\.completedStageCount)).serialized().write(
        to: URL(fileURLWithPath: path).appending(path: "decisions.jsonl"))
      words += [
        "--on-deadline", result.options.onDeadline.rawValue, "--decisions", "decisions.jsonl",
      ]
    }
    let text = words.map(Self.quoted).joined(separator: " ")
    let arguments = words.dropFirst().map(Self.quoted).joined(separator: " ")
    let script = """
      #!/bin/sh
      # The last frame's digest is the late frame's. SWIFTLET names the tool where it is not in PATH.
      cd "$(dirname "$0")" && "${SWIFTLET:-swiftlet}" \(arguments) "$@"

      """
    let file = URL(fileURLWithPath: path).appending(path: "replay.sh")
    try Data(script.utf8).write(to: file)
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: file.path)
    return text
  }

  /// For a shell.
  static func quoted(_ word: String) -> String {
    let plain = word.allSatisfy { $0.isLetter || $0.isNumber || "-_./=:,@".contains($0) }
    return plain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }
}
