import Swiftlet

/// The standard workloads of attention and fusion, on seeded data.
public enum AttentionWorkloads {
  public static let all: [BenchmarkWorkload] = [
    linear("linear-2500x256x512", rows: 2500, inputs: 256, outputs: 512),
    linear("linear-10000x80x320", rows: 10_000, inputs: 80, outputs: 320),
    BenchmarkWorkload(name: "sdpa-900", category: "attention") { engine, pool, _ in
      AttentionWorkload(engine, pool)
    },
    BenchmarkWorkload(name: "fusion-128x128x64", category: "attention") { engine, pool, _ in
      FusionWorkload(engine, pool)
    },
  ] + DeformableWorkloads.all + EncoderWorkloads.all

  /// fp32: the project's own kernels. fp32-openblas: the same layer through OpenBLAS.
  private static func linear(
    _ name: String, rows: Int, inputs: Int, outputs: Int
  ) -> BenchmarkWorkload {
    BenchmarkWorkload(
      name: name, category: "attention",
      precisions: ["fp32", "fp32-openblas", "fp16", "bf16", "int8"]
    ) { engine, pool, precision in
      LinearWorkload(
        rows: rows, inputs: inputs, outputs: outputs,
        gemm: precision == "fp32-openblas" ? .openBLAS : .own,
        precision: DensePrecision(rawValue: precision) ?? .fp32, engine, pool)
    }
  }
}

/// The largest difference as text where it exceeds `tolerance`; nil otherwise.
func differenceFailure(
  _ expected: AlignedBuffer<Float>, _ got: AlignedBuffer<Float>, tolerance: Float
) -> String? {
  for index in 0..<expected.count where !(abs(expected[index] - got[index]) <= tolerance) {
    return "element \(index): expected \(expected[index]) within \(tolerance), found \(got[index])"
  }
  return nil
}

/// A linear layer with bias and ReLU.
final class LinearWorkload: PreparedWorkload {
  let rows: Int
  let layer: Linear
  /// The same layer in fp32, which the error is stated against.
  private let exact: Linear
  private(set) var relativeError: Double?
  let gemm: GEMMEngine
  let engine: Engine
  let pool: WorkerPool
  let input: AlignedBuffer<Float>
  let output: AlignedBuffer<Float>

  init(
    rows: Int, inputs: Int, outputs: Int, gemm: GEMMEngine, precision: DensePrecision,
    _ engine: Engine, _ pool: WorkerPool
  ) {
    var numbers = SeededNumbers(seed: 11)
    self.rows = rows
    self.gemm = gemm
    self.engine = engine
    self.pool = pool
    let weight = numbers.floats(inputs * outputs, in: -1...1)
    let bias = numbers.floats(outputs, in: -1...1)
    layer = Linear(
      weight: weight, bias: bias, inputs: inputs, outputs: outputs, precision: precision,
      maximumThreads: pool.threadCount)
    exact = Linear(
      weight: weight, bias: bias, inputs: inputs, outputs: outputs,
      maximumThreads: pool.threadCount)
    // Calibrated: inputs lie in -1 ... 1.
    layer.inputScale = 1 / 127.0
    input = AlignedBuffer(numbers.floats(rows * inputs, in: -1...1))
    output = AlignedBuffer(count: rows * outputs)
  }

  var floatingPointOperations: Double { 2 * Double(rows * layer.inputs * layer.outputs) }
  var bytesMoved: Double {
    4 * Double(input.count + output.count + layer.inputs * layer.outputs)
  }
  func run() {
    layer.apply(
      input, rows: rows, activation: .relu, into: output, engine: engine, gemm: gemm, pool: pool)
  }

