import CBlas

/// Linear least squares by LAPACKE's QR factorisation.
public enum LeastSquares {
  /// The x that makes |A x − b| least.
  ///
  /// - Parameters:
  ///   - matrix: A, row-major, `columns` values a row.
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
    let solution = Array(b.prefix(columns))
    return status == 0 && solution.allSatisfy(\.isFinite) ? solution : nil
  }
}
