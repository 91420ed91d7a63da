#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The rays that RayIoU casts from every sensor origin: 39 pitches × 360 azimuths
/// (`generate_lidar_rays` of SparseOcc's ray_metrics.py).
public enum RayDirections {
  /// Pitches in radians, ascending: −(π/2 − atan(k)) for k = 1...10, continued with the last step
  /// until 0.21 rad, the upper edge of the nuScenes LiDAR, is reached.
  public static let pitches: [Double] = {
    var pitches = (1...10).map { -(Double.pi / 2 - atan(Double($0))) }
    while pitches[pitches.count - 1] < 0.21 {
      let last = pitches[pitches.count - 1]
      pitches.append(last + (last - pitches[pitches.count - 2]))
    }
    return pitches
  }()
  public static let azimuthCount = 360
  /// 14,040 rays an origin.
  public static var count: Int { pitches.count * azimuthCount }

  /// Unit vectors (cos p cos a, cos p sin a, sin p), [pitch][azimuth][3], computed in float64 and
  /// rounded once; azimuth i is i degrees.
  public static let all: [Float] = {
    var directions: [Float] = []
    directions.reserveCapacity(count * 3)
    for pitch in pitches {
      for degrees in 0..<azimuthCount {
        let azimuth = Double(degrees) * (Double.pi / 180)
        directions.append(Float(cos(pitch) * cos(azimuth)))
        directions.append(Float(cos(pitch) * sin(azimuth)))
        directions.append(Float(sin(pitch)))
      }
    }
    return directions
  }()

  /// The rays of one sensor origin in voxel units, in the float32 arithmetic of the public metric:
  /// end = ((direction + origin) − lower) / voxel.
  ///
  /// - Parameters:
  ///   - origin: the sensor in the grid's frame, metres.
  ///   - lower: the grid's lower corner, metres.
  ///   - voxelSizeMeters: edge of a voxel.
  /// - Returns: origins and ends, [ray][3].
  public static func rays(
    from origin: SIMD3<Float>, lower: SIMD3<Float>, voxelSizeMeters: Float
  ) -> (origins: [Float], ends: [Float]) {
    let start = (origin - lower) / voxelSizeMeters
    var origins: [Float] = []
    var ends: [Float] = []
    origins.reserveCapacity(count * 3)
    ends.reserveCapacity(count * 3)
    for ray in 0..<count {
      let direction = SIMD3(all[ray * 3], all[ray * 3 + 1], all[ray * 3 + 2])
      let end = ((direction + origin) - lower) / voxelSizeMeters
      for axis in 0..<3 {
        origins.append(start[axis])
        ends.append(end[axis])
      }
    }
    return (origins, ends)
  }
}
