import Swiftlet
import SwiftletTestSupport
import Testing

/// What quality mode adds to fans: beams that end before what they graze, and heavier misses.
@Suite struct HoldBackTests {
  private func grid(
    _ engine: Engine, _ mode: OccupancyMode = .quality, threads: Int = 1,
    values: OccupancyValues = .int8
  ) throws -> OccupancyGrid {
    var configuration = OccupancyConfiguration()
    configuration.cellCountX = 110
    configuration.cellCountY = 100
    configuration.maximumRangeMeters = 10
    configuration.lowerZMeters = -6
    configuration.mode = mode
    configuration.values = values
    return try OccupancyGrid(
      configuration: configuration, engine: engine, pool: WorkerPool(threadCount: threads))
  }

  /// Returns of `columns` firings of `rows` beams 8 to 40 degrees below the horizon and a few above,
  /// from `height` metres over the plane z = rise · x + `offset`, or from a wall at y = 4.
  private func street(
    rows: Int, columns: Int, height: Float, rise: Float = 0, offset: Float = 0, noise: Float = 0
  ) -> [SIMD3<Float>] {
    var generator = SeededGenerator(seed: UInt64(rows * columns))
    var points: [SIMD3<Float>] = []
    for row in 0..<rows {
      for column in 0..<columns {
        let down = (40 - 36 * Double(row) / Double(rows)) * .pi / 180
        let turn = 2 * Double.pi * Double(column) / Double(columns)
        let level = Quaternion(axis: SIMD3(0, 0, 1), radians: turn)
        let pitch = Quaternion(axis: SIMD3(0, 1, 0), radians: down)
        let ray = SIMD3<Float>((level * pitch).matrix * SIMD3(1, 0, 0))
        let ground = (offset - height) / (ray.z - rise * ray.x)
        let wall = ray.y > 0.01 ? 4 / ray.y : .infinity
        let range = min(ground > 0 ? ground : .infinity, wall)
        guard range < 9.5 else { continue }
        points.append(ray * (range + generator.floats(1, in: -1...1)[0] * noise))
      }
    }
    return points
  }
  private func bytes(_ grid: OccupancyGrid) -> [Int8] {
    let count = grid.cellCounts.x * grid.cellCounts.y * grid.memory.wordCount * 64
    return unsafe Array(UnsafeBufferPointer(start: grid.memory.lines, count: count))
  }
  private func sensor(_ height: Float, tilt: Double = 0) -> RigidTransform {
    RigidTransform(
      rotation: Quaternion(axis: SIMD3(0.6, 0.8, 0), radians: tilt),
      translation: SIMD3(0.03, 0.05, Double(height)))
  }

  @Test(arguments: [0, 0.05])
  func `streets equal the reference bit for bit, level or tilted`(tilt: Double) throws {
    for (rows, columns, rise) in [(24, 2048, 0), (24, 700, 0.05), (9, 1024, -0.04)] {
      let points = street(
        rows: rows, columns: columns, height: 1.7, rise: Float(rise), noise: 0.03)
      let expected = try grid(.reference)
      let sets = InstructionSet.supported
      let got = try sets.map { try grid(.simd($0), threads: 3) }
      for grid in [expected] + got {
        grid.recenter(onWorld: .zero)
        withCloud(points) { _ = grid.insert($0, worldFromLidar: sensor(1.7, tilt: tilt)) }
      }
      #expect(bytes(expected).contains { $0 < 0 && $0 > -128 })
      for (set, grid) in zip(sets, got) {
        let isEqual = bytes(grid) == bytes(expected)
        #expect(isEqual, "\(set), \(rows) x \(columns), rise \(rise)")
      }
    }
  }

  @Test(arguments: everyOccupancyEngine, [Float(0), 0.02, -0.02])
  func `a road keeps its layer, and the layer above it is cleared`(
    engine: Engine, rise: Float
  ) throws {
    let grid = try grid(engine)
    grid.recenter(onWorld: .zero)
    // Beams 1.5 degrees apart: most of the road's voxels are hit by none.
    let points = street(rows: 24, columns: 2048, height: 1.7, rise: rise, offset: 0.1)
    withCloud(points) { _ = grid.insert($0, worldFromLidar: sensor(1.7)) }
    var cleared = 0
    for y in -35...15 {
      for x in -30...30 where x * x + y * y > 144 && x * x + y * y < 900 {
        let ends = [x, x + 1].map { Int(((0.2 * Float($0) * rise + 0.1) / 0.2).rounded(.down)) }
        guard ends[0] == ends[1] else { continue }
        let road = grid.state(VoxelKey(x: Int32(x), y: Int32(y), z: Int32(ends[0])))
        #expect(road != .free, "road at \(x) \(y)")
        let above = grid.state(VoxelKey(x: Int32(x), y: Int32(y), z: Int32(ends[0] + 1)))
        cleared += above == .free ? 1 : 0
      }
    }
    #expect(cleared > 1600, "\(cleared) of the voxels above the road are free")
    // Without holding back the road would be erased.
    let plain = try self.grid(engine, .realtime)
    plain.recenter(onWorld: .zero)
    withCloud(points) { _ = plain.insert($0, worldFromLidar: sensor(1.7)) }
    var erased = 0
    plain.forEachKnown { key, _, _ in
      erased += rise == 0 && key.z == 0 && plain.state(key) == .free ? 1 : 0
    }
    #expect(rise != 0 || erased > 500)
  }

  @Test(arguments: everyOccupancyEngine)
  func `a wall that rays graze keeps its voxels`(engine: Engine) throws {
    let grid = try grid(engine)
    grid.recenter(onWorld: .zero)
    // A wall along x at y = 1.1, seen ahead under 7 to 20 degrees.
    let points = (0..<200).flatMap { index -> [SIMD3<Float>] in
      let x = 3 + 0.03 * Float(index)
      return (0..<5).map { SIMD3(x, 1.1 - 0.05, 0.1 * Float($0) - 0.25) }
    }
    withCloud(points) { _ = grid.insert($0, worldFromLidar: sensor(1.7)) }
    for x in 16..<44 {
      for z in 7...9 {
        let state = grid.state(VoxelKey(x: Int32(x), y: 5, z: Int32(z)))
        #expect(state != .free, "wall at \(x) \(z)")
      }
    }
    #expect(grid.state(VoxelKey(x: 20, y: 3, z: 8)) == .free)
  }

  @Test(arguments: OccupancyMode.allCases, OccupancyValues.allCases)
  func `in quality mode two misses outweigh a hit`(
    mode: OccupancyMode, values: OccupancyValues
  ) throws {
    let grid = try grid(.best, mode, values: values)
    grid.recenter(onWorld: .zero)
    let hit = VoxelKey(x: 20, y: 0, z: 0)
    let sensor = RigidTransform(rotation: Matrix3.identity, translation: SIMD3(0.1, 0.1, 0.1))
    withCloud([SIMD3(4, 0, 0)]) { _ = grid.insert($0, worldFromLidar: sensor) }
    #expect(grid.state(hit) == .occupied)
    for _ in 0..<2 {
      withCloud([SIMD3(8, 0, 0)]) { _ = grid.insert($0, worldFromLidar: sensor) }
    }
    // A hit of 0.85 and two misses of 0.41 leave 0.04; OctoMap calls that occupied.
    #expect(grid.state(hit) == (mode == .quality ? .free : .occupied))
    let expected = mode == .quality ? 0.847 - 2 * 1.2 * 0.405 : 0.847 - 2 * 0.405
    #expect(abs(Double(grid.logOdds(hit) ?? 9) - expected) < (values == .int16 ? 0.002 : 0.06))
  }
}
