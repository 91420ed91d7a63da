import Swiftlet

/// Examines a recording as a whole: container, times, poses, calibrations, payloads; and writes what
/// can be read of a damaged one.
public struct RecordingDoctor: Sendable {
  typealias Finding = RecordingExamination.Finding

  public var options: RecordingOptions
  /// Decode every image and scan. Without it the payloads are only known to be there.
  public var readsPayloads: Bool

  public init(options: RecordingOptions = RecordingOptions(), readsPayloads: Bool = true) {
    self.options = options
    self.readsPayloads = readsPayloads
  }

  /// Examines what lies at a path. Nothing there, or something else, is a finding like others.
  public func examine(_ path: String) -> RecordingExamination {
    var examination = RecordingExamination(path: path)
    let container = examineContainer(path, &examination)
    do throws(RecordingError) {
      let opened = try RecordingOpener.open(path: path, options: options)
      guard let recording = opened as? IndexedRecording else { return examination }
      examination.layout = recording.layout
      examination.frames = recording.frameCount
      examineStructure(recording, container, &examination)
      examinePayloads(recording, &examination)
      examineTimes(recording, &examination)
      examinePoses(recording, &examination)
      examineCalibration(recording, &examination)
    } catch {
      let finding = Finding(subject: .structure, state: .damaged, message: error.description)
      examination.add(.structure, examined: container.examined, container.structure + [finding])
      if let checksums = container.checksums { examination.checks.append(checksums) }
    }
    let order = RecordingExamination.Subject.allCases
    examination.checks.sort {
      (order.firstIndex(of: $0.subject) ?? 0) < (order.firstIndex(of: $1.subject) ?? 0)
    }
    return examination
  }

  /// Warnings of opening that belong to a subject, as findings.
  func findings(
    _ recording: IndexedRecording, _ subject: RecordingExamination.Subject, _ codes: Set<String>
  ) -> [Finding] {
    recording.warnings.filter { codes.contains($0.code) }.map { finding($0, subject) }
  }
  func finding(
    _ warning: ReplayWarning, _ subject: RecordingExamination.Subject
  ) -> Finding {
    Finding(
      subject: subject, state: warning.isDamage ? .damaged : .odd, sensor: warning.sensor,
      message: warning.message)
  }

  // MARK: repair

  /// What a repair kept and lost.
  public struct Repair: Sendable {
    public var output: String
    public var messages: Int
    /// What could not be kept.
    public var losses: [ReplayWarning]
    /// Of the file that was written.
    public var examination: RecordingExamination
  }

  /// Writes everything that can be read as a new MCAP file with a full index and CRCs, and
  /// examines that. Undamaged messages are copied byte for byte; those that cannot be decoded are
  /// left out and named.
  ///
  /// - Throws: when nothing can be read, or the file cannot be written.
  public func repair(_ path: String, to output: String) throws(RecordingError) -> Repair {
    var converting = RecordingConverter.Options(recording: options)
    converting.leavesOutUnreadable = true
    let summary = try RecordingConverter(options: converting).convert(path, to: output)
    var after = self
    after.options = RecordingOptions(maximumAge: options.maximumAge)
    return Repair(
      output: output, messages: summary.messageCount,
      losses: summary.warnings.filter {
        $0.isDamage || [ReplayWarning.containerDamaged, .messageInvalid].contains($0.code)
      }, examination: after.examine(output))
  }
}

extension String {
  fileprivate static let messageInvalid = ReplayWarning.messageInvalid
}
