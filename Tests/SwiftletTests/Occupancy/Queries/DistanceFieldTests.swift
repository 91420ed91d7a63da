import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct DistanceFieldTests {
  /// The squared distance to the nearest of all obstacles, nil beyond the reach.
  private func check(
    _ field: DistanceField, _ scene: QueryScene, reach: Int, onlyCurrent: Bool = false,
    _ note: Comment
  ) -> Int {
    let obstacles = scene.keys.filter {
      let state = scene.state($0)
      return state == .occupied || field.obstacles == .occupiedOrUnknown && state == .unknown
    }
    let (ox, oy, oz) = (obstacles.map(\.x), obstacles.map(\.y), obstacles.map(\.z))
    // Every voxel where that is quick in a debug build, else every so many.
    let keys = scene.keys
    let step = max(1, keys.count * obstacles.count / 1_000_000)
    var wrong = 0
    var current = 0
    for key in stride(from: 0, to: keys.count, by: step).lazy.map({ keys[$0] }) {
      guard let found = field.squaredDistance(at: key, in: scene.grid) else {
        wrong += 1
        continue
      }
      if onlyCurrent, !found.isCurrent { continue }
      current += 1
      var nearest = Int.max
      for other in 0..<obstacles.count {
        let (x, y, z) = (key.x - ox[other], key.y - oy[other], key.z - oz[other])
        let square = Int(x * x + y * y + z * z)
        if square < nearest { nearest = square }
      }
      let expected = nearest <= reach * reach ? nearest : nil
      if found.voxels != expected || !found.isCurrent && !onlyCurrent { wrong += 1 }
    }
    #expect(wrong == 0, note)
    return current
  }

  @Test(arguments: everyQueryEngine, DistanceFieldObstacles.allCases)
  func `the field equals the nearest of all obstacles through changes, moves and emptiness`(
    kind: (Engine, Int), obstacles: DistanceFieldObstacles
  ) throws {
    for (cells, reach) in [(SIMD3(13, 11, 7), 3), (SIMD3(9, 18, 67), 5)] {
      var scene = try QueryScene(cells: cells, engine: kind.0, threads: kind.1)
      let field = try DistanceField(
        for: scene.grid, maximumDistanceMeters: Double(reach) * 0.5, obstacles: obstacles)
      #expect(field.reach == reach)
      field.update(from: scene.grid)
      _ = check(field, scene, reach: reach, "empty")
      if obstacles == .occupiedOrUnknown { for key in scene.keys { scene.set(key, .free) } }
      scene.scatter(occupied: 0.004, free: 0.2, seed: 12)
      field.update(from: scene.grid)
      _ = check(field, scene, reach: reach, "filled")
      let still = field.update(from: scene.grid)
      #expect(still.changedColumnCount == 0)
      if kind.0 != .reference { #expect(still.updatedColumnCount == 0) }
      let gone = scene.keys.first { scene.state($0) == .occupied }
      if let gone { scene.set(gone, .free) }
      scene.set(scene.keys[scene.keys.count / 2], .occupied)
      field.update(from: scene.grid)
      _ = check(field, scene, reach: reach, "one gone, one new")
      for (x, y) in [(1, 0), (-3, 2), (0, -4), (100, 100)] {
        scene.move(x: x, y: y)
        field.update(from: scene.grid)
        _ = check(field, scene, reach: reach, "moved by \(x), \(y)")
        scene.scatter(occupied: 0.002, free: 0.05, seed: UInt64(20 + x + y))
        field.update(from: scene.grid)
        _ = check(field, scene, reach: reach, "filled after the move by \(x), \(y)")
      }
    }
  }

  @Test(arguments: InstructionSet.supported, [1, 3])
  func `a budget leaves the rest marked, and what is not marked is exact`(
    set: InstructionSet, threads: Int
  ) throws {
    var scene = try QueryScene(cells: SIMD3(16, 21, 6), engine: .simd(set), threads: threads)
    let field = try DistanceField(for: scene.grid, maximumDistanceMeters: 1.5)
    scene.scatter(occupied: 0.02, free: 0.5, seed: 31)
    var update = field.update(from: scene.grid, maximumColumnCount: 40)
    #expect(update.updatedColumnCount <= 40 && update.pendingColumnCount > 0)
    #expect(check(field, scene, reach: 3, onlyCurrent: true, "first part") > 0)
    scene.move(x: 2, y: -1)
    scene.set(scene.keys[300], .occupied)
    var rounds = 0
    repeat {
      update = field.update(from: scene.grid, maximumColumnCount: 40)
      rounds += 1
      _ = check(field, scene, reach: 3, onlyCurrent: true, "part \(rounds)")
    } while update.pendingColumnCount > 0 && rounds < 50
    #expect(rounds > 3 && rounds < 50)
    _ = check(field, scene, reach: 3, "all parts")
  }

  @Test func `metres are roots of squares, the maximum beyond it, nothing outside`() throws {
    var scene = try QueryScene(cells: SIMD3(20, 20, 10), origin: VoxelKey(x: 0, y: 0, z: 0))
    scene.set(VoxelKey(x: 4, y: 4, z: 4), .occupied)
    let field = try DistanceField(for: scene.grid, maximumDistanceMeters: 2)
    field.update(from: scene.grid)
    #expect(field.distanceMeters(at: SIMD3(2.25, 2.25, 2.25), in: scene.grid) == 0)
    let near = field.distanceMeters(at: SIMD3(3.25, 2.75, 2.25), in: scene.grid) ?? -1
    #expect(abs(near - (1.0 + 0.25).squareRoot()) < 1e-12)
    #expect(field.distanceMeters(at: SIMD3(9, 9, 4), in: scene.grid) == 2)
    #expect(field.distanceMeters(at: SIMD3(10.1, 9, 4), in: scene.grid) == nil)
    // A maximum between two voxels: three across and one along is nearer than it.
    let uneven = try DistanceField(for: scene.grid, maximumDistanceMeters: 1.8)
    uneven.update(from: scene.grid)
    let corner = uneven.distanceMeters(at: SIMD3(3.75, 2.75, 2.25), in: scene.grid) ?? -1
    #expect(abs(corner - 0.5 * 10.0.squareRoot()) < 1e-12)
    #expect(uneven.distanceMeters(at: SIMD3(4.25, 2.25, 2.25), in: scene.grid) == 1.8)
  }
}
