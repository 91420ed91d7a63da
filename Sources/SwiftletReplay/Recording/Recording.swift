import Swiftlet

/// A recorded drive, opened: its sensors and frames are known, frames are read one at a time.
///
/// Frames may be loaded from one other thread (a prefetcher) while the rest of the recording's
/// properties are read; memory stays bounded by the frames the caller keeps.
public protocol Recording: AnyObject, Sendable {
  /// `nuScenes`, `KITTI raw`, `KITTI odometry`.
  var layout: String { get }
  /// The path it was opened with.
  var path: String { get }
  /// A short name for reports: the scene, the drive, the sequence.
  var name: String { get }
  /// One frame for every sample of the trigger sensor.
  var frameCount: Int { get }
  /// The sensor whose samples make frames.
  var triggerSensor: String { get }
  /// How other sensors' samples were chosen for a frame.
  var association: SampleAssociation { get }
  /// Every sensor of the rig, cameras in the rig's order first.
  var sensors: [SensorDescription] { get }
  /// What is odd about the recording as a whole; frames carry their own.
  var warnings: [ReplayWarning] { get }
  /// From the first frame's time to the last one's.
  var durationNanoseconds: Int64 { get }

  /// The time of a frame without reading its data.
  ///
  /// - Precondition: `index` is below `frameCount`.
  func frameTimestampNanoseconds(_ index: Int) -> Int64

  /// Reads and decodes one frame. A sensor that cannot be read is missing in the frame, with a
  /// warning; only a frame without anything usable is an error, and it concerns that frame alone.
  ///
  /// - Precondition: `index` is below `frameCount`.
  func loadFrame(_ index: Int) throws(RecordingError) -> RecordedFrame
}

/// Which sample of a sensor belongs to a frame.
public enum SampleAssociation: String, Sendable, Codable, CaseIterable {
  /// The one nearest in time, before or after.
  case nearest
  /// The latest one not after the frame: what a vehicle has.
  case latest
}

/// One sensor of a recording.
public struct SensorDescription: Sendable, Equatable {
  public enum Kind: String, Sendable, Codable {
    case camera
    case lidar
  }
  public enum Calibration: Sendable, Equatable {
    case found
    /// What is missing or wrong.
    case missing(String)
  }

  public var name: String
  public var kind: Kind
  public var sampleCount: Int
  /// Samples a second by the median period; nil with fewer than two samples.
  public var rateHertz: Double?
  public var calibration: Calibration
  /// Cameras: the size of the images; 0 where unknown and for LiDARs.
  public var widthPixels: Int
  public var heightPixels: Int

  public init(
    name: String, kind: Kind, sampleCount: Int, rateHertz: Double?, calibration: Calibration,
    widthPixels: Int = 0, heightPixels: Int = 0
  ) {
    self.name = name
    self.kind = kind
    self.sampleCount = sampleCount
    self.rateHertz = rateHertz
    self.calibration = calibration
    self.widthPixels = widthPixels
    self.heightPixels = heightPixels
  }
}

/// One frame of a recording in memory: what the pipeline takes, and the buffers it looks into.
public final class RecordedFrame: Sendable {
  /// The frame's position in the recording.
  public let index: Int
  /// Views into this object's memory: valid as long as it lives.
  public let sensorFrame: SensorFrame
  public let warnings: [ReplayWarning]
  /// LiDAR points left out because they lie on the own car.
  public let egoBodyPointCount: Int
  /// LiDAR points left out because they are NaN or infinite.
  public let notFinitePointCount: Int
  /// One array a LiDAR of `sensorFrame`: Occ3D's class of each point, 255 for none; empty where they
  /// were not asked for (`RecordingOptions.readsPointLabels`) or not recorded.
  public let pointLabels: [[UInt8]]
  /// Keeps every buffer that `sensorFrame` looks into.
  private let storage: [any AnyObject & Sendable]

  /// Hands out the sensor frame while its memory is kept alive. Swift may release an object after
  /// its last mention, so `loadFrame(0).sensorFrame` alone would leave views into freed memory.
  public func withSensorFrame<Result>(
    _ body: (SensorFrame) throws -> Result
  ) rethrows -> Result {
    try withExtendedLifetime(self) { try body(sensorFrame) }
  }

  /// - Parameter storage: the owners of all memory that `sensorFrame` looks into.
  public init(
    index: Int, sensorFrame: SensorFrame, warnings: [ReplayWarning], egoBodyPointCount: Int = 0,
    notFinitePointCount: Int = 0, pointLabels: [[UInt8]] = [],
    storage: [any AnyObject & Sendable]
  ) {
    self.index = index
    self.sensorFrame = sensorFrame
    self.warnings = warnings
    self.egoBodyPointCount = egoBodyPointCount
    self.notFinitePointCount = notFinitePointCount
    self.pointLabels = pointLabels
    self.storage = storage
  }
}
