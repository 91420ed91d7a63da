import Swiftlet

/// Writes recordings as MCAP (folders as ROS 2 messages, message recordings as they are) or as
/// folders of files.
public struct RecordingConverter: Sendable {
  public enum Format: String, Sendable, CaseIterable {
    case mcap
    case nuScenes = "nuscenes"
    case kitti
  }

  public struct Options: Sendable {
    public var recording: RecordingOptions
    public var compression: MCAPWriter.Compression
    public var format = Format.mcap
    /// Nil: all. Topics, for folders those that would be written, or names of sensors.
    public var topics: Set<String>?
    /// Seconds from the recording's first sample or message; nil: from its start, to its end.
    public var fromSeconds: Double?
    public var untilSeconds: Double?
    /// Only what these frames are made of, in place of times: a clip. It gives the same frames bit
    /// for bit.
    public var frames: ClosedRange<Int>?
    /// Messages that frames do not use come along, as far as they lie in the wanted times.
    public var includesOtherTopics = true
    /// Leave out images, clouds and other messages that cannot be decoded.
    public var leavesOutUnreadable = false
    /// What is made unrecognisable; nil: nothing.
    public var redaction: Redaction?

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
    // Messages are copied without understanding them, so that any file of messages can be.
    if options.format == .mcap, options.frames == nil, options.redaction == nil,
      let found = try MessageRecording.stores(input)
    {
      var summary = try MessageCopy(stores: found.stores, options: options).write(to: output)
      summary.warnings = found.warnings + summary.warnings
      return summary
    }
    return try convert(try RecordingOpener.open(path: input, options: options.recording), to: output)
  }

  /// The same of a recording that is open already.
  ///
  /// - Precondition: the options' frames are the recording's.
  public func convert(
    _ recording: any Recording, to output: String
  ) throws(RecordingError) -> Summary {
    guard let indexed = recording as? IndexedRecording else {
      throw RecordingError(
        file: recording.path, expected: "a recording of files or messages",
        found: recording.layout, remedy: "convert the recording it was made from")
    }
    switch options.format {
    case .mcap: break
    case .nuScenes:
      var writer = NuScenesWriter(plan: try FolderPlan(indexed, options), options: options)
      return try writer.write(to: output)
    case .kitti:
      var writer = KITTIWriter(plan: try FolderPlan(indexed, options))
      return try writer.write(to: output)
    }
    guard let reader = indexed.reader as? MessageSampleReader else {
      return try FolderExport(recording: indexed, options: options).write(to: output)
    }
    var copy = MessageCopy(stores: reader.stores, options: options)
    copy.redactor = options.redaction.map {
      MessageRedactor($0, recording: indexed, frames: options.frames)
    }
    if let frames = options.frames {
      let selection = FrameSelection(indexed, frames: frames)
      copy.clip = MessageCopy.Clip(
        keys: selection.keys(indexed, reader), window: selection.window, clock: indexed.options.clock)
      copy.metadata = [(ReadingProfile.metadataName, ReadingProfile(indexed).metadata)]
    }
    return try copy.write(to: output)
  }
}

extension RecordingConverter.Options {
  /// Whether a topic or its sensor was named.
  func names(topic: String) -> Bool {
    guard let topics else { return true }
    return topics.contains(topic) || topics.contains(MessageKind.sensorName(topic: topic))
  }

  /// Whether a topic is to be written where anything named is there: a sensor (a name without a
  /// slash in front) comes with the transforms that say where it is.
  func wants(topic: String) -> Bool {
    let isTransform = topic == "/tf" || topic == "/tf_static"
    return names(topic: topic)
      || isTransform && (topics?.contains { !$0.hasPrefix("/") } ?? true)
  }

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
