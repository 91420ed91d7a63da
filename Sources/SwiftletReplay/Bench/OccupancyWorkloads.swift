import Swiftlet

/// Occupancy updates on a made-up street drive with a 64-beam LiDAR.
public enum OccupancyWorkloads {
  public static let all: [BenchmarkWorkload] =
    [0.2, 0.4].flatMap { voxel in
      [
        BenchmarkWorkload(name: "insert-reference-\(voxel)", category: "occupancy") {
          engine, pool, _ in
          ReferenceInsertWorkload(voxel: voxel, engine: engine, pool: pool)
        }
      ]
        + OccupancyMode.allCases.map { mode in
          BenchmarkWorkload(name: "insert-\(mode.rawValue)-\(voxel)", category: "occupancy") {
            engine, pool, _ in
            try WindowInsertWorkload(voxel: voxel, mode: mode, engine: engine, pool: pool)
          }
        }
    } + [
      BenchmarkWorkload(name: "roll", category: "occupancy") { engine, pool, _ in
        try RollWorkload(engine: engine, pool: pool)
      }
    ]

  static let maximumRange = 50.0
  /// Made once; 12 scans are enough for the window to move and for neighbours to differ.
  static let scans: [OccupancyStreet.Scan] = {
    var street = OccupancyStreet(seed: 1)
    return street.scans(count: 12)
  }()

  static func cloud(_ scan: OccupancyStreet.Scan, _ body: (PointCloudView) -> Void) {
    unsafe scan.points.withUnsafeBytes { raw in
      let view = unsafe PointCloudView(
        base: raw.baseAddress, count: scan.pointCount, byteStride: 16)
      body(view)
    }
  }

  /// The 102.4 m square window of goals.md, 12.8 m high.
  static func configuration(voxel: Double, mode: OccupancyMode) -> OccupancyConfiguration {
    var configuration = OccupancyConfiguration()
    configuration.voxelSizeMeters = voxel
    configuration.cellCountX = Int((102.4 / voxel).rounded())
    configuration.cellCountY = configuration.cellCountX
    configuration.cellCountZ = Int((12.8 / voxel).rounded())
    configuration.maximumRangeMeters = maximumRange
    configuration.maximumPointCount = 150_000
    configuration.mode = mode
    return configuration
  }
}

/// One scan into the unbounded map.
final class ReferenceInsertWorkload: PreparedWorkload {
  private let map: ReferenceOccupancyMap
  private let scans: [OccupancyStreet.Scan]
  private var next = 0
  let floatingPointOperations = 0.0
  let bytesMoved: Double

  init(voxel: Double, engine: Engine, pool: WorkerPool) {
    let map = ReferenceOccupancyMap(voxelSizeMeters: voxel, engine: engine, pool: pool)
    let scans = OccupancyWorkloads.scans
    // Points in; log-odds of the touched voxels out and in, filled in by the first pass.
    for scan in scans {
      OccupancyWorkloads.cloud(scan) {
        map.insert(
          $0, worldFromLidar: scan.worldFromLidar,
          maximumRangeMeters: OccupancyWorkloads.maximumRange)
      }
    }
    bytesMoved = Double(scans[0].points.count * 4 + map.knownVoxels().count / scans.count * 8)
    self.map = map
    self.scans = scans
  }

  func run() {
    let scan = scans[next]
    next = (next + 1) % scans.count
    OccupancyWorkloads.cloud(scan) {
      map.insert(
        $0, worldFromLidar: scan.worldFromLidar,
        maximumRangeMeters: OccupancyWorkloads.maximumRange)
    }
  }

  /// Two scans against the scalar map, voxel for voxel and bit for bit.
  func verificationFailure() -> String? {
    let pool = WorkerPool(threadCount: 1)
    let got = ReferenceOccupancyMap(
      voxelSizeMeters: map.voxelSizeMeters, engine: map.engine, pool: pool)
    let expected = ReferenceOccupancyMap(
      voxelSizeMeters: map.voxelSizeMeters, engine: .reference, pool: pool)
    for scan in scans.prefix(2) {
      OccupancyWorkloads.cloud(scan) {
        for map in [got, expected] {
          map.insert(
            $0, worldFromLidar: scan.worldFromLidar,
            maximumRangeMeters: OccupancyWorkloads.maximumRange)
        }
      }
    }
    let a = got.knownVoxels()
    let b = expected.knownVoxels()
    guard a.count == b.count else { return "\(a.count) voxels known, expected \(b.count)" }
    for (left, right) in zip(a, b) where left != right {
      return "voxel \(left.key): \(left.logOdds), expected \(right.key) \(right.logOdds)"
    }
    return nil
  }
}

/// One scan into the rolling window, re-centring included.
final class WindowInsertWorkload: PreparedWorkload {
  private let grid: OccupancyGrid
  private let scans: [OccupancyStreet.Scan]
  private let pool: WorkerPool
  private var next = 0
  let floatingPointOperations = 0.0
  private(set) var bytesMoved = 0.0

  init(voxel: Double, mode: OccupancyMode, engine: Engine, pool: WorkerPool) throws {
    self.pool = pool
    grid = try OccupancyGrid(
      configuration: OccupancyWorkloads.configuration(voxel: voxel, mode: mode), engine: engine,
      pool: pool)
    scans = OccupancyWorkloads.scans
    run()
    // Points in, int8 voxels of the touched voxels in and out.
    bytesMoved = Double(scans[0].points.count * 4 + 2 * grid.knownCount)
    next = 0
    grid.reset()
  }

