/// A box in voxels from a window's corner, with what the separating-axis test needs of it.
struct OrientedBox {
  /// Centre [3]; reach along x, y, z [3]; axes [3][3]; reach along them [3]; reach along the cross
  /// products, world axis by box axis [3][3].
  var numbers = InlineArray<27, Double>(repeating: 0)

  /// Half a voxel's reach along an axis is half the sum of its components; 1e-9 voxel forgives the
  /// rounding of boxes that lie along voxel faces.
  init(view: WindowView, worldFromBox: RigidTransform, size: SIMD3<Double>) {
    let half = size / (2 * view.voxelSize)
    let limit = OccupancyGrid.maximumBoxVoxels / 2
    precondition(
      worldFromBox.isFinite && half.x >= 0 && half.y >= 0 && half.z >= 0 && half.x <= limit
        && half.y <= limit && half.z <= limit,
      "a box of \(size) m at \(worldFromBox.translation), edges at most \(2 * limit) voxels")
    let center = view.local(worldFromBox.translation)
    precondition(
      abs(center.x) < 1e9 && abs(center.y) < 1e9 && abs(center.z) < 1e9,
      "a box \(center) voxels off the window")
    let r = worldFromBox.rotation
    // In place: an array would allocate in every query.
    let axes: InlineArray<3, SIMD3<Double>> = [
      r.transpose.row0, r.transpose.row1, r.transpose.row2,
    ]
    let slack = 1e-9
    for k in 0..<3 {
      numbers[k] = center[k]
      let own = half.x * abs(axes[0][k]) + half.y * abs(axes[1][k]) + half.z * abs(axes[2][k])
      numbers[3 + k] = own + 0.5 - slack
    }
    for j in 0..<3 {
      let u = axes[j]
      for k in 0..<3 { numbers[6 + 3 * j + k] = u[k] }
      numbers[15 + j] = half[j] + 0.5 * (abs(u.x) + abs(u.y) + abs(u.z)) - slack
      for k in 0..<3 {
        // e_k × u_j; the box reaches along it with its other two axes.
        let cross = Self.crossWithWorldAxis(k, u)
        let squares = (cross * cross).sum()
        var reach = 0.5 * (abs(cross.x) + abs(cross.y) + abs(cross.z))
        for m in 0..<3 { reach += half[m] * abs((axes[m] * cross).sum()) }
        // Parallel axes part nothing that the others do not.
        numbers[18 + 3 * k + j] = squares < 1e-8 ? .infinity : reach - slack * squares.squareRoot()
      }
    }
  }

  static func crossWithWorldAxis(_ k: Int, _ u: SIMD3<Double>) -> SIMD3<Double> {
    switch k {
    case 0: SIMD3(0, -u.z, u.y)
    case 1: SIMD3(u.z, 0, -u.x)
    default: SIMD3(-u.y, u.x, 0)
    }
  }

  /// Every voxel of the bounding box, one by one.
  func countReference(in view: WindowView) -> BoxOccupancy {
    let center = SIMD3(numbers[0], numbers[1], numbers[2])
    let reach = SIMD3(numbers[3], numbers[4], numbers[5])
    let first = voxelIndex(center - reach + 0.5)
    let last = voxelIndex(center + reach - 0.5)
    var result = BoxOccupancy()
    for y in first.y..<max(first.y, last.y + 1) {
      for x in first.x..<max(first.x, last.x + 1) {
        for z in first.z..<max(first.z, last.z + 1) {
          let voxel = SIMD3(x, y, z)
          guard overlaps(center - (SIMD3<Double>(voxel) + 0.5)) else { continue }
          switch view.state(voxel) {
          case .free: result.freeCount += 1
          case .unknown: result.unknownCount += 1
          case .occupied: result.occupiedCount += 1
          }
          if !view.contains(voxel) { result.outsideCount += 1 }
        }
      }
    }
    return result
  }

  /// Whether no axis parts the box from a voxel, given the vector from the voxel's centre to its own.
  private func overlaps(_ d: SIMD3<Double>) -> Bool {
    for k in 0..<3 where abs(d[k]) >= numbers[3 + k] { return false }
    for j in 0..<3 {
      let u = SIMD3(numbers[6 + 3 * j], numbers[7 + 3 * j], numbers[8 + 3 * j])
      if abs((d * u).sum()) >= numbers[15 + j] { return false }
      for k in 0..<3 {
        if abs((Self.crossWithWorldAxis(k, u) * d).sum()) >= numbers[18 + 3 * k + j] {
          return false
        }
      }
    }
    return true
  }
}
