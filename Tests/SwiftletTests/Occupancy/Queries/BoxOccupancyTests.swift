import Swiftlet
import SwiftletTestSupport
import Testing

/// Whether two boxes share a volume, by the corners of their intersection: every three of the twelve
/// planes meet in a point, and some such point satisfies all twelve exactly when they do.
private struct BoxPair {
  /// Normals and offsets: inside is n · x ≤ d.
  var normals: [SIMD3<Double>] = []
  var offsets: [Double] = []

  init(
    voxelCenter: SIMD3<Double>, voxelHalf: Double, pose: RigidTransform, half: SIMD3<Double>,
    grownBy margin: Double
  ) {
    let axes = [
      SIMD3(1.0, 0, 0), SIMD3(0.0, 1, 0), SIMD3(0.0, 0, 1), pose.rotation * SIMD3(1, 0, 0),
      pose.rotation * SIMD3(0, 1, 0), pose.rotation * SIMD3(0, 0, 1),
    ]
    for (index, axis) in axes.enumerated() {
      let middle = ((index < 3 ? voxelCenter : pose.translation) * axis).sum()
      let reach = (index < 3 ? voxelHalf : half[index - 3]) + margin
      normals += [axis, -axis]
      offsets += [middle + reach, reach - middle]
    }
  }

  var isFeasible: Bool {
    for a in 0..<12 {
      for b in (a + 1)..<12 {
        let line = cross(normals[a], normals[b])
        for c in (b + 1)..<12 {
          let determinant = (line * normals[c]).sum()
          if abs(determinant) < 1e-9 { continue }
          let sum =
            cross(normals[b], normals[c]) * offsets[a] + cross(normals[c], normals[a]) * offsets[b]
            + line * offsets[c]
          let point = sum / determinant
          let isInside = (0..<12).allSatisfy { (normals[$0] * point).sum() <= offsets[$0] + 1e-9 }
          if isInside { return true }
        }
      }
    }
    return false
  }
  private func cross(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> SIMD3<Double> {
    SIMD3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
  }
}

@Suite struct BoxOccupancyTests {
  private func scene(_ engine: Engine) throws -> QueryScene {
    var scene = try QueryScene(cells: SIMD3(14, 13, 10), engine: engine)
    scene.scatter(occupied: 0.3, free: 0.4, seed: 3)
    scene.move(x: 3, y: 4)
    scene.scatter(occupied: 0.3, free: 0.4, seed: 4)
    return scene
  }

  @Test func `a turned box counts the voxels that share a volume with it`() throws {
    let scenes = try everyOccupancyEngine.map(scene)
    let scene = scenes[0]
    var generator = SeededGenerator(seed: 8)
    for trial in 0..<6 {
      let v = generator.floats(7)
      let turn = Quaternion(
        axis: SIMD3(Double(v[0]), Double(v[1]), Double(v[2]) + 0.1), radians: Double(v[3]) * 3
      ).normalized
      let middle =
        scene.grid.lowerMeters
        + SIMD3(Double(v[4]) * 3 + 3.5, Double(v[5]) * 3 + 3.2, Double(v[6]) * 2 + 2.5)
      let pose = RigidTransform(rotation: turn, translation: middle)
      let size = [SIMD3(2.1, 1.2, 0.8), SIMD3(3.0, 0.05, 1), SIMD3(0.3, 0.3, 0.3)][trial % 3]
      var least = BoxOccupancy()
      var most = BoxOccupancy()
      let reach = (size * size).sum().squareRoot() / 2 + scene.voxel
      let low = ((middle - reach) / scene.voxel).rounded(.down)
      let high = ((middle + reach) / scene.voxel).rounded(.down)
      for x in Int32(low.x)...Int32(high.x) {
        for y in Int32(low.y)...Int32(high.y) {
          for z in Int32(low.z)...Int32(high.z) {
            let key = VoxelKey(x: x, y: y, z: z)
            // Within a nanometre of touching either answer is right.
            func overlaps(_ margin: Double) -> Bool {
              BoxPair(
                voxelCenter: scene.center(key), voxelHalf: scene.voxel / 2, pose: pose,
                half: size / 2, grownBy: margin
              ).isFeasible
            }
            guard overlaps(1e-8) else { continue }
            count(key, scene, &most)
            if overlaps(-1e-8) { count(key, scene, &least) }
          }
        }
      }
      #expect(least == most)
      for scene in scenes {
        let found = scene.grid.occupancy(of: pose, size: size)
        #expect(found == least, "trial \(trial), \(scene.grid.engine): \(found)")
      }
    }
  }

  private func count(_ key: VoxelKey, _ scene: QueryScene, _ counts: inout BoxOccupancy) {
    switch scene.state(key) {
    case .free: counts.freeCount += 1
    case .unknown: counts.unknownCount += 1
    case .occupied: counts.occupiedCount += 1
    }
    if !scene.grid.covers(key) { counts.outsideCount += 1 }
  }

