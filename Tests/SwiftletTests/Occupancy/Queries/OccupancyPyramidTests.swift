import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct OccupancyPyramidTests {
  private func floorShift(_ value: Int32, _ level: Int) -> Int32 { value >> Int32(level) }

  @Test(arguments: everyQueryEngine)
  func `coarse cells hold the extremes of all their voxels`(kind: (Engine, Int)) throws {
    for cells in [SIMD3(9, 12, 7), SIMD3(16, 8, 64), SIMD3(11, 13, 67)] {
      var scene = try QueryScene(
        cells: cells, engine: kind.0, threads: kind.1, origin: VoxelKey(x: -5, y: 3, z: -9))
      scene.scatter(occupied: 0.1, free: 0.8, seed: UInt64(cells.x))
      scene.move(x: 2, y: -6)
      scene.scatter(occupied: 0.03, free: 0.9, seed: UInt64(cells.y))
      let pyramid = try OccupancyPyramid(for: scene.grid, levelCount: 4)
      pyramid.update(from: scene.grid)
      for level in 1...4 {
        var members: [VoxelKey: [VoxelKey]] = [:]
        for key in scene.keys {
          let coarse = VoxelKey(
            x: floorShift(key.x, level), y: floorShift(key.y, level), z: floorShift(key.z, level))
          members[coarse, default: []].append(key)
        }
        for (coarse, keys) in members {
          let values = keys.map { scene.grid.logOdds($0) }
          let isWhole = keys.count == 1 << (3 * level)
          let found = pyramid.extremes(level: level, at: coarse)
          let highest = values.compactMap(\.self).max()
          // Voxels outside the window are unknown.
          let lowest = isWhole && !values.contains(nil) ? values.compactMap(\.self).min() : nil
          let isSame = found?.maximum == highest && found?.minimum == lowest
          #expect(isSame, "level \(level), cell \(coarse): \(String(describing: found))")
          let states = keys.map(scene.state)
          let expected: VoxelState =
            states.contains(.occupied)
            ? .occupied : isWhole && states.allSatisfy { $0 == .free } ? .free : .unknown
          #expect(pyramid.state(level: level, at: coarse) == expected)
        }
        #expect(pyramid.extremes(level: level, at: VoxelKey(x: 10_000, y: 0, z: 0)) == nil)
      }
    }
  }

  @Test func `an empty window is unknown on every level`() throws {
    let scene = try QueryScene(cells: SIMD3(10, 10, 10))
    let pyramid = try OccupancyPyramid(for: scene.grid, levelCount: 3)
    pyramid.update(from: scene.grid)
    for level in 1...3 {
      let o = pyramid.levels[level - 1].origin
      #expect(pyramid.extremes(level: level, at: o)?.maximum == nil)
      #expect(pyramid.state(level: level, at: o) == .unknown)
    }
  }
}
