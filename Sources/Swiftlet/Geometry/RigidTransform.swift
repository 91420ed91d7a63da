/// A rotation and a translation in float64. Named destination first: `egoFromCamera` maps camera
/// coordinates to ego coordinates, and products read like dominoes:
/// `worldFromEgo * egoFromCamera`.
public struct RigidTransform: Sendable, Equatable {
  public var rotation: Matrix3
  /// Metres.
  public var translation: SIMD3<Double>

  public init(rotation: Matrix3, translation: SIMD3<Double>) {
    self.rotation = rotation
    self.translation = translation
  }
  public init(rotation: Quaternion, translation: SIMD3<Double>) {
    self.init(rotation: rotation.matrix, translation: translation)
  }
  public static let identity = RigidTransform(rotation: Matrix3.identity, translation: .zero)

  /// [Rᵀ, −Rᵀ t], exact for a rotation.
  public var inverse: RigidTransform {
    let back = rotation.transpose
    return RigidTransform(rotation: back, translation: -(back * translation))
  }
  public static func * (a: RigidTransform, b: RigidTransform) -> RigidTransform {
    RigidTransform(
      rotation: a.rotation * b.rotation, translation: a.rotation * b.translation + a.translation)
  }
  public static func * (a: RigidTransform, point: SIMD3<Double>) -> SIMD3<Double> {
    a.rotation * point + a.translation
  }
  /// [R t; 0 1], 16 values row-major.
  public var rowMajor4x4: [Double] {
    [
      rotation.row0.x, rotation.row0.y, rotation.row0.z, translation.x,
      rotation.row1.x, rotation.row1.y, rotation.row1.z, translation.y,
      rotation.row2.x, rotation.row2.y, rotation.row2.z, translation.z, 0, 0, 0, 1,
    ]
  }
  public var isFinite: Bool {
    rotation.isFinite && translation.x.isFinite && translation.y.isFinite && translation.z.isFinite
  }

  /// Slerp of the rotation along the shorter arc, linear translation; `fraction` outside 0...1
  /// extrapolates.
  public static func interpolated(
    from a: RigidTransform, to b: RigidTransform, fraction: Double
  ) -> RigidTransform {
    RigidTransform(
      rotation: Quaternion.slerp(
        Quaternion(rotation: a.rotation), Quaternion(rotation: b.rotation), fraction: fraction),
      translation: a.translation + (b.translation - a.translation) * fraction)
  }

  /// A typed error unless this is finite and a rotation within `tolerance` (not a mirror).
  public func validate(sensor: String, tolerance: Double = 1e-3) throws(CalibrationError) {
    guard isFinite else {
      throw CalibrationError(
        sensor: sensor, expected: "finite rotation and translation", found: "NaN or infinity",
        remedy: "calibrate again or leave the sensor out")
    }
    let error = rotation.orthonormalityError
    guard error <= tolerance else {
      throw CalibrationError(
        sensor: sensor, expected: "an orthonormal rotation (within \(tolerance))",
        found: "an error of \(error)", remedy: "normalise the rotation or calibrate again")
    }
    guard rotation.determinant > 0 else {
      throw CalibrationError(
        sensor: sensor, expected: "a rotation with determinant +1",
        found: "a mirror with determinant \(rotation.determinant)",
        remedy: "swap no axes: a mirrored rig cannot be a rotation")
    }
  }
}
