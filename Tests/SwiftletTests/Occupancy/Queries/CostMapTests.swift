import Swiftlet
import SwiftletTestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@Suite struct CostMapTests {
  private func layer(_ scene: QueryScene) throws -> ObstacleLayer {
    var configuration = ObstacleLayerConfiguration()
    configuration.groundStepMeters = scene.voxel
    configuration.lowestMeters = scene.voxel
    configuration.highestMeters = 4 * scene.voxel
    return try ObstacleLayer(for: scene.grid, configuration: configuration)
  }

  @Test(arguments: everyQueryEngine)
  func `costs are those of the nearest obstacle column`(kind: (Engine, Int)) throws {
    for columns in [8, 15, 16, 17, 33] {
      var scene = try QueryScene(
        cells: SIMD3(columns, 19, 8), engine: kind.0, threads: kind.1)
      scene.scatter(occupied: 0.004, free: 0.08, seed: UInt64(columns))
      scene.move(x: 3, y: -2)
      scene.scatter(occupied: 0.004, free: 0.08, seed: UInt64(columns + 1))
      let layer = try layer(scene)
      layer.update(from: scene.grid, groundPosition: scene.grid.lowerMeters + 0.1)
      var configuration = CostMapConfiguration()
      configuration.inscribedRadiusMeters = 0.6
      configuration.inflationRadiusMeters = 1.8
      configuration.decayPerMeter = 2
      let map = try CostMap(for: scene.grid, configuration: configuration)
      map.costs.fill(77)
      map.update(from: layer)
      let obstacles = (0..<columns * 19).filter { layer.states[$0] == 2 }
      #expect(!obstacles.isEmpty)
      for cell in 0..<columns * 19 {
        var nearest = Double.infinity
        for other in obstacles {
          let (x, y) = (cell % columns - other % columns, cell / columns - other / columns)
          nearest = min(nearest, Double(x * x + y * y).squareRoot() * 0.5)
        }
        var expected = Int8(0)
        if nearest <= 0.6 {
          expected = 99
        } else if nearest <= 1.8 {
          expected = Int8((98 * exp(-2 * (nearest - 0.6))).rounded())
        }
        if layer.states[cell] == 0, expected < 99 { expected = -1 }
        if layer.states[cell] == 2 { expected = 100 }
        #expect(map.costs[cell] == expected, "cell \(cell) of \(columns) columns, \(nearest) m")
      }
      let at = map.lowerMeters + 0.25
      #expect(map.cost(at: at) == map.costs[0])
      #expect(map.cost(at: at - 1) == -1)
    }
  }

  @Test(arguments: everyQueryEngine)
  func `ground is followed up a ramp, kerbs and boxes stand on it, bridges do not count`(
    kind: (Engine, Int)
  ) throws {
    var scene = try QueryScene(
      cells: SIMD3(40, 24, 66), voxel: 0.25, engine: kind.0, threads: kind.1,
      origin: VoxelKey(x: 0, y: 0, z: 0))
    func ground(_ x: Int) -> Int { 4 + x / 8 }
    for x in 0..<40 {
      for y in 0..<24 {
        if (10..<13).contains(x), y > 15 { continue }  // Not seen: inherits.
        scene.set(VoxelKey(x: Int32(x), y: Int32(y), z: Int32(ground(x))), .occupied)
        for z in 1..<6 {
          scene.set(VoxelKey(x: Int32(x), y: Int32(y), z: Int32(ground(x) + z)), .free)
        }
      }
    }
    for z in 1..<5 { scene.set(VoxelKey(x: 20, y: 10, z: Int32(ground(20) + z)), .occupied) }
    for y in 0..<24 { scene.set(VoxelKey(x: 30, y: Int32(y), z: 63), .occupied) }
    var configuration = ObstacleLayerConfiguration()
    configuration.groundStepMeters = 0.25
    configuration.lowestMeters = 0.3
    configuration.highestMeters = 2.5
    let layer = try ObstacleLayer(for: scene.grid, configuration: configuration)
    layer.update(from: scene.grid, groundPosition: SIMD3(5, 3, 1.6))
    for y in 0..<24 {
      for x in 0..<40 {
        let isHidden = (10..<13).contains(x) && y > 15
        if !isHidden { #expect(Int(layer.ground[y * 40 + x]) == ground(x), "column \(x), \(y)") }
        let expected: UInt8 = x == 20 && y == 10 ? 2 : isHidden ? 0 : 1
        #expect(layer.states[y * 40 + x] == expected, "column \(x), \(y)")
      }
    }
    let bits = (0..<40 * 24 * 2).reduce(0) { $0 + layer.bits[$1].nonzeroBitCount }
    // From 0.3 m on, rounded up to the second voxel above the ground's own.
    #expect(bits == 3)
  }

  @Test(arguments: InstructionSet.supported, [1, 3])
  func `the layer's kernels equal the scalar layer`(set: InstructionSet, threads: Int) throws {
    for (cells, seed) in [(SIMD3(17, 13, 9), UInt64(1)), (SIMD3(33, 10, 70), 2)] {
      var a = try QueryScene(cells: cells, engine: .simd(set), threads: threads)
      var b = try QueryScene(cells: cells, engine: .reference)
      a.scatter(occupied: 0.2, free: 0.4, seed: seed)
      b.scatter(occupied: 0.2, free: 0.4, seed: seed)
      for position in [0.5, 3, 100, -50] {
        let (got, expected) = (try layer(a), try layer(b))
        let place = a.grid.lowerMeters + position
        got.update(from: a.grid, groundPosition: place)
        expected.update(from: b.grid, groundPosition: place)
        #expect(got.ground.array == expected.ground.array)
        #expect(got.states.array == expected.states.array)
        #expect(got.bits.array == expected.bits.array)
      }
    }
  }
}
