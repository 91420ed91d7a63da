import Foundation
import Swiftlet
import SwiftletReplay
import SwiftletTestSupport
import Testing

@Suite struct MCAPFileWriterTests {
  /// Two channels, one without a schema, messages out of order and one larger than a chunk.
  func write(
    _ path: String, _ compression: MCAPFileWriter.Compression, chunkByteCount: Int = 200
  ) throws -> [(channel: UInt16, time: UInt64, data: [UInt8])] {
    var generator = SeededGenerator(seed: 3)
    let writer = try MCAPFileWriter(
      path: path, profile: "test", compression: compression, chunkByteCount: chunkByteCount)
    let schema = writer.addSchema(name: "Example", encoding: "none", data: [1, 2, 3])
    let channels = [
      writer.addChannel(topic: "/a", schema: schema, messageEncoding: "x", metadata: ["k": "v"]),
      writer.addChannel(topic: "/b", schema: 0, messageEncoding: ""),
    ]
    var written: [(channel: UInt16, time: UInt64, data: [UInt8])] = []
    for number in 0..<40 {
      let size = number == 17 ? 5_000 : Int.random(in: 0..<60, using: &generator)
      let data = (0..<size).map { _ in UInt8.random(in: 0...255, using: &generator) }
      let channel = channels[number % 2]
      let time = UInt64(1_000 + number * 10) - (number % 5 == 0 ? 95 : 0)
      try writer.writeMessage(
        channel: channel, sequence: UInt32(number), logTime: time, publishTime: time - 1,
        data: data)
      written.append((channel, time, data))
    }
    try writer.writeAttachment(
      name: "notes", mediaType: "text/plain", logTime: 1, createTime: 2, data: [9, 8, 7])
    try writer.writeMetadata(name: "about", ["b": "2", "a": "1"])
    _ = writer.addChannel(topic: "/silent", schema: 0, messageEncoding: "")
    #expect(!FileManager.default.fileExists(atPath: path))
    try writer.finish()
    return written
  }

  @Test(arguments: MCAPFileWriter.Compression.allCases)
  func `what is written is read back whole`(compression: MCAPFileWriter.Compression) throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/out.mcap"
    let written = try write(path, compression)
    let reader = try MCAPReader(path: path)
    #expect(reader.problems.isEmpty, "\(reader.problems)")
    try reader.checkDataSection()
    #expect(reader.header.profile == "test" && reader.channels.count == 3)
    #expect(reader.statistics?.messageCount == 40 && reader.chunkCount > 3)
    #expect(try reader.attachment(0).data.elementsEqual([9, 8, 7]))
    #expect(reader.metadata.first?.metadata == ["a": "1", "b": "2"])
    for order in [MCAPMessageOrder.file, .logTime] {
      var found: [MCAPMessage] = []
      for message in reader.messages(order: order) { found.append(message) }
      let expected =
        order == .file
        ? written
        : written.enumerated().sorted { ($0.1.time, $0.0) < ($1.1.time, $1.0) }.map(\.1)
      #expect(found.count == 40)
      for (a, b) in zip(found, expected) {
        #expect(a.channel.id == b.channel && a.logTime == b.time && a.data.elementsEqual(b.data))
      }
    }
  }

  @Test func `every byte of a written file is covered by a check`() throws {
    let folder = try TemporaryFolder()
    _ = try write(folder.path + "/out.mcap", .zstd)
    let bytes = try folder.read("out.mcap")
    var generator = SeededGenerator(seed: 8)
    for _ in 0..<60 {
      var damaged = bytes
      damaged[Int.random(in: 8..<bytes.count - 8, using: &generator)] ^= 0x10
      let reader = try MCAPReader(bytes: damaged, path: "damaged")
      let isSeen = !reader.problems.isEmpty || (try? reader.checkDataSection()) == nil
      #expect(isSeen)
    }
  }

  @Test func `a folder that is not there is an error before anything is written`() {
    #expect(throws: RecordingError.self) { try MCAPFileWriter(path: "/nonexistent/out.mcap") }
  }
}

@Suite struct RecordingExportTests {
  @Test func `a recording becomes images, clouds, calibration and transforms`() throws {
    let folder = try TemporaryFolder()
    let builder = try NuScenesBuilder()
    let recording = try builder.open(folder)
    let path = folder.path + "/drive.mcap"
    let summary = try RecordingExport.writeMCAP(recording, to: path)
    #expect(summary.warnings.isEmpty)
    let reader = try MCAPReader(path: path)
    var counts: [String: Int] = [:]
    var image: [UInt8] = []
    for message in reader.messages() {
      counts[message.channel.topic, default: 0] += 1
      if message.channel.topic == "/CAM_FRONT/image_rect_compressed" { image = Array(message.data) }
    }
    #expect(counts["/tf"] == 9 && counts["/tf_static"] == 3 && counts["/LIDAR_TOP"] == 3)
    #expect(counts["/CAM_BACK/camera_info"] == 3 && summary.messageCount == 27)
    // The image's own bytes stand at the message's end.
    let original = try folder.read(builder.file("CAM_FRONT", 2))
    #expect(image.suffix(original.count).elementsEqual(original))
  }

  @Test func `what cannot be read is named and the rest is written`() throws {
    let folder = try TemporaryFolder()
    var builder = try NuScenesBuilder()
    let gone = builder.file("CAM_BACK", 1)
    builder.files.removeAll { $0.name == gone }
    let recording = try builder.open(folder)
    let summary = try RecordingExport.writeMCAP(recording, to: folder.path + "/drive.mcap")
    #expect(summary.messageCount == 25)
    #expect(summary.warnings.map(\.code) == [ReplayWarning.fileMissing])
  }
}
