import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

/// One drive with one kind of trouble, at one voxel size.
struct PromiseDrive: Sendable, CustomTestStringConvertible {
  var name: String
  var seed: UInt64
  var voxel: Double
  var streetDegrees = 17.0
  var tiltDegrees = 0.5
  var silentTurns: Range<Double>?
  var rows = 64
  var columns = 2048
  var testDescription: String { "\(name) at \(voxel) m" }

  static let all: [PromiseDrive] = [0.2, 0.4].flatMap { voxel in
    [
      PromiseDrive(name: "a turned street", seed: 11, voxel: voxel),
      PromiseDrive(name: "5 degrees of tilt", seed: 12, voxel: voxel, tiltDegrees: 5),
      PromiseDrive(
        name: "walls on voxel faces", seed: 13, voxel: voxel, streetDegrees: 0, tiltDegrees: 0),
      PromiseDrive(
        name: "a sector without returns", seed: 14, voxel: voxel, silentTurns: 0.15..<0.4),
      PromiseDrive(
        name: "a quarter of the firings", seed: 15, voxel: voxel, tiltDegrees: 2, rows: 32,
        columns: 1024),
    ]
  }

  func scene(scans: Int) -> OccupancyScene {
    var sensor = OccupancyScene.Sensor()
    sensor.tiltDegrees = tiltDegrees
    sensor.silentTurns = silentTurns
    sensor.rows = rows
    sensor.columns = columns
    return OccupancyScene(
      seed: seed, length: scans, streetDegrees: streetDegrees, sensor: sensor)
  }
}

/// The promises of `OccupancyMode`, against OctoMap's map and against the scene's exact geometry: on
/// the map every few scans, and on the sets of single scans.
@Suite struct OccupancyPromiseTests {
  // 10 drives of 64 scans with up to 131,072 firings each in release builds; a debug build traces
  // rays too slowly for more than a sample.
  #if DEBUG
    static let scanCount = 2
    static let drives = Array(PromiseDrive.all.dropLast().suffix(1))
  #else
    static let scanCount = 64
    static let drives = PromiseDrive.all
  #endif
  static let checkInterval = 16
  static let range = 50.0

  private func grid(_ mode: OccupancyMode, _ drive: PromiseDrive) throws -> OccupancyGrid {
    try OccupancyGrid(
      configuration: OccupancyWorkloads.configuration(voxel: drive.voxel, mode: mode),
      engine: .best, pool: WorkerPool(threadCount: 1))
  }
  private func map(_ drive: PromiseDrive) -> ReferenceOccupancyMap {
    ReferenceOccupancyMap(
      voxelSizeMeters: drive.voxel, engine: .best, pool: WorkerPool(threadCount: 1))
  }
  private func insert(_ scan: OccupancyScene.Scan, _ grid: OccupancyGrid) {
    grid.recenter(onWorld: scan.worldFromLidar.translation)
    scan.withCloud { _ = grid.insert($0, worldFromLidar: scan.worldFromLidar) }
  }
  private func insert(_ scan: OccupancyScene.Scan, _ map: ReferenceOccupancyMap) {
    scan.withCloud {
      _ = map.insert(
        $0, worldFromLidar: scan.worldFromLidar, maximumRangeMeters: Self.range)
    }
  }

