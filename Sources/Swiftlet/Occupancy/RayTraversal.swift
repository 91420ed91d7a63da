/// Which voxels a ray crosses, as OctoMap's computeRayKeys (Amanatides and Woo, 1987).
///
/// The direction is normalised in float32, borders are float64, half a voxel is added as a float32;
/// ties go to z before y before x. Nothing is fused, so every instruction set sees the same voxels.
public enum RayTraversal {
  /// The voxels from the origin's up to, not including, the end's, in order of traversal: empty
  /// when both are the same voxel, nil when an end lies outside the 16-bit key cube.
  /// Allocates its result.
  public static func voxels(
    from origin: SIMD3<Float>, to end: SIMD3<Float>, voxelSizeMeters: Double, engine: Engine
  ) -> [VoxelKey]? {
    let inverse = 1 / voxelSizeMeters
    guard let first = VoxelKey(origin, inverseVoxelSize: inverse),
      let last = VoxelKey(end, inverseVoxelSize: inverse)
    else { return nil }
    switch engine {
    case .reference:
      var voxels: [VoxelKey] = []
      forEachVoxel(from: origin, first, to: end, last, voxelSize: voxelSizeMeters) {
        voxels.append($0)
      }
      return voxels
    case .simd(let set):
      let lister = RayLister(set: set, voxelSize: voxelSizeMeters, origin: origin, first: first)
      return lister.voxels(ends: [end], lastKeys: [last])[0]
    }
  }

  /// Upper bound of the voxels of a ray: one per face crossed, and one step past the end an axis
  /// for the drift of the float32 direction.
  static func voxelBound(_ first: VoxelKey, _ last: VoxelKey) -> Int {
    let x = abs(Int(first.x) - Int(last.x))
    let y = abs(Int(first.y) - Int(last.y))
    let z = abs(Int(first.z) - Int(last.z))
    return x + y + z + 4
  }
}

/// Lists the voxels of rays with the vector kernel, eight rays at a time.
struct RayLister {
  let set: InstructionSet
  let voxelSize: Double
  let origin: SIMD3<Float>
  let first: VoxelKey

  /// The voxels of every ray in order of traversal. Allocates.
  func voxels(ends: [SIMD3<Float>], lastKeys: [VoxelKey]) -> [[VoxelKey]] {
    var result: [[VoxelKey]] = []
    forEachList(ends: ends, lastKeys: lastKeys) { _, list in result.append(list) }
    return result
  }

  /// Calls `body` with every ray's index and voxels, in the rays' order. Allocates.
  func forEachList(
    ends: [SIMD3<Float>], lastKeys: [VoxelKey], _ body: (Int, [VoxelKey]) -> Void
  ) {
    let planes = AlignedBuffer<Float>(
      ends.map(\.x) + ends.map(\.y) + ends.map(\.z))
    let parameters = AlignedBuffer<Double>(
      [
        Double(origin.x), Double(origin.y), Double(origin.z), voxelSize, Double(first.x),
        Double(first.y), Double(first.z),
      ])
    let counts = AlignedBuffer<Int64>(count: 8)
    var lists = AlignedBuffer<Int64>(count: 0)
    for start in stride(from: 0, to: ends.count, by: 8) {
      let rays = min(8, ends.count - start)
      let limit = lastKeys[start..<start + rays].map { RayTraversal.voxelBound(first, $0) }.max()!
      if lists.count < limit * 8 { lists = AlignedBuffer(count: limit * 8) }
      unsafe OccupancyKernels.listRayVoxels(
        set, planes.pointer, ends.count, start, rays, parameters.pointer, limit, lists.pointer,
        counts.pointer)
      for ray in 0..<rays {
        body(
          start + ray,
          (0..<Int(counts[ray])).map { VoxelKey(packed: UInt64(lists[$0 * 8 + ray])) })
      }
    }
  }
}
