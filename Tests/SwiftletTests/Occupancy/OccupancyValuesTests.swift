import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct OccupancyValuesTests {
  private func grid(
    _ mode: OccupancyMode, _ engine: Engine, threads: Int = 1, model: OccupancyModel = .octoMap
  ) throws -> OccupancyGrid {
    var configuration = OccupancyConfiguration()
    configuration.cellCountX = 160
    configuration.cellCountY = 160
    configuration.cellCountZ = 100
    configuration.lowerZMeters = -8
    configuration.maximumRangeMeters = 7
    configuration.maximumPointCount = 4000
    configuration.mode = mode
    configuration.values = .int16
    configuration.model = model
    let grid = try OccupancyGrid(
      configuration: configuration, engine: engine, pool: WorkerPool(threadCount: threads))
    grid.recenter(onWorld: .zero)
    return grid
  }
  private func pose(_ scan: Int) -> RigidTransform {
    RigidTransform(
      rotation: Quaternion(axis: SIMD3(0, 0, 1), radians: 0.11 * Double(scan)),
      translation: SIMD3(0.03 * Double(scan), -0.02 * Double(scan), 0.01 * Double(scan)))
  }

  @Test(arguments: [
    OccupancyModel.octoMap,
    OccupancyModel(
      hitProbability: 0.9, missProbability: 0.45, minimumProbability: 0.05,
      maximumProbability: 0.99, thresholdProbability: 0.6),
  ])
  func `int16 states equal the unbounded map's, values within a thousandth, after 60 scans`(
    model: OccupancyModel
  ) throws {
    let grid = try grid(.exact, .best, threads: 2, model: model)
    let map = ReferenceOccupancyMap(
      voxelSizeMeters: 0.2, model: model, engine: .best, pool: WorkerPool(threadCount: 1))
    for scan in 0..<60 {
      let points = makeScan(count: 900, seed: UInt64(scan % 7), origin: .zero, reach: 8)
      withCloud(points) {
        grid.insert($0, worldFromLidar: pose(scan))
        map.insert($0, worldFromLidar: pose(scan), maximumRangeMeters: 7)
      }
    }
    let known = map.knownVoxels()
    #expect(known.count == grid.knownCount)
    #expect(known.allSatisfy { map.state($0.key) == grid.state($0.key) })
    let worst = known.map { abs($0.logOdds - (grid.logOdds($0.key) ?? 99)) }.max() ?? 9
    #expect(worst < 1e-3, "\(worst)")
  }

  @Test(arguments: InstructionSet.supported, [OccupancyMode.exact, .realtime])
  func `int16 windows equal the reference while they roll, and so do their bytes`(
    set: InstructionSet, mode: OccupancyMode
  ) throws {
    let expected = try grid(mode, .reference)
    let got = try grid(mode, .simd(set), threads: 2)
    for scan in 0..<4 {
      let points = makeScan(count: 700, seed: UInt64(scan), origin: .zero)
      for grid in [expected, got] {
        grid.recenter(onWorld: SIMD3(Double(scan), 0.5 * Double(scan), 2 * Double(scan)))
        withCloud(points) { _ = grid.insert($0, worldFromLidar: pose(scan)) }
      }
    }
    let count = 160 * 160 * 128
    let a = Array(UnsafeBufferPointer(start: expected.memory.lines, count: count))
    let b = Array(UnsafeBufferPointer(start: got.memory.lines, count: count))
    let isEqual = a == b
    #expect(isEqual)
    #expect(got.occupiedCount == expected.occupiedCount)
    var differences = 0
    expected.forEachKnown { key, _, _ in
      if expected.logOdds(key) != got.logOdds(key) { differences += 1 }
    }
    #expect(differences == 0)
  }
}