  /// The first, middle and last rows against the reference of the same precision: within 2 K
  /// roundings of sums below K + 1; bf16 and int8 have one result and must have its bits. The error
  /// against fp32 is kept.
  func verificationFailure() -> String? {
    output.fill(.nan)
    run()
    let hasOneResult = layer.precision == .bf16 || layer.precision == .int8
    let roundings = Float(layer.inputs + 1) * Float(2 * layer.inputs + 2) * 0x1p-25
    let tolerance = hasOneResult ? 0 : roundings
    var error = RelativeError()
    for first in [0, rows / 2, rows - 13] {
      let (expected, full) = (reference(layer, first), reference(exact, first))
      for index in 0..<expected.count {
        let got = output[first * layer.outputs + index]
        error.add(got, full[index])
        if !(abs(expected[index] - got) <= tolerance) {
          return "row \(first) + \(index / layer.outputs): expected \(expected[index]), found \(got)"
        }
      }
    }
    if layer.precision != .fp32 { relativeError = error.value }
    return nil
  }

  private func reference(_ layer: Linear, _ first: Int) -> AlignedBuffer<Float> {
    let expected = AlignedBuffer<Float>(count: 13 * layer.outputs)
    unsafe layer.apply(
      input.pointer + first * layer.inputs, rows: 13, activation: .relu, into: expected.pointer,
      engine: .reference, pool: pool)
    return expected
  }
}

/// ‖got - expected‖ / ‖expected‖, sums in float64.
struct RelativeError {
  private var difference = 0.0
  private var magnitude = 0.0
  var value: Double { magnitude == 0 ? difference.squareRoot() : (difference / magnitude).squareRoot() }

  mutating func add(_ got: Float, _ expected: Float) {
    let d = Double(got) - Double(expected)
    difference += d * d
    magnitude += Double(expected) * Double(expected)
  }

  static func of(_ got: AlignedBuffer<Float>, _ expected: AlignedBuffer<Float>) -> Double {
    var error = RelativeError()
    for index in 0..<expected.count { error.add(got[index], expected[index]) }
    return error.value
  }
}

/// What a whole layer may differ from the fp32 reference, relative L2: fp32 by the order of its sums
/// and by positions rounded once more; int8 by the goal of 1 %, the others by their weights' bits.
func errorBound(_ precision: DensePrecision) -> Double {
  switch precision {
  case .fp32: 2e-5
  case .fp16: 1e-3
  case .bf16, .int8: 1e-2
  }
}

/// `found` as a failure's text when it is above the precision's bound.
func errorFailure(_ found: Double, _ precision: DensePrecision) -> String? {
  found <= errorBound(precision)
    ? nil
    : "relative L2 error \(found) against the fp32 reference, at most \(errorBound(precision)) for \(precision.rawValue)"
}

/// 900 × 900 with 8 heads of 32 channels side by side.
final class AttentionWorkload: PreparedWorkload {
  private let rows = 900
  private let attention: ScaledDotProductAttention
  private let engine: Engine
  private let pool: WorkerPool
  private let tensors: [AlignedBuffer<Float>]
  private let output: AlignedBuffer<Float>

  init(_ engine: Engine, _ pool: WorkerPool) {
    var numbers = SeededNumbers(seed: 12)
    self.engine = engine
    self.pool = pool
    attention = ScaledDotProductAttention(
      heads: 8, keyWidth: 32, valueWidth: 32, maximumKeys: rows, maximumThreads: pool.threadCount)
    let count = rows * 256
    tensors = (0..<3).map { _ in AlignedBuffer(numbers.floats(count, in: -1.5...1.5)) }
    output = AlignedBuffer(count: count)
  }

  var floatingPointOperations: Double { 4 * Double(rows * rows * 256) }
  var bytesMoved: Double { 16 * Double(rows * 256) }
  func run() { attend(queries: 0..<rows, into: output, engine) }

