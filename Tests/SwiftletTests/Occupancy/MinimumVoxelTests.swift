import Foundation
import Swiftlet
import SwiftletTestSupport
import Testing

/// Folds pass over lines whose missed voxels all lie at the minimum already. That must not show:
/// whatever else changes a line, the next misses count again.
@Suite struct MinimumVoxelTests {
  private func grid(
    _ engine: Engine, threads: Int = 1, cells: Int, mode: OccupancyMode
  ) throws -> OccupancyGrid {
    var configuration = OccupancyConfiguration()
    configuration.voxelSizeMeters = 0.4
    configuration.cellCountX = 48
    configuration.cellCountY = 40
    configuration.cellCountZ = cells
    configuration.lowerZMeters = -9.4
    configuration.maximumRangeMeters = 8
    configuration.maximumPointCount = 6000
    configuration.mode = mode
    let grid = try OccupancyGrid(
      configuration: configuration, engine: engine, pool: WorkerPool(threadCount: threads))
    grid.recenter(onWorld: .zero)
    return grid
  }
  /// Whether log-odds and planes are the same.
  private func isEqual(_ a: OccupancyGrid, _ b: OccupancyGrid) -> Bool {
    let words = a.cellCounts.x * a.cellCounts.y * a.memory.wordCount
    let (p, q) = (a.memory, b.memory)
    return memcmp(p.lines, q.lines, 64 * words) == 0
      && memcmp(p.occupied, q.occupied, 8 * words) == 0 && memcmp(p.known, q.known, 8 * words) == 0
  }
  /// The same scan again and again: what it clears comes to lie at the minimum.
  private func settle(_ grid: OccupancyGrid, at x: Double = 0, scans: Int) -> Int {
    let pose = RigidTransform(rotation: Matrix3.identity, translation: SIMD3(x, 0, 0.1))
    return withCloud(makeScan(count: 1500, seed: 9, origin: .zero, reach: 7)) { cloud in
      (0..<scans).reduce(0) { sum, _ in
        sum + grid.insert(cloud, worldFromLidar: pose).freeVoxelCount
      }
    }
  }
  /// What changes free voxels without a fold of LiDAR points, or their places.
  enum Change: String, CaseIterable { case nothing, logits, load, roll, rise, depth, reset }

  private func apply(_ change: Change, to grid: OccupancyGrid) {
    switch change {
    case .nothing: break
    case .logits:
      var model = NetworkOccupancyModel()
      model.cellCounts = SIMD3(20, 20, 16)
      model.lowerMeters = SIMD3(-4, -4, -3)
      let logits = AlignedBuffer<Float>(count: 20 * 20 * 16)
      logits.fill(3)
      grid.add(logits: logits, worldFromEgo: .identity, model: model)
    case .load:
      let keys = (-9..<9).flatMap { x in (-9..<9).map { VoxelKey(x: x, y: $0, z: 0) } }
      grid.load(keys, logOdds: keys.map { _ in -0.3 })
    case .roll:
      grid.recenter(onWorld: SIMD3(6, 5, 0))
      grid.recenter(onWorld: .zero)
    case .rise:
      grid.recenter(onWorld: SIMD3(0, 0, 12))
      grid.recenter(onWorld: .zero)
    case .depth:
      withCloud(makeScan(count: 400, seed: 4, origin: .zero, reach: 6)) {
        grid.add($0, worldFromLidar: .identity)
      }
      grid.fold(model: .cameraDepth)
    case .reset: grid.reset()
    }
  }

  @Test(arguments: Change.allCases)
  func `misses of voxels at the minimum are passed over unseen`(change: Change) throws {
    let shapes = [
      (64, 3, OccupancyMode.realtime), (64, 1, .exact), (50, 2, .exact), (100, 1, .exact),
      (150, 2, .exact),
    ]
    for (cells, threads, mode) in shapes {
      let grids =
        [try grid(.reference, cells: cells, mode: mode)]
        + (try InstructionSet.supported.map {
          try grid(.simd($0), threads: threads, cells: cells, mode: mode)
        })
      func compare(_ moment: String, _ body: (OccupancyGrid) -> Int) {
        let counts = grids.map(body)
        #expect(counts.allSatisfy { $0 == counts[0] }, "\(moment) \(change), \(mode): \(counts)")
        #expect(grids.allSatisfy { isEqual($0, grids[0]) }, "\(moment) \(change), \(mode), \(cells)")
      }
      compare("before") { settle($0, scans: 6) }
      compare("at") {
        apply(change, to: $0)
        return 0
      }
      compare("after") { settle($0, scans: 2) }
      compare("elsewhere after") { settle($0, at: 0.9, scans: 2) }
    }
  }
}
