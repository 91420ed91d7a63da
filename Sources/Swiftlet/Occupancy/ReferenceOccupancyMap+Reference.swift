extension ReferenceOccupancyMap {
  /// computeUpdate of OccupancyOcTreeBase.hxx: the union of all ray voxels minus the union of all
  /// end voxels, and the latter.
  func referenceSets(
    _ points: WorldPoints, origin: SIMD3<Float>, maximumRange: Double
  ) -> (sets: (free: Set<UInt64>, occupied: Set<UInt64>), summary: ScanSummary) {
    var free = Set<UInt64>()
    var occupied = Set<UInt64>()
    var summary = ScanSummary()
    summary.pointCount = points.count
    let first = VoxelKey(origin, inverseVoxelSize: inverse)
    for index in 0..<points.count {
      let point = points[index]
      guard point.x.isFinite, point.y.isFinite, point.z.isFinite else {
        summary.notFiniteCount += 1
        continue
      }
      let ray = RayEnd(point: point, origin: origin, maximumRange: maximumRange)
      guard let last = VoxelKey(ray.end, inverseVoxelSize: inverse) else {
        summary.outsideCount += 1
        continue
      }
      summary.rayCount += 1
      if ray.isHit { occupied.insert(last.packed) }
      guard let first else { continue }
      RayTraversal.forEachVoxel(
        from: origin, first, to: ray.end, last, voxelSize: voxelSizeMeters
      ) { free.insert($0.packed) }
    }
    return ((free.subtracting(occupied), occupied), summary)
  }

  func insertReference(
    _ points: WorldPoints, origin: SIMD3<Float>, maximumRange: Double
  ) -> ScanSummary {
    let scan = referenceSets(points, origin: origin, maximumRange: maximumRange)
    for key in scan.sets.free { update(VoxelKey(packed: key), isHit: false) }
    for key in scan.sets.occupied { update(VoxelKey(packed: key), isHit: true) }
    return scan.summary
  }
}

/// Where a ray ends: at its point, or at the maximum range in the point's direction.
struct RayEnd {
  let end: SIMD3<Float>
  let isHit: Bool
  /// Distance of the point in float64 from a float32 sum of squares, as OctoMap's norm().
  let range: Double

  init(point: SIMD3<Float>, origin: SIMD3<Float>, maximumRange: Double) {
    let difference = point - origin
    let squares =
      difference.x * difference.x + difference.y * difference.y + difference.z * difference.z
    range = Double(squares).squareRoot()
    isHit = maximumRange < 0 || range <= maximumRange
    if isHit {
      end = point
    } else {
      let length = Float(range)
      let direction = length > 0 ? difference / length : difference
      end = origin + direction * Float(maximumRange)
    }
  }
}
