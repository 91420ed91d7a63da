import Foundation
import Swiftlet

/// What a synthetic drive is made of.
public struct SyntheticDriveOptions: Sendable, Equatable {
  public var seed: UInt64
  public var framesPerSecond: Double
  public var imageWidthPixels: Int
  public var imageHeightPixels: Int
  /// Firings of the LiDAR in one revolution; 2,048 gives about 120,000 points.
  public var lidarAzimuthCount: Int
  /// Points stay where each firing saw them, with their times beside them, instead of being
  /// corrected to the sweep's stamp.
  public var writesRawSweep: Bool
  public var jpegQuality: Int
  /// A fault planted into the recorded calibration, for tests of calibration checks.
  public var calibrationFault: SyntheticCalibrationFault?

  public init(
    seed: UInt64 = 1, framesPerSecond: Double = 10, imageWidthPixels: Int = 704,
    imageHeightPixels: Int = 256, lidarAzimuthCount: Int = 2048, writesRawSweep: Bool = false,
    jpegQuality: Int = 92, calibrationFault: SyntheticCalibrationFault? = nil
  ) {
    self.seed = seed
    self.framesPerSecond = framesPerSecond
    self.imageWidthPixels = imageWidthPixels
    self.imageHeightPixels = imageHeightPixels
    self.lidarAzimuthCount = lidarAzimuthCount
    self.writesRawSweep = writesRawSweep
    self.jpegQuality = jpegQuality
    self.calibrationFault = calibrationFault
  }

  /// A typed error unless every number can be used.
  public func validate() throws(ConfigurationError) {
    func check(
      _ isGood: Bool, _ field: String, _ expected: String, _ found: String
    ) throws(ConfigurationError) {
      guard !isGood else { return }
      throw ConfigurationError(
        field: field, expected: expected, found: found, remedy: "choose a value in that range")
    }
    try check(
      framesPerSecond.isFinite && framesPerSecond >= 0.1 && framesPerSecond <= 20, "rate",
      "0.1 to 20 frames a second (a revolution of the LiDAR takes 50 ms)", "\(framesPerSecond)")
    try check(
      (16...4096).contains(imageWidthPixels) && (16...4096).contains(imageHeightPixels),
      "image size", "16 to 4,096 pixels a side", "\(imageWidthPixels)×\(imageHeightPixels)")
    try check(
      (16...8192).contains(lidarAzimuthCount), "azimuths", "16 to 8,192 firings a revolution",
      "\(lidarAzimuthCount)")
    try check((1...100).contains(jpegQuality), "quality", "1 to 100", "\(jpegQuality)")
  }
}

/// A wrong rotation written for one camera; the images stay as they are.
public struct SyntheticCalibrationFault: Sendable, Equatable {
  public var camera: String
  /// Applied in the camera's own axes, degrees.
  public var axis: SIMD3<Double>
  public var degrees: Double
  public init(camera: String, axis: SIMD3<Double>, degrees: Double) {
    self.camera = camera
    self.axis = axis
    self.degrees = degrees
  }
}

/// A ray-cast street drive: every frame is a pure function of the options and its index, so frames
/// can be made in any order and on any number of threads, and the first frames of a long drive equal
/// a short drive's bit for bit.
public struct SyntheticDrive: Sendable {
  /// Microseconds of the first frame's LiDAR stamp.
  public static let epochMicroseconds: Int64 = 1_600_000_000_000_000

  public let options: SyntheticDriveOptions
  public let rig: SyntheticRig
  let scene: StreetScene

  public init(options: SyntheticDriveOptions) throws(ConfigurationError) {
    try options.validate()
    self.options = options
    rig = SyntheticRig(
      imageWidthPixels: options.imageWidthPixels, imageHeightPixels: options.imageHeightPixels,
      lidarAzimuthCount: options.lidarAzimuthCount)
    scene = StreetScene(seed: options.seed)
  }

  /// The LiDAR stamp of a frame, which is the frame's time.
  public func timestampMicroseconds(ofFrame index: Int) -> Int64 {
    Self.epochMicroseconds + Int64((Double(index) * 1e6 / options.framesPerSecond).rounded())
  }
  /// When a camera fires in a frame: as the beam crosses its axis, before the frame's stamp.
  public func timestampMicroseconds(ofFrame index: Int, camera: SyntheticRig.Camera) -> Int64 {
    timestampMicroseconds(ofFrame: index)
      - Int64((camera.firingFraction * rig.lidar.sweepSeconds * 1e6).rounded())
  }
  static func seconds(_ microseconds: Int64) -> Double {
    Double(microseconds - epochMicroseconds) * 1e-6
  }
  /// The exact ego pose (rear axle, x forward, y left, z up) at any time.
  public func worldFromEgo(atMicroseconds time: Int64) -> RigidTransform {
    scene.path.worldFromEgo(Self.seconds(time))
  }
  /// World (z up) from the street's frame (x along it, y left, its surface z = 0).
  public var worldFromStreet: RigidTransform { scene.path.worldFromStreet }

  /// Makes one frame: images, points, boxes and what a perfect map would know.
  public func frame(_ index: Int) -> SyntheticFrame {
    let world = FrameWorld(drive: self, index: index)
    var images: [SyntheticFrame.CameraSample] = []
    var cameraBeams: [LidarSweep.Beam] = []
    for camera in rig.cameras { images.append(world.render(camera, beams: &cameraBeams)) }
    let sweep = world.scan()
    return SyntheticFrame(
      index: index, timestampMicroseconds: world.timestamp, worldFromEgo: world.worldFromEgo,
      cameras: images, points: sweep.points, pointTimes: sweep.times,
      pointLabels: sweep.labels, boxes: world.boxes(seenBy: sweep),
      groundTruth: world.groundTruth(sweep, cameraBeams: cameraBeams))
  }
}

/// One frame of a synthetic drive.
public struct SyntheticFrame: Sendable {
  public struct CameraSample: Sendable {
    public var name: String
    public var timestampMicroseconds: Int64
    public var worldFromEgo: RigidTransform
    public var image: RGBImage
  }
  /// An annotated object.
  public struct Box: Sendable {
    /// The same in every frame.
    public var identity: UInt64
    public var category: SyntheticCategory
    /// World from the box's own axes: x along its length, y left, z up, origin in its middle.
    public var worldFromBox: RigidTransform
    /// Length, width, height, metres.
    public var size: SIMD3<Double>
    /// World, metres per second: the flow of every point of the object.
    public var velocityInWorld: SIMD3<Double>
    public var isMoving: Bool
    /// Returns of this frame's sweep.
    public var lidarPointCount: Int
  }
  public var index: Int
  public var timestampMicroseconds: Int64
  /// At the frame's time.
  public var worldFromEgo: RigidTransform
  /// In the rig's order.
  public var cameras: [CameraSample]
  /// x y z intensity ring of each return, LiDAR axes, 5 values a point.
  public var points: [Float]
  /// Seconds relative to the frame's time, one a point.
  public var pointTimes: [Float]
  /// `SyntheticLabel` raw values, one a point.
  public var pointLabels: [UInt8]
  public var boxes: [Box]
  public var groundTruth: GroundTruthFrame
}
