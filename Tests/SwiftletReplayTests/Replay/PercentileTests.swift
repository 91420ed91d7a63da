import SwiftletReplay
import Testing

@Suite struct PercentileTests {
  @Test func `nearest rank picks the sample at the rounded-up rank`() {
    // 5 samples: p50 has rank ceil(2.5) = 3. 30 samples: p90 has rank 27.
    #expect(Percentile.p50.value(ofSorted: [1, 2, 3, 4, 5]) == 3)
    #expect(Percentile.p90.value(ofSorted: Array(1...30)) == 27)
    #expect(Percentile.p99.value(ofSorted: Array(1...300)) == 297)
    #expect(Percentile.p99.value(ofSorted: Array(1...301)) == 298)
    #expect(Percentile.p99_9.value(ofSorted: Array(1...3000)) == 2997)
    #expect(Percentile.p99_9.value(ofSorted: Array(1...3001)) == 2998)
  }

  @Test(arguments: Percentile.allCases)
  func `one sample too few gives none`(percentile: Percentile) {
    let needed = percentile.framesNeeded
    #expect(percentile.value(ofSorted: Array(repeating: 7, count: needed)) == 7)
    #expect(percentile.value(ofSorted: Array(repeating: 7, count: needed - 1)) == nil)
    #expect(percentile.value(ofSorted: []) == nil)
  }

  @Test(arguments: Percentile.allCases)
  func `the frames needed are the fewest that bound the tail at 95 percent`(percentile: Percentile)
  {
    let tail = 1 - Double(percentile.rawValue) / 1000
    let needed = percentile.framesNeeded
    #expect(BinomialBounds.upper(misses: 0, count: needed) <= tail)
    #expect(BinomialBounds.upper(misses: 0, count: needed - 1) > tail)
  }
}
