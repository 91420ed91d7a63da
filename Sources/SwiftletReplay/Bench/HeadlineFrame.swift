import Swiftlet

/// M plus the LiDAR scan plus fusion: FB-OCC's projections, the scan into a rolling window of 0.2 m
/// voxels and into a LiDAR map, and the fusion of camera, LiDAR and the aligned previous map.
/// The precision is that of FB-OCC's dense layers.
final class HeadlineFrame: PreparedWorkload {
  private let frame: OccupancyFrame
  private let lidar: ScanStage
  private let reference: ScanStage
  private let warp: WarpStage
  private let fusion: ModalityFusion
  private let referenceFusion: ModalityFusion
  private let pool: WorkerPool
  private let fused: AlignedBuffer<Float>
  private let validity: AlignedBuffer<UInt8>
  private let channels = BackwardStage.shape.channels
  private let cells = BackwardStage.shape.queryCount
  var relativeError: Double? { frame.relativeError }

  init(_ precision: String, _ engine: Engine, _ pool: WorkerPool) throws {
    self.pool = pool
    frame = try OccupancyFrame(precision, engine, pool)
    let grid = frame.camera.preset.configuration.grid
    lidar = try ScanStage(grid: grid, channels: channels, engine, pool)
    reference = try ScanStage(grid: grid, channels: channels, .reference, pool)
    warp = WarpStage(grid: grid, channels: channels, engine, pool)
    var numbers = SeededNumbers(seed: 34)
    var weights = FusionWeights.default(channels: channels, heads: 8, modalities: 3)
    let bound = (3 / Float(channels)).squareRoot()
    weights.inProjectionWeight = numbers.floats(
      weights.inProjectionWeight.count, in: -bound...bound)
    weights.outProjectionWeight = numbers.floats(
      weights.outProjectionWeight.count, in: -bound...bound)
    fusion = ModalityFusion(
      weights: weights, cellCount: cells, engine: engine, maximumThreads: pool.threadCount)
    referenceFusion = ModalityFusion(
      weights: weights, cellCount: cells, engine: .reference, maximumThreads: pool.threadCount)
    fused = AlignedBuffer(count: cells * channels)
    validity = AlignedBuffer(count: cells)
  }

  /// The fusion's is the definition's count: query, output, and key and value of three modalities.
  var floatingPointOperations: Double {
    let fusion: Int = 16 * cells * channels * channels
    return frame.floatingPointOperations + warp.floatingPointOperations + Double(fusion)
  }
  var bytesMoved: Double {
    let maps = frame.bytesMoved + lidar.bytesMoved + warp.bytesMoved
    return maps + Double(16 * fused.count)
  }
  func run() {
    frame.run()
    lidar.run()
    warp.run(fused)
    fuse(fusion, lidar, into: fused, validity)
  }

  private func fuse(
    _ fusion: ModalityFusion, _ lidar: ScanStage, into output: AlignedBuffer<Float>,
    _ valid: AlignedBuffer<UInt8>
  ) {
    fusion.fuse(
      BEVMap(features: frame.backward.map, validity: nil, channels: channels),
      BEVMap(features: lidar.map, validity: lidar.validity, channels: channels),
      BEVMap(features: warp.output, validity: warp.validity, channels: channels), into: output,
      validity: valid, pool: pool)
  }

  /// Every stage against its reference: M as M, the map of the scan and its window exactly but for
  /// rounding, the fusion on the maps of this engine.
  func verificationFailure() -> String? {
    if let failure = frame.verificationFailure() ?? warp.verificationFailure() { return failure }
    lidar.reset()
    fused.zero()
    run()
    reference.run()
    if let failure = differenceFailure(reference.map, lidar.map, tolerance: 1e-3) {
      return "LiDAR map, " + failure
    }
    guard reference.occupiedCount == lidar.occupiedCount else {
      return "occupied voxels: expected \(reference.occupiedCount), found \(lidar.occupiedCount)"
    }
    let expected = AlignedBuffer<Float>(count: fused.count)
    fuse(referenceFusion, lidar, into: expected, AlignedBuffer(count: cells))
    let error = RelativeError.of(fused, expected)
    return error <= errorBound(.fp32) ? nil : "fused map: relative L2 error \(error)"
  }
}

/// Scans of the made-up street, one per run, into a rolling window and a LiDAR map.
final class ScanStage {
  let map: AlignedBuffer<Float>
  let validity: AlignedBuffer<UInt8>
  private let grid: BEVGrid
  private let occupancy: OccupancyGrid
  private let lidarBEV: LidarBEV
  private let columns: OccupancyGrid.ColumnSummary
  private let pool: WorkerPool
  private let scans = OccupancyWorkloads.scans
  private let points: [AlignedBuffer<Float>]
  private let egoFromLidar = RigidTransform(
    rotation: Matrix3.identity, translation: SIMD3(0, 0, 1.85))
  private var next = 0

  init(grid: BEVGrid, channels: Int, _ engine: Engine, _ pool: WorkerPool) throws {
    self.grid = grid
    self.pool = pool
    occupancy = try OccupancyGrid(
      configuration: OccupancyWorkloads.configuration(voxel: 0.2, mode: .realtime),
      engine: engine, pool: pool)
    // The map wants points in the ego frame: made once, as a driver that knows its mount would.
    points = scans.map { scan in
      AlignedBuffer(
        scan.points.indices.map { scan.points[$0] + ($0 % 4 == 2 ? Float(1.85) : 0) })
    }
    lidarBEV = try LidarBEV(
      configuration: LidarBEVConfiguration(
        widthCells: grid.sizeX, heightCells: grid.sizeY,
        lowerXMeters: Float(grid.lowerMeters.x), lowerYMeters: Float(grid.lowerMeters.y),
        cellSizeMeters: Float(grid.stepMeters.x), channels: channels,
        channelOffset: channels - LidarBEV.writtenChannels),
      maximumPoints: scans.map(\.pointCount).max() ?? 0, engine: engine)
    columns = OccupancyGrid.ColumnSummary(columns: grid.sizeX, rows: grid.sizeY)
    map = AlignedBuffer(count: grid.sizeX * grid.sizeY * channels)
    validity = AlignedBuffer(count: grid.sizeX * grid.sizeY)
  }

  var bytesMoved: Double { Double(4 * (2 * points[0].count + map.count)) }
  var occupiedCount: Int { occupancy.occupiedCount }
  func reset() {
    occupancy.reset()
    next = 0
  }

  func run() {
    let scan = scans[next]
    let worldFromEgo = scan.worldFromLidar * egoFromLidar.inverse
    occupancy.recenter(onWorld: worldFromEgo.translation)
    OccupancyWorkloads.cloud(scan) {
      occupancy.add($0, worldFromLidar: scan.worldFromLidar, egoFromLidar: egoFromLidar)
    }
    _ = occupancy.fold()
    occupancy.summarizeColumns(
      worldFromEgo: worldFromEgo, lower: SIMD2(grid.lowerMeters.x, grid.lowerMeters.y),
      cellSize: SIMD2(grid.stepMeters.x, grid.stepMeters.y), into: columns)
    var cloud = unsafe PointCloudView(
      base: points[next].pointer, count: scan.pointCount, byteStride: 16)
    cloud.intensityByteOffset = 12
    lidarBEV.update(
      points: cloud,
      columns: OccupancyColumns(
        occupied: columns.occupied, free: columns.free, lowestMeters: columns.lowestMeters,
        highestMeters: columns.highestMeters), into: map, validity: validity, pool: pool)
    next = (next + 1) % scans.count
  }
}