  @Test(arguments: everyQueryEngine)
  func `boxes along voxel faces count what is inside, points and far boxes are defined`(
    kind: (Engine, Int)
  ) throws {
    var scene = try QueryScene(
      cells: SIMD3(16, 16, 70), voxel: 0.5, engine: kind.0, threads: kind.1,
      origin: VoxelKey(x: -8, y: -8, z: 0))
    let identity = RigidTransform.identity
    func box(_ middle: SIMD3<Double>, _ size: SIMD3<Double>) -> BoxOccupancy {
      scene.grid.occupancy(
        of: RigidTransform(rotation: identity.rotation, translation: middle), size: size)
    }
    // Two voxels an edge, faces on faces: 8 voxels, not 64.
    let eight = box(SIMD3(0, 0, 1), SIMD3(1, 1, 1))
    #expect(eight.unknownCount == 8 && eight.freeCount == 0 && eight.occupiedCount == 0)
    scene.set(VoxelKey(x: 0, y: 0, z: 2), .occupied)
    scene.set(VoxelKey(x: -1, y: 0, z: 2), .free)
    let filled = box(SIMD3(0, 0, 1), SIMD3(1, 1, 1))
    #expect(filled.unknownCount == 6 && filled.freeCount == 1 && filled.occupiedCount == 1)
    #expect(filled.state == .occupied)
    // A point lies in one voxel.
    let point = box(SIMD3(-0.25, 0.25, 1.25), .zero)
    #expect(point.state == .free && point.freeCount == 1 && point.unknownCount == 0)
    let outside = box(SIMD3(1000, 0, 1), SIMD3(1, 1, 1))
    #expect(outside.state == .unknown && outside.outsideCount == outside.unknownCount)
    // A column across a word border of the bit planes.
    for z in 60..<68 { scene.set(VoxelKey(x: 3, y: 3, z: Int32(z)), z % 2 == 0 ? .free : .occupied) }
    let column = box(SIMD3(1.75, 1.75, 32), SIMD3(0.2, 0.2, 4))
    #expect(column.freeCount == 4 && column.occupiedCount == 4 && column.unknownCount == 0)
  }

  private func sweep(
    _ grid: OccupancyGrid, _ poses: [RigidTransform], _ size: SIMD3<Double>,
    maximumStepCount: Int = 100_000
  ) -> (PathOccupancy, [BoxOccupancy]) {
    let results = AlignedBuffer<BoxOccupancy>(count: poses.count)
    let summary = poses.withUnsafeBufferPointer {
      grid.occupancy(
        ofPath: $0, size: size, maximumStepCount: maximumStepCount, results: results.elements)
    }
    return (summary, results.array)
  }
  private func pose(_ x: Double, _ y: Double, _ yaw: Double = 0) -> RigidTransform {
    RigidTransform(
      rotation: Quaternion(axis: SIMD3(0, 0, 1), radians: yaw), translation: SIMD3(x, y, 1))
  }

  @Test(arguments: everyQueryEngine)
  func `a swept box meets the wall where its nose does, and no post between two poses is missed`(
    kind: (Engine, Int)
  ) throws {
    var scene = try QueryScene(
      cells: SIMD3(120, 60, 8), voxel: 0.25, engine: kind.0, threads: kind.1,
      origin: VoxelKey(x: -20, y: -30, z: 0))
    for key in scene.keys { scene.set(key, .free) }
    let size = SIMD3(4.0, 1.8, 1.4)
    let clear = sweep(scene.grid, [pose(0, 0), pose(4, 0), pose(20, 0)], size)
    #expect(clear.0.state == .free && clear.0.firstOccupiedPose == -1)
    #expect(clear.0.firstNotFreePose == -1)
    #expect(abs(clear.0.clearMeters - 20) < 1e-9)
    // A wall from x = 10 m on: the nose, 2 m ahead of the middle, meets it at 8 m.
    for y in Int32(-30)..<30 { scene.set(VoxelKey(x: 40, y: y, z: 4), .occupied) }
    let wall = sweep(scene.grid, [pose(0, 0), pose(4, 0), pose(20, 0)], size)
    #expect(wall.0.state == .occupied && wall.0.firstOccupiedPose == 2)
    #expect(wall.0.clearMeters <= 8 && wall.0.clearMeters > 8 - 0.125)
    #expect(wall.1[1].state == .free && wall.1[2].state == .occupied)
    // A turn on the spot sweeps a post that neither pose touches.
    var turning = try QueryScene(
      cells: SIMD3(60, 60, 8), voxel: 0.25, engine: kind.0, threads: kind.1,
      origin: VoxelKey(x: -30, y: -30, z: 0))
    for key in turning.keys { turning.set(key, .free) }
    turning.set(VoxelKey(x: 5, y: 5, z: 4), .occupied)
    let poses = [pose(0, 0), pose(0, 0, .pi / 2)]
    #expect(turning.grid.occupancy(of: poses[0], size: size).state == .free)
    #expect(turning.grid.occupancy(of: poses[1], size: size).state == .free)
    let turn = sweep(turning.grid, poses, size)
    #expect(turn.0.state == .occupied && turn.0.firstOccupiedPose == 1)
    // Out of the window: unknown from there on.
    let leaving = sweep(turning.grid, [pose(0, -4), pose(30, -4)], size)
    #expect(leaving.0.state == .unknown && leaving.0.firstNotFreePose == 1)
    // A budget of steps bounds the time, and what was not looked at is unknown.
    let cut = sweep(scene.grid, [pose(0, 0), pose(4, 0), pose(6, 0)], size, maximumStepCount: 5)
    #expect(cut.0.stepCount == 5 && cut.0.state == .unknown && cut.1[2].unknownCount == 1)
    #expect(sweep(scene.grid, [], size).0.state == .free)
  }
}
