/// A linear map and a translation in float64, not necessarily rigid: BEV augmentations, index to
/// metres. Products read like dominoes, as `RigidTransform`'s do.
public struct AffineTransform: Sendable, Equatable {
  public var linear: Matrix3
  public var translation: SIMD3<Double>

  public init(linear: Matrix3, translation: SIMD3<Double>) {
    self.linear = linear
    self.translation = translation
  }
  /// The first three rows of a row-major 4×4 matrix whose last row is 0 0 0 1.
  public init(rowMajor4x4 v: [Double]) {
    precondition(v.count == 16, "a 4×4 matrix has 16 values, not \(v.count)")
    self.init(
      linear: Matrix3(
        SIMD3(v[0], v[1], v[2]), SIMD3(v[4], v[5], v[6]), SIMD3(v[8], v[9], v[10])),
      translation: SIMD3(v[3], v[7], v[11]))
  }
  /// Infinite or NaN entries where the linear part is singular.
  public var inverse: AffineTransform {
    let back = linear.inverse
    return AffineTransform(linear: back, translation: -(back * translation))
  }
  public static func * (a: AffineTransform, b: AffineTransform) -> AffineTransform {
    AffineTransform(
      linear: a.linear * b.linear, translation: a.linear * b.translation + a.translation)
  }
  public static func * (a: AffineTransform, point: SIMD3<Double>) -> SIMD3<Double> {
    a.linear * point + a.translation
  }
  /// The first three rows, 12 values row-major.
  public var rowMajor3x4: [Double] {
    [
      linear.row0.x, linear.row0.y, linear.row0.z, translation.x,
      linear.row1.x, linear.row1.y, linear.row1.z, translation.y,
      linear.row2.x, linear.row2.y, linear.row2.z, translation.z,
    ]
  }
}
