import Foundation
import Swiftlet

/// Questions to the window of the made-up street, decay, and visibility.
public enum OccupancyQueryWorkloads {
  public static let all: [BenchmarkWorkload] = [
    BenchmarkWorkload(name: "decay", category: "occupancy") { engine, pool, _ in
      try DecayWorkload(engine: engine, pool: pool)
    },
    BenchmarkWorkload(name: "visibility-occ3d", category: "occupancy") { engine, pool, _ in
      try VisibilityWorkload(engine: engine, pool: pool)
    },
    BenchmarkWorkload(name: "esdf-update", category: "occupancy") { engine, pool, _ in
      try DistanceFieldWorkload(engine: engine, pool: pool)
    },
    BenchmarkWorkload(name: "raycast-14040", category: "occupancy") { engine, pool, _ in
      try WindowRaysWorkload(engine: engine, pool: pool)
    },
    BenchmarkWorkload(name: "components", category: "occupancy") { engine, pool, _ in
      try ComponentsWorkload(engine: engine, pool: pool)
    },
  ]

  /// The 0.2 m window after the first `count` scans. Filled by the fast path whatever `engine` will
  /// ask of it, because scalar insertion of the street takes minutes.
  static func window(
    scans count: Int, engine: Engine, pool: WorkerPool, aging: OccupancyAgingConfiguration? = nil
  ) throws -> OccupancyGrid {
    var configuration = OccupancyWorkloads.configuration(voxel: 0.2, mode: .realtime)
    configuration.aging = aging
    let isScalar = engine == .reference
    let filled = try OccupancyGrid(
      configuration: configuration, engine: isScalar ? .best : engine, pool: pool)
    for scan in OccupancyWorkloads.scans.prefix(count) {
      filled.recenter(onWorld: scan.worldFromLidar.translation)
      OccupancyWorkloads.cloud(scan) { filled.insert($0, worldFromLidar: scan.worldFromLidar) }
    }
    guard isScalar else { return filled }
    let grid = try OccupancyGrid(configuration: configuration, engine: engine, pool: pool)
    grid.place(origin: filled.origin)
    copyKnown(from: filled, to: grid)
    return grid
  }

  static func copyKnown(from source: OccupancyGrid, to target: OccupancyGrid) {
    var keys: [VoxelKey] = []
    var logOdds: [Float] = []
    source.forEachKnown { key, _, _ in
      keys.append(key)
      logOdds.append(source.logOdds(key) ?? 0)
    }
    target.load(keys, logOdds: logOdds)
  }

  static var sensor: RigidTransform { OccupancyWorkloads.scans[0].worldFromLidar }
}

/// A tick of decay over the whole window: every known voxel loses a step of evidence.
private final class DecayWorkload: PreparedWorkload {
  private let grid: OccupancyGrid
  private var keys: [VoxelKey] = []
  private var logOdds: [Float] = []
  private var time: Int64 = 0
  private var runCount = 0
  let floatingPointOperations = 0.0
  let bytesMoved: Double
  let hasWorkBetweenRuns = true

  /// About a step of log-odds a tick.
  private static var aging: OccupancyAgingConfiguration {
    var aging = OccupancyAgingConfiguration()
    aging.occupiedSeconds = 88
    aging.freeSeconds = 49
    aging.dynamicSeconds = 88
    aging.tickMilliseconds = 1000
    return aging
  }

  init(engine: Engine, pool: WorkerPool) throws {
    grid = try OccupancyQueryWorkloads.window(
      scans: 12, engine: engine, pool: pool, aging: Self.aging)
    // Lines with a known voxel, read and written with their two plane words.
    var lines = 0
    let memory = unsafe grid.memory
    let count = unsafe grid.cellCounts.x * grid.cellCounts.y * memory.wordCount
    for line in 0..<count where unsafe memory.known[line] != 0 { lines += 1 }
    bytesMoved = Double(lines * (2 * 64 + 4 * 8) + grid.cellCounts.x * grid.cellCounts.y * 8)
    grid.forEachKnown { key, _, _ in
      keys.append(key)
      logOdds.append(grid.logOdds(key) ?? 0)
    }
  }

