import Swiftlet

/// What makes a frame worth keeping.
public struct MiningTrigger: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable, Codable {
    /// The pipeline took longer than the threshold, milliseconds.
    case budget
    /// Of the places where a camera network's depth and the LiDAR can be compared, the share that
    /// differs by more than 15 % and 1 m.
    case disagreement
    /// Sensors that delivered before and are missing now, at least this many.
    case lost
    /// Points in space that was seen free before, at most this many metres from the ego: something
    /// moves there.
    case close
    /// The share of unknown voxels in the ego's way.
    case unknown
    /// A camera's depth edges fit its image better when it is turned by at least this, degrees.
    case drift
    /// The ego slows down by at least this, m/s².
    case braking
  }

  public var kind: Kind
  public var threshold: Double

  public init(kind: Kind, threshold: Double) {
    self.kind = kind
    self.threshold = threshold
  }

  static let defaults: [Kind: Double] = [
    .budget: 10, .disagreement: 0.3, .lost: 1, .close: 8, .unknown: 0.5, .drift: 0.5, .braking: 3,
  ]
  static let units: [Kind: String] = [
    .budget: "ms", .disagreement: "", .lost: "", .close: "m", .unknown: "", .drift: "deg",
    .braking: "m/s2",
  ]

  /// True for a value on the wrong side of the threshold.
  func fires(_ value: Double) -> Bool {
    switch kind {
    case .close: value <= threshold
    case .budget: value > threshold
    default: value >= threshold
    }
  }
  /// True when `a` is further on the wrong side than `b`.
  func isWorse(_ a: Double, than b: Double) -> Bool { kind == .close ? a < b : a > b }

  /// Reads `budget=8ms,close=6m,braking`; `all` means every kind with its default.
  ///
  /// - Parameter budgetMilliseconds: the default of `budget`.
  public static func list(
    _ text: String, budgetMilliseconds: Double
  ) throws(ConfigurationError) -> [MiningTrigger] {
    var triggers: [MiningTrigger] = []
    for part in text.split(separator: ",") {
      let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        .map(String.init)
      let kinds: [Kind]
      if halves[0] == "all", halves.count == 1 {
        kinds = Kind.allCases
      } else if let kind = Kind(rawValue: halves[0]) {
        kinds = [kind]
      } else {
        throw error(String(part))
      }
      for kind in kinds where !triggers.contains(where: { $0.kind == kind }) {
        var threshold = kind == .budget ? budgetMilliseconds : defaults[kind] ?? 0
        if halves.count == 2 {
          let unit = units[kind] ?? ""
          let digits = halves[1].hasSuffix(unit) ? String(halves[1].dropLast(unit.count)) : halves[1]
          guard let value = Double(digits), value.isFinite, value >= 0 else {
            throw error(String(part))
          }
          threshold = value
        }
        triggers.append(MiningTrigger(kind: kind, threshold: threshold))
      }
    }
    guard !triggers.isEmpty else { throw error(text) }
    return triggers
  }

  private static func error(_ text: String) -> ConfigurationError {
    ConfigurationError(
      field: "--trigger",
      expected: "all, or kinds of \(Kind.allCases.map(\.rawValue).joined(separator: ", "))",
      found: text, remedy: "write for example budget=8ms,close=6m,braking")
  }
}