  func run() {
    // Back and forth, so that the drive has no seam.
    let index = next < scans.count ? next : 2 * scans.count - 2 - next
    next = (next + 1) % (2 * scans.count - 2)
    let scan = scans[index]
    grid.recenter(onWorld: scan.worldFromLidar.translation)
    OccupancyWorkloads.cloud(scan) { grid.insert($0, worldFromLidar: scan.worldFromLidar) }
  }

  /// The drive against the unbounded map: the promises of the mode.
  func verificationFailure() -> String? {
    grid.reset()
    next = 0
    let size = grid.configuration.voxelSizeMeters
    let map = ReferenceOccupancyMap(voxelSizeMeters: size, engine: .best, pool: pool)
    for scan in scans {
      run()
      OccupancyWorkloads.cloud(scan) {
        map.insert(
          $0, worldFromLidar: scan.worldFromLidar,
          maximumRangeMeters: OccupancyWorkloads.maximumRange)
      }
    }
    let agreement = OccupancyAgreement(grid: grid, reference: map)
    if let failure = agreement.failure(of: grid.configuration.mode) { return failure }
    return grid.configuration.mode == .quality ? geometryFailure() : nil
  }

  /// Quality mode is judged by what is really there, beside OctoMap's map of the same drive.
  private func geometryFailure() -> String? {
    grid.reset()
    let map = ReferenceOccupancyMap(
      voxelSizeMeters: grid.configuration.voxelSizeMeters, engine: .best, pool: pool)
    let scene = OccupancyScene(seed: 21, length: 40)
    var truth = OccupancyTruth(
      voxelSizeMeters: grid.configuration.voxelSizeMeters,
      maximumRangeMeters: OccupancyWorkloads.maximumRange)
    for index in 0..<40 {
      let scan = scene.scan(index)
      truth.add(scan)
      grid.recenter(onWorld: scan.worldFromLidar.translation)
      scan.withCloud {
        _ = grid.insert($0, worldFromLidar: scan.worldFromLidar)
        _ = map.insert(
          $0, worldFromLidar: scan.worldFromLidar,
          maximumRangeMeters: OccupancyWorkloads.maximumRange)
      }
    }
    truth.finish(scene, count: 40) { grid.covers($0) }
    let score = truth.score { grid.state($0) }
    let octomap = truth.score { map.state($0) }
    let isKept = score.surfaceRecall >= 0.95 && score.ghosts <= octomap.ghosts
    return isKept
      ? nil
      : "promised surface recall 0.95 at OctoMap's \(octomap.ghosts) ghosts, got "
        + score.description
  }
}

/// Moving the window by one metre and back.
final class RollWorkload: PreparedWorkload {
  private let grid: OccupancyGrid
  private var position = 0.0
  private var direction = 1.0
  let floatingPointOperations = 0.0
  let bytesMoved: Double

  init(engine: Engine, pool: WorkerPool) throws {
    grid = try OccupancyGrid(
      configuration: OccupancyWorkloads.configuration(voxel: 0.2, mode: .exact), engine: engine,
      pool: pool)
    bytesMoved = 5 * 512 * 64
    let scan = OccupancyWorkloads.scans[0]
    grid.recenter(onWorld: scan.worldFromLidar.translation)
    OccupancyWorkloads.cloud(scan) { grid.insert($0, worldFromLidar: scan.worldFromLidar) }
  }

  func run() {
    if abs(position) > 20 { direction = -direction }
    position += direction
    grid.recenter(onWorld: SIMD3(position, 0, 1.85))
  }

  /// What stays in the window stays bit for bit, what rolls in is unknown, along and across.
  func verificationFailure() -> String? {
    grid.reset()
    let scan = OccupancyWorkloads.scans[0]
    grid.recenter(onWorld: scan.worldFromLidar.translation)
    OccupancyWorkloads.cloud(scan) { grid.insert($0, worldFromLidar: scan.worldFromLidar) }
    var before: [VoxelKey: Float] = [:]
    grid.forEachKnown { key, _, _ in before[key] = grid.logOdds(key) }
    if before.count < 100_000 { return "only \(before.count) voxels known" }
    for position in [SIMD3(1.0, 0, 1.85), SIMD3(-2, 3, 1.85), SIMD3(45, -40, 1.85)] {
      grid.recenter(onWorld: position)
      before = before.filter { grid.covers($0.key) }
      if grid.knownCount != before.count {
        return "\(grid.knownCount) voxels known after a move, expected \(before.count)"
      }
      for (key, value) in before where grid.logOdds(key) != value {
        return "voxel \(key) changed while the window moved"
      }
    }
    grid.recenter(onWorld: SIMD3(1e5, 0, 1.85))
    if grid.knownCount != 0 { return "\(grid.knownCount) voxels known in a new place, expected 0" }
    grid.recenter(onWorld: SIMD3(position, 0, 1.85))
    OccupancyWorkloads.cloud(scan) { grid.insert($0, worldFromLidar: scan.worldFromLidar) }
    return nil
  }
}