  /// The map as it was, before its weakest voxels are gone.
  func prepareNextRun() {
    runCount += 1
    if runCount % 5 == 0 { grid.load(keys, logOdds: logOdds) }
  }

  func run() {
    time += 1_000_000_000
    grid.advance(toNanoseconds: time)
    grid.settle()
  }

  /// The same evidence aged by the scalar window, bit for bit.
  func verificationFailure() -> String? {
    let pool = WorkerPool(threadCount: 1)
    do {
      let engines = [grid.engine, Engine.reference]
      let grids = try engines.map {
        try OccupancyQueryWorkloads.window(scans: 3, engine: $0, pool: pool, aging: Self.aging)
      }
      // The scalar window counts every tick by itself.
      for time in [Int64(0), 7, 40] {
        for grid in grids {
          grid.advance(toNanoseconds: time * 1_000_000_000)
          grid.settle()
        }
      }
      return OccupancyComparison.difference(grids[0], grids[1])
    } catch { return "\(error)" }
  }
}

enum OccupancyComparison {
  /// nil when two windows of one place hold the same bytes.
  static func difference(_ a: OccupancyGrid, _ b: OccupancyGrid) -> String? {
    let (p, q) = unsafe (a.memory, b.memory)
    let count = a.cellCounts.x * a.cellCounts.y * (unsafe p.wordCount) * 64
    for index in 0..<count where unsafe p.lines[index] != q.lines[index] {
      return unsafe "byte \(index) is \(p.lines[index]), expected \(q.lines[index])"
    }
    return nil
  }
}

/// LiDAR and six cameras on the 200 × 200 × 16 view, window resampling included.
private final class VisibilityWorkload: PreparedWorkload {
  private let map: VisibilityMap
  private let grid: OccupancyGrid
  private let scan = OccupancyWorkloads.scans[11]
  private let cameras: [CameraInput]
  let floatingPointOperations = 0.0
  let bytesMoved: Double

  init(engine: Engine, pool: WorkerPool) throws {
    grid = try OccupancyQueryWorkloads.window(scans: 12, engine: engine, pool: pool)
    map = try VisibilityMap(engine: engine, pool: pool)
    cameras = (0..<6).map(Self.camera)
    // Points and pixel rays in, bits of eight planes out; the walks' cells lie in the cache.
    bytesMoved = Double(scan.pointCount * 32 + 120_000 * 12 + 8 * 40_000 * 4)
  }

  /// Six cameras of 256 × 704 network pixels and 70 degrees around the car.
  private static func camera(_ index: Int) -> CameraInput {
    let axes = Matrix3(SIMD3(0, 0, 1), SIMD3(-1, 0, 0), SIMD3(0, -1, 0))
    let yaw = Quaternion(axis: SIMD3(0, 0, 1), radians: Double(index) * .pi / 3)
    let mount = RigidTransform(
      rotation: yaw.matrix * axes, translation: yaw.matrix * SIMD3(1, 0, 1.5))
    let focal = 352 / tan(35 * Double.pi / 180)
    return CameraInput(
      name: "CAM_\(index)", timestampNanoseconds: 0, ageNanoseconds: 0, isValid: true,
      intrinsics: CameraIntrinsics(
        focalX: focal, focalY: focal, centerX: 352, centerY: 128, widthPixels: 704,
        heightPixels: 256),
      egoFromCamera: mount, keyEgoFromCamera: mount, networkWidthPixels: 704,
      networkHeightPixels: 256)
  }

