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

/// One entry of a golden set's `index.json`.
struct GoldenEntry: Sendable {
  var name: String
  var file: String
  var operation: String
  var size: String
  var attributes: JSONValue
  var expectations: [GoldenExpectation]
}

/// A folder of golden cases: `index.json` and the `.safetensors` it lists.
public struct GoldenSet: Sendable {
  let folder: URL
  let entries: [GoldenEntry]

  /// Reads the index of `path`.
  ///
  /// - Throws: `GoldenSetError` when it is missing, no JSON, or lists no case.
  public init(path: String) throws(GoldenSetError) {
    folder = URL(fileURLWithPath: path, isDirectory: true)
    let indexURL = folder.appendingPathComponent("index.json")
    guard let data = try? Data(contentsOf: indexURL) else {
      throw GoldenSetError(
        file: indexURL.path, expected: "a readable index.json", found: "none",
        remedy: "give the folder of a golden set")
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
    var entries: [GoldenEntry] = []
    for (number, value) in cases.enumerated() {
      entries.append(try Self.entry(value, number: number, file: indexURL.path))
    }
    self.entries = entries
  }

  private static func entry(
    _ value: JSONValue, number: Int, file: String
  ) throws(GoldenSetError) -> GoldenEntry {
    guard let name = value["name"]?.stringValue, let caseFile = value["file"]?.stringValue,
      let operation = value["operation"]?.stringValue
    else {
      throw GoldenSetError(
        file: file, expected: "name, file and operation in case \(number)", found: value.kind,
        remedy: "copy the golden set again")
    }
    let expectations = (value["tensors"]?.objectValue ?? [:])
      .filter { $0.key.hasPrefix("out.") }
      .sorted { $0.key < $1.key }
      .map { expectation($0.key, $0.value) }
    return GoldenEntry(
      name: name, file: caseFile, operation: operation, size: value["size"]?.stringValue ?? "",
      attributes: value["attributes"] ?? .object([:]), expectations: expectations)
  }

  private static func expectation(_ name: String, _ tensor: JSONValue) -> GoldenExpectation {
    let rule: GoldenExpectation.Rule =
      switch tensor["compare"]?.stringValue {
      case "close":
        .close(
          maxAbs: tensor["max_abs"]?.doubleValue ?? 0, maxRel: tensor["max_rel"]?.doubleValue ?? 0)
      case "exact_one_of": .exactOneOf(choice: tensor["choice"]?.stringValue ?? "")
      default: .exact
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
  public var description: String { "\(file): expected \(expected), found \(found); \(remedy)" }
}
