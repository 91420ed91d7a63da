import Swiftlet
import SwiftletTestSupport

/// Points of a made-up scan: a ground, walls, and random directions with lattice points among them,
/// so that voxel faces, edges and corners are met exactly.
func makeScan(
  count: Int, seed: UInt64, origin: SIMD3<Float>, reach: Float = 12, voxel: Float = 0.2
) -> [SIMD3<Float>] {
  var generator = SeededGenerator(seed: seed)
  return (0..<count).map { index in
    let values = generator.floats(3, in: -reach...reach)
    let point = origin + SIMD3(values[0], values[1], values[2] * 0.2)
    switch index % 7 {
    case 0: return (point / voxel).rounded(.toNearestOrEven) * voxel
    case 1: return SIMD3(point.x, origin.y, origin.z)
    case 2: return SIMD3(point.x, point.y, origin.z - 1.5)
    default: return point
    }
  }
}

/// Calls `body` with a view of points stored as x, y, z, 0 records.
func withCloud<R>(_ points: [SIMD3<Float>], _ body: (PointCloudView) throws -> R) rethrows -> R {
  let values: [Float] = points.flatMap { [$0.x, $0.y, $0.z, 0] }
  return try values.withUnsafeBytes { raw in
    try body(PointCloudView(base: raw.baseAddress, count: points.count, byteStride: 16))
  }
}

let everyOccupancyEngine: [Engine] = [.reference] + InstructionSet.supported.map(Engine.simd)
