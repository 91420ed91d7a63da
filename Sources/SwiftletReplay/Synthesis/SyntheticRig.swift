import Foundation
import Swiftlet

/// The synthetic car's sensors: six cameras and a 64-beam spinning LiDAR, mounted and timed like a
/// nuScenes car's.
public struct SyntheticRig: Sendable {
  public struct Camera: Sendable {
    public var name: String
    public var egoFromCamera: RigidTransform
    public var intrinsics: CameraIntrinsics
    /// Fraction of a revolution before the sweep's end at which the camera fires: when the beam
    /// crosses its optical axis.
    public var firingFraction: Double
  }
  public struct Lidar: Sendable {
    public var name: String
    public var egoFromLidar: RigidTransform
    public var beamCount: Int
    public var azimuthCount: Int
    public var lowestElevationDegrees: Double
    public var highestElevationDegrees: Double
    public var maximumRangeMeters: Float
    public var rangeNoiseMeters: Float
    public var dropoutProbability: Float
    /// Duration of one revolution, seconds.
    public var sweepSeconds: Double
    /// Yaw in the ego frame (counter-clockwise from forward) where a revolution starts and ends; it
    /// turns clockwise.
    public var startYawDegrees: Double
  }
  public var cameras: [Camera]
  public var lidar: Lidar

  /// The default rig for images of this size.
  ///
  /// The focal lengths are nuScenes' (1,260 and 810 pixels at 1,600) scaled to the width. Yaws are
  /// 0, ±55, ±110 and 180 degrees; pitch and roll are off by up to 1.7 degrees, as on real cars.
  public init(imageWidthPixels width: Int, imageHeightPixels height: Int, lidarAzimuthCount: Int) {
    cameras = Self.mounts.map { Self.camera($0, width: width, height: height) }
    lidar = Lidar(
      name: "LIDAR_TOP",
      egoFromLidar: RigidTransform(
        rotation: Self.rotation(yaw: -89.9, pitch: 0.25, roll: -0.15),
        translation: SIMD3(0.943713, 0, 1.84023)),
      beamCount: 64, azimuthCount: lidarAzimuthCount, lowestElevationDegrees: -25,
      highestElevationDegrees: 15, maximumRangeMeters: 100, rangeNoiseMeters: 0.02,
      dropoutProbability: 0.01, sweepSeconds: 0.05, startYawDegrees: 108)
  }

  private struct Mount {
    var name: String
    var position: SIMD3<Double>
    /// Degrees.
    var yaw, pitch, roll: Double
    /// At 1,600 pixels of width.
    var focal: Double
    /// Offsets from the image's centre, at 1,600 pixels of width.
    var centerX, centerY: Double
  }
  private static let mounts = [
    Mount(
      name: "CAM_FRONT", position: SIMD3(1.70, 0.02, 1.51), yaw: 0.3, pitch: 1.1, roll: -0.6,
      focal: 1266, centerX: 16, centerY: -52),
    Mount(
      name: "CAM_FRONT_RIGHT", position: SIMD3(1.55, -0.49, 1.50), yaw: -55.6, pitch: -0.8,
      roll: 1.2, focal: 1261, centerX: 8, centerY: -48),
    Mount(
      name: "CAM_BACK_RIGHT", position: SIMD3(1.01, -0.48, 1.56), yaw: -110.8, pitch: 0.7,
      roll: -1.0, focal: 1260, centerX: 7, centerY: -44),
    Mount(
      name: "CAM_BACK", position: SIMD3(0.03, 0.00, 1.58), yaw: 179.4, pitch: 1.6, roll: 0.4,
      focal: 809, centerX: 29, centerY: -40),
    Mount(
      name: "CAM_BACK_LEFT", position: SIMD3(1.04, 0.48, 1.59), yaw: 108.3, pitch: -1.2, roll: 0.9,
      focal: 1257, centerX: -8, centerY: -50),
    Mount(
      name: "CAM_FRONT_LEFT", position: SIMD3(1.52, 0.49, 1.51), yaw: 55.4, pitch: 0.5, roll: -1.3,
      focal: 1273, centerX: 27, centerY: -54),
  ]

  private static func camera(_ mount: Mount, width: Int, height: Int) -> Camera {
    let scale = Double(width) / 1600
    // Body axes (x forward, y left, z up) from camera axes (x right, y down, z forward).
    let bodyFromCamera = Matrix3(SIMD3(0, 0, 1), SIMD3(-1, 0, 0), SIMD3(0, -1, 0))
    let turn = rotation(yaw: mount.yaw, pitch: mount.pitch, roll: mount.roll).matrix
    let behind = (108 - mount.yaw).truncatingRemainder(dividingBy: 360)
    let fraction = (behind < 0 ? behind + 360 : behind) / 360
    return Camera(
      name: mount.name,
      egoFromCamera: RigidTransform(rotation: turn * bodyFromCamera, translation: mount.position),
      intrinsics: CameraIntrinsics(
        focalX: mount.focal * scale, focalY: mount.focal * scale,
        centerX: (Double(width) - 1) / 2 + mount.centerX * scale,
        centerY: (Double(height) - 1) / 2 + mount.centerY * scale,
        widthPixels: width, heightPixels: height),
      // The beam is at 108° at both ends of a revolution: a yaw just above it belongs to the end.
      firingFraction: fraction > 0.99 ? 0 : 1 - fraction)
  }

  /// Yaw, then pitch (nose down positive), then roll, degrees.
  private static func rotation(yaw: Double, pitch: Double, roll: Double) -> Quaternion {
    let z = Quaternion(axis: SIMD3(0, 0, 1), radians: yaw * .pi / 180)
    let y = Quaternion(axis: SIMD3(0, 1, 0), radians: pitch * .pi / 180)
    let x = Quaternion(axis: SIMD3(1, 0, 0), radians: roll * .pi / 180)
    return (z * y * x).normalized
  }

  /// Elevation of a beam above the LiDAR's horizon, radians; beam 0 is the lowest, as rings are
  /// numbered in nuScenes.
  func elevation(ofBeam beam: Int) -> Double {
    let step =
      (lidar.highestElevationDegrees - lidar.lowestElevationDegrees)
      / Double(max(1, lidar.beamCount - 1))
    return (lidar.lowestElevationDegrees + step * Double(beam)) * .pi / 180
  }
  /// Seconds before the sweep's stamp at which firing `azimuth` happens; the last fires at 0.
  func timeOffset(ofAzimuth azimuth: Int) -> Double {
    lidar.sweepSeconds * (Double(azimuth + 1) / Double(lidar.azimuthCount) - 1)
  }
  /// Unit direction of a beam in LiDAR axes (x right, y forward, z up).
  func direction(azimuth: Int, beam: Int) -> SIMD3<Double> {
    let turned = 360 * Double(azimuth + 1) / Double(lidar.azimuthCount)
    let yaw = (lidar.startYawDegrees - turned) * .pi / 180
    let elevation = elevation(ofBeam: beam)
    return SIMD3(-cos(elevation) * sin(yaw), cos(elevation) * cos(yaw), sin(elevation))
  }
}
