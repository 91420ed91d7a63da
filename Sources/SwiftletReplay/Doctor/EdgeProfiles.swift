import Foundation
import Swiftlet

/// What a camera's images say about where each depth edge lies: along a short line across every
/// edge the likelihood of each place, and how far a change of the camera moves the edge along it.
///
/// An edge either is one of the image's edges on its line, each as likely as it is strong, or is not
/// seen at all, one time in two. The logarithm of that likelihood over chance adds up over edges: an
/// edge beside a single image edge says much, one among many (leaves, windows) little, one without
/// any nothing. Strength alone, as in Levinson and Thrun's inverse distance transform, lets textures
/// outvote silhouettes and moves the maximum by tenths of a degree.
struct EdgeProfiles: Sendable {
  /// Turns in degrees (0...2), shifts in metres (3...5), the cameras' lateness in seconds (6).
  typealias Change = SIMD8<Float>

  /// Of a 700-pixel image: 4 to 5 degrees to either side.
  static let reachPixels = 48
  private static let length = 2 * reachPixels + 1
  /// Gradients below this are noise and texture, above the cap all are equally good edges.
  private static let leastGradient: Float = 10
  private static let cap: Float = 67
  /// How an image edge scatters about where the LiDAR has it (one standard deviation): sideways by
  /// its steps of azimuth, at tops by a part of the gap between two rings. Tops recede, and how far
  /// is not known: seen from another height than the LiDAR's a near one is off by more, always to
  /// the same side.
  private struct Scatter {
    let pixels: Float
    /// The evidence of an edge that lies on the only image edge of its line.
    let peak: Float

    init(pixels: Float) {
      self.pixels = pixels
      peak = log(1 + Float(EdgeProfiles.length) / (pixels * Self.rootOfTwoPi))
    }
    private static let rootOfTwoPi = Float((2 * Double.pi).squareRoot())

    /// Adds an image edge of some strength at a place between the line's pixels.
    func add(_ strength: Float, at place: Float, to line: inout [Float]) {
      let reach = 4 * pixels
      let first = max(0, Int(place - reach) + 1)
      let last = min(line.count - 1, Int(place + reach))
      guard first <= last else { return }
      let scale = strength / (pixels * Self.rootOfTwoPi)
      for index in first...last {
        let ratio = (Float(index) - place) / pixels
        line[index] += scale * exp(-0.5 * ratio * ratio)
      }
    }
  }
  private static let sideScatter = Scatter(pixels: 1.5)
  private static let topScatter = Scatter(pixels: 2)
  private static let nearTopScatter = Scatter(pixels: 5)
  private static let nearMeters = 8.0

  private static func scatter(_ edge: DepthEdges.Edge) -> Scatter {
    guard edge.kind == .top else { return sideScatter }
    let p = edge.position
    return (p * p).sum() < nearMeters * nearMeters ? nearTopScatter : topScatter
  }
  /// What each unknown is differenced over.
  private static let steps = Change(0.05, 0.05, 0.05, 0.01, 0.01, 0.01, 0.005, 0)

  /// [edge][place on its line], logarithms of likelihood over chance.
  private var evidence: [Float] = []
  /// Pixels along its line that an edge moves per unit of each unknown.
  private var motion: [Change] = []
  private var weights: [Float] = []
  private var peaks: [Float] = []
  private var kinds: [DepthEdges.Kind] = []
  /// The evidence if every edge lay on the only image edge of its line.
  private var fullEvidence = 0.0
  var count: Int { weights.count }
  private(set) var topCount = 0
  var sideCount: Int { count - topCount }

  /// Profiles around a camera that is off by `error` and `seconds` late.
  init(
    _ views: [CalibrationView], at error: CalibrationError6 = CalibrationError6(), seconds: Double
  ) {
    let poses = Poses(error)
    var line = [Float](repeating: 0, count: Self.length)
    for view in views {
      for edge in view.edges {
        guard let (place, motion) = Self.place(edge, view, poses, seconds) else { continue }
        let scatter = Self.scatter(edge)
        Self.sample(view.planes, edge.kind, place, scatter, into: &line)
        evidence += line
        self.motion.append(motion)
        weights.append(edge.weight)
        peaks.append(scatter.peak)
        kinds.append(edge.kind)
        if edge.kind == .top { topCount += 1 }
        fullEvidence += Double(edge.weight * scatter.peak)
      }
    }
  }

  /// Camera-from-camera of an error and of a step to either side on each axis.
  private struct Poses {
    var middle: RigidTransform
    var sides: [(low: RigidTransform, high: RigidTransform)] = []

    init(_ error: CalibrationError6) {
      middle = error.transform.inverse
      for axis in 0..<6 {
        var (low, high) = (error, error)
        low[axis] -= Double(EdgeProfiles.steps[axis])
        high[axis] += Double(EdgeProfiles.steps[axis])
        sides.append((low.transform.inverse, high.transform.inverse))
      }
    }
  }

