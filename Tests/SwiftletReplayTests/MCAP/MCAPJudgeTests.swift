import Foundation
import Testing

@testable import SwiftletReplay

/// Independent readers and writers from PyPI: they read what is written here, and what they write is
/// read here. `SWIFTLET_JUDGES` names a Python with mcap, mcap-ros2-support and rosbags.
@Suite(
  .enabled(if: MCAPTestData.judges != nil, "SWIFTLET_JUDGES names no Python with mcap and rosbags"))
struct MCAPJudgeTests {
  /// Runs a script with arguments; its output, and nil for success or what went wrong.
  static func run(_ script: String, _ arguments: [String]) throws -> (output: String, status: Int32) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(MCAPTestData.judges))
    process.arguments = ["-c", script] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (String(decoding: output, as: UTF8.self), process.terminationStatus)
  }

  static let readScript = """
    import sys
    from pathlib import Path
    from mcap.reader import SeekingReader, NonSeekingReader
    from mcap_ros2.decoder import DecoderFactory
    from rosbags.highlevel import AnyReader
    path = sys.argv[1]
    with open(path, 'rb') as stream:
        reader = SeekingReader(stream, validate_crcs=True, decoder_factories=[DecoderFactory()])
        seeking = [(c.topic, m.log_time) for _, c, m, _ in reader.iter_decoded_messages()]
        assert reader.get_summary().statistics.message_count == len(seeking)
    with open(path, 'rb') as stream:
        reader = NonSeekingReader(stream, validate_crcs=True)
        assert len(list(reader.iter_messages())) == len(seeking)
    with AnyReader([Path(path)]) as reader:
        decoded = [reader.deserialize(raw, c.msgtype) for c, _, raw in reader.messages()]
    assert len(decoded) == len(seeking)
    clouds = [m for m in decoded if type(m).__name__.endswith('PointCloud2')]
    print(len(seeking), len(clouds), sum(m.width for m in clouds))
    """

  @Test(
    .enabled(if: MCAPTestData.isThere, "SWIFTLET_DATA is not set"),
    arguments: [
      ("nuscenes-layout", "21 1 34688"), ("mcap-real/rosbag2_sqlite3", "53 4 "),
      ("mcap-real/kitti_ros2.mcap", "97 10 "), ("kitti-raw-layout", "41 10 "),
    ])
  func `mcap and rosbags read every file that is written, CRCs checked`(
    input: String, expected: String
  ) throws {
    let folder = try ScratchFolder()
    for compression in [MCAPWriter.Compression.none, .zstd] {
      let (path, _) = try RecordingConverterTests.convert(input, folder) {
        $0.compression = compression
      }
      let (output, status) = try Self.run(Self.readScript, [path])
      #expect(status == 0 && output.hasPrefix(expected), "\(output)")
    }
  }

  static let writeScript = """
    import sys
    from mcap.writer import Writer, CompressionType, IndexType
    folder = sys.argv[1]
    kinds = [('none', CompressionType.NONE), ('lz4', CompressionType.LZ4), ('zstd', CompressionType.ZSTD)]
    for name, kind in kinds:
        for chunking in (True, False):
            for index in (IndexType.ALL, IndexType.NONE):
                path = f'{folder}/{name}-{chunking}-{index.value}.mcap'
                with open(path, 'wb') as stream:
                    writer = Writer(stream, chunk_size=3000, compression=kind, index_types=index,
                                    use_chunking=chunking, enable_data_crcs=True)
                    writer.start(profile='p', library='l')
                    schema = writer.register_schema(name='S', encoding='e', data=b'abc')
                    channels = [writer.register_channel(topic=t, message_encoding='raw', schema_id=schema)
                                for t in ('/a', '/b')]
                    for i in range(100):
                        writer.add_message(channel_id=channels[i % 2], log_time=1000 - i, publish_time=i,
                                           sequence=i, data=bytes([i]) * (i * 17 % 5000))
                    writer.add_attachment(create_time=1, log_time=2, name='n', media_type='m', data=b'xyz')
                    writer.add_metadata(name='m', data={'k': 'v'})
                    writer.finish()
    """

  @Test func `whatever mcap writes is read, in time order`() throws {
    let folder = try ScratchFolder()
    let (output, status) = try Self.run(Self.writeScript, [folder.path])
    try #require(status == 0, "\(output)")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.count == 12)
    for name in names {
      let reader = try MCAPReader(path: "\(folder.path)/\(name)")
      let (messages, problems) = MCAPTestData.readAll(reader)
      #expect(problems.filter { $0.isDamage }.isEmpty, "\(name): \(problems)")
      #expect(messages.map(\.logTime) == (901...1_000).map(UInt64.init))
      for message in messages {
        let i = Int(message.sequence)
        #expect(Array(message.data) == [UInt8](repeating: UInt8(i), count: i * 17 % 5_000))
      }
      try reader.checkDataSection()
      let attachment = try reader.attachment(0)
      #expect(Array(attachment.data) == Array("xyz".utf8) && reader.metadata.count == 1)
    }
  }
}
