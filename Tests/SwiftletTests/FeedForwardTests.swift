import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct FeedForwardTests {
  private func run(
    rows: Int, channels: Int, hidden: Int, _ engine: Engine, threads: Int = 1
  ) -> [Float] {
    var generator = SeededGenerator(seed: 9)
    let norm = LayerNorm(
      weight: generator.floats(channels), bias: generator.floats(channels))
    let layer = FeedForward(
      channels: channels, hidden: hidden, weight0: generator.floats(channels * hidden),
      bias0: generator.floats(hidden), weight1: generator.floats(channels * hidden),
      bias1: generator.floats(channels), norm: norm)
    let output = AlignedBuffer([Float](repeating: .nan, count: rows * channels))
    layer.apply(
      AlignedBuffer(generator.floats(rows * channels)), rows: rows, into: output, engine: engine,
      pool: WorkerPool(threadCount: threads))
    return output.array
  }

  @Test(arguments: InstructionSet.supported)
  func `blocks, residual and norm agree with the reference, threads change no bit`(
    set: InstructionSet
  ) {
    for (rows, channels, hidden) in [(1, 3, 5), (49, 22, 51), (100, 32, 64)] {
      let expected = run(rows: rows, channels: channels, hidden: hidden, .reference)
      let got = run(rows: rows, channels: channels, hidden: hidden, .simd(set))
      // Hidden values below `channels`, sums of `hidden` of them; the norm divides by the spread.
      let tolerance = Float(channels * hidden) * Float(channels + hidden) * 0x1p-24
      #expect(largestDifference(expected, got) <= max(tolerance, 1e-5))
      for threads in [2, 3] {
        let more = run(rows: rows, channels: channels, hidden: hidden, .simd(set), threads: threads)
        #expect(more.map(\.bitPattern) == got.map(\.bitPattern))
      }
    }
  }
}

@Suite struct MultiHeadAttentionTests {
  /// Identity projections and one head: plain attention with scale 1/√2.
  @Test func `identity projections leave scaled dot product attention, padding included`() {
    var inProjection = [Float](repeating: 0, count: 12)
    for block in 0..<3 { (inProjection[block * 4], inProjection[block * 4 + 3]) = (1, 1) }
    for engine in [Engine.reference] + InstructionSet.supported.map(Engine.simd) {
      let layer = MultiHeadAttention(
        channels: 2, heads: 1, inProjectionWeight: inProjection,
        inProjectionBias: [Float](repeating: 0, count: 6), outProjectionWeight: [1, 0, 0, 1],
        outProjectionBias: [0, 0], maximumQueries: 1, maximumKeys: 3)
      let output = AlignedBuffer<Float>(count: 2)
      layer.apply(
        query: AlignedBuffer([1, 0]), queryCount: 1, key: AlignedBuffer([0, 0, 0, 0, 9, 9]),
        value: AlignedBuffer([2, 4, 4, 8, 100, 100]), keyCount: 3,
        keyPadding: AlignedBuffer([0, 0, 1]), into: output, engine: engine,
        pool: WorkerPool(threadCount: 1))
      #expect(output.array == [3, 6])
    }
  }
}
