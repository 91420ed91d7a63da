extension RayTraversal {
  /// OcTreeBaseImpl.hxx, computeRayKeys, line by line. Both keys are valid.
  static func forEachVoxel(
    from origin: SIMD3<Float>, _ first: VoxelKey, to end: SIMD3<Float>, _ last: VoxelKey,
    voxelSize: Double, _ body: (VoxelKey) -> Void
  ) {
    if first == last { return }
    body(first)
    let difference = end - origin
    // norm_sq is summed in float32 from left to right.
    let squares =
      difference.x * difference.x + difference.y * difference.y + difference.z * difference.z
    let length = Float(Double(squares).squareRoot())
    // OctoMap would walk on without end; here the ray stops after its first voxel.
    if !(length > 0) { return }
    let direction = difference / length

    var key = [Int(first.x), Int(first.y), Int(first.z)]
    let lastKey = [Int(last.x), Int(last.y), Int(last.z)]
    var step = [0, 0, 0]
    var next = [0.0, 0.0, 0.0]
    var delta = [0.0, 0.0, 0.0]
    for axis in 0..<3 {
      step[axis] = direction[axis] > 0 ? 1 : direction[axis] < 0 ? -1 : 0
      if step[axis] != 0 {
        var border = (Double(key[axis]) + 0.5) * voxelSize
        border += Double(Float(Double(step[axis]) * voxelSize * 0.5))
        next[axis] = (border - Double(origin[axis])) / Double(direction[axis])
        delta[axis] = voxelSize / Double(direction[axis].magnitude)
      } else {
        next[axis] = .greatestFiniteMagnitude
        delta[axis] = .greatestFiniteMagnitude
      }
    }
    while true {
      let axis: Int
      if next[0] < next[1] {
        axis = next[0] < next[2] ? 0 : 2
      } else {
        axis = next[1] < next[2] ? 1 : 2
      }
      key[axis] += step[axis]
      next[axis] += delta[axis]
      if key == lastKey { return }
      // Past the end without meeting its voxel: rounding made the ray miss it.
      if min(min(next[0], next[1]), next[2]) > Double(length) { return }
      body(VoxelKey(x: Int32(key[0]), y: Int32(key[1]), z: Int32(key[2])))
    }
  }
}
