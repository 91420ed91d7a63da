#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A unit quaternion (w, x, y, z), the order of nuScenes, in float64.
public struct Quaternion: Sendable, Equatable {
  public var w: Double
  public var x: Double
  public var y: Double
  public var z: Double

  public init(w: Double, x: Double, y: Double, z: Double) {
    self.w = w
    self.x = x
    self.y = y
    self.z = z
  }
  public static let identity = Quaternion(w: 1, x: 0, y: 0, z: 0)

  public var norm: Double { (w * w + x * x + y * y + z * z).squareRoot() }
  public var normalized: Quaternion {
    let scale = 1 / norm
    return Quaternion(w: w * scale, x: x * scale, y: y * scale, z: z * scale)
  }
  /// The same rotation with its first non-zero component positive (q and −q rotate alike).
  public var canonical: Quaternion {
    let first = [w, x, y, z].first { $0 != 0 } ?? 1
    return first < 0 ? Quaternion(w: -w, x: -x, y: -y, z: -z) : self
  }
  /// The rotation by `self` after `other`.
  public static func * (a: Quaternion, b: Quaternion) -> Quaternion {
    Quaternion(
      w: a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z,
      x: a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
      y: a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x,
      z: a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w)
  }
  /// The rotation matrix of a unit quaternion.
  public var matrix: Matrix3 {
    Matrix3(
      SIMD3(1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
      SIMD3(2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
      SIMD3(2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)))
  }

  /// The quaternion of a rotation matrix (Shepperd's method: the largest component divides).
  public init(rotation m: Matrix3) {
    let trace = m.row0.x + m.row1.y + m.row2.z
    if trace > 0 {
      let s = (trace + 1).squareRoot() * 2
      self.init(
        w: s / 4, x: (m.row2.y - m.row1.z) / s, y: (m.row0.z - m.row2.x) / s,
        z: (m.row1.x - m.row0.y) / s)
    } else if m.row0.x > m.row1.y && m.row0.x > m.row2.z {
      let s = (1 + m.row0.x - m.row1.y - m.row2.z).squareRoot() * 2
      self.init(
        w: (m.row2.y - m.row1.z) / s, x: s / 4, y: (m.row0.y + m.row1.x) / s,
        z: (m.row0.z + m.row2.x) / s)
    } else if m.row1.y > m.row2.z {
      let s = (1 + m.row1.y - m.row0.x - m.row2.z).squareRoot() * 2
      self.init(
        w: (m.row0.z - m.row2.x) / s, x: (m.row0.y + m.row1.x) / s, y: s / 4,
        z: (m.row1.z + m.row2.y) / s)
    } else {
      let s = (1 + m.row2.z - m.row0.x - m.row1.y).squareRoot() * 2
      self.init(
        w: (m.row1.x - m.row0.y) / s, x: (m.row0.z + m.row2.x) / s,
        y: (m.row1.z + m.row2.y) / s, z: s / 4)
    }
  }

  /// The turn by `radians` about a unit axis.
  public init(axis: SIMD3<Double>, radians: Double) {
    let half = sin(radians / 2)
    self.init(w: cos(radians / 2), x: axis.x * half, y: axis.y * half, z: axis.z * half)
  }

  /// Spherical linear interpolation along the shorter arc, extrapolating where `fraction` leaves
  /// 0...1. Nearly equal rotations are interpolated linearly and normalised, where sin(angle)
  /// would lose its digits.
  public static func slerp(_ a: Quaternion, _ b: Quaternion, fraction: Double) -> Quaternion {
    var end = b
    var dot = a.w * b.w + a.x * b.x + a.y * b.y + a.z * b.z
    if dot < 0 {
      end = Quaternion(w: -b.w, x: -b.x, y: -b.y, z: -b.z)
      dot = -dot
    }
    var fromA = 1 - fraction
    var fromB = fraction
    if dot < 1 - 1e-12 {
      let angle = acos(dot)
      let scale = 1 / sin(angle)
      fromA = sin((1 - fraction) * angle) * scale
      fromB = sin(fraction * angle) * scale
    }
    return Quaternion(
      w: a.w * fromA + end.w * fromB, x: a.x * fromA + end.x * fromB,
      y: a.y * fromA + end.y * fromB, z: a.z * fromA + end.z * fromB
    ).normalized
  }
}
