import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct OccupancyViewTests {
  private func makeGrid() throws -> OccupancyGrid {
    var configuration = OccupancyConfiguration()
    configuration.voxelSizeMeters = 0.5
    configuration.cellCountX = 40
    configuration.cellCountY = 48
    configuration.cellCountZ = 24
    configuration.lowerZMeters = -3
    configuration.maximumRangeMeters = 15
    configuration.maximumPointCount = 2000
    let grid = try OccupancyGrid(
      configuration: configuration, engine: .best, pool: WorkerPool(threadCount: 2))
    grid.recenter(onWorld: SIMD3(31, -17, 2))
    let points = makeScan(count: 600, seed: 21, origin: .zero, reach: 11)
    withCloud(points) {
      _ = grid.insert(
        $0, worldFromLidar: RigidTransform(rotation: Matrix3.identity, translation: SIMD3(31, -17, 2)))
    }
    return grid
  }
  private let tilted = RigidTransform(
    rotation: Quaternion(axis: SIMD3(0.1, -0.05, 0.99), radians: 0.6).normalized,
    translation: SIMD3(31, -17, 2))

  @Test func `an Occ3D volume holds the state of the voxel at each cell's centre`() throws {
    let grid = try makeGrid()
    let states = AlignedBuffer<UInt8>(count: 30 * 26 * 9)
    states.fill(99)
    grid.resample(
      worldFromEgo: tilted, lower: SIMD3(-12, -10, -2), cellSize: 0.8, count: SIMD3(30, 26, 9),
      into: states)
    for x in 0..<30 {
      for y in 0..<26 {
        for z in 0..<9 {
          let inEgo = SIMD3(-12, -10, -2) + (SIMD3(Double(x), Double(y), Double(z)) + 0.5) * 0.8
          let expected = grid.state(grid.key(ofWorld: tilted * inEgo)).rawValue
          #expect(states[(x * 26 + y) * 9 + z] == expected)
        }
      }
    }
    #expect(states.array.contains(VoxelState.occupied.rawValue))
  }

  @Test func `a column summary counts the columns under its cell and their heights`() throws {
    let grid = try makeGrid()
    let summary = OccupancyGrid.ColumnSummary(columns: 20, rows: 22)
    grid.summarizeColumns(
      worldFromEgo: tilted, lower: SIMD2(-10, -11), cellSize: SIMD2(1, 1), into: summary)
    let egoFromWorld = tilted.inverse
    var occupiedTotal: Float = 0
    for y in 0..<22 {
      for x in 0..<20 {
        var expected: (occupied: Float, free: Float, low: Double, high: Double) = (0, 0, 0, 0)
        for sub in 0..<4 {
          let inEgo = SIMD3(
            -10 + Double(x) + Double(sub % 2) * 0.5 + 0.25,
            -11 + Double(y) + Double(sub / 2) * 0.5 + 0.25, 0)
          let column = grid.key(ofWorld: tilted * inEgo)
          for z in grid.origin.z..<grid.origin.z + 24 {
            let key = VoxelKey(x: column.x, y: column.y, z: z)
            if grid.state(key) == .free { expected.free += 1 }
            guard grid.state(key) == .occupied else { continue }
            let center = (SIMD3(Double(key.x), Double(key.y), Double(z)) + 0.5) * 0.5
            let height = (egoFromWorld * center).z
            expected.low = expected.occupied == 0 ? height : min(expected.low, height)
            expected.high = expected.occupied == 0 ? height : max(expected.high, height)
            expected.occupied += 1
          }
        }
        let at = y * 20 + x
        #expect(summary.occupied[at] == expected.occupied)
        #expect(summary.free[at] == expected.free)
        // One rounding to float32 of a height of a few metres.
        #expect(abs(Double(summary.lowestMeters[at]) - expected.low) < 1e-5)
        #expect(abs(Double(summary.highestMeters[at]) - expected.high) < 1e-5)
        occupiedTotal += expected.occupied
      }
    }
    #expect(occupiedTotal > 50)
  }

  @Test func `every occupied voxel is visited once, with its centre and height`() throws {
    let grid = try makeGrid()
    var keys: [VoxelKey] = []
    grid.forEachOccupied { key, center, height in
      keys.append(key)
      #expect(grid.state(key) == .occupied)
      #expect(grid.key(ofWorld: center) == key)
      #expect(abs(center.z - grid.lowerMeters.z - height) < 1e-9)
    }
    #expect(Set(keys).count == keys.count)
    #expect(keys.count == grid.occupiedCount)
    #expect(keys.count > 100)
  }
}
