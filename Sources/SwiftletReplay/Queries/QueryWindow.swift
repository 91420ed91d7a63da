import Swiftlet

/// How a window to ask questions of is made.
public struct QueryOptions: Sendable {
  public var voxelSizeMeters = 0.2
  public var maximumRangeMeters = 50.0
  public var mode = OccupancyMode.realtime
  /// Decay and marks of what moves.
  public var aging: OccupancyAgingConfiguration?
  /// Frames of a recording to take in; nil: all.
  public var frameCount: Int?
  /// The window's height and its floor below the ego.
  public var heightMeters = 12.8
  public var lowerZMeters = -4.0
  /// The ego's pose in a saved map, which has none; nil for recordings.
  public var worldFromEgo: RigidTransform?
  public var recording = RecordingOptions(decodesImages: false)
  /// What a recording's window is fed from: the LiDARs alone by default.
  public var evidence = EvidenceFeeder.Settings()

  public init() {}
}

/// A live window after some frames of a recording, or one filled from a saved map.
public struct QueryWindow {
  public let grid: OccupancyGrid
  /// The ego's pose at the last frame; identity or as given for saved maps.
  public let worldFromEgo: RigidTransform
  public let frameCount: Int
  public let timestampNanoseconds: Int64
  public let warnings: [String]
  /// What each source of evidence gave; nil for saved maps.
  public var evidence: EvidenceFeeder?

  /// Whether a path names a saved map rather than a recording.
  public static func isMap(_ path: String) -> Bool {
    guard let format = try? VoxelMapFormat(path: path) else { return false }
    return format.isReadable
  }

  /// Reads a recording or a saved map.
  ///
  /// - Parameter afterFrame: called after each frame with the window as it then is.
  /// - Throws: `RecordingError`, `ExchangeError` or `ConfigurationError`.
  public static func read(
    _ path: String, options: QueryOptions, engine: Engine, pool: WorkerPool,
    afterFrame: (OccupancyGrid, SensorFrame) throws -> Void = { _, _ in }
  ) throws -> QueryWindow {
    try read(path, options: options, engine: engine, pool: pool) { grid, frame, _ in
      try frame.withSensorFrame { try afterFrame(grid, $0) }
    }
  }

  /// The same with all that was recorded of a frame.
  ///
  /// - Parameter afterRecordedFrame: is given the folder that may hold `network_outputs` as well.
  public static func read(
    _ path: String, options: QueryOptions, engine: Engine, pool: WorkerPool,
    afterRecordedFrame: (OccupancyGrid, RecordedFrame, _ root: String) throws -> Void
  ) throws -> QueryWindow {
    isMap(path)
      ? try fromMap(path, options, engine, pool)
      : try fromRecording(path, options, engine, pool, afterRecordedFrame)
  }

  /// The window's configuration for a recording.
  public static func configuration(_ options: QueryOptions) -> OccupancyConfiguration {
    var configuration = OccupancyConfiguration()
    configuration.voxelSizeMeters = options.voxelSizeMeters
    configuration.maximumRangeMeters = options.maximumRangeMeters
    configuration.mode = options.mode
    let columns = Int((2 * options.maximumRangeMeters / options.voxelSizeMeters).rounded(.up)) + 16
    configuration.cellCountX = columns
    configuration.cellCountY = columns
    configuration.cellCountZ = Int((options.heightMeters / options.voxelSizeMeters).rounded(.up))
    configuration.lowerZMeters = options.lowerZMeters
    configuration.aging = options.aging
    return configuration
  }

  private static func fromRecording(
    _ path: String, _ options: QueryOptions, _ engine: Engine, _ pool: WorkerPool,
    _ afterFrame: (OccupancyGrid, RecordedFrame, String) throws -> Void
  ) throws -> QueryWindow {
    let recording = try RecordingOpener.open(path: path, options: options.recording)
    let grid = try OccupancyGrid(
      configuration: configuration(options), engine: engine, pool: pool)
    let wanted = min(recording.frameCount, options.frameCount ?? .max)
    // A drive's own folder, where the path is of a folder of drives; a file's folder.
    let root = (recording as? IndexedRecording)?.index.outputRoot ?? path
    let feeder = EvidenceFeeder(path: root, settings: options.evidence)
    var warnings: [String] = []
    var pose: RigidTransform?
    var time: Int64 = 0
    var taken = 0
    for index in 0..<wanted {
      do {
        let frame = try recording.loadFrame(index)
        try frame.withSensorFrame { sensors in
          pose = sensors.worldFromEgo
          time = sensors.timestampNanoseconds
          taken += 1
          do throws(RecordingError) {
            try feeder.insert(sensors, into: grid)
          } catch {
            warnings.append("frame \(index): \(error)")
          }
          try afterFrame(grid, frame, root)
        }
      } catch let error as RecordingError {
        warnings.append("frame \(index): \(error)")
      }
    }
    guard let pose else {
      throw RecordingError(
        file: path, expected: "a frame that can be read",
        found: (["none of \(wanted)"] + warnings.prefix(1)).joined(separator: "; "),
        remedy: "give a recording with LiDAR scans")
    }
    return QueryWindow(
      grid: grid, worldFromEgo: pose, frameCount: taken, timestampNanoseconds: time,
      warnings: recording.warnings.map(\.message) + warnings, evidence: feeder)
  }

  /// The window is as large as the map, up to 1 GB of voxels.
  private static func fromMap(
    _ path: String, _ options: QueryOptions, _ engine: Engine, _ pool: WorkerPool
  ) throws -> QueryWindow {
    let map = try VoxelMap.read(path)
    guard let first = map.keys.first else {
      throw ExchangeError(
        file: path, expected: "a map with known voxels", found: "none",
        remedy: "give another map")
    }
    var lower = SIMD3(first.x, first.y, first.z)
    var upper = lower
    for key in map.keys {
      lower = pointwiseMin(lower, SIMD3(key.x, key.y, key.z))
      upper = pointwiseMax(upper, SIMD3(key.x, key.y, key.z))
    }
    let margin: Int32 = 8
    lower = lower &- margin
    upper = upper &+ margin
    let cells = SIMD3<Int>(
      Int(upper.x - lower.x) + 1, Int(upper.y - lower.y) + 1, Int(upper.z - lower.z) + 1)
    guard cells.x * cells.y * ((cells.z + 63) / 64 * 64) <= 1 << 30, cells.z <= 1024 else {
      throw ExchangeError(
        file: path, expected: "at most 2^30 voxels around the known ones, 1024 high",
        found: "\(cells.x) x \(cells.y) x \(cells.z)", remedy: "cut the map or use larger voxels")
    }
    var configuration = OccupancyConfiguration()
    configuration.voxelSizeMeters = map.voxelSizeMeters
    configuration.maximumRangeMeters = max(map.voxelSizeMeters, options.maximumRangeMeters)
    configuration.mode = options.mode
    configuration.cellCountX = max(8, cells.x)
    configuration.cellCountY = max(8, cells.y)
    configuration.cellCountZ = cells.z
    let grid = try OccupancyGrid(configuration: configuration, engine: engine, pool: pool)
    grid.place(origin: VoxelKey(x: lower.x, y: lower.y, z: lower.z))
    grid.load(map.keys, logOdds: map.logOdds)
    return QueryWindow(
      grid: grid, worldFromEgo: options.worldFromEgo ?? .identity, frameCount: 0,
      timestampNanoseconds: 0, warnings: [])
  }
}
