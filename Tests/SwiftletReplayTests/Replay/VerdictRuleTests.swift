import SwiftletReplay
import Testing

@Suite struct VerdictRuleTests {
  let rule = VerdictRule()

  @Test func `299 clean frames pass at 1 percent and 298 do not`() {
    #expect(rule.judge(frames: 299, misses: 0, longestRun: 0).verdict == .pass)
    let short = rule.judge(frames: 298, misses: 0, longestRun: 0)
    #expect(short.verdict == .inconclusive)
    #expect(short.framesNeeded == 299)
  }

  @Test func `one miss takes 473 frames`() {
    #expect(rule.judge(frames: 472, misses: 1, longestRun: 1).framesNeeded == 473)
    #expect(rule.judge(frames: 473, misses: 1, longestRun: 1).verdict == .pass)
  }

  @Test func `a lower bound above the rate fails`() {
    // lower(1, 5) = 1 - 0.95^(1/5) = 1.02 %; lower(1, 6) = 0.85 %.
    #expect(rule.judge(frames: 5, misses: 1, longestRun: 1).verdict == .fail)
    #expect(rule.judge(frames: 6, misses: 1, longestRun: 1).verdict == .inconclusive)
    #expect(rule.judge(frames: 1, misses: 1, longestRun: 1).verdict == .fail)
  }

  @Test func `three misses in a row fail however many frames were clean`() {
    let judgement = rule.judge(frames: 100_000, misses: 3, longestRun: 3)
    #expect(judgement.verdict == .fail)
    #expect(judgement.reasons == ["3 misses follow each other, more than 2"])
    #expect(rule.judge(frames: 100_000, misses: 3, longestRun: 2).verdict == .pass)
  }

  @Test func `nothing measured is inconclusive`() {
    let judgement = rule.judge(frames: 0, misses: 0, longestRun: 0)
    #expect(judgement.verdict == .inconclusive)
    #expect(judgement.framesNeeded == 299)
  }

  @Test func `the rule is monotone in misses`() {
    let order: [Verdict] = [.pass, .inconclusive, .fail]
    for frames in [10, 100, 299, 1000] {
      let verdicts = (0...min(frames, 40)).map {
        order.firstIndex(of: rule.judge(frames: frames, misses: $0, longestRun: 1).verdict)!
      }
      #expect(verdicts == verdicts.sorted())
    }
  }
}
