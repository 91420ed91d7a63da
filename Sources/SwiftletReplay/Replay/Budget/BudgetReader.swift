import Foundation
import Yams

extension LatencyBudget {
  /// Reads `budget.yaml`.
  ///
  /// - Throws: `RecordingError` with line, expected and found; unknown fields are errors.
  public init(path: String) throws(RecordingError) {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw RecordingError(
        file: path, expected: "a budget in YAML", found: "nothing", remedy: "check the path")
    }
    try self.init(yaml: String(decoding: data, as: UTF8.self), file: path)
  }

  public init(yaml: String, file: String = "budget.yaml") throws(RecordingError) {
    let root: Node?
    do { root = try Yams.compose(yaml: yaml) } catch {
      throw RecordingError(
        file: file, expected: "YAML", found: "\(error)", remedy: "correct the file")
    }
    guard let root else {
      throw RecordingError(
        file: file, expected: "a mapping that starts with version: 1", found: "an empty file",
        remedy: "write the limits")
    }
    self.init()
    try read(BudgetNode(node: root, file: file, name: "budget"))
  }

  private mutating func read(_ root: BudgetNode) throws(RecordingError) {
    let fields = try root.fields([
      "version", "hosts", "total", "stages", "misses", "deterministic", "relative",
    ])
    guard let version = fields["version"], try version.integer() == 1 else {
      throw root.failure("version: 1", fields["version"]?.text ?? "no version")
    }
    hosts = try fields["hosts"]?.list() ?? []
    if let node = fields["total"] { total = try Self.limits(node) }
    if let node = fields["stages"] {
      for (name, limits) in try node.anyFields() { stages[name] = try Self.limits(limits) }
    }
    if let node = fields["misses"] { misses = try Self.misses(node) }
    if let node = fields["deterministic"] { deterministic = try Self.deterministic(node) }
    if let node = fields["relative"] { relative = try Self.relative(node) }
  }

  private static func limits(_ node: BudgetNode) throws(RecordingError) -> Limits {
    var limits = Limits()
    let fields = try node.fields(Percentile.allCases.map(\.label) + ["max"])
    for percentile in Percentile.allCases {
      if let field = fields[percentile.label] {
        limits.percentiles[percentile] = try field.duration()
      }
    }
    limits.maximum = try fields["max"]?.duration()
    guard !fields.isEmpty else { throw node.failure("a limit such as p99: 10ms", "none") }
    return limits
  }

  private static func misses(_ node: BudgetNode) throws(RecordingError) -> Misses {
    var misses = Misses()
    let fields = try node.fields(["budget", "rate", "consecutive", "at_most"])
    misses.budgetNanoseconds = try fields["budget"]?.duration()
    if let rate = fields["rate"] {
      let share = try rate.share()
      guard share > 0, share < 1 else { throw rate.failure("above 0 % and below 100 %", rate.text) }
      misses.rate = share
    }
    misses.consecutive = try fields["consecutive"]?.integer(atLeast: 0)
    if let window = fields["at_most"] {
      let parts = try window.fields(["misses", "in"])
      guard let count = parts["misses"], let frames = parts["in"] else {
        throw window.failure("{misses: 1, in: 20}", window.text)
      }
      misses.window = MissWindow(
        misses: try count.integer(atLeast: 0), frames: try frames.integer(atLeast: 1))
    }
    return misses
  }

  private static func deterministic(_ node: BudgetNode) throws(RecordingError) -> Deterministic {
    var limits = Deterministic()
    let fields = try node.fields([
      "digest", "allocations", "page_faults", "instructions_per_frame", "instruction_tolerance",
    ])
    limits.digest = fields["digest"]?.text
    limits.allocations = try fields["allocations"].map { (f) throws(RecordingError) in
      Int64(try f.integer(atLeast: 0))
    }
    limits.pageFaults = try fields["page_faults"].map { (f) throws(RecordingError) in
      Int64(try f.integer(atLeast: 0))
    }
    limits.instructionsPerFrame = try fields["instructions_per_frame"].map {
      (f) throws(RecordingError) in Double(try f.integer(atLeast: 1))
    }
    if let tolerance = fields["instruction_tolerance"] {
      limits.instructionTolerance = try tolerance.share()
    }
    return limits
  }

  private static func relative(_ node: BudgetNode) throws(RecordingError) -> Relative {
    let fields = try node.fields(["baseline", "tolerance"])
    guard let baseline = fields["baseline"] else { throw node.failure("a baseline", "none") }
    var relative = Relative(baseline: baseline.text)
    if let tolerance = fields["tolerance"] { relative.tolerance = try tolerance.share() }
    return relative
  }
}

