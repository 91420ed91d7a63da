/// Rays ready to be cast, and where their results go: made once, cast through any number of grids.
@safe
public final class VoxelRayBatch {
  public let count: Int
  /// `count` rounded up to whole vectors; the last ray fills the rest.
  let plane: Int
  /// Six planes: origin x, y, z and end x, y, z in voxels.
  let rays: AlignedBuffer<Float>
  /// By ray: the flat index of the voxel hit, −1 for none, and the distance in voxels.
  let voxels: AlignedBuffer<Int64>
  let distances: AlignedBuffer<Float>

  /// - Parameters:
  ///   - origins: [ray][3] in voxels.
  ///   - ends: [ray][3], a point further along each ray.
  /// - Throws: `InputError` for other sizes, or a ray without direction, with NaN, or farther than
  ///   2²⁰ voxels from the grid's corner.
  public init(origins: [Float], ends: [Float]) throws(InputError) {
    try Self.check(origins: origins, ends: ends)
    count = origins.count / 3
    plane = (count + 7) & ~7
    rays = AlignedBuffer(count: plane * 6)
    voxels = AlignedBuffer(count: plane)
    distances = AlignedBuffer(count: plane)
    for ray in 0..<plane {
      let source = min(ray, count - 1) * 3
      for axis in 0..<3 {
        rays[axis * plane + ray] = origins[source + axis]
        rays[(axis + 3) * plane + ray] = ends[source + axis]
      }
    }
  }

  private static func check(origins: [Float], ends: [Float]) throws(InputError) {
    guard origins.count == ends.count, origins.count % 3 == 0 else {
      throw InputError(
        input: "rays", expected: "three coordinates for every origin and end",
        found: "\(origins.count) and \(ends.count) values", remedy: "give [ray][3] twice")
    }
    let limit: Float = 0x1p20
    for ray in 0..<origins.count / 3 {
      let range = ray * 3..<ray * 3 + 3
      let isFinite = range.allSatisfy { abs(origins[$0]) <= limit && abs(ends[$0]) <= limit }
      guard isFinite, range.contains(where: { origins[$0] != ends[$0] }) else {
        throw InputError(
          input: "ray \(ray)", expected: "two different points within 2^20 voxels",
          found: "\(Array(origins[range])) to \(Array(ends[range]))",
          remedy: "leave the ray out or correct it")
      }
    }
  }

  func origin(_ ray: Int) -> SIMD3<Float> {
    SIMD3(rays[ray], rays[plane + ray], rays[2 * plane + ray])
  }
  func end(_ ray: Int) -> SIMD3<Float> {
    SIMD3(rays[3 * plane + ray], rays[4 * plane + ray], rays[5 * plane + ray])
  }
}
