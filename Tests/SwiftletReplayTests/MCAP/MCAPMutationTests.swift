import Foundation
import SwiftletTestSupport
import Testing

@testable import SwiftletReplay

/// Seeded damage to small files: nothing traps, nothing hangs, memory stays what the bytes justify.
@Suite(.enabled(if: MCAPTestData.isThere, "SWIFTLET_DATA is not set"))
struct MCAPMutationTests {
  /// Opens and reads everything; returns the number of messages.
  @discardableResult
  static func exercise(_ bytes: [UInt8]) -> Int {
    let options = MCAPReader.Options(maximumChunkByteCount: 1 << 24)
    guard let reader = try? MCAPReader(bytes: bytes, path: "mutated", options: options) else {
      return 0
    }
    var records = reader.records()
    while records.next() != nil {}
    for index in 0..<reader.attachmentCount { _ = try? reader.attachment(index) }
    try? reader.checkDataSection()
    let inFile = MCAPTestData.readAll(reader, order: .file).messages.count
    let inTime = MCAPTestData.readAll(reader, order: .logTime).messages.count
    #expect(inFile == inTime)
    return inFile
  }

  static func mutate(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
    switch Int.random(in: 0..<6, using: &generator) {
    case 0: bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator))
    case 1:
      // Lengths and sizes: eight bytes of extremes.
      let value: UInt64 = [0, 1, 255, 1 << 31, 1 << 32, 1 << 62, .max].randomElement(
        using: &generator)!
      let at = Int.random(in: 0..<bytes.count, using: &generator)
      for index in 0..<8 where at + index < bytes.count {
        bytes[at + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))
      }
    case 2:
      let at = Int.random(in: 0...bytes.count, using: &generator)
      bytes.insert(.random(in: 0...255, using: &generator), at: at)
    case 3:
      let at = Int.random(in: 0..<bytes.count, using: &generator)
      bytes.removeSubrange(at..<min(bytes.count, at + .random(in: 1...40, using: &generator)))
    default:
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let at = Int.random(in: 0..<bytes.count, using: &generator)
        bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      }
    }
  }

  @Test func `thousands of mutated conformance files never trap`() throws {
    var generator = SeededGenerator(seed: 20_261)
    let files = try MCAPTestData.conformanceFiles().enumerated().filter { $0.offset % 7 == 0 }
      .map { try MCAPTestData.bytes($0.element + ".mcap") }
    var recovered = 0
    for round in 0..<4_000 {
      var bytes = files[round % files.count]
      for _ in 0..<Int.random(in: 1...3, using: &generator) where !bytes.isEmpty {
        Self.mutate(&bytes, &generator)
      }
      recovered += Self.exercise(bytes)
    }
    #expect(recovered > 500, "readable messages are still found: \(recovered)")
  }

  @Test func `a real recording mutated anywhere yields messages and never traps`() throws {
    var generator = SeededGenerator(seed: 7)
    for name in ["small", "unchunked"] {
      let original = try MCAPTestData.bytes("mcap-real/variants/\(name).mcap")
      for _ in 0..<12 {
        var bytes = original
        let at = Int.random(in: 100..<bytes.count, using: &generator)
        bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        #expect(Self.exercise(bytes) >= 40, "\(name), bit at byte \(at)")
      }
    }
  }
}