/// A YAML node with its place, read strictly.
private struct BudgetNode {
  var node: Node
  var file: String
  var name: String

  var text: String {
    switch node {
    case .scalar(let scalar): scalar.string
    case .mapping: "a mapping"
    case .sequence: "a list"
    case .alias: "an alias"
    }
  }

  func failure(_ expected: String, _ found: String) -> RecordingError {
    RecordingError(
      file: file, record: node.mark.map { "\(name), line \($0.line)" } ?? name, expected: expected,
      found: found, remedy: "correct the budget")
  }

  func anyFields() throws(RecordingError) -> [String: BudgetNode] {
    guard let mapping = node.mapping else { throw failure("a mapping", text) }
    var fields: [String: BudgetNode] = [:]
    for (key, value) in mapping {
      let name = key.scalar?.string ?? ""
      guard fields[name] == nil else { throw failure("each field once", "\(name) twice") }
      fields[name] = BudgetNode(node: value, file: file, name: name)
    }
    return fields
  }

  func fields(_ known: [String]) throws(RecordingError) -> [String: BudgetNode] {
    let fields = try anyFields()
    for (name, field) in fields where !known.contains(name) {
      throw field.failure("one of \(known.joined(separator: ", "))", name)
    }
    return fields
  }

  func list() throws(RecordingError) -> [String] {
    guard let sequence = node.sequence else { throw failure("a list", text) }
    return sequence.compactMap { $0.scalar?.string }
  }

  func integer(atLeast least: Int = .min) throws(RecordingError) -> Int {
    guard let value = Int(text), value >= least else {
      throw failure(least == .min ? "a whole number" : "a whole number of \(least) or more", text)
    }
    return value
  }

  func duration() throws(RecordingError) -> Int64 {
    guard let value = Durations.nanoseconds(text) else {
      throw failure("a time such as 10ms, 0.5s or 800us", text)
    }
    return value
  }

  /// `1%` or `0.01`.
  func share() throws(RecordingError) -> Double {
    let isPercent = text.hasSuffix("%")
    let digits = isPercent ? text.dropLast().trimmingCharacters(in: .whitespaces) : text
    guard let value = Double(digits), value >= 0, value.isFinite else {
      throw failure("a share such as 1% or 0.01", text)
    }
    return isPercent ? value / 100 : value
  }
}

/// Time spans as people write them.
public enum Durations {
  /// Nanoseconds of `10ms`, `0.5s`, `800us`; a plain number is milliseconds. Nil for anything else,
  /// and for what is not above 0.
  public static func nanoseconds(_ text: String) -> Int64? {
    let units: [(suffix: String, nanoseconds: Double)] = [
      ("ms", 1e6), ("us", 1e3), ("µs", 1e3), ("ns", 1), ("s", 1e9), ("", 1e6),
    ]
    guard let unit = units.first(where: { text.hasSuffix($0.suffix) }),
      let value = Double(text.dropLast(unit.suffix.count)), value > 0,
      value * unit.nanoseconds < 1e18
    else { return nil }
    return Int64((value * unit.nanoseconds).rounded())
  }
}
