import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct BEVPoolTests {
  /// Random tables over three cameras, a third of the cells empty.
  struct Problem {
    let index: BEVIndex
    let depth: [Float]
    var features: [Float]
    let channels: Int

    init(channels: Int, cells: Int, engine: Engine, threads: Int = 1) {
      var random = SeededGenerator(seed: UInt64(channels))
      let layout = FrustumLayout(
        cameras: [(7, 3), (4, 4), (9, 1)].map {
          FrustumLayout.Camera(featureWidth: $0.0, featureHeight: $0.1)
        }, binCount: 5)
      index = BEVIndex(
        layout: layout, cellCount: cells, engine: engine, pool: WorkerPool(threadCount: threads))
      index.rebuild(
        ranks: (0..<layout.pointCount).map { _ in
          let rank = Int32.random(in: -2..<Int32(cells), using: &random)
          return rank % 3 == 2 ? -1 : rank
        })
      depth = random.floats(layout.pointCount, in: 0...1)
      features = random.floats(layout.featureCount * channels)
      self.channels = channels
    }

    func pooled(
      _ cameras: CameraSet = .all, grid: BEVGrid? = nil, order: BEVOrder = .slabs
    ) -> [Float] {
      let output = AlignedBuffer<Float>(count: index.cellCount * channels)
      output.fill(.nan)
      depth.withUnsafeBufferPointer { depth in
        features.withUnsafeBufferPointer { features in
          BEVPool.pool(
            index, depth: depth, features: features, channels: channels, cameras: cameras,
            grid: grid, order: order, into: output.elements)
        }
      }
      return output.array
    }
  }

  @Test(arguments: Engine.everyEngine)
  func `two points in one cell add up as by hand`(engine: Engine) {
    let layout = FrustumLayout(
      cameras: [FrustumLayout.Camera(featureWidth: 2, featureHeight: 1)], binCount: 1)
    let index = BEVIndex(
      layout: layout, cellCount: 3, engine: engine, pool: WorkerPool(threadCount: 1))
    index.rebuild(ranks: [1, 1])
    let output = AlignedBuffer<Float>(count: 6)
    output.fill(.nan)
    [Float(0.5), 0.25].withUnsafeBufferPointer { depth in
      [Float(1), 2, 8, 16].withUnsafeBufferPointer { features in
        BEVPool.pool(index, depth: depth, features: features, channels: 2, into: output.elements)
      }
    }
    #expect(output.array == [0, 0, 2.5, 5, 0, 0])
  }

  @Test(arguments: Engine.simdSets)
  func `SIMD matches the reference for every number of channels and threads`(engine: Engine) {
    let counts = [1, 7, 8, 9, 15, 16, 17, 31, 48, 63, 64, 65, 79, 80, 81, 97, 128, 144, 161, 256]
    for channels in counts {
      let expected = Problem(channels: channels, cells: 23, engine: .reference).pooled()
      let found = Problem(channels: channels, cells: 23, engine: engine).pooled()
      // At most 40 points of magnitude 1 a cell, two roundings each.
      #expect(largestDifference(expected, found) <= 40 * 40 * 0x1p-23)
      for threads in [2, 3] {
        let again = Problem(channels: channels, cells: 23, engine: engine, threads: threads)
        #expect(again.pooled() == found)
      }
    }
  }

  /// What a set with or without fused multiply-add must give, bit for bit.
  @Test(arguments: InstructionSet.supported)
  func `sums are the running sums in table order, bit for bit`(set: InstructionSet) {
    let problem = Problem(channels: 21, cells: 11, engine: .simd(set))
    let tables = problem.index.tables()
    var fused = [Float](repeating: 0, count: 11 * 21)
    var rounded = fused
    for point in tables.ranksBEV.indices {
      let weight = problem.depth[Int(tables.ranksDepth[point])]
      for channel in 0..<21 {
        let value = problem.features[Int(tables.ranksFeature[point]) * 21 + channel]
        let cell = Int(tables.ranksBEV[point]) * 21 + channel
        fused[cell].addProduct(weight, value)
        rounded[cell] += weight * value
      }
    }
    let found = problem.pooled()
    #expect(found == fused || found == rounded)
    if set == .avx2 || set == .avx512 { #expect(found == fused) }
    if set == .baseline { #expect(found == rounded) }
  }

  @Test(arguments: Engine.everyEngine)
  func `a camera left out is exactly absent and never read`(engine: Engine) {
    for channels in [5, 16, 37, 64, 80] {
      let whole = Problem(channels: channels, cells: 23, engine: engine)
      var ranks = whole.index.pointRanks()
      let layout = whole.index.layout
      for point in layout.depthStarts[1]..<layout.depthStarts[2] { ranks[point] = -1 }
      let without = BEVIndex(
        layout: layout, cellCount: 23, engine: engine, pool: WorkerPool(threadCount: 2))
      without.rebuild(ranks: ranks)
      let expected = AlignedBuffer<Float>(count: 23 * channels)
      whole.depth.withUnsafeBufferPointer { depth in
        whole.features.withUnsafeBufferPointer { features in
          BEVPool.pool(
            without, depth: depth, features: features, channels: channels, into: expected.elements)
        }
      }
      #expect(whole.pooled([.camera(0), .camera(2)]) == expected.array)
      #expect(whole.pooled([]).allSatisfy { $0 == 0 })
    }
  }

  @Test(arguments: Engine.everyEngine)
  func `every output order holds the same cells`(engine: Engine) {
    let grid = BEVGrid(lowerMeters: .zero, stepMeters: .one, sizeX: 4, sizeY: 3, sizeZ: 2)
    let problem = Problem(channels: 17, cells: grid.cellCount, engine: engine, threads: 2)
    let slabs = problem.pooled(grid: grid)
    #expect(slabs == problem.pooled())
    let collapsed = problem.pooled(grid: grid, order: .collapsed)
    let xMajor = problem.pooled(grid: grid, order: .xMajor)
    for z in 0..<2 {
      for y in 0..<3 {
        for x in 0..<4 {
          for channel in 0..<17 {
            let value = slabs[((z * 3 + y) * 4 + x) * 17 + channel]
            #expect(collapsed[((y * 4 + x) * 2 + z) * 17 + channel] == value)
            #expect(xMajor[((z * 4 + x) * 3 + y) * 17 + channel] == value)
          }
        }
      }
    }
  }

  @Test(arguments: Engine.everyEngine)
  func `sixteen-bit features give what widening them first gives, bit for bit`(engine: Engine) {
    for channels in [1, 7, 15, 16, 17, 31, 64, 80, 129] {
      let problem = Problem(channels: channels, cells: 40, engine: engine, threads: 2)
      // The upper half of a float is a bfloat16; the same bits are also some finite half.
      let bits = problem.features.map { UInt16($0.bitPattern >> 16) & 0xbfff }
      for type in [ElementType.float16, .bfloat16] {
        let wide = HostTensor(
          elementType: type == .float16 ? .float16 : .bfloat16, shape: [bits.count],
          bytes: bits.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
        ).floats()
        for cameras in [CameraSet.all, [.camera(0), .camera(2)]] {
          let output = AlignedBuffer<Float>(count: problem.index.cellCount * channels)
          output.fill(.nan)
          problem.depth.withUnsafeBufferPointer { depth in
            bits.withUnsafeBufferPointer { features in
              BEVPool.pool(
                problem.index, depth: depth, halfFeatures: features, elementType: type,
                channels: channels, cameras: cameras, into: output.elements)
            }
          }
          let expected = problem.replacing(features: wide ?? []).pooled(cameras)
          #expect(output.array == expected)
          #expect(expected.contains { $0 != 0 })
        }
      }
    }
  }

  @Test(arguments: Engine.simdSets)
  func `maps too large for the caches are streamed to the same bits`(engine: Engine) {
    // 66,000 cells of 64 channels are 16.9 MB.
    let layout = FrustumLayout(
      cameras: [FrustumLayout.Camera(featureWidth: 8, featureHeight: 4)], binCount: 6)
    var random = SeededGenerator(seed: 31)
    let ranks = (0..<layout.pointCount).map { _ in Int32.random(in: -5..<66_000, using: &random) }
    let depth = random.floats(layout.pointCount, in: 0...1)
    let features = random.floats(layout.featureCount * 64)
    let outputs = [(Engine.reference, 1), (engine, 1), (engine, 3)].map { engine, threads in
      let index = BEVIndex(
        layout: layout, cellCount: 66_000, engine: engine, pool: WorkerPool(threadCount: threads))
      index.rebuild(ranks: ranks)
      let output = AlignedBuffer<Float>(count: 66_000 * 64)
      output.fill(.nan)
      depth.withUnsafeBufferPointer { depth in
        features.withUnsafeBufferPointer { features in
          BEVPool.pool(index, depth: depth, features: features, channels: 64, into: output.elements)
        }
      }
      return output.array
    }
    #expect(largestDifference(outputs[0], outputs[1]) <= 8 * 0x1p-24)
    #expect(outputs[1] == outputs[2])
  }
}

extension BEVPoolTests.Problem {
  /// The same tables and weights with other features.
  func replacing(features: [Float]) -> Self {
    var copy = self
    copy.features = features
    return copy
  }
}
