import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct BEVIndexTests {
  private func layout(_ sizes: [(Int, Int)], bins: Int) -> FrustumLayout {
    FrustumLayout(
      cameras: sizes.map { FrustumLayout.Camera(featureWidth: $0.0, featureHeight: $0.1) },
      binCount: bins)
  }

  @Test(arguments: Engine.everyEngine)
  func `five points sorted by hand`(engine: Engine) {
    // One camera of 1×1 pixels with 2 bins, one of 3×1 with 2 bins; points 0, 1 | 2…7.
    let index = BEVIndex(
      layout: layout([(1, 1), (3, 1)], bins: 2), cellCount: 4, engine: engine,
      pool: WorkerPool(threadCount: 1))
    index.rebuild(ranks: [2, -1, 0, 2, 9, 2, 4, 0])
    let tables = index.tables()
    #expect(tables.ranksBEV == [0, 0, 2, 2, 2])
    #expect(tables.ranksDepth == [2, 7, 0, 3, 5])
    #expect(tables.ranksFeature == [1, 3, 0, 2, 1])
    #expect(tables.intervalStarts == [0, 2])
    #expect(tables.intervalLengths == [2, 3])
    #expect(index.cameraMasks.array == [0b10, 0, 0b11, 0])
    #expect(index.keptCount == 5)
  }

  @Test(arguments: Engine.simdSets)
  func `the counting sort equals the reference for any threads, sizes and cell counts`(
    engine: Engine
  ) {
    var random = SeededGenerator(seed: 21)
    for (cells, sizes) in [
      (1, [(1, 1)]), (15, [(5, 3), (1, 1), (2, 7)]), (16, [(16, 1)]), (17, [(17, 3), (3, 5)]),
      (1000, [(31, 9), (8, 8), (33, 2), (1, 5)]), (4097, [(44, 16)]),
    ] {
      let layout = layout(sizes, bins: 7)
      let ranks = (0..<layout.pointCount).map { _ in
        Int32.random(in: -3..<Int32(cells + 3), using: &random)
      }
      let expected = sorted(layout, cells, ranks, .reference, 1)
      for threads in [1, 2, 3, 5] {
        let found = sorted(layout, cells, ranks, engine, threads)
        #expect(found.tables() == expected.tables())
        #expect(found.cameraMasks.array == expected.cameraMasks.array)
        #expect(found.pointRanks() == expected.pointRanks())
      }
    }
  }

  private func sorted(
    _ layout: FrustumLayout, _ cells: Int, _ ranks: [Int32], _ engine: Engine, _ threads: Int
  ) -> BEVIndex {
    let index = BEVIndex(
      layout: layout, cellCount: cells, engine: engine, pool: WorkerPool(threadCount: threads))
    // Sorting other points first: nothing may survive from one rebuild to the next.
    index.rebuild(ranks: ranks.reversed())
    index.rebuild(ranks: ranks)
    return index
  }

  @Test(arguments: Engine.everyEngine)
  func `valid cells are those a chosen camera reaches at any height`(engine: Engine) {
    let index = BEVIndex(
      layout: layout([(1, 1), (1, 1), (1, 1)], bins: 2), cellCount: 6, engine: engine,
      pool: WorkerPool(threadCount: 2))
    index.rebuild(ranks: [0, 4, 2, -1, 4, 5])
    let validity = AlignedBuffer<UInt8>(count: 3)
    index.markValidCells([.camera(0), .camera(2)], slabs: 2, into: validity)
    #expect(validity.array == [1, 1, 1])
    index.markValidCells(.camera(0), slabs: 2, into: validity)
    #expect(validity.array == [1, 1, 0])
    index.markValidCells([], slabs: 2, into: validity)
    #expect(validity.array == [0, 0, 0])
  }
}
