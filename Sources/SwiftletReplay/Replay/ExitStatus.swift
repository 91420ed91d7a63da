/// What the process answers to whoever called it.
public enum ExitStatus: Int32, Sendable, CaseIterable {
  case pass = 0
  case internalError = 1
  case budgetMissed = 2
  case outputMismatch = 3
  case recordingDamaged = 4
  case baselineMissing = 5
  case inconclusive = 6
  case usage = 64
  case interrupted = 130

  /// The code to exit with when several apply, worst first: an interrupted run says so before
  /// anything it could not finish judging.
  static let precedence: [ExitStatus] = [
    .usage, .interrupted, .internalError, .recordingDamaged, .baselineMissing, .outputMismatch,
    .budgetMissed, .inconclusive,
  ]

  /// The one code of several to exit with; `pass` for none.
  public static func worst(of codes: Set<ExitStatus>) -> ExitStatus {
    precedence.first(where: codes.contains) ?? .pass
  }

  /// All that apply, worst first; only `pass` for none.
  public static func ordered(_ codes: Set<ExitStatus>) -> [ExitStatus] {
    let listed = precedence.filter(codes.contains)
    return listed.isEmpty ? [.pass] : listed
  }
}
