import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct ReferenceOccupancyMapTests {
  private func map(
    _ engine: Engine, voxel: Double = 0.2, threads: Int = 1
  ) -> ReferenceOccupancyMap {
    ReferenceOccupancyMap(
      voxelSizeMeters: voxel, engine: engine, pool: WorkerPool(threadCount: threads))
  }

  @Test(arguments: everyOccupancyEngine)
  func `one ray: free up to its end, occupied there, unknown beyond`(engine: Engine) {
    let map = map(engine, voxel: 1)
    map.insert(worldPoints: [SIMD3(3.5, 0.5, 0.5)], origin: SIMD3(0.5, 0.5, 0.5))
    for x: Int32 in 0..<3 {
      #expect(map.logOdds(VoxelKey(x: x, y: 0, z: 0)) == OccupancyModel.octoMap.miss)
      #expect(map.state(VoxelKey(x: x, y: 0, z: 0)) == .free)
    }
    #expect(map.logOdds(VoxelKey(x: 3, y: 0, z: 0)) == OccupancyModel.octoMap.hit)
    #expect(map.state(VoxelKey(x: 3, y: 0, z: 0)) == .occupied)
    #expect(map.state(VoxelKey(x: 4, y: 0, z: 0)) == .unknown)
    #expect(map.knownVoxels().count == 4)
  }

  @Test(arguments: everyOccupancyEngine)
  func `occupied beats free in one scan, and values clamp`(engine: Engine) {
    let map = map(engine, voxel: 1)
    let near = SIMD3<Float>(2.5, 0.5, 0.5)
    let far = SIMD3<Float>(5.5, 0.5, 0.5)
    for _ in 0..<8 { map.insert(worldPoints: [near, far, near], origin: SIMD3(0.5, 0.5, 0.5)) }
    #expect(map.logOdds(VoxelKey(x: 2, y: 0, z: 0)) == OccupancyModel.octoMap.maximum)
    #expect(map.logOdds(VoxelKey(x: 1, y: 0, z: 0)) == OccupancyModel.octoMap.minimum)
    let once = OccupancyModel.octoMap.maximum + OccupancyModel.octoMap.miss
    map.insert(worldPoints: [far], origin: SIMD3(0.5, 0.5, 0.5))
    #expect(map.logOdds(VoxelKey(x: 2, y: 0, z: 0)) == once)
  }

  @Test(arguments: everyOccupancyEngine)
  func `beyond the maximum range a ray only clears, and its last voxel stays`(engine: Engine) {
    let map = map(engine, voxel: 1)
    map.insert(
      worldPoints: [SIMD3(9.5, 0.5, 0.5)], origin: SIMD3(0.5, 0.5, 0.5), maximumRangeMeters: 4)
    #expect(map.knownVoxels().map(\.key.x) == [0, 1, 2, 3])
    #expect(map.state(VoxelKey(x: 4, y: 0, z: 0)) == .unknown)
  }

  @Test(arguments: everyOccupancyEngine)
  func `points that are not finite, or outside the cube, are skipped and counted`(engine: Engine) {
    let map = map(engine, voxel: 1)
    let points: [SIMD3<Float>] = [
      SIMD3(.nan, 0, 0), SIMD3(0, .infinity, 0), SIMD3(0, 0, -.infinity), SIMD3(1e30, 0, 0),
      SIMD3(40_000, 0, 0), SIMD3(1e-40, 0, 0), SIMD3(2.5, 0.5, 0.5),
    ]
    let summary = withCloud(points) { map.insert($0, worldFromLidar: .identity) }
    #expect(summary.pointCount == 7)
    #expect(summary.notFiniteCount == 3)
    #expect(summary.outsideCount == 2)
    #expect(summary.rayCount == 2)
    #expect(map.state(VoxelKey(x: 2, y: 0, z: 0)) == .occupied)
  }

  @Test(arguments: InstructionSet.supported, [1, 2, 3])
  func `SIMD maps equal the reference voxel for voxel at every tail`(
    set: InstructionSet, threads: Int
  ) {
    for count in [0, 1, 7, 8, 9, 15, 16, 17, 31, 500] {
      let seed = UInt64(7000 + count)
      let expected = map(.reference)
      let got = map(.simd(set), threads: threads)
      for scan in 0..<3 {
        let origin = SIMD3<Float>(Float(scan) * 0.7 - 1, 0.3, 0.2)
        let points = makeScan(count: count, seed: seed + UInt64(scan), origin: origin)
        for range in [-1.0, 6] {
          expected.insert(worldPoints: points, origin: origin, maximumRangeMeters: range)
          got.insert(worldPoints: points, origin: origin, maximumRangeMeters: range)
        }
      }
      expectEqual(got, expected, "seed \(seed)")
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `a scan of more than one block of rays equals the reference`(set: InstructionSet) {
    let expected = map(.reference, voxel: 0.4)
    let got = map(.simd(set), voxel: 0.4, threads: 2)
    let points = makeScan(count: 9001, seed: 3, origin: .zero, reach: 8)
    expected.insert(worldPoints: points, origin: .zero, maximumRangeMeters: 7)
    got.insert(worldPoints: points, origin: .zero, maximumRangeMeters: 7)
    expectEqual(got, expected, "9001 points")
  }

  @Test(arguments: InstructionSet.supported)
  func `a scan too wide for a volume equals the reference`(set: InstructionSet) {
    let points: [SIMD3<Float>] = [
      SIMD3(3000, 2500, 400), SIMD3(-2900, 1, 0), SIMD3(5, -2000, 3), SIMD3(3000, 2500, 400),
    ]
    let expected = map(.reference)
    let got = map(.simd(set), threads: 2)
    for _ in 0..<2 {
      expected.insert(worldPoints: points, origin: SIMD3(0.1, 0.2, 0.3))
      got.insert(worldPoints: points, origin: SIMD3(0.1, 0.2, 0.3))
    }
    expectEqual(got, expected, "wide")
  }

  @Test(arguments: InstructionSet.supported)
  func `rays at the cube's edges and a sensor outside it equal the reference`(set: InstructionSet) {
    let points: [SIMD3<Float>] = [
      SIMD3(32767.5, 0.5, 0.5), SIMD3(-32767.5, -3, 2), SIMD3(32760, 0, 0), SIMD3(32750, 9, 9),
    ]
    for origin in [SIMD3<Float>(32750, 0.5, 0.5), SIMD3(40_000, 0, 0)] {
      let expected = map(.reference, voxel: 1)
      let got = map(.simd(set), voxel: 1)
      expected.insert(worldPoints: points, origin: origin)
      got.insert(worldPoints: points, origin: origin)
      expectEqual(got, expected, "origin \(origin)")
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `discretised scans and single rays equal the reference`(set: InstructionSet) {
    let points = makeScan(count: 300, seed: 11, origin: .zero)
    let expected = map(.reference)
    let got = map(.simd(set))
    for map in [expected, got] {
      map.insert(worldPoints: points, origin: .zero, isDiscretized: true)
      map.insertRays(worldPoints: points, origin: SIMD3(0.1, 0.1, 0.1))
    }
    expectEqual(got, expected, "seed 11")
    let a = expected.scanVoxels(worldPoints: points, origin: .zero, maximumRangeMeters: 5)
    let b = got.scanVoxels(worldPoints: points, origin: .zero, maximumRangeMeters: 5)
    #expect(a.free == b.free)
    #expect(a.occupied == b.occupied)
  }

  @Test(arguments: everyOccupancyEngine)
  func `the stamp trap: a voxel seen every third scan keeps every hit over 1,000 scans`(
    engine: Engine
  ) {
    // A published map loses updates here: its per-scan stamps repeat with period three.
    let map = map(engine, voxel: 1)
    let model = OccupancyModel(hit: 0.01, miss: -0.004, minimum: -50, maximum: 50, threshold: 0)
    let wide = ReferenceOccupancyMap(
      voxelSizeMeters: 1, model: model, engine: engine, pool: WorkerPool(threadCount: 1))
    var expected: Float = 0
    let origin = SIMD3<Float>(0.5, 0.5, 0.5)
    for scan in 0..<1000 {
      // A ray clipped inside the voxel before a hit in it: neither a miss nor a second hit.
      let points: [SIMD3<Float>] =
        scan % 3 == 0 ? [SIMD3(9.5, 0.5, 0.5), SIMD3(4.5, 0.5, 0.5)] : [SIMD3(0.5, 3.5, 0.5)]
      for map in [map, wide] {
        map.insert(worldPoints: points, origin: origin, maximumRangeMeters: 4)
      }
      if scan % 3 == 0 { expected += model.hit }
    }
    #expect(wide.logOdds(VoxelKey(x: 4, y: 0, z: 0)) == expected)
    #expect(map.logOdds(VoxelKey(x: 4, y: 0, z: 0)) == OccupancyModel.octoMap.maximum)
  }

  private func expectEqual(
    _ got: ReferenceOccupancyMap, _ expected: ReferenceOccupancyMap, _ comment: String
  ) {
    let a = got.knownVoxels()
    let b = expected.knownVoxels()
    // Plain answers: the macro's own comparison of long arrays takes minutes when it fails.
    let keysAgree = a.map(\.key) == b.map(\.key)
    let valuesAgree = a.map(\.logOdds.bitPattern) == b.map(\.logOdds.bitPattern)
    #expect(keysAgree, "\(comment): \(a.count) voxels, expected \(b.count)")
    #expect(valuesAgree, "\(comment)")
  }
}
