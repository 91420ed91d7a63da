import Swiftlet

/// One frame of the street, ready to be looked at: the scene's tree and the poses around its time.
struct FrameWorld: Sendable {
  let drive: SyntheticDrive
  let index: Int
  let timestamp: Int64
  let snapshot: SceneSnapshot
  let tree: SceneTree
  let renderer: SceneRenderer

  init(drive: SyntheticDrive, index: Int) {
    self.drive = drive
    self.index = index
    timestamp = drive.timestampMicroseconds(ofFrame: index)
    snapshot = drive.scene.snapshot(seconds: SyntheticDrive.seconds(timestamp))
    tree = SceneTree(
      snapshot.primitives, times: Float(-drive.rig.lidar.sweepSeconds * 1.01)...0.001)
    renderer = SceneRenderer(tree: tree, originX: snapshot.originX)
  }

  var worldFromEgo: RigidTransform { drive.worldFromEgo(atMicroseconds: timestamp) }

  /// Snapshot coordinates (street frame, shifted to its origin) from the ego's.
  func snapshotFromEgo(seconds: Double) -> RigidTransform {
    var pose = drive.scene.path.streetFromEgo(seconds)
    pose.translation.x -= snapshot.originX
    return pose
  }
  /// World from snapshot coordinates.
  var worldFromSnapshot: RigidTransform {
    drive.worldFromStreet
      * RigidTransform(
        rotation: Matrix3.identity, translation: SIMD3(snapshot.originX, 0, 0))
  }

  func ray(
    origin: SIMD3<Double>, direction: SIMD3<Double>, microseconds: Int64
  ) -> SceneRay {
    ray(origin: origin, direction: direction, offset: Double(microseconds - timestamp) * 1e-6)
  }
  func ray(origin: SIMD3<Double>, direction: SIMD3<Double>, offset: Double) -> SceneRay {
    SceneRay(
      origin: SIMD3<Float>(origin), direction: normalized(SIMD3<Float>(direction)),
      time: Float(offset))
  }
}
