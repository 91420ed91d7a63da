import Foundation
import Swiftlet

/// Consecutive sweeps with boxes and, where known, per-point motion: what it takes to measure what
/// moving things leave behind in a map.
public struct BoxedSweeps {
  public struct Box {
    public var track: String
    public var timestampNanoseconds: Int64
    public var worldFromBox: RigidTransform
    public var size: SIMD3<Double>
    /// Over ground; nil where it is not known.
    public var velocity: SIMD3<Double>?

    public var isMoving: Bool { velocity.map { ($0 * $0).sum() > 1 } ?? false }
  }
  public struct Sweep {
    public var timestampNanoseconds: Int64
    /// [point][5]: x, y, z in the LiDAR's axes, two more.
    public var points: [Float]
    public var worldFromLidar: RigidTransform
    public var worldFromEgo: RigidTransform
    /// [point][3] metres a second over ground in the LiDAR's axes; empty where not known.
    public var velocities: [Float]
    public var pointCount: Int { points.count / 5 }

    func position(_ point: Int) -> SIMD3<Double> {
      worldFromLidar
        * SIMD3(
          Double(points[5 * point]), Double(points[5 * point + 1]), Double(points[5 * point + 2]))
    }
  }
  public var sweeps: [Sweep] = []
  public var boxes: [Box] = []

  /// A synthetic drive (nuScenes layout with ground_truth beside it), else Argoverse 2 sweeps.
  ///
  /// - Throws: `RecordingError` for files that are missing or not what they should be.
  public static func read(_ path: String, frames: Int? = nil) throws -> BoxedSweeps {
    if let truth = try GroundTruthStore(recording: URL(fileURLWithPath: path)) {
      return try readSynthetic(path, truth, frames: frames)
    }
    return try readAV2(path)
  }

  /// Moving boxes at a sweep's time, ready to be asked what lies in them.
  func movingBoxes(at time: Int64) -> [BoxShape] {
    boxes.filter { $0.timestampNanoseconds == time && $0.isMoving }.map(BoxShape.init)
  }
}

/// A box as a question: does a place lie in it?
struct BoxShape {
  let boxFromWorld: RigidTransform
  let half: SIMD3<Double>
  let center: SIMD3<Double>
  let velocity: SIMD3<Double>
  private let reach: Double

  init(_ box: BoxedSweeps.Box) {
    boxFromWorld = box.worldFromBox.inverse
    half = box.size / 2
    center = box.worldFromBox.translation
    velocity = box.velocity ?? .zero
    reach = (half * half).sum().squareRoot()
  }

  /// - Parameter floorMargin: how far above the box's floor it begins.
  func contains(_ place: SIMD3<Double>, margin: Double, floorMargin: Double = 0) -> Bool {
    let away = place - center
    let far = reach + 2 * margin
    guard (away * away).sum() <= far * far else { return false }
    let p = boxFromWorld * place
    return abs(p.x) <= half.x + margin && abs(p.y) <= half.y + margin && p.z <= half.z + margin
      && p.z >= -half.z - margin + floorMargin
  }
}
