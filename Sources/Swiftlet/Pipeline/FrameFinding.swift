/// Something a frame lacked: the result is defined, the sensor masked.
public struct FrameFinding: Sendable, Equatable {
  public enum Kind: String, Sendable {
    /// A camera's calibration describes no camera; it is masked.
    case cameraCalibrationInvalid = "camera-calibration-invalid"
    /// A camera's features or depth are missing or misshapen; it is masked.
    case cameraInputInvalid = "camera-input-invalid"
    /// Features or depth of a camera hold NaN or infinities; whether it is masked is the
    /// configuration's `not_finite_features`. `count` is how many values.
    case cameraFeaturesNotFinite = "camera-features-not-finite"
    /// A radar map or map prior is misshapen, has no rigid pose, or the weights have no embedding for
    /// it; it is masked.
    case bevMapInvalid = "bev-map-invalid"
    /// A radar map or map prior holds NaN or infinities, treated as a camera's are.
    case bevMapNotFinite = "bev-map-not-finite"
    /// A LiDAR's pose is no rigid transform; it is masked.
    case lidarPoseInvalid = "lidar-pose-invalid"
    /// Points with NaN or infinite coordinates were left out.
    case pointsNotFinite = "points-not-finite"
  }
  public var kind: Kind
  /// The sensor's position among the frame's cameras or LiDARs; -1 where it concerns none alone.
  public var sensorIndex: Int
  public var count: Int

  public init(kind: Kind, sensorIndex: Int = -1, count: Int = 1) {
    self.kind = kind
    self.sensorIndex = sensorIndex
    self.count = count
  }
}
