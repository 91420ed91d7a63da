import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct ObstacleFinderTests {
  private func layer(_ scene: QueryScene, highest: Double = 4) throws -> ObstacleLayer {
    var configuration = ObstacleLayerConfiguration()
    configuration.lowestMeters = scene.voxel
    configuration.highestMeters = highest
    return try ObstacleLayer(for: scene.grid, configuration: configuration)
  }

  /// Groups of touching obstacle voxels by merging labels until nothing changes.
  private func groups(_ layer: ObstacleLayer, _ cells: SIMD3<Int>) -> [Set<SIMD3<Int>>] {
    let words = (cells.z + 63) / 64
    var label: [SIMD3<Int>: Int] = [:]
    for y in 0..<cells.y {
      for x in 0..<cells.x {
        for z in 0..<cells.z
        where layer.bits[(y * cells.x + x) * words + z / 64] >> UInt64(z % 64) & 1 == 1 {
          label[SIMD3(x, y, z)] = label.count
        }
      }
    }
    var changes = true
    while changes {
      changes = false
      for (voxel, own) in label {
        for offset in 0..<27 {
          let near = voxel &+ SIMD3(offset % 3 - 1, offset / 3 % 3 - 1, offset / 9 - 1)
          if let other = label[near], other < label[voxel] ?? own {
            label[voxel] = other
            changes = true
          }
        }
      }
    }
    return Dictionary(grouping: label.keys) { label[$0] ?? 0 }.values.map(Set.init)
  }

  @Test(arguments: everyQueryEngine)
  func `obstacles are the groups of touching voxels with their boxes and counts`(
    kind: (Engine, Int)
  ) throws {
    for (cells, seed) in [(SIMD3(20, 17, 9), UInt64(4)), (SIMD3(12, 31, 68), 5)] {
      var scene = try QueryScene(cells: cells, engine: kind.0, threads: kind.1)
      scene.scatter(occupied: 0.04, free: 0.4, seed: seed)
      scene.move(x: 2, y: 3)
      let layer = try layer(scene, highest: 40)
      layer.update(from: scene.grid, groundPosition: scene.grid.lowerMeters)
      let finder = ObstacleFinder(for: scene.grid, minimumVoxelCount: 2)
      finder.find(in: layer)
      let expected = groups(layer, cells).filter { $0.count >= 2 }
      #expect(expected.count > 5)
      #expect(finder.count == expected.count)
      #expect(!finder.isTruncated)
      let boxes = Set((0..<finder.count).map { Box(finder.obstacles[$0]) })
      for group in expected {
        let low = group.reduce(SIMD3(repeating: Int.max)) { pointwiseMin($0, $1) }
        let high = group.reduce(SIMD3(repeating: Int.min)) { pointwiseMax($0, $1) }
        let origin = SIMD3(
          Int(scene.grid.origin.x), Int(scene.grid.origin.y), Int(scene.grid.origin.z))
        let box = Box(
          lower: SIMD3<Double>(low &+ origin) * 0.5, upper: SIMD3<Double>(high &+ origin &+ 1) * 0.5,
          count: group.count)
        #expect(boxes.contains(box), "group of \(group.count) from \(low) to \(high)")
      }
    }
  }
  private struct Box: Hashable {
    let lower: SIMD3<Double>
    let upper: SIMD3<Double>
    let count: Int
    init(lower: SIMD3<Double>, upper: SIMD3<Double>, count: Int) {
      (self.lower, self.upper, self.count) = (lower, upper, count)
    }
    init(_ obstacle: Obstacle) {
      self.init(lower: obstacle.lower, upper: obstacle.upper, count: obstacle.voxelCount)
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `kernels list the same obstacles as the scalar finder, in the same order`(
    set: InstructionSet
  ) throws {
    for (cells, seed) in [(SIMD3(19, 23, 10), UInt64(14)), (SIMD3(9, 16, 130), 15)] {
      var lists: [[Obstacle]] = []
      for engine in [Engine.reference, .simd(set)] {
        var scene = try QueryScene(cells: cells, engine: engine)
        scene.scatter(occupied: 0.06, free: 0.3, seed: seed)
        let layer = try layer(scene, highest: 40)
        layer.update(from: scene.grid, groundPosition: scene.grid.lowerMeters)
        let finder = ObstacleFinder(for: scene.grid, minimumVoxelCount: 1)
        finder.find(in: layer)
        lists.append((0..<finder.count).map { finder.obstacles[$0] })
      }
      #expect(lists[0].count == lists[1].count && lists[0].count > 5)
      for (a, b) in zip(lists[0], lists[1]) { #expect(a == b) }
    }
  }

  private static func car(_ scene: inout QueryScene, at middle: SIMD2<Double>, yaw: Double) {
    let turn = RigidTransform(
      rotation: Quaternion(axis: SIMD3(0, 0, 1), radians: yaw),
      translation: SIMD3(middle.x, middle.y, 0)
    ).inverse
    for key in scene.keys {
      let p = turn * scene.center(key)
      if abs(p.x) < 2.25, abs(p.y) < 0.9, key.z >= 1, key.z <= 7 { scene.set(key, .occupied) }
    }
  }
  private static func floor(_ scene: inout QueryScene) {
    for key in scene.keys { scene.set(key, key.z == 0 ? .occupied : .free) }
  }

  @Test(arguments: everyQueryEngine)
  func `a turned car has its length, width, height and heading`(kind: (Engine, Int)) throws {
    var scene = try QueryScene(
      cells: SIMD3(64, 64, 16), voxel: 0.2, engine: kind.0, threads: kind.1,
      origin: VoxelKey(x: -32, y: -32, z: 0))
    Self.floor(&scene)
    Self.car(&scene, at: SIMD2(1, -1), yaw: 0.5)
    let layer = try layer(scene)
    layer.update(from: scene.grid, groundPosition: SIMD3(-5, 5, 0.1))
    let finder = ObstacleFinder(for: scene.grid)
    #expect(finder.find(in: layer) == 1)
    let found = finder.obstacles[0]
    // Voxels of 0.2 m: sides are right to one voxel's diagonal, angles to that over the length.
    #expect(abs(found.size.x - 4.5) < 0.29 && abs(found.size.y - 1.8) < 0.29)
    #expect(abs(found.heightMeters - 1.4) < 1e-9)
    #expect(abs(found.yawRadians - 0.5) < 0.06)
    #expect(abs(found.center.x - 1) < 0.1 && abs(found.center.y + 1) < 0.1)
  }

  @Test func `a tracker follows a car and a post, and only the car has a speed`() throws {
    let tracker = ObstacleTracker()
    var identities: Set<UInt64> = []
    var last: [Obstacle] = []
    for frame in 0..<8 {
      var scene = try QueryScene(
        cells: SIMD3(90, 40, 12), voxel: 0.2, origin: VoxelKey(x: -45, y: -20, z: 0))
      Self.floor(&scene)
      Self.car(&scene, at: SIMD2(-5 + Double(frame) * 0.8, 1), yaw: 0)
      for z in Int32(1)..<9 { scene.set(VoxelKey(x: 20, y: -15, z: z), .occupied) }
      let layer = try layer(scene)
      layer.update(from: scene.grid, groundPosition: SIMD3(-8, -3, 0.1))
      let finder = ObstacleFinder(for: scene.grid)
      #expect(finder.find(in: layer) == 2)
      tracker.update(
        finder.obstacles, count: finder.count, atNanoseconds: Int64(frame) * 100_000_000)
      last = (0..<finder.count).map { finder.obstacles[$0] }
      identities.formUnion(last.map(\.identity))
    }
    #expect(identities == [1, 2])
    let car = last.max { $0.voxelCount < $1.voxelCount }
    let post = last.min { $0.voxelCount < $1.voxelCount }
    #expect(abs((car?.velocity.x ?? 0) - 8) < 0.3 && abs(car?.velocity.y ?? 9) < 0.3)
    #expect(post?.velocity == .zero)
  }

  @Test func `what grows at one end, and what is longer than any vehicle, stands`() {
    let tracker = ObstacleTracker()
    let obstacles = AlignedBuffer<Obstacle>(count: 3)
    for frame in 0..<8 {
      let away = Double(frame)
      // A wall seen farther and farther, a facade whose seen part goes along with us, a car.
      for (index, ends) in [(0.0, 4 + away), (away, 30 + away), (away, 4 + away)].enumerated() {
        var obstacle = Obstacle()
        obstacle.lower = SIMD3(ends.0, 20 * Double(index), 0)
        obstacle.upper = SIMD3(ends.1, 20 * Double(index) + 1, 2)
        obstacle.center = (obstacle.lower + obstacle.upper) / 2
        obstacle.size = obstacle.upper - obstacle.lower
        obstacle.voxelCount = 100
        obstacles[index] = obstacle
      }
      tracker.update(obstacles, count: 3, atNanoseconds: Int64(frame) * 100_000_000)
    }
    #expect(obstacles[0].velocity == .zero && obstacles[1].velocity == .zero)
    #expect(abs(obstacles[2].velocity.x - 10) < 1e-9)
    #expect(Set((0..<3).map { obstacles[$0].identity }) == [1, 2, 3])
  }

  @Test(arguments: everyQueryEngine)
  func `an empty map has no obstacles, a full list says so`(kind: (Engine, Int)) throws {
    var scene = try QueryScene(cells: SIMD3(16, 16, 8), engine: kind.0, threads: kind.1)
    let layer = try layer(scene)
    let finder = ObstacleFinder(for: scene.grid, minimumVoxelCount: 1, capacity: 3)
    layer.update(from: scene.grid, groundPosition: scene.grid.lowerMeters)
    #expect(finder.find(in: layer) == 0 && !finder.isTruncated)
    let o = scene.grid.origin
    for x in Int32(0)..<8 { scene.set(VoxelKey(x: o.x + 2 * x, y: o.y + 3, z: o.z + 4), .occupied) }
    layer.update(from: scene.grid, groundPosition: scene.grid.lowerMeters)
    finder.find(in: layer)
    #expect(finder.isTruncated && finder.count == 3)
    let short = ObstacleFinder(for: scene.grid, minimumVoxelCount: 1, runCapacity: 7)
    #expect(short.find(in: layer) == 0 && short.isTruncated)
    let enough = ObstacleFinder(for: scene.grid, minimumVoxelCount: 1, runCapacity: 8)
    #expect(enough.find(in: layer) == 8 && !enough.isTruncated)
  }
}
