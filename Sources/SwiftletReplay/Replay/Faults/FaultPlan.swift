import Swiftlet

/// One fault to inject: what happens to which sensor, how much and how often.
public struct Fault: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    /// The sensor is silent. `drop:CAM_FRONT@0.05`
    case drop
    /// The sensor delivers what it saw that long ago. `late:LIDAR_TOP@50ms`
    case late
    /// The previous frame's sample comes again, with its own time. `duplicate:CAM_BACK@0.1`
    case duplicate
    /// The previous frame's pixels or points come again with a fresh time. `freeze:CAM_BACK@0.1`
    case freeze
    /// A frame and its successor change places. `reorder:*@0.05`
    case reorder
    /// Noise in the lower half of the image; one point in twenty becomes random bits.
    /// `corrupt:CAM_FRONT@0.1`
    case corrupt
    /// From the middle of the recording on, time runs that much later; `*` shifts everything.
    /// `clockjump:*@2s`
    case clockjump
    /// The ego pose is that far off, in a random direction. `pose:*@5m@0.1`
    case pose
    /// The mount is turned about the camera's or LiDAR's own up axis. `rotate:CAM_BACK@2deg`
    case rotate
    /// Focal lengths are multiplied. `focal:CAM_FRONT@0.9`
    case focal
    /// Points of one sector, in a random direction, are gone. `sector:LIDAR_TOP@90deg`
    case sector
  }

  public var kind: Kind
  /// A sensor's name, or `*` for all.
  public var target: String
  /// Seconds, metres, degrees or a factor, by kind; unused by the others.
  public var amount: Double
  /// Of each frame, 0...1.
  public var probability: Double
  /// Only in these frames, counted from the recording's first; nil: in all.
  public var frames: ClosedRange<Int>?

  /// False outside of the fault's frames.
  func mayHappen(in frame: Int) -> Bool { frames?.contains(frame) ?? true }
  /// A clock that jumped runs on like that: from the middle on, or in the fault's frames.
  func isJumped(_ frame: Int, of frameCount: Int) -> Bool {
    frames?.contains(frame) ?? (frame >= frameCount / 2)
  }

  func concerns(_ sensor: String) -> Bool { target == "*" || target == sensor }
}

/// What `--inject` says, seeded: the same plan does the same to the same recording.
public struct FaultPlan: Sendable, Equatable {
  public var faults: [Fault]
  public var seed: UInt64
  /// As the user wrote it, for the report.
  public var text: String

  /// Reads `drop:CAM_FRONT@0.05,late:LIDAR_TOP@50ms,rotate:CAM_BACK@2deg`.
  ///
  /// Every fault is `kind:sensor@value`; kinds with a value may add `@probability`, and every kind
  /// `#first-last`, the only frames in which it happens.
  public init(_ text: String, seed: UInt64 = 1) throws(ConfigurationError) {
    self.text = text
    self.seed = seed
    faults = []
    for part in text.split(separator: ",") { faults.append(try Self.fault(String(part))) }
    guard !faults.isEmpty else { throw Self.error(text, "one fault or more") }
  }

  private static func fault(_ text: String) throws(ConfigurationError) -> Fault {
    let halves = text.split(separator: ":", maxSplits: 1).map(String.init)
    let kinds = Fault.Kind.allCases.map(\.rawValue).joined(separator: ", ")
    guard halves.count == 2, let kind = Fault.Kind(rawValue: halves[0]) else {
      throw error(text, "kind:sensor@value with a kind of \(kinds)")
    }
    let parts = halves[1].split(
      separator: "#", maxSplits: 1, omittingEmptySubsequences: false
    ).map(String.init)
    guard let body = parts.first else { throw error(text, "kind:sensor@value") }
    let fields = body.split(separator: "@").map(String.init)
    guard (2...3).contains(fields.count) else { throw error(text, "kind:sensor@value") }
    var fault = Fault(kind: kind, target: fields[0], amount: 0, probability: 1)
    if parts.count == 2 { fault.frames = try range(parts[1], in: text) }
    if let unit = units[kind] {
      fault.amount = try number(fields[1], suffixes: unit, in: text)
      if fields.count == 3 { fault.probability = try probability(fields[2], in: text) }
    } else {
      guard fields.count == 2 else { throw error(text, "kind:sensor@probability") }
      fault.probability = try probability(fields[1], in: text)
    }
    return fault
  }

  /// Suffixes with their factors, for the kinds that take an amount.
  private static let units: [Fault.Kind: [(String, Double)]] = [
    .late: [("ms", 1e-3), ("s", 1)], .clockjump: [("ms", 1e-3), ("s", 1)], .pose: [("m", 1)],
    .rotate: [("deg", 1)], .sector: [("deg", 1)], .focal: [("", 1)],
  ]

  private static func number(
    _ field: String, suffixes: [(String, Double)], in text: String
  ) throws(ConfigurationError) -> Double {
    for (suffix, factor) in suffixes where field.hasSuffix(suffix) {
      if let value = Double(field.dropLast(suffix.count)), value.isFinite { return value * factor }
    }
    throw error(text, "a number with \(suffixes.map(\.0).joined(separator: " or "))")
  }

  private static func range(
    _ field: String, in text: String
  ) throws(ConfigurationError) -> ClosedRange<Int> {
    let ends = field.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
      first >= 0, last >= first
    else { throw error(text, "#FIRST-LAST or #FRAME, counted from 0") }
    return first...last
  }

  private static func probability(
    _ field: String, in text: String
  ) throws(ConfigurationError) -> Double {
    guard let value = Double(field), (0...1).contains(value) else {
      throw error(text, "a probability of 0 to 1")
    }
    return value
  }

  private static func error(_ text: String, _ expected: String) -> ConfigurationError {
    ConfigurationError(
      field: "--inject", expected: expected, found: text,
      remedy: "write for example drop:CAM_FRONT@0.05,late:LIDAR_TOP@50ms")
  }
}

/// Numbers that depend on nothing but the seed and what they are for, so that frames can be read in
/// any order and again.
struct FaultRandom {
  private var state: UInt64

  init(seed: UInt64, fault: Int, frame: Int, sensor: String) {
    state = seed
    for value in [UInt64(fault), UInt64(frame)] + sensor.utf8.map(UInt64.init) {
      state = (state ^ value) &* 0x9e37_79b9_7f4a_7c15
      _ = next()
    }
  }

  /// SplitMix64.
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
  /// Uniform in 0..<1.
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
