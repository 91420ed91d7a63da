import CAllocationCounter
import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct VisibilityMapTests {
  private let lower = SIMD3(-8.0, -6, -1)
  private let cell = 0.5
  private let counts = SIMD3(33, 24, 9)

  private var configuration: VisibilityConfiguration {
    var configuration = VisibilityConfiguration()
    configuration.lowerMeters = lower
    configuration.cellSizeMeters = cell
    configuration.cellCounts = counts
    configuration.maximumRangeMeters = 14
    configuration.pixelStep = 3
    configuration.sectorCount = 64
    return configuration
  }
  private let worldFromEgo = RigidTransform(
    rotation: Quaternion(axis: SIMD3(0.03, -0.02, 1), radians: 0.4).normalized,
    translation: SIMD3(20, -11, 1))
  private let egoFromLidar = RigidTransform(
    rotation: Quaternion(axis: SIMD3(0, 0, 1), radians: -1.2), translation: SIMD3(0.9, 0.1, 0.8))
  private func egoFromCamera(_ yaw: Double) -> RigidTransform {
    // Camera z forward, x right, y down, then turned by the yaw.
    let axes = Matrix3(SIMD3(0, 0, 1), SIMD3(-1, 0, 0), SIMD3(0, -1, 0))
    let turn = Quaternion(axis: SIMD3(0, 0, 1), radians: yaw).matrix
    return RigidTransform(rotation: turn * axes, translation: SIMD3(0.55, 0.23, 0.63))
  }
  private func camera(_ name: String, yaw: Double, isValid: Bool = true) -> CameraInput {
    CameraInput(
      name: name, timestampNanoseconds: 0, ageNanoseconds: 0, isValid: isValid,
      intrinsics: CameraIntrinsics(
        focalX: 30, focalY: 32, centerX: 31, centerY: 20, widthPixels: 64, heightPixels: 40),
      egoFromCamera: egoFromCamera(yaw), keyEgoFromCamera: egoFromCamera(yaw),
      networkWidthPixels: 64, networkHeightPixels: 40)
  }
  private func withFrame<R>(
    _ points: [SIMD3<Float>], cameras: [CameraInput], _ body: (SensorFrame) throws -> R
  ) rethrows -> R {
    try withCloud(points) { cloud in
      let lidar = LidarInput(
        name: "LIDAR", timestampNanoseconds: 0, ageNanoseconds: 0, isValid: true, points: cloud,
        egoFromLidar: egoFromLidar, worldFromLidar: worldFromEgo * egoFromLidar)
      return try body(
        SensorFrame(
          timestampNanoseconds: 0, worldFromEgo: worldFromEgo, resetsHistory: false,
          cameras: cameras, lidars: [lidar]))
    }
  }
  private var points: [SIMD3<Float>] {
    var points = makeScan(count: 300, seed: 6, origin: .zero, reach: 7, voxel: 0.5)
    // Nothing stands at the cameras: they would see nothing else.
    points = points.filter { ($0 * $0).sum() > 4 }
    points += [SIMD3(.nan, 1, 1), SIMD3(.infinity, 0, 0), .zero, SIMD3(1e30, 0, 0), SIMD3(500, 3, 0)]
    return points
  }
  private func states(_ map: VisibilityMap, camera: Int?) -> [UInt8] {
    let bytes = AlignedBuffer<UInt8>(count: configuration.cellCount)
    bytes.fill(99)
    if let camera {
      map.copyStates(ofCamera: camera, into: bytes)
    } else {
      map.copyLidarStates(into: bytes)
    }
    return bytes.array
  }
  private func bytes(_ fill: (AlignedBuffer<UInt8>) -> Void) -> [UInt8] {
    let bytes = AlignedBuffer<UInt8>(count: configuration.cellCount)
    bytes.fill(99)
    fill(bytes)
    return bytes.array
  }
  private func window(_ engine: Engine, threads: Int) throws -> OccupancyGrid {
    var c = OccupancyConfiguration()
    c.voxelSizeMeters = 0.4
    c.cellCountX = 60
    c.cellCountY = 56
    c.cellCountZ = 20
    c.lowerZMeters = -3
    c.maximumRangeMeters = 10
    c.maximumPointCount = 2000
    let grid = try OccupancyGrid(
      configuration: c, engine: engine, pool: WorkerPool(threadCount: threads))
    grid.recenter(onWorld: worldFromEgo.translation)
    let scan = makeScan(count: 400, seed: 9, origin: .zero, reach: 6)
    withCloud(scan.filter { ($0 * $0).sum() > 4 }) {
      _ = grid.insert($0, worldFromLidar: worldFromEgo * egoFromLidar)
    }
    return grid
  }

  /// Length of a ray inside a cell and where it enters, in metres, by the cell's slabs.
  private func overlap(
    _ at: SIMD3<Int>, from origin: SIMD3<Double>, along unit: SIMD3<Double>, until: Double
  ) -> (length: Double, entry: Double) {
    var (entry, exit) = (0.0, until)
    for axis in 0..<3 {
      let low = lower[axis] + Double(at[axis]) * cell
      let a = (low - origin[axis]) / unit[axis]
      let b = (low + cell - origin[axis]) / unit[axis]
      entry = max(entry, min(a, b))
      exit = min(exit, max(a, b))
    }
    return (exit - entry, entry)
  }
  private func forEachCell(_ body: (SIMD3<Int>, Int) -> Void) {
    for x in 0..<counts.x {
      for y in 0..<counts.y {
        for z in 0..<counts.z { body(SIMD3(x, y, z), (x * counts.y + y) * counts.z + z) }
      }
    }
  }
  private func unit(_ v: SIMD3<Double>) -> SIMD3<Double> { v / (v * v).sum().squareRoot() }

  @Test(arguments: [(Engine.reference, 1), (.best, 3)])
  func `the LiDAR sees the cells its rays cross and end in, and hides those behind`(
    kind: (Engine, Int)
  ) throws {
    let map = try VisibilityMap(
      configuration: configuration, engine: kind.0, pool: WorkerPool(threadCount: kind.1))
    withFrame(points, cameras: []) { map.update($0, grid: nil) }
    let found = states(map, camera: nil)
    let origin = egoFromLidar.translation
    let rays = points.filter { ($0 * $0).sum() > 0 && ($0 * $0).sum() < 1e9 }
      .map { egoFromLidar * SIMD3<Double>($0) - origin }
    var surely = 0
    forEachCell { at, index in
      // Rays that only graze a cell may be judged either way: 0.1 mm, a thousand roundings.
      var longest = -1.0
      for ray in rays {
        let length = min((ray * ray).sum().squareRoot(), 14)
        longest = max(
          longest, overlap(at, from: origin, along: unit(ray), until: length).length)
      }
      let isEnd = rays.contains { map.cell(ofEgo: origin + $0) == at && ($0 * $0).sum() < 190 }
      if longest > 1e-4 || isEnd {
        surely += 1
        #expect(found[index] == Visibility.visible.rawValue, "cell \(at): \(longest)")
      } else if longest < -1e-4 {
        #expect(found[index] != Visibility.visible.rawValue, "cell \(at): \(longest)")
      }
      if isEnd { #expect(map.lidarState(at).isHit, "cell \(at)") }
    }
    #expect(surely > 500)
    // Hidden: between the lowest and the highest ray of the sector, by angles in float64.
    func sector(_ v: SIMD3<Double>) -> Double {
      let share = v.y / (abs(v.x) + abs(v.y))
      return ((v.x < 0 ? 2 - share : share) + 1) / 4 * 64
    }
    var hidden = 0
    forEachCell { at, index in
      guard found[index] != Visibility.visible.rawValue else { return }
      let middle = lower + (SIMD3<Double>(at) + 0.5) * cell - origin
      let own = sector(middle)
      // Sectors and slopes within a rounding of their border may be judged either way.
      guard abs(own - own.rounded()) > 1e-4 else { return }
      let slopes = rays.filter { ray in
        Int(sector(ray)) % 64 == Int(own) % 64
      }.map { $0.z / ($0.x * $0.x + $0.y * $0.y).squareRoot() }
      let away = (middle.x * middle.x + middle.y * middle.y).squareRoot()
      let slope = middle.z / away
      let isNear = slopes.contains { abs($0 - slope) < 1e-5 } || abs(away - 14) < 1e-3
      guard !isNear else { return }
      let isHidden =
        away <= 14 && !slopes.isEmpty && slope >= slopes.min()! && slope <= slopes.max()!
      hidden += isHidden ? 1 : 0
      #expect(found[index] == (isHidden ? 1 : 0), "cell \(at)")
    }
    #expect(hidden > 100)
  }

  @Test(arguments: [(Engine.reference, 1), (.best, 3)])
  func `a camera sees up to and including the first occupied cell`(kind: (Engine, Int)) throws {
    let map = try VisibilityMap(
      configuration: configuration, engine: kind.0, pool: WorkerPool(threadCount: kind.1))
    let grid = try window(kind.0, threads: kind.1)
    let cameras = [camera("A", yaw: 0), camera("B", yaw: 2), camera("C", yaw: -1, isValid: false)]
    withFrame(points, cameras: cameras) { map.update($0, grid: grid) }
    let occupied = bytes(map.copyOccupied)
    #expect(occupied.contains(1))
    for (index, yaw) in [(0, 0.0), (1, 2.0)] {
      let found = states(map, camera: index)
      let mount = egoFromCamera(yaw)
      var surely = [Bool](repeating: false, count: counts.x * counts.y * counts.z)
      var perhaps = surely
      for row in 0..<14 {
        for column in 0..<22 {
          let pixel = SIMD2(Double(3 * column) + 1.5, Double(3 * row) + 1.5)
          let direction = mount.rotation
            * SIMD3((pixel.x - 31) / 30, (pixel.y - 20) / 32, 1)
          let u = unit(direction)
          var crossed: [(entry: Double, length: Double, index: Int)] = []
          forEachCell { at, index in
            let part = overlap(at, from: mount.translation, along: u, until: 14)
            if part.length > -1e-4 { crossed.append((part.entry, part.length, index)) }
          }
          crossed.sort { $0.entry < $1.entry }
          // Surely blocked behind a cell it surely crosses, perhaps behind one it may graze.
          var isBlocked = false
          for cell in crossed {
            if !isBlocked { perhaps[cell.index] = true }
            if occupied[cell.index] == 1, cell.length > 1e-4 { isBlocked = true }
          }
          var mayBeBlocked = false
          for cell in crossed where !mayBeBlocked {
            if cell.length > 1e-4 { surely[cell.index] = true }
            if occupied[cell.index] == 1 { mayBeBlocked = true }
          }
        }
      }
      var visible = 0
      var hidden = 0
      forEachCell { at, index in
        if surely[index] { #expect(found[index] == 2, "camera \(yaw) cell \(at)") }
        if !perhaps[index] { #expect(found[index] != 2, "camera \(yaw) cell \(at)") }
        visible += found[index] == 2 ? 1 : 0
        guard found[index] != 2 else { return }
        let inCamera = mount.inverse * (lower + (SIMD3<Double>(at) + 0.5) * cell)
        let (u, v) = (30 * inCamera.x / inCamera.z + 31, 32 * inCamera.y / inCamera.z + 20)
        let isInside = inCamera.z > 0 && u >= 0 && v >= 0 && u < 64 && v < 40
        hidden += isInside ? 1 : 0
        #expect(found[index] == (isInside ? 1 : 0), "camera \(yaw) cell \(at)")
      }
      #expect(visible > 200 && hidden > 100, "\(visible) visible, \(hidden) hidden")
    }
    #expect(!states(map, camera: 2).contains(2), "a camera without a sample sees nothing")
    // The masks: the cameras' union within what LiDARs ever saw.
    let lidar = states(map, camera: nil)
    let seen = zip(states(map, camera: 0), states(map, camera: 1)).map { max($0, $1) == 2 }
    let lidarMask = bytes(map.copyLidarMask)
    let cameraMask = bytes(map.copyCameraMask)
    forEachCell { at, index in
      let middle = worldFromEgo * (lower + (SIMD3<Double>(at) + 0.5) * cell)
      let isKnown = grid.state(grid.key(ofWorld: middle)) != .unknown
      #expect(lidarMask[index] == (lidar[index] == 2 || isKnown ? 1 : 0), "cell \(at)")
      #expect(cameraMask[index] == (seen[index] && lidarMask[index] == 1 ? 1 : 0), "cell \(at)")
    }
    #expect(cameraMask.contains(1) && lidarMask.contains(0))
    // Every occupied voxel's middle lies in an occupied cell.
    grid.forEachOccupied { key, center, _ in
      guard let at = map.cell(ofEgo: worldFromEgo.inverse * center) else { return }
      #expect(occupied[(at.x * counts.y + at.y) * counts.z + at.z] == 1, "voxel \(key)")
    }
  }

  @Test(arguments: InstructionSet.supported, [1, 2, 3])
  func `kernels tell what the scalar map tells, at every tail length`(
    set: InstructionSet, threads: Int
  ) throws {
    let cameras = [camera("A", yaw: 0.3), camera("B", yaw: -2.5)]
    for count in [0, 1, 7, 8, 15, 16, 17, 31, 305] {
      var results: [[[UInt8]]] = []
      for (engine, threads) in [(Engine.reference, 1), (.simd(set), threads)] {
        let map = try VisibilityMap(
          configuration: configuration, engine: engine, pool: WorkerPool(threadCount: threads))
        let grid = try window(engine, threads: threads)
        withFrame(Array(points.prefix(count)), cameras: cameras) { frame in
          map.update(frame, grid: grid)
          map.update(frame, grid: grid)
        }
        results.append([
          states(map, camera: nil), states(map, camera: 0), states(map, camera: 1),
          bytes(map.copyLidarMask), bytes(map.copyCameraMask), bytes(map.copyOccupied),
        ])
      }
      for (a, b) in zip(results[0], results[1]) {
        let isSame = a == b
        #expect(isSame, "\(count) points")
      }
    }
  }

  @Test(.enabled(if: countsAllocations))
  func `frames of a known rig, ageing, evidence and memory allocate nothing`() throws {
    let pool = WorkerPool(threadCount: 2)
    let map = try VisibilityMap(configuration: configuration, pool: pool)
    var c = try window(.best, threads: 2).configuration
    c.aging = OccupancyAgingConfiguration()
    c.aging?.occupiedSeconds = 5
    let grid = try OccupancyGrid(configuration: c, engine: .best, pool: pool)
    let states = AlignedBuffer<UInt8>(count: configuration.cellCount)
    let radar = EvidencePoints(capacity: 500)
    let memory = ObjectMemory()
    let obstacles = AlignedBuffer<Obstacle>(count: 4)
    obstacles[0].identity = 1
    obstacles[0].size = SIMD3(2, 2, 2)
    obstacles[0].center = worldFromEgo * SIMD3(3, 0, 0)
    withFrame(points, cameras: [camera("A", yaw: 0)]) { frame in
      func run(_ index: Int) {
        grid.advance(toNanoseconds: Int64(index) * 100_000_000)
        grid.recenter(onWorld: worldFromEgo.translation + SIMD3(Double(index) * 0.5, 0, 0))
        grid.insert(frame.lidars[0].points, worldFromLidar: frame.lidars[0].worldFromLidar)
        radar.clear()
        radar.append(
          radar: SIMD3(5, 1, 0), halfWidthRadians: SIMD2(0.1, 0.05), spacingMeters: 0.1)
        grid.add(radar.view, worldFromLidar: worldFromEgo)
        grid.fold(model: .radar)
        map.update(frame, grid: grid)
        map.copyStates(ofCamera: 0, into: states)
        map.copyCameraMask(into: states)
        memory.update(
          obstacles, count: index % 2, atNanoseconds: Int64(index) * 100_000_000, visibility: map,
          worldFromEgo: worldFromEgo)
      }
      run(0)
      run(1)
      allocation_counter_start()
      for index in 2..<12 { run(index) }
      #expect(allocation_counter_stop() == 0)
    }
  }

  @Test(arguments: [Engine.reference, .best])
  func `calibrations, poses and clocks that are no numbers see nothing and trap nowhere`(
    engine: Engine
  ) throws {
    let map = try VisibilityMap(
      configuration: configuration, engine: engine, pool: WorkerPool(threadCount: 1))
    let free = try VisibilityMap(engine: engine, pool: WorkerPool(threadCount: 1))
    var broken = (0..<4).map { camera("\($0)", yaw: 0) }
    broken[0].intrinsics.focalX = .nan
    broken[1].intrinsics.widthPixels = -64
    broken[1].networkWidthPixels = 0
    broken[2].egoFromCamera.translation.x = .nan
    broken[2].keyEgoFromCamera.translation.x = .nan
    broken[3].intrinsics.focalX = .infinity
    let states = AlignedBuffer<UInt8>(count: configuration.cellCount)
    let grid = try OccupancyGrid(
      configuration: OccupancyConfiguration(), engine: engine, pool: WorkerPool(threadCount: 1))
    withFrame(points, cameras: broken) { frame in
      map.update(frame, grid: nil)
      for index in broken.indices {
        map.copyStates(ofCamera: index, into: states)
        #expect(!states.array.contains(Visibility.visible.rawValue), "camera \(index)")
      }
      // Without a step of its own the map takes one from the focal length.
      free.update(frame, grid: nil)
      var lost = frame
      lost.worldFromEgo.translation.y = .nan
      map.update(lost, grid: grid)
    }
    let memory = ObjectMemory()
    let obstacles = AlignedBuffer<Obstacle>(count: 1)
    for time in [Int64.max, .min, .max, 0, 0] {
      memory.update(
        obstacles, count: 0, atNanoseconds: time, visibility: map, worldFromEgo: worldFromEgo)
    }
    let radar = EvidencePoints(capacity: 10)
    radar.append(
      radar: SIMD3(5, 1, 0), halfWidthRadians: SIMD2(0.1, 0), spacingMeters: .leastNonzeroMagnitude)
    #expect(radar.count == 10 && radar.droppedCount == 2 * 256 + 1 - 10)
  }

  @Test func `Occ3D's volume is the default, wrong volumes are refused`() {
    let configuration = VisibilityConfiguration()
    #expect(configuration.cellCount == 200 * 200 * 16)
    #expect(configuration.lowerMeters == SIMD3(-40, -40, -1))
    for change: (inout VisibilityConfiguration) -> Void in [
      { $0.cellCounts.z = 33 }, { $0.cellSizeMeters = 0 }, { $0.pixelStep = 0 },
      { $0.sectorCount = 2 }, { $0.lowerMeters.x = .nan },
    ] {
      var changed = configuration
      change(&changed)
      #expect(throws: ConfigurationError.self) { try changed.validate() }
    }
  }
}
