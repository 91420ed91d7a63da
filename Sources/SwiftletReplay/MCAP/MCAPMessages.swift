/// One message of a file.
public struct MCAPMessage: Sendable {
  /// Where the message lies: enough to read it again.
  public struct Place: Sendable, Hashable, Comparable {
    /// The chunk, or the message outside of chunks, in file order.
    var unit: Int
    /// From the chunk's first record.
    var offset: Int

    /// File order.
    public static func < (a: Place, b: Place) -> Bool {
      (a.unit, a.offset) < (b.unit, b.offset)
    }
  }

  public var channel: MCAPChannel
  public var schema: MCAPSchema?
  public var sequence: UInt32
  /// Nanoseconds.
  public var logTime: UInt64
  /// Nanoseconds.
  public var publishTime: UInt64
  /// Shares the memory of the whole chunk: copy it to keep it for long.
  public var data: ArraySlice<UInt8>
  public var place: Place
}

/// In which order messages come.
public enum MCAPMessageOrder: Sendable {
  /// As they were written.
  case file
  /// By log time, equal times in file order.
  case logTime
}

/// Which messages are wanted.
public struct MCAPMessageFilter: Sendable {
  /// Nil: all.
  public var topics: Set<String>?
  /// Log times, the last one excluded; nil: all.
  public var logTimes: Range<UInt64>?

  public init(topics: Set<String>? = nil, logTimes: Range<UInt64>? = nil) {
    self.topics = topics
    self.logTimes = logTimes
  }

  func wants(_ time: UInt64) -> Bool { logTimes?.contains(time) ?? true }
  /// False when no message of a chunk can be wanted.
  func mayWant(_ unit: MCAPUnit) -> Bool {
    guard let logTimes, unit.startTime <= unit.endTime else { return true }
    return unit.endTime >= logTimes.lowerBound && unit.startTime < logTimes.upperBound
  }
}

extension MCAPReader {
  /// All wanted messages, one after the other.
  public func messages(
    order: MCAPMessageOrder = .logTime, filter: MCAPMessageFilter = MCAPMessageFilter()
  ) -> MCAPMessageIterator {
    MCAPMessageIterator(reader: self, order: order, filter: filter)
  }

  /// Reads one message again.
  public func message(at place: MCAPMessage.Place) throws(RecordingError) -> MCAPMessage {
    precondition(
      layout.units.indices.contains(place.unit), "unit \(place.unit) of \(layout.units.count)")
    do throws(FieldError) {
      return try loadMessage(place)
    } catch {
      throw recordingError(error, layout.units[place.unit])
    }
  }

  func recordingError(_ error: FieldError, _ unit: MCAPUnit) -> RecordingError {
    RecordingError(
      file: path, record: MCAPOpcode.name(unit.place.opcode), byteOffset: error.byteOffset,
      expected: error.expected, found: error.found, remedy: MCAPProblem.restoreRemedy)
  }

  /// Errors carry file offsets; inside a chunk, the chunk's.
  func loadMessage(_ place: MCAPMessage.Place) throws(FieldError) -> MCAPMessage {
    let unit = layout.units[place.unit]
    guard unit.isChunk else {
      let content = try file.read(unit.place.contentOffset, unit.place.contentByteCount)
      return try message(content, place)
    }
    let records = try loader.records(unit: place.unit, unit.place)
    do throws(FieldError) {
      var inner = MCAPChunkRecords(records[(records.startIndex + place.offset)...])
      return try message(try inner.next()?.content ?? [], place)
    } catch { throw error.insideChunk(unit, records) }
  }

  func message(
    _ content: ArraySlice<UInt8>, _ place: MCAPMessage.Place
  ) throws(FieldError) -> MCAPMessage {
    var reader = ByteReader(content)
    let record = try MCAPMessageRecord(parsing: &reader)
    guard let channel = channels[record.channelID] else {
      throw FieldError(
        byteOffset: content.startIndex, expected: "a defined channel",
        found: "channel \(record.channelID)", kind: .channelUndefined)
    }
    return MCAPMessage(
      channel: channel, schema: schemas[channel.schemaID], sequence: record.sequence,
      logTime: record.logTime, publishTime: record.publishTime, data: record.data, place: place)
  }
}

extension FieldError {
  /// The chunk's place in the file, and the position in its uncompressed records in words.
  func insideChunk(_ unit: MCAPUnit, _ records: ArraySlice<UInt8>) -> FieldError {
    var error = self
    error.byteOffset = unit.place.offset
    error.found += " (at uncompressed byte \(byteOffset - records.startIndex) of the chunk)"
    return error
  }
}
