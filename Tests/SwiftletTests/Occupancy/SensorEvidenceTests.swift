import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct SensorEvidenceTests {
  private func grid(
    _ engine: Engine = .best, threads: Int = 1, mode: OccupancyMode = .realtime,
    aging: OccupancyAgingConfiguration? = nil
  ) throws -> OccupancyGrid {
    var c = OccupancyConfiguration()
    c.aging = aging
    c.voxelSizeMeters = 0.4
    c.cellCountX = 48
    c.cellCountY = 52
    c.cellCountZ = 20
    c.lowerZMeters = -3
    c.maximumRangeMeters = 9
    c.maximumPointCount = 6000
    c.mode = mode
    let grid = try OccupancyGrid(
      configuration: c, engine: engine, pool: WorkerPool(threadCount: threads))
    grid.recenter(onWorld: pose.translation)
    return grid
  }
  private let pose = RigidTransform(
    rotation: Quaternion(axis: SIMD3(0.02, 0.01, 1), radians: 0.5).normalized,
    translation: SIMD3(3, 7, 0.4))
  private func scan(_ grid: OccupancyGrid) {
    withCloud(makeScan(count: 500, seed: 2, origin: .zero, reach: 8)) {
      _ = grid.insert($0, worldFromLidar: pose)
    }
  }
  private func bytes(_ grid: OccupancyGrid) -> [Int8] {
    let count = grid.cellCounts.x * grid.cellCounts.y * grid.memory.wordCount * 64
    return Array(UnsafeBufferPointer(start: grid.memory.lines, count: count))
  }
  private var model: NetworkOccupancyModel {
    var model = NetworkOccupancyModel()
    model.lowerMeters = SIMD3(-6, -5, -1.2)
    model.cellSizeMeters = 0.5
    model.cellCounts = SIMD3(22, 20, 6)
    return model
  }

  @Test(arguments: everyQueryEngine)
  func `missing evidence changes nothing, bit for bit`(kind: (Engine, Int)) throws {
    let (a, b) = (try grid(kind.0, threads: kind.1), try grid(kind.0, threads: kind.1))
    scan(a)
    scan(b)
    let empty = EvidencePoints(capacity: 8)
    b.add(empty.view, worldFromLidar: pose)
    #expect(b.fold(model: .radar).hitVoxelCount == 0)
    b.add(PointCloudView.empty, worldFromLidar: pose)
    b.fold(model: .cameraDepth)
    b.fold()
    let logits = AlignedBuffer<Float>(count: 22 * 20 * 6)
    #expect(b.add(logits: logits, worldFromEgo: pose, model: model) == 0)
    logits.fill(.nan)
    #expect(b.add(logits: logits, worldFromEgo: pose, model: model) == 0)
    logits.fill(.infinity)
    #expect(b.add(logits: logits, worldFromEgo: pose, model: model) == 0)
    #expect(bytes(a) == bytes(b))
    // … and the next scan counts as it would have.
    scan(a)
    scan(b)
    #expect(bytes(a) == bytes(b))
  }

  @Test(arguments: everyQueryEngine)
  func `logits reach the voxels whose middles lie in their cells`(kind: (Engine, Int)) throws {
    let grid = try grid(kind.0, threads: kind.1)
    scan(grid)
    var generator = SeededGenerator(seed: 4)
    var values = generator.floats(22 * 20 * 6, in: -6...6)
    values[5] = .nan
    values[6] = -.infinity
    let logits = AlignedBuffer(values)
    var before: [VoxelKey: Float] = [:]
    let (o, n) = (grid.origin, grid.cellCounts)
    var keys: [VoxelKey] = []
    for y in 0..<n.y {
      for x in 0..<n.x {
        for z in 0..<n.z {
          keys.append(VoxelKey(x: o.x + Int32(x), y: o.y + Int32(y), z: o.z + Int32(z)))
        }
      }
    }
    for key in keys { before[key] = grid.logOdds(key) }
    let count = grid.add(logits: logits, worldFromEgo: pose, model: model)
    let back = pose.inverse
    let steps = grid.stepsPerUnit
    var touched = 0
    for key in keys {
      let center = (SIMD3(Double(key.x), Double(key.y), Double(key.z)) + 0.5) * 0.4
      let place = (back * center - model.lowerMeters) / 0.5
      // Middles on a cell's face may be rounded to either side.
      let isOnFace = (0..<3).contains { abs(place[$0] - place[$0].rounded()) < 1e-9 }
      if isOnFace { continue }
      var expected = before[key]
      let cell = place.rounded(.down)
      let isInside = (0..<3).allSatisfy { cell[$0] >= 0 && cell[$0] < Double(model.cellCounts[$0]) }
      if isInside {
        let value = values[(Int(cell.x) * 20 + Int(cell.y)) * 6 + Int(cell.z)]
        if abs(value) >= 0.5, value.isFinite {
          let step = (max(-0.6, min(0.6, value * 0.25)) * steps).rounded()
          let old = ((before[key] ?? 0) * steps).rounded()
          let clamped = max(-49, min(87, old + step))
          if step != 0 {
            expected = clamped / steps
            touched += 1
          }
        }
      }
      #expect(grid.logOdds(key) == expected, "voxel \(key)")
      let state: VoxelState = expected.map { $0 >= 0 ? .occupied : .free } ?? .unknown
      #expect(grid.state(key) == state, "voxel \(key)")
    }
    #expect(count == touched && touched > 1000)
  }

  @Test(arguments: everyQueryEngine, [OccupancyMode.exact, .realtime])
  func `another sensor's evidence counts as its own model says`(
    kind: (Engine, Int), mode: OccupancyMode
  ) throws {
    let grid = try grid(kind.0, threads: kind.1, mode: mode)
    let points = EvidencePoints(capacity: 4)
    #expect(points.append(radar: SIMD3(4, 0.05, 0.1), halfWidthRadians: .zero, spacingMeters: 0.2))
    #expect(points.count == 1 && points[0] == SIMD3(4, 0.05, 0.1))
    let level = RigidTransform(rotation: Matrix3.identity, translation: SIMD3(3.1, 7.1, 0.5))
    grid.add(points.view, worldFromLidar: level)
    grid.fold(model: .radar)
    let end = grid.key(ofWorld: SIMD3(7.1, 7.15, 0.6))
    let air = grid.key(ofWorld: SIMD3(5, 7.12, 0.55))
    let steps = grid.stepsPerUnit
    #expect(grid.logOdds(end) == (OccupancyModel.radar.hit * steps).rounded() / steps)
    #expect(grid.logOdds(air) == (OccupancyModel.radar.miss * steps).rounded() / steps)
    // The window's own model is back.
    withCloud([SIMD3(4, 0.05, 0.1)]) { _ = grid.insert($0, worldFromLidar: level) }
    let expected =
      (OccupancyModel.radar.hit * steps).rounded() + (OccupancyModel.octoMap.hit * steps).rounded()
    #expect(grid.logOdds(end) == expected / steps)
  }

  @Test(arguments: [Engine.reference, .best])
  func `in a window that ages other sensors mark nothing and take no part in the past`(
    engine: Engine
  ) throws {
    var aging = OccupancyAgingConfiguration()
    aging.freeSeconds = 10
    aging.sweptShare = 0
    let (lazy, often) = (try grid(engine, aging: aging), try grid(engine, aging: aging))
    let logits = AlignedBuffer<Float>(count: 22 * 20 * 6)
    logits.fill(1.7)
    let radar = EvidencePoints(capacity: 4000)
    radar.append(
      radar: SIMD3(4, 1, 0), halfWidthRadians: SIMD2(0.3, 0.1), spacingMeters: 0.2)
    for step in 0..<30 {
      for grid in [lazy, often] {
        grid.advance(toNanoseconds: Int64(step) * 100_000_000)
        if grid === often { grid.settle() }
        if step < 10 { scan(grid) }
        guard step % 9 == 8 else { continue }
        let steps = grid.stepsPerUnit
        let arc = (0..<radar.count).map { grid.key(ofWorld: pose * SIMD3<Double>(radar[$0])) }
        let before = arc.map { grid.logOdds($0) ?? 0 }
        grid.add(radar.view, worldFromLidar: pose)
        grid.fold(model: .radar)
        if step == 8 {
          // Long free: the LiDAR's hit would be a moving thing, the radar's is one small step.
          let free = arc.indices.filter { before[$0] < -1.8 }
          #expect(free.count > 3)
          for index in free {
            let expected = before[index] + (OccupancyModel.radar.hit * steps).rounded() / steps
            #expect(abs((grid.logOdds(arc[index]) ?? 9) - expected) < 1e-5)
            #expect(!grid.isDynamic(arc[index]))
          }
          #expect(grid.dynamicCount == 0)
        }
        grid.add(logits: logits, worldFromEgo: pose, model: model)
      }
    }
    for grid in [lazy, often] { grid.settle() }
    #expect(bytes(lazy) == bytes(often))
  }

  @Test func `a wide beam gives its arc one hit and its cone one miss`() throws {
    let grid = try grid(mode: .exact)
    let points = EvidencePoints(capacity: 4000)
    let half = SIMD2<Float>(0.25, 0.1)
    points.append(radar: SIMD3(5, 0, 0), halfWidthRadians: half, spacingMeters: 0.1)
    for index in 0..<points.count {
      let p = points[index]
      #expect(abs((p * p).sum().squareRoot() - 5) < 1e-4)
    }
    let level = RigidTransform(rotation: Matrix3.identity, translation: SIMD3(3.13, 7.17, 0.55))
    grid.add(points.view, worldFromLidar: level)
    let summary = grid.fold(model: .radar)
    let steps = grid.stepsPerUnit
    let hit = (OccupancyModel.radar.hit * steps).rounded() / steps
    var arc = 0
    grid.forEachOccupied { key, center, _ in
      let away = center - level.translation
      let range = (away * away).sum().squareRoot()
      #expect(abs(range - 5) < 0.36, "half a voxel's diagonal")
      #expect(grid.logOdds(key) == hit)
      arc += 1
    }
    #expect(arc == summary.hitVoxelCount && arc > 8)
    for a in [-0.2, 0, 0.2] {
      let place = level * SIMD3(3.0, 3.0 * a, 0)
      #expect(grid.state(grid.key(ofWorld: place)) == .free, "azimuth \(a)")
    }
    #expect(grid.state(grid.key(ofWorld: level * SIMD3(3.0, 1.6, 0))) == .unknown)
    #expect(!points.append(radar: .zero, halfWidthRadians: half, spacingMeters: 0.1))
    #expect(!points.append(radar: SIMD3(.nan, 0, 0), halfWidthRadians: half, spacingMeters: 0.1))
    let small = EvidencePoints(capacity: 3)
    small.append(radar: SIMD3(5, 0, 0), halfWidthRadians: half, spacingMeters: 0.1)
    #expect(small.count == 3 && small.droppedCount > 0)
  }

  @Test func `camera depth becomes a point a pixel at its likeliest bin`() {
    // Two pixels a row, two rows, three bins of a metre from 1 m on.
    let depth = AlignedBuffer<Float>([
      0.6, 0.1, .nan, 0.4,
      0.3, 0.2, .nan, 0.4,
      0.1, 0.7, .nan, 0.2,
    ])
    let rays = AlignedBuffer<Float>([0.5, -0.25, 0, 0, 0, 0, 0.1, 0.2])
    let points = EvidencePoints(capacity: 4)
    points.append(depth: depth, rays: rays, binCount: 3, lowerMeters: 1, stepMeters: 1)
    // The second sees past the last bin, the third nothing; of equal bins the nearest counts.
    #expect(points.count == 2)
    #expect(points[0] == SIMD3(0.75, -0.375, 1.5))
    #expect(points[1] == SIMD3(Float(0.1) * 1.5, Float(0.2) * 1.5, 1.5))
    points.clear()
    #expect(points.count == 0)
  }

  private func add(
    _ attributes: VoxelAttributes, _ grid: OccupancyGrid, _ points: [SIMD3<Float>],
    labels: [UInt8]?, intensities: [UInt8]? = nil, weight: UInt8 = 8
  ) -> Int {
    withCloud(points) { cloud in
      let l = labels.map { AlignedBuffer($0) }
      let i = intensities.map { AlignedBuffer($0) }
      return attributes.add(
        cloud, worldFromLidar: .identity, in: grid,
        labels: l.map { UnsafeBufferPointer($0.elements) },
        intensities: i.map { UnsafeBufferPointer($0.elements) }, weight: weight)
    }
  }

  private func label(_ a: VoxelAttributes, _ key: VoxelKey, _ grid: OccupancyGrid) -> [UInt8] {
    a.label(key, in: grid).map { [$0.label, $0.weight] } ?? []
  }

  @Test func `classes are voted, intensities averaged, and both roll with the window`() throws {
    let grid = try grid()
    let attributes = VoxelAttributes(for: grid)
    let place = SIMD3<Float>(3.1, 7.1, 0.5)
    let key = grid.key(ofWorld: SIMD3<Double>(place))
    #expect(attributes.label(key, in: grid) == nil && attributes.intensity(key, in: grid) == nil)
    #expect(add(attributes, grid, [place, place, place], labels: [4, 4, 11]) == 3)
    #expect(label(attributes, key, grid) == [4, 8])
    #expect(add(attributes, grid, [place, place], labels: [11, 11]) == 2)
    #expect(label(attributes, key, grid) == [11, 8])
    // Free and unknown labels, and points elsewhere, say nothing.
    #expect(add(attributes, grid, [place, place, SIMD3(500, 0, 0)], labels: [17, 255, 3]) == 2)
    #expect(label(attributes, key, grid) == [11, 8])
    for _ in 0..<60 { _ = add(attributes, grid, [place], labels: [11]) }
    #expect(label(attributes, key, grid) == [11, 255])
    _ = add(attributes, grid, [place, place, place], labels: nil, intensities: [10, 20, 60])
    #expect(attributes.intensity(key, in: grid) == 30)
    // The mean follows values that differ by less than its weight.
    let many = [SIMD3<Float>](repeating: place, count: 200)
    for value in [37, 255] as [UInt8] {
      let all = [UInt8](repeating: value, count: 200)
      _ = add(attributes, grid, many, labels: nil, intensities: all)
      #expect(attributes.intensity(key, in: grid) == value)
    }
    // The window moves by less than itself: still there; and back from far away: forgotten.
    grid.recenter(onWorld: SIMD3(7, 7, 0.4))
    #expect(label(attributes, key, grid) == [11, 255])
    let twin = VoxelKey(x: key.x + 48, y: key.y, z: key.z)
    grid.recenter(onWorld: SIMD3(3 + 48 * 0.4, 7, 0.4))
    #expect(attributes.label(twin, in: grid) == nil)
    let there = SIMD3<Float>(place.x + 48 * 0.4, place.y, place.z)
    _ = add(attributes, grid, [there], labels: [2])
    #expect(label(attributes, twin, grid) == [2, 8])
    grid.recenter(onWorld: SIMD3(3, 7, 0.4))
    #expect(attributes.label(key, in: grid) == nil)
  }
}
