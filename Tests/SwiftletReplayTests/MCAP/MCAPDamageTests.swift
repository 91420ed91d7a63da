import Testing

@testable import SwiftletReplay

/// Damaged and odd files made from a real recording.
@Suite(.enabled(if: MCAPTestData.isThere, "SWIFTLET_DATA is not set"))
struct MCAPDamageTests {
  struct Expectation: Sendable, CustomTestStringConvertible {
    var name: String
    var messages: Int
    var problem: MCAPProblem.Kind?
    /// The byte the problem must name; nil: any.
    var byteRange: Range<Int>?
    var testDescription: String { name }
  }
  static let expectations = [
    Expectation(name: "small", messages: 61),
    Expectation(
      name: "truncated_mid_chunk", messages: 44, problem: .truncated, byteRange: 300_000..<360_026),
    Expectation(name: "no_footer", messages: 44, problem: .truncated),
    Expectation(name: "no_summary", messages: 61, problem: .unindexed),
    Expectation(name: "unchunked", messages: 61),
    Expectation(
      name: "flipped_byte_stored_chunk", messages: 47, problem: .crcMismatch,
      byteRange: 200_000..<326_604),
    Expectation(
      name: "flipped_byte_zstd_chunk", messages: 47, problem: .crcMismatch,
      byteRange: 150_000..<256_715),
    Expectation(
      name: "broken_zstd_chunk", messages: 47, problem: .chunkUndecodable,
      byteRange: 150_000..<206_677),
    Expectation(name: "unordered", messages: 61),
    Expectation(name: "zero_messages", messages: 0),
  ]

  @Test(arguments: expectations)
  func `a file yields what it holds and says what is wrong, where`(e: Expectation) throws {
    let reader = try MCAPReader(path: MCAPTestData.path("mcap-real/variants/\(e.name).mcap"))
    for order in [MCAPMessageOrder.file, .logTime] {
      let (messages, problems) = MCAPTestData.readAll(reader, order: order)
      #expect(messages.count == e.messages)
      #expect(problems.contains { $0.kind == e.problem } == (e.problem != nil), "\(problems)")
      if e.problem == nil { #expect(problems.isEmpty, "\(problems)") }
      if let range = e.byteRange {
        let problem = try #require(problems.first { $0.kind == e.problem })
        #expect(range.contains(try #require(problem.error.byteOffset)), "\(problem)")
        #expect(problem.lostBytes != nil)
      }
    }
  }

  @Test(arguments: ["empty", "not_mcap"])
  func `what is not an MCAP file is an error that says so`(name: String) {
    let path = MCAPTestData.path("mcap-real/variants/\(name).mcap")
    #expect {
      _ = try MCAPReader(path: path)
    } throws: { error in
      let text = "\(error)"
      return text.contains(name == "empty" ? "an empty file" : "the magic of an MCAP file")
        && text.contains("byte 0")
    }
  }

  @Test func `messages come in time order from unordered chunks, equal times in file order`()
    throws
  {
    let unordered = try MCAPReader(path: MCAPTestData.path("mcap-real/variants/unordered.mcap"))
    let inFile = MCAPTestData.readAll(unordered, order: .file).messages
    #expect(inFile.map(\.logTime) != inFile.map(\.logTime).sorted())
    let inTime = MCAPTestData.readAll(unordered, order: .logTime).messages
    let expected = inFile.sorted { ($0.logTime, $0.place) < ($1.logTime, $1.place) }
    #expect(inTime.map(\.place) == expected.map(\.place))
    // The smallest cache decompresses chunks again and again, with the same result.
    let tight = try MCAPReader(
      path: unordered.path, options: MCAPReader.Options(cacheByteCount: 1))
    let again = MCAPTestData.readAll(tight, order: .logTime).messages
    #expect(again.map { Array($0.data) } == inTime.map { Array($0.data) })
  }

  @Test func `topics and times select messages`() throws {
    let reader = try MCAPReader(path: MCAPTestData.path("mcap-real/variants/small.mcap"))
    let all = MCAPTestData.readAll(reader).messages
    let from = all[20].logTime
    let until = all[40].logTime
    let filter = MCAPMessageFilter(topics: ["/velo/pointcloud", "/tf"], logTimes: from..<until)
    let part = MCAPTestData.readAll(reader, filter: filter).messages
    let expected = all.filter {
      ["/velo/pointcloud", "/tf"].contains($0.channel.topic) && (from..<until).contains($0.logTime)
    }
    #expect(!part.isEmpty && part.map(\.place) == expected.map(\.place))
  }

  @Test func `a message is read again by its place`() throws {
    let reader = try MCAPReader(path: MCAPTestData.path("mcap-real/variants/unchunked.mcap"))
    for message in MCAPTestData.readAll(reader).messages {
      let again = try reader.message(at: message.place)
      #expect(again.data == message.data)
    }
  }
}

extension MCAPDamageTests {
  /// Offsets and sizes of the top-level records of a healthy file.
  static func places(_ bytes: [UInt8]) throws -> [MCAPRecordPlace] {
    var scanner = MCAPScanner(file: MCAPFile(bytes: bytes, path: "healthy"))
    var places: [MCAPRecordPlace] = []
    var offset = 8
    while offset < bytes.count - 8 {
      let place = try scanner.record(at: offset)
      places.append(place)
      offset = place.endOffset
    }
    return places
  }

  @Test(arguments: [true, false])
  func `behind a wrecked chunk head reading goes on at the next chunk`(hasFooter: Bool) throws {
    let original = try MCAPTestData.bytes("mcap-real/variants/small.mcap")
    let chunks = try Self.places(original).filter { $0.opcode == MCAPOpcode.chunk }
    let counts = [14, 13, 17, 13, 4]
    for (number, place) in chunks.enumerated() {
      for value: UInt8 in [0x3f, 0xff] {
        var bytes = original
        // The length's high byte: far beyond the file's end.
        bytes[place.offset + 8] = value
        if !hasFooter { bytes.removeLast(40) }
        let reader = try MCAPReader(bytes: bytes, path: "wrecked")
        let (messages, problems) = MCAPTestData.readAll(reader)
        #expect(messages.count < 61 && messages.count >= 61 - (counts.max() ?? 0))
        let problem = try #require(problems.first { $0.kind == .recordDamaged })
        #expect(problem.error.byteOffset == place.offset, "chunk \(number)")
        #expect(problem.lostBytes?.lowerBound == place.offset)
      }
    }
  }

  @Test func `behind a wrecked message of a file without chunks the others are found`() throws {
    let original = try MCAPTestData.bytes("mcap-real/variants/unchunked.mcap")
    let places = try Self.places(original).filter { $0.opcode == MCAPOpcode.message }
    for place in places.dropLast() {
      // Beyond the file's end; zero; longer by one; shorter by one.
      for change in 0..<4 {
        var bytes = original
        switch change {
        case 0: bytes[place.offset + 6] = 0x7f
        case 1: for index in 1...8 { bytes[place.offset + index] = 0 }
        case 2: bytes[place.offset + 1] &+= 1
        default: bytes[place.offset + 1] &-= 1
        }
        let reader = try MCAPReader(bytes: bytes, path: "wrecked")
        let (messages, problems) = MCAPTestData.readAll(reader)
        #expect(messages.count >= 59, "change \(change) at \(place.offset): \(messages.count)")
        #expect(problems.contains { $0.isDamage })
      }
    }
  }
}
