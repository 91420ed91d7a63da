import Foundation
import Swiftlet
import SwiftletTestSupport
import Testing

@testable import SwiftletReplay

/// A folder that goes away with its test.
final class ScratchFolder {
  let path: String
  init() throws {
    path = NSTemporaryDirectory() + "swiftlet-mcap-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }
}

@Suite struct MCAPWriterTests {
  struct Written: Equatable {
    var topic: String
    var logTime: UInt64
    var publishTime: UInt64
    var sequence: UInt32
    var data: [UInt8]
  }

  /// Messages of 0 to 5,000 bytes on three channels, times in disorder and equal ones among them.
  static func write(
    _ path: String, compression: MCAPWriter.Compression, chunkByteCount: Int
  ) throws -> [Written] {
    var generator = SeededGenerator(seed: 11)
    let writer = try MCAPWriter(
      path: path, profile: "", compression: compression, chunkByteCount: chunkByteCount)
    let schema = writer.addSchema(name: "Bytes", encoding: "", data: [1, 2, 3])
    let channels = ["/a", "/b", "/c"].map { topic in
      writer.addChannel(
        schemaID: topic == "/c" ? 0 : schema, topic: topic, messageEncoding: "raw",
        metadata: ["k": topic])
    }
    try writer.addMetadata(name: "source", ["x": "1", "y": ""])
    var written: [Written] = []
    for number in 0..<200 {
      let index = Int.random(in: 0..<3, using: &generator)
      let message = Written(
        topic: ["/a", "/b", "/c"][index], logTime: .random(in: 1_000..<1_100, using: &generator),
        publishTime: UInt64(number), sequence: UInt32(number),
        data: (0..<Int.random(in: 0...5_000, using: &generator)).map { _ in
          .random(in: 0...15, using: &generator)
        })
      try writer.write(
        channel: channels[index], sequence: message.sequence, logTime: message.logTime,
        publishTime: message.publishTime, data: message.data[...])
      written.append(message)
    }
    try writer.addAttachment(
      name: "calib.txt", mediaType: "text/plain", logTime: 5, createTime: 6, data: [7, 8, 9])
    try writer.finish()
    return written
  }

