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
    #expect(compare(got, with: expected, maxAbs: 0, maxRel: 0, skip: mask([0, 1], [2])).passed)
    #expect(!compare(got, with: expected, maxAbs: 0, maxRel: 0, skip: mask([1, 0], [2])).passed)
    let single = mask([0, 0, 1, 1], [2, 2])
    #expect(compare(got, with: expected, maxAbs: 0, maxRel: 0, skip: single).passed)
    #expect(compare(got, with: expected, maxAbs: 0, maxRel: 0, skip: mask([1], [])).passed)
  }

  private func mask(_ values: [UInt8], _ shape: [Int]) -> HostTensor {
    HostTensor(values, shape: shape)
  }

  @Test func `a mask of other dimensions is damage, though its count divides`() {
    let wide = HostTensor([1, 2, 3, 4, 5, 6] as [Float], shape: [3, 2])
    let got = GoldenOutput.float32([1, 2, 3, 4, 5, 6])
    for wrong in [mask([0, 0], [2]), mask([], [0]), mask([0, 0, 0], [1, 3])] {
      let result = compare(got, with: wide, maxAbs: 0, maxRel: 0, skip: wrong)
      #expect(!result.passed && result.isDamage)
    }
    let floats = HostTensor([0, 0, 0] as [Float], shape: [3])
    #expect(compare(got, with: wide, maxAbs: 0, maxRel: 0, skip: floats).isDamage)
  }

  @Test func `NaN never passes and an infinite expectation takes nothing finite`() {
    let odd = HostTensor([.nan, .infinity] as [Float], shape: [2])
    for got in [[.nan, .infinity], [0, .infinity]] as [[Float]] {
      #expect(!compare(.float32(got), with: odd, maxAbs: 1, maxRel: 1, skip: nil).passed)
    }
    let infinite = HostTensor([.infinity] as [Float], shape: [1])
    #expect(compare(.float32([.infinity]), with: infinite, maxAbs: 0, maxRel: 0, skip: nil).passed)
    #expect(!compare(.float32([3]), with: infinite, maxAbs: 1, maxRel: 1, skip: nil).passed)
    #expect(!compare(.float32([-.infinity]), with: infinite, maxAbs: 1, maxRel: 1, skip: nil).passed)
  }

  @Test func `NaN, a wrong count and a wrong sign of infinity fail`() {
    for got in [[1, .nan, 3, 4], [1, 2, 3], [1, 2, 3, .infinity]] as [[Float]] {
      #expect(!compare(.float32(got), with: expected, maxAbs: 1, maxRel: 1, skip: nil).passed)
    }
  }
}
