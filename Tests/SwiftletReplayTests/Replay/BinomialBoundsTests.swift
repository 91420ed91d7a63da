import Foundation
import SwiftletReplay
import Testing

@Suite struct BinomialBoundsTests {
  @Test(arguments: [1, 5, 29, 298, 299, 2995, 100_000])
  func `no miss, one miss and all misses follow their closed forms`(count: Int) {
    let n = Double(count)
    close(BinomialBounds.upper(misses: 0, count: count), -expm1(log(0.05) / n))
    close(BinomialBounds.lower(misses: 1, count: count), -expm1(log(0.95) / n))
    close(BinomialBounds.lower(misses: count, count: count), exp(log(0.05) / n))
    #expect(BinomialBounds.upper(misses: count, count: count) == 1)
    #expect(BinomialBounds.lower(misses: 0, count: count) == 0)
  }

  /// Computed with exact binomial sums in Python (`math.comb`, bisection).
  @Test(arguments: [
    (2, 628, 0.0005661530403869297, 0.009990915929894482),
    (5, 100, 0.01990556366217183, 0.10225337764327451),
    (10, 100, 0.05526323768287005, 0.16371762327581477),
    (3, 10, 0.08726443391415033, 0.6066242161054134),
    (6, 200, 0.013143987087180842, 0.058349760375910824),
  ])
  func `the bounds equal exact binomial sums`(
    misses: Int, count: Int, lower: Double, upper: Double
  ) {
    close(BinomialBounds.lower(misses: misses, count: count), lower)
    close(BinomialBounds.upper(misses: misses, count: count), upper)
  }

  @Test func `frames to bound 1 percent are Wilks' numbers`() {
    let wilks = [299, 473, 628, 773, 913]
    for (misses, frames) in wilks.enumerated() {
      #expect(BinomialBounds.framesToBound(misses: misses, rate: 0.01) == frames)
    }
    #expect(BinomialBounds.framesToBound(misses: 0, rate: 0.001) == 2995)
    #expect(BinomialBounds.framesToBound(misses: 0, rate: 0.96) == 1)
  }

  @Test func `no sample bounds nothing`() {
    #expect(BinomialBounds.upper(misses: 0, count: 0) == 1)
    #expect(BinomialBounds.lower(misses: 0, count: 0) == 0)
  }

  /// The continued fraction is good to about 1e-14; lgamma of 1e5 loses another two digits.
  private func close(_ got: Double, _ expected: Double) {
    #expect(abs(got - expected) <= 1e-10 * max(expected, 1e-3), "got \(got), expected \(expected)")
  }
}
