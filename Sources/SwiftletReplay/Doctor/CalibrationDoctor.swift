import Foundation
import Swiftlet

/// Judges camera calibrations by whether depth edges of the LiDAR fall on edges of the image, and
/// finds the small turn of each camera under which they fit best.
///
/// Frames are added one by one; what is kept of each is an edge map per camera and the edge points
/// in the camera's own axes at its own time, so that the ego's motion is already taken out.
public struct CalibrationDoctor {
  /// What was found about one camera.
  public struct Finding: Sendable, Equatable {
    public enum State: String, Sendable {
      /// The given calibration fits best, within the threshold.
      case good
      /// Another orientation fits better by more than the threshold.
      case turned
      /// Too few edges, or no orientation stands out.
      case undecided
    }
    public var camera: String
    public var state: State
    /// The turn of the camera about its own x (right), y (down) and z (forward) axes under which
    /// edges fit best, degrees: `egoFromCamera · turn` is the better mount.
    public var turnDegrees: SIMD3<Double>
    /// Mean edge agreement as given and at the best turn, 0...1.
    public var score: Double
    public var bestScore: Double
    /// Depth edges seen by this camera over all frames.
    public var edgeCount: Int
  }

  /// A camera is called turned when its best turn about any axis exceeds this.
  public var thresholdDegrees = 0.3
  /// Fewer edges than this decide nothing.
  public var minimumEdgeCount = 300

  private struct View {
    var intrinsics: CameraIntrinsics
    var coarse: EdgeMap
    var fine: EdgeMap
    /// In the camera's axes.
    var edges: [DepthEdges.Edge]
  }
  private var views: [String: [View]] = [:]
  private var names: [String] = []

  public init() {}

  /// Adds what every camera of a frame sees. Cameras without an image and frames without points add
  /// nothing. Lenses other than pinholes are left out.
  public mutating func add(_ frame: SensorFrame) {
    let egoFromWorld = frame.worldFromEgo.inverse
    for lidar in frame.lidars where lidar.isValid {
      let edges = DepthEdges.find(Self.positions(lidar.points))
      let keyEgoFromLidar = egoFromWorld * lidar.worldFromLidar
      for camera in frame.cameras where camera.isValid && camera.intrinsics.lens == .pinhole {
        guard let image = camera.image else { continue }
        let cameraFromLidar = camera.keyEgoFromCamera.inverse * keyEgoFromLidar
        add(
          camera.name, RGBImage(copying: image), camera.intrinsics,
          edges.map { DepthEdges.Edge(position: cameraFromLidar * $0.position, weight: $0.weight) })
      }
    }
  }

  /// Adds one image with edge points in the camera's axes.
  mutating func add(
    _ name: String, _ image: RGBImage, _ intrinsics: CameraIntrinsics, _ edges: [DepthEdges.Edge]
  ) {
    if views[name] == nil { names.append(name) }
    let inView = edges.filter { edge in
      edge.position.z > 1
        && abs(edge.position.x / edge.position.z * intrinsics.focalX)
          < Double(image.widthPixels)
        && abs(edge.position.y / edge.position.z * intrinsics.focalY)
          < Double(image.heightPixels)
    }
    views[name, default: []].append(
      View(
        intrinsics: intrinsics, coarse: EdgeMap(image, reachPixels: 6),
        fine: EdgeMap(image, reachPixels: 1.5), edges: inView))
  }

  private static func positions(_ cloud: PointCloudView) -> [SIMD3<Double>] {
    (0..<cloud.count).map { index in
      unsafe SIMD3<Double>(
        SIMD3(
          cloud.value(index, cloud.xByteOffset), cloud.value(index, cloud.yByteOffset),
          cloud.value(index, cloud.zByteOffset)))
    }
  }

  /// One finding per camera, in the order cameras were first seen.
  public func findings() -> [Finding] { names.map(finding) }

  private func finding(_ camera: String) -> Finding {
    let views = views[camera] ?? []
    let given = agreement(views, .zero, \.fine)
    // Coarse maps have wide basins, fine ones sharp peaks.
    var best = SIMD3<Double>.zero
    for step in [1.0, 0.5, 0.25] { best = climbed(views, from: best, step: step, \.coarse) }
    for step in [0.2, 0.1, 0.05] { best = climbed(views, from: best, step: step, \.fine) }
    let score = agreement(views, best, \.fine)
    let largest = max(abs(best.x), abs(best.y), abs(best.z))
    var state = Finding.State.good
    if given.count < minimumEdgeCount {
      state = .undecided
    } else if largest > thresholdDegrees {
      state = score.mean > given.mean * 1.02 ? .turned : .undecided
    }
    return Finding(
      camera: camera, state: state, turnDegrees: best, score: given.mean, bestScore: score.mean,
      edgeCount: given.count)
  }

  /// Climbs along the axes, at most 2.5° from the given calibration.
  private func climbed(
    _ views: [View], from start: SIMD3<Double>, step: Double, _ map: KeyPath<View, EdgeMap>
  ) -> SIMD3<Double> {
    var best = start
    var score = agreement(views, best, map).mean
    for _ in 0..<6 {
      var improved = false
      for axis in 0..<3 {
        for sign in [-1.0, 1.0] {
          var tried = best
          tried[axis] += sign * step
          guard abs(tried[axis]) <= 2.5 else { continue }
          let value = agreement(views, tried, map).mean
          if value > score {
            (best, score, improved) = (tried, value, true)
          }
        }
      }
      if !improved { break }
    }
    return best
  }

  /// Weighted mean of the edge maps at the projected edges, with the camera turned about its own
  /// axes.
  private func agreement(
    _ views: [View], _ degrees: SIMD3<Double>, _ map: KeyPath<View, EdgeMap>
  ) -> (mean: Double, count: Int) {
    let cameraFromTurned = Self.turn(degrees).transpose
    var sum = 0.0
    var weights = 0.0
    var count = 0
    for view in views {
      let edgeMap = view[keyPath: map]
      for edge in view.edges {
        let p = cameraFromTurned * edge.position
        guard p.z > 0.5 else { continue }
        let u = view.intrinsics.focalX * p.x / p.z + view.intrinsics.centerX
        let v = view.intrinsics.focalY * p.y / p.z + view.intrinsics.centerY
        guard let value = edgeMap.value(u, v) else { continue }
        sum += Double(value * edge.weight)
        weights += Double(edge.weight)
        count += 1
      }
    }
    return (weights > 0 ? sum / weights : 0, count)
  }

  static func turn(_ degrees: SIMD3<Double>) -> Matrix3 {
    let x = Quaternion(axis: SIMD3(1, 0, 0), radians: degrees.x * .pi / 180)
    let y = Quaternion(axis: SIMD3(0, 1, 0), radians: degrees.y * .pi / 180)
    let z = Quaternion(axis: SIMD3(0, 0, 1), radians: degrees.z * .pi / 180)
    return (x * y * z).normalized.matrix
  }
}
