import Swiftlet
import SwiftletTestSupport
import Testing

private struct AttentionScene {
  var heads: Int
  var queryCount: Int
  var keyCount: Int
  var width: Int
  var valueWidth: Int
  var scale: Float = 1
  var queries: [Float]
  var keys: [Float]
  var values: [Float]
  var excluded: [UInt8]?
  var excludedStride = 0
  var additive: [Float]?

  init(
    heads: Int = 1, queries: Int, keys: Int, width: Int, valueWidth: Int, seed: UInt64 = 1,
    spread: Float = 1
  ) {
    var generator = SeededGenerator(seed: seed)
    (self.heads, queryCount, keyCount) = (heads, queries, keys)
    (self.width, self.valueWidth) = (width, valueWidth)
    self.queries = generator.floats(heads * queries * width, in: -spread...spread)
    self.keys = generator.floats(heads * keys * width, in: -spread...spread)
    self.values = generator.floats(heads * keys * valueWidth)
  }

  func attend(_ engine: Engine, threads: Int = 1) -> [Float] {
    let attention = ScaledDotProductAttention(
      heads: heads, keyWidth: width, valueWidth: valueWidth, maximumKeys: keyCount)
    let (q, k, v) = (AlignedBuffer(queries), AlignedBuffer(keys), AlignedBuffer(values))
    let excludedBuffer = excluded.map { AlignedBuffer($0) }
    let additiveBuffer = additive.map { AlignedBuffer($0) }
    let output = AlignedBuffer([Float](repeating: .nan, count: heads * queryCount * valueWidth))
    func view(_ buffer: AlignedBuffer<Float>, _ rows: Int, _ width: Int) -> HeadTensor {
      HeadTensor(base: buffer.pointer, headStride: rows * width, rowStride: width)
    }
    attention.apply(
      queries: view(q, queryCount, width), queryCount: queryCount,
      keys: view(k, keyCount, width), values: view(v, keyCount, valueWidth), keyCount: keyCount,
      scale: scale,
      mask: AttentionMask(
        excluded: excludedBuffer.map { UnsafePointer($0.pointer) }, excludedStride: excludedStride,
        additive: additiveBuffer.map { UnsafePointer($0.pointer) }, additiveStride: keyCount),
      into: view(output, queryCount, valueWidth), engine: engine,
      pool: WorkerPool(threadCount: threads))
    return output.array
  }
}

private let engines = [Engine.reference] + InstructionSet.supported.map(Engine.simd)

