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
  enum Sharpness: Sendable {
    /// Wide basins, for searching.
    case coarse
    /// Sharp peaks, for measuring.
    case fine
  }
  var intrinsics: CameraIntrinsics
  var widthPixels: Int
  private var coarseAcross: EdgeMap
  private var coarseDown: EdgeMap
  private var fineAcross: EdgeMap
  private var fineDown: EdgeMap
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
    // Reaches in pixels of a 704-pixel image, so that they are the same angle in larger ones.
    let scale = max(0.75, Float(image.widthPixels) / 704)
    coarseAcross = EdgeMap(image, .across, reachPixels: 6 * scale)
    coarseDown = EdgeMap(image, .down, reachPixels: 6 * scale)
    fineAcross = EdgeMap(image, .across, reachPixels: 2 * scale)
    fineDown = EdgeMap(image, .down, reachPixels: 3 * scale)
    self.edges = []
    self.edges = edges.filter { isNear($0.position) }
  }

  private func isNear(_ p: SIMD3<Double>) -> Bool {
    guard p.z > 1, let pixel = pixel(p) else { return false }
    let (width, height) = (Double(widthPixels), Double(fineAcross.heightPixels))
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

  /// Strength of the kind's map at a pixel; nil outside.
  func value(_ pixel: SIMD2<Double>, _ kind: DepthEdges.Kind, _ sharpness: Sharpness) -> Float? {
    switch (sharpness, kind) {
    case (.coarse, .side): coarseAcross.value(pixel.x, pixel.y)
    case (.coarse, .top): coarseDown.value(pixel.x, pixel.y)
    case (.fine, .side): fineAcross.value(pixel.x, pixel.y)
    case (.fine, .top): fineDown.value(pixel.x, pixel.y)
    }
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

  /// Of edges in the camera's axes with the camera off by `error` and `seconds` late.
  init(
    _ views: [CalibrationView], _ error: CalibrationError6, seconds: Double = 0,
    _ sharpness: CalibrationView.Sharpness
  ) {
    let inverse = error.transform.inverse
    for view in views {
      for edge in view.edges {
        add(view, edge, inverse * view.moved(edge.position, seconds: seconds), sharpness)
      }
    }
  }
  init() {}

  mutating func add(
    _ view: CalibrationView, _ edge: DepthEdges.Edge, _ p: SIMD3<Double>,
    _ sharpness: CalibrationView.Sharpness
  ) {
    guard let pixel = view.pixel(p), let value = view.value(pixel, edge.kind, sharpness) else {
      return
    }
    sum += Double(value * edge.weight)
    weight += Double(edge.weight)
    count += 1
  }
}
