/// What a replay says about the budget.
public enum Verdict: String, Sendable, Codable {
  case pass
  case fail
  case inconclusive
}

/// The monotone rule by which misses become a verdict: one more miss never turns a failure into a
/// pass, and one more clean frame never turns a pass into a failure.
public struct VerdictRule: Sendable, Equatable {
  /// The share of frames that may be late, 0...1.
  public var missRate: Double
  /// The number of misses that may follow each other.
  public var maximumConsecutiveMisses: Int
  /// The (m, k) rule: at most m misses in any k frames that follow each other; nil for none.
  public var window: LatencyBudget.MissWindow?

  public init(
    missRate: Double = 0.01, maximumConsecutiveMisses: Int = 2,
    window: LatencyBudget.MissWindow? = nil
  ) {
    self.missRate = missRate
    self.maximumConsecutiveMisses = maximumConsecutiveMisses
    self.window = window
  }

  /// The rule in a few words.
  public var text: String {
    let inWindow = window.map { ", at most \($0.misses) in \($0.frames)" } ?? ""
    return "at most \(percent(missRate)), at most \(maximumConsecutiveMisses) in a row\(inWindow)"
  }

  /// Judges `misses` in `frames`, of which at most `longestRun` followed each other and at most
  /// `worstWindow` lay in one window.
  ///
  /// Fail when the exact 95 % lower bound of the miss rate is above `missRate` or the run is longer
  /// than allowed; pass when the upper bound is at or below it; else inconclusive.
  public func judge(
    frames: Int, misses: Int, longestRun: Int, worstWindow: Int = 0
  ) -> Judgement {
    let lower = BinomialBounds.lower(misses: misses, count: frames)
    let upper = BinomialBounds.upper(misses: misses, count: frames)
    var judgement = Judgement(
      verdict: .inconclusive, missRateLower95: lower, missRateUpper95: upper, reasons: [],
      framesNeeded: nil)
    if lower > missRate {
      judgement.reasons.append(
        "\(misses) misses in \(frames) frames: the miss rate is above \(percent(missRate)) "
          + "(95 % lower bound \(percent(lower)))")
    }
    if longestRun > maximumConsecutiveMisses {
      judgement.reasons.append(
        "\(longestRun) misses follow each other, more than \(maximumConsecutiveMisses)")
    }
    if let window, worstWindow > window.misses {
      judgement.reasons.append(
        "\(worstWindow) misses in \(window.frames) frames that follow each other, more than "
          + "\(window.misses)")
    }
    if !judgement.reasons.isEmpty {
      judgement.verdict = .fail
    } else if frames > 0, upper <= missRate {
      judgement.verdict = .pass
      judgement.reasons.append(
        "\(misses) misses in \(frames) frames: the miss rate is at most \(percent(upper)) "
          + "(95 % bound), allowed are \(percent(missRate))")
    } else {
      let needed = BinomialBounds.framesToBound(misses: misses, rate: missRate)
      judgement.framesNeeded = needed
      judgement.reasons.append(
        "\(misses) misses in \(frames) frames bound the miss rate only at \(percent(upper)); "
          + "it takes \(needed) frames without a further miss to show \(percent(missRate))")
    }
    return judgement
  }

  private func percent(_ rate: Double) -> String { "\((rate * 1_000_000).rounded() / 10_000) %" }
}

/// A verdict with what it stands on.
public struct Judgement: Sendable, Equatable {
  public var verdict: Verdict
  /// Exact one-sided 95 % bounds of the miss rate.
  public var missRateLower95: Double
  public var missRateUpper95: Double
  /// Sentences for people, one per rule that decided.
  public var reasons: [String]
  /// For an inconclusive verdict: the frames it would take in all without a further miss.
  public var framesNeeded: Int?
}