  private func update(_ map: VisibilityMap, _ grid: OccupancyGrid) {
    let egoFromLidar = RigidTransform(rotation: Matrix3.identity, translation: SIMD3(0, 0, 1.85))
    OccupancyWorkloads.cloud(scan) { cloud in
      let lidar = LidarInput(
        name: "LIDAR", timestampNanoseconds: 0, ageNanoseconds: 0, isValid: true, points: cloud,
        egoFromLidar: egoFromLidar, worldFromLidar: scan.worldFromLidar)
      map.update(
        SensorFrame(
          timestampNanoseconds: 0, worldFromEgo: scan.worldFromLidar * egoFromLidar.inverse,
          resetsHistory: false, cameras: cameras, lidars: [lidar]), grid: grid)
    }
  }

  func run() { update(map, grid) }

  func verificationFailure() -> String? {
    do {
      let expected = try VisibilityMap(engine: .reference, pool: WorkerPool(threadCount: 1))
      update(map, grid)
      update(expected, grid)
      let a = AlignedBuffer<UInt8>(count: map.configuration.cellCount)
      let b = AlignedBuffer<UInt8>(count: map.configuration.cellCount)
      for sensor in -1..<cameras.count + 1 {
        for (map, bytes) in [(map, a), (expected, b)] {
          if sensor < 0 {
            map.copyLidarStates(into: bytes)
          } else if sensor < cameras.count {
            map.copyStates(ofCamera: sensor, into: bytes)
          } else {
            map.copyCameraMask(into: bytes)
          }
        }
        let found = a.array
        if found != b.array { return "sensor \(sensor) differs from the reference's" }
        if Set(found).count < 2 { return "sensor \(sensor) sees nothing" }
      }
      return nil
    } catch { return "\(error)" }
  }
}

/// The distance field (4 m) following the window from one scan to the next and back.
private final class DistanceFieldWorkload: PreparedWorkload {
  private let field: DistanceField
  private let grids: [OccupancyGrid]
  private var next = 0
  let floatingPointOperations = 0.0
  let bytesMoved: Double

  init(engine: Engine, pool: WorkerPool) throws {
    let first = try OccupancyQueryWorkloads.window(scans: 10, engine: engine, pool: pool)
    let second = try OccupancyQueryWorkloads.window(scans: 11, engine: engine, pool: pool)
    grids = [first, second]
    field = try DistanceField(for: first, maximumDistanceMeters: 4)
    field.update(from: first)
    let update = field.update(from: second)
    // Bit planes compared, and int16 distances of the columns done again, twice in and out.
    let columns = first.cellCounts.x * first.cellCounts.y
    bytesMoved = Double(columns * 24 + update.updatedColumnCount * 64 * 2 * 4)
  }

  func run() {
    field.update(from: grids[next])
    next = 1 - next
  }

  /// Against the nearest of all obstacles around seeded voxels.
  func verificationFailure() -> String? {
    run()
    run()
    run()
    let grid = grids[1 - next]
    var state: UInt64 = 7
    func random(_ limit: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % limit
    }
    let (o, n) = (grid.origin, grid.cellCounts)
    for _ in 0..<400 {
      let key = VoxelKey(
        x: o.x + Int32(random(n.x)), y: o.y + Int32(random(n.y)), z: o.z + Int32(random(n.z)))
      guard let found = field.squaredDistance(at: key, in: grid) else { return "\(key) is outside" }
      let expected = nearest(key, grid)
      if found.voxels != expected || !found.isCurrent {
        return "\(key): \(String(describing: found)), expected \(String(describing: expected))"
      }
    }
    return nil
  }

  private func nearest(_ key: VoxelKey, _ grid: OccupancyGrid) -> Int? {
    let reach = field.reach
    var best = Int.max
    for x in -reach...reach {
      for y in -reach...reach where x * x + y * y <= reach * reach {
        for z in -reach...reach where x * x + y * y + z * z < best {
          let other = VoxelKey(x: key.x + Int32(x), y: key.y + Int32(y), z: key.z + Int32(z))
          if grid.state(other) == .occupied { best = x * x + y * y + z * z }
        }
      }
    }
    return best <= reach * reach ? best : nil
  }
}

