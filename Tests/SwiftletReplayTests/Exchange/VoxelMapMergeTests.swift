import Foundation
import Swiftlet
import SwiftletTestSupport
import Testing

@testable import SwiftletReplay

@Suite struct VoxelMapMergeTests {
  @Test func `log-odds of shared voxels add up and are clamped, single ones stay`() throws {
    let a = try map([(0, 0, 0, 3), (1, 0, 0, -1.5), (2, 0, 0, 0.85), (9, 9, 9, 7)])
    let b = try map([(0, 0, 0, 3), (1, 0, 0, -1.5), (2, 0, 0, -0.4)])
    let merged = try VoxelMapMerge([.init(map: a), .init(map: b)])
    let model = OccupancyModel.octoMap
    #expect(merged.map.keys.map(\.x) == [0, 1, 2, 9])
    #expect(merged.map.logOdds == [model.maximum, model.minimum, Float(0.85) + Float(-0.4), 7])
    #expect(merged.sharedVoxelCount == 3)
    #expect(merged.contradictedVoxelCount == 1)
    #expect(merged.placements.allSatisfy { $0.isExact && $0.droppedVoxelCount == 0 })
  }

  @Test func `a quarter turn and whole voxels move a map exactly`() throws {
    // 90° about z: (x, y) → (−y, x); voxel 3,1 spans x 3...4, y 1...2 → x −2...−1, y 3...4.
    let source = try map([(3, 1, 0, 1), (0, 0, -1, 2)])
    let turn = Matrix3(SIMD3(0, -1, 0), SIMD3(1, 0, 0), SIMD3(0, 0, 1))
    let merged = try VoxelMapMerge([
      .init(
        map: source,
        worldFromMap: RigidTransform(rotation: turn, translation: SIMD3(0.4, -0.2, 2)))
    ])
    #expect(merged.placements[0].isExact)
    #expect(merged.map.keys == [VoxelKey(x: 0, y: 2, z: 10), VoxelKey(x: 1, y: -1, z: 9)].sorted())
    #expect(Set(merged.map.logOdds) == [1, 2])
    // The exact path and the resampler agree where both apply.
    let resampler = VoxelResampler(
      RigidTransform(rotation: turn, translation: SIMD3(0.4, -0.2, 2)), voxelSizeMeters: 0.2)
    #expect(resampler.targets(of: VoxelKey(x: 3, y: 1, z: 0)).compactMap(\.key) == [VoxelKey(x: 0, y: 2, z: 10)])
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func `resampling is a lookup of every target centre`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let source = try map(
      (0..<300).map { _ in
        (
          Int32.random(in: -6...6, using: &random), Int32.random(in: -6...6, using: &random),
          Int32.random(in: -6...6, using: &random), Float.random(in: -2...3, using: &random)
        )
      })
    let pose = RigidTransform(
      rotation: Quaternion(w: 0.7, x: 0.3, y: -0.5, z: Double(seed) * 0.2).normalized,
      translation: SIMD3(0.33, -0.71, 0.05))
    let merged = try VoxelMapMerge([.init(map: source, worldFromMap: pose)])
    #expect(!merged.placements[0].isExact)
    let values = Dictionary(uniqueKeysWithValues: zip(source.keys, source.logOdds))
    var expected: [VoxelKey: Float] = [:]
    let back = pose.inverse
    for x in -25...25 as ClosedRange<Int32> {
      for y in -25...25 as ClosedRange<Int32> {
        for z in -25...25 as ClosedRange<Int32> {
          let center = (SIMD3(Double(x), Double(y), Double(z)) + 0.5) * 0.2
          let index = ((back * center) / 0.2).rounded(.down)
          let key = VoxelKey(x: Int32(index.x), y: Int32(index.y), z: Int32(index.z))
          if let value = values[key] { expected[VoxelKey(x: x, y: y, z: z)] = value }
        }
      }
    }
    #expect(Dictionary(uniqueKeysWithValues: zip(merged.map.keys, merged.map.logOdds)) == expected)
    #expect(merged.placements[0].placedVoxelCount == expected.count)
  }

