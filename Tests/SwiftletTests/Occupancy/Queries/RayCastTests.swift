import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct RayCastTests {
  /// Where a line runs inside a voxel: entry and exit in metres, by its three slabs.
  private func overlap(
    _ lower: SIMD3<Double>, _ voxel: Double, _ origin: SIMD3<Double>, _ unit: SIMD3<Double>
  ) -> (entry: Double, exit: Double) {
    var span = (entry: -Double.infinity, exit: Double.infinity)
    for axis in 0..<3 {
      if unit[axis] == 0 {
        let isInside = origin[axis] >= lower[axis] && origin[axis] < lower[axis] + voxel
        if !isInside { return (0, -1) }
        continue
      }
      let a = (lower[axis] - origin[axis]) / unit[axis]
      let b = (lower[axis] + voxel - origin[axis]) / unit[axis]
      span.entry = max(span.entry, min(a, b))
      span.exit = min(span.exit, max(a, b))
    }
    return (max(0, span.entry), span.exit)
  }

  private func unit(_ direction: SIMD3<Float>) -> SIMD3<Double> {
    let d = SIMD3<Double>(direction)
    return d / (d * d).sum().squareRoot()
  }

  @Test(arguments: everyQueryEngine, [false, true])
  func `a ray ends at the first voxel that stops it, as slabs of all voxels have it`(
    kind: (Engine, Int), stopsAtUnknown: Bool
  ) throws {
    for (height, seed) in [(9, UInt64(1)), (70, 2)] {
      var scene = try QueryScene(
        cells: SIMD3(17, 12, height), engine: kind.0, threads: kind.1)
      scene.scatter(occupied: 0.02, free: stopsAtUnknown ? 0.93 : 0.5, seed: seed)
      scene.move(x: 5, y: -9)
      scene.scatter(occupied: 0.02, free: stopsAtUnknown ? 0.93 : 0.5, seed: seed + 9)
      let stops = scene.keys.filter {
        let state = scene.state($0)
        return state == .occupied || stopsAtUnknown && state == .unknown
      }
      var generator = SeededGenerator(seed: seed)
      for ray in 0..<120 {
        let n = SIMD3<Double>(scene.grid.cellCounts) * scene.voxel
        let spread = ray % 3 == 0 ? 2.0 : 1.0
        let random = SIMD3(
          Double.random(in: -0.5...0.5, using: &generator),
          Double.random(in: -0.5...0.5, using: &generator),
          Double.random(in: -0.5...0.5, using: &generator))
        let origin = scene.grid.lowerMeters + n * (random * spread + 0.5)
        let values = generator.floats(3)
        let direction = SIMD3(values[0], values[1], values[2])
        let range = ray % 5 == 0 ? 1.5 : 60
        let hit = scene.grid.castRay(
          from: origin, direction: direction, maximumRangeMeters: range,
          stopsAtUnknown: stopsAtUnknown)
        let u = unit(direction)
        let first = stops.map { ($0, overlap(scene.lower($0), scene.voxel, origin, u)) }
          .filter { $0.1.exit - $0.1.entry > 1e-9 && $0.1.entry <= range }
          .min { $0.1.entry < $1.1.entry }
        let note: Comment = "seed \(seed) ray \(ray) from \(origin) along \(direction): \(hit)"
        if let first {
          #expect(hit.key == first.0, note)
          #expect(abs(Double(hit.distanceMeters) - first.1.entry) < 1e-5, note)
          #expect(
            hit.state == (scene.state(first.0) == .occupied ? .occupied : .unknown), note)
        } else {
          let window = windowExit(scene, origin, u)
          #expect(hit.state == (window > range ? .rangeReached : .leftWindow), note)
          #expect(Double(hit.distanceMeters) <= range + 1e-5, note)
        }
      }
    }
  }

  @Test(arguments: everyQueryEngine)
  func `a ray through an edge takes z before y before x`(kind: (Engine, Int)) throws {
    for (direction, first) in [
      (SIMD3<Float>(1, 1, 0), SIMD3<Int32>(0, 1, 0)), (SIMD3(1, 0, 1), SIMD3(0, 0, 1)),
      (SIMD3(0, 1, 1), SIMD3(0, 0, 1)), (SIMD3(-1, -1, 0), SIMD3(0, -1, 0)),
      (SIMD3(1, 1, 1), SIMD3(0, 0, 1)),
    ] {
      var scene = try QueryScene(
        cells: SIMD3(9, 9, 9), voxel: 1, engine: kind.0, threads: kind.1,
        origin: VoxelKey(x: -4, y: -4, z: -4))
      // Everything around the middle stops a ray, so the first step shows.
      for key in scene.keys where key != VoxelKey(x: 0, y: 0, z: 0) { scene.set(key, .occupied) }
      let middle = SIMD3(0.5, 0.5, 0.5)
      let expected = VoxelKey(x: first.x, y: first.y, z: first.z)
      let hit = scene.grid.castRay(from: middle, direction: direction, maximumRangeMeters: 5)
      #expect(hit.key == expected, "\(direction)")
      let walked = ReferenceRays(scene.grid).cast(
        from: middle, direction: direction, maximumRangeMeters: 5)
      #expect(walked.key == expected, "\(direction)")
    }
  }

  /// Where a line last leaves the window; −1 when it never meets it ahead of the origin.
  private func windowExit(
    _ scene: QueryScene, _ origin: SIMD3<Double>, _ unit: SIMD3<Double>
  ) -> Double {
    let lower = scene.grid.lowerMeters
    let upper = lower + SIMD3<Double>(scene.grid.cellCounts) * scene.voxel
    // A ray counts as gone as soon as it is past one side for good.
    var exit = Double.infinity
    for axis in 0..<3 where unit[axis] != 0 {
      exit = min(exit, max(0, ((unit[axis] > 0 ? upper : lower)[axis] - origin[axis]) / unit[axis]))
    }
    return exit
  }

  @Test(arguments: InstructionSet.supported, [1, 2, 3])
  func `many rays at once equal the scalar walk bit for bit, faces and edges included`(
    set: InstructionSet, threads: Int
  ) throws {
    var scene = try QueryScene(
      cells: SIMD3(21, 14, 66), engine: .simd(set), threads: threads)
    scene.scatter(occupied: 0.01, free: 0.6, seed: 5)
    scene.move(x: -4, y: 3)
    var generator = SeededGenerator(seed: 77)
    for (index, count) in [0, 1, 7, 8, 9, 15, 16, 17, 31, 700].enumerated() {
      var directions = generator.floats(3 * count)
      for ray in 0..<count where ray % 4 == 0 {
        // Lattice directions run along faces, edges and diagonals.
        for axis in 0..<3 { directions[3 * ray + axis] = (directions[3 * ray + axis] * 2).rounded() }
      }
      if count > 8 {
        directions[0] = .nan
        directions[4] = .infinity
        directions[6...8] = [0, 0, 0]
        directions[9...11] = [1e-30, 0, 0]
      }
      let middle = scene.grid.lowerMeters + SIMD3<Double>(scene.grid.cellCounts) * 0.25
      let origin = index % 2 == 0 ? middle : middle + 0.13
      let source = AlignedBuffer(directions)
      let distances = AlignedBuffer<Float>(count: count + 1)
      let states = AlignedBuffer<UInt8>(count: count + 1)
      let keys = AlignedBuffer<Int32>(count: 3 * count + 1)
      distances.fill(.nan)
      states.fill(99)
      keys.fill(-99)
      scene.grid.castRays(
        from: origin, directions: UnsafeBufferPointer(source.elements), maximumRangeMeters: 12,
        stopsAtUnknown: index % 3 == 0, distancesMeters: distances.elements,
        states: states.elements, keys: keys.elements)
      let walker = ReferenceRays(scene.grid)
      for ray in 0..<count {
        let expected = walker.cast(
          from: origin,
          direction: SIMD3(directions[3 * ray], directions[3 * ray + 1], directions[3 * ray + 2]),
          maximumRangeMeters: 12, stopsAtUnknown: index % 3 == 0)
        let key = VoxelKey(x: keys[3 * ray], y: keys[3 * ray + 1], z: keys[3 * ray + 2])
        let isSame =
          states[ray] == expected.state.rawValue && key == expected.key
          && distances[ray].bitPattern == expected.distanceMeters.bitPattern
        #expect(isSame, "ray \(ray) of \(count): \(states[ray]) \(key), expected \(expected)")
      }
      #expect(states[count] == 99 && keys[3 * count] == -99 && distances[count].isNaN)
    }
  }

  @Test func `an empty map lets every ray out, and a ray from inside a voxel meets it at once`()
    throws
  {
    var scene = try QueryScene(cells: SIMD3(16, 16, 16), origin: VoxelKey(x: 0, y: 0, z: 0))
    let out = scene.grid.castRay(
      from: SIMD3(1.1, 1.1, 1.1), direction: SIMD3(1, 0, 0), maximumRangeMeters: 100)
    #expect(out.state == .leftWindow)
    #expect(out.key == VoxelKey(x: 16, y: 2, z: 2))
    #expect(abs(out.distanceMeters - 6.9) < 1e-6)
    scene.set(VoxelKey(x: 2, y: 2, z: 2), .occupied)
    let inside = scene.grid.castRay(
      from: SIMD3(1.1, 1.1, 1.1), direction: SIMD3(1, 0, 0), maximumRangeMeters: 100)
    #expect(inside.state == .occupied && inside.distanceMeters == 0)
    let still = scene.grid.castRay(
      from: SIMD3(1.1, 1.1, 1.1), direction: .zero, maximumRangeMeters: 100)
    #expect(still.state == .noDirection)
    let away = scene.grid.castRay(
      from: SIMD3(-5, 1.1, 1.1), direction: SIMD3(-1, 0, 0), maximumRangeMeters: 100)
    #expect(away.state == .leftWindow && away.distanceMeters == 0)
  }
}
