import Swiftlet
import SwiftletTestSupport
import Testing

private func normalize(
  _ rows: [Float], width: Int, _ engine: Engine, threads: Int = 1, scale: Float = 1
) -> [Float] {
  let norm = LayerNorm(
    weight: [Float](repeating: scale, count: width), bias: [Float](repeating: 0.25, count: width))
  let output = AlignedBuffer([Float](repeating: .nan, count: rows.count))
  norm.apply(
    AlignedBuffer(rows), rows: rows.count / width, into: output, engine: engine,
    pool: WorkerPool(threadCount: threads))
  return output.array
}

private func softmax(_ rows: [Float], width: Int, _ engine: Engine, threads: Int = 1) -> [Float] {
  let output = AlignedBuffer([Float](repeating: .nan, count: rows.count))
  RowSoftmax.apply(
    AlignedBuffer(rows), rows: rows.count / width, width: width, into: output, engine: engine,
    pool: WorkerPool(threadCount: threads))
  return output.array
}

private let engines = [Engine.reference] + InstructionSet.supported.map(Engine.simd)

@Suite struct LayerNormTests {
  @Test func `a constant row becomes the bias`() {
    for engine in engines {
      #expect(normalize([Float](repeating: 1e4, count: 19), width: 19, engine).allSatisfy { $0 == 0.25 })
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `every width agrees with the reference, with a mean of ten thousand too`(set: InstructionSet) {
    var generator = SeededGenerator(seed: 3)
    for width in [1, 7, 8, 9, 15, 16, 17, 31, 67, 256] {
      for offset in [Float(0), 1e4] {
        let rows = generator.floats(5 * width).map { $0 + offset }
        let expected = normalize(rows, width: width, .reference)
        let got = normalize(rows, width: width, .simd(set))
        // The mean errs by at most width/16 + 5 roundings and is corrected once; a deviation may be
        // as small as the spacing of the inputs lets two of them lie apart.
        #expect(largestDifference(expected, got) <= 1e-5, "width \(width), offset \(offset)")
        #expect(got == normalize(rows, width: width, .simd(set), threads: 3))
      }
    }
  }
}

@Suite struct RowSoftmaxTests {
  @Test func `logits of ±10,000, a single logit and a row of -∞`() {
    for engine in engines {
      #expect(softmax([1e4, -1e4, 1e4], width: 3, engine) == [0.5, 0, 0.5])
      #expect(softmax([-1e4], width: 1, engine) == [1])
      #expect(softmax([-.infinity, -.infinity], width: 2, engine) == [0, 0])
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `every width agrees with the reference`(set: InstructionSet) {
    var generator = SeededGenerator(seed: 4)
    for width in [1, 7, 8, 9, 15, 16, 17, 31, 59, 118] {
      let rows = generator.floats(5 * width, in: -20...20)
      let expected = softmax(rows, width: width, .reference)
      let got = softmax(rows, width: width, .simd(set))
      // exp within 2 ulp, a sum of width/16 + 4 roundings, a division: all relative to at most 1.
      #expect(largestDifference(expected, got) <= Float(width / 16 + 8) * 0x1p-23)
      #expect(got == softmax(rows, width: width, .simd(set), threads: 2))
    }
  }
}
