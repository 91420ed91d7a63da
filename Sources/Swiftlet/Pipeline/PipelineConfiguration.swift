/// Everything that decides what a pipeline computes: `pipeline.json`, version 2.
public struct PipelineConfiguration: Sendable, Equatable {
  /// How a frame's sensors are matched to the trigger's time.
  public enum Association: String, Sendable, CaseIterable {
    /// The nearest sample, before or after (offline).
    case nearest
    /// The latest sample not after the trigger (what a vehicle has).
    case latest
  }

  /// The BEV grid in key ego axes: cells of `stepMeters` from `lowerMeters` to `upperMeters`.
  public struct Grid: Sendable, Equatable {
    public var lowerMeters = SIMD3<Double>(-51.2, -51.2, -10)
    public var upperMeters = SIMD3<Double>(51.2, 51.2, 10)
    public var stepMeters = SIMD3<Double>(0.8, 0.8, 20)
    /// Cells per axis, x y z: (upper − lower) / step, truncated as LSS does.
    public var cellCounts: SIMD3<Int> {
      let size = (upperMeters - lowerMeters) / stepMeters
      // One part in a million forgives 102.4 / 0.8 = 127.99999.
      return SIMD3(Int(size.x + 1e-6), Int(size.y + 1e-6), Int(size.z + 1e-6))
    }
  }

  /// Depth bins by their lower edges.
  public struct Depth: Sendable, Equatable {
    public var lowerMeters = 1.0
    public var upperMeters = 60.0
    public var stepMeters = 1.0
    public var binCount: Int { Int(((upperMeters - lowerMeters) / stepMeters - 1e-9).rounded(.up)) }
  }

  /// The rolling occupancy window, axis-aligned with the world and centred on the ego.
  public struct Occupancy: Sendable, Equatable {
    public var enabled = true
    /// How the free space of a scan is found; every mode has its promise.
    public var mode = OccupancyMode.realtime
    /// What is kept per voxel.
    public var values = OccupancyValues.int8
    public var voxelSizeMeters = 0.4
    /// Size of the window; z starts at `lowerZMeters` relative to the ego at each re-centring.
    public var extentMeters = SIMD3<Double>(102.4, 102.4, 12.8)
    public var lowerZMeters = -4.0
    public var minimumRangeMeters = 0.0
    public var maximumRangeMeters = 50.0
    /// Rays without a return clear up to here; 0 leaves them out.
    public var noReturnRangeMeters = 0.0
    public var hitProbability = 0.7
    public var missProbability = 0.4
    public var clampMinimumProbability = 0.1192
    public var clampMaximumProbability = 0.971
    public var occupiedThresholdProbability = 0.5
    /// Decay, and voxels marked as dynamic that a single ray frees.
    public var ages = false
    /// From the clamp to unknown, seconds; 0 keeps for ever.
    public var occupiedDecaySeconds = 0.0
    public var freeDecaySeconds = 0.0
    public var dynamicDecaySeconds = 0.5
  }

  /// Per-cell attention over the modalities.
  public struct Fusion: Sendable, Equatable {
    public var enabled = true
    public var headCount = 4
    /// Carry the previous fused map, moved by the ego motion, into the next frame.
    public var history = true
    /// Where camera and LiDAR meet.
    public var mode = FusionMode.middle
    /// A cell of the camera, LiDAR, radar or previous map that is older is masked.
    public var maximumCellAgeMilliseconds = 2_000.0
    /// Sampling points of the deformable attention to neighbouring cells, per head; 0 leaves it out.
    public var neighborPointCount = 0
    /// Of the dense layers of that attention and of the heads; the attention over modalities is
    /// float32.
    public var precision = DensePrecision.fp32
  }

  /// Where camera and LiDAR meet; all three from the same inputs.
  public enum FusionMode: String, Sendable, CaseIterable {
    /// LiDAR points painted with image features, then one map.
    case early
    /// A map of each, fused cell by cell by attention.
    case middle
    /// A map and a decision of each; the decisions are multiplied.
    case late
  }

  /// What is read off the fused map.
  public struct Heads: Sendable, Equatable {
    /// Classes of the occupancy logits [y][x][height][class]; 0 leaves the head out.
    public var occupancyClassCount = 0
    public var occupancyHeightCount = 16
    /// Classes of the semantic map [y][x][class]; 0 leaves the head out.
    public var semanticClassCount = 0

    /// No heads.
    public init() {}
  }

  /// What becomes of a camera whose features or depth hold NaN or infinities; it is reported
  /// either way.
  public enum NotFiniteFeatures: String, Sendable, CaseIterable {
    /// Masked like a lost camera.
    case mask
    /// Used as it is: the values spread into the cells the camera sees.
    case keep
  }

  /// Points inside this box (ego frame) are the vehicle itself.
  public struct EgoBox: Sendable, Equatable {
    public var lowerMeters = SIMD3<Double>(-1.1, -1.1, -0.5)
    public var upperMeters = SIMD3<Double>(3.2, 1.1, 2.0)
  }

  /// Version 2 added the fields that version 1's defaults leave out; both are read.
  public static let schemaVersion = 2
  public static let oldestSchemaVersion = 1

  public var grid = Grid()
  public var depth = Depth()
  /// Feature channels of every BEV map.
  public var channelCount = 64
  public var projectionEnabled = true
  public var occupancy = Occupancy()
  public var fusion = Fusion()
  public var heads = Heads()
  public var notFiniteFeatures = NotFiniteFeatures.mask
  public var egoBox = EgoBox()
  /// The sensor that makes frames; nil takes the LiDAR, else the first camera.
  public var trigger: String?
  public var association = Association.nearest
  public var maximumAgeMilliseconds = 100.0
  public var maximumEgoSpeedMetersPerSecond = 70.0
  public var budgetMilliseconds = 10.0

