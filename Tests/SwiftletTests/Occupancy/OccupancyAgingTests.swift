import CAllocationCounter
import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct OccupancyAgingTests {
  private func configuration(
    _ cells: SIMD3<Int> = SIMD3(40, 36, 20), voxel: Double = 0.5, mode: OccupancyMode = .exact,
    _ change: (inout OccupancyAgingConfiguration) -> Void = { _ in }
  ) -> OccupancyConfiguration {
    var aging = OccupancyAgingConfiguration()
    change(&aging)
    var configuration = OccupancyConfiguration()
    configuration.voxelSizeMeters = voxel
    configuration.cellCountX = cells.x
    configuration.cellCountY = cells.y
    configuration.cellCountZ = cells.z
    configuration.lowerZMeters = -3
    configuration.maximumRangeMeters = 9
    configuration.maximumPointCount = 3000
    configuration.mode = mode
    configuration.aging = aging
    return configuration
  }
  private func grid(
    _ configuration: OccupancyConfiguration, _ engine: Engine = .best, threads: Int = 1
  ) throws -> OccupancyGrid {
    let grid = try OccupancyGrid(
      configuration: configuration, engine: engine, pool: WorkerPool(threadCount: threads))
    grid.recenter(onWorld: .zero)
    return grid
  }
  private func bytes(_ grid: OccupancyGrid) -> [Int8] {
    let count = grid.cellCounts.x * grid.cellCounts.y * grid.memory.wordCount * 64
    return Array(UnsafeBufferPointer(start: grid.memory.lines, count: count))
  }
  private func at(_ x: Double, _ y: Double) -> RigidTransform {
    RigidTransform(rotation: Matrix3.identity, translation: SIMD3(x, y, 0.1))
  }
  private func time(_ seconds: Double) -> Int64 { Int64((seconds * 1e9).rounded()) }

  /// A drive with gaps in time, a rolling window and random scans.
  private func drive(
    _ grid: OccupancyGrid, settles: Bool = false, advances: Bool = true, scans: Int = 7
  ) {
    for scan in 0..<scans {
      let pose = at(0.7 * Double(scan), -0.4 * Double(scan))
      if advances { grid.advance(toNanoseconds: 5_000 + time(0.1 * Double(scan * scan))) }
      if settles { grid.settle() }
      grid.recenter(onWorld: pose.translation)
      // Four scans of the same things, then others: space becomes long free and is hit again.
      let inWorld = makeScan(count: 900, seed: scan < 4 ? 3 : UInt64(scan), origin: .zero, reach: 8)
      let points = inWorld.map { $0 - SIMD3<Float>(pose.translation) }
      withCloud(points) { _ = grid.insert($0, worldFromLidar: pose) }
    }
  }
  private func marks(_ grid: OccupancyGrid) -> [[VoxelKey]] {
    var dynamic: [VoxelKey] = []
    var vanished: [VoxelKey] = []
    grid.forEachKnown { key, _, _ in
      if grid.isDynamic(key) { dynamic.append(key) }
      if grid.hasVanished(key) { vanished.append(key) }
    }
    return [dynamic, vanished]
  }

  @Test(arguments: InstructionSet.supported, [1, 3])
  func `kernels age as the scalar window does, bit for bit`(
    set: InstructionSet, threads: Int
  ) throws {
    for height in [20, 64, 70] {
      let c = configuration(SIMD3(40, 36, height)) {
        $0.occupiedSeconds = 5
        $0.freeSeconds = 12
        $0.dynamicSeconds = 0.8
        $0.longFreeShare = 0.4
        $0.longOccupiedShare = 0.5
        $0.fixtureSeconds = 0.3
      }
      let a = try grid(c, .simd(set), threads: threads)
      let b = try grid(c, .reference)
      for grid in [a, b] { drive(grid, scans: 9) }
      #expect(bytes(a) == bytes(b))
      #expect(marks(a) == marks(b))
      #expect(a.occupiedCount == b.occupiedCount && a.knownCount == b.knownCount)
      #expect(marks(a)[0].count > 3 && marks(a)[1].count > 3, "the drive must mark something")
      for grid in [a, b] {
        grid.advance(toNanoseconds: time(8))
        grid.settle()
      }
      #expect(bytes(a) == bytes(b))
    }
  }

  @Test func `how often a column catches up changes no bit`() throws {
    let c = configuration {
      $0.occupiedSeconds = 7
      $0.freeSeconds = 5
      $0.longFreeShare = 0.4
      $0.fixtureSeconds = 0.7
      $0.dynamicSeconds = 3
      $0.sweptShare = 0
    }
    var eager = c
    eager.aging?.sweptShare = 1
    let (lazy, often) = (try grid(c), try grid(eager))
    drive(lazy)
    drive(often, settles: true)
    for grid in [lazy, often] {
      grid.advance(toNanoseconds: time(6))
      grid.settle()
    }
    #expect(bytes(lazy) == bytes(often))
    #expect(marks(lazy) == marks(often))
  }

  @Test func `without decay and without time the map is what it was`() throws {
    var plain = configuration()
    plain.aging = nil
    let c = configuration { $0.dynamicSeconds = 0 }
    let (a, b) = (try grid(plain), try grid(c))
    drive(a, advances: false, scans: 3)
    drive(b, advances: true, scans: 3)
    // Dynamic voxels are freed at once, which is the one difference: none may have been passed.
    #expect(bytes(a) == bytes(b))
  }

  @Test(arguments: [Engine.reference, .best])
  func `evidence fades in the time of its class and columns of nothing cost nothing`(
    engine: Engine
  ) throws {
    let c = configuration(mode: .realtime) {
      $0.occupiedSeconds = 10
      $0.freeSeconds = 2
    }
    let grid = try grid(c, engine)
    grid.advance(toNanoseconds: 0)
    for _ in 0..<12 { withCloud([SIMD3(4, 0.2, 0)]) { _ = grid.insert($0, worldFromLidar: at(0.2, 0.2)) } }
    let wall = grid.key(ofWorld: SIMD3(4.2, 0.4, 0.1))
    let air = grid.key(ofWorld: SIMD3(2.2, 0.4, 0.1))
    #expect(grid.state(wall) == .occupied && grid.state(air) == .free)
    let full = try #require(grid.logOdds(wall))
    #expect(abs(full - OccupancyModel.octoMap.maximum) < 0.03)
    grid.advance(toNanoseconds: time(1.9))
    grid.settle()
    #expect(grid.state(air) == .free)
    grid.advance(toNanoseconds: time(2.2))
    grid.settle()
    #expect(grid.state(air) == .unknown)
    grid.advance(toNanoseconds: time(5))
    grid.settle()
    let half = try #require(grid.logOdds(wall))
    // Even loss: half of it after half the time, to the nearest of 87 steps.
    #expect(abs(half - full / 2) < 0.06)
    grid.advance(toNanoseconds: time(9.8))
    grid.settle()
    #expect(grid.state(wall) == .occupied)
    grid.advance(toNanoseconds: time(10.2))
    grid.settle()
    #expect(grid.state(wall) == .unknown && grid.knownCount == 0)
  }

  @Test(arguments: [Engine.reference, .best])
  func `a thing that drives into long-free space is dynamic and leaves no trail`(
    engine: Engine
  ) throws {
    let aged = try grid(configuration(), engine)
    var without = configuration()
    without.aging = nil
    let plain = try grid(without, engine)
    let sensor = at(0.2, 0.2)
    func scan(_ points: [SIMD3<Float>], _ seconds: Double) {
      for grid in [aged, plain] {
        grid.advance(toNanoseconds: time(seconds))
        withCloud(points) { _ = grid.insert($0, worldFromLidar: sensor) }
      }
    }
    // A wall behind: the street in front of it becomes long free.
    for frame in 0..<8 { scan([SIMD3(7, 0, 0)], Double(frame) * 0.1) }
    let street = aged.key(ofWorld: SIMD3(4.2, 0.2, 0.1))
    #expect(aged.state(street) == .free && !aged.isDynamic(street))
    // A car is there at once, and stands for half a second …
    scan([SIMD3(4, 0, 0)], 0.8)
    #expect(aged.state(street) == .occupied && plain.state(street) == .free)
    for frame in 9..<13 { scan([SIMD3(4, 0, 0)], Double(frame) * 0.1) }
    #expect(aged.state(street) == .occupied && aged.isDynamic(street))
    #expect(plain.state(street) == .occupied && !plain.isDynamic(street))
    #expect(aged.dynamicCount == 1)
    // … and is gone with the first ray that passes.
    scan([SIMD3(7, 0, 0)], 1.3)
    #expect(aged.state(street) == .free && !aged.isDynamic(street))
    #expect(plain.state(street) == .occupied)
    // The wall was long occupied: when it goes it has vanished.
    let wall = aged.key(ofWorld: SIMD3(7.2, 0.2, 0.1))
    for frame in 14..<18 { scan([SIMD3(7, 0, 0)], Double(frame) * 0.1) }
    for frame in 18..<36 { scan([SIMD3(8.4, 0, 0)], Double(frame) * 0.1) }
    #expect(aged.state(wall) == .free && aged.hasVanished(wall))
  }

  @Test(arguments: [Engine.reference, .best])
  func `what stays long enough is a fixture`(engine: Engine) throws {
    let grid = try grid(configuration { $0.fixtureSeconds = 2 }, engine)
    func scan(_ x: Float, _ seconds: Double) {
      grid.advance(toNanoseconds: time(seconds))
      withCloud([SIMD3(x, 0, 0)]) { _ = grid.insert($0, worldFromLidar: at(0.2, 0.2)) }
    }
    for frame in 0..<8 { scan(7, Double(frame) * 0.1) }
    let street = grid.key(ofWorld: SIMD3(4.2, 0.2, 0.1))
    for frame in 8..<39 { scan(4, Double(frame) * 0.1) }
    #expect(grid.isDynamic(street) && grid.state(street) == .occupied)
    // Dynamic at two and at four seconds: parked. It neither fades nor goes with one ray.
    for frame in 39..<42 { scan(4, Double(frame) * 0.1) }
    #expect(!grid.isDynamic(street) && grid.state(street) == .occupied)
    scan(7, 4.3)
    #expect(grid.state(street) == .occupied)
    grid.advance(toNanoseconds: time(60))
    grid.settle()
    #expect(grid.state(street) == .occupied)
  }

  @Test func `a trail that no ray passes again fades with its own time`() throws {
    let grid = try grid(configuration { $0.dynamicSeconds = 1 })
    let sensor = at(0.2, 0.2)
    for frame in 0..<8 {
      grid.advance(toNanoseconds: time(Double(frame) * 0.1))
      withCloud([SIMD3(7, 0, 0)]) { _ = grid.insert($0, worldFromLidar: sensor) }
    }
    for frame in 8..<13 {
      grid.advance(toNanoseconds: time(Double(frame) * 0.1))
      withCloud([SIMD3(4, 0, 0)]) { _ = grid.insert($0, worldFromLidar: sensor) }
    }
    let street = grid.key(ofWorld: SIMD3(4.2, 0.2, 0.1))
    #expect(grid.isDynamic(street))
    grid.advance(toNanoseconds: time(2.4))
    // The sweep reaches every column within 16 folds.
    for _ in 0..<16 { grid.fold() }
    #expect(grid.state(street) == .unknown)
    #expect(grid.state(grid.key(ofWorld: SIMD3(7.2, 0.2, 0.1))) == .occupied)
  }

  /// A car that stands for half a second where the street was long free, and the street behind.
  private func parked(_ grid: OccupancyGrid, from start: Int64) -> (car: VoxelKey, wall: VoxelKey) {
    for frame in 0..<13 {
      grid.advance(toNanoseconds: start &+ time(Double(frame) * 0.1))
      withCloud([SIMD3(frame < 8 ? 7 : 4, 0, 0)]) { _ = grid.insert($0, worldFromLidar: at(0.2, 0.2)) }
    }
    return (grid.key(ofWorld: SIMD3(4.2, 0.2, 0.1)), grid.key(ofWorld: SIMD3(7.2, 0.2, 0.1)))
  }

  @Test(arguments: [Engine.reference, .best])
  func `a clock set back goes on from there, a late scan does not`(engine: Engine) throws {
    for back in [2.0, 3600, 8e9] {
      let grid = try grid(configuration { $0.dynamicSeconds = 1 }, engine)
      let (car, wall) = parked(grid, from: 0)
      grid.advance(toNanoseconds: time(1.2 - back))
      grid.settle()
      #expect(grid.isDynamic(car) && grid.state(car) == .occupied)
      // Late by less than a second: no time has passed, and none is counted twice.
      for late in [0.4, 0, 0.4, 0.1, 0.4] { grid.advance(toNanoseconds: time(1.2 - back + late)) }
      grid.settle()
      #expect(grid.state(car) == .occupied)
      grid.advance(toNanoseconds: time(1.2 - back + 1.1))
      grid.settle()
      #expect(grid.state(car) == .unknown && grid.state(wall) == .occupied, "back by \(back) s")
    }
  }

  @Test(arguments: [Engine.reference, .best])
  func `a stamp far ahead costs no more than settling, and the time after it counts`(
    engine: Engine
  ) throws {
    let start = time(1.6e9)
    for ahead in [10_800, 7e9] {
      let grid = try grid(configuration { $0.dynamicSeconds = 1 }, engine)
      _ = parked(grid, from: start)
      grid.advance(toNanoseconds: start &+ time(ahead))
      grid.settle()
      let again = parked(grid, from: start &+ time(1.3))
      grid.settle()
      // The street became long free again, and the car is new.
      #expect(grid.isDynamic(again.car) && grid.state(again.car) == .occupied)
      grid.advance(toNanoseconds: start &+ time(3.7))
      grid.settle()
      #expect(grid.state(again.car) == .unknown && grid.state(again.wall) == .occupied)
    }
    // From one end of Int64 to the other.
    let extremes = try grid(configuration(), engine)
    for stamp in [0, .max, .min, 5, .max, -1, .min] as [Int64] {
      extremes.advance(toNanoseconds: stamp)
      extremes.settle()
    }
  }

  @Test func `engines agree after leaps of the clock`() throws {
    let c = configuration {
      $0.occupiedSeconds = 5
      $0.freeSeconds = 12
      $0.fixtureSeconds = 0.3
      $0.longFreeShare = 0.4
    }
    let (a, b) = (try grid(c), try grid(c, .reference))
    for grid in [a, b] {
      drive(grid, scans: 5)
      for leap in [3.0, 7200, 7201, 6000, 6000.5, 6000.2] {
        grid.advance(toNanoseconds: time(leap))
        drive(grid, advances: false, scans: 2)
      }
    }
    #expect(bytes(a) == bytes(b) && marks(a) == marks(b))
  }

  @Test(arguments: [Engine.reference, .best])
  func `flow from the input makes voxels dynamic at once and is kept`(engine: Engine) throws {
    let grid = try grid(configuration { $0.keepsFlow = true }, engine)
    grid.advance(toNanoseconds: 0)
    let pose = RigidTransform(
      rotation: Quaternion(axis: SIMD3(0, 0, 1), radians: .pi / 2), translation: SIMD3(0.2, 0.2, 0.1))
    let points: [SIMD3<Float>] = [SIMD3(4, 0, 0), SIMD3(0, 4, 0), SIMD3(-4, 0, 0)]
    let velocities: [Float] = [8.1, 0, 0, 0.1, 0, 0, .nan, 0, 0]
    withCloud(points) { cloud in
      grid.add(cloud, worldFromLidar: pose)
      let moved = velocities.withUnsafeBufferPointer {
        grid.addFlow(cloud, velocities: $0, worldFromLidar: pose)
      }
      #expect(moved == 1)
      grid.fold()
    }
    let keys = points.map { grid.key(ofWorld: pose * SIMD3<Double>($0)) }
    #expect(keys.map(grid.state) == [.occupied, .occupied, .occupied])
    #expect(keys.map(grid.isDynamic) == [true, false, false])
    // Turned by a quarter into world, in quarters of a metre per second.
    #expect(grid.flow(keys[0]) == SIMD2(0, 8))
    #expect(grid.flow(keys[1]) == nil)
    grid.reset()
    #expect(grid.flow(keys[0]) == nil && grid.dynamicCount == 0)
  }

  @Test func `settings outside their ranges are refused`() {
    for change: (inout OccupancyAgingConfiguration) -> Void in [
      { $0.occupiedSeconds = -1 }, { $0.longFreeShare = 2 }, { $0.tickMilliseconds = 0 },
      { $0.movingMetersPerSecond = 0 }, { $0.sweptShare = .nan }, { $0.fixtureSeconds = 0 },
    ] {
      #expect(throws: ConfigurationError.self) { try configuration(SIMD3(8, 8, 8), change).validate() }
    }
  }
}
