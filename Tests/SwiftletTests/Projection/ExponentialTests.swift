import Foundation
import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct ExponentialTests {
  @Test(arguments: Engine.simdSets)
  func `the kernels' exp is within 2 units in the last place over the whole range`(
    engine: Engine
  ) {
    var inputs = (0...200_000).map { Float($0) * 0.001 - 110 }
    inputs += [0, -0.0, 1e-20, -1e-20, 88.72, -87.33654, -103.9]
    for (x, found) in zip(inputs, Exponential.values(of: inputs, engine: engine)) {
      let exact = Foundation.exp(Double(x))
      if exact > Double(Float.greatestFiniteMagnitude) {
        #expect(found == .infinity, "exp(\(x)) = \(found)")
        continue
      }
      let expected = Float(exact)
      let error = abs(Double(found) - exact)
      #expect(error <= 2 * Double(expected.ulp), "exp(\(x)) = \(found), expected \(expected)")
    }
  }

  @Test(arguments: Engine.everyEngine)
  func `exp of infinities and NaN`(engine: Engine) {
    let values = Exponential.values(of: [.infinity, -.infinity, .nan, 0], engine: engine)
    #expect(values[0] == .infinity)
    #expect(values[1] == 0)
    #expect(values[2].isNaN)
    #expect(values[3] == 1)
  }
}
