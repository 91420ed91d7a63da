import Swiftlet

/// Input scales for int8 as `swiftlet calibrate` writes them: JSON with `schema_version` 1,
/// `weights_hash` (XXH3 of the weights file they were measured with) and `scales` by layer.
public struct ScalesFile: Sendable, Equatable {
  public static let version = 1
  public var scales: [String: Float]
  /// Nil for the calibrator's own random weights.
  public var weightsHash: String?
  /// XXH3 of the file's bytes, which reports name.
  public var hash: String

  /// - Parameter weightsHash: of the weights in use; nil when they are the calibrator's own.
  /// - Throws: `WeightsError` naming the field: no JSON, another version, scales that are no positive
  ///   numbers, or scales of other weights.
  public init(json bytes: [UInt8], weightsHash: String?) throws(WeightsError) {
    let root = try Self.parse(bytes)
    guard root["schema_version"]?.intValue == Self.version else {
      throw Self.error(
        "schema_version", "\(Self.version)", Self.text(root["schema_version"]),
        "write the scales again with this version's `swiftlet calibrate`")
    }
    let measured = root["weights_hash"]?.stringValue
    guard measured == weightsHash else {
      throw Self.error(
        "weights_hash", weightsHash ?? "none (random weights)", measured ?? "none (random weights)",
        "calibrate with the weights that the scales are for")
    }
    guard case .object(let members)? = root["scales"], !members.isEmpty else {
      throw Self.error(
        "scales", "an object of positive numbers", Self.text(root["scales"]),
        "calibrate on a recording whose features are not all zero")
    }
    scales = [:]
    for (name, value) in members.sorted(by: { $0.key < $1.key }) {
      let scale = Float(value.doubleValue ?? .nan)
      guard scale > 0, scale.isFinite else {
        throw Self.error(
          "scales.\(name)", "a positive number", Self.text(value), "calibrate again")
      }
      scales[name] = scale
    }
    self.weightsHash = measured
    hash = OutputDigest.hash(bytes)
  }

  private static func parse(_ bytes: [UInt8]) throws(WeightsError) -> JSONValue {
    do throws(JSONError) {
      return try JSONReader.parse(bytes)
    } catch {
      throw self.error("file", "JSON", "\(error)", "write it with `swiftlet calibrate`")
    }
  }

  private static func error(
    _ field: String, _ expected: String, _ found: String, _ remedy: String
  ) -> WeightsError {
    WeightsError(tensor: "scales file, \(field)", expected: expected, found: found, remedy: remedy)
  }

  private static func text(_ value: JSONValue?) -> String { value.map { $0.text } ?? "no such field" }
}
