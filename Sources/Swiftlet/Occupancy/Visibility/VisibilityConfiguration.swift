/// What a sensor can tell about a voxel in one frame.
public enum Visibility: UInt8, Sendable, CaseIterable {
  /// No ray of the sensor leads there.
  case outOfView = 0
  /// Within the field of view, but something is in front or the ray ended before.
  case occluded = 1
  /// A ray ended there or passed.
  case visible = 2
}

/// The ego-aligned volume that visibility is told for; the default is Occ3D's.
public struct VisibilityConfiguration: Sendable, Equatable {
  /// Lower corner in ego, metres.
  public var lowerMeters = SIMD3(-40.0, -40, -1)
  public var cellSizeMeters = 0.4
  /// x, y, z; at most 32 high.
  public var cellCounts = SIMD3(200, 200, 16)
  /// Rays end here at the latest.
  public var maximumRangeMeters = 80.0
  /// Pixels of the network's image from one camera ray to the next; nil: so many that neighbouring
  /// rays are at most a cell apart at the far corner of the volume.
  public var pixelStep: Int?
  /// Sectors around the LiDAR in which its lowest and highest rays bound what it can see.
  public var sectorCount = 512

  public init() {}

  /// Cells in memory order [x][y][z].
  public var cellCount: Int { cellCounts.x * cellCounts.y * cellCounts.z }
  var columnCount: Int { cellCounts.x * cellCounts.y }

  /// - Throws: `ConfigurationError` unless this is a volume that visibility can be told for.
  public func validate() throws(ConfigurationError) {
    let n = cellCounts
    let isGood =
      n.x >= 1 && n.y >= 1 && n.z >= 1 && n.x <= 2048 && n.y <= 2048 && n.z <= 32
      && cellSizeMeters > 0.01 && cellSizeMeters < 100 && maximumRangeMeters > cellSizeMeters
      && maximumRangeMeters < 10_000 && (pixelStep ?? 1) >= 1 && (8...8192).contains(sectorCount)
      && abs(lowerMeters.x) < 1e4 && abs(lowerMeters.y) < 1e4 && abs(lowerMeters.z) < 1e4
    guard isGood else {
      throw ConfigurationError(
        field: "visibility",
        expected: "1 to 2048 × 2048 × 32 cells of 0.01 to 100 m, a pixel step of 1 or more, "
          + "8 to 8192 sectors",
        found: "\(self)", remedy: "use Occ3D's 200 × 200 × 16 cells of 0.4 m as a start")
    }
  }
}
