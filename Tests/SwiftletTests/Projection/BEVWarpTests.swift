import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct BEVWarpTests {
  private func warped(
    _ source: [Float], validity: [UInt8]? = nil, width: Int, height: Int, channels: Int,
    _ transform: BEVPixelTransform, _ engine: Engine, threads: Int = 1
  ) -> ([Float], [UInt8]) {
    let warp = BEVWarp(
      width: width, height: height, channels: channels, engine: engine,
      pool: WorkerPool(threadCount: threads))
    warp.output.fill(.nan)
    warp.validity.fill(7)
    source.withUnsafeBufferPointer { source in
      if let validity {
        validity.withUnsafeBufferPointer { warp.warp(source, validity: $0, by: transform) }
      } else {
        warp.warp(source, validity: nil, by: transform)
      }
    }
    return (warp.output.array, warp.validity.array)
  }

  @Test(arguments: Engine.everyEngine)
  func `a shift of a cell and a half reads half of two neighbours, zero outside`(engine: Engine) {
    let shift = BEVPixelTransform(xx: 1, xy: 0, x0: 1.5, yx: 0, yy: 1, y0: 0)
    let (map, valid) = warped([1, 2, 4, 8], width: 4, height: 1, channels: 1, shift, engine)
    #expect(map == [3, 6, 4, 0])
    #expect(valid == [1, 1, 0, 0])
  }

  @Test(arguments: Engine.everyEngine)
  func `the identity keeps every value and validity, even beside NaN`(engine: Engine) {
    var random = SeededGenerator(seed: 31)
    var source = random.floats(5 * 7 * 19)
    source[2 * 19] = .nan
    let valid = (0..<35).map { UInt8($0 % 4 == 0 ? 0 : 1) }
    let (map, validity) = warped(
      source, validity: valid, width: 7, height: 5, channels: 19, .identity, engine)
    #expect(largestDifference(map, source) == 0)
    #expect(validity == valid)
  }

  @Test(arguments: Engine.everyEngine)
  func `our own convention turns the map about the ego, not about a cell corner`(engine: Engine) {
    // A half turn of the ego about its origin mirrors a centred grid exactly.
    let grid = BEVGrid(x: (-2, 2, 1), y: (-1, 1, 1), z: (0, 1, 1))
    let half = RigidTransform(
      rotation: Matrix3(SIMD3(-1, 0, 0), SIMD3(0, -1, 0), SIMD3(0, 0, 1)), translation: .zero)
    let transform = BEVPixelTransform.cellCenters(previousEgoFromCurrentEgo: half, grid: grid)
    let (map, valid) = warped(
      [1, 2, 3, 4, 5, 6, 7, 8], width: 4, height: 2, channels: 1, transform, engine)
    #expect(map == [8, 7, 6, 5, 4, 3, 2, 1])
    #expect(valid == Array(repeating: 1, count: 8))
  }

  @Test(arguments: Engine.everyEngine)
  func `driving one cell forward moves the map one cell back`(engine: Engine) {
    let grid = BEVGrid(x: (-2, 2, 1), y: (0, 1, 1), z: (0, 1, 1))
    // The current ego stands 1 m ahead: its origin is (1, 0) in the previous frame.
    let motion = RigidTransform(rotation: Matrix3.identity, translation: SIMD3(1, 0, 0))
    let transform = BEVPixelTransform.cellCenters(previousEgoFromCurrentEgo: motion, grid: grid)
    let (map, valid) = warped([1, 2, 3, 4], width: 4, height: 1, channels: 1, transform, engine)
    #expect(map == [2, 3, 4, 0])
    #expect(valid == [1, 1, 1, 0])
  }

  @Test(arguments: Engine.simdSets)
  func `SIMD matches the reference at every channel tail, any threads`(engine: Engine) {
    var random = SeededGenerator(seed: 32)
    for channels in [1, 7, 8, 9, 15, 16, 17, 31, 33, 64] {
      let (width, height) = (13, 9)
      let source = random.floats(width * height * channels)
      let valid = (0..<(width * height)).map { _ in UInt8(Bool.random(using: &random) ? 1 : 0) }
      let transform = BEVPixelTransform(
        xx: 0.96, xy: -0.21, x0: 1.3, yx: 0.25, yy: 1.02, y0: -1.7)
      let expected = warped(
        source, validity: valid, width: width, height: height, channels: channels, transform,
        .reference)
      let found = warped(
        source, validity: valid, width: width, height: height, channels: channels, transform,
        engine)
      #expect(largestDifference(expected.0, found.0) <= 8 * 0x1p-24)
      #expect(expected.1 == found.1)
      for threads in [2, 3] {
        let again = warped(
          source, validity: valid, width: width, height: height, channels: channels, transform,
          engine, threads: threads)
        #expect(again.0 == found.0 && again.1 == found.1)
      }
    }
  }

  @Test(arguments: Engine.everyEngine)
  func `a transform of NaN or far away gives zeros, invalid`(engine: Engine) {
    for value in [Double.nan, .infinity, 1e300, -1e18] {
      let transform = BEVPixelTransform(xx: 1, xy: 0, x0: value, yx: 0, yy: 1, y0: 0)
      let (map, valid) = warped([1, 2], width: 2, height: 1, channels: 1, transform, engine)
      #expect(map == [0, 0])
      #expect(valid == [0, 0])
    }
  }
}
