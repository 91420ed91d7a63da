import CCodecs
import Foundation

@testable import SwiftletReplay

/// ROS 2 bags of a small drive, in parts, to be damaged.
struct BagBuilder {
  let folder: TemporaryFolder
  /// In order of log time.
  private(set) var messages: [StoredMessage] = []

  /// - Parameter frames: the drive's; 100 ms apart, with two cameras and a LiDAR.
  init(frames: Int = 6) throws {
    folder = try TemporaryFolder()
    let drive = try TemporaryFolder()
    try NuScenesBuilder(frames: frames).write(to: drive)
    let path = drive.path + "/drive.mcap"
    _ = try RecordingConverter(options: RecordingConverter.Options()).convert(drive.path, to: path)
    _ = try MCAPReader(path: path).scan { messages.append($0) }
  }

  /// Writes `metadata.yaml`, which lists the parts.
  func writeMetadata(_ parts: [String]) throws {
    let lines = parts.map { "    - \($0)\n" }.joined()
    try folder.write(
      "metadata.yaml",
      "rosbag2_bagfile_information:\n  version: 9\n  relative_file_paths:\n" + lines)
  }

  func writeMCAP(_ name: String, _ messages: some Sequence<StoredMessage>) throws {
    let writer = try MCAPWriter(path: "\(folder.path)/\(name)", chunkByteCount: 1 << 12)
    var channels: [String: UInt16] = [:]
    for message in messages {
      let channel =
        channels[message.topic]
        ?? writer.addChannel(
          schemaID: writer.addSchema(name: message.type, encoding: "ros2msg", data: []),
          topic: message.topic, messageEncoding: message.encoding)
      channels[message.topic] = channel
      try writer.write(
        channel: channel, logTime: UInt64(message.logTime),
        publishTime: UInt64(message.publishTime), data: message.data)
    }
    try writer.finish()
  }

  /// A part as SQLite 3 database, its messages in pages of 512 bytes.
  func writeSQLite(_ name: String, _ messages: some Sequence<StoredMessage>) throws {
    var database: OpaquePointer?
    guard sqlite3_open("\(folder.path)/\(name)", &database) == SQLITE_OK else { throw SQLError() }
    defer { sqlite3_close_v2(database) }
    func run(_ sql: String, _ bind: (OpaquePointer?) -> Void = { _ in }) throws {
      var statement: OpaquePointer?
      guard sqlite3_prepare_v2(database, sql, -1, &statement, nil) == SQLITE_OK else {
        throw SQLError()
      }
      defer { sqlite3_finalize(statement) }
      bind(statement)
      guard [SQLITE_DONE, SQLITE_ROW].contains(sqlite3_step(statement)) else { throw SQLError() }
    }
    try run("PRAGMA page_size = 512")
    try run("BEGIN")
    let texts = ["name", "type", "serialization_format"].map { "\($0) TEXT" }.joined(separator: ", ")
    try run("CREATE TABLE topics(id INTEGER PRIMARY KEY, \(texts))")
    let integers = "id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER"
    try run("CREATE TABLE messages(\(integers), data BLOB)")
    var topics: [String] = []
    for message in messages {
      if !topics.contains(message.topic) {
        topics.append(message.topic)
        try run(
          "INSERT INTO topics VALUES(\(topics.count), '\(message.topic)', '\(message.type)', "
            + "'\(message.encoding)')")
      }
      let topic = (topics.firstIndex(of: message.topic) ?? 0) + 1
      let bytes = Array(message.data)
      try run("INSERT INTO messages VALUES(NULL, \(topic), \(message.logTime), ?)") {
        // SQLite copies the bytes: its own destructor constant says so.
        let copies = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        sqlite3_bind_blob($0, 1, bytes, Int32(bytes.count), copies)
      }
    }
    try run("COMMIT")
  }
  struct SQLError: Error {}

  /// Opens the bag, or one of its files.
  func open(_ name: String = "") throws -> any Recording {
    try RecordingOpener.open(path: name.isEmpty ? folder.path : "\(folder.path)/\(name)")
  }
}
