import Swiftlet

/// A recording as the replay reads it.
public final class RecordingSource: FrameSource {
  private let recording: any Recording

  public init(_ recording: any Recording) { self.recording = recording }

  public var name: String { recording.path }
  public var frameCount: Int { recording.frameCount }
  public var warnings: [ReplayWarning] { recording.warnings }
  public func frame(at index: Int) throws -> any ReplayFrame { try recording.loadFrame(index) }
}

extension RecordedFrame: ReplayFrame {}

extension ReplayWarning {
  /// A frame that was read but that the pipeline refused.
  public static let frameNotProcessed = "frame-not-processed"
  /// Two runs over the same frames gave different outputs.
  public static let digestNotRepeated = "digest-not-repeated"

  /// True where something that was recorded cannot be used: the recording is damaged or incomplete.
  /// A sensor that was late or silent is not damage, it is what drives are like.
  public var isDamage: Bool { Self.damageCodes.contains(code) }

  private static let damageCodes: Set<String> = [
    fileMissing, imageUndecodable, imageSizeMismatch, pointsTruncated, pointsUnreadable,
    poseInvalid, calibrationMissing, calibrationInvalid, networkOutputInvalid, recordInvalid,
    frameUnreadable, frameNotProcessed, containerDamaged, messageInvalid,
    FrameFinding.Kind.cameraCalibrationInvalid.rawValue,
    FrameFinding.Kind.cameraInputInvalid.rawValue, FrameFinding.Kind.lidarPoseInvalid.rawValue,
  ]
}
