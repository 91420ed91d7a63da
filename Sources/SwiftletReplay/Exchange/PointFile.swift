import Swiftlet

/// Centres of a map's occupied voxels as point clouds that viewers open: x, y, z in metres and the
/// log-odds, float32, binary little-endian.
enum PointFile {
  static func ply(_ map: VoxelMap) -> [UInt8] {
    let header = """
      ply
      format binary_little_endian 1.0
      comment centres of occupied voxels, voxel_size_meters \(map.voxelSizeMeters)
      element vertex \(map.occupiedCount)
      property float x
      property float y
      property float z
      property float log_odds
      end_header

      """
    return Array(header.utf8) + points(map)
  }

  static func pcd(_ map: VoxelMap) -> [UInt8] {
    let count = map.occupiedCount
    let header = """
      # .PCD v0.7 - centres of occupied voxels, voxel_size_meters \(map.voxelSizeMeters)
      VERSION 0.7
      FIELDS x y z log_odds
      SIZE 4 4 4 4
      TYPE F F F F
      COUNT 1 1 1 1
      WIDTH \(count)
      HEIGHT 1
      VIEWPOINT 0 0 0 1 0 0 0
      POINTS \(count)
      DATA binary

      """
    return Array(header.utf8) + points(map)
  }

  private static func points(_ map: VoxelMap) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(16 * map.count)
    for index in map.keys.indices where map.isOccupied(index) {
      let center = map.keys[index].center(voxelSize: map.voxelSizeMeters)
      bytes.append(bitsOf: center.x)
      bytes.append(bitsOf: center.y)
      bytes.append(bitsOf: center.z)
      bytes.append(bitsOf: map.logOdds[index])
    }
    return bytes
  }
}