  @Test(arguments: drives)
  func `every mode keeps its promise on the map and scan by scan`(drive: PromiseDrive) throws {
    let scene = drive.scene(scans: Self.scanCount)
    let reference = map(drive)
    let modes: [OccupancyMode] = [.exact, .realtime, .fast]
    let grids = try modes.map { try grid($0, drive) }
    let single = try modes.map { try grid($0, drive) }
    var truth = OccupancyTruth(voxelSizeMeters: drive.voxel, maximumRangeMeters: Self.range)
    for index in 0..<Self.scanCount {
      let scan = scene.scan(index)
      truth.add(scan)
      insert(scan, reference)
      for grid in grids { insert(scan, grid) }
      guard (index + 1) % Self.checkInterval == 0 || index + 1 == Self.scanCount else { continue }
      for grid in grids {
        let agreement = OccupancyAgreement(grid: grid, reference: reference)
        let mode = grid.configuration.mode
        print("\(drive.testDescription), \(mode), \(index + 1) scans: \(agreement.description)")
        let failure = agreement.failure(of: mode)
        #expect(failure == nil, "\(drive.testDescription), \(mode), scan \(index)")
      }
      let one = map(drive)
      insert(scan, one)
      for grid in single { checkSingle(scan, grid, one, drive, index) }
    }
    truth.finish(scene, count: Self.scanCount) { grids[0].covers($0) }
    let octomap = truth.score { reference.state($0) }
    print("\(drive.testDescription), octomap: \(octomap.description)")
    for grid in grids {
      let score = truth.score { grid.state($0) }
      print("\(drive.testDescription), \(grid.configuration.mode): \(score.description)")
      // Approximate free space may not cost surfaces or leave ghosts.
      #expect(score.surfaceRecall >= octomap.surfaceRecall - 0.01)
      #expect(score.ghosts <= octomap.ghosts + 0.01)
    }
  }

  /// The sets of one scan: hits exactly, free space within what the mode trades.
  private func checkSingle(
    _ scan: OccupancyScene.Scan, _ grid: OccupancyGrid, _ one: ReferenceOccupancyMap,
    _ drive: PromiseDrive, _ index: Int
  ) {
    grid.reset()
    insert(scan, grid)
    let agreement = OccupancyAgreement(grid: grid, reference: one)
    let mode = grid.configuration.mode
    let note = "\(drive.testDescription), \(mode), scan \(index) alone: \(agreement.description)"
    #expect(agreement.iou(.occupied) == 1, "\(note)")
    #expect(agreement.occupiedCalledFree == 0, "\(note)")
    let least: [OccupancyMode: Double] = [.exact: 1, .realtime: 0.97, .fast: 0.94]
    #expect(agreement.iou(.free) >= least[mode] ?? 0, "\(note)")
  }
}

/// The promise of quality mode: surfaces that survive, and no more ghosts than OctoMap.
@Suite struct OccupancyQualityTests {
  #if DEBUG
    static let scanCount = 2
    static let drives = [PromiseDrive(name: "a turned street", seed: 21, voxel: 0.4)]
  #else
    static let scanCount = 40
    static let drives =
      PromiseDrive.all
      + [0.2, 0.4].flatMap { voxel in
        [
          PromiseDrive(name: "a turned street", seed: 21, voxel: voxel),
          PromiseDrive(name: "another street", seed: 22, voxel: voxel, streetDegrees: 40),
          PromiseDrive(name: "a tilting sensor", seed: 23, voxel: voxel, tiltDegrees: 3),
        ]
      }
  #endif

  @Test(arguments: drives)
  func `surfaces survive at no more ghosts than OctoMap leaves`(drive: PromiseDrive) throws {
    let scene = drive.scene(scans: Self.scanCount)
    let pool = WorkerPool(threadCount: 1)
    let grid = try OccupancyGrid(
      configuration: OccupancyWorkloads.configuration(voxel: drive.voxel, mode: .quality),
      engine: .best, pool: pool)
    let map = ReferenceOccupancyMap(voxelSizeMeters: drive.voxel, engine: .best, pool: pool)
    var truth = OccupancyTruth(voxelSizeMeters: drive.voxel, maximumRangeMeters: 50)
    for index in 0..<Self.scanCount {
      let scan = scene.scan(index)
      truth.add(scan)
      grid.recenter(onWorld: scan.worldFromLidar.translation)
      scan.withCloud {
        grid.insert($0, worldFromLidar: scan.worldFromLidar)
        map.insert($0, worldFromLidar: scan.worldFromLidar, maximumRangeMeters: 50)
      }
    }
    truth.finish(scene, count: Self.scanCount) { grid.covers($0) }
    let octomap = truth.score { map.state($0) }
    let score = truth.score { grid.state($0) }
    print("\(drive.testDescription), octomap: \(octomap.description)")
    print("\(drive.testDescription), quality: \(score.description)")
    #if DEBUG
      #expect(score.surfaceRecall >= octomap.surfaceRecall)
    #else
      #expect(score.surfaceRecall >= 0.95)
      #expect(score.ghosts <= octomap.ghosts)
    #endif
  }
}
