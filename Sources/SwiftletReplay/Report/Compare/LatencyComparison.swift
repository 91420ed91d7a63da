/// Whether one build is slower than another, judged so that identical builds are not flagged.
public struct LatencyComparison: Sendable {
  /// A shift up to this share is accepted.
  public var tolerance = 0.05
  /// A shift up to this many nanoseconds is accepted, whatever its share.
  public var floorNanoseconds: Int64 = 50_000
  public var bootstrap = BlockBootstrap()

  public init() {}

  public struct Result: Sendable, Equatable {
    public var shifts: [QuantileShift]
    public var regressions: [QuantileShift]
    /// What the base showed against itself in the same turns; empty where that was not measured.
    public var ownShifts: [QuantileShift] = []
    /// Why nothing can be said; nil when something can.
    public var refusal: String?

    init(shifts: [QuantileShift], regressions: [QuantileShift], refusal: String? = nil) {
      self.shifts = shifts
      self.regressions = regressions
      self.refusal = refusal
    }
    /// How far the base's own p50 shifted.
    public var noiseBand: Double? { ownShifts.first { $0.percentile == .p50 }.map(\.noise) }
  }

  private static let percentiles = [Percentile.p50, .p99]

  /// Compares runs (nanoseconds in order of measurement) of `base` and `head`.
  ///
  /// A regression is a p50 or p99 whose whole bootstrap interval lies above the tolerance and above
  /// the floor.
  ///
  /// - Parameters:
  ///   - base: runs of the build to hold against.
  ///   - head: runs of the build to judge.
  public func judge(base: [[Int64]], head: [[Int64]]) -> Result {
    judge(Self.percentiles.compactMap { bootstrap.shift(of: $0, from: base, to: head) }, own: [])
  }

  /// Compares runs whose frames were measured in turns: base, head and once more the base, one frame
  /// each. A regression has to lie above what the base shows against itself too, and where that is
  /// more than the tolerance there is no verdict.
  ///
  /// - Parameters:
  ///   - base: runs of the build to hold against.
  ///   - head: their partners of the build to judge, frame by frame.
  ///   - control: their partners of the base build once more.
  public func judge(base: [[Int64]], head: [[Int64]], control: [[Int64]]) -> Result {
    let counts = [base, head, control].map { $0.map(\.count) }
    guard counts[0] == counts[1], counts[0] == counts[2] else {
      return Result(
        shifts: [], regressions: [],
        refusal: "frames have no partners: base, head and base again measured "
          + "\(counts[0]), \(counts[1]) and \(counts[2]) frames a round")
    }
    let (toHead, toItself) = (shifts(base, head), shifts(base, control))
    var result = judge(toHead, own: toItself)
    if let band = result.noiseBand, band > tolerance {
      result.refusal =
        "the base differs from itself by \(percent(band)) on this host, more than the tolerance of "
        + "\(percent(tolerance)): take more rounds, or quiet the host"
      result.regressions = []
    }
    return result
  }

  private func shifts(_ base: [[Int64]], _ other: [[Int64]]) -> [QuantileShift] {
    Self.percentiles.compactMap { bootstrap.pairedShift(of: $0, from: base, to: other) }
  }

  private func judge(_ shifts: [QuantileShift], own: [QuantileShift]) -> Result {
    var result = Result(shifts: shifts, regressions: [])
    result.ownShifts = own
    if shifts.isEmpty {
      result.refusal = "fewer than \(Percentile.p50.framesNeeded) frames on one side"
    } else {
      result.regressions = shifts.filter { shift in
        isRegression(shift, noise: own.first { $0.percentile == shift.percentile }?.noise ?? 0)
      }
    }
    return result
  }

  private func isRegression(_ shift: QuantileShift, noise: Double) -> Bool {
    shift.lower > tolerance && shift.lower > noise
      && shift.lower * Double(shift.baseNanoseconds) > Double(floorNanoseconds)
  }

  private func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10) %" }
}

extension QuantileShift {
  /// What a shift between identical builds says about others: a median's is known well, of a tail's
  /// the farther end of its interval has to count.
  var noise: Double { percentile == .p50 ? abs(relative) : max(abs(lower), abs(upper)) }
}
