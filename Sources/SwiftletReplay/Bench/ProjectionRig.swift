import Swiftlet

/// A synthetic surround rig for benchmarks: six 1600×900 pinhole cameras like nuScenes', with the
/// pitch and roll of real mounts. A level rig would flatter: whole pixel columns would then fall
/// into the same cell.
enum ProjectionRig {
  /// One mounted camera: position in metres, angles in degrees, focal length in pixels.
  private struct Mount {
    var x, y, z: Double
    var yaw, pitch, roll: Double
    var focal: Double
    var centerX, centerY: Double
  }

  private static let mounts = [
    Mount(
      x: 1.70, y: 0.02, z: 1.51, yaw: 0.2, pitch: -0.6, roll: 0.3, focal: 1266, centerX: 816,
      centerY: 491),
    Mount(
      x: 1.55, y: -0.49, z: 1.50, yaw: -56, pitch: 1.1, roll: -0.4, focal: 1260, centerX: 807,
      centerY: 471),
    Mount(
      x: 1.52, y: 0.49, z: 1.51, yaw: 55, pitch: -1.7, roll: 0.6, focal: 1272, centerX: 826,
      centerY: 479),
    Mount(
      x: 0.03, y: 0.00, z: 1.57, yaw: 180.3, pitch: 0.4, roll: -0.2, focal: 810, centerX: 829,
      centerY: 481),
    Mount(
      x: 1.03, y: 0.48, z: 1.56, yaw: 108, pitch: -1.1, roll: 0.9, focal: 1256, centerX: 792,
      centerY: 492),
    Mount(
      x: 1.01, y: -0.48, z: 1.56, yaw: -111, pitch: 0.8, roll: -0.7, focal: 1259, centerX: 793,
      centerY: 463),
  ]

  /// The six cameras as a projection sees them. `drift` turns every camera by that many degrees,
  /// which makes a calibration that differs.
  static func cameras(
    augmentation: ImageAugmentation, networkWidth: Int, networkHeight: Int, driftDegrees: Double = 0
  ) -> [FrustumCamera] {
    mounts.map { mount in
      FrustumCamera(
        intrinsics: CameraIntrinsics(
          focalX: mount.focal, focalY: mount.focal, centerX: mount.centerX, centerY: mount.centerY,
          widthPixels: 1600, heightPixels: 900),
        egoFromCamera: RigidTransform(
          rotation: rotation(mount, driftDegrees), translation: SIMD3(mount.x, mount.y, mount.z)),
        augmentation: augmentation, networkWidthPixels: networkWidth,
        networkHeightPixels: networkHeight)
    }
  }

  /// Ego from camera: yaw about ego's z, then pitch about the camera's x and roll about its z.
  private static func rotation(_ mount: Mount, _ drift: Double) -> Matrix3 {
    let forward = Matrix3(SIMD3(0, 0, 1), SIMD3(-1, 0, 0), SIMD3(0, -1, 0))
    let yaw = turn(SIMD3(0, 0, 1), mount.yaw + drift)
    let pitch = turn(SIMD3(1, 0, 0), mount.pitch)
    let roll = turn(SIMD3(0, 0, 1), mount.roll)
    return yaw * forward * pitch * roll
  }

  private static func turn(_ axis: SIMD3<Double>, _ degrees: Double) -> Matrix3 {
    Quaternion(axis: axis, radians: degrees * .pi / 180).matrix
  }

  /// BEVDet's test-time augmentation: 0.44, crop from row 140 to 704×256.
  static let bevDetAugmentation = ImageAugmentation.resizeCropFlipRotate(
    resize: 0.44, left: 0, top: 140, width: 704, height: 256)
  /// BEVFusion's: 0.48, crop from (32, 176) to 704×256.
  static let bevFusionAugmentation = ImageAugmentation.resizeCropFlipRotate(
    resize: 0.48, left: 32, top: 176, width: 704, height: 256)
}

/// SplitMix64, so that benchmark inputs are the same everywhere.
struct SeededNumbers {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  /// Uniform in `range`, 24 random bits.
  mutating func next(in range: ClosedRange<Float>) -> Float {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    z ^= z >> 31
    let unit = Float(z >> 40) * 0x1p-24
    return range.lowerBound + (range.upperBound - range.lowerBound) * unit
  }
  mutating func fill(_ buffer: AlignedBuffer<Float>, in range: ClosedRange<Float>) {
    for index in 0..<buffer.count { buffer[index] = next(in: range) }
  }
}
