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

  public init() {}
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

  /// `keys` int32 [N, 3] and `log_odds` float32 [N].
  public func safeTensors(_ options: MapOptions) -> SafeTensors {
    SafeTensors(
      tensors: [
        "keys": HostTensor(keys, shape: [logOdds.count, 3]),
        "log_odds": HostTensor(logOdds, shape: [logOdds.count]),
      ],
      metadata: [
        "format": "swiftlet occupancy map, version 1",
        "voxel_size_meters": "\(options.voxelSizeMeters)",
        "maximum_range_meters": "\(options.maximumRangeMeters)",
      ])
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
    switch options.mode {
    case .reference: try buildReference(recording, progress)
    case .window(let mode): try buildWindow(recording, mode, progress)
    }
  }

  private func buildReference(
    _ recording: any Recording, _ progress: (Int, Int) -> Void
  ) throws(ConfigurationError) -> BuiltMap {
    guard options.voxelSizeMeters > 0, options.voxelSizeMeters.isFinite else {
      throw ConfigurationError(
        field: "voxel", expected: "a size above 0 m", found: "\(options.voxelSizeMeters)",
        remedy: "give a voxel size in metres")
    }
    let map = ReferenceOccupancyMap(
      voxelSizeMeters: options.voxelSizeMeters, engine: engine, pool: pool)
    var built = BuiltMap()
    forEachFrame(recording, &built, progress) { frame, built in
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
    var configuration = OccupancyConfiguration()
    configuration.voxelSizeMeters = options.voxelSizeMeters
    configuration.maximumRangeMeters = options.maximumRangeMeters
    configuration.mode = mode
    let columns = Int((2 * options.maximumRangeMeters / options.voxelSizeMeters).rounded(.up)) + 16
    configuration.cellCountX = columns
    configuration.cellCountY = columns
    configuration.cellCountZ = Int((12.8 / options.voxelSizeMeters).rounded(.up))
    let grid = try OccupancyGrid(configuration: configuration, engine: engine, pool: pool)
    var built = BuiltMap()
    forEachFrame(recording, &built, progress) { frame, built in
      grid.recenter(onWorld: frame.worldFromEgo.translation)
      for lidar in frame.lidars where lidar.isValid {
        grid.add(
          lidar.points, worldFromLidar: lidar.worldFromLidar, egoFromLidar: lidar.egoFromLidar)
      }
      count(grid.fold(), &built)
    }
    var voxels: [(key: VoxelKey, logOdds: Float)] = []
    grid.forEachKnown { key, _, _ in voxels.append((key, grid.logOdds(key) ?? 0)) }
    voxels.sort { $0.key < $1.key }
    for voxel in voxels { append(voxel.key, voxel.logOdds, configuration.model, &built) }
    return built
  }

  private func forEachFrame(
    _ recording: any Recording, _ built: inout BuiltMap, _ progress: (Int, Int) -> Void,
    _ body: (SensorFrame, inout BuiltMap) -> Void
  ) {
    for index in 0..<recording.frameCount {
      do throws(RecordingError) {
        let frame = try recording.loadFrame(index)
        built.notFiniteCount += frame.notFinitePointCount
        body(frame.sensorFrame, &built)
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
