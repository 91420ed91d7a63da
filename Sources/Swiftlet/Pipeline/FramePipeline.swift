/// The whole frame on one screen: project the cameras, update the map, fuse.
///
/// `process` is `project`, `update`, `fuse` in order; a caller that wants a clock between them calls
/// the three itself. Results are owned by the pipeline and valid until its next call. Buffers are
/// made by the first frame (or `prepare`) and again only when the rig changes; nothing else
/// allocates. One caller at a time; several pipelines run side by side in a process.
public final class FramePipeline {
  public let configuration: PipelineConfiguration
  /// The fusion weights in use.
  public var weights: FusionWeights { stage.weights.weights.fusion }
  public let engine: Engine
  public let pool: WorkerPool
  /// The BEV grid of every map, one slab high.
  public let grid: BEVGrid
  /// The rolling voxel window; nil when occupancy is off.
  public let occupancy: OccupancyGrid?
  /// How far to carve the scan of each of a frame's LiDARs; unlimited by default.
  public var carvingLimit: (_ lidar: Int) -> CarvingLimit = { _ in .unlimited }
  /// Of the last frame, batches carved of each LiDAR's scan; 0 where the LiDAR was missing.
  public private(set) var carvedBatchCounts: [Int] = []
  /// What the last frame's cameras, LiDARs and poses were found to lack.
  public private(set) var findings: [FrameFinding] = []
  /// nil where rays without a return are left out.
  private let missing: MissingReturns?
  /// Buffers that depend on the rig; nil before the first frame.
  var rig: RigBuffers?
  let stage: FusionStage
  var maps: MapBuffers { stage.maps }
  private let lidarMap: LidarBEVConfiguration

  /// - Parameters:
  ///   - configuration: sizes, grids and stages.
  ///   - weights: nil takes the default weights, which make fusion a validity-weighted mean.
  ///   - engine: the scalar reference, or the kernels of one instruction set.
  ///   - pool: shared with nobody else during a call.
  public convenience init(
    configuration: PipelineConfiguration, weights: FusionWeights? = nil, engine: Engine = .best,
    pool: WorkerPool
  ) throws(ConfigurationError) {
    try configuration.validate()
    let fusion =
      weights
      ?? .default(
        channels: configuration.channelCount, heads: configuration.fusion.headCount,
        modalities: ModalityFusion.maximumModalities)
    try self.init(
      configuration: configuration, weights: PipelineWeights(fusion: fusion), engine: engine,
      pool: pool)
  }

  /// With the weights of every layer the configuration asks for.
  public init(
    configuration: PipelineConfiguration, weights: PipelineWeights, engine: Engine = .best,
    pool: WorkerPool
  ) throws(ConfigurationError) {
    try configuration.validate()
    self.configuration = configuration
    self.engine = engine
    self.pool = pool
    grid = configuration.grid.bevGrid
    stage = FusionStage(
      configuration: configuration,
      weights: try PreparedWeights(
        weights, configuration: configuration, maximumThreads: pool.threadCount),
      engine: engine, pool: pool)
    lidarMap = configuration.lidarMap
    let clearsMissing =
      configuration.occupancy.enabled && configuration.occupancy.noReturnRangeMeters > 0
    missing = clearsMissing ? MissingReturns(capacity: 131_072) : nil
    occupancy =
      configuration.occupancy.enabled
      ? try OccupancyGrid(
        configuration: configuration.occupancyConfiguration, engine: engine, pool: pool) : nil
    findings.reserveCapacity(64)
  }

  /// Uses `next` from the next `fuse` on and returns the weights it replaces, so that the caller
  /// chooses where they are freed. Call it between two frames. Allocates nothing.
  ///
  /// - Precondition: `next` was prepared for this pipeline's configuration and as many threads.
  @discardableResult
  public func adopt(_ next: PreparedWeights) -> PreparedWeights {
    precondition(
      next.configuration == configuration && next.maximumThreads >= pool.threadCount,
      "weights prepared for another configuration, or for \(next.maximumThreads) threads instead of \(pool.threadCount)")
    return stage.adopt(next)
  }

