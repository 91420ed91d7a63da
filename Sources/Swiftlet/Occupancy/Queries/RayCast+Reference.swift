extension WindowView {
  /// Voxel by voxel (Amanatides and Woo, 1987), every crossing computed afresh so that nothing
  /// drifts: t = (border − origin) · (1 / direction), ties to z before y before x. Distances in
  /// voxels.
  func castRayReference(
    from origin: SIMD3<Double>, direction: SIMD3<Double>, limit: Double, stopsAtUnknown: Bool
  ) -> (state: RayState, distance: Double, voxel: SIMD3<Int>) {
    var voxel = voxelIndex(origin)
    let squares =
      direction.x * direction.x + direction.y * direction.y + direction.z * direction.z
    let length = squares.squareRoot()
    guard length > 0, length < .infinity else { return (.noDirection, 0, voxel) }
    var step = SIMD3<Int>(0, 0, 0)
    var inverse = SIMD3<Double>(0, 0, 0)
    for axis in 0..<3 {
      let unit = direction[axis] / length
      step[axis] = unit > 1e-12 ? 1 : unit < -1e-12 ? -1 : 0
      inverse[axis] = 1 / unit
    }
    var entry = 0.0
    while true {
      for axis in 0..<3 {
        let isPast = voxel[axis] >= cells[axis] && step[axis] >= 0
        if isPast || voxel[axis] < 0 && step[axis] <= 0 { return (.leftWindow, entry, voxel) }
      }
      let state = state(voxel)
      if state == .occupied { return (.occupied, entry, voxel) }
      if stopsAtUnknown, state == .unknown, contains(voxel) { return (.unknown, entry, voxel) }
      var next = SIMD3<Double>(repeating: .greatestFiniteMagnitude)
      for axis in 0..<3 where step[axis] != 0 {
        let border = Double(step[axis] > 0 ? voxel[axis] + 1 : voxel[axis])
        next[axis] = (border - origin[axis]) * inverse[axis]
      }
      let axis = next.x < next.y && next.x < next.z ? 0 : next.y < next.z ? 1 : 2
      if next[axis] > limit { return (.rangeReached, limit, voxel) }
      voxel[axis] += step[axis]
      entry = next[axis]
    }
  }
}

/// The scalar reference over a live window, whatever engine the window itself uses.
public struct ReferenceRays {
  private let grid: OccupancyGrid

  public init(_ grid: OccupancyGrid) { self.grid = grid }

  /// As `OccupancyGrid.castRay`, voxel by voxel.
  public func cast(
    from origin: SIMD3<Double>, direction: SIMD3<Float>, maximumRangeMeters: Double,
    stopsAtUnknown: Bool = false
  ) -> RayHit {
    let view = WindowView(grid)
    let end = view.castRayReference(
      from: view.local(origin), direction: SIMD3<Double>(direction),
      limit: maximumRangeMeters / view.voxelSize, stopsAtUnknown: stopsAtUnknown)
    return RayHit(
      state: end.state, distanceMeters: Float(end.distance * view.voxelSize),
      key: view.key(end.voxel))
  }
}
