import Foundation

@testable import SwiftletReplay

/// Recordings that are not part of the repository.
enum MCAPTestData {
  static let root = ProcessInfo.processInfo.environment["SWIFTLET_DATA"]
  /// A Python with the independent readers.
  static let judges = ProcessInfo.processInfo.environment["SWIFTLET_JUDGES"]
  static var isThere: Bool { root != nil }

  static func path(_ relative: String) -> String { "\(root ?? "")/\(relative)" }
  static func bytes(_ relative: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(relative))))
  }

  /// Every conformance file, by its path without extension.
  static func conformanceFiles() -> [String] {
    guard let root else { return [] }
    let folder = "\(root)/mcap-conformance"
    let all = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return all.filter { $0.hasSuffix(".mcap") }.map { "mcap-conformance/" + $0.dropLast(5) }.sorted()
  }

  /// All messages of a file and everything that was wrong with it.
  static func readAll(
    _ reader: MCAPReader, order: MCAPMessageOrder = .logTime,
    filter: MCAPMessageFilter = MCAPMessageFilter()
  ) -> (messages: [MCAPMessage], problems: [MCAPProblem]) {
    var iterator = reader.messages(order: order, filter: filter)
    var messages: [MCAPMessage] = []
    while let message = iterator.next() { messages.append(message) }
    return (messages, reader.problems + iterator.problems)
  }
}
