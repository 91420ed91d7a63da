import Swiftlet
import SwiftletTestSupport
import Testing

@testable import SwiftletReplay

/// Comparing occupancy windows bit plane by bit plane, against asking for every voxel.
@Suite struct MapPlanesTests {
  /// A small window at `center` after one scan of random points.
  private func grid(seed: UInt64, center: SIMD3<Double>, points: Int) throws -> OccupancyGrid {
    var configuration = OccupancyConfiguration()
    configuration.voxelSizeMeters = 0.5
    (configuration.cellCountX, configuration.cellCountY, configuration.cellCountZ) = (32, 24, 96)
    configuration.lowerZMeters = -20
    let grid = try OccupancyGrid(
      configuration: configuration, engine: .reference, pool: WorkerPool(threadCount: 1))
    grid.recenter(onWorld: center)
    var generator = SeededGenerator(seed: seed)
    let values = (0..<points * 4).map { _ in Float.random(in: -9...9, using: &generator) }
    unsafe values.withUnsafeBytes { raw in
      let cloud = unsafe PointCloudView(base: raw.baseAddress, count: points, byteStride: 16)
      unsafe grid.insert(
        cloud, worldFromLidar: RigidTransform(rotation: Matrix3.identity, translation: .zero))
    }
    return grid
  }

  private func expected(
    _ a: OccupancyGrid, _ b: OccupancyGrid, _ third: OccupancyGrid?
  ) -> MapPlanes.Difference {
    var sum = MapPlanes.Difference()
    let (low, counts) = (a.origin, a.cellCounts)
    for x in 0..<counts.x {
      for y in 0..<counts.y {
        for z in 0..<counts.z {
          let key = VoxelKey(x: low.x + Int32(x), y: low.y + Int32(y), z: low.z + Int32(z))
          let states = (a.state(key), b.state(key))
          guard states != (.unknown, .unknown) else { continue }
          let differs = states.0 != states.1
          if third.map({ $0.state(key) != .unknown }) ?? false {
            sum.seen += 1
            sum.differingSeen += differs ? 1 : 0
          } else {
            sum.unseen += 1
            sum.differingUnseen += differs ? 1 : 0
          }
        }
      }
    }
    return sum
  }

  @Test func `windows at other places and heights are compared voxel for voxel`() throws {
    let first = try grid(seed: 1, center: SIMD3(0.2, -0.3, 0), points: 60)
    let centers: [SIMD3<Double>] = [.zero, SIMD3(3, -7, 0), SIMD3(-40, 2, 0), SIMD3(1, 1, 4.6)]
    for center in centers {
      let second = try grid(seed: 1, center: center, points: 80)
      let third = try grid(seed: 9, center: center, points: 30)
      let found = MapPlanes(first).difference(from: MapPlanes(second), seenBy: MapPlanes(third))
      #expect(found == expected(first, second, third), "\(center)")
      #expect(found.differingSeen + found.differingUnseen > 0)
      let all = MapPlanes(first).difference(from: MapPlanes(second), seenBy: nil)
      #expect(all == expected(first, second, nil), "\(center)")
    }
    let same = MapPlanes(first).difference(from: MapPlanes(first), seenBy: nil)
    #expect(same.differingUnseen == 0 && same.unseen == first.knownCount)
  }
}
