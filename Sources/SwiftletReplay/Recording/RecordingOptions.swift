/// A box around the own car, ego axes, metres: points inside it are not obstacles.
public struct EgoBodyBox: Sendable, Equatable {
  public var minimum: SIMD3<Double>
  public var maximum: SIMD3<Double>

  public init(minimum: SIMD3<Double>, maximum: SIMD3<Double>) {
    self.minimum = minimum
    self.maximum = maximum
  }
}

/// How a recording is opened. The defaults suit every layout.
public struct RecordingOptions: Sendable {
  /// The sensor whose samples make frames; nil: the LiDAR where there is one, else the first camera.
  public var triggerSensor: String?
  public var association: SampleAssociation
  /// A sample further from the frame's time than this is not used.
  public var maximumAge: Duration
  /// Own limits for single sensors.
  public var maximumAgeOfSensor: [String: Duration]
  /// Poses further apart than this speed allows reset history.
  public var maximumEgoSpeedMetersPerSecond: Double
  /// Points inside are left out; nil: the layout's own box (nuScenes has one, KITTI none).
  public var egoBodyBox: EgoBodyBox?
  /// Use no box, whatever the layout's own is.
  public var keepsEgoBodyPoints: Bool
  /// A poses file in place of the recording's own (KITTI layouts).
  public var posesFile: String?
  /// The scene (nuScenes: name or token), sequence (KITTI odometry) or drive (KITTI raw); nil: the
  /// first.
  public var scene: String?
  /// Decode images; a run that only maps LiDAR scans saves the time.
  public var decodesImages: Bool
  /// Read the points' classes where a recording has them (nuScenes-lidarseg, SemanticKITTI).
  public var readsPointLabels = false
  /// Which of a message's times orders it (MCAP, ROS 2 bags).
  public var clock = SampleClock.header

  public init(
    triggerSensor: String? = nil, association: SampleAssociation = .nearest,
    maximumAge: Duration = .milliseconds(100), maximumAgeOfSensor: [String: Duration] = [:],
    maximumEgoSpeedMetersPerSecond: Double = 70, egoBodyBox: EgoBodyBox? = nil,
    keepsEgoBodyPoints: Bool = false, posesFile: String? = nil, scene: String? = nil,
    decodesImages: Bool = true
  ) {
    self.triggerSensor = triggerSensor
    self.association = association
    self.maximumAge = maximumAge
    self.maximumAgeOfSensor = maximumAgeOfSensor
    self.maximumEgoSpeedMetersPerSecond = maximumEgoSpeedMetersPerSecond
    self.egoBodyBox = egoBodyBox
    self.keepsEgoBodyPoints = keepsEgoBodyPoints
    self.posesFile = posesFile
    self.scene = scene
    self.decodesImages = decodesImages
  }
}
