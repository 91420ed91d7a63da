import Swiftlet
import SwiftletTestSupport
import Testing

private func activate(_ values: [Float], _ activation: Activation, _ engine: Engine) -> [Float] {
  let output = AlignedBuffer([Float](repeating: .nan, count: values.count))
  activation.apply(AlignedBuffer(values), into: output, engine: engine)
  return output.array
}

private let engines = [Engine.reference] + InstructionSet.supported.map(Engine.simd)

@Suite struct ActivationTests {
  @Test func `ReLU keeps positive values and NaN, and nothing else`() {
    for engine in engines {
      let output = activate([-1, 0, 2, .nan, .infinity, -.infinity], .relu, engine)
      #expect(Array(output[0..<3]) == [0, 0, 2])
      #expect(output[3].isNaN && output[4] == .infinity && output[5] == 0)
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `both GELUs agree with their definitions over all magnitudes`(set: InstructionSet) {
    let values = (-6000...6000).map { Float($0) / 500 }
    let erf = zip(activate(values, .geluErf, .reference), activate(values, .geluErf, .simd(set)))
    for (x, (expected, got)) in zip(values, erf) {
      // 1.5e-7 absolute in the complementary error function, times x/2, and a few roundings.
      let tolerance: Float = 0.75e-7 * abs(x) + 6 * 0x1p-24 * abs(x)
      #expect(abs(expected - got) <= tolerance)
    }
    let tanh = zip(activate(values, .geluTanh, .reference), activate(values, .geluTanh, .simd(set)))
    for (x, (expected, got)) in zip(values, tanh) {
      // The exponent 2u errs by 3 roundings of a value whose exponential is at most e^|2u|: the
      // quotient's slope in it is at most |x|/4 where |2u| is small, and falls as fast as it grows.
      let tolerance: Float = 12 * 0x1p-24 * abs(x)
      #expect(abs(expected - got) <= tolerance)
    }
  }

  @Test func `the tanh form does not overflow for any finite value`() {
    for engine in engines {
      let output = activate([1e30, -1e30, 3e38, -3e38, 1e-40], .geluTanh, engine)
      #expect(output[0] == 1e30 && output[2] == 3e38)
      #expect(output[1] == 0 && output[3] == 0)
      #expect(output[4] >= 0 && output[4] <= 1e-40)
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `every tail is written and nothing behind it`(set: InstructionSet) {
    for count in [0, 1, 7, 8, 9, 15, 16, 17, 31] {
      let output = AlignedBuffer([Float](repeating: .nan, count: count + 16))
      Activation.geluErf.apply(
        AlignedBuffer([Float](repeating: 1, count: count)), into: output, engine: .simd(set))
      #expect(output.array.filter { !$0.isNaN }.count == count)
    }
  }
}
