import Foundation

/// A list of recordings, one a line: a path, and behind a tab a scene, drive or sequence. Empty
/// lines and those that start with `#` say nothing. Paths count from the manifest's folder.
public struct FleetManifest: Sendable, Equatable {
  public struct Entry: Sendable, Equatable {
    public var path: String
    public var scene: String?
    /// A folder's name that no other entry has: the path's last part and a hash of the line.
    public var name: String
  }
  public var entries: [Entry]

  public init(file: String) throws(RecordingError) {
    entries = []
    let folder = URL(fileURLWithPath: file).deletingLastPathComponent().path
    var names: Set<String> = []
    for (number, line) in try RecordingFile.lines(file).enumerated() {
      let text = line.trimmingCharacters(in: .whitespaces)
      guard !text.isEmpty, !text.hasPrefix("#") else { continue }
      let fields = text.split(separator: "\t").map { $0.trimmingCharacters(in: .whitespaces) }
      let path = fields[0].hasPrefix("/") ? fields[0] : "\(folder)/\(fields[0])"
      let entry = Entry(
        path: path, scene: fields.count > 1 ? fields[1] : nil, name: Self.name(text))
      guard names.insert(entry.name).inserted else {
        throw RecordingError(
          file: file, record: "line \(number + 1)", expected: "each recording once",
          found: "'\(text)' again", remedy: "remove one of the two lines")
      }
      entries.append(entry)
    }
    guard !entries.isEmpty else {
      throw RecordingError(
        file: file, expected: "at least one recording", found: "none",
        remedy: "write one path a line")
    }
  }

  private static func name(_ line: String) -> String {
    let last = RecordingFile.name(String(line.split(separator: "\t").first ?? ""))
    let plain = last.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "_" }
    return "\(String(plain.prefix(80)))-\(OutputDigest.hash(Array(line.utf8)).prefix(8))"
  }

  /// Part `shard` of the list: every n-th entry, so that parts are of about the same length.
  public func entries(of shard: FleetShard) -> [Entry] {
    entries.enumerated().filter { $0.offset % shard.count == shard.index }.map(\.element)
  }
}

/// One of several parts of a list, `2/8`.
public struct FleetShard: Sendable, Equatable, CustomStringConvertible {
  /// From 0 on.
  public var index: Int
  public var count: Int

  /// Reads `i/n` with i from 1 to n; nil for anything else.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let index = parts[0], let count = parts[1], count >= 1,
      (1...count).contains(index)
    else { return nil }
    self.index = index - 1
    self.count = count
  }
  public var description: String { "\(index + 1)/\(count)" }
}
