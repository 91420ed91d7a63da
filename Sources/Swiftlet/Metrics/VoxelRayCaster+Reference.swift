/// One ray through a grid of labels [x][y][z], voxel by voxel, in float64: the walk of
/// `render_forward` of SparseOcc's dvr.cu in its "test" phase, which RayIoU is defined by.
struct ReferenceRayWalk {
  let labels: [UInt8]
  let sizes: SIMD3<Int>
  let freeClass: Int

  /// The flat index of the first voxel that is not free (nil for none), and the distance in voxels
  /// where the ray leaves it, or leaves the grid, or −1 for a ray that never enters.
  func walk(origin: SIMD3<Float>, end: SIMD3<Float>) -> (voxel: Int?, distance: Double) {
    let start = SIMD3<Double>(origin)
    let ray = SIMD3<Double>(end) - start
    let length = (ray.x * ray.x + ray.y * ray.y + ray.z * ray.z).squareRoot()
    let direction = ray / length
    var voxel = SIMD3<Int>(Int(start.x), Int(start.y), Int(start.z))
    var step = SIMD3<Int>()
    var toBorder = SIMD3<Double>()
    var perVoxel = SIMD3<Double>()
    for axis in 0..<3 {
      step[axis] = direction[axis] >= 0 ? 1 : -1
      let border = Double(voxel[axis] + (step[axis] < 0 ? 0 : 1))
      let flat = direction[axis] == 0
      let far = Double.greatestFiniteMagnitude
      toBorder[axis] = flat ? far : (border - start[axis]) / direction[axis]
      perVoxel[axis] = flat ? far : Double(step[axis]) / direction[axis]
    }
    var lastDistance = -1.0
    var wasInside = false
    while true {
      let inside = (0..<3).allSatisfy { voxel[$0] >= 0 && voxel[$0] < sizes[$0] }
      if inside { wasInside = true }
      if !inside && wasInside { return (nil, lastDistance) }
      if !inside && !canEnter(voxel, step, direction) { return (nil, -1) }
      let index = (voxel.x * sizes.y + voxel.y) * sizes.z + voxel.z
      // Ties go to z before y before x.
      let axis: Int
      if toBorder.x < toBorder.y {
        axis = toBorder.x < toBorder.z ? 0 : 2
      } else {
        axis = toBorder.y < toBorder.z ? 1 : 2
      }
      let distance = toBorder[axis]
      voxel[axis] += step[axis]
      toBorder[axis] += perVoxel[axis]
      if inside && Int(labels[index]) != freeClass { return (index, distance) }
      lastDistance = distance
    }
  }

  /// Whether a ray outside the grid may still reach it: no axis is past it or runs beside it. The
  /// public code gives up after 1,000 steps instead.
  private func canEnter(
    _ voxel: SIMD3<Int>, _ step: SIMD3<Int>, _ direction: SIMD3<Double>
  ) -> Bool {
    (0..<3).allSatisfy { axis in
      if voxel[axis] < 0 { return step[axis] > 0 && direction[axis] != 0 }
      if voxel[axis] >= sizes[axis] { return step[axis] < 0 }
      return true
    }
  }
}