/// RayIoU's 14,040 rays from the sensor through the live window, up to 50 m.
private final class WindowRaysWorkload: PreparedWorkload {
  private let grid: OccupancyGrid
  private let directions = AlignedBuffer(RayDirections.all)
  private let distances = AlignedBuffer<Float>(count: RayDirections.count)
  private let states = AlignedBuffer<UInt8>(count: RayDirections.count)
  private let keys = AlignedBuffer<Int32>(count: 3 * RayDirections.count)
  private let origin = OccupancyWorkloads.scans[11].worldFromLidar.translation
  let floatingPointOperations = 0.0
  /// Directions in, results out; the words of the columns a ray crosses come on top.
  let bytesMoved = Double(RayDirections.count * (12 + 4 + 1 + 12))

  init(engine: Engine, pool: WorkerPool) throws {
    grid = try OccupancyQueryWorkloads.window(scans: 12, engine: engine, pool: pool)
  }

  func run() {
    unsafe grid.castRays(
      from: origin, directions: UnsafeBufferPointer(directions.elements), maximumRangeMeters: 50,
      distancesMeters: distances.elements, states: states.elements, keys: keys.elements)
  }

  func verificationFailure() -> String? {
    run()
    let walker = ReferenceRays(grid)
    var hits = 0
    for ray in 0..<RayDirections.count {
      let expected = walker.cast(
        from: origin,
        direction: SIMD3(directions[3 * ray], directions[3 * ray + 1], directions[3 * ray + 2]),
        maximumRangeMeters: 50)
      let key = VoxelKey(x: keys[3 * ray], y: keys[3 * ray + 1], z: keys[3 * ray + 2])
      let isSame =
        states[ray] == expected.state.rawValue && key == expected.key
        && distances[ray] == expected.distanceMeters
      if !isSame { return "ray \(ray): \(states[ray]) \(key), expected \(expected)" }
      hits += expected.state == .occupied ? 1 : 0
    }
    return hits > 1000 ? nil : "only \(hits) rays hit anything"
  }
}

/// Ground, obstacle voxels, their connected components and boxes.
private final class ComponentsWorkload: PreparedWorkload {
  private let grid: OccupancyGrid
  private let layer: ObstacleLayer
  private let finder: ObstacleFinder
  private let ground: SIMD3<Double>
  let floatingPointOperations = 0.0
  let bytesMoved: Double

  init(engine: Engine, pool: WorkerPool) throws {
    grid = try OccupancyQueryWorkloads.window(scans: 12, engine: engine, pool: pool)
    layer = try ObstacleLayer(for: grid)
    finder = ObstacleFinder(for: grid)
    ground = OccupancyWorkloads.scans[11].worldFromLidar.translation - SIMD3(0, 0, 1.85)
    // Two planes in; ground, state and bits a column out and in again.
    bytesMoved = Double(grid.cellCounts.x * grid.cellCounts.y * (16 + 2 * (2 + 1 + 8)))
  }

  func run() {
    layer.update(from: grid, groundPosition: ground)
    finder.find(in: layer)
  }

  /// Against the scalar layer and flood fill.
  func verificationFailure() -> String? {
    run()
    do {
      let scalar = try OccupancyGrid(
        configuration: grid.configuration, engine: .reference, pool: WorkerPool(threadCount: 1))
      scalar.place(origin: grid.origin)
      OccupancyQueryWorkloads.copyKnown(from: grid, to: scalar)
      let expectedLayer = try ObstacleLayer(for: scalar)
      expectedLayer.update(from: scalar, groundPosition: ground)
      if layer.bits.array != expectedLayer.bits.array { return "obstacle voxels differ" }
      let expected = ObstacleFinder(for: scalar)
      expected.find(in: expectedLayer)
      guard finder.count == expected.count, finder.count > 20 else {
        return "\(finder.count) obstacles, expected \(expected.count)"
      }
      for index in 0..<finder.count where finder.obstacles[index] != expected.obstacles[index] {
        return "obstacle \(index) is \(finder.obstacles[index]), expected \(expected.obstacles[index])"
      }
      return nil
    } catch { return "\(error)" }
  }
}
