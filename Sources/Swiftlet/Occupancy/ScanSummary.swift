/// What became of one scan's points and voxels.
public struct ScanSummary: Sendable, Equatable {
  /// Points handed in.
  public var pointCount = 0
  /// Points with a coordinate that is NaN or infinite: skipped.
  public var notFiniteCount = 0
  /// Points nearer than the minimum range: skipped.
  public var tooNearCount = 0
  /// Points inside the ego-body box: skipped.
  public var insideEgoCount = 0
  /// Rays whose end lies outside the map's key cube: skipped.
  public var outsideCount = 0
  /// Rays that were cast, the clipped ones included.
  public var rayCount = 0
  /// Voxels that got one miss, and voxels that got one hit (0 where a map does not count them).
  public var freeVoxelCount = 0
  public var hitVoxelCount = 0

  /// Batches of free space carved, of `CarvingLimit.batchCount` a LiDAR.
  public var carvedBatchCount = 0
  public var batchCount = 0
  /// Share of the free space that was carved; 1 where no limit cut it.
  public var carvedShare: Double {
    batchCount == 0 ? 1 : Double(carvedBatchCount) / Double(batchCount)
  }

  public init() {}

  /// Sums, for frames with several LiDARs.
  public static func + (a: ScanSummary, b: ScanSummary) -> ScanSummary {
    var sum = a
    sum.pointCount += b.pointCount
    sum.notFiniteCount += b.notFiniteCount
    sum.tooNearCount += b.tooNearCount
    sum.insideEgoCount += b.insideEgoCount
    sum.outsideCount += b.outsideCount
    sum.rayCount += b.rayCount
    sum.freeVoxelCount += b.freeVoxelCount
    sum.hitVoxelCount += b.hitVoxelCount
    sum.carvedBatchCount += b.carvedBatchCount
    sum.batchCount += b.batchCount
    return sum
  }
}
