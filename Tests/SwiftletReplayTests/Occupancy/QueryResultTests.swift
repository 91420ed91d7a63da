import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

/// What `swiftlet query visibility`, `objects` and `ghosts` say about scenes made by hand.
@Suite struct QueryResultTests {
  private func grid(voxel: Double = 0.4) throws -> OccupancyGrid {
    var c = OccupancyConfiguration()
    (c.voxelSizeMeters, c.maximumRangeMeters, c.mode) = (voxel, 30, .exact)
    (c.cellCountX, c.cellCountY, c.cellCountZ, c.lowerZMeters) = (170, 170, 24, -3)
    return try OccupancyGrid(configuration: c, engine: .best, pool: WorkerPool(threadCount: 1))
  }
  private func window(
    _ grid: OccupancyGrid, _ worldFromEgo: RigidTransform = .identity, time: Int64 = 0
  ) -> QueryWindow {
    QueryWindow(
      grid: grid, worldFromEgo: worldFromEgo, frameCount: 3, timestampNanoseconds: time,
      warnings: [])
  }
  private func withFrame(
    _ points: [SIMD3<Float>], cameras: [CameraInput] = [], lidarHeight: Double = 1,
    _ body: (SensorFrame) throws -> Void
  ) rethrows {
    let buffer = AlignedBuffer(points.flatMap { [$0.x, $0.y, $0.z, 0] })
    let cloud = PointCloudView(
      base: UnsafeRawPointer(buffer.pointer), count: points.count, byteStride: 16)
    let mount = RigidTransform(rotation: Matrix3.identity, translation: SIMD3(0, 0, lidarHeight))
    try withExtendedLifetime(buffer) {
      try body(
        SensorFrame(
          timestampNanoseconds: 0, worldFromEgo: .identity, resetsHistory: false, cameras: cameras,
          lidars: [
            LidarInput(
              name: "LIDAR", timestampNanoseconds: 0, ageNanoseconds: 0, isValid: true,
              points: cloud, egoFromLidar: mount, worldFromLidar: mount)
          ]))
    }
  }

  // MARK: visibility

  /// A wall 10 m ahead, from 4 m to the right to 4 m to the left and from the ego's origin 2 m up.
  private var wall: [SIMD3<Float>] {
    stride(from: -3.9 as Float, to: 4, by: 0.1).flatMap { y in
      stride(from: -0.9 as Float, to: 1, by: 0.1).map { SIMD3(10.2, y, $0) }
    }
  }
  private var camera: CameraInput {
    let mount = RigidTransform(
      rotation: Matrix3(SIMD3(0, 0, 1), SIMD3(-1, 0, 0), SIMD3(0, -1, 0)),
      translation: SIMD3(0, 0, 1))
    return CameraInput(
      name: "CAM", timestampNanoseconds: 0, ageNanoseconds: 0, isValid: true,
      intrinsics: CameraIntrinsics(
        focalX: 100, focalY: 100, centerX: 50, centerY: 50, widthPixels: 100, heightPixels: 100),
      egoFromCamera: mount, keyEgoFromCamera: mount, networkWidthPixels: 100,
      networkHeightPixels: 100)
  }

