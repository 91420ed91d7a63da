import Dispatch
import Foundation
import Swiftlet
import Synchronization

/// Judges camera calibrations by whether depth edges of the LiDAR fall on edges of the image, and
/// finds under which small change of each camera they fit best.
///
/// Frames are added one by one; what is kept of each is edge maps per camera and the edge points in
/// the camera's own axes at its own time, so that the ego's motion is already taken out.
public struct CalibrationDoctor: Sendable {
  /// What was found about one camera.
  public struct Finding: Sendable, Equatable {
    public enum State: String, Sendable {
      /// The given calibration fits best, within the thresholds.
      case good
      /// Another orientation fits better by more than the thresholds.
      case turned
      /// Another position does.
      case shifted
      /// Another camera's calibration fits this camera's images.
      case swapped
      /// The images fit when they are mirrored.
      case mirrored
      /// Too few edges, or nothing stands out.
      case undecided
    }
    public var camera: String
    public var state: State
    /// The change under which edges fit best: `egoFromCamera · best.transform` is the better mount.
    public var best: CalibrationError6
    /// Mean edge agreement as given and at the best change, 0...1.
    public var score: Double
    public var bestScore: Double
    /// The fixed perturbation (±0.25…2°, ±5…20 cm, one axis at a time) that fits best, and whether
    /// the calibration as given fits better than all of them.
    public var bestPerturbation: CalibrationError6
    public var isBestAsGiven: Bool
    /// The camera whose calibration fits, for a swapped one.
    public var looksLike: String?
    /// Depth edges seen by this camera over all frames.
    public var edgeCount: Int
    public var turnDegrees: SIMD3<Double> { best.turnDegrees }
  }

  /// A fault of the whole rig.
  public enum RigFault: Sendable, Equatable {
    /// Left and right are exchanged in every mount.
    case mirrored
    /// All cameras are turned together about the vertical, degrees.
    case turned(degrees: Double)
  }

  /// How cameras and LiDAR agree in time.
  public struct TimeOffset: Sendable, Equatable {
    /// Added to the cameras' times, this fits best, seconds.
    public var seconds: Double
    /// True where it is beyond 15 ms and several cameras fit better with it.
    public var isFault: Bool
    /// False where the recording shows no motion to judge by.
    public var isJudged: Bool
    public var scoreGain: Double
  }

  public struct Diagnosis: Sendable, Equatable {
    public var rigFault: RigFault?
    public var timeOffset: TimeOffset
    /// In the order cameras were first seen.
    public var findings: [Finding]
    public var hasFault: Bool {
      rigFault != nil || timeOffset.isFault
        || findings.contains { $0.state != .good && $0.state != .undecided }
    }
    public var isUndecided: Bool { !findings.contains { $0.state != .undecided } }
  }

  /// A camera is called turned when its best turn about its y axis (pan) exceeds this; nodding and
  /// rolling, which edges show less, may be more.
  public var thresholdDegrees = 0.25
  private static let axisFactors = SIMD3(1.44, 1, 1.72)
  /// A camera is called shifted when its best shift is longer.
  public var thresholdMeters = 0.09
  /// How much better than the given calibration the best change must fit, relative to its fit.
  public var minimumGain = 0.01
  /// What it must gain beyond that per square degree of nodding, panning and rolling, and per square
  /// metre of shift, up to `farGain`: a camera that is off by degrees fits hardly anything as given.
  private static let gainPerSquareDegree = SIMD3(0.12, 0.05, 0.015)
  private static let gainPerSquareMeter = 1.0
  private static let farGain = 0.3
  /// What tops must gain where upright edges speak against rolling; on drives where nothing is wrong
  /// they gained 0.02.
  private static let topsAloneGain = 0.03
  /// Fewer edges than this decide nothing, and fewer upright ones no panning.
  public var minimumEdgeCount = 250
  /// Fewer tops than this decide no nodding, rolling or shift. The farther a change, the more edges
  /// there are that tops may fall on by chance (those of two or three cars fit their rear windows
  /// 2° below as well), so as many again are asked for by every degree.
  public var minimumTopCount = 150

