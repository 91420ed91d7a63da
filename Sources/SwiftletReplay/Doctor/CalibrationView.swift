import Foundation
import Swiftlet

/// How a camera may be other than its calibration says.
public struct CalibrationError6: Sendable, Equatable {
  /// About the camera's own x (right), y (down) and z (forward) axes, degrees.
  public var turnDegrees: SIMD3<Double>
  /// Along the same axes, metres.
  public var shiftMeters: SIMD3<Double>

  public init(turnDegrees: SIMD3<Double> = .zero, shiftMeters: SIMD3<Double> = .zero) {
    self.turnDegrees = turnDegrees
    self.shiftMeters = shiftMeters
  }
  /// `egoFromCamera · transform` is the better mount.
  public var transform: RigidTransform {
    RigidTransform(rotation: CalibrationDoctor.turn(turnDegrees), translation: shiftMeters)
  }
  /// Turns in the first three, shifts in the last three places.
  subscript(index: Int) -> Double {
    get { index < 3 ? turnDegrees[index] : shiftMeters[index - 3] }
    set {
      if index < 3 { turnDegrees[index] = newValue } else { shiftMeters[index - 3] = newValue }
    }
  }
}

/// What one camera saw in one frame, ready to be compared with the LiDAR's edges.
struct CalibrationView: Sendable {
  var intrinsics: CameraIntrinsics
  var widthPixels: Int
  private var heightPixels: Int
  /// Sharp, for measuring.
  let planes: GradientPlanes
  /// Spread wide, for telling cameras and rigs apart; in the planes' pixels.
  private var coarseAcross: EdgeMap
  private var coarseDown: EdgeMap
  /// In the camera's axes at its own time, near or inside the image.
  var edges: [DepthEdges.Edge]
  /// The frame's edges in key ego axes, and this camera in them: for other rigs' hypotheses.
  var edgesInEgo: [DepthEdges.Edge] = []
  var keyEgoFromCamera = RigidTransform.identity
  /// The camera's own motion at that time in its axes, metres and radians a second; nil where the
  /// recording does not show it.
  var velocity: SIMD3<Double>?
  var spin = SIMD3<Double>.zero

  init(_ image: RGBImage, _ intrinsics: CameraIntrinsics, _ edges: [DepthEdges.Edge]) {
    self.intrinsics = intrinsics
    widthPixels = image.widthPixels
    heightPixels = image.heightPixels
    let factor = max(1, Int((Double(image.widthPixels) / 704).rounded()))
    let small = GradientPlanes.reduced(image, by: factor)
    planes = GradientPlanes(small, factor: factor)
    // Reaches in pixels of a 704-pixel image, so that they are the same angle in others.
    let reach = 6 * max(0.75, Float(small.widthPixels) / 704)
    coarseAcross = EdgeMap(small, .across, reachPixels: reach)
    coarseDown = EdgeMap(small, .down, reachPixels: reach)
    self.edges = []
    self.edges = edges.filter { isNear($0.position) }
  }

  private func isNear(_ p: SIMD3<Double>) -> Bool {
    guard p.z > 1, let pixel = pixel(p) else { return false }
    let (width, height) = (Double(widthPixels), Double(heightPixels))
    return pixel.x > -0.3 * width && pixel.x < 1.3 * width && pixel.y > -0.5 * height
      && pixel.y < 1.5 * height
  }

  /// Nil where the lens has none.
  func pixel(_ p: SIMD3<Double>) -> SIMD2<Double>? {
    if intrinsics.lens == .pinhole {
      guard p.z > 0.5 else { return nil }
      return SIMD2(
        intrinsics.focalX * p.x / p.z + intrinsics.centerX,
        intrinsics.focalY * p.y / p.z + intrinsics.centerY)
    }
    let side = (p.x * p.x + p.y * p.y).squareRoot()
    guard p.z > 0.5, side / p.z < 5 else { return nil }
    let pixel = intrinsics.pixel(of: p)
    return pixel.x.isFinite && pixel.y.isFinite ? pixel : nil
  }

  /// Where a point lies in the planes, whose pixels are means of squares of the image's.
  func planePixel(_ p: SIMD3<Double>) -> SIMD2<Double>? { pixel(p).map(inPlanes) }

  private func inPlanes(_ pixel: SIMD2<Double>) -> SIMD2<Double> {
    planes.factor == 1 ? pixel : (pixel + 0.5) / Double(planes.factor) - 0.5
  }

  /// Strength of the kind's coarse map at a pixel; nil outside.
  func value(_ pixel: SIMD2<Double>, _ kind: DepthEdges.Kind) -> Float? {
    let place = inPlanes(pixel)
    return (kind == .side ? coarseAcross : coarseDown).value(place.x, place.y)
  }

  /// Mean and deviation of the coarse maps' strengths.
  var background: (mean: Double, deviation: Double) {
    let a = coarseAcross.distribution
    let b = coarseDown.distribution
    return ((a.mean + b.mean) / 2, (a.deviation + b.deviation) / 2)
  }

  /// A point as the camera would have had it `seconds` later: p − dt (v + ω × p).
  func moved(_ p: SIMD3<Double>, seconds: Double) -> SIMD3<Double> {
    guard seconds != 0, let velocity else { return p }
    let turning = SIMD3(
      spin.y * p.z - spin.z * p.y, spin.z * p.x - spin.x * p.z, spin.x * p.y - spin.y * p.x)
    return p - seconds * (velocity + turning)
  }
}

/// A weighted sum of edge strengths and its weight.
struct EdgeAgreement {
  var sum = 0.0
  var weight = 0.0
  var count = 0
  var mean: Double { weight > 0 ? sum / weight : 0 }
}