  @Test func `a wall is seen, hides what is behind it, and the counts are those of the masks`()
    throws
  {
    let grid = try grid()
    let map = try VisibilityMap(pool: WorkerPool(threadCount: 1))
    grid.recenter(onWorld: .zero)
    // One point behind, where no camera looks.
    let points = wall + [SIMD3(-8.2, 0.1, 0)]
    withFrame(points, cameras: [camera]) { frame in
      grid.add(frame.lidars[0].points, worldFromLidar: frame.lidars[0].worldFromLidar)
      grid.fold()
      map.update(frame, grid: grid)
    }
    let result = VisibilityResult(map, worldFromEgo: .identity, frameCount: 1)
    func index(_ x: Double, _ y: Double, _ z: Double) -> Int {
      let cell = ((SIMD3(x, y, z) - SIMD3(-40, -40, -1)) / 0.4).rounded(.down)
      return (Int(cell.x) * 200 + Int(cell.y)) * 16 + Int(cell.z)
    }
    #expect(result.sensors.map(\.name) == ["LiDAR", "CAM"])
    for states in result.sensors.map(\.states) {
      #expect(states[index(6, 0.1, 1)] == Visibility.visible.rawValue)
      #expect(states[index(10.2, 0.1, 1)] == Visibility.visible.rawValue)
      #expect(states[index(15, 0.1, 1)] == Visibility.occluded.rawValue)
      #expect(states[index(-6, 7, 1)] == Visibility.outOfView.rawValue)
    }
    // Ahead the wall's cells, and no other, are occupied.
    let expected = Set(wall.map { index(Double($0.x), Double($0.y), Double($0.z) + 1) })
    let occupied = result.occupied.indices.filter { result.occupied[$0] == 1 }
    #expect(Set(occupied.filter { $0 >= index(0, -39.9, -0.9) }) == expected)
    #expect(result.lidarMask[index(-6, 0.1, 1)] == 1 && result.cameraMask[index(-6, 0.1, 1)] == 0)
    #expect(result.cameraMask.contains(1))
    // What a camera sees of what the LiDAR saw in all frames so far.
    for cell in result.cameraMask.indices where result.cameraMask[cell] == 1 {
      let isSeen = result.sensors[1].states[cell] == 2 && result.lidarMask[cell] == 1
      #expect(isSeen, "cell \(cell)")
    }
    let cells = 200 * 200 * 16
    let sensors = try #require(result.json["sensors"]?.arrayValue)
    for (sensor, row) in zip(result.sensors, sensors) {
      let counts = ["out_of_view", "occluded", "visible"].map { row[$0]?.intValue ?? -1 }
      #expect(counts == [0, 1, 2].map { state in sensor.states.count { $0 == state } })
      #expect(counts.reduce(0, +) == cells)
    }
    #expect(result.json["mask_lidar"]?.intValue == result.lidarMask.count { $0 == 1 })
    #expect(result.table.contains("occupied \(occupied.count) of \(cells)"))
    let tensors = result.safeTensors.tensors
    #expect(tensors["mask_lidar"]?.uint8s() == result.lidarMask)
    #expect(tensors["mask_camera"]?.uint8s() == result.cameraMask)
    #expect(tensors["states"]?.shape == [2, 200, 200, 16])
    #expect(tensors["states"]?.uint8s() == result.sensors[0].states + result.sensors[1].states)
  }

  // MARK: objects

  private func obstacle(_ identity: UInt64, _ x: Double, _ y: Double, speed: Double) -> Obstacle {
    var obstacle = Obstacle()
    obstacle.identity = identity
    // Off the faces of the volume's cells, as a point in its middle then is.
    obstacle.center = SIMD3(x + 0.05, y + 0.1, 1.1)
    obstacle.size = SIMD3(4, 2, 2)
    obstacle.lower = obstacle.center - obstacle.size / 2
    obstacle.upper = obstacle.center + obstacle.size / 2
    obstacle.velocity = SIMD3(speed, 0, 0)
    obstacle.heightMeters = 2
    return obstacle
  }

  @Test func `objects are told nearest first, remembered ones where they should be by now`() throws
  {
    let memory = ObjectMemory()
    let visibility = try VisibilityMap(pool: WorkerPool(threadCount: 1))
    let obstacles = AlignedBuffer<Obstacle>(count: 3)
    let pose = RigidTransform(
      rotation: Quaternion(axis: SIMD3(0, 0, 1), radians: .pi / 2), translation: SIMD3(17, 3, 0))
    for step in 0..<4 {
      let x = 10 + 0.5 * Double(step)
      // In the last frame the first one is out of sight.
      let seen =
        step < 3
        ? [
          obstacle(1, x, 0, speed: 5), obstacle(2, 18, 6, speed: 0), obstacle(3, 30, -12, speed: 0),
        ]
        : [obstacle(2, 18, 6, speed: 0), obstacle(3, 30, -12, speed: 0)]
      for (index, one) in seen.enumerated() { obstacles[index] = one }
      // The LiDAR stands 1 m above the ego.
      let points = seen.flatMap { one in
        [-0.5, 0, 0.5].map { SIMD3<Float>(Float(one.center.x), Float(one.center.y + $0), 0.1) }
      }
      withFrame(points) { visibility.update($0, grid: nil) }
      memory.update(
        obstacles, count: seen.count, atNanoseconds: Int64(step) * 100_000_000,
        visibility: visibility, worldFromEgo: .identity)
    }
    let result = ObjectResult(
      memory: memory, window: window(try grid(), pose, time: 300_000_000), withinMeters: 15)
    // The third is 20 m away. The first drove on to 11.55.
    try #require(result.objects.map(\.obstacle.identity) == [2, 1])
    let first = result.objects[1]
    #expect(!first.isSeen && abs(first.obstacle.center.x - 11.55) < 1e-9)
    // Half a life of two seconds: a tenth of a second leaves 2^-0.05.
    #expect(abs(first.confidence - pow(2, -0.05)) < 1e-9)
    let rows = try #require(result.json["objects"]?.arrayValue)
    // Turned by a quarter: ahead is world's y.
    let center = try #require(rows[1]["center"]?.doublesValue)
    #expect(abs(center[0] + 2.9) < 1e-9 && abs(center[1] - 5.45) < 1e-9)
    #expect(abs((rows[1]["unseen_seconds"]?.doubleValue ?? 9) - 0.1) < 1e-9)
    #expect(rows[0]["is_seen"]?.boolValue == true)
    #expect(result.table.contains("1 objects seen, 1 remembered after 3 frames"))
  }

