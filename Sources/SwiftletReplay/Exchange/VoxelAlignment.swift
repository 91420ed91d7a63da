import Swiftlet

/// Indices of a voxel that may lie outside the 16-bit cube of keys.
struct WideVoxel: Equatable {
  var x: Int
  var y: Int
  var z: Int

  /// The key; nil outside the cube.
  var key: VoxelKey? {
    let range = -32768...32767
    guard range.contains(x), range.contains(y), range.contains(z) else { return nil }
    return VoxelKey(x: Int32(x), y: Int32(y), z: Int32(z))
  }
}

/// A pose that maps voxels onto voxels: quarter turns and whole voxels. Integers only.
struct VoxelAlignment {
  private let rows: [[Int]]
  private let shift: [Int]

  /// Nil unless every rotation entry is within 1e-9 of −1, 0 or 1 and the translation within
  /// 1e-6 voxel of whole voxels.
  init?(_ pose: RigidTransform, voxelSizeMeters: Double) {
    let entries = pose.rotation.rowMajor
    let offset = pose.translation / voxelSizeMeters
    guard entries.allSatisfy({ abs($0 - $0.rounded()) <= 1e-9 }),
      (0..<3).allSatisfy({ abs(offset[$0] - offset[$0].rounded()) <= 1e-6 && abs(offset[$0]) < 1e9 })
    else { return nil }
    rows = (0..<3).map { row in (0..<3).map { Int(entries[3 * row + $0].rounded()) } }
    shift = (0..<3).map { Int(offset[$0].rounded()) }
  }

  /// Twice a voxel's centre is odd on every axis, so the turned centre halves exactly.
  func target(of key: VoxelKey) -> WideVoxel {
    let center = [2 * Int(key.x) + 1, 2 * Int(key.y) + 1, 2 * Int(key.z) + 1]
    let turned = rows.map { row in row[0] * center[0] + row[1] * center[1] + row[2] * center[2] }
    return WideVoxel(
      x: (turned[0] - 1) / 2 + shift[0], y: (turned[1] - 1) / 2 + shift[1],
      z: (turned[2] - 1) / 2 + shift[2])
  }
}

/// Nearest-neighbour resampling through any rigid pose, seen from the source: the target voxels
/// whose centres lie in a source voxel. Every target centre lies in exactly one source voxel.
struct VoxelResampler {
  private let worldFromMap: RigidTransform
  private let mapFromWorld: RigidTransform
  /// Half the extent of a turned unit voxel on each axis, in voxels.
  private let reach: SIMD3<Double>
  private let voxelSize: Double

  init(_ pose: RigidTransform, voxelSizeMeters: Double) {
    worldFromMap = pose
    mapFromWorld = pose.inverse
    voxelSize = voxelSizeMeters
    let r = pose.rotation
    func half(_ row: SIMD3<Double>) -> Double { 0.5 * (abs(row.x) + abs(row.y) + abs(row.z)) }
    reach = SIMD3(half(r.row0), half(r.row1), half(r.row2))
  }

  func targets(of key: VoxelKey) -> [WideVoxel] {
    let source = SIMD3(Double(key.x), Double(key.y), Double(key.z))
    let center = (worldFromMap * ((source + 0.5) * voxelSize)) / voxelSize
    // Beyond this no target is inside the cube; the count of dropped voxels needs only one.
    guard (0..<3).allSatisfy({ abs(center[$0]) < 40_000 }) else {
      return [WideVoxel(x: .max, y: .max, z: .max)]
    }
    let lower = (center - reach - 0.5).rounded(.up)
    let upper = (center + reach - 0.5).rounded(.down)
    var targets: [WideVoxel] = []
    for x in stride(from: lower.x, through: upper.x, by: 1) {
      for y in stride(from: lower.y, through: upper.y, by: 1) {
        for z in stride(from: lower.z, through: upper.z, by: 1) {
          let point = (SIMD3(x, y, z) + 0.5) * voxelSize
          if ((mapFromWorld * point) / voxelSize).rounded(.down) == source {
            targets.append(WideVoxel(x: Int(x), y: Int(y), z: Int(z)))
          }
        }
      }
    }
    return targets
  }
}