  @Test func `what cannot be merged is an error, what leaves the cube is counted`() throws {
    let a = try map([(0, 0, 0, 1)])
    let other = try VoxelMap(voxelSizeMeters: 0.4, keys: a.keys, logOdds: a.logOdds)
    #expect(throws: InputError.self) { try VoxelMapMerge([]) }
    #expect(throws: InputError.self) { try VoxelMapMerge([.init(map: a), .init(map: other)]) }
    let mirror = RigidTransform(
      rotation: Matrix3(SIMD3(-1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1)), translation: .zero)
    #expect(throws: InputError.self) { try VoxelMapMerge([.init(map: a, worldFromMap: mirror)]) }
    for distance in [8000.0, 8000.05, 1e12] {
      let far = RigidTransform(
        rotation: Matrix3.identity, translation: SIMD3(distance, 0, 0))
      let merged = try VoxelMapMerge([.init(map: a, worldFromMap: far)])
      #expect(merged.map.count == 0)
      #expect(merged.placements[0].droppedVoxelCount == 1)
    }
  }

  @Test func `a difference by hand`() throws {
    let a = try map([(0, 0, 0, 1), (1, 0, 0, -1), (2, 0, 0, 1), (3, 0, 0, -1)])
    let b = try map([(0, 0, 0, 1), (1, 0, 0, 1), (2, 0, 0, 3), (4, 0, 0, 0)])
    let diff = try VoxelMapDiff(from: a, to: b)
    #expect(diff.count(from: .occupied, to: .occupied) == 2)
    #expect(diff.count(from: .free, to: .occupied) == 1)
    #expect(diff.count(from: .free, to: .unknown) == 1)
    #expect(diff.count(from: .unknown, to: .occupied) == 1)
    #expect(diff.changes.map(\.key.x) == [1, 3, 4])
    #expect(diff.changes[1].toLogOdds.isNaN)
    #expect(diff.maximumLogOddsDifference == 2)
    #expect(diff.differentLogOddsCount == 2)
    #expect(diff.intersectionOverUnion(.occupied) == 0.5)
    #expect(diff.intersectionOverUnion(.free) == 0)
    #expect(diff.safeTensors(voxelSizeMeters: 0.2).tensors["from"]?.uint8s() == [1, 1, 0])
    #expect(try VoxelMapDiff(from: a, to: a).changes.isEmpty)
    let other = try VoxelMap(voxelSizeMeters: 0.4, keys: [], logOdds: [])
    #expect(throws: InputError.self) { try VoxelMapDiff(from: a, to: other) }
  }

  @Test func `a difference of random maps counts what a lookup counts`() throws {
    let a = try TestMaps.random(seed: 21, count: 800, spread: 6)
    let b = try TestMaps.random(seed: 22, count: 900, spread: 6)
    let diff = try VoxelMapDiff(from: a, to: b)
    func states(_ map: VoxelMap) -> [VoxelKey: Int] {
      Dictionary(
        uniqueKeysWithValues: map.keys.indices.map { (map.keys[$0], map.isOccupied($0) ? 2 : 1) })
    }
    let (from, to) = (states(a), states(b))
    var expected = [Int](repeating: 0, count: 9)
    for key in Set(from.keys).union(to.keys) { expected[(from[key] ?? 0) * 3 + (to[key] ?? 0)] += 1 }
    #expect(diff.counts == expected)
    #expect(diff.changes.count == expected[1] + expected[2] + expected[3] + expected[5] + expected[6] + expected[7])
    #expect(diff.changes.map(\.key) == diff.changes.map(\.key).sorted())
  }

  private func map(_ voxels: [(Int32, Int32, Int32, Float)]) throws -> VoxelMap {
    var unique: [VoxelKey: Float] = [:]
    for voxel in voxels { unique[VoxelKey(x: voxel.0, y: voxel.1, z: voxel.2)] = voxel.3 }
    return try VoxelMap(voxelSizeMeters: 0.2, unsorted: unique.map { ($0.key, $0.value) })
  }
}