  public init() {}

  /// Reads a configuration; `//` comments are allowed, absent fields keep their defaults.
  ///
  /// - Throws: `ConfigurationError` with the field's path, what was expected and found.
  public init(json bytes: [UInt8]) throws(ConfigurationError) {
    self.init()
    let value: JSONValue
    do {
      value = try JSONReader.parse(bytes, allowsComments: true)
    } catch {
      throw ConfigurationError(
        field: "byte \(error.byteOffset)", expected: error.expected, found: error.found,
        remedy: "correct the JSON")
    }
    var reader = try ConfigurationReader(value, path: "")
    try readFields(&reader)
    try reader.finish()
    try validate()
  }

  private mutating func readFields(
    _ reader: inout ConfigurationReader
  ) throws(ConfigurationError) {
    var version = Self.schemaVersion
    try reader.read("schema_version", into: &version)
    guard (Self.oldestSchemaVersion...Self.schemaVersion).contains(version) else {
      throw ConfigurationError(
        field: "schema_version",
        expected: "\(Self.oldestSchemaVersion) to \(Self.schemaVersion)", found: "\(version)",
        remedy: "write the configuration for this version")
    }
    try readGridAndDepth(&reader)
    try readOccupancy(&reader)
    try readFusionAndBox(&reader)
    try reader.read("channels", into: &channelCount)
    try reader.read("not_finite_features", into: &notFiniteFeatures)
    try reader.read("projection_enabled", into: &projectionEnabled)
    try reader.read("trigger", into: &trigger)
    try reader.read("association", into: &association)
    try reader.read("maximum_age_milliseconds", into: &maximumAgeMilliseconds)
    try reader.read(
      "maximum_ego_speed_meters_per_second", into: &maximumEgoSpeedMetersPerSecond)
    try reader.read("budget_milliseconds", into: &budgetMilliseconds)
  }

  private mutating func readGridAndDepth(
    _ reader: inout ConfigurationReader
  ) throws(ConfigurationError) {
    var (grid, depth) = (self.grid, self.depth)
    try reader.readObject("grid") { (r) throws(ConfigurationError) in
      try r.read("lower_meters", into: &grid.lowerMeters)
      try r.read("upper_meters", into: &grid.upperMeters)
      try r.read("step_meters", into: &grid.stepMeters)
    }
    try reader.readObject("depth") { (r) throws(ConfigurationError) in
      try r.read("lower_meters", into: &depth.lowerMeters)
      try r.read("upper_meters", into: &depth.upperMeters)
      try r.read("step_meters", into: &depth.stepMeters)
    }
    (self.grid, self.depth) = (grid, depth)
  }

  private mutating func readOccupancy(
    _ reader: inout ConfigurationReader
  ) throws(ConfigurationError) {
    var value = occupancy
    try reader.readObject("occupancy") { (r) throws(ConfigurationError) in
      try r.read("enabled", into: &value.enabled)
      try r.read("mode", into: &value.mode)
      try r.read("values", into: &value.values)
      try r.read("voxel_size_meters", into: &value.voxelSizeMeters)
      try r.read("extent_meters", into: &value.extentMeters)
      try r.read("lower_z_meters", into: &value.lowerZMeters)
      try r.read("minimum_range_meters", into: &value.minimumRangeMeters)
      try r.read("maximum_range_meters", into: &value.maximumRangeMeters)
      try r.read("no_return_range_meters", into: &value.noReturnRangeMeters)
      try r.read("hit_probability", into: &value.hitProbability)
      try r.read("miss_probability", into: &value.missProbability)
      try r.read("clamp_minimum_probability", into: &value.clampMinimumProbability)
      try r.read("clamp_maximum_probability", into: &value.clampMaximumProbability)
      try r.read("occupied_threshold_probability", into: &value.occupiedThresholdProbability)
      try r.read("ages", into: &value.ages)
      try r.read("occupied_decay_seconds", into: &value.occupiedDecaySeconds)
      try r.read("free_decay_seconds", into: &value.freeDecaySeconds)
      try r.read("dynamic_decay_seconds", into: &value.dynamicDecaySeconds)
    }
    occupancy = value
  }

  private mutating func readFusionAndBox(
    _ reader: inout ConfigurationReader
  ) throws(ConfigurationError) {
    var (fusion, egoBox, heads) = (self.fusion, self.egoBox, self.heads)
    try reader.readObject("fusion") { (r) throws(ConfigurationError) in
      try r.read("enabled", into: &fusion.enabled)
      try r.read("heads", into: &fusion.headCount)
      try r.read("history", into: &fusion.history)
      try r.read("mode", into: &fusion.mode)
      try r.read("maximum_cell_age_milliseconds", into: &fusion.maximumCellAgeMilliseconds)
      try r.read("neighbor_points", into: &fusion.neighborPointCount)
      try r.read("precision", into: &fusion.precision)
    }
    try reader.readObject("heads") { (r) throws(ConfigurationError) in
      try r.read("occupancy_classes", into: &heads.occupancyClassCount)
      try r.read("occupancy_heights", into: &heads.occupancyHeightCount)
      try r.read("semantic_classes", into: &heads.semanticClassCount)
    }
    try reader.readObject("ego_box") { (r) throws(ConfigurationError) in
      try r.read("lower_meters", into: &egoBox.lowerMeters)
      try r.read("upper_meters", into: &egoBox.upperMeters)
    }
    (self.fusion, self.egoBox, self.heads) = (fusion, egoBox, heads)
  }
}
