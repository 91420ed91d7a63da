import Swiftlet
import SwiftletTestSupport
import Testing

private struct DeformableScene {
  var heads: Int
  var channels: Int
  var sizes: [(height: Int, width: Int)]
  var points: Int
  var queries: Int
  var maps = 2
  var values: [Float] = []
  var locations: [Float] = []
  var weights: [Float] = []

  init(
    heads: Int, channels: Int, sizes: [(height: Int, width: Int)], points: Int, queries: Int
  ) {
    var generator = SeededGenerator(seed: 21)
    (self.heads, self.channels, self.sizes) = (heads, channels, sizes)
    (self.points, self.queries) = (points, queries)
    let tokens = sizes.map { $0.height * $0.width }.reduce(0, +)
    values = generator.floats(maps * tokens * heads * channels)
    let samples = maps * queries * heads * sizes.count * points
    locations = generator.floats(2 * samples, in: -0.3...1.3)
    weights = generator.floats(samples, in: 0...1)
    for index in stride(from: 0, to: locations.count, by: 29) {
      locations[index] = [1e10, -1e10, 0, 1, .nan][index % 5]
    }
  }

  func attend(_ engine: Engine, threads: Int = 1) -> [Float] {
    let attention = MultiScaleDeformableAttention(
      heads: heads, channels: channels, levels: FeatureLevel.pyramid(sizes), points: points)
    let output = AlignedBuffer(
      [Float](repeating: .nan, count: maps * queries * heads * channels))
    attention.apply(
      values: AlignedBuffer(values), locations: AlignedBuffer(locations),
      weights: AlignedBuffer(weights), queryCount: queries, maps: maps, into: output,
      engine: engine, pool: WorkerPool(threadCount: threads))
    return output.array
  }
}

private let shapes: [(Int, Int, [(height: Int, width: Int)], Int, Int)] = [
  (1, 1, [(2, 2)], 1, 5), (4, 8, [(7, 5)], 3, 11), (8, 10, [(16, 44)], 8, 7),
  (8, 32, [(15, 25)], 8, 9), (3, 17, [(9, 13), (5, 7), (1, 2)], 5, 6),
  (2, 33, [(4, 4), (2, 2)], 16, 4), (5, 48, [(3, 3)], 2, 3), (1, 16, [(6, 6)], 40, 2),
]

@Suite struct MultiScaleDeformableAttentionTests {
  @Test func `the middle of four pixels is their mean and a corner keeps a quarter`() {
    for engine in [Engine.reference] + InstructionSet.supported.map(Engine.simd) {
      let attention = MultiScaleDeformableAttention(
        heads: 1, channels: 1, levels: FeatureLevel.pyramid([(2, 2)]), points: 1)
      let output = AlignedBuffer([Float](repeating: .nan, count: 4))
      attention.apply(
        values: AlignedBuffer([1, 2, 3, 6]),
        locations: AlignedBuffer([0.5, 0.5, 0, 0, 0.25, 0.75, 5, 0.5]),
        weights: AlignedBuffer([1, 1, 2, 1]), queryCount: 4, into: output, engine: engine,
        pool: WorkerPool(threadCount: 1))
      #expect(output.array == [3, 0.25, 6, 0])
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `every shape agrees with the reference, far and undefined places included`(
    set: InstructionSet
  ) {
    for (heads, channels, sizes, points, queries) in shapes {
      let scene = DeformableScene(
        heads: heads, channels: channels, sizes: sizes, points: points, queries: queries)
      let expected = scene.attend(.reference)
      let got = scene.attend(.simd(set))
      // A pixel position up to 44 errs by half a unit in its last place (1.9e-6), twice per tap; values and
      // weights are below 1, and each of the 4 samples·points taps rounds once more.
      let samples = Float(sizes.count * points)
      let tolerance = samples * (4 * 1.9e-6 + 8 * 0x1p-24)
      #expect(largestDifference(expected, got) <= tolerance, "\(heads) heads of \(channels)")
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `thread count changes no bit`(set: InstructionSet) {
    for (heads, channels, sizes, points, queries) in shapes {
      let scene = DeformableScene(
        heads: heads, channels: channels, sizes: sizes, points: points, queries: queries)
      let one = scene.attend(.simd(set)).map(\.bitPattern)
      for threads in [2, 3] {
        #expect(scene.attend(.simd(set), threads: threads).map(\.bitPattern) == one)
      }
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `a token outside every sample may be NaN`(set: InstructionSet) {
    var scene = DeformableScene(heads: 2, channels: 4, sizes: [(3, 3)], points: 2, queries: 3)
    scene.values = (0..<scene.values.count).map { $0 / 8 % 9 == 0 ? .nan : 1 }
    scene.locations = [Float](repeating: 0.8, count: scene.locations.count)
    #expect(scene.attend(.simd(set)).allSatisfy { !$0.isNaN })
  }
}

@Suite struct NarrowingTests {
  @Test(arguments: InstructionSet.supported)
  func `SIMD narrows as the definition does: ties, subnormals, overflow, NaN`(set: InstructionSet) {
    var values: [Float] = [
      65_519.996, 65_520, 0x1p-24, 0x1p-25, 0x1.8p-25, 0x1p-14, .infinity, -0.0, 1.000_488_3,
    ]
    values += (0..<UInt32(60_000)).map { Float(bitPattern: $0 &* 71_583) }
    for format in [Narrowing.half, .bfloat] {
      let (expected, got) = (
        AlignedBuffer<UInt16>(count: values.count), AlignedBuffer<UInt16>(count: values.count)
      )
      format.apply(AlignedBuffer(values), into: expected, engine: .reference)
      format.apply(AlignedBuffer(values), into: got, engine: .simd(set))
      for (index, value) in values.enumerated() where !value.isNaN {
        #expect(expected[index] == got[index], "\(value)")
      }
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `half bits survive the round trip`(set: InstructionSet) {
    let patterns = (0...UInt16.max).filter { $0 & 0x7c00 != 0x7c00 || $0 & 0x3ff == 0 }
    var floats = [Float](repeating: 0, count: patterns.count)
    patterns.withUnsafeBufferPointer { source in
      floats.withUnsafeMutableBufferPointer {
        Widening.half(source, to: $0, engine: .simd(set))
      }
    }
    let output = AlignedBuffer<UInt16>(count: patterns.count)
    Narrowing.half.apply(AlignedBuffer(floats), into: output, engine: .simd(set))
    #expect(output.array == patterns)
  }
}

@Suite struct QuantizedLinearTests {
  @Test(arguments: InstructionSet.supported)
  func `every tail gives the reference's bits, one and three threads`(set: InstructionSet) {
    var generator = SeededGenerator(seed: 31)
    for (rows, inputs, outputs) in [(1, 1, 1), (2, 4, 2), (9, 37, 21), (5, 16, 16), (7, 33, 50)] {
      let weight = generator.floats(inputs * outputs)
      let layer = QuantizedLinear(
        weight: weight, bias: generator.floats(outputs), inputs: inputs, outputs: outputs,
        maximumRows: rows)
      let input = AlignedBuffer(generator.floats(rows * inputs, in: -3...3))
      func run(_ engine: Engine, _ threads: Int) -> [Float] {
        let output = AlignedBuffer([Float](repeating: .nan, count: rows * outputs))
        layer.apply(
          input, rows: rows, scale: 0.02, into: output, engine: engine,
          pool: WorkerPool(threadCount: threads))
        return output.array
      }
      let expected = run(.reference, 1)
      #expect(run(.simd(set), 1) == expected)
      #expect(run(.simd(set), 3) == expected)
    }
  }
}