@Suite struct ScaledDotProductAttentionTests {
  @Test func `logits 0 and ln 3 weigh 1/4 and 3/4`() {
    var scene = AttentionScene(queries: 1, keys: 2, width: 1, valueWidth: 1)
    (scene.queries, scene.keys, scene.values) = ([1], [0, 1.098_612_3], [4, 8])
    for engine in engines { #expect(abs(scene.attend(engine)[0] - 7) < 2e-6) }
  }

  @Test(arguments: InstructionSet.supported)
  func `every tail agrees with the reference, masked and not`(set: InstructionSet) {
    for (queries, keys, width, valueWidth) in [
      (1, 1, 1, 1), (7, 8, 9, 15), (12, 16, 16, 16), (13, 17, 31, 33), (25, 63, 10, 10),
      (9, 64, 32, 32), (11, 65, 8, 48), (24, 129, 4, 20), (0, 5, 4, 4), (3, 0, 4, 4),
    ] {
      var scene = AttentionScene(
        heads: 2, queries: queries, keys: keys, width: width, valueWidth: valueWidth)
      var generator = SeededGenerator(seed: 5)
      for mask in 0..<3 {
        if mask == 1 {
          scene.excluded = (0..<queries * keys).map { _ in Bool.random(using: &generator) ? 1 : 0 }
          scene.excludedStride = keys
        }
        if mask == 2 { scene.additive = generator.floats(queries * keys, in: -3...3) }
        let expected = scene.attend(.reference)
        let got = scene.attend(.simd(set))
        // A logit of `width` products below 1 errs by at most width² ulp / 2; weights follow it,
        // values below 1 average.
        let tolerance = Float(width * width + 64) * 0x1p-23
        #expect(largestDifference(expected, got) <= tolerance, "\(queries) x \(keys), mask \(mask)")
      }
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `groups of rows end anywhere, whatever the scale and its sign`(set: InstructionSet) {
    for (queries, keys, scale) in [
      (47, 64, Float(0.18)), (48, 130, 0.18), (49, 128, -0.5), (100, 192, 3), (97, 64, 0),
    ] {
      var scene = AttentionScene(
        heads: 2, queries: queries, keys: keys, width: 10, valueWidth: 20)
      scene.scale = scale
      let difference = largestDifference(scene.attend(.reference), scene.attend(.simd(set)))
      // As above, with logits `scale` times as large.
      let tolerance = (max(1, abs(scale)) * 100 + 64) * 0x1p-23
      #expect(difference <= tolerance, "\(queries) x \(keys) times \(scale)")
    }
  }

  @Test func `a query that is not a number spoils its own row and no other`() {
    let whole = AttentionScene(queries: 60, keys: 128, width: 8, valueWidth: 6)
    var scene = whole
    scene.queries[27 * 8 + 3] = .nan
    for engine in engines {
      let (expected, got) = (whole.attend(engine), scene.attend(engine))
      for row in 0..<60 {
        let (a, b) = (expected[row * 6..<row * 6 + 6], got[row * 6..<row * 6 + 6])
        #expect(row == 27 ? b.allSatisfy(\.isNaN) : a == b, "row \(row)")
      }
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `one, two and three threads give the same bits`(set: InstructionSet) {
    let scene = AttentionScene(heads: 3, queries: 41, keys: 150, width: 20, valueWidth: 12)
    let one = scene.attend(.simd(set)).map(\.bitPattern)
    for threads in [2, 3] { #expect(scene.attend(.simd(set), threads: threads).map(\.bitPattern) == one) }
  }

  @Test func `logits of ten thousand neither overflow nor lose the largest`() {
    var scene = AttentionScene(queries: 3, keys: 70, width: 2, valueWidth: 1, spread: 100)
    scene.keys = (0..<140).map { $0 % 2 == 0 ? Float($0 / 2 - 35) * 3 : 0 }
    // Large by the queries, or by the scale: the largest must be taken of what is scaled.
    for scale: Float in [1, 100] {
      scene.scale = scale
      scene.queries = [100 / scale, 0, -100 / scale, 0, 0, 0]
      for engine in engines {
        let output = scene.attend(engine)
        #expect(output[0] == scene.values[69], "scale \(scale)")
        #expect(output[1] == scene.values[0], "scale \(scale)")
      }
    }
  }

  @Test func `a query without keys gives zeros, whether none exist or all are masked`() {
    var scene = AttentionScene(queries: 15, keys: 80, width: 4, valueWidth: 5)
    scene.excluded = [UInt8](repeating: 1, count: 80)
    for engine in engines { #expect(scene.attend(engine).allSatisfy { $0 == 0 }) }
    scene.excluded![79] = 0
    for engine in engines {
      #expect(Array(scene.attend(engine)[0..<5]) == Array(scene.values[79 * 5..<80 * 5]))
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `65,536 equal keys average their values`(set: InstructionSet) {
    var scene = AttentionScene(queries: 2, keys: 65_536, width: 1, valueWidth: 1)
    scene.keys = [Float](repeating: 0.5, count: 65_536)
    let mean = Float(scene.values.reduce(0.0) { $0 + Double($1) } / 65_536)
    // 1024 blocks of 64 values below 1, each rounding half a unit in the last place.
    for value in scene.attend(.simd(set)) { #expect(abs(value - mean) <= 1088 * 0x1p-24) }
  }

  @Test(arguments: InstructionSet.supported)
  func `permuting keys and values together changes nothing but rounding`(set: InstructionSet) {
    let scene = AttentionScene(queries: 12, keys: 100, width: 16, valueWidth: 16)
    var permuted = scene
    let order = (0..<100).map { ($0 * 37) % 100 }
    permuted.keys = order.flatMap { Array(scene.keys[$0 * 16..<($0 + 1) * 16]) }
    permuted.values = order.flatMap { Array(scene.values[$0 * 16..<($0 + 1) * 16]) }
    #expect(
      largestDifference(scene.attend(.simd(set)), permuted.attend(.simd(set))) <= 320 * 0x1p-23)
  }
}
