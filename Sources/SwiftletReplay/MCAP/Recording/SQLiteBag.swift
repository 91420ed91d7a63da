import CCodecs
import Synchronization

/// A `.db3` part of a ROS 2 bag: tables `topics` and `messages` of an SQLite database.
final class SQLiteBag: MessageStore {
  let path: String
  private let database: Mutex<Connection>

  /// Closes the database when the bag goes away.
  @safe
  private struct Connection: ~Copyable, @unchecked Sendable {
    let handle: OpaquePointer
    init(_ handle: OpaquePointer) { unsafe self.handle = handle }
    deinit { unsafe _ = sqlite3_close_v2(handle) }
  }

  init(path: String) throws(RecordingError) {
    self.path = path
    var handle: OpaquePointer?
    let status = unsafe sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY, nil)
    guard status == SQLITE_OK, let handle = unsafe handle else {
      let message = unsafe Self.message(handle)
      unsafe _ = sqlite3_close_v2(handle)
      throw RecordingError(
        file: path, expected: "an SQLite database", found: message,
        remedy: "copy the bag again")
    }
    database = unsafe Mutex(Connection(handle))
    // Otherwise SQLite reads nothing of a file that was cut. Nothing is ever written: it was opened
    // for reading.
    _ = query("PRAGMA writable_schema = ON", argument: nil) { _ in }
  }

  private static func message(_ handle: OpaquePointer?) -> String {
    guard let text = unsafe sqlite3_errmsg(handle) else { return "out of memory" }
    return unsafe String(cString: text)
  }

  /// Rows that cannot be read are left out: what lies behind a damaged page is found from the end.
  func scan(_ body: (StoredMessage) -> Void) -> [ReplayWarning] {
    var found = [missingPages].compactMap(\.self)
    var last = Int64.min
    var holes = 0
    while let problem = rows(behind: &last, body) {
      if holes == 0 { found.append(problem) }
      holes += 1
      guard holes <= Self.maximumHoles, let next = firstReadable(behind: last) else {
        found.append(last == .min ? "no row can be read" : "no row behind \(last) can be read")
        break
      }
      // Where no row is missing between the two, it is the next one's own pages that are damaged.
      let isNext = last != .min && next == last + 1
      found.append(isNext ? "row \(next) lost" : Self.lostRows(behind: last, before: next))
      last = isNext ? next : next - 1
    }
    guard !found.isEmpty else { return [] }
    let error = RecordingError(
      file: path, expected: "readable rows of messages and topics",
      found: found.joined(separator: "; "),
      remedy: "the rows that can be read are used; copy the bag again for the rest")
    return [ReplayWarning(code: ReplayWarning.containerDamaged, message: error.description)]
  }
  /// Each is searched for from the end.
  private static let maximumHoles = 100

  private static func lostRows(behind last: Int64, before next: Int64) -> String {
    if last == .min { return "rows before \(next) lost" }
    return next == last + 2 ? "row \(last + 1) lost" : "rows \(last + 1) to \(next - 1) lost"
  }

  /// Hands over the rows behind `last`, which moves on with them; returns what ended them early.
  private func rows(behind last: inout Int64, _ body: (StoredMessage) -> Void) -> String? {
    // Row order is the order of recording, and needs no index that may be damaged.
    let sql =
      "SELECT messages.id, topics.name, topics.type, topics.serialization_format, "
      + "messages.timestamp, messages.data FROM messages JOIN topics "
      + "ON topics.id = messages.topic_id WHERE messages.id > ? ORDER BY messages.id"
    var reached = last
    defer { last = reached }
    return query(sql, argument: last) { row in
      reached = row.integer(0)
      let time = row.integer(4)
      guard SampleClock.isPlausible(time) else { return }
      body(
        StoredMessage(
          topic: row.text(1), type: row.text(2), encoding: row.text(3), logTime: time,
          publishTime: time, data: row.blob(5)[...],
          place: MCAPMessage.Place(unit: Int(reached), offset: 0)))
    }
  }

  /// The first of the rows that can be reached from the end.
  private func firstReadable(behind last: Int64) -> Int64? {
    var first: Int64?
    _ = query("SELECT id FROM messages WHERE id > ? ORDER BY id DESC", argument: last) {
      first = $0.integer(0)
    }
    return first
  }

  /// What the header says of the file's size, where there is less.
  private var missingPages: String? {
    guard let file = try? MCAPFile(path: path), let head = try? file.read(0, 100), head.count == 100
    else { return nil }
    func integer(_ at: Int, _ count: Int) -> Int {
      head[at..<at + count].reduce(0) { $0 << 8 | Int($1) }
    }
    // 1 stands for 65,536.
    let pageByteCount = integer(16, 2) == 1 ? 1 << 16 : integer(16, 2)
    let pageCount = integer(28, 4)
    guard file.byteCount < pageByteCount * pageCount else { return nil }
    return "\(file.byteCount) of \(pageByteCount * pageCount) bytes"
  }

  func data(at place: MCAPMessage.Place) throws(RecordingError) -> ArraySlice<UInt8> {
    var found: [UInt8]?
    let problem = query("SELECT data FROM messages WHERE id = ?", argument: Int64(place.unit)) {
      found = $0.blob(0)
    }
    if let found { return found[...] }
    throw RecordingError(
      file: path, record: "message \(place.unit)", expected: "its data", found: problem ?? "no row",
      remedy: "copy the bag again")
  }

  /// Newer bags keep definitions in a table of their own.
  func definition(_ topic: String) -> TopicDefinition? {
    var found: TopicDefinition?
    _ = query(
      "SELECT topics.name, encoding, encoded_message_definition FROM topics "
        + "JOIN message_definitions ON topics.type = message_definitions.topic_type", argument: nil
    ) { row in
      guard row.text(0) == topic, !row.text(2).isEmpty else { return }
      found = TopicDefinition(encoding: row.text(1), data: Array(row.text(2).utf8), metadata: [:])
    }
    return found
  }

  // MARK: SQL

  /// One row of a result, valid during the call it is handed to.
  @safe
  private struct Row {
    let statement: OpaquePointer

    func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(statement, column) }
    func text(_ column: Int32) -> String {
      unsafe sqlite3_column_text(statement, column).map { unsafe String(cString: $0) } ?? ""
    }
    func blob(_ column: Int32) -> [UInt8] {
      let count = Int(unsafe sqlite3_column_bytes(statement, column))
      guard count > 0, let base = unsafe sqlite3_column_blob(statement, column) else { return [] }
      return unsafe Array(UnsafeRawBufferPointer(start: base, count: count))
    }
  }

  /// Runs a query; returns what stopped it early.
  private func query(_ sql: String, argument: Int64?, _ body: (Row) -> Void) -> String? {
    database.withLock { database in
      var statement: OpaquePointer?
      guard unsafe sqlite3_prepare_v2(database.handle, sql, -1, &statement, nil) == SQLITE_OK,
        let statement = unsafe statement
      else { return unsafe Self.message(database.handle) }
      defer { unsafe _ = sqlite3_finalize(statement) }
      if let argument { unsafe _ = sqlite3_bind_int64(statement, 1, argument) }
      while true {
        switch unsafe sqlite3_step(statement) {
        case SQLITE_ROW: unsafe body(Row(statement: statement))
        case SQLITE_DONE: return nil
        default: return unsafe Self.message(database.handle)
        }
      }
    }
  }
}
