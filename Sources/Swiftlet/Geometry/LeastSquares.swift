import CBlas

/// Linear least squares by LAPACKE's QR factorisation.
public enum LeastSquares {
  /// The x that makes |A x − b| least.
  ///
  /// - Parameters:
  ///   - matrix: A, row-major, `columns` values a row.
  ///   - columns: unknowns.
  ///   - rightSide: b, one value a row.
  /// - Returns: nil where A has fewer rows than columns, is not of full rank or not finite.
  /// - Complexity: O(rows · columns²); allocates.
  public static func solve(
    _ matrix: [Double], columns: Int, rightSide: [Double]
  ) -> [Double]? {
    let rows = rightSide.count
    precondition(
      columns > 0 && matrix.count == rows * columns,
      "\(matrix.count) values for \(rows) rows of \(columns)")
    guard rows >= columns, (matrix + rightSide).allSatisfy(\.isFinite) else { return nil }
    var a = matrix
    var b = rightSide
    let status = unsafe a.withUnsafeMutableBufferPointer { a in
      unsafe b.withUnsafeMutableBufferPointer { b in
        unsafe LAPACKE_dgels(
          LAPACK_ROW_MAJOR, CChar(UInt8(ascii: "N")), Int32(rows), Int32(columns), 1,
          a.baseAddress, Int32(columns), b.baseAddress, 1)
      }
    }
    // A rank lost to rounding leaves a diagonal of R that is nothing beside its largest.
    let diagonal = (0..<columns).map { abs(a[$0 * columns + $0]) }
    let threshold = (diagonal.max() ?? 0) * Double(rows) * 0x1p-52
    guard status == 0, diagonal.allSatisfy({ $0 > threshold }) else { return nil }
    let solution = Array(b.prefix(columns))
    return solution.allSatisfy(\.isFinite) ? solution : nil
  }
}
