import Foundation
import Swiftlet

/// How one expected tensor is compared.
struct GoldenExpectation: Sendable {
  enum Rule: Sendable { case exact, close(maxAbs: Double, maxRel: Double), exactOneOf(choice: String) }
  var tensorName: String
  var rule: Rule
  /// A mask with the tensor's leading dimensions; elements where it is non-zero are left out.
  var skipName: String?
}

/// What the index says of a tensor's element type and shape; nil where it says nothing.
struct GoldenDescription: Sendable {
  var elementTypeName: String?
  var shape: [Int]?
  var layout: String?
}

/// One entry of a golden set's `index.json`.
struct GoldenEntry: Sendable {
  var name: String
  var file: String
  var operation: String
  var size: String
  var attributes: JSONValue
  var expectations: [GoldenExpectation]
  var descriptions: [String: GoldenDescription]
  /// Why the index's entry cannot be used; nil for a sound one.
  var problem: String?
}

/// A folder of golden cases: `index.json` and the `.safetensors` it lists.
public struct GoldenSet: Sendable {
  let folder: URL
  let entries: [GoldenEntry]

  /// Reads the index of `path`.
  ///
  /// An entry that cannot be used does not hide the others: it becomes a case that fails.
  ///
  /// - Throws: `GoldenSetError` when it is missing, no JSON, or lists no case.
  public init(path: String) throws(GoldenSetError) {
    folder = URL(fileURLWithPath: path, isDirectory: true)
    let indexURL = folder.appendingPathComponent("index.json")
    guard let data = try? Data(contentsOf: indexURL) else {
      throw GoldenSetError(
        file: indexURL.path, expected: "a readable index.json", found: "none",
        remedy: "give the folder of a golden set", isMissing: true)
    }
    let index: JSONValue
    do {
      index = try JSONReader.parse([UInt8](data))
    } catch {
      throw GoldenSetError(
        file: indexURL.path, expected: error.expected,
        found: "\(error.found) at byte \(error.byteOffset)", remedy: "copy the golden set again")
    }
    guard let cases = index["cases"]?.arrayValue, !cases.isEmpty else {
      throw GoldenSetError(
        file: indexURL.path, expected: "a list of cases", found: "none",
        remedy: "copy the golden set again")
    }
    entries = cases.enumerated().map { Self.entry($1, number: $0) }
  }

  private static func entry(_ value: JSONValue, number: Int) -> GoldenEntry {
    var entry = GoldenEntry(
      name: value["name"]?.stringValue ?? "case \(number)",
      file: value["file"]?.stringValue ?? "", operation: value["operation"]?.stringValue ?? "",
      size: value["size"]?.stringValue ?? "", attributes: value["attributes"] ?? .object([:]),
      expectations: [], descriptions: [:])
    for key in ["name", "file", "operation"] where value[key]?.stringValue == nil {
      entry.problem = "index.json case \(number): expected a text \(key), "
        + "found \(value[key]?.text ?? "none")"
    }
    for (name, tensor) in value["tensors"]?.objectValue ?? [:] {
      entry.descriptions[name] = GoldenDescription(
        elementTypeName: tensor["dtype"]?.stringValue,
        shape: tensor["shape"]?.arrayValue?.map { $0.intValue ?? -1 },
        layout: tensor["layout"]?.stringValue)
      guard name.hasPrefix("out.") else { continue }
      do {
        entry.expectations.append(try expectation(name, tensor))
      } catch {
        entry.problem = "index.json case \(number): \(error)"
      }
    }
    entry.expectations.sort { $0.tensorName < $1.tensorName }
    return entry
  }

  private static func expectation(
    _ name: String, _ tensor: JSONValue
  ) throws(GoldenError) -> GoldenExpectation {
    let rule: GoldenExpectation.Rule
    switch tensor["compare"]?.stringValue {
    case "close":
      let bounds = (tensor["max_abs"]?.doubleValue ?? 0, tensor["max_rel"]?.doubleValue ?? 0)
      guard bounds.0 >= 0, bounds.1 >= 0, bounds.0 < .infinity, bounds.1 < .infinity else {
        throw .damaged(
          tensor: name, expected: "tolerances of 0 or more", found: "\(bounds.0) and \(bounds.1)")
      }
      rule = .close(maxAbs: bounds.0, maxRel: bounds.1)
    case "exact_one_of": rule = .exactOneOf(choice: tensor["choice"]?.stringValue ?? "")
    // Without a word on it nothing but equality is right.
    case "exact", nil: rule = .exact
    case .some(let other):
      throw .damaged(
        tensor: name, expected: "compare exact, exact_one_of or close", found: other)
    }
    return GoldenExpectation(
      tensorName: name, rule: rule, skipName: tensor["skip"]?.stringValue)
  }
}

/// A golden set that cannot be used.
public struct GoldenSetError: Error, Sendable, CustomStringConvertible {
  public var file: String
  public var expected: String
  public var found: String
  public var remedy: String
  /// The index is not there at all, rather than damaged.
  public var isMissing = false
  public var description: String { "\(file): expected \(expected), found \(found); \(remedy)" }
}