  private func attend(
    queries: Range<Int>, into output: AlignedBuffer<Float>, _ engine: Engine
  ) {
    unsafe attention.apply(
      queries: view(tensors[0], from: queries.lowerBound), queryCount: queries.count,
      keys: view(tensors[1], from: 0), values: view(tensors[2], from: 0), keyCount: rows,
      scale: 1 / Float(32).squareRoot(), into: view(output, from: 0), engine: engine, pool: pool)
  }
  private func view(_ buffer: AlignedBuffer<Float>, from row: Int) -> HeadTensor {
    unsafe HeadTensor(base: buffer.pointer + row * 256, headStride: 32, rowStride: 256)
  }

  /// The first and last queries: logits err by 32 roundings, averages of values below 1.5 follow.
  func verificationFailure() -> String? {
    output.fill(.nan)
    run()
    for first in [0, rows - 3] {
      let expected = AlignedBuffer<Float>(count: 3 * 256)
      attend(queries: first..<first + 3, into: expected, .reference)
      for index in 0..<expected.count {
        let got = output[first * 256 + index]
        if !(abs(expected[index] - got) <= 1e-5) {
          return "query \(first) + \(index / 256): expected \(expected[index]), found \(got)"
        }
      }
    }
    return nil
  }
}

/// Camera, LiDAR and previous map of 128 × 128 cells with 64 channels, every cell valid in all
/// three, with random weights: the most work the shape can be.
final class FusionWorkload: PreparedWorkload {
  private let cells = 128 * 128
  private let channels = 64
  private let fusion: ModalityFusion
  private let reference: ModalityFusion
  private let pool: WorkerPool
  private let maps: [AlignedBuffer<Float>]
  private let output: AlignedBuffer<Float>
  private let validity: AlignedBuffer<UInt8>

  init(_ engine: Engine, _ pool: WorkerPool) {
    var numbers = SeededNumbers(seed: 13)
    self.pool = pool
    var weights = FusionWeights.default(channels: channels)
    weights.inProjectionWeight = numbers.floats(weights.inProjectionWeight.count, in: -0.2...0.2)
    weights.inProjectionBias = numbers.floats(weights.inProjectionBias.count, in: -0.2...0.2)
    weights.outProjectionWeight = numbers.floats(weights.outProjectionWeight.count, in: -0.2...0.2)
    fusion = ModalityFusion(
      weights: weights, cellCount: cells, engine: engine, maximumThreads: pool.threadCount)
    reference = ModalityFusion(weights: weights, cellCount: 32, engine: .reference)
    let count = cells * channels
    maps = (0..<3).map { _ in AlignedBuffer(numbers.floats(count, in: -1...1)) }
    output = AlignedBuffer(count: count)
    validity = AlignedBuffer(count: cells)
  }

  /// What the attention needs when each value and key is projected once: the definition's count.
  var floatingPointOperations: Double {
    2 * Double(cells * channels * channels * (2 * maps.count + 2))
  }
  var bytesMoved: Double { 4 * Double(cells * channels * 4) }
  func run() {
    fusion.fuse(
      map(0), map(1), map(2), into: output, validity: validity, pool: pool)
  }
  private func map(_ index: Int) -> BEVMap {
    BEVMap(features: maps[index], validity: nil, channels: channels)
  }

  /// The first 32 cells; four products in a row of 64 terms each.
  func verificationFailure() -> String? {
    output.fill(.nan)
    run()
    let expected = AlignedBuffer<Float>(count: 32 * channels)
    let few = maps.map { map in AlignedBuffer((0..<32 * channels).map { map[$0] }) }
    let views = few.map { BEVMap(features: $0, validity: nil, channels: channels) }
    withExtendedLifetime(few) {
      reference.fuse(
        views[0], views[1], views[2], into: expected, validity: AlignedBuffer(count: 32),
        pool: pool)
    }
    let got = AlignedBuffer((0..<expected.count).map { output[$0] })
    return differenceFailure(expected, got, tolerance: 1e-5)
  }
}

extension SeededNumbers {
  mutating func floats(_ count: Int, in range: ClosedRange<Float>) -> [Float] {
    (0..<count).map { _ in next(in: range) }
  }
}
