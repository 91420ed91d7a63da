import Swiftlet

/// Writes recordings as MCAP: folders as ROS 2 messages, message recordings as they are.
public struct RecordingConverter: Sendable {
  public struct Options: Sendable {
    public var recording: RecordingOptions
    public var compression: MCAPWriter.Compression
    /// Nil: all. For folders these are the topics that would be written.
    public var topics: Set<String>?
    /// Seconds from the recording's first sample or message; nil: from its start, to its end.
    public var fromSeconds: Double?
    public var untilSeconds: Double?

    public init(
      recording: RecordingOptions = RecordingOptions(), compression: MCAPWriter.Compression = .zstd,
      topics: Set<String>? = nil, fromSeconds: Double? = nil, untilSeconds: Double? = nil
    ) {
      self.recording = recording
      self.compression = compression
      self.topics = topics
      self.fromSeconds = fromSeconds
      self.untilSeconds = untilSeconds
    }
  }

  /// What was written.
  public struct Summary: Sendable, Equatable {
    public var messageCounts: [String: Int] = [:]
    /// What could not be read and is missing in the file.
    public var warnings: [ReplayWarning] = []
    public var messageCount: Int { messageCounts.values.reduce(0, +) }
  }

  public let options: Options
  public init(options: Options = Options()) { self.options = options }

  /// - Throws: `RecordingError` when the input is no recording, nothing of it is wanted, or the
  ///   output cannot be written.
  public func convert(_ input: String, to output: String) throws(RecordingError) -> Summary {
    guard input != output else {
      throw RecordingError(
        file: output, expected: "another file than the input", found: "the same",
        remedy: "choose another name")
    }
    var summary: Summary
    if let found = try MessageRecording.stores(input) {
      summary = try MessageCopy(stores: found.stores, options: options).write(to: output)
      summary.warnings = found.warnings + summary.warnings
    } else {
      let recording = try RecordingOpener.open(path: input, options: options.recording)
      guard let indexed = recording as? IndexedRecording else {
        throw RecordingError(
          file: input, expected: "a recording of files or messages", found: recording.layout,
          remedy: "convert the recording it was made from")
      }
      summary = try FolderExport(recording: indexed, options: options).write(to: output)
    }
    return summary
  }
}

extension RecordingConverter.Options {
  /// The wanted part of a recording that starts at `first`.
  func times(from first: Int64) -> Range<Int64> {
    func time(_ seconds: Double?) -> Int64? {
      guard let seconds, abs(seconds) < 1e9 else { return nil }
      return first.addingReportingOverflow(Int64(seconds * 1e9)).partialValue
    }
    let start = time(fromSeconds) ?? .min
    return start..<max(start, time(untilSeconds) ?? .max)
  }
}
