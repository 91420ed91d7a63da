import Swiftlet
import SwiftletTestSupport
import Testing

/// Inputs of one linear layer, and what the definition gives for them in float64.
private struct LinearCase {
  var rows: Int
  var inputs: Int
  var outputs: Int
  var x: [Float]
  var weight: [Float]
  var bias: [Float]
  var residual: [Float]

  init(rows: Int, inputs: Int, outputs: Int, seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    (self.rows, self.inputs, self.outputs) = (rows, inputs, outputs)
    x = generator.floats(rows * inputs)
    weight = generator.floats(outputs * inputs)
    bias = generator.floats(outputs)
    residual = generator.floats(rows * outputs)
  }

  func run(
    _ engine: Engine, threads: Int, activation: Activation = .none, withResidual: Bool = false,
    gemm: GEMMEngine = .own
  ) -> [Float] {
    let layer = Linear(weight: weight, bias: bias, inputs: inputs, outputs: outputs)
    let output = AlignedBuffer([Float](repeating: .nan, count: rows * outputs))
    layer.apply(
      AlignedBuffer(x), rows: rows, activation: activation,
      residual: withResidual ? AlignedBuffer(residual) : nil, into: output, engine: engine,
      gemm: gemm, pool: WorkerPool(threadCount: threads))
    return output.array
  }

  /// Sums of `inputs` products of values below 1 and a bias: every partial sum is below inputs + 1,
  /// each of the 2 · inputs roundings is at most half a unit in the last place of it.
  var tolerance: Float { Float(inputs + 1) * Float(2 * inputs + 2) * 0x1p-25 }
}

@Suite struct LinearTests {
  @Test func `two rows by hand`() {
    let layer = Linear(weight: [1, 2, 3, 4, 5, 6], bias: [0.5, -1], inputs: 3, outputs: 2)
    for engine in [Engine.reference] + InstructionSet.supported.map(Engine.simd) {
      let output = AlignedBuffer([Float](repeating: .nan, count: 4))
      layer.apply(
        AlignedBuffer([1, 0, -1, 2, 2, 2]), rows: 2, into: output, engine: engine,
        pool: WorkerPool(threadCount: 1))
      #expect(output.array == [-1.5, -3, 12.5, 29])
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `every tail of rows, inputs and outputs agrees with the reference`(set: InstructionSet) {
    for (rows, inputs, outputs) in tails {
      let layer = LinearCase(rows: rows, inputs: inputs, outputs: outputs, seed: 7)
      let expected = layer.run(.reference, threads: 1)
      let got = layer.run(.simd(set), threads: 1)
      #expect(
        largestDifference(expected, got) <= layer.tolerance, "\(rows) x \(inputs) x \(outputs)")
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `one, two and three threads give the same bits`(set: InstructionSet) {
    for (rows, inputs, outputs) in tails + [(203, 64, 96), (97, 33, 40)] {
      let layer = LinearCase(rows: rows, inputs: inputs, outputs: outputs, seed: 11)
      let one = layer.run(.simd(set), threads: 1, activation: .geluErf, withResidual: true)
      for threads in [2, 3] {
        let more = layer.run(
          .simd(set), threads: threads, activation: .geluErf, withResidual: true)
        #expect(one.map(\.bitPattern) == more.map(\.bitPattern))
      }
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `activation and residual are fused without another result`(set: InstructionSet) {
    for activation in [Activation.none, .relu, .geluErf, .geluTanh] {
      for (rows, inputs, outputs) in [(13, 22, 51), (25, 16, 64), (1, 1, 1)] {
        let layer = LinearCase(rows: rows, inputs: inputs, outputs: outputs, seed: 3)
        let expected = layer.run(.reference, threads: 1, activation: activation, withResidual: true)
        let got = layer.run(.simd(set), threads: 1, activation: activation, withResidual: true)
        // The activations' slopes are below 1.13; their own errors are tested in ActivationTests.
        #expect(largestDifference(expected, got) <= 1.13 * layer.tolerance + 4e-6)
      }
    }
  }

  @Test func `OpenBLAS computes the same layer`() {
    let layer = LinearCase(rows: 131, inputs: 37, outputs: 19, seed: 5)
    let expected = layer.run(.reference, threads: 1, activation: .relu, withResidual: true)
    let got = layer.run(
      .best, threads: 2, activation: .relu, withResidual: true, gemm: .openBLAS)
    #expect(largestDifference(expected, got) <= layer.tolerance)
  }

  @Test(arguments: InstructionSet.supported)
  func `NaN passes through ReLU instead of becoming zero`(set: InstructionSet) {
    let layer = Linear(weight: [1], bias: [0], inputs: 1, outputs: 1)
    let output = AlignedBuffer<Float>(count: 1)
    layer.apply(
      AlignedBuffer([Float.nan]), rows: 1, activation: .relu, into: output, engine: .simd(set),
      pool: WorkerPool(threadCount: 1))
    #expect(output[0].isNaN)
  }

  private let tails = [
    (0, 3, 4), (1, 1, 1), (7, 8, 9), (8, 7, 15), (9, 15, 16), (15, 16, 17), (16, 17, 31),
    (12, 64, 32), (13, 5, 33), (31, 31, 48), (24, 0, 5), (11, 40, 47), (3, 65, 64),
  ]
}
