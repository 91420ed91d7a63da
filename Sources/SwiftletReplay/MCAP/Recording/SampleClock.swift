/// Which of a message's three times a recording is ordered by.
public enum SampleClock: String, Sendable, Codable, CaseIterable {
  /// When the sensor saw it: the stamp in the message's header.
  case header
  /// When the sender handed it over.
  case publish
  /// When the recorder wrote it down.
  case log

  /// Times whose differences fit 64 bits.
  static func isPlausible(_ nanoseconds: Int64) -> Bool { nanoseconds.magnitude <= 1 << 62 }
}

extension ReplayWarning {
  /// Part of a container that cannot be used.
  public static let containerDamaged = "container-damaged"
  /// A message that cannot be decoded, or not all of it.
  public static let messageInvalid = "message-invalid"
  /// A sample that was recorded much later after its stamp than the others of its sensor.
  public static let sampleLate = "sample-late"
  /// Header stamps that move against the recorder's time.
  public static let clockDisagrees = "clock-disagrees"
  /// Something legal about a container that costs time, or was skipped.
  public static let containerNote = "container-note"
  /// Messages of a kind that frames do not use.
  public static let topicIgnored = "topic-ignored"
}
