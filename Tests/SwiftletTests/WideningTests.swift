import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct WideningTests {
  @Test(arguments: InstructionSet.supported)
  func `SIMD widens every half pattern as the reference does, at every tail`(
    set: InstructionSet
  ) {
    let patterns = (0...UInt16.max).map { $0 }
    for count in [0, 1, 7, 15, 16, 17, 31, patterns.count] {
      let expected = widenHalf(Array(patterns.prefix(count)), .reference)
      let got = widenHalf(Array(patterns.prefix(count)), .simd(set))
      #expect(zip(expected, got).allSatisfy { $0.bitPattern == $1.bitPattern || ($0.isNaN && $1.isNaN) })
    }
  }

  private func widenHalf(_ input: [UInt16], _ engine: Engine) -> [Float] {
    var output = [Float](repeating: .nan, count: input.count)
    input.withUnsafeBufferPointer { source in
      output.withUnsafeMutableBufferPointer { Widening.half(source, to: $0, engine: engine) }
    }
    return output
  }
}
