/// How a grid finds the free voxels of a scan.
public enum OccupancyMode: String, Sendable, CaseIterable {
  /// Every ray voxel by voxel: OctoMap's sets exactly.
  case exact
  /// Exact hits; free space by fans of rays, at most half a voxel apart where the sensor is dense.
  case realtime
  /// The same with fans a voxel apart.
  case fast
  /// Like realtime, but rays end before the surface they graze: what other rays of the scan hit
  /// there is not erased; and misses weigh more. Judged by what is really there, not by OctoMap's map.
  case quality

  /// How free space is carved; nil when rays are walked.
  var fans: FanCarver.Settings? {
    switch self {
    case .exact: nil
    case .realtime: FanCarver.Settings(spacing: 0.5, setback: 0.6, leastBinCount: 2048)
    case .fast:
      FanCarver.Settings(spacing: 0.8, setback: 1, leastCrossing: 0.4, leastBinCount: 2048)
    case .quality:
      FanCarver.Settings(
        spacing: 0.5, setback: 0.5, leastBinCount: 2048,
        holdBack: FanCarver.HoldBack(
          width: 1.3, steepest: 50, steepestBeside: 10, levelRise: 0.3, faceMargin: 0.003,
          rangeNoise: 0.02))
    }
  }

  /// How many of the model's misses a miss of a scan counts for: 1, in quality mode 1.2. Where rays end
  /// before what they graze, the misses that are left are not in doubt, and heavier ones clear what
  /// has moved away sooner: two outweigh a hit.
  public var missWeight: Float { self == .quality ? 1.2 : 1 }
}

/// What a rolling occupancy window covers and how it is updated.
public struct OccupancyConfiguration: Sendable, Equatable {
  /// Edge of a voxel, metres.
  public var voxelSizeMeters = 0.2
  /// Voxels per axis. Memory is one byte a voxel, z rounded up to 64.
  public var cellCountX = 512
  public var cellCountY = 512
  public var cellCountZ = 64
  /// Height of the window's floor above the point it is centred on.
  public var lowerZMeters = -4.0
  /// Nearer points are ignored.
  public var minimumRangeMeters = 0.0
  /// Farther points only clear up to this range.
  public var maximumRangeMeters = 50.0
  /// Rays without a return (`addMissing`) clear up to this range; 0 leaves them out.
  public var noReturnRangeMeters = 0.0
  public var model = OccupancyModel.octoMap
  public var mode = OccupancyMode.exact
  /// What is kept per voxel.
  public var values = OccupancyValues.int8
  /// Points in this box of the ego frame are the vehicle itself and are ignored; nil keeps all.
  public var egoBox: AxisAlignedBox?
  /// Decay and the marks of what moves; nil keeps evidence for ever.
  public var aging: OccupancyAgingConfiguration?
  /// The most points of one scan. Scans beyond it are cut, and the summary says so.
  public var maximumPointCount = 300_000

  public init() {}

  /// A corner-to-corner box, bounds included, metres.
  public struct AxisAlignedBox: Sendable, Equatable {
    public var lower: SIMD3<Double>
    public var upper: SIMD3<Double>

    public init(lower: SIMD3<Double>, upper: SIMD3<Double>) {
      self.lower = lower
      self.upper = upper
    }
  }

  /// 64-bit words a column.
  var wordCount: Int { (cellCountZ + 63) / 64 }
  /// Columns of the window.
  var columnCount: Int { cellCountX * cellCountY }

  /// Words of the volume that any scan of `mode == .exact` can need.
  var exactVolumeWords: Int {
    let reach = 2 * Int((maximumRangeMeters / voxelSizeMeters).rounded(.up)) + 8
    return (reach + 16) * (reach + 16) * (reach / 64 + 2)
  }