  /// The three verbs in order.
  ///
  /// - Throws: `InputError` when the frame's pose cannot be used. A sensor that cannot be used is
  ///   masked and reported in `findings`.
  public func process(_ frame: SensorFrame) throws(InputError) {
    try project(frame)
    update(frame)
    fuse(frame)
  }

  /// Forgets all earlier frames: results afterwards equal those of a new pipeline.
  public func reset() {
    occupancy?.reset()
    stage.reset()
  }

  /// Makes the buffers for a frame's rig, so that the first frame need not.
  public func prepare(for frame: SensorFrame) throws(InputError) {
    stage.prepare(for: frame)
    if let rig, rig.fits(frame) { return }
    do throws(ConfigurationError) {
      rig = try RigBuffers(
        frame, configuration: configuration, grid: grid, lidarMap: lidarMap, engine: engine,
        pool: pool)
    } catch {
      throw InputError(
        input: "rig", expected: error.expected, found: error.found, remedy: error.remedy)
    }
  }

  /// Makes the buffers for a frame's rig anew, whatever there was.
  public func rebuild(for frame: SensorFrame) throws(InputError) {
    rig = nil
    try prepare(for: frame)
  }

  // MARK: project

  /// Camera features and depth to the camera BEV map.
  public func project(_ frame: SensorFrame) throws(InputError) {
    findings.removeAll(keepingCapacity: true)
    try checkPose(frame)
    try prepare(for: frame)
    guard let rig else { return }
    rig.takeUsableSensors(of: frame, findings: &findings)
    guard configuration.projectionEnabled, let cameraToBEV = rig.cameraToBEV else { return }
    do throws(CalibrationError) {
      try cameraToBEV.updateCalibration(rig.cameras)
    } catch {
      throw InputError(
        input: error.sensor, expected: error.expected, found: error.found, remedy: error.remedy)
    }
    try cameraToBEV.project(rig.cameras)
  }

  private func checkPose(_ frame: SensorFrame) throws(InputError) {
    let pose = frame.worldFromEgo
    let reach = max(abs(pose.translation.x), abs(pose.translation.y), abs(pose.translation.z))
    guard pose.isFinite, pose.rotation.orthonormalityError < 1e-3, reach < 1e7 else {
      throw InputError(
        input: "frame pose", expected: "a finite rigid transform within 10,000 km of the origin",
        found: "translation \(pose.translation)", remedy: "correct the pose or skip the frame")
    }
  }

  // MARK: update

  /// The LiDAR scans into the voxel window, and the window's columns into BEV cells.
  public func update(_ frame: SensorFrame) {
    guard let occupancy, let rig else { return }
    occupancy.advance(toNanoseconds: frame.timestampNanoseconds)
    occupancy.recenter(onWorld: frame.worldFromEgo.translation)
    carvedBatchCounts.removeAll(keepingCapacity: true)
    for (index, lidar) in rig.lidars.enumerated() {
      if lidar.isValid {
        occupancy.add(
          lidar.points, worldFromLidar: lidar.worldFromLidar,
          egoFromLidar: frame.worldFromEgo.inverse * lidar.worldFromLidar,
          limit: carvingLimit(index))
        if let missing {
          occupancy.addMissing(
            missing.find(in: lidar.points), worldFromLidar: lidar.worldFromLidar,
            limit: .batches(occupancy.carvedBatches))
        }
      }
      carvedBatchCounts.append(lidar.isValid ? occupancy.carvedBatches : 0)
    }
    let summary = occupancy.fold()
    if summary.notFiniteCount > 0 {
      findings.append(FrameFinding(kind: .pointsNotFinite, count: summary.notFiniteCount))
    }
    occupancy.summarizeColumns(
      worldFromEgo: frame.worldFromEgo, lower: SIMD2(grid.lowerMeters.x, grid.lowerMeters.y),
      cellSize: SIMD2(grid.stepMeters.x, grid.stepMeters.y), into: maps.columns)
  }

  // MARK: fuse

  /// Camera, LiDAR and previous fused map, moved by the ego motion, radar map and map prior into
  /// one; then the neighbours and the heads, where the configuration has them.
  public func fuse(_ frame: SensorFrame) {
    guard let rig, configuration.fusion.enabled else { return }
    stage.run(frame, rig, findings: &findings)
  }
}
