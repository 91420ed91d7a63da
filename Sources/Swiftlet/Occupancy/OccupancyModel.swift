#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What one observation adds to a voxel's log-odds (natural logarithm), and between which values
/// they stay.
public struct OccupancyModel: Sendable, Equatable {
  /// Added by a hit; positive.
  public var hit: Float
  /// Added by a ray that passes; negative.
  public var miss: Float
  /// Values are clamped to `minimum...maximum` after every addition.
  public var minimum: Float
  public var maximum: Float
  /// A known voxel is occupied at or above this.
  public var threshold: Float

  public init(hit: Float, miss: Float, minimum: Float, maximum: Float, threshold: Float) {
    self.hit = hit
    self.miss = miss
    self.minimum = minimum
    self.maximum = maximum
    self.threshold = threshold
  }

  /// From probabilities, each turned into (float) ln(p / (1 − p)) as OctoMap does.
  public init(
    hitProbability: Double, missProbability: Double, minimumProbability: Double,
    maximumProbability: Double, thresholdProbability: Double
  ) {
    func logOdds(_ p: Double) -> Float { Float(log(p / (1 - p))) }
    self.init(
      hit: logOdds(hitProbability), miss: logOdds(missProbability),
      minimum: logOdds(minimumProbability), maximum: logOdds(maximumProbability),
      threshold: logOdds(thresholdProbability))
  }

  /// OctoMap's defaults: hit 0.7, miss 0.4, clamped to 0.1192 and 0.971, occupied from 0.5.
  public static let octoMap = OccupancyModel(
    hitProbability: 0.7, missProbability: 0.4, minimumProbability: 0.1192,
    maximumProbability: 0.971, thresholdProbability: 0.5)

  /// The rule of one update: add, then clamp.
  func updated(_ logOdds: Float, isHit: Bool) -> Float {
    let sum = logOdds + (isHit ? hit : miss)
    return sum < minimum ? minimum : sum > maximum ? maximum : sum
  }

  /// A typed error unless the values describe an update.
  public func validate() throws(ConfigurationError) {
    guard hit > 0, miss < 0, minimum < 0, maximum > 0, threshold >= minimum, threshold <= maximum
    else {
      throw ConfigurationError(
        field: "occupancy.model",
        expected: "hit > 0, miss < 0, minimum < 0 < maximum, threshold between them",
        found: "hit \(hit), miss \(miss), \(minimum)...\(maximum), threshold \(threshold)",
        remedy: "use OctoMap's 0.7, 0.4, 0.1192, 0.971, 0.5 as a start")
    }
  }
}

/// What a map says about one voxel.
public enum VoxelState: UInt8, Sendable {
  case unknown = 0
  case free = 1
  case occupied = 2
}

/// A voxel's index per axis, floor(coordinate / voxel size): OctoMap's key minus 32768.
public struct VoxelKey: Hashable, Sendable, Comparable {
  public var x: Int32
  public var y: Int32
  public var z: Int32

  public init(x: Int32, y: Int32, z: Int32) {
    self.x = x
    self.y = y
    self.z = z
  }

  /// 16 bits an axis, x highest, so that packed keys sort by x, y, z.
  var packed: UInt64 {
    UInt64(UInt32(bitPattern: x &+ 32768)) << 32 | UInt64(UInt32(bitPattern: y &+ 32768)) << 16
      | UInt64(UInt32(bitPattern: z &+ 32768))
  }
  init(packed: UInt64) {
    self.init(
      x: Int32(truncatingIfNeeded: packed >> 32) &- 32768,
      y: Int32(truncatingIfNeeded: packed >> 16 & 0xffff) &- 32768,
      z: Int32(truncatingIfNeeded: packed & 0xffff) &- 32768)
  }
  public static func < (a: VoxelKey, b: VoxelKey) -> Bool {
    (a.x, a.y, a.z) < (b.x, b.y, b.z)
  }

  /// The key of a float32 position, multiplied in float64 by 1 / voxel size; nil outside the
  /// 16-bit cube and for positions that are not finite.
  public init?(_ position: SIMD3<Float>, inverseVoxelSize: Double) {
    let scaled = (SIMD3<Double>(position) * inverseVoxelSize).rounded(.down)
    // Written so that NaN fails.
    guard scaled.x >= -32768, scaled.x <= 32767, scaled.y >= -32768, scaled.y <= 32767,
      scaled.z >= -32768, scaled.z <= 32767
    else { return nil }
    self.init(x: Int32(scaled.x), y: Int32(scaled.y), z: Int32(scaled.z))
  }

  /// The voxel's centre rounded to float32, as OctoMap's keyToCoord.
  public func center(voxelSize: Double) -> SIMD3<Float> {
    SIMD3(
      Float((Double(x) + 0.5) * voxelSize), Float((Double(y) + 0.5) * voxelSize),
      Float((Double(z) + 0.5) * voxelSize))
  }
}
