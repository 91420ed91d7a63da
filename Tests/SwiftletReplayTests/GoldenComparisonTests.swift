import Swiftlet
import Testing

@testable import SwiftletReplay

@Suite struct GoldenComparisonTests {
  private let expected = HostTensor([1, 2, 3, 4] as [Float], shape: [2, 2])

  @Test func `a difference above the tolerance fails and is named`() {
    let result = compare(
      .float32([1, 2, 3.5, 4]), with: expected, maxAbs: 0.1, maxRel: 0, skip: nil)
    #expect(!result.passed)
    #expect(result.maxAbs == 0.5)
    #expect(result.detail.contains("element 2"))
  }

  @Test func `absolute and relative tolerance add up`() {
    let got = GoldenOutput.float32([1, 2, 3.5, 4])
    #expect(compare(got, with: expected, maxAbs: 0.2, maxRel: 0.1, skip: nil).passed)
    #expect(!compare(got, with: expected, maxAbs: 0.19, maxRel: 0.1, skip: nil).passed)
  }

  @Test func `a mask of leading dimensions skips whole rows and nothing else`() {
    let got = GoldenOutput.float32([1, 2, 9, 9])
    #expect(compare(got, with: expected, maxAbs: 0, maxRel: 0, skip: [0, 1]).passed)
    #expect(!compare(got, with: expected, maxAbs: 0, maxRel: 0, skip: [1, 0]).passed)
  }

  @Test func `NaN, a wrong count and a wrong sign of infinity fail`() {
    for got in [[1, .nan, 3, 4], [1, 2, 3], [1, 2, 3, .infinity]] as [[Float]] {
      #expect(!compare(.float32(got), with: expected, maxAbs: 1, maxRel: 1, skip: nil).passed)
    }
  }
}
