import Foundation
import Testing

@testable import SwiftletReplay

/// Every kind of damage to files whose every byte is known: what is lost, what is not, and the byte
/// that is named.
@Suite struct MCAPBuiltDamageTests {
  /// - Parameter path: reads the bytes from a file, in pieces, instead of from memory.
  private func read(
    _ bytes: [UInt8], path: String? = nil
  ) throws -> (numbers: [Int], problems: [MCAPProblem]) {
    if let path { try Data(bytes).write(to: URL(fileURLWithPath: path)) }
    let reader =
      try path.map { try MCAPReader(path: $0) } ?? MCAPReader(bytes: bytes, path: "built")
    let inTime = MCAPTestData.readAll(reader)
    let inFile = MCAPTestData.readAll(reader, order: .file)
    let numbers = inTime.messages.map { Int($0.sequence) }
    #expect(inFile.messages.map { Int($0.sequence) } == numbers)
    #expect(inFile.problems.map(\.kind) == inTime.problems.map(\.kind))
    for message in inTime.messages {
      let written = MCAPBuilder.encoded(MCAPBuilder.message(Int(message.sequence)))
      #expect(written.suffix(300) == message.data)
    }
    return (numbers, inTime.problems.filter(\.isDamage))
  }

  @Test(arguments: MCAPBuilder.Compression.allCases)
  func `a flipped bit costs its chunk, whose place is named, and no other`(
    compression: MCAPBuilder.Compression
  ) throws {
    let folder = try ScratchFolder()
    let whole = MCAPBuilder.chunked(compression)
    #expect(try read(whole.bytes).numbers == Array(0..<20) && read(whole.bytes).problems.isEmpty)
    for (number, content) in whole.chunkContents.enumerated() {
      for part in 1..<10 {
        var bytes = whole.bytes
        bytes[content.lowerBound + content.count * part / 10] ^= 0x10
        let path = part % 2 == 0 ? folder.path + "/a.mcap" : nil
        let (numbers, problems) = try read(bytes, path: path)
        #expect(numbers == (0..<20).filter { $0 / 4 != number }, "chunk \(number), part \(part)")
        let problem = try #require(problems.first)
        let isCRC = problem.kind == .crcMismatch
        #expect(problems.count == 1 && (isCRC || problem.kind == .chunkUndecodable))
        #expect(compression != .none || isCRC)
        #expect(whole.chunks[number].contains(try #require(problem.error.byteOffset)), "\(problem)")
        #expect(problem.lostBytes == whole.chunks[number] && problem.error.record == "Chunk")
      }
    }
  }

  @Test(arguments: MCAPBuilder.Compression.allCases)
  func `a chunk that holds more or less than it claims is refused, whatever it claims`(
    compression: MCAPBuilder.Compression
  ) throws {
    let claims = [0, 1, 1_300, 1_400, 1 << 30, 1 << 40, Int.max]
    for claim in claims {
      var builder = MCAPBuilder()
      builder.add(.channel(MCAPBuilder.channel))
      let first = (0..<4).map { MCAPBuilder.message($0) }
      builder.addChunk(first, compression, claimedByteCount: claim)
      builder.addChunk((4..<8).map { MCAPBuilder.message($0) }, compression)
      builder.finish()
      let (numbers, problems) = try read(builder.bytes)
      #expect(numbers == [4, 5, 6, 7] && problems.map(\.kind) == [.chunkUndecodable], "\(claim)")
      #expect(problems.first?.lostBytes == builder.chunks[0])
    }
  }

