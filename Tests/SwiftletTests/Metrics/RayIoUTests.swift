import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct RayIoUTests {
  private func rays(_ labels: [Int32], _ distances: [Float]) -> CastRays {
    CastRays(
      labels: labels, distancesMeters: distances, voxels: labels.indices.map { Int64($0) })
  }

  @Test func `three rays by hand: thresholds are strict, free truths are dropped`() throws {
    var score = RayIoU(classes: try OccupancyClasses(count: 3, freeClass: 2, movingClasses: [0]))
    // Differences 0, exactly 1 and 0.5 m; the third truth is class 1; the fourth is free.
    try score.add(
      prediction: rays([0, 0, 0, 0], [3.25, 4.25, 3.75, 1]),
      truth: rays([0, 0, 1, 2], [3.25, 3.25, 3.25, 1]),
      predictedFlow: [1, 0, 3, 4, 0, 0, 9, 9], trueFlow: [0, 0, 0, 0, 5, 5, 9, 9])
    #expect(score.rayCount == 3)
    #expect(score.truthCounts == [2, 1, 0])
    #expect(score.predictionCounts == [3, 0, 0])
    #expect(score.intersectionOverUnion[0][0] == 1.0 / 4)
    #expect(score.intersectionOverUnion[1][0] == 2.0 / 3)
    #expect(score.intersectionOverUnion[2][1] == 0)
    #expect(score.intersectionOverUnion[2][2] == nil)
    let third: Double = 1.0 / 3
    let means: [Double?] = [0.125, third, third]
    #expect(score.atThreshold == means)
    // At 2 m both rays of class 0 count: |(1,0)| and |(3,4)|.
    #expect(score.velocityErrors == [3, nil, nil])
    #expect(score.meanVelocityError == 3)
    let overall = try #require(score.overall)
    let expected: Double = (0.25 + 2.0 / 3 + 2.0 / 3) / 6
    #expect(abs(overall - expected) < 1e-15)
    #expect(score.occupancyScore == 0.9 * overall)
  }

  @Test func `a prediction of free or of no class counts against the truth only`() throws {
    var score = RayIoU(classes: try OccupancyClasses(count: 3, freeClass: 2))
    try score.add(prediction: rays([2, 255], [1, 1]), truth: rays([0, 255], [1, 1]))
    #expect(score.truthCounts == [1, 0, 0])
    #expect(score.predictionCounts == [0, 0, 1])
    #expect(score.atThreshold == [0, 0, 0])
    #expect(score.meanVelocityError == nil)
  }

  @Test func `different ray counts and a short flow are errors`() throws {
    var score = RayIoU(classes: .occ3d)
    #expect(throws: InputError.self) {
      try score.add(prediction: rays([1], [1]), truth: rays([1, 1], [1, 1]))
    }
    #expect(throws: InputError.self) {
      try score.add(
        prediction: rays([1], [1]), truth: rays([1], [1]), predictedFlow: [1], trueFlow: [1, 2])
    }
  }

  @Test func `an origin casts 14,040 rays from 45 degrees down to 0.21 rad up`() {
    #expect(RayDirections.pitches.count == 39)
    #expect(RayDirections.count == 14_040)
    #expect(RayDirections.all.count == 14_040 * 3)
    #expect(abs(RayDirections.pitches[0] + Double.pi / 4) < 1e-15)
    #expect(RayDirections.pitches[37] < 0.21 && RayDirections.pitches[38] >= 0.21)
    // Pitch 0 (k = 1, −45°), azimuth 90°.
    let half = Float(0.5.squareRoot())
    #expect(abs(RayDirections.all[270] - 0) < 1e-7)
    #expect(abs(RayDirections.all[271] - half) < 1e-7)
    #expect(abs(RayDirections.all[272] + half) < 1e-7)
  }

  @Test func `rays of an origin are in voxel units of the grid`() {
    let rays = RayDirections.rays(
      from: SIMD3(1, 2, 3), lower: SIMD3(-1, -2, -1), voxelSizeMeters: 0.5)
    #expect(Array(rays.origins.prefix(3)) == [4, 8, 8])
    let direction = SIMD3(RayDirections.all[0], RayDirections.all[1], RayDirections.all[2])
    for axis in 0..<3 {
      let difference: Float = rays.ends[axis] - rays.origins[axis]
      #expect(abs(difference - 2 * direction[axis]) < 1e-5)
    }
  }
}
