import CAllocationCounter
import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct OccupancyGridTests {
  private func configuration(
    cells: (Int, Int, Int) = (96, 80, 64), voxel: Double = 0.2, range: Double = 9
  ) -> OccupancyConfiguration {
    var configuration = OccupancyConfiguration()
    configuration.voxelSizeMeters = voxel
    configuration.cellCountX = cells.0
    configuration.cellCountY = cells.1
    configuration.cellCountZ = cells.2
    configuration.maximumRangeMeters = range
    configuration.maximumPointCount = 4000
    return configuration
  }
  private func grid(
    _ configuration: OccupancyConfiguration, _ engine: Engine, threads: Int = 1
  ) throws -> OccupancyGrid {
    try OccupancyGrid(
      configuration: configuration, engine: engine, pool: WorkerPool(threadCount: threads))
  }
  private func pose(_ scan: Int) -> RigidTransform {
    RigidTransform(
      rotation: Quaternion(axis: SIMD3(0, 0, 1), radians: 0.11 * Double(scan)),
      translation: SIMD3(0.9 * Double(scan) - 4, -0.35 * Double(scan), 0.02 * Double(scan)))
  }
  /// A plain answer: the macro's own comparison of a million bytes takes minutes when it fails.
  private func isEqual(_ a: OccupancyGrid, _ b: OccupancyGrid) -> Bool { bytes(a) == bytes(b) }
  private func bytes(_ grid: OccupancyGrid) -> [Int8] {
    let count = grid.cellCounts.x * grid.cellCounts.y * grid.memory.wordCount * 64
    return Array(UnsafeBufferPointer(start: grid.memory.lines, count: count))
  }

  @Test(arguments: everyOccupancyEngine)
  func `one ray leaves free voxels, an occupied end and unknown space`(engine: Engine) throws {
    let grid = try grid(configuration(voxel: 1, range: 30), engine)
    grid.recenter(onWorld: .zero)
    let summary = withCloud([SIMD3(3, 0, 0)]) {
      grid.insert(
        $0, worldFromLidar: RigidTransform(rotation: Matrix3.identity, translation: SIMD3(0.5, 0.5, 0.5)))
    }
    #expect(summary.freeVoxelCount == 3)
    #expect(summary.hitVoxelCount == 1)
    #expect((0..<3).allSatisfy { grid.state(VoxelKey(x: $0, y: 0, z: 0)) == .free })
    #expect(grid.state(VoxelKey(x: 3, y: 0, z: 0)) == .occupied)
    #expect(grid.state(VoxelKey(x: 4, y: 0, z: 0)) == .unknown)
    #expect(grid.logOdds(VoxelKey(x: 4, y: 0, z: 0)) == nil)
    let miss = grid.logOdds(VoxelKey(x: 0, y: 0, z: 0)) ?? 0
    #expect(abs(miss - OccupancyModel.octoMap.miss) < 0.5 / 24.66)
  }

  @Test(arguments: InstructionSet.supported, [1, 2, 3])
  func `SIMD windows equal the reference bit for bit while they roll`(
    set: InstructionSet, threads: Int
  ) throws {
    for height in [16, 64, 100] {
      for count in height == 64 ? [0, 1, 7, 8, 9, 15, 16, 17, 31, 200] : [33] {
        let configuration = configuration(cells: (48, 40, height))
        let expected = try grid(configuration, .reference)
        let got = try grid(configuration, .simd(set), threads: threads)
        for scan in 0..<4 {
          var points = makeScan(
            count: count, seed: UInt64(height + 1000 * scan + count), origin: .zero)
          if count > 8 { points[3] = SIMD3(.nan, 1, 2) }
          let world = pose(3 * scan)
          expected.recenter(onWorld: world.translation + SIMD3(0, 0, Double(scan * scan)))
          got.recenter(onWorld: world.translation + SIMD3(0, 0, Double(scan * scan)))
          let a = withCloud(points) { expected.insert($0, worldFromLidar: world) }
          let b = withCloud(points) { got.insert($0, worldFromLidar: world) }
          #expect(a == b)
        }
        #expect(isEqual(got, expected), "height \(height) count \(count)")
        #expect(got.occupiedCount == expected.occupiedCount)
        #expect(got.knownCount == expected.knownCount)
      }
    }
  }

  @Test(arguments: everyOccupancyEngine)
  func `states in the window equal the unbounded map's`(engine: Engine) throws {
    // Large enough that nothing rolls out.
    let grid = try grid(configuration(cells: (160, 160, 128), range: 7), engine)
    grid.recenter(onWorld: SIMD3(0, 0, -5))
    let map = ReferenceOccupancyMap(
      voxelSizeMeters: 0.2, engine: .reference, pool: WorkerPool(threadCount: 1))
    for scan in 0..<5 {
      let points = makeScan(count: 300, seed: UInt64(scan), origin: .zero, reach: 10)
      withCloud(points) {
        grid.insert($0, worldFromLidar: pose(scan))
        map.insert($0, worldFromLidar: pose(scan), maximumRangeMeters: 7)
      }
    }
    let known = map.knownVoxels()
    #expect(known.count == grid.knownCount)
    #expect(known.allSatisfy { map.state($0.key) == grid.state($0.key) })
    // int8 steps: half a step a visit at the most, 10 visits.
    let worst = known.map { abs($0.logOdds - (grid.logOdds($0.key) ?? 99)) }.max() ?? 0
    #expect(worst < 0.5 / 24.66 * 10)
  }

  @Test(arguments: everyOccupancyEngine)
  func `rays that end above or below the window still carve inside it`(engine: Engine) throws {
    var low = configuration(cells: (64, 64, 8), voxel: 0.5, range: 20)
    low.lowerZMeters = -2
    let grid = try grid(low, engine)
    grid.recenter(onWorld: SIMD3(0, 0, 0))
    let up = SIMD3<Float>(10.1, 0.1, 9.1)
    let down = SIMD3<Float>(-10.1, 0.1, -9.1)
    withCloud([up, down]) { _ = grid.insert($0, worldFromLidar: .identity) }
    #expect(grid.occupiedCount == 0)
    #expect(grid.state(VoxelKey(x: 2, y: 0, z: 1)) == .free || grid.state(VoxelKey(x: 1, y: 0, z: 1)) == .free)
    let inside = RayTraversal.voxels(
      from: .zero, to: up, voxelSizeMeters: 0.5, engine: .reference)!.filter { $0.z < 4 }
    #expect(!inside.isEmpty)
    #expect(inside.allSatisfy { grid.state($0) == .free })
  }

  @Test(arguments: everyOccupancyEngine)
  func `moving the window keeps what stays and forgets what rolls in`(engine: Engine) throws {
    let grid = try grid(configuration(cells: (32, 32, 64), voxel: 1, range: 30), engine)
    grid.recenter(onWorld: .zero)
    withCloud([SIMD3(10.5, 0.5, 0.5), SIMD3(-10.5, 0.5, 0.5)]) {
      _ = grid.insert($0, worldFromLidar: .identity)
    }
    grid.recenter(onWorld: SIMD3(8, 0, 0))
    #expect(grid.state(VoxelKey(x: 10, y: 0, z: 0)) == .occupied)
    #expect(grid.state(VoxelKey(x: -11, y: 0, z: 0)) == .unknown)
    // x = 21 takes the torus slot of -11: nothing of it may show.
    #expect(grid.state(VoxelKey(x: 21, y: 0, z: 0)) == .unknown)
    grid.recenter(onWorld: SIMD3(8, 0, 30))
    grid.recenter(onWorld: SIMD3(8, 0, 10))
    #expect(grid.state(VoxelKey(x: 10, y: 0, z: 0)) == .unknown)
    grid.recenter(onWorld: SIMD3(1e6, -1e6, 0))
    #expect(grid.knownCount == 0)
  }

  @Test(arguments: everyOccupancyEngine)
  func `several LiDARs of one frame count as one scan`(engine: Engine) throws {
    let grid = try grid(configuration(voxel: 1, range: 30), engine)
    grid.recenter(onWorld: .zero)
    let left = RigidTransform(rotation: Matrix3.identity, translation: SIMD3(0.5, 0.5, 0.5))
    let right = RigidTransform(rotation: Matrix3.identity, translation: SIMD3(8.5, 0.5, 0.5))
    // The left one sees through x = 4 to 6; the right one hits x = 4.
    withCloud([SIMD3(6, 0, 0)]) { grid.add($0, worldFromLidar: left) }
    withCloud([SIMD3(-4, 0, 0)]) { grid.add($0, worldFromLidar: right) }
    let summary = grid.fold()
    #expect(summary.pointCount == 2)
    #expect(summary.hitVoxelCount == 2)
    #expect(grid.state(VoxelKey(x: 4, y: 0, z: 0)) == .occupied)
    #expect(grid.logOdds(VoxelKey(x: 4, y: 0, z: 0)) == grid.logOdds(VoxelKey(x: 6, y: 0, z: 0)))
  }

  @Test(arguments: everyOccupancyEngine)
  func `points on the own car and points too near are left out and counted`(engine: Engine) throws {
    var boxed = configuration(voxel: 1, range: 30)
    boxed.egoBox = .init(lower: SIMD3(-1, -1, -1), upper: SIMD3(3, 1, 2))
    boxed.minimumRangeMeters = 1
    let grid = try grid(boxed, engine)
    grid.recenter(onWorld: .zero)
    let mount = RigidTransform(rotation: Matrix3.identity, translation: SIMD3(1, 0, 2))
    let points: [SIMD3<Float>] = [
      SIMD3(0, 0, -1), SIMD3(2, 0, 0), SIMD3(0.1, 0.1, 0.5), SIMD3(5, 5, 0), SIMD3(2.01, 0, 0),
    ]
    let summary = withCloud(points) {
      grid.insert($0, worldFromLidar: mount, egoFromLidar: mount)
    }
    #expect(summary.insideEgoCount == 2)
    #expect(summary.tooNearCount == 1)
    #expect(summary.rayCount == 2)
  }

  @Test(arguments: everyOccupancyEngine)
  func `the order of points changes no bit`(engine: Engine) throws {
    var points = makeScan(count: 500, seed: 5, origin: .zero)
    let a = try grid(configuration(), engine)
    let b = try grid(configuration(), engine)
    a.recenter(onWorld: .zero)
    b.recenter(onWorld: .zero)
    withCloud(points) { _ = a.insert($0, worldFromLidar: .identity) }
    var generator = SeededGenerator(seed: 6)
    points.shuffle(using: &generator)
    withCloud(points) { _ = b.insert($0, worldFromLidar: .identity) }
    #expect(isEqual(a, b))
  }

  @Test(.enabled(if: countsAllocations))
  func `a scan of the reserved size allocates nothing`() throws {
    let grid = try grid(configuration(), .best, threads: 2)
    let points = makeScan(count: 4000, seed: 9, origin: .zero)
    let summary = OccupancyGrid.ColumnSummary(columns: 32, rows: 32)
    let states = AlignedBuffer<UInt8>(count: 32 * 32 * 8)
    withCloud(points) { cloud in
      func frame(_ scan: Int) {
        grid.recenter(onWorld: pose(scan).translation)
        grid.insert(cloud, worldFromLidar: pose(scan))
        grid.summarizeColumns(
          worldFromEgo: pose(scan), lower: SIMD2(-6, -6), cellSize: SIMD2(0.4, 0.4), into: summary)
        grid.resample(
          worldFromEgo: pose(scan), lower: SIMD3(-6, -6, -1), cellSize: 0.4,
          count: SIMD3(32, 32, 8), into: states)
      }
      frame(0)
      allocation_counter_start()
      for scan in 1..<6 { frame(scan) }
      #expect(allocation_counter_stop() == 0)
    }
  }

  @Test func `settings that no grid can meet are named`() {
    var bad = configuration()
    bad.voxelSizeMeters = 0
    #expect(throws: ConfigurationError.self) { try bad.validate() }
    bad = configuration()
    bad.voxelSizeMeters = 0.02
    bad.maximumRangeMeters = 200
    #expect(throws: ConfigurationError.self) { try bad.validate() }
    bad = configuration()
    bad.model.hit = -1
    #expect(throws: ConfigurationError.self) { try bad.validate() }
  }
}
