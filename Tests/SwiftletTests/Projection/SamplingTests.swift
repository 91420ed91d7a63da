import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct SamplingTests {
  private func sampled(
    _ map: [Float], _ shape: (Int, Int, Int, Int, Int), _ grid: [Float], _ dimensions: Int,
    _ operation: GridSample, _ engine: Engine, threads: Int = 1
  ) -> [Float] {
    let points = grid.count / dimensions / shape.0
    let output = AlignedBuffer<Float>(count: shape.0 * shape.1 * points)
    output.fill(.nan)
    map.withUnsafeBufferPointer { map in
      grid.withUnsafeBufferPointer { grid in
        operation.sample(
          map, shape: shape, grid: grid, dimensions: dimensions, into: output.elements,
          engine: engine, pool: WorkerPool(threadCount: threads))
      }
    }
    return output.array
  }

  @Test(arguments: Engine.everyEngine)
  func `g = 1 on the row 0 1 2 3 reads 1.5 or 3 by convention`(engine: Engine) {
    for (corners, expected) in [(false, Float(1.5)), (true, 3)] {
      let found = sampled(
        [0, 1, 2, 3], (1, 1, 1, 1, 4), [1, 0, .nan, 0, -9, 0], 2,
        GridSample(isNearest: false, alignCorners: corners), engine)
      #expect(found == [expected, 0, 0])
    }
  }

  @Test(arguments: Engine.simdSets)
  func `grid_sample matches the reference at every tail, any threads`(engine: Engine) {
    var random = SeededGenerator(seed: 81)
    for points in [0, 1, 7, 8, 9, 15, 16, 17, 31] {
      for dimensions in [2, 3] {
        let shape = (2, 3, dimensions == 3 ? 4 : 1, 5, 7)
        let map = random.floats(2 * 3 * shape.2 * 35)
        let grid = random.floats(2 * points * dimensions, in: -1.6...1.6)
        for corners in [false, true] {
          let linear = GridSample(isNearest: false, alignCorners: corners)
          let expected = sampled(map, shape, grid, dimensions, linear, .reference)
          let found = sampled(map, shape, grid, dimensions, linear, engine)
          #expect(largestDifference(expected, found) <= 2e-6)
          #expect(sampled(map, shape, grid, dimensions, linear, engine, threads: 3) == found)
          let nearest = GridSample(isNearest: true, alignCorners: corners)
          #expect(
            sampled(map, shape, grid, dimensions, nearest, .reference)
              == sampled(map, shape, grid, dimensions, nearest, engine))
        }
      }
    }
  }

  @Test(arguments: Engine.everyEngine)
  func `a volume shifted by half a slab halves its neighbours`(engine: Engine) {
    let warp = VoxelWarp(
      sizeX: 1, sizeY: 1, sizeZ: 3, channels: 1, engine: engine,
      pool: WorkerPool(threadCount: 2))
    [Float(2), 4, 8].withUnsafeBufferPointer {
      warp.warp(
        $0, flow: AffineTransform(linear: .identity, translation: SIMD3(0, 0, 0.5)))
    }
    #expect(warp.output.array == [3, 6, 4])
  }

  @Test(arguments: Engine.simdSets)
  func `volume warp and rotation match the reference at every channel tail`(engine: Engine) {
    var random = SeededGenerator(seed: 82)
    for channels in [1, 7, 15, 16, 17, 33] {
      let source = random.floats(3 * 5 * 6 * channels)
      let flow = AffineTransform(
        linear: Quaternion(axis: SIMD3(0, 0, 1), radians: 0.2).matrix,
        translation: SIMD3(0.4, -0.7, 0.3))
      let results = [(Engine.reference, 1), (engine, 1), (engine, 3)].map { engine, threads in
        let pool = WorkerPool(threadCount: threads)
        let warp = VoxelWarp(
          sizeX: 6, sizeY: 5, sizeZ: 3, channels: channels, engine: engine, pool: pool)
        warp.output.fill(.nan)
        let rotated = AlignedBuffer<Float>(count: 90 * channels)
        rotated.fill(.nan)
        source.withUnsafeBufferPointer {
          warp.warp($0, flow: flow)
          BEVRotation.rotate(
            $0, width: 6, height: 15, channels: channels, angleDegrees: 17,
            center: BEVRotation.middle(width: 6, height: 15), into: rotated.elements,
            engine: engine, pool: pool)
        }
        return (warp.output.array, rotated.array)
      }
      #expect(largestDifference(results[0].0, results[1].0) <= 8 * 0x1p-23)
      #expect(results[1].0 == results[2].0)
      #expect(results[0].1 == results[1].1 && results[1].1 == results[2].1)
    }
  }
}
