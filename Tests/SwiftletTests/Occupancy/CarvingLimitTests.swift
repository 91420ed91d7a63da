import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct CarvingLimitTests {
  private func grid(
    _ mode: OccupancyMode, _ engine: Engine, threads: Int = 1
  ) throws -> OccupancyGrid {
    var configuration = OccupancyConfiguration()
    configuration.cellCountX = 90
    configuration.cellCountY = 75
    configuration.lowerZMeters = -6
    configuration.maximumRangeMeters = 9
    // Many blocks of 4,096 rays, which exact mode deals to the batches.
    configuration.maximumPointCount = 40_000
    configuration.mode = mode
    let grid = try OccupancyGrid(
      configuration: configuration, engine: engine, pool: WorkerPool(threadCount: threads))
    grid.recenter(onWorld: .zero)
    return grid
  }
  private func bytes(_ grid: OccupancyGrid) -> [Int8] {
    let count = grid.cellCounts.x * grid.cellCounts.y * grid.memory.wordCount * 64
    return Array(UnsafeBufferPointer(start: grid.memory.lines, count: count))
  }
  private let scans = (0..<3).map { makeScan(count: 13_000, seed: UInt64($0), origin: .zero) }

  @Test(arguments: OccupancyMode.allCases)
  func `a run stopped by a check is repeated bit for bit from the counts it logged`(
    mode: OccupancyMode
  ) throws {
    let stopped = try grid(mode, .best, threads: 2)
    var log: [Int] = []
    for (scan, patience) in zip(scans, [5, 0, 11]) {
      var polls = 0
      let summary = withCloud(scan) {
        stopped.insert(
          $0, worldFromLidar: .identity,
          limit: .until {
            polls += 1
            return polls > patience
          })
      }
      #expect(summary.carvedBatchCount == patience)
      #expect(summary.carvedShare == Double(patience) / Double(CarvingLimit.batchCount))
      log.append(summary.carvedBatchCount)
    }
    for (engine, threads) in [(Engine.best, 1), (.best, 3), (.reference, 1)] {
      let again = try grid(mode, engine, threads: threads)
      for (scan, count) in zip(scans, log) {
        withCloud(scan) {
          _ = again.insert($0, worldFromLidar: .identity, limit: .batches(count))
        }
      }
      let isEqual = bytes(again) == bytes(stopped)
      #expect(isEqual, "\(engine), \(threads) threads")
    }
  }

  @Test(arguments: OccupancyMode.allCases)
  func `a check that never stops changes no bit, and one that always does drops no hit`(
    mode: OccupancyMode
  ) throws {
    let whole = try grid(mode, .best)
    let polled = try grid(mode, .best, threads: 2)
    let none = try grid(mode, .best, threads: 2)
    let complete = withCloud(scans[0]) { whole.insert($0, worldFromLidar: .identity) }
    let same = withCloud(scans[0]) {
      polled.insert($0, worldFromLidar: .identity, limit: .until { false })
    }
    let hitsOnly = withCloud(scans[0]) {
      none.insert($0, worldFromLidar: .identity, limit: .until { true })
    }
    #expect(complete == same)
    let isEqual = bytes(whole) == bytes(polled)
    #expect(isEqual)
    #expect(hitsOnly.hitVoxelCount == complete.hitVoxelCount)
    #expect(hitsOnly.freeVoxelCount == 0)
    #expect(hitsOnly.carvedShare == 0)
    #expect(complete.carvedShare == 1)
    #expect(none.occupiedCount == whole.occupiedCount)
  }

  @Test(arguments: OccupancyMode.allCases)
  func `half of the batches clear about as much on every side`(mode: OccupancyMode) throws {
    let whole = try grid(mode, .best)
    let half = try grid(mode, .best)
    withCloud(scans[0]) { _ = whole.insert($0, worldFromLidar: .identity) }
    withCloud(scans[0]) {
      _ = half.insert($0, worldFromLidar: .identity, limit: .batches(8))
    }
    func octants(_ grid: OccupancyGrid) -> [Double] {
      var counts = [Double](repeating: 0, count: 8)
      grid.forEachKnown { key, center, _ in
        guard grid.state(key) == .free else { return }
        let side = (center.x > 0 ? 1 : 0) + (center.y > 0 ? 2 : 0)
        counts[side + (abs(center.x) > abs(center.y) ? 4 : 0)] += 1
      }
      return counts
    }
    let shares = zip(octants(half), octants(whole)).map { $0 / $1 }
    let mean = shares.reduce(0, +) / 8
    #expect(mean > 0.4 && mean < 0.98, "\(shares)")
    #expect(shares.allSatisfy { abs($0 - mean) < 0.12 }, "\(shares)")
  }
}
