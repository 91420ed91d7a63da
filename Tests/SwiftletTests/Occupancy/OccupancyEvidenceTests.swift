import Foundation
import Swiftlet
import SwiftletTestSupport
import Testing

/// Traps that other maps fell into: what a scan says must arrive, scan after scan.
@Suite struct OccupancyEvidenceTests {
  private func grid(
    _ mode: OccupancyMode, _ engine: Engine = .best, threads: Int = 1, minimumRange: Double = 0,
    cells: Int = 60
  ) throws -> OccupancyGrid {
    var configuration = OccupancyConfiguration()
    configuration.voxelSizeMeters = 0.5
    configuration.cellCountX = cells
    configuration.cellCountY = cells
    configuration.cellCountZ = 16
    configuration.maximumRangeMeters = 8
    configuration.minimumRangeMeters = minimumRange
    configuration.maximumPointCount = 4096
    configuration.mode = mode
    configuration.values = .int16
    let grid = try OccupancyGrid(
      configuration: configuration, engine: engine, pool: WorkerPool(threadCount: threads))
    grid.recenter(onWorld: .zero)
    return grid
  }
  private let sensor = RigidTransform(
    rotation: Matrix3.identity, translation: SIMD3(0.25, 0.25, 0.25))

  @Test(arguments: OccupancyMode.allCases)
  func `a voxel seen every third scan gets every update in 1,000 scans`(mode: OccupancyMode) throws {
    let grid = try grid(mode)
    let key = VoxelKey(x: 10, y: 0, z: 0)
    let model = OccupancyModel.octoMap
    // In the middle of a fan where the voxel lies: moved sideways, a ray stays in it.
    let direction = SIMD3<Float>(1, 0.03226, 0)
    var expected: Float?
    for scan in 0..<1000 {
      // Hit, then two scans whose ray ends before it or (every ninth) passes it.
      let isHit = scan % 3 == 0
      let passes = scan % 9 == 4
      let points: [SIMD3<Float>] =
        isHit ? [direction * 5] : passes ? [direction * 7] : [direction * 3]
      withCloud(points) { _ = grid.insert($0, worldFromLidar: sensor) }
      if isHit || passes {
        let sum = (expected ?? 0) + (isHit ? model.hit : model.miss * mode.missWeight)
        expected = min(max(sum, model.minimum), model.maximum)
      }
      guard let expected, let found = grid.logOdds(key) else {
        Issue.record("scan \(scan): nothing known")
        return
      }
      guard abs(found - expected) < 1e-3 else {
        Issue.record("scan \(scan): \(found), expected \(expected)")
        return
      }
    }
  }

  @Test(arguments: OccupancyMode.allCases)
  func `a ray that ends at the maximum range in a voxel leaves its later hit whole`(
    mode: OccupancyMode
  ) throws {
    let grid = try grid(mode)
    // Clipped to 8 m, in voxel 16, which gets neither.
    withCloud([SIMD3(20, 0, 0)]) { _ = grid.insert($0, worldFromLidar: sensor) }
    let key = VoxelKey(x: 16, y: 0, z: 0)
    #expect(grid.state(key) == .unknown)
    // In one scan with a hit in the same voxel: the hit alone counts.
    withCloud([SIMD3(20, 0, 0), SIMD3(7.9, 0, 0)]) {
      _ = grid.insert($0, worldFromLidar: sensor)
    }
    let found = try #require(grid.logOdds(key))
    #expect(abs(found - OccupancyModel.octoMap.hit) < 1e-3)
  }

  @Test(arguments: OccupancyMode.allCases, [1, 2, 3])
  func `splitting a scan between calls and threads changes no bit`(
    mode: OccupancyMode, threads: Int
  ) throws {
    let points = makeScan(count: 3000, seed: 11, origin: .zero)
    let whole = try grid(mode)
    let split = try grid(mode, threads: threads)
    withCloud(points) { _ = whole.insert($0, worldFromLidar: sensor) }
    if mode == .exact {
      // Two LiDARs of one frame: the same sets. The fans of a call are its own.
      for part in [points[..<1700], points[1700...]] {
        withCloud(Array(part)) { split.add($0, worldFromLidar: sensor) }
      }
      split.fold()
    } else {
      withCloud(points.reversed()) { _ = split.insert($0, worldFromLidar: sensor) }
    }
    let count = 60 * 60 * 64
    let a = Array(UnsafeBufferPointer(start: whole.memory.lines, count: count))
    let b = Array(UnsafeBufferPointer(start: split.memory.lines, count: count))
    let isEqual = a == b
    #expect(isEqual)
  }