  // MARK: ghosts

  /// A box 10 m ahead drives to the left by 3 m a second; from the second sweep on rays pass where
  /// it was in the first.
  private var drive: BoxedSweeps {
    var drive = BoxedSweeps()
    let mount = RigidTransform(rotation: Matrix3.identity, translation: SIMD3(0, 0, 1))
    func front(_ y: Double) -> [SIMD3<Double>] {
      [0.75, 1.25].flatMap { z in [-0.75, -0.25, 0.25, 0.75].map { SIMD3(9.25, y + $0, z) } }
    }
    for step in 0..<4 {
      let y = 0.03 + 3 * Double(step)
      let time = Int64(step) * 1_000_000_000
      let car = front(y).map { $0 - SIMD3(0, 0, 1) }
      let beyond = step == 0 ? [] : front(0.03).map { 2 * ($0 - SIMD3(0, 0, 1)) }
      drive.sweeps.append(
        .init(
          timestampNanoseconds: time,
          points: (car + beyond).flatMap { [Float($0.x), Float($0.y), Float($0.z), 0, 0] },
          worldFromLidar: mount, worldFromEgo: .identity,
          velocities: car.flatMap { _ in [0, 3, 0] as [Float] }
            + beyond.flatMap { _ in [0, 0, 0] as [Float] }))
      drive.boxes.append(
        .init(
          track: "car", timestampNanoseconds: time,
          worldFromBox: RigidTransform(rotation: Matrix3.identity, translation: SIMD3(10, y, 1)),
          size: SIMD3(2, 2, 2), velocity: SIMD3(0, 3, 0)))
    }
    return drive
  }

  @Test func `ghosts are the voxels that no ray freed`() throws {
    var options = QueryOptions()
    (options.voxelSizeMeters, options.maximumRangeMeters, options.mode) = (0.5, 30, .exact)
    let result = try GhostResult(
      drive, options: options, engine: .best, pool: WorkerPool(threadCount: 1))
    #expect(result.movingBoxes == 4 && result.sweepCount == 4)
    // Eight points a sweep, each in a voxel of its own; where the box is at the end does not count.
    #expect(result.rows.map(\.swept) == [24, 24, 24])
    #expect(result.rows.map(\.name) == ["without ageing", "ageing", "ageing and flow"])
    for row in result.rows.prefix(2) {
      #expect(row.ghosts == 16 && row.free == 8 && row.unknown == 0, "\(row)")
      #expect(row.movingPoints == 0)
    }
    // What is said to move faded before the next second; rays freed the first eight again.
    let flow = result.rows[2]
    #expect(flow.ghosts == 0 && flow.free == 8 && flow.unknown == 16, "\(flow)")
    #expect(flow.movingPoints == 32 && flow.dynamicVoxels == 8)
    #expect(abs(result.rows[0].rate - 16.0 / 24) < 1e-12)
    let rows = try #require(result.json["rows"]?.arrayValue)
    #expect(rows.map { $0["ghosts"]?.intValue } == [16, 16, 0])
  }
}