  var views: [String: [CalibrationView]] = [:]
  public private(set) var names: [String] = []

  public init() {}

  /// Adds what every camera of a frame sees. Cameras without an image and frames without points add
  /// nothing.
  public mutating func add(_ frame: SensorFrame) {
    let egoFromWorld = frame.worldFromEgo.inverse
    let motion = Self.motion(frame)
    for lidar in frame.lidars where lidar.isValid {
      let keyEgoFromLidar = egoFromWorld * lidar.worldFromLidar
      let edges = DepthEdges.find(Self.positions(lidar.points)).map { edge in
        DepthEdges.Edge(
          position: keyEgoFromLidar * edge.position, weight: edge.weight, kind: edge.kind)
      }
      for camera in frame.cameras where camera.isValid {
        guard let image = camera.image else { continue }
        let cameraFromKeyEgo = camera.keyEgoFromCamera.inverse
        var view = CalibrationView(
          RGBImage(copying: image), camera.intrinsics,
          edges.map {
            DepthEdges.Edge(
              position: cameraFromKeyEgo * $0.position, weight: $0.weight, kind: $0.kind)
          })
        view.edgesInEgo = edges
        view.keyEgoFromCamera = camera.keyEgoFromCamera
        if let motion {
          let mount = camera.egoFromCamera
          let lever = Self.cross(motion.spin, mount.translation)
          view.velocity = mount.rotation.transpose * (motion.velocity + lever)
          view.spin = mount.rotation.transpose * motion.spin
        }
        add(camera.name, view)
      }
    }
  }

  mutating func add(_ name: String, _ view: CalibrationView) {
    if views[name] == nil { names.append(name) }
    views[name, default: []].append(view)
  }

  /// The ego's velocity and spin in its own axes, from the camera farthest in time from the frame;
  /// nil where all are within 4 ms.
  private static func motion(
    _ frame: SensorFrame
  ) -> (velocity: SIMD3<Double>, spin: SIMD3<Double>)? {
    let oldest = frame.cameras.filter(\.isValid).max {
      abs($0.ageNanoseconds) < abs($1.ageNanoseconds)
    }
    guard let oldest, abs(oldest.ageNanoseconds) > 4_000_000 else { return nil }
    let seconds = Double(oldest.ageNanoseconds) / 1e9
    let moved = oldest.keyEgoFromCamera * oldest.egoFromCamera.inverse
    let r = moved.rotation
    // Small turns: the antisymmetric part is the rotation vector.
    let turn = SIMD3(r.row2.y - r.row1.z, r.row0.z - r.row2.x, r.row1.x - r.row0.y) / 2
    return (-moved.translation / seconds, -turn / seconds)
  }