  /// Where an edge falls in the planes and how it moves; nil outside the image.
  private static func place(
    _ edge: DepthEdges.Edge, _ view: CalibrationView, _ poses: Poses, _ seconds: Double
  ) -> (SIMD2<Double>, Change)? {
    let p = view.moved(edge.position, seconds: seconds)
    let q = poses.middle * p
    guard q.z > 1, let place = view.planePixel(q),
      place.x > 4, place.y > 4, place.x < Double(view.planes.widthPixels - 5),
      place.y < Double(view.planes.heightPixels - 5)
    else { return nil }
    let axis = edge.kind == .side ? 0 : 1
    var motion = Change.zero
    for unknown in 0..<6 {
      guard let low = view.planePixel(poses.sides[unknown].low * p),
        let high = view.planePixel(poses.sides[unknown].high * p)
      else { return nil }
      motion[unknown] = Float(high[axis] - low[axis]) / (2 * steps[unknown])
    }
    if view.velocity != nil {
      let step = Double(steps[6])
      let before = poses.middle * view.moved(edge.position, seconds: seconds - step)
      let after = poses.middle * view.moved(edge.position, seconds: seconds + step)
      guard let low = view.planePixel(before), let high = view.planePixel(after) else {
        return nil
      }
      motion[6] = Float(high[axis] - low[axis]) / (2 * steps[6])
    }
    return (place, motion)
  }

  /// The evidence along the line across an edge: local maxima of the gradient, each with its share
  /// of all, scattered.
  private static func sample(
    _ planes: GradientPlanes, _ kind: DepthEdges.Kind, _ place: SIMD2<Double>,
    _ scatter: Scatter, into line: inout [Float]
  ) {
    var gradients = [Float](repeating: 0, count: length)
    for index in 0..<length {
      let offset = Float(index - reachPixels)
      let x = Float(place.x) + (kind == .side ? offset : 0)
      let y = Float(place.y) + (kind == .side ? 0 : offset)
      gradients[index] = planes.value(kind, x, y)
    }
    var total: Float = 0
    for index in 0..<length { line[index] = 0 }
    for index in 1..<(length - 1) {
      let (before, here, after) = (gradients[index - 1], gradients[index], gradients[index + 1])
      guard here > leastGradient, here >= before, here >= after else { continue }
      let strength = min(cap, here - leastGradient)
      total += strength
      // The vertex of the parabola through the three.
      let bend = before - 2 * here + after
      let offset = bend < 0 ? 0.5 * (before - after) / bend : 0
      scatter.add(strength, at: Float(index) + offset, to: &line)
    }
    guard total > 0 else { return }
    for index in 0..<length where line[index] > 0 {
      line[index] = log(1 + Float(length) * line[index] / total)
    }
  }

  // MARK: evaluation

  /// The evidence for a change from where the profiles were made, summed over every `every`th edge.
  func evidence(for change: Change, every: Int = 1) -> Double {
    var sum = 0.0
    var edge = 0
    while edge < weights.count {
      let offset = (motion[edge] * change).sum()
      sum += Double(weights[edge] * value(edge, offset))
      edge += every
    }
    return sum
  }

  /// What a change gains over none for the edges of one kind, a share of the evidence of all.
  func gain(of change: Change, for kind: DepthEdges.Kind) -> Double {
    var sum = 0.0
    for edge in kinds.indices where kinds[edge] == kind {
      let offset = (motion[edge] * change).sum()
      sum += Double(weights[edge] * (value(edge, offset) - value(edge, 0)))
    }
    return fullEvidence > 0 ? sum / fullEvidence : 0
  }

  /// The same as a share of what it would be if every edge lay on the only image edge near it.
  func agreement(for change: Change) -> Double {
    fullEvidence > 0 ? evidence(for: change) / fullEvidence : 0
  }

  private func value(_ edge: Int, _ offset: Float) -> Float {
    let reach = Float(Self.reachPixels)
    let place = min(max(offset + reach, 0), 2 * reach - 0.001)
    let left = Int(place)
    let fraction = place - Float(left)
    let index = edge * Self.length + left
    return evidence[index] * (1 - fraction) + evidence[index + 1] * fraction
  }

  /// One Gauss–Newton row an edge for the residual 1 − evidence/peak at a change: the residual and
  /// its derivatives by the six unknowns of the mount.
  func residual(_ edge: Int, _ change: Change) -> (value: Double, derivatives: [Double], weight: Double) {
    let offset = (motion[edge] * change).sum()
    let peak = peaks[edge]
    let slope = (value(edge, offset + 1) - value(edge, offset - 1)) / (2 * peak)
    return (
      1 - Double(value(edge, offset) / peak),
      (0..<6).map { -Double(slope * motion[edge][$0]) }, Double(weights[edge])
    )
  }
}

extension EdgeProfiles.Change {
  init(_ error: CalibrationError6, seconds: Double = 0) {
    self.init()
    for axis in 0..<6 { self[axis] = Float(error[axis]) }
    self[6] = Float(seconds)
  }
}
