import Swiftlet

/// How `swiftlet map` turns a recording's scans into a map.
public struct MapOptions: Sendable {
  /// `reference` is unbounded, float32 and OctoMap's map; the others are the rolling window's modes
  /// and keep what lies in the last window.
  public enum Mode: Sendable, Equatable {
    case reference
    case window(OccupancyMode)

    /// The names a user may give.
    public static let names = ["reference"] + OccupancyMode.allCases.map(\.rawValue)

    /// - Throws: `ConfigurationError` for an unknown name.
    public init(name: String) throws(ConfigurationError) {
      if name == "reference" {
        self = .reference
      } else if let mode = OccupancyMode(rawValue: name) {
        self = .window(mode)
      } else {
        throw ConfigurationError(
          field: "mode", expected: Self.names.joined(separator: ", "), found: name,
          remedy: "choose one of the listed modes")
      }
    }
  }

  public var voxelSizeMeters = 0.2
  /// Farther points only clear up to this range; negative means unlimited (reference mode only).
  public var maximumRangeMeters = 50.0
  public var mode = Mode.reference
  public var model = OccupancyModel.octoMap
  /// Nearer points are ignored (window modes).
  public var minimumRangeMeters = 0.0
  /// Rays without a return clear up to here; 0 leaves them out (window modes).
  public var noReturnRangeMeters = 0.0
  /// What the window stores per voxel.
  public var values = OccupancyValues.int8
  /// What a frame's update may take, nanoseconds: carving stops in time for the rest of it.
  public var timeBoundNanoseconds: Int64?
  /// Where an earlier run's carving stopped, to repeat it.
  public var carvingLog: CarvingLog?
  /// Folder that gets every scan as it was inserted: world points, little endian (int32 count,
  /// float32 origin x y z, float32 x y z a point).
  public var scansFolder: String?

  public init() {}

  /// The window of a mode: as large as the range on every side.
  func windowConfiguration(_ mode: OccupancyMode) -> OccupancyConfiguration {
    var configuration = OccupancyConfiguration()
    configuration.voxelSizeMeters = voxelSizeMeters
    configuration.maximumRangeMeters = maximumRangeMeters
    configuration.minimumRangeMeters = minimumRangeMeters
    configuration.noReturnRangeMeters = noReturnRangeMeters
    configuration.values = values
    configuration.model = model
    configuration.mode = mode
    let columns = Int((2 * maximumRangeMeters / voxelSizeMeters).rounded(.up)) + 16
    configuration.cellCountX = columns
    configuration.cellCountY = columns
    configuration.cellCountZ = Int((12.8 / voxelSizeMeters).rounded(.up))
    return configuration
  }

  /// A typed error for settings that the mode does not have.
  func validate() throws(ConfigurationError) {
    try model.validate()
    guard mode == .reference else { return }
    guard voxelSizeMeters > 0, voxelSizeMeters.isFinite else {
      throw ConfigurationError(
        field: "voxel", expected: "a size above 0 m", found: "\(voxelSizeMeters)",
        remedy: "give a voxel size in metres")
    }
    let isPlain =
      minimumRangeMeters == 0 && noReturnRangeMeters == 0 && timeBoundNanoseconds == nil
      && carvingLog == nil && values == .int8
    guard isPlain else {
      throw ConfigurationError(
        field: "mode",
        expected: "a window's mode with a minimum range, rays without return, int16 values or a "
          + "time bound",
        found: "reference", remedy: "choose a window's mode")
    }
  }
}

/// Every known voxel of a map, sorted by x, y, z.
public struct BuiltMap: Sendable {
  /// x, y, z of floor(coordinate / voxel size) in world, flat.
  public var keys: [Int32] = []
  public var logOdds: [Float] = []
  public var scanCount = 0
  public var pointCount = 0
  public var notFiniteCount = 0
  /// Frames that could not be read, with the reason.
  public var failedFrames: [(frame: Int, reason: String)] = []
  public var occupiedCount = 0
  /// Milliseconds of each frame's update: re-centring, insertion and folding.
  public var milliseconds: [Double] = []
  /// Where carving stopped, frame by frame.
  public var carvingLog = CarvingLog()
  /// Key of the last window's first voxel and its cells; nil for the unbounded map.
  public var window: (lower: VoxelKey, cells: SIMD3<Int>)?

  /// `keys` int32 [N, 3] and `log_odds` float32 [N].
  public func safeTensors(_ options: MapOptions) -> SafeTensors {
    var metadata = [
      "format": "swiftlet occupancy map, version 1",
      "voxel_size_meters": "\(options.voxelSizeMeters)",
      "maximum_range_meters": "\(options.maximumRangeMeters)",
    ]
    if let window {
      let (lower, cells) = window
      metadata["window_lower"] = "\(lower.x) \(lower.y) \(lower.z)"
      metadata["window_cells"] = "\(cells.x) \(cells.y) \(cells.z)"
    }
    return SafeTensors(
      tensors: [
        "keys": HostTensor(keys, shape: [logOdds.count, 3]),
        "log_odds": HostTensor(logOdds, shape: [logOdds.count]),
      ], metadata: metadata)
  }
}

