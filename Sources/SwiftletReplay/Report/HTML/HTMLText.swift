import Foundation

/// Small pieces of HTML. Everything that comes from a recording passes through `escaped`.
enum HTMLText {
  static func escaped(_ text: String) -> String {
    var result = ""
    for character in text.unicodeScalars {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }
  /// An element whose content is text.
  static func element(_ tag: String, _ text: String, _ kind: String = "") -> String {
    let attribute = kind.isEmpty ? "" : " class=\"\(kind)\""
    return "<\(tag)\(attribute)>\(escaped(text))</\(tag)>"
  }
  static func row(_ cells: [String], header: Bool = false, kind: String = "") -> String {
    let tag = header ? "th" : "td"
    let attribute = kind.isEmpty ? "" : " class=\"\(kind)\""
    return "<tr\(attribute)>" + cells.map { element(tag, $0) }.joined() + "</tr>\n"
  }
  static func table(_ header: [String], _ rows: [[String]]) -> String {
    "<table>" + (header.isEmpty ? "" : row(header, header: true))
      + rows.map { row($0) }.joined() + "</table>\n"
  }
  /// Milliseconds with three digits that matter.
  static func milliseconds(_ nanoseconds: Int64?) -> String {
    guard let nanoseconds else { return "–" }
    let value = Double(nanoseconds) / 1e6
    return String(format: value < 10 ? "%.3f" : value < 100 ? "%.2f" : "%.1f", value)
  }
  /// A coordinate of a drawing.
  static func coordinate(_ value: Double) -> String { String(format: "%.1f", value) }
}
