import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct FanCarverTests {
  private func grid(
    _ mode: OccupancyMode, _ engine: Engine, threads: Int = 1, height: Int = 64
  ) throws -> OccupancyGrid {
    var configuration = OccupancyConfiguration()
    configuration.cellCountX = 90
    configuration.cellCountY = 75
    configuration.cellCountZ = height
    configuration.lowerZMeters = -6
    configuration.maximumRangeMeters = 9
    configuration.maximumPointCount = 9000
    configuration.mode = mode
    return try OccupancyGrid(
      configuration: configuration, engine: engine, pool: WorkerPool(threadCount: threads))
  }
  private func pose(_ scan: Int) -> RigidTransform {
    RigidTransform(
      rotation: Quaternion(axis: SIMD3(0.05, -0.08, 0.99), radians: 0.3 * Double(scan)).normalized,
      translation: SIMD3(0.7 * Double(scan) + 1000.3, -0.4 * Double(scan), 0.1 * Double(scan)))
  }
  /// A plain answer: the macro's own comparison of a million bytes takes minutes when it fails.
  private func isEqual(_ a: OccupancyGrid, _ b: OccupancyGrid) -> Bool { bytes(a) == bytes(b) }
  private func bytes(_ grid: OccupancyGrid) -> [Int8] {
    let count = grid.cellCounts.x * grid.cellCounts.y * grid.memory.wordCount * 64
    return Array(UnsafeBufferPointer(start: grid.memory.lines, count: count))
  }

  @Test(arguments: [OccupancyMode.realtime, .fast, .quality])
  func `SIMD fans equal the reference bit for bit at every tail and thread count`(
    mode: OccupancyMode
  ) throws {
    for (count, threads, height) in [
      (0, 1, 64), (1, 2, 64), (7, 3, 64), (8, 1, 64), (9, 2, 64), (15, 1, 64), (16, 1, 32),
      (17, 2, 100), (31, 3, 128), (600, 2, 64), (5000, 3, 64),
    ] {
      let expected = try grid(mode, .reference, height: height)
      let sets = InstructionSet.supported
      let got = try sets.map { try grid(mode, .simd($0), threads: threads, height: height) }
      for scan in 0..<2 {
        let points = makeScan(count: count, seed: UInt64(count + scan), origin: .zero)
        let summaries = ([expected] + got).map { grid in
          grid.recenter(onWorld: pose(scan).translation)
          return withCloud(points) { grid.insert($0, worldFromLidar: pose(scan)) }
        }
        #expect(summaries.allSatisfy { $0 == summaries[0] }, "\(count) points: \(summaries)")
      }
      for (set, grid) in zip(sets, got) {
        #expect(isEqual(grid, expected), "\(set), \(count) points, \(threads) threads, \(height) high")
      }
    }
  }

  /// Walks of more than 192 columns between two cuts, and sensors outside the window.
  @Test func `long fans across a window equal the reference from inside and from outside`() throws {
    var configuration = OccupancyConfiguration()
    configuration.voxelSizeMeters = 0.05
    configuration.cellCountX = 720
    configuration.cellCountY = 24
    configuration.cellCountZ = 32
    configuration.lowerZMeters = -0.8
    configuration.maximumRangeMeters = 35
    configuration.mode = .realtime
    let expected = try OccupancyGrid(
      configuration: configuration, engine: .reference, pool: WorkerPool(threadCount: 1))
    let sets = InstructionSet.supported
    let got = try sets.map {
      try OccupancyGrid(
        configuration: configuration, engine: .simd($0), pool: WorkerPool(threadCount: 2))
    }
    var generator = SeededGenerator(seed: 3)
    for (scan, away) in [SIMD3(17.0, 0, 0), SIMD3(-17, 0.3, 0), SIMD3(25, 1, 0)].enumerated() {
      let ahead: Float = away.x > 0 ? 1 : -1
      let points = (0..<40).map { _ in
        let values = generator.floats(3, in: -1...1)
        return SIMD3(ahead * (20 + 14 * values[0]), 2 * values[1], 0.5 * values[2])
      }
      for grid in [expected] + got {
        grid.recenter(onWorld: pose(scan).translation + away)
        let worldFromLidar = RigidTransform(
          rotation: Quaternion.identity, translation: pose(scan).translation)
        _ = withCloud(points) { grid.insert($0, worldFromLidar: worldFromLidar) }
      }
      for (set, grid) in zip(sets, got) {
        #expect(isEqual(grid, expected), "\(set), sensor \(away) from the middle")
      }
      // −128 is unknown: something was cleared.
      #expect(bytes(expected).contains { $0 < 0 && $0 > -128 }, "sensor \(away) from the middle")
    }
  }

  @Test(arguments: everyOccupancyEngine, [OccupancyMode.realtime, .fast])
  func `a ring of returns clears its inside, and nothing behind, above or below it`(
    engine: Engine, mode: OccupancyMode
  ) throws {
    let grid = try grid(mode, engine)
    grid.recenter(onWorld: SIMD3(0.1, 0.1, 0.1))
    // 6 m around the centre of voxel (0, 0, 0), one return every 0.77 mrad: no bin is empty.
    let ring = (0..<8192).map { index -> SIMD3<Float> in
      let turn = Quaternion(axis: SIMD3(0, 0, 1), radians: 2 * .pi * Double(index) / 8192)
      return SIMD3<Float>(turn.matrix * SIMD3(6, 0, 0))
    }
    let sensor = RigidTransform(rotation: Matrix3.identity, translation: SIMD3(0.1, 0.1, 0.1))
    withCloud(ring) { _ = grid.insert($0, worldFromLidar: sensor) }
    for y: Int32 in -40...40 {
      for x: Int32 in -40...40 {
        let voxels = (Double(x * x + y * y)).squareRoot()
        let state = grid.state(VoxelKey(x: x, y: y, z: 0))
        if voxels < 28 { #expect(state == .free, "\(x) \(y)") }
        if voxels > 31 { #expect(state == .unknown, "\(x) \(y)") }
      }
    }
    #expect(grid.state(VoxelKey(x: 30, y: 0, z: 0)) == .occupied)
    grid.forEachKnown { key, _, _ in #expect(key.z == 0) }
  }

  @Test(arguments: [OccupancyMode.realtime, .fast, .quality])
  func `what a scan hits never loses evidence in that scan`(mode: OccupancyMode) throws {
    let grid = try grid(mode, .best, threads: 2)
    grid.recenter(onWorld: .zero)
    for scan in 0..<20 {
      let points = makeScan(count: 800, seed: UInt64(scan), origin: .zero)
      let before = points.map { grid.logOdds(grid.key(ofWorld: SIMD3<Double>($0))) ?? -9 }
      withCloud(points) { _ = grid.insert($0, worldFromLidar: .identity) }
      for (point, old) in zip(points, before) {
        let difference = SIMD3<Double>(point)
        let key = grid.key(ofWorld: difference)
        let range = (difference * difference).sum().squareRoot()
        guard grid.covers(key), range < 8.99 else { continue }
        let new = grid.logOdds(key) ?? -9
        #expect(new > old || new >= OccupancyModel.octoMap.maximum - 0.05)
      }
    }
  }

  @Test(arguments: [OccupancyMode.realtime, .fast, .quality])
  func `the order of points changes no bit`(mode: OccupancyMode) throws {
    var points = makeScan(count: 3000, seed: 5, origin: .zero)
    let a = try grid(mode, .best, threads: 2)
    let b = try grid(mode, .best, threads: 1)
    var generator = SeededGenerator(seed: 6)
    for grid in [a, b] {
      grid.recenter(onWorld: .zero)
      withCloud(points) { _ = grid.insert($0, worldFromLidar: .identity) }
      points.shuffle(using: &generator)
    }
    #expect(isEqual(a, b))
  }

  @Test(arguments: InstructionSet.supported, OccupancyMode.allCases)
  func `hostile points neither trap nor write outside the window`(
    set: InstructionSet, mode: OccupancyMode
  ) throws {
    let grid = try grid(mode, .simd(set), threads: 2)
    grid.recenter(onWorld: .zero)
    let values: [Float] = [
      0, -0.0, 1e-45, -1e-30, 0.2, -0.2, 0.4, 9, -9, 1e6, -1e6, 1e30, -3e38, .nan, .infinity,
      -.infinity, 6553.6, -6553.6,
    ]
    var points: [SIMD3<Float>] = []
    for x in values { for y in values { for z in values { points.append(SIMD3(x, y, z)) } } }
    points += Array(repeating: SIMD3(1, 1, 1), count: 100)
    let summary = withCloud(points) { grid.insert($0, worldFromLidar: .identity) }
    #expect(summary.pointCount == points.count)
    #expect(summary.notFiniteCount > 2000)
    #expect(grid.occupiedCount > 0)
  }
}
