import SwiftletReplay
import Testing

@Suite struct ExitStatusTests {
  @Test func `of several codes 1 goes before 4, 3, 2 and 6`() {
    #expect(ExitStatus.worst(of: []) == .pass)
    #expect(ExitStatus.worst(of: [.inconclusive, .budgetMissed]) == .budgetMissed)
    #expect(ExitStatus.worst(of: [.budgetMissed, .outputMismatch]) == .outputMismatch)
    #expect(ExitStatus.worst(of: [.outputMismatch, .recordingDamaged]) == .recordingDamaged)
    #expect(
      ExitStatus.ordered([.inconclusive, .budgetMissed, .outputMismatch, .recordingDamaged, .internalError])
        .map(\.rawValue) == [1, 4, 3, 2, 6])
    #expect(ExitStatus.ordered([]).map(\.rawValue) == [0])
  }
}