/// Inserts a recording's LiDAR scans with their poses into an occupancy map.
public struct MapBuilder {
  public var options: MapOptions
  public var engine: Engine
  public var pool: WorkerPool

  public init(options: MapOptions, engine: Engine, pool: WorkerPool) {
    self.options = options
    self.engine = engine
    self.pool = pool
  }

  /// Reads frame after frame; memory is bounded by one frame and the map.
  ///
  /// - Parameter progress: called after every frame with how many are done.
  /// - Throws: `ConfigurationError` when the window cannot be made.
  public func build(
    _ recording: any Recording, progress: (_ done: Int, _ of: Int) -> Void = { _, _ in }
  ) throws(ConfigurationError) -> BuiltMap {
    try options.validate()
    switch options.mode {
    case .reference: return buildReference(recording, progress)
    case .window(let mode): return try buildWindow(recording, mode, progress)
    }
  }

  private func buildReference(
    _ recording: any Recording, _ progress: (Int, Int) -> Void
  ) -> BuiltMap {
    let map = ReferenceOccupancyMap(
      voxelSizeMeters: options.voxelSizeMeters, model: options.model, engine: engine, pool: pool)
    var built = BuiltMap()
    forEachFrame(recording, &built, progress) { _, frame, built in
      for lidar in frame.lidars where lidar.isValid {
        count(
          map.insert(
            lidar.points, worldFromLidar: lidar.worldFromLidar,
            maximumRangeMeters: options.maximumRangeMeters), &built)
      }
    }
    let voxels = map.knownVoxels()
    built.keys.reserveCapacity(3 * voxels.count)
    for voxel in voxels { append(voxel.key, voxel.logOdds, map.model, &built) }
    return built
  }

  private func buildWindow(
    _ recording: any Recording, _ mode: OccupancyMode, _ progress: (Int, Int) -> Void
  ) throws(ConfigurationError) -> BuiltMap {
    let configuration = options.windowConfiguration(mode)
    let grid = try OccupancyGrid(configuration: configuration, engine: engine, pool: pool)
    let missing =
      options.noReturnRangeMeters > 0 ? MissingReturns(capacity: 131_072) : nil
    var bound = options.timeBoundNanoseconds.map { UpdateBound(nanoseconds: $0) }
    var built = BuiltMap()
    forEachFrame(recording, &built, progress) { index, frame, built in
      bound?.begin()
      grid.recenter(onWorld: frame.worldFromEgo.translation)
      var batches: [Int] = []
      for (number, lidar) in frame.lidars.enumerated() where lidar.isValid {
        let limit =
          options.carvingLog?.limit(frame: index, lidar: number) ?? bound?.limit ?? .unlimited
        grid.add(
          lidar.points, worldFromLidar: lidar.worldFromLidar, egoFromLidar: lidar.egoFromLidar,
          limit: limit)
        batches.append(grid.carvedBatches)
        if let missing {
          grid.addMissing(
            missing.find(in: lidar.points), worldFromLidar: lidar.worldFromLidar,
            limit: .batches(grid.carvedBatches))
        }
      }
      bound?.beginFold()
      count(grid.fold(), &built)
      bound?.end()
      built.carvingLog.batchCounts[index] = batches
    }
    var voxels: [(key: VoxelKey, logOdds: Float)] = []
    grid.forEachKnown { key, _, _ in voxels.append((key, grid.logOdds(key) ?? 0)) }
    voxels.sort { $0.key < $1.key }
    for voxel in voxels { append(voxel.key, voxel.logOdds, configuration.model, &built) }
    built.window = (grid.origin, grid.cellCounts)
    return built
  }

  private func forEachFrame(
    _ recording: any Recording, _ built: inout BuiltMap, _ progress: (Int, Int) -> Void,
    _ body: (Int, SensorFrame, inout BuiltMap) -> Void
  ) {
    let clock = MonotonicClock()
    for index in 0..<recording.frameCount {
      do throws(RecordingError) {
        let frame = try recording.loadFrame(index)
        built.notFiniteCount += frame.notFinitePointCount
        frame.withSensorFrame { sensorFrame in
          let start = clock.nowNanoseconds
          body(index, sensorFrame, &built)
          built.milliseconds.append(Double(clock.nowNanoseconds - start) * 1e-6)
        }
        if let folder = options.scansFolder {
          try ScanFile.write(frame, index: index, to: folder)
        }
      } catch {
        built.failedFrames.append((index, error.description))
      }
      progress(index + 1, recording.frameCount)
    }
  }

  private func count(_ summary: ScanSummary, _ built: inout BuiltMap) {
    built.scanCount += 1
    built.pointCount += summary.pointCount
    built.notFiniteCount += summary.notFiniteCount
  }

  private func append(
    _ key: VoxelKey, _ logOdds: Float, _ model: OccupancyModel, _ built: inout BuiltMap
  ) {
    built.keys.append(key.x)
    built.keys.append(key.y)
    built.keys.append(key.z)
    built.logOdds.append(logOdds)
    if logOdds >= model.threshold { built.occupiedCount += 1 }
  }
}
