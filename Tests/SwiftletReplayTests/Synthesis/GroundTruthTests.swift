import Swiftlet
import Testing

@testable import SwiftletReplay

struct GroundTruthTests {
  private func grid() -> GroundTruthGrid {
    GroundTruthGrid(
      voxelSize: 1, counts: SIMD3(10, 10, 10), windowFromSnapshot: RigidTransform.identity)
  }

  @Test("A ray frees the voxels it passes and fills the one it ends in")
  func oneRay() {
    var grid = grid()
    grid.cast(
      LidarSweep.Beam(origin: SIMD3(0.5, 4.5, 4.5), end: SIMD3(5.2, 4.5, 4.5), hits: true),
      isCamera: false)
    let states = grid.states()
    for x in 0..<10 {
      let state = GroundTruthState(rawValue: states[grid.place(SIMD3(Int32(x), 4, 4))])
      #expect(state == (x < 5 ? .free : x == 5 ? .occupied : .unseen), "x = \(x)")
    }
    #expect(states.count { $0 != 0 } == 6)
  }

  @Test("A ray from outside enters the window and leaves it; one that ends nowhere fills nothing")
  func throughTheWindow() {
    var grid = grid()
    grid.cast(
      LidarSweep.Beam(origin: SIMD3(-5, 2.5, 3.5), end: SIMD3(30, 2.5, 3.5), hits: false),
      isCamera: false)
    let states = grid.states()
    #expect(states.count { $0 == GroundTruthState.free.rawValue } == 10)
    #expect(states.count { $0 == GroundTruthState.occupied.rawValue } == 0)
  }

  @Test("A diagonal ray visits face neighbours only and every voxel once")
  func diagonal() {
    var grid = grid()
    grid.cast(
      LidarSweep.Beam(origin: SIMD3(0.1, 0.3, 0.5), end: SIMD3(9.9, 7.7, 6.5), hits: true),
      isCamera: false)
    // From cell (0,0,0) to (9,7,6): 22 steps between face neighbours.
    #expect(grid.states().count { $0 != 0 } == 23)
  }

  @Test("A voxel that rays pass and geometry touches is neither free nor occupied")
  func touched() {
    var grid = grid()
    grid.cast(
      LidarSweep.Beam(origin: SIMD3(0.5, 4.5, 4.5), end: SIMD3(9.5, 4.5, 4.5), hits: true),
      isCamera: false)
    grid.markGeometry(
      [ScenePrimitive(.box, .bin, center: SIMD3(3.5, 3.9, 4.5), half: SIMD3(0.2, 0.2, 0.2))],
      times: [0])
    let states = grid.states()
    #expect(states[grid.place(SIMD3(3, 4, 4))] == GroundTruthState.touched.rawValue)
    #expect(states[grid.place(SIMD3(2, 4, 4))] == GroundTruthState.free.rawValue)
    #expect(states[grid.place(SIMD3(9, 4, 4))] == GroundTruthState.occupied.rawValue)
  }

  @Test("Free, occupied and touched voxels of a drive do not overlap, and returns lie in occupied ones")
  func drive() throws {
    let drive = try TinyDrive.make()
    let frame = try TinyDrive.frame.get()
    let truth = frame.groundTruth
    let occupied = Set(truth.occupiedKeys)
    #expect(occupied.count == truth.occupiedKeys.count && occupied.count > 500)
    #expect(truth.freeKeys.count > 5 * occupied.count)
    #expect(occupied.isDisjoint(with: truth.freeKeys))
    let worldFromLidar = frame.worldFromEgo * drive.rig.lidar.egoFromLidar
    var inside = 0
    var near = 0
    for point in 0..<frame.pointTimes.count {
      let p = SIMD3<Double>(
        SIMD3(frame.points[5 * point], frame.points[5 * point + 1], frame.points[5 * point + 2]))
      guard (p * p).sum() < 900 else { continue }
      near += 1
      let key = SIMD3<Int32>(((worldFromLidar * p) / 0.4).rounded(.down))
      if occupied.contains(key) { inside += 1 }
    }
    // 2 cm of noise moves a return over a border in few of 0.4 m voxels.
    #expect(Double(inside) > 0.93 * Double(near), "\(inside) of \(near)")
  }

  @Test("The ego window shows the same world as the keys")
  func egoWindow() throws {
    let truth = try TinyDrive.frame.get().groundTruth
    let free = Set(truth.freeKeys)
    var contradictions = 0
    var occupied = 0
    for x in 0..<200 {
      for y in 0..<200 {
        for z in 2..<15 where truth.egoState(x: x, y: y, z: z) == .occupied {
          occupied += 1
          let cell = SIMD3<Double>(Double(x), Double(y), Double(z)) + 0.5
          let place = truth.worldFromEgo * (GroundTruthFrame.egoLowerBounds + cell * 0.4)
          if free.contains(SIMD3<Int32>((place / 0.4).rounded(.down))) { contradictions += 1 }
        }
      }
    }
    #expect(occupied > 300)
    // A voxel's middle may lie beyond the surface that crosses its corner, never far from it.
    #expect(contradictions < occupied / 3, "\(contradictions) of \(occupied)")
    let state = truth.egoState(x: 104, y: 100, z: 4)
    #expect(state != .occupied)
    #expect(truth.egoCameraMask.contains(1))
  }

  @Test("A perfect map scores 1, an empty one 0, a full one pays in ghosts, a mirrored one fails")
  func scores() throws {
    let truth = try TinyDrive.frame.get().groundTruth
    let occupied = Set(truth.occupiedKeys)
    func key(_ p: SIMD3<Double>) -> SIMD3<Int32> { SIMD3<Int32>((p / 0.4).rounded(.down)) }
    let perfect = MapScore.compare(truth, mapVoxelSizeMeters: 0.4) {
      occupied.contains(key($0)) ? .occupied : .free
    }
    #expect(perfect.intersectionOverUnion == 1 && perfect.ghosts == 0)
    #expect(perfect.surfaceRecall == 1 && perfect.freeIntersectionOverUnion == 1)
    let empty = MapScore.compare(truth, mapVoxelSizeMeters: 0.4) { _ in .unknown }
    #expect(empty.intersectionOverUnion == 0 && empty.missed == occupied.count)
    let full = MapScore.compare(truth, mapVoxelSizeMeters: 0.4) { _ in .occupied }
    #expect(full.ghosts == truth.freeKeys.count && full.surfaceRecall == 1)
    let outside = MapScore.compare(truth, mapVoxelSizeMeters: 0.4) { _ in nil }
    #expect(outside == MapScore())
    let ego = truth.worldFromEgo
    let mirrored = MapScore.compare(truth, mapVoxelSizeMeters: 0.4) { place in
      var inEgo = ego.inverse * place
      inEgo.y = -inEgo.y
      return occupied.contains(key(ego * inEgo)) ? .occupied : .free
    }
    #expect((mirrored.intersectionOverUnion ?? 1) < 0.5)
  }

  @Test("A finer map is asked at every voxel inside the truth's")
  func finerMap() throws {
    let truth = try TinyDrive.frame.get().groundTruth
    let occupied = Set(truth.occupiedKeys)
    let score = MapScore.compare(truth, mapVoxelSizeMeters: 0.2) { place in
      let key = SIMD3<Int32>((place / 0.4).rounded(.down))
      let part = place / 0.4 - (place / 0.4).rounded(.down)
      let isCorner = part.x > 0.5 && part.y > 0.5 && part.z > 0.5
      return occupied.contains(key) && isCorner ? .occupied : .free
    }
    #expect(score.intersectionOverUnion == 1)
  }
}