  @Test(arguments: [MCAPWriter.Compression.none, .zstd], [1, 4_096, 1 << 20])
  func `what is written is read back in file and in time order, undamaged and fully indexed`(
    compression: MCAPWriter.Compression, chunkByteCount: Int
  ) throws {
    let folder = try ScratchFolder()
    let path = folder.path + "/a.mcap"
    let written = try Self.write(path, compression: compression, chunkByteCount: chunkByteCount)
    let reader = try MCAPReader(path: path)
    for order in [MCAPMessageOrder.file, .logTime] {
      let (messages, problems) = MCAPTestData.readAll(reader, order: order)
      #expect(problems.isEmpty, "\(problems)")
      let found = messages.map {
        Written(
          topic: $0.channel.topic, logTime: $0.logTime, publishTime: $0.publishTime,
          sequence: $0.sequence, data: Array($0.data))
      }
      // Numbers are those of the file's order, so ties sort by them.
      let expected =
        order == .file
        ? written : written.sorted { ($0.logTime, $0.sequence) < ($1.logTime, $1.sequence) }
      #expect(found == expected)
    }
    try reader.checkDataSection()
    let attachment = try reader.attachment(0)
    #expect(Array(attachment.data) == [7, 8, 9] && attachment.crc == attachment.computedCRC)
    #expect(reader.metadata == [MCAPMetadata(name: "source", metadata: ["x": "1", "y": ""])])
    let statistics = try #require(reader.statistics)
    #expect(statistics.messageCount == 200 && statistics.channelCount == 3)
    #expect(statistics.messageStartTime == written.map(\.logTime).min())
    #expect(statistics.messageEndTime == written.map(\.logTime).max())
    #expect(Int(statistics.chunkCount) == reader.chunkCount)
    if chunkByteCount == 1 { #expect(reader.chunkCount == 200) }
  }

  @Test func `every index entry points at the record it names`() throws {
    let folder = try ScratchFolder()
    let path = folder.path + "/a.mcap"
    _ = try Self.write(path, compression: .none, chunkByteCount: 4_096)
    let file = try MCAPFile(path: path)
    var scanner = MCAPScanner(file: file)
    var records = try MCAPReader(path: path).records()
    var checked = 0
    while let record = records.next() {
      guard case .chunkIndex(let index) = record else { continue }
      let place = try scanner.record(at: Int(index.chunkStartOffset))
      #expect(place.opcode == MCAPOpcode.chunk)
      #expect(place.contentByteCount + 9 == Int(index.chunkByteCount))
      let content = try file.read(place.contentOffset, place.contentByteCount)
      guard case .chunk(let chunk) = try MCAPRecord.parse(opcode: place.opcode, content) else {
        continue
      }
      for (channel, offset) in index.messageIndexOffsets {
        let place = try scanner.record(at: Int(offset))
        let content = try file.read(place.contentOffset, place.contentByteCount)
        guard
          case .messageIndex(let entries) = try MCAPRecord.parse(opcode: place.opcode, content)
        else {
          Issue.record("no message index at \(offset)")
          continue
        }
        #expect(entries.channelID == channel)
        for entry in entries.entries {
          var inner = MCAPChunkRecords(chunk.records.dropFirst(Int(entry.offset)))
          let found = try #require(try inner.next())
          guard case .message(let message) = try MCAPRecord.parse(opcode: found.opcode, found.content)
          else {
            Issue.record("no message at \(entry.offset)")
            continue
          }
          #expect(message.channelID == channel && message.logTime == entry.logTime)
          checked += 1
        }
      }
    }
    #expect(checked == 200)
  }

  @Test func `a file that was not finished does not appear`() throws {
    let folder = try ScratchFolder()
    let path = folder.path + "/a.mcap"
    do {
      let writer = try MCAPWriter(path: path)
      _ = writer.addChannel(schemaID: 0, topic: "/a", messageEncoding: "raw")
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(left.isEmpty)
    #expect(throws: RecordingError.self) { _ = try MCAPWriter(path: folder.path + "/no/a.mcap") }
  }

  @Test func `CDR that is written is read back`() throws {
    let header = MessageHeader(stampNanoseconds: -1_500_000_001, frameID: "abc")
    let cloud = SensorMessagesTests.cloud(
      order: ["x", "y", "z"], types: [.float32, .float32, .float32], padding: 0, rows: 1, columns: 5,
      rowPadding: 0, isBigEndian: false)
    #expect(try PointCloudMessage(cdr: cloud.cdr()[...]) == cloud)
    let image = CompressedImageMessage(header: header, format: "jpeg", data: [1, 2, 3])
    #expect(try CompressedImageMessage(cdr: image.cdr()[...]) == image)
    let info = CameraInfoMessage(
      header: header, height: 3, width: 4, distortionModel: "plumb_bob",
      distortion: [1, 2, 3, 4, 5], k: (0..<9).map(Double.init), r: (9..<18).map(Double.init),
      p: (18..<30).map(Double.init), binningX: 2, binningY: 3, regionOfInterest: [4, 5, 6, 7])
    #expect(try CameraInfoMessage(cdr: info.cdr()[...]) == info)
    let grid = OccupancyGridMessage(
      header: header, mapLoadNanoseconds: 7, resolutionMeters: 0.5, width: 2, height: 3,
      originPosition: SIMD3(1, 2, 3), originOrientation: .identity, cells: [-1, 0, 1, 50, 99, 100])
    #expect(try OccupancyGridMessage(cdr: grid.cdr()[...]) == grid)
    let transform = TransformTreeTests.transform("odom", "base_link", 3, yaw: 1, stamp: 9)
    let list = try TransformListMessage(cdr: TransformMessage.cdr([transform, transform])[...])
    #expect(list.transforms == [transform, transform])
  }
}
