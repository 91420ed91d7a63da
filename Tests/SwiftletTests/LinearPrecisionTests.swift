import Swiftlet
import SwiftletTestSupport
import Testing

private struct NarrowCase {
  var rows: Int
  var inputs: Int
  var outputs: Int
  var x: [Float]
  var weight: [Float]
  var bias: [Float]
  var residual: [Float]

  init(_ shape: (Int, Int, Int), seed: UInt64 = 17) {
    var generator = SeededGenerator(seed: seed)
    (rows, inputs, outputs) = shape
    x = generator.floats(rows * inputs, in: -2...2)
    weight = generator.floats(outputs * inputs)
    bias = generator.floats(outputs)
    residual = generator.floats(rows * outputs)
  }

  func run(
    _ precision: DensePrecision, _ engine: Engine, threads: Int = 1, scale: Float = 0,
    activation: Activation = .relu, withResidual: Bool = true, norm: LayerNorm? = nil,
    usesInstructions: Bool = true
  ) -> [Float] {
    let layer = Linear(
      weight: weight, bias: bias, inputs: inputs, outputs: outputs, precision: precision,
      maximumThreads: 3)
    layer.inputScale = scale
    layer.usesBFloatInstructions = usesInstructions
    let output = AlignedBuffer([Float](repeating: .nan, count: rows * outputs))
    layer.apply(
      AlignedBuffer(x), rows: rows, activation: activation,
      residual: withResidual ? AlignedBuffer(residual) : nil, norm: norm, into: output,
      engine: engine, pool: WorkerPool(threadCount: threads))
    return output.array
  }
}

private let shapes = [
  (0, 3, 4), (1, 1, 1), (7, 8, 9), (8, 7, 15), (9, 15, 16), (15, 16, 17), (16, 17, 31),
  (12, 64, 32), (13, 5, 33), (31, 31, 48), (97, 33, 40), (203, 64, 96), (3, 65, 64), (24, 0, 5),
]

private func relativeError(_ got: [Float], _ expected: [Float]) -> Double {
  let difference = zip(got, expected).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
  let magnitude = expected.reduce(0.0) { $0 + Double($1) * Double($1) }
  return (difference / magnitude).squareRoot()
}

@Suite struct LinearPrecisionTests {
  @Test func `bfloat16 by hand: the input and the weight lose their low bits, the sum does not`() {
    // 1 + 2^-7 is a bfloat16, 1 + 2^-9 rounds to 1, 1 + 3 · 2^-9 to 1 + 2^-7.
    let layer = Linear(
      weight: [1 + 0x1p-7, 1 + 3 * 0x1p-9], bias: [0x1p-20], inputs: 2, outputs: 1,
      precision: .bf16)
    for engine in [Engine.reference] + InstructionSet.supported.map(Engine.simd) {
      let output = AlignedBuffer<Float>(count: 1)
      layer.apply(
        AlignedBuffer([1 + 0x1p-9, 2]), rows: 1, into: output, engine: engine,
        pool: WorkerPool(threadCount: 1))
      #expect(output[0] == (1 + 0x1p-7) + 2 * (1 + 0x1p-7) + 0x1p-20)
    }
  }

