/// A recording, or a part of one, that cannot be read: where, what was expected, what was found
/// and what to do.
public struct RecordingError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file or folder.
  public var file: String
  /// The record inside it: a token, a line, a frame, a sensor.
  public var record: String?
  public var byteOffset: Int?
  public var expected: String
  public var found: String
  /// One imperative: what to do.
  public var remedy: String

  public init(
    file: String, record: String? = nil, byteOffset: Int? = nil, expected: String, found: String,
    remedy: String
  ) {
    self.file = file
    self.record = record
    self.byteOffset = byteOffset
    self.expected = expected
    self.found = found
    self.remedy = remedy
  }

  /// One line.
  public var description: String {
    var place = file
    if let record { place += ", \(record)" }
    if let byteOffset { place += ", byte \(byteOffset)" }
    return "\(place): expected \(expected), found \(found); \(remedy)"
  }
}

/// Something odd in a recording that does not stop it from being replayed.
public struct ReplayWarning: Sendable, Equatable, Codable {
  /// Stable: one of the constants below.
  public var code: String
  /// The frame it concerns; nil for the whole recording.
  public var frame: Int?
  public var sensor: String?
  public var message: String

  public init(code: String, frame: Int? = nil, sensor: String? = nil, message: String) {
    self.code = code
    self.frame = frame
    self.sensor = sensor
    self.message = message
  }
}

extension ReplayWarning {
  /// No sample of the sensor within its maximum age of the frame.
  public static let sensorMissing = "sensor-missing"
  /// The sample's file is not there.
  public static let fileMissing = "file-missing"
  /// The image cannot be decoded; its camera is missing in this frame.
  public static let imageUndecodable = "image-undecodable"
  /// The image's size differs from its calibration's.
  public static let imageSizeMismatch = "image-size-mismatch"
  /// The scan's file ends inside a point; the whole points before it are used.
  public static let pointsTruncated = "points-truncated"
  /// The scan cannot be read; its LiDAR is missing in this frame.
  public static let pointsUnreadable = "points-unreadable"
  /// A scan's classes cannot be read or are not one a point; the scan is used without them.
  public static let pointLabelsInvalid = "point-labels-invalid"
  /// Points without an ego pose at their own time were not deskewed.
  public static let deskewIncomplete = "deskew-incomplete"
  /// The scan has no points.
  public static let pointsEmpty = "points-empty"
  /// Points with NaN or infinite coordinates were left out.
  public static let pointsNotFinite = "points-not-finite"
  /// The ego pose at a sensor's time was extrapolated, by at most 100 ms.
  public static let poseExtrapolated = "pose-extrapolated"
  /// No ego pose within 100 ms of a sensor's time; the sensor is missing.
  public static let poseMissing = "pose-missing"
  /// Two poses imply a speed beyond the maximum; history is reset.
  public static let poseJump = "pose-jump"
  /// A pose that is not finite or not a rigid transform was left out.
  public static let poseInvalid = "pose-invalid"
  /// A sensor without calibration; it is missing in every frame.
  public static let calibrationMissing = "calibration-missing"
  /// A calibration that describes no sensor; the sensor is missing in every frame.
  public static let calibrationInvalid = "calibration-invalid"
  /// Two samples of one sensor with the same time.
  public static let timestampDuplicate = "timestamp-duplicate"
  /// A sample earlier than the one before it in the recording's order.
  public static let timestampOrder = "timestamp-order"
  /// A pause of more than 1.5 periods between samples of one sensor.
  public static let timestampGap = "timestamp-gap"
  /// A camera has no network output in a recording that has some.
  public static let networkOutputMissing = "network-output-missing"
  /// A network output that cannot be used.
  public static let networkOutputInvalid = "network-output-invalid"
  /// A record of a table or an index that cannot be used.
  public static let recordInvalid = "record-invalid"
  /// A whole frame that cannot be loaded.
  public static let frameUnreadable = "frame-unreadable"
  /// A sensor this project does not use, a radar.
  public static let sensorIgnored = "sensor-ignored"
  /// The recording was copied without the sweeps between its key frames.
  public static let sweepsAbsent = "sweeps-absent"
  /// The recording has several pose files; which one was used.
  public static let posesChosen = "poses-chosen"
}