  private static func cross(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> SIMD3<Double> {
    SIMD3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
  }

  private static func positions(_ cloud: PointCloudView) -> [SIMD3<Double>] {
    (0..<cloud.count).map { index in
      unsafe SIMD3<Double>(
        SIMD3(
          cloud.value(index, cloud.xByteOffset), cloud.value(index, cloud.yByteOffset),
          cloud.value(index, cloud.zByteOffset)))
    }
  }

  static func turn(_ degrees: SIMD3<Double>) -> Matrix3 {
    let x = Quaternion(axis: SIMD3(1, 0, 0), radians: degrees.x * .pi / 180)
    let y = Quaternion(axis: SIMD3(0, 1, 0), radians: degrees.y * .pi / 180)
    let z = Quaternion(axis: SIMD3(0, 0, 1), radians: degrees.z * .pi / 180)
    return (x * y * z).normalized.matrix
  }

  // MARK: the diagnosis

  /// Looks for faults of the rig first, then of the clocks, then of single cameras.
  public func diagnose() -> Diagnosis {
    let gross = grossFaults()
    let offset =
      gross.rig == nil && gross.cameras.isEmpty
      ? timeOffset()
      : TimeOffset(seconds: 0, isFault: false, isJudged: false, scoreGain: 0)
    let found = Mutex([Finding?](repeating: nil, count: names.count))
    DispatchQueue.concurrentPerform(iterations: names.count) { place in
      // Under a fault of the rig no camera can be judged by itself.
      let result = finding(
        names[place], seconds: offset.isFault ? offset.seconds : 0,
        gross.rig == nil ? gross.cameras[names[place]] : GrossFault(state: .undecided))
      found.withLock { $0[place] = result }
    }
    return Diagnosis(
      rigFault: gross.rig, timeOffset: offset,
      findings: found.withLock { $0.compactMap(\.self) })
  }

  /// One finding per camera, as `diagnose` gives them.
  public func findings() -> [Finding] { diagnose().findings }

  private func finding(
    _ camera: String, seconds: Double, _ gross: GrossFault?
  ) -> Finding {
    let search = CalibrationSearch(views: views[camera] ?? [], seconds: seconds)
    let given = search.score(CalibrationError6())
    let perturbation = search.bestPerturbation()
    var finding = Finding(
      camera: camera, state: .undecided, best: CalibrationError6(), score: given, bestScore: given,
      bestPerturbation: perturbation.error, isBestAsGiven: given >= perturbation.score,
      looksLike: nil, edgeCount: search.profiles.count)
    if let gross {
      finding.state = gross.state
      finding.looksLike = gross.looksLike
      return finding
    }
    guard search.profiles.count >= minimumEdgeCount else { return finding }
    judge(&finding, search)
    return finding
  }

  private func judge(_ finding: inout Finding, _ search: CalibrationSearch) {
    let turned = search.climbedTurns()
    let shifted = search.climbedShifts()
    let isTurned = isBeyondThresholds(turned, search)
    let isShifted = isBeyondThresholds(shifted, search)
    // A shift moves near edges more than far ones: where it explains more than a turn, it is one.
    let explainsMore = shifted.score > 1.01 * turned.score
    if isShifted && (explainsMore || !isTurned && shifted.score >= turned.score) {
      finding.best = shifted.error
      finding.bestScore = shifted.score
      finding.state = .shifted
    } else {
      finding.best = turned.error
      finding.bestScore = turned.score
      finding.state = isTurned ? .turned : .good
    }
  }

  /// Whether a change is larger than the thresholds, on axes that enough edges show, and fits better
  /// than the calibration as given.
  private func isBeyondThresholds(
    _ result: CalibrationSearch.Result, _ search: CalibrationSearch
  ) -> Bool {
    let turns = result.error.turnDegrees
    let shifts = result.error.shiftMeters
    let length = (shifts * shifts).sum().squareRoot()
    // Ten centimetres move edges 10 m away as far as half a degree does.
    let farthest = max(abs(turns.x), abs(turns.z), length / 0.2)
    let hasTops =
      Double(search.profiles.topCount) >= Double(minimumTopCount) * (1 + farthest)
    let hasSides = search.profiles.sideCount >= minimumEdgeCount
    var isBeyond = length > thresholdMeters && hasTops && hasSides
    let limits = thresholdDegrees * Self.axisFactors
    let given = search.score(CalibrationError6())
    let gain = result.score - given
    // Tops of one large object recede alike and look like rolling: upright edges join in only where
    // there is some, and what one object gains is little.
    let sideGain = search.profiles.gain(of: EdgeProfiles.Change(result.error), for: .side)
    let isRolling = hasTops && (sideGain > 0 || gain > Self.topsAloneGain * result.score)
    for axis in 0..<3 where [hasTops, hasSides, isRolling][axis] {
      if abs(turns[axis]) > limits[axis] { isBeyond = true }
    }
    let expected =
      (Self.gainPerSquareDegree * turns * turns).sum() + Self.gainPerSquareMeter * length * length
    let least = max(minimumGain, min(Self.farGain, expected))
    return isBeyond && gain > least * result.score
  }
}
