/// One camera's contribution to a frame. Borrowed views stay valid during the call.
public struct CameraInput: Sendable {
  /// The recording's name, `CAM_FRONT`.
  public var name: String
  public var timestampNanoseconds: Int64
  /// Frame time minus sample time; negative for a sample after the trigger.
  public var ageNanoseconds: Int64
  /// False when the camera has no usable sample in this frame: it is masked, never read.
  public var isValid: Bool
  public var intrinsics: CameraIntrinsics
  /// Camera to ego at the camera's own time (the mount).
  public var egoFromCamera: RigidTransform
  /// Camera at its own time to ego at the frame's time: inverse(E_key) · E_camera · mount,
  /// composed in float64.
  public var keyEgoFromCamera: RigidTransform
  /// Raw pixels to the pixels the network saw.
  public var augmentation: ImageAugmentation
  /// Size of the image the network saw, after augmentation.
  public var networkWidthPixels: Int
  public var networkHeightPixels: Int
  /// Network features [y][x][channel]; nil where the recording has none.
  public var features: TensorView?
  /// Depth [bin][y][x]; nil where the recording has none.
  public var depth: TensorView?
  /// True when `depth` holds logits, false when it holds a distribution.
  public var depthIsLogits: Bool
  /// The raw image, for the built-in encoder and for pictures.
  public var image: ImageView?

  public init(
    name: String, timestampNanoseconds: Int64, ageNanoseconds: Int64, isValid: Bool,
    intrinsics: CameraIntrinsics, egoFromCamera: RigidTransform, keyEgoFromCamera: RigidTransform,
    augmentation: ImageAugmentation = .identity, networkWidthPixels: Int, networkHeightPixels: Int,
    features: TensorView? = nil, depth: TensorView? = nil, depthIsLogits: Bool = false,
    image: ImageView? = nil
  ) {
    self.name = name
    self.timestampNanoseconds = timestampNanoseconds
    self.ageNanoseconds = ageNanoseconds
    self.isValid = isValid
    self.intrinsics = intrinsics
    self.egoFromCamera = egoFromCamera
    self.keyEgoFromCamera = keyEgoFromCamera
    self.augmentation = augmentation
    self.networkWidthPixels = networkWidthPixels
    self.networkHeightPixels = networkHeightPixels
    self.features = features
    self.depth = depth
    self.depthIsLogits = depthIsLogits
    self.image = image
  }
}

/// One LiDAR's contribution to a frame: points in LiDAR axes, already deskewed to the scan's
/// timestamp where the recording needed it.
public struct LidarInput: Sendable {
  public var name: String
  public var timestampNanoseconds: Int64
  public var ageNanoseconds: Int64
  public var isValid: Bool
  public var points: PointCloudView
  /// LiDAR to ego at the LiDAR's own time (the mount).
  public var egoFromLidar: RigidTransform
  /// LiDAR at its own time to world.
  public var worldFromLidar: RigidTransform

  public init(
    name: String, timestampNanoseconds: Int64, ageNanoseconds: Int64, isValid: Bool,
    points: PointCloudView, egoFromLidar: RigidTransform, worldFromLidar: RigidTransform
  ) {
    self.name = name
    self.timestampNanoseconds = timestampNanoseconds
    self.ageNanoseconds = ageNanoseconds
    self.isValid = isValid
    self.points = points
    self.egoFromLidar = egoFromLidar
    self.worldFromLidar = worldFromLidar
  }
}

/// Everything one frame of the pipeline takes: made for every sample of the trigger sensor.
public struct SensorFrame: Sendable {
  public var timestampNanoseconds: Int64
  /// Ego (x forward, y left, z up) at the frame's time to world: the key ego pose.
  public var worldFromEgo: RigidTransform
  /// True when history must not be carried over into this frame: the first frame, a pose jump, the
  /// seam of a looped recording.
  public var resetsHistory: Bool
  /// Every camera of the rig, in the rig's order, missing ones included with `isValid` false.
  public var cameras: [CameraInput]
  public var lidars: [LidarInput]
  /// Maps that somebody else made: radar, a map of the place; at most one of each kind.
  public var bevMaps: [BEVMapInput]

  public init(
    timestampNanoseconds: Int64, worldFromEgo: RigidTransform, resetsHistory: Bool,
    cameras: [CameraInput], lidars: [LidarInput], bevMaps: [BEVMapInput] = []
  ) {
    self.timestampNanoseconds = timestampNanoseconds
    self.worldFromEgo = worldFromEgo
    self.resetsHistory = resetsHistory
    self.cameras = cameras
    self.lidars = lidars
    self.bevMaps = bevMaps
  }
}