  @Test func `int8 by hand: scales of the row and of the output`() {
    let layer = Linear(
      weight: [127, -64, 0, 0], bias: [0.5, 1], inputs: 2, outputs: 2, precision: .int8)
    for engine in [Engine.reference] + InstructionSet.supported.map(Engine.simd) {
      let output = AlignedBuffer<Float>(count: 4)
      layer.apply(
        AlignedBuffer([1, -0.5, 0, 0]), rows: 2, into: output, engine: engine,
        pool: WorkerPool(threadCount: 1))
      // q = (127, round half even(-63.5) = -64), sum 127² + 64² = 20,225.
      #expect(output.array == [20_225 * (1 * (1 / Float(127))) + 0.5, 1, 0.5, 1])
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `bf16 and int8 have one result: every set, tail and thread count has the reference's bits`(
    set: InstructionSet
  ) {
    for shape in shapes {
      let layer = NarrowCase(shape)
      for (precision, scale) in [(DensePrecision.bf16, Float(0)), (.int8, 0), (.int8, 0.015)] {
        let expected = layer.run(precision, .reference, scale: scale).map(\.bitPattern)
        for threads in [1, 2, 3] {
          let got = layer.run(precision, .simd(set), threads: threads, scale: scale)
          #expect(got.map(\.bitPattern) == expected, "\(precision) \(shape), \(threads) threads")
        }
        let plain = layer.run(
          precision, .simd(set), scale: scale, usesInstructions: false)
        #expect(plain.map(\.bitPattern) == expected, "\(precision) \(shape) without instructions")
      }
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `half weights agree with the reference within the roundings of the sum`(set: InstructionSet) {
    for shape in shapes {
      let layer = NarrowCase(shape)
      let tolerance = Float(2 * layer.inputs + 1) * Float(2 * layer.inputs + 2) * 0x1p-24
      let expected = layer.run(.fp16, .reference)
      #expect(largestDifference(expected, layer.run(.fp16, .simd(set))) <= tolerance)
      #expect(layer.run(.fp16, .simd(set), threads: 3) == layer.run(.fp16, .simd(set)))
    }
  }

  @Test(arguments: DensePrecision.allCases)
  func `a fused epilogue equals the steps one by one`(precision: DensePrecision) {
    let layer = NarrowCase((53, 24, 40))
    var generator = SeededGenerator(seed: 3)
    let norm = LayerNorm(weight: generator.floats(40), bias: generator.floats(40))
    for set in InstructionSet.supported {
      for activation in [Activation.none, .relu, .geluErf, .geluTanh] {
        let fused = layer.run(precision, .simd(set), threads: 2, activation: activation, norm: norm)
        let sums = AlignedBuffer(
          layer.run(precision, .simd(set), activation: .none, withResidual: false))
        activation.apply(sums, into: sums, engine: .simd(set))
        for index in 0..<sums.count { sums[index] += layer.residual[index] }
        norm.apply(
          sums, rows: 53, into: sums, engine: .simd(set), pool: WorkerPool(threadCount: 1))
        #expect(fused == sums.array, "\(set) \(activation)")
      }
    }
  }

  @Test(arguments: [
    (DensePrecision.fp16, 3e-4), (.bf16, 4e-3), (.int8, 1.2e-2),
  ])
  func `the error against fp32 is what the formats' bits give`(
    precision: DensePrecision, bound: Double
  ) {
    // A rounding to p bits of mantissa errs by at most 2^-(p+1), about 0.41 of that in the mean square
    // for weights and again for inputs; bytes of uniform values by 1 / (127 √12) · √3 = 0.4 % each.
    let layer = NarrowCase((64, 256, 96))
    let exact = layer.run(.fp32, .reference, activation: .none, withResidual: false)
    let got = layer.run(precision, .best, activation: .none, withResidual: false)
    let error = relativeError(got, exact)
    #expect(error <= bound && error > bound / 20, "\(error)")
  }

  @Test func `numbers below the normals count as zero and NaN stays NaN in bf16`() {
    let layer = Linear(
      weight: [1, 0, 0, 1], bias: nil, inputs: 2, outputs: 2, precision: .bf16)
    for engine in [Engine.reference] + InstructionSet.supported.map(Engine.simd) {
      let output = AlignedBuffer<Float>(count: 2)
      layer.apply(
        AlignedBuffer([0x1p-127, 3]), rows: 1, into: output, engine: engine,
        pool: WorkerPool(threadCount: 1))
      #expect(output.array == [0, 3])
      layer.apply(
        AlignedBuffer([Float.nan, 3]), rows: 1, activation: .relu, into: output, engine: engine,
        pool: WorkerPool(threadCount: 1))
      #expect(output[0].isNaN)
    }
  }

  @Test func `observed inputs become scales`() {
    let layer = Linear(weight: [1, 1], bias: nil, inputs: 2, outputs: 1, precision: .int8)
    let output = AlignedBuffer<Float>(count: 3)
    #expect(layer.observedMagnitude == nil)
    layer.observeInputs(true)
    layer.apply(
      AlignedBuffer([1, -2.54, .infinity, 0, .nan, 1]), rows: 3, into: output, engine: .best,
      pool: WorkerPool(threadCount: 2))
    layer.observeInputs(false)
    #expect(layer.observedMagnitude == 2.54)
  }
}
