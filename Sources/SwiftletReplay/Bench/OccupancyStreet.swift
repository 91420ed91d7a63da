import Foundation
import Swiftlet

/// A made-up street and a spinning 64-beam LiDAR driving along it: seeded, the same scans on every
/// machine up to the last bit of sin and cos. About 124,000 points a scan.
public struct OccupancyStreet: Sendable {
  /// One scan in LiDAR axes and its pose.
  public struct Scan: Sendable {
    /// x, y, z, intensity records.
    public var points: [Float]
    public var worldFromLidar: RigidTransform
    public var pointCount: Int { points.count / 4 }
  }
  struct Box {
    var lower: SIMD3<Double>
    var upper: SIMD3<Double>
  }

  /// Turned against the axes, so that walls do not lie on voxel faces.
  static let streetAngle = 17.0 * .pi / 180
  static let beamCount = 64
  static let columnCount = 2048
  private var boxes: [Box] = []
  private var generator: SplitMix

  public init(seed: UInt64) {
    generator = SplitMix(state: seed)
    for side in [-1.0, 1.0] {
      var x = -80.0
      while x < 160 {
        let width = generator.uniform(8, 20)
        let front = generator.uniform(9, 11)
        addBox(x, side * front, width - generator.uniform(0, 3), side * 8, generator.uniform(5, 18))
        x += width
      }
      x = -80
      while x < 160 {
        x += generator.uniform(6, 14)
        addBox(x, side * 4.2, 4.4, side * 1.8, generator.uniform(1.4, 1.9))
        addBox(x + 5, side * 7, 0.25, side * 0.25, generator.uniform(4, 7))
        addBox(x + 3, side * 7.6, 0.5, side * 0.5, 1.75)
      }
    }
  }

  private mutating func addBox(_ x: Double, _ y: Double, _ length: Double, _ depth: Double, _ height: Double) {
    boxes.append(
      Box(
        lower: SIMD3(x, min(y, y + depth), -0.3), upper: SIMD3(x + length, max(y, y + depth), height)))
  }

  /// Scans at 10 Hz and 10 m/s; the sensor rolls and pitches by up to `tiltDegrees`.
  public mutating func scans(count: Int, tiltDegrees: Double = 0.5) -> [Scan] {
    (0..<count).map { index in
      let time = Double(index)
      let tilt = tiltDegrees * .pi / 180
      let rotation =
        Quaternion(axis: SIMD3(0, 0, 1), radians: Self.streetAngle + 0.02 * sin(time / 7))
        * Quaternion(axis: SIMD3(0, 1, 0), radians: tilt * sin(time / 3))
        * Quaternion(axis: SIMD3(1, 0, 0), radians: tilt * cos(time / 5))
      let street = SIMD3(time, 0.3 * sin(time / 9), 1.85)
      let worldFromLidar = RigidTransform(
        rotation: rotation, translation: Self.worldFromStreet * street)
      return Scan(points: scan(worldFromLidar), worldFromLidar: worldFromLidar)
    }
  }

  static let worldFromStreet = RigidTransform(
    rotation: Quaternion(axis: SIMD3(0, 0, 1), radians: streetAngle),
    translation: SIMD3(13.37, -7.77, 0.41))

  private mutating func scan(_ worldFromLidar: RigidTransform) -> [Float] {
    let streetFromLidar = Self.worldFromStreet.inverse * worldFromLidar
    let near = boxes.filter {
      let center = ($0.lower + $0.upper) / 2 - streetFromLidar.translation
      return abs(center.x) < 90
    }
    var points: [Float] = []
    points.reserveCapacity(Self.beamCount * Self.columnCount * 4)
    for beam in 0..<Self.beamCount {
      let elevation = (-25 + 40 * Double(beam) / Double(Self.beamCount - 1)) * .pi / 180
      for column in 0..<Self.columnCount {
        let azimuth = 2 * .pi * Double(column) / Double(Self.columnCount)
        let direction = SIMD3(
          cos(elevation) * cos(azimuth), cos(elevation) * sin(azimuth), sin(elevation))
        let isDropped = generator.uniform(0, 1) < 0.01
        let noise = generator.uniform(-0.03, 0.03)
        let range = Self.range(
          streetFromLidar.translation, streetFromLidar.rotation * direction, near)
        guard let range, range < 100, !isDropped else { continue }
        let point = direction * (range + noise)
        points += [Float(point.x), Float(point.y), Float(point.z), 0]
      }
    }
    return points
  }

  /// Distance to the ground (rising by 0.6 %) or the nearest box.
  private static func range(
    _ origin: SIMD3<Double>, _ direction: SIMD3<Double>, _ boxes: [Box]
  ) -> Double? {
    var nearest = Double.infinity
    let slope = direction.z - 0.006 * direction.x
    if slope < 0 { nearest = (0.006 * origin.x - origin.z) / slope }
    let inverse = 1 / direction
    for box in boxes {
      let a = (box.lower - origin) * inverse
      let b = (box.upper - origin) * inverse
      let near = max(max(min(a.x, b.x), min(a.y, b.y)), min(a.z, b.z))
      let far = min(min(max(a.x, b.x), max(a.y, b.y)), max(a.z, b.z))
      if near > 0, near <= far, near < nearest { nearest = near }
    }
    return nearest.isFinite ? nearest : nil
  }
}

/// SplitMix64, the same numbers everywhere.
struct SplitMix: Sendable {
  var state: UInt64

  mutating func uniform(_ lower: Double, _ upper: Double) -> Double {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    z ^= z >> 31
    return lower + (upper - lower) * Double(z >> 11) * 0x1p-53
  }
}
