import Foundation

/// Exact (Clopper–Pearson) one-sided confidence bounds of a binomial proportion.
///
/// The bounds are one-sided at 95 % each, because a gate asks one question at a time: with zero
/// misses in n frames the upper bound is then 1 − 0.05^(1/n), about 3/n, and 299 clean frames bound
/// the rate below 1 %.
public enum BinomialBounds {
  /// The error probability of each bound.
  public static let alpha = 0.05

  /// The largest rate at which `misses` or fewer of `count` still has probability `alpha`;
  /// 1 when all missed, and 1 for no sample at all.
  ///
  /// - Precondition: `0 <= misses <= count`.
  public static func upper(misses: Int, count: Int) -> Double {
    check(misses, count)
    if misses == count { return 1 }
    // P(X <= m) = I_{1-p}(n - m, m + 1) falls with p.
    return bisect { rate in
      regularizedIncompleteBeta(1 - rate, Double(count - misses), Double(misses + 1)) > alpha
    }
  }

  /// The smallest rate at which `misses` or more of `count` has probability `alpha`; 0 for none.
  ///
  /// - Precondition: `0 <= misses <= count`.
  public static func lower(misses: Int, count: Int) -> Double {
    check(misses, count)
    if misses == 0 { return 0 }
    // P(X >= m) = I_p(m, n - m + 1) rises with p.
    return bisect { rate in
      regularizedIncompleteBeta(rate, Double(misses), Double(count - misses + 1)) < alpha
    }
  }

  /// The smallest number of frames with which `misses` misses bound the rate at or below `rate`.
  public static func framesToBound(misses: Int, rate: Double) -> Int {
    precondition(rate > 0 && rate < 1, "a miss rate of \(rate) is not between 0 and 1")
    var enough = max(1, misses + 1)
    while upper(misses: misses, count: enough) > rate { enough *= 2 }
    var tooFew = enough / 2
    while enough - tooFew > 1 {
      let middle = (enough + tooFew) / 2
      if middle > misses, upper(misses: misses, count: middle) <= rate {
        enough = middle
      } else {
        tooFew = middle
      }
    }
    return enough
  }

  private static func check(_ misses: Int, _ count: Int) {
    precondition(
      misses >= 0 && misses <= count, "\(misses) misses in \(count) frames is not a sample")
  }

  /// The rate in 0...1 where `isBelow` turns from true to false, to the last bit of a Double.
  private static func bisect(_ isBelow: (Double) -> Bool) -> Double {
    var low = 0.0
    var high = 1.0
    while true {
      let middle = (low + high) / 2
      if middle == low || middle == high { return high }
      if isBelow(middle) { low = middle } else { high = middle }
    }
  }

  /// I_x(a, b) by its continued fraction (Abramowitz & Stegun 26.5.8, evaluated with Lentz's
  /// method), on the side of the symmetry where it converges fast. Relative error about 1e-14.
  static func regularizedIncompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    if x <= 0 { return 0 }
    if x >= 1 { return 1 }
    if x > (a + 1) / (a + b + 2) { return 1 - regularizedIncompleteBeta(1 - x, b, a) }
    let logFront = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)
    return exp(logFront) / a / continuedFraction(x, a, b)
  }

  private static func continuedFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    // Lentz's method needs a stand-in for a denominator of exactly zero.
    func nonzero(_ value: Double) -> Double { abs(value) < 1e-300 ? 1e-300 : value }
    var c = 1.0
    var d = 0.0
    var fraction = 1.0
    for index in 1...10_000 {
      let m = Double(index / 2)
      let numerator =
        index % 2 == 0
        ? m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        : -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 / nonzero(1 + numerator * d)
      c = nonzero(1 + numerator / c)
      fraction *= c * d
      if abs(c * d - 1) < 1e-16 { break }
    }
    return fraction
  }
}
