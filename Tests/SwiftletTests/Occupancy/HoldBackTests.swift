import Foundation
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

  /// Returns of `columns` firings of `rows` beams 40 to 4 degrees below the horizon, from `height`
  /// metres over the plane z = rise · x + `offset`, or from a wall at y = 4.
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

  /// Free voxels of the level plane z = rise · x + 0.1 (a ceiling: −z), and of the layer that rays
  /// come through to it, where the plane stays in one layer; then how many of them there are.
  private func cleared(
    _ engine: Engine, _ mode: OccupancyMode, rise: Float, isCeiling: Bool
  ) throws -> (plane: Int, before: Int, all: Int) {
    let grid = try grid(engine, mode)
    grid.recenter(onWorld: .zero)
    let up: Float = isCeiling ? -1 : 1
    // Beams 1.5 degrees apart: most of the plane's voxels are hit by none.
    let points = street(rows: 24, columns: 2048, height: 1.7, rise: rise, offset: 0.1)
      .map { SIMD3($0.x, $0.y, up * $0.z) }
    withCloud(points) { _ = grid.insert($0, worldFromLidar: sensor(up * 1.7)) }
    var counts = (plane: 0, before: 0, all: 0)
    for y in -35...15 {
      for x in -30...30 where x * x + y * y > 144 && x * x + y * y < 900 {
        let ends = [x, x + 1].map { up * (0.2 * Float($0) * rise + 0.1) / 0.2 }
        let layer = Int32(ends[0].rounded(.down))
        guard layer == Int32(ends[1].rounded(.down)) else { continue }
        let plane = VoxelKey(x: Int32(x), y: Int32(y), z: layer)
        let before = VoxelKey(x: Int32(x), y: Int32(y), z: layer + Int32(up))
        counts.plane += grid.state(plane) == .free ? 1 : 0
        counts.before += grid.state(before) == .free ? 1 : 0
        counts.all += 1
      }
    }
    return counts
  }

  @Test(arguments: everyOccupancyEngine, [Float(0), 0.02, -0.02])
  func `roads and ceilings keep their layer, and the one before it is cleared`(
    engine: Engine, rise: Float
  ) throws {
    for isCeiling in [false, true] {
      let held = try cleared(engine, .quality, rise: rise, isCeiling: isCeiling)
      #expect(held.plane == 0, "ceiling \(isCeiling): \(held)")
      #expect(held.before * 10 > held.all * 9, "ceiling \(isCeiling): \(held)")
      // Without holding back much of the plane is erased.
      let plain = try cleared(engine, .realtime, rise: rise, isCeiling: isCeiling)
      #expect(plain.plane * 8 > plain.all, "ceiling \(isCeiling): \(plain)")
    }
  }

  /// Free voxels of the wall along x in the row of voxels `row`, which one ring sees under 7 degrees
  /// and more.
  private func clearedWall(_ engine: Engine, _ mode: OccupancyMode, row: Int) throws -> Int {
    let grid = try grid(engine, mode)
    grid.recenter(onWorld: .zero)
    // 1,200 firings a turn: some of the far voxels are hit by none.
    let y = 0.2 * Double(row) + 0.05
    let points = (24..<300).map { firing -> SIMD3<Float> in
      let turn = 2 * Double.pi * (Double(firing) + 0.3) / 1200
      return SIMD3(Float(y * cos(turn) / sin(turn)), Float(y), 0)
    }
    withCloud(points) { _ = grid.insert($0, worldFromLidar: sensor(1.7)) }
    let end = min(8 * row, 45) - 2
    #expect(grid.state(VoxelKey(x: Int32(row), y: 2, z: 8)) == .free)
    return (row..<end).count { grid.state(VoxelKey(x: Int32($0), y: Int32(row), z: 8)) == .free }
  }

  @Test(arguments: everyOccupancyEngine)
  func `walls that rays graze keep their voxels`(engine: Engine) throws {
    let rows = [4, 5, 6, 8]
    let held = try rows.map { try clearedWall(engine, .quality, row: $0) }
    let plain = try rows.map { try clearedWall(engine, .realtime, row: $0) }
    #expect(held == [0, 0, 0, 0])
    #expect(plain.reduce(0, +) > 4, "without holding back \(plain) voxels are erased")
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