  @Test(arguments: [true, false])
  func `a file cut anywhere yields what is whole before the cut, and names where it ends`(
    isChunked: Bool
  ) throws {
    var builder = MCAPBuilder()
    builder.add(.channel(MCAPBuilder.channel))
    var messages: [(end: Int, numbers: [Int])] = []
    for number in 0..<5 {
      if isChunked {
        builder.addChunk((0..<2).map { MCAPBuilder.message(number * 2 + $0) }, .zstd)
        messages.append((builder.bytes.count, [number * 2, number * 2 + 1]))
      } else {
        builder.add(MCAPBuilder.message(number))
        messages.append((builder.bytes.count, [number]))
      }
    }
    let first = 8 + MCAPBuilder.encoded(.header(MCAPHeader(profile: "", library: "test"))).count
    let starts = [first] + messages.map(\.end)
    builder.finish()
    for cut in stride(from: messages[0].end, to: builder.bytes.count - 8, by: 3) {
      let (numbers, problems) = try read(Array(builder.bytes.prefix(cut)))
      #expect(numbers == messages.filter { $0.end <= cut }.flatMap(\.numbers), "cut at \(cut)")
      #expect(problems.map(\.kind) == [.truncated], "cut at \(cut): \(problems)")
      let offset = try #require(problems.first?.error.byteOffset)
      let start = starts.last { $0 <= cut } ?? 0
      #expect(offset >= start && offset <= cut, "cut at \(cut): \(offset)")
      if cut > start, let lost = problems.first?.lostBytes { #expect(lost.upperBound == cut) }
    }
  }

  @Test func `a damaged end costs no message and is named where it is`() throws {
    let whole = MCAPBuilder.chunked(.none).bytes
    let footer = whole.count - 8 - 29
    func expect(
      _ bytes: [UInt8], _ kind: MCAPProblem.Kind, at offset: Int?, sourceLine: Int = #line
    ) throws {
      let (numbers, problems) = try read(bytes)
      #expect(numbers == Array(0..<20), "line \(sourceLine)")
      #expect(problems.map(\.kind) == [kind], "line \(sourceLine): \(problems)")
      if let offset { #expect(problems.first?.error.byteOffset == offset, "line \(sourceLine)") }
    }
    try expect(whole + [1, 2, 3], .trailingBytes, at: whole.count)
    var bytes = whole
    bytes[whole.count - 3] = 7
    try expect(bytes, .magicDamaged, at: whole.count - 8)
    try expect(whole.dropLast(8), .magicDamaged, at: whole.count - 8)
    bytes = whole
    bytes[0] = 0
    try expect(bytes, .magicDamaged, at: 0)
    // Beyond the footer: the summary's start, then its offsets'.
    for field in [9, 17] {
      bytes = whole
      bytes[footer + field + 6] = 1
      try expect(bytes, .summaryUnreadable, at: footer + 9)
    }
    // A CRC that is there and wrong.
    bytes = whole
    bytes[footer + 25] = 1
    try expect(bytes, .crcMismatch, at: nil)
    var headless = MCAPBuilder(hasHeader: false)
    headless.add(.channel(MCAPBuilder.channel))
    headless.addChunk((0..<20).map { MCAPBuilder.message($0) })
    headless.finish()
    try expect(headless.bytes, .recordDamaged, at: 8)
  }

  @Test func `records of unknown kinds are skipped, files without an index read through`() throws {
    var builder = MCAPBuilder()
    builder.add(.channel(MCAPBuilder.channel))
    builder.add(opcode: 0x42, [1, 2, 3])
    builder.addChunk((0..<4).map { MCAPBuilder.message($0) })
    builder.add(opcode: 0x80, [])
    builder.finish()
    let reader = try MCAPReader(bytes: builder.bytes, path: "built")
    #expect(reader.problems.map(\.kind) == [.unknownRecord, .unknownRecord, .unindexed])
    #expect(reader.problems.allSatisfy { !$0.isDamage })
    let offsets = reader.problems.map(\.error.byteOffset)
    #expect(offsets.dropFirst().first == builder.chunks[0].upperBound)
    #expect(try read(builder.bytes).numbers == [0, 1, 2, 3])
  }

  @Test(arguments: [true, false])
  func `a message on a channel that nothing defines is left out and named`(isChunked: Bool) throws {
    var builder = MCAPBuilder()
    builder.add(.channel(MCAPBuilder.channel))
    let records = [0, 1, 2].map { MCAPBuilder.message($0, channel: $0 == 1 ? 9 : 1) }
    if isChunked {
      builder.addChunk(records)
    } else {
      for record in records { builder.add(record) }
    }
    builder.finish()
    let (numbers, problems) = try read(builder.bytes)
    #expect(numbers == [0, 2] && problems.map(\.kind) == [.channelUndefined], "\(problems)")
    #expect(problems.first?.error.found.contains("channel 9") == true)
    #expect(problems.first?.error.byteOffset ?? 0 > 8)
  }

  @Test func `messages outside of their chunk's times come all the same, and it is said`() throws {
    var builder = MCAPBuilder()
    builder.add(.channel(MCAPBuilder.channel))
    builder.addChunk([MCAPBuilder.message(4), MCAPBuilder.message(5)])
    builder.addChunk([MCAPBuilder.message(0), MCAPBuilder.message(6)], times: 1_006...1_006)
    builder.finish()
    let reader = try MCAPReader(bytes: builder.bytes, path: "built")
    let (messages, problems) = MCAPTestData.readAll(reader)
    #expect(Set(messages.map(\.sequence)) == [0, 4, 5, 6])
    let problem = try #require(problems.first { $0.isDamage })
    #expect(problem.kind == .chunkTimeRange)
    #expect(problem.error.byteOffset == builder.chunks[1].lowerBound)
  }

  @Test func `changed bytes of attachments, metadata and summary are found by their CRCs`() throws {
    let folder = try ScratchFolder()
    let path = folder.path + "/a.mcap"
    _ = try MCAPWriterTests.write(path, compression: .zstd, chunkByteCount: 1 << 14)
    let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    let places = try MCAPDamageTests.places(whole)
    func damaged(
      _ opcode: UInt8, _ offset: Int
    ) throws -> (bytes: [UInt8], place: MCAPRecordPlace) {
      let place = try #require(places.first { $0.opcode == opcode })
      var bytes = whole
      bytes[place.contentOffset + offset] ^= 1
      return (bytes, place)
    }
    func checksums(_ bytes: [UInt8]) throws -> [String] {
      let file = folder.path + "/damaged.mcap"
      try Data(bytes).write(to: URL(fileURLWithPath: file))
      // No sensors in it: the container is examined all the same.
      let check = RecordingDoctor().examine(file).checks.first { $0.subject == .checksums }
      return try #require(check).findings.map(\.message)
    }
    #expect(try checksums(whole).isEmpty)
    // The log time of the attachment: its own CRC and the data section's.
    let (attached, place) = try damaged(MCAPOpcode.attachment, 2)
    let reader = try MCAPReader(bytes: attached, path: "built")
    #expect {
      _ = try reader.attachment(0)
    } throws: { error in
      let offset = (error as? RecordingError)?.byteOffset ?? -1
      return offset >= place.offset && offset < place.endOffset && "\(error)".contains("CRC")
    }
    let found = try checksums(attached)
    #expect(found.count == 2 && found.contains { $0.contains("attachment 0") })
    // A letter of the metadata, which only the data section's CRC covers.
    let (metadata, _) = try damaged(MCAPOpcode.metadata, 5)
    #expect(throws: RecordingError.self) {
      try MCAPReader(bytes: metadata, path: "built").checkDataSection()
    }
    #expect(try checksums(metadata).contains { $0.contains("data section") })
    // A count in the statistics, which the summary's CRC covers.
    let (summary, statistics) = try damaged(MCAPOpcode.statistics, 0)
    let problem = try #require(try MCAPReader(bytes: summary, path: "built").problems.first)
    #expect(problem.kind == .crcMismatch && problem.error.byteOffset ?? .max <= statistics.offset)
    #expect(try checksums(summary).contains { $0.contains("of the summary") })
  }

  @Test func `a count of messages that is not theirs is named by the doctor`() throws {
    let folder = try ScratchFolder()
    for (count, isGood) in [(20, true), (19, false)] {
      var builder = MCAPBuilder.chunked(.zstd, finishes: false)
      builder.finish(messageCount: count)
      let path = folder.path + "/\(count).mcap"
      try Data(builder.bytes).write(to: URL(fileURLWithPath: path))
      let findings = RecordingDoctor().examine(path).findings.map(\.message)
      #expect(findings.contains { $0.contains("expected 20 messages") } == !isGood, "\(findings)")
    }
  }
}
