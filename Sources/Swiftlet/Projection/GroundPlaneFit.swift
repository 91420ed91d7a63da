/// A plane fitted to the ground a LiDAR sees.
public struct GroundPlaneFit: Sendable, Equatable {
  public var plane: GroundPlane
  /// The cells whose lowest return the plane was fitted to, and those within 10 cm of it.
  public var candidateCount: Int
  public var inlierCount: Int
  /// Of the inliers' distances from the plane.
  public var rootMeanSquareMeters: Double

  /// The most a lowest return may lie off `expectedHeightMeters` to be a candidate.
  static let searchMeters = 1.0
  static let cellMeters = 1.0
  static let minimumCandidateCount = 40

  /// Fits z = slopeX · x + slopeY · y + height to ego-frame points.
  ///
  /// The lowest return of every square metre within `rangeMeters` is a candidate; weighted least
  /// squares (LAPACKE) repeat with Tukey's weights while the cut falls from 50 to 10 cm, so that
  /// cars, kerbs and walls drop out.
  ///
  /// - Parameters:
  ///   - points: in the ego frame, metres.
  ///   - rangeMeters: points farther away are left out.
  ///   - expectedHeightMeters: of the ground below the ego: 0 where the origin lies on it.
  /// - Throws: `InputError` where fewer than 40 square metres have a return near that height or all
  ///   of them lie on a line.
  public static func fit(
    _ points: [SIMD3<Double>], rangeMeters: Double = 25, expectedHeightMeters: Double = 0
  ) throws(InputError) -> GroundPlaneFit {
    let candidates = lowestReturns(points, rangeMeters, expectedHeightMeters)
    guard candidates.count >= minimumCandidateCount else {
      throw InputError(
        input: "ground points",
        expected: "returns near the ground in \(minimumCandidateCount) square metres",
        found: "\(candidates.count)", remedy: "give the height of the ground instead of fitting it")
    }
    var plane = GroundPlane(heightMeters: median(candidates.map(\.z)))
    for cut in [0.5, 0.35, 0.25, 0.18, 0.12, 0.1, 0.1, 0.1] {
      guard let next = solved(candidates, plane, cut) else {
        throw InputError(
          input: "ground points", expected: "points that span a plane",
          found: "points on a line or all far from one plane",
          remedy: "give the height of the ground instead of fitting it")
      }
      plane = next
    }
    let distances = candidates.map { abs(residual($0, plane)) }.filter { $0 < 0.1 }
    let square = distances.reduce(0) { $0 + $1 * $1 } / Double(max(1, distances.count))
    return GroundPlaneFit(
      plane: plane, candidateCount: candidates.count, inlierCount: distances.count,
      rootMeanSquareMeters: square.squareRoot())
  }

  /// The lowest point of every cell, in the order of cells.
  private static func lowestReturns(
    _ points: [SIMD3<Double>], _ range: Double, _ expected: Double
  ) -> [SIMD3<Double>] {
    let side = max(1, Int((2 * range / cellMeters).rounded(.up)))
    var lowest = [SIMD3<Double>?](repeating: nil, count: side * side)
    for point in points {
      guard abs(point.x) < range, abs(point.y) < range,
        abs(point.z - expected) <= searchMeters
      else { continue }
      let column = min(side - 1, Int((point.x + range) / cellMeters))
      let row = min(side - 1, Int((point.y + range) / cellMeters))
      let cell = row * side + column
      if let other = lowest[cell], other.z <= point.z { continue }
      lowest[cell] = point
    }
    return lowest.compactMap { $0 }
  }

  private static func residual(_ p: SIMD3<Double>, _ plane: GroundPlane) -> Double {
    p.z - (plane.slopeX * p.x + plane.slopeY * p.y + plane.heightMeters)
  }

  /// One weighted fit: Tukey's (1 − (r/c)²)² about the present plane, 0 beyond c.
  private static func solved(
    _ points: [SIMD3<Double>], _ plane: GroundPlane, _ cut: Double
  ) -> GroundPlane? {
    var matrix: [Double] = []
    var heights: [Double] = []
    for point in points {
      let ratio = residual(point, plane) / cut
      guard abs(ratio) < 1 else { continue }
      // The square root of the weight multiplies the row.
      let weight = 1 - ratio * ratio
      matrix += [weight * point.x, weight * point.y, weight]
      heights.append(weight * point.z)
    }
    guard let x = LeastSquares.solve(matrix, columns: 3, rightSide: heights),
      abs(x[0]) < 0.5, abs(x[1]) < 0.5
    else { return nil }
    return GroundPlane(slopeX: x[0], slopeY: x[1], heightMeters: x[2])
  }

  private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
