extension OccupancyGrid {
  /// Says how the points of the scan at hand move: voxels hit by points faster than the
  /// configuration's limit are dynamic from this scan on, and keep the velocity where `keepsFlow` is
  /// set (of several points in a voxel the last). Call it between `add` and `fold`; needs `aging`,
  /// else nothing happens. Points or velocities that are not finite say nothing. Allocates nothing.
  ///
  /// - Parameters:
  ///   - points: of that scan, in LiDAR axes.
  ///   - velocities: [point][3], metres per second over ground in LiDAR axes.
  ///   - worldFromLidar: pose of the LiDAR when it was measured.
  /// - Precondition: three velocities a point.
  /// - Returns: how many points moved.
  @unsafe
  @discardableResult
  public func addFlow(
    _ points: PointCloudView, velocities: UnsafeBufferPointer<Float>, worldFromLidar: RigidTransform
  ) -> Int {
    precondition(
      velocities.count >= 3 * points.count,
      "\(points.count) points need three velocities each, not \(velocities.count) values")
    guard let aging, unsafe points.baseAddress != nil else { return 0 }
    let inverse = 1 / configuration.voxelSizeMeters
    let limit = aging.configuration.movingMetersPerSecond
    var count = 0
    for index in 0..<points.count {
      let velocity = unsafe SIMD3(
        Double(velocities[3 * index]), Double(velocities[3 * index + 1]),
        Double(velocities[3 * index + 2]))
      // Written so that NaN fails.
      guard (velocity * velocity).sum() > limit * limit, (velocity * velocity).sum() < 1e6 else {
        continue
      }
      let point = unsafe SIMD3<Float>(
        points.value(index, points.xByteOffset), points.value(index, points.yByteOffset),
        points.value(index, points.zByteOffset))
      let place = WorldPoints.transformed(point, worldFromLidar)
      guard let key = VoxelKey(place, inverseVoxelSize: inverse), let local = localIndex(key)
      else { continue }
      count += 1
      let column = local.y * configuration.cellCountX + local.x
      let word = column * configuration.wordCount + local.z / 64
      unsafe aging.moving.pointer[word] |= 1 << UInt64(local.z % 64)
      guard aging.configuration.keepsFlow else { continue }
      let inWorld = (worldFromLidar.rotation * velocity * 4).rounded(.toNearestOrEven)
      let at = (lineIndex(x: local.x, y: local.y) + local.z / 64) * 64 + local.z % 64
      unsafe aging.flowX.pointer[at] = Int8(max(-127, min(127, inWorld.x)))
      unsafe aging.flowY.pointer[at] = Int8(max(-127, min(127, inWorld.y)))
    }
    return count
  }
}
