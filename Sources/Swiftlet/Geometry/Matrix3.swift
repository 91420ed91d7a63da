/// A 3×3 matrix in float64, row-major by name: `rows.0` is the first row.
public struct Matrix3: Sendable, Equatable {
  public var row0: SIMD3<Double>
  public var row1: SIMD3<Double>
  public var row2: SIMD3<Double>

  public init(_ row0: SIMD3<Double>, _ row1: SIMD3<Double>, _ row2: SIMD3<Double>) {
    self.row0 = row0
    self.row1 = row1
    self.row2 = row2
  }

  /// From nine values in row-major order.
  public init(rowMajor values: [Double]) {
    precondition(values.count == 9, "a 3×3 matrix has 9 values, not \(values.count)")
    self.init(
      SIMD3(values[0], values[1], values[2]), SIMD3(values[3], values[4], values[5]),
      SIMD3(values[6], values[7], values[8]))
  }

  public static let identity = Matrix3(SIMD3(1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1))

  public var rowMajor: [Double] {
    [row0.x, row0.y, row0.z, row1.x, row1.y, row1.z, row2.x, row2.y, row2.z]
  }
  public var transpose: Matrix3 {
    Matrix3(
      SIMD3(row0.x, row1.x, row2.x), SIMD3(row0.y, row1.y, row2.y), SIMD3(row0.z, row1.z, row2.z))
  }
  public var determinant: Double {
    row0.x * (row1.y * row2.z - row1.z * row2.y) - row0.y * (row1.x * row2.z - row1.z * row2.x)
      + row0.z * (row1.x * row2.y - row1.y * row2.x)
  }
  /// The inverse by cofactors; infinite or NaN entries where the determinant is 0.
  public var inverse: Matrix3 {
    let scale = 1 / determinant
    let a = row0
    let b = row1
    let c = row2
    return Matrix3(
      SIMD3(b.y * c.z - b.z * c.y, a.z * c.y - a.y * c.z, a.y * b.z - a.z * b.y) * scale,
      SIMD3(b.z * c.x - b.x * c.z, a.x * c.z - a.z * c.x, a.z * b.x - a.x * b.z) * scale,
      SIMD3(b.x * c.y - b.y * c.x, a.y * c.x - a.x * c.y, a.x * b.y - a.y * b.x) * scale)
  }
  public static func * (a: Matrix3, v: SIMD3<Double>) -> SIMD3<Double> {
    SIMD3((a.row0 * v).sum(), (a.row1 * v).sum(), (a.row2 * v).sum())
  }
  public static func * (a: Matrix3, b: Matrix3) -> Matrix3 {
    let columns = b.transpose
    return Matrix3(columns * a.row0, columns * a.row1, columns * a.row2)
  }
  /// Whether no entry is NaN or infinite. Allocates nothing, as it is asked every frame.
  public var isFinite: Bool {
    // A finite number times zero is zero; NaN and infinity leave NaN in the sum.
    let zero0: SIMD3<Double> = row0 * 0
    let zero1: SIMD3<Double> = row1 * 0
    let zero2: SIMD3<Double> = row2 * 0
    let sum: SIMD3<Double> = zero0 + zero1 + zero2
    return sum == .zero
  }

  /// The largest entry of |R Rᵀ − 1|: 0 for a rotation or a mirror.
  public var orthonormalityError: Double {
    let product = self * transpose
    let difference = (
      product.row0 - Matrix3.identity.row0, product.row1 - Matrix3.identity.row1,
      product.row2 - Matrix3.identity.row2
    )
    return max(
      Self.largest(difference.0), max(Self.largest(difference.1), Self.largest(difference.2)))
  }
  private static func largest(_ v: SIMD3<Double>) -> Double {
    max(abs(v.x), max(abs(v.y), abs(v.z)))
  }
}