  /// A typed error unless a grid can be made of this.
  public func validate() throws(ConfigurationError) {
    try model.validate()
    try aging?.validate()
    try check("voxel_size_meters", voxelSizeMeters, 1e-3...100)
    try check("maximum_range_meters", maximumRangeMeters, voxelSizeMeters...30_000 * voxelSizeMeters)
    try check("minimum_range_meters", minimumRangeMeters, 0...maximumRangeMeters)
    try check("no_return_range_meters", noReturnRangeMeters, 0...maximumRangeMeters)
    try check("cell_count_x", Double(cellCountX), 8...16384)
    try check("cell_count_y", Double(cellCountY), 8...16384)
    try check("cell_count_z", Double(cellCountZ), 1...1024)
    try check("maximum_point_count", Double(maximumPointCount), 1...100_000_000)
    guard columnCount * wordCount < 1 << 25 else {
      throw ConfigurationError(
        field: "occupancy.cell_count_x", expected: "a window of less than \(1 << 31) voxels",
        found: "\(columnCount * wordCount * 64)", remedy: "make the window smaller")
    }
    guard aging == nil || values == .int8 else {
      throw ConfigurationError(
        field: "occupancy.values", expected: "int8 where evidence ages", found: values.rawValue,
        remedy: "take int8, or leave out the ages")
    }
    guard mode != .exact || exactVolumeWords <= 1 << 27 else {
      throw ConfigurationError(
        field: "occupancy.maximum_range_meters",
        expected: "a scan volume of at most \(1 << 30) bytes in exact mode",
        found: "\(exactVolumeWords * 8) bytes", remedy: "lower the range or enlarge the voxels")
    }
  }

  private func check(
    _ field: String, _ value: Double, _ range: ClosedRange<Double>
  ) throws(ConfigurationError) {
    guard range.contains(value) else {
      throw ConfigurationError(
        field: "occupancy.\(field)", expected: "\(range.lowerBound)...\(range.upperBound)",
        found: "\(value)", remedy: "choose a value in this range")
    }
  }
}

/// An occupancy model in int8 steps: 0 is even odds, -128 unknown.
struct ByteModel {
  /// Steps of one unit of log-odds.
  let stepsPerUnit: Float
  let hit: Int8
  let miss: Int8
  let minimum: Int8
  let maximum: Int8
  let threshold: Int8

  /// A miss of the default model is 10 steps; wider clamps take smaller steps so that both fit.
  init(_ model: OccupancyModel, missWeight: Float = 1) {
    let widest = max(-model.minimum, model.maximum, model.hit, -model.miss * missWeight)
    let steps = min(10 / -model.miss, 127 / widest)
    stepsPerUnit = steps
    hit = Int8(max(1, (model.hit * steps).rounded()))
    miss = Int8(min(-1, (model.miss * missWeight * steps).rounded()))
    minimum = Int8((model.minimum * steps).rounded())
    maximum = Int8((model.maximum * steps).rounded())
    threshold = Int8((model.threshold * steps).rounded(.up))
  }

  func updated(_ value: Int8, isHit: Bool) -> Int8 {
    let start = value == -128 ? 0 : Int(value)
    return isHit
      ? Int8(min(start + Int(hit), Int(maximum))) : Int8(max(start + Int(miss), Int(minimum)))
  }
}

extension OccupancyMode {
  /// What a mode guarantees against OctoMap's map on a drive, inside the window.
  public struct Promise: Sendable, Equatable {
    /// Intersection over union of occupied and of free voxels, at least.
    public var occupiedIoU: Double
    public var freeIoU: Double
    /// Share of voxels known in both with the same state, at least.
    public var sameState: Double
    /// Share of OctoMap's occupied voxels called free, at most.
    public var occupiedCalledFree: Double
  }

  public var promise: Promise {
    switch self {
    // int8 steps may turn a voxel at the threshold; int16 values do not.
    case .exact:
      Promise(occupiedIoU: 0.998, freeIoU: 0.999, sameState: 0.9998, occupiedCalledFree: 0.001)
    case .realtime:
      Promise(occupiedIoU: 0.985, freeIoU: 0.985, sameState: 0.999, occupiedCalledFree: 0.01)
    case .fast:
      Promise(occupiedIoU: 0.965, freeIoU: 0.97, sameState: 0.998, occupiedCalledFree: 0.002)
    // What it keeps that OctoMap erases, the free space it does not claim, and single hits that two
    // misses clear; the promise on the scene's geometry is a surface recall of 0.95 at no more
    // ghosts than OctoMap leaves.
    case .quality:
      Promise(occupiedIoU: 0.8, freeIoU: 0.9, sameState: 0.97, occupiedCalledFree: 0.02)
    }
  }
}
