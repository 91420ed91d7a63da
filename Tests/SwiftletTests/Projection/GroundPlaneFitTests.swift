import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct GroundPlaneFitTests {
  /// A tilted plane with 2 cm of noise, every third square metre covered by something higher.
  private func points(_ plane: GroundPlane, seed: UInt64) -> [SIMD3<Double>] {
    var random = SeededGenerator(seed: seed)
    var points: [SIMD3<Double>] = []
    for column in -20..<20 {
      for row in -20..<20 {
        let x = Double(column) + 0.5
        let y = Double(row) + 0.5
        let ground = plane.slopeX * x + plane.slopeY * y + plane.heightMeters
        let isCovered = (column * 7 + row * 3) % 3 == 0
        let noise = Double.random(in: -0.02...0.02, using: &random)
        points.append(SIMD3(x, y, ground + noise + (isCovered ? 0.6 : 0)))
      }
    }
    return points
  }

  @Test func `a plane is found through noise and obstacles`() throws {
    let plane = GroundPlane(slopeX: 0.01, slopeY: -0.015, heightMeters: -0.12)
    let fit = try GroundPlaneFit.fit(points(plane, seed: 3))
    #expect(abs(fit.plane.slopeX - plane.slopeX) < 5e-4)
    #expect(abs(fit.plane.slopeY - plane.slopeY) < 5e-4)
    #expect(abs(fit.plane.heightMeters - plane.heightMeters) < 5e-3)
    #expect(fit.inlierCount * 10 > fit.candidateCount * 6)
    #expect(fit.rootMeanSquareMeters < 0.02)
  }

  @Test func `too few points, or points on a line, are a typed error`() {
    #expect(throws: InputError.self) { try GroundPlaneFit.fit([]) }
    let line = (0..<400).map { SIMD3(Double($0 % 20), 0.25, 0) }
    #expect(throws: InputError.self) { try GroundPlaneFit.fit(line) }
    #expect(throws: InputError.self) {
      try GroundPlaneFit.fit((0..<100).map { SIMD3(Double($0), .nan, .infinity) })
    }
  }

  @Test func `least squares by hand: the mean, and no answer without enough rows`() throws {
    let mean = try #require(LeastSquares.solve([1, 1, 1], columns: 1, rightSide: [1, 2, 6]))
    #expect(abs(mean[0] - 3) < 1e-14)
    #expect(LeastSquares.solve([1, 2], columns: 2, rightSide: [1]) == nil)
    #expect(LeastSquares.solve([1, 1, 1, 1], columns: 2, rightSide: [1, 2]) == nil)
    #expect(LeastSquares.solve([.nan], columns: 1, rightSide: [1]) == nil)
  }
}