  @Test(arguments: OccupancyMode.allCases)
  func `rays that end above or below the window carve inside it`(mode: OccupancyMode) throws {
    let grid = try grid(mode)
    // The window is 8 m high from 4 m below; the ray leaves it at 4 m and ends at 5.
    withCloud([SIMD3(5, 0.1, 4.9), SIMD3(-5, 0.1, -4.9)]) {
      _ = grid.insert($0, worldFromLidar: sensor)
    }
    #expect(grid.occupiedCount == 0)
    for step: Int32 in 1...6 {
      for side: Int32 in [-1, 1] {
        // A fan may move the ray sideways by half a voxel.
        let isFree = (-1...1).contains {
          grid.state(VoxelKey(x: side * step, y: $0, z: side * step)) == .free
        }
        #expect(isFree, "step \(side * step)")
      }
    }
  }

  @Test(arguments: OccupancyMode.allCases)
  func `points nearer than the minimum range neither hit nor clear`(mode: OccupancyMode) throws {
    let grid = try grid(mode, minimumRange: 2)
    let summary = withCloud([SIMD3(1.9, 0, 0), SIMD3(0, 3, 0)]) {
      grid.insert($0, worldFromLidar: sensor)
    }
    #expect(summary.tooNearCount == 1)
    #expect(grid.state(VoxelKey(x: 1, y: 0, z: 0)) == .unknown)
    let isFree = (-1...1).contains { grid.state(VoxelKey(x: $0, y: 3, z: 0)) == .free }
    #expect(isFree)
  }

  @Test(arguments: OccupancyMode.allCases)
  func `clouds of hostile values of any length leave a sane window`(mode: OccupancyMode) throws {
    let values: [Float] = [
      0, -0.0, 1e-45, -1e-38, 0.5, -0.5, 1, 8, -8, 1e30, -1e30, .nan, .infinity, 6553.6,
    ]
    var generator = SeededGenerator(seed: 3)
    for count in [1, 2, 15, 16, 17, 33, 4000] {
      let grid = try grid(mode, threads: 2)
      for isEqual in [false, true] {
        var points = (0..<count).map { _ in
          SIMD3(
            values.randomElement(using: &generator)!, values.randomElement(using: &generator)!,
            values.randomElement(using: &generator)!)
        }
        if isEqual { points = Array(repeating: points[0], count: count) }
        let summary = withCloud(points) { grid.insert($0, worldFromLidar: sensor) }
        let kept = summary.rayCount + summary.notFiniteCount + summary.tooNearCount
          + summary.outsideCount + summary.insideEgoCount
        #expect(kept == count)
        #expect(summary.freeVoxelCount + summary.hitVoxelCount <= grid.knownCount)
      }
    }
  }

  @Test(arguments: OccupancyMode.allCases)
  func `rays without a return clear up to their own range, where that is asked for`(
    mode: OccupancyMode
  ) throws {
    // Three rings of firings; a quarter of the turn sees nothing.
    var points: [SIMD3<Float>] = []
    for elevation in [-0.02, 0.0, 0.02] {
      for step in 0..<2048 where step < 1200 || step > 1700 {
        let turn = 2 * Double.pi * Double(step) / 2048
        points.append(SIMD3(Float(5 * cos(turn)), Float(5 * sin(turn)), Float(5 * elevation)))
      }
    }
    let missing = MissingReturns(capacity: 10_000)
    for range in [0.0, 4] {
      var configuration = OccupancyConfiguration()
      configuration.voxelSizeMeters = 0.5
      configuration.cellCountX = 60
      configuration.cellCountY = 60
      configuration.cellCountZ = 16
      configuration.maximumRangeMeters = 8
      configuration.noReturnRangeMeters = range
      configuration.maximumPointCount = 8192
      configuration.mode = mode
      let grid = try OccupancyGrid(
        configuration: configuration, engine: .best, pool: WorkerPool(threadCount: 2))
      grid.recenter(onWorld: .zero)
      let plain = withCloud(points) { cloud in
        grid.add(cloud, worldFromLidar: sensor)
        grid.addMissing(missing.find(in: cloud), worldFromLidar: sensor)
        return grid.fold()
      }
      #expect(plain.pointCount == points.count)
      // In the middle of the gap, 2.5 m away: seen only by rays without a return.
      let turn = 2 * Double.pi * 1450 / 2048
      let place = SIMD3(0.25 + 2.5 * cos(turn), 0.25 + 2.5 * sin(turn), 0.25)
      #expect(grid.state(grid.key(ofWorld: place)) == (range > 0 ? .free : .unknown))
      let beyond = SIMD3(0.25 + 5.5 * cos(turn), 0.25 + 5.5 * sin(turn), 0.25)
      #expect(grid.state(grid.key(ofWorld: beyond)) == .unknown)
    }
  }
}
