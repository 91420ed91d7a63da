/// Reads one JSON object of a configuration: every field by name and kind, unknown fields are
/// errors, absent fields keep their defaults.
struct ConfigurationReader {
  private let members: [String: JSONValue]
  private let path: String
  private var known: Set<String> = []

  init(_ value: JSONValue, path: String) throws(ConfigurationError) {
    guard let members = value.objectValue else {
      throw ConfigurationError(
        field: path.isEmpty ? "pipeline" : path, expected: "an object", found: value.kind,
        remedy: "see `swiftlet config` for the default")
    }
    self.members = members
    self.path = path
  }

  private func fullName(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  private mutating func take<T>(
    _ name: String, _ expected: String, _ read: (JSONValue) -> T?
  ) throws(ConfigurationError) -> T? {
    known.insert(name)
    guard let value = members[name] else { return nil }
    guard let result = read(value) else {
      throw ConfigurationError(
        field: fullName(name), expected: expected, found: value.text,
        remedy: "see `swiftlet config` for the default")
    }
    return result
  }

  mutating func read(_ name: String, into value: inout Double) throws(ConfigurationError) {
    value = try take(name, "a finite number") { $0.doubleValue.flatMap { $0.isFinite ? $0 : nil } } ?? value
  }
  mutating func read(_ name: String, into value: inout Int) throws(ConfigurationError) {
    value = try take(name, "an integer") { $0.intValue } ?? value
  }
  mutating func read(_ name: String, into value: inout Bool) throws(ConfigurationError) {
    value = try take(name, "true or false") { $0.boolValue } ?? value
  }
  mutating func read(_ name: String, into value: inout String) throws(ConfigurationError) {
    value = try take(name, "a string") { $0.stringValue } ?? value
  }
  mutating func read(_ name: String, into value: inout String?) throws(ConfigurationError) {
    if members[name] == .null {
      known.insert(name)
      value = nil
    } else {
      value = try take(name, "a string or null") { $0.stringValue } ?? value
    }
  }
  mutating func read(
    _ name: String, into value: inout SIMD3<Double>
  ) throws(ConfigurationError) {
    value =
      try take(name, "three finite numbers") { field in
        guard let v = field.doublesValue, v.count == 3, v.allSatisfy(\.isFinite) else { return nil }
        return SIMD3(v[0], v[1], v[2])
      } ?? value
  }
  /// One of an enumeration's raw values.
  mutating func read<T: RawRepresentable & CaseIterable>(
    _ name: String, into value: inout T
  ) throws(ConfigurationError) where T.RawValue == String {
    let choices = T.allCases.map(\.rawValue).joined(separator: ", ")
    value =
      try take(name, "one of \(choices)") { $0.stringValue.flatMap(T.init(rawValue:)) } ?? value
  }
  /// A nested object, read by `body`.
  mutating func readObject(
    _ name: String, _ body: (inout ConfigurationReader) throws(ConfigurationError) -> Void
  ) throws(ConfigurationError) {
    known.insert(name)
    guard let value = members[name] else { return }
    var reader = try ConfigurationReader(value, path: fullName(name))
    try body(&reader)
    try reader.finish()
  }

  /// Fails when a field was not asked for.
  func finish() throws(ConfigurationError) {
    guard let unknown = members.keys.filter({ !known.contains($0) }).sorted().first else { return }
    throw ConfigurationError(
      field: fullName(unknown), expected: "one of \(known.sorted().joined(separator: ", "))",
      found: "an unknown field", remedy: "remove it or correct its name")
  }
}
