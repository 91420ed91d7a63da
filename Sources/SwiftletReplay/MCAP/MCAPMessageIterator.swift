/// Delivers a file's messages with bounded memory: chunks are read when their time comes, of a
/// message that waits only its place is kept.
public struct MCAPMessageIterator: IteratorProtocol {
  /// What was met so far; the file's own are in `MCAPReader.problems`.
  public private(set) var problems: [MCAPProblem] = []

  private let reader: MCAPReader
  private let order: MCAPMessageOrder
  private let filter: MCAPMessageFilter
  /// Channels that are wanted; nil: all.
  private let wantedChannels: Set<UInt16>?
  /// Units in the order they are read.
  private let units: [Int]
  private var nextUnit = 0
  /// Messages of the units read so far that wait for their turn.
  private var waiting = MCAPWaitingMessages()
  private var lastTime: UInt64 = 0
  private var reportedChannels: Set<UInt16> = []
  private var hasReportedTimeRange = false

  init(reader: MCAPReader, order: MCAPMessageOrder, filter: MCAPMessageFilter) {
    self.reader = reader
    self.order = order
    self.filter = filter
    wantedChannels = filter.topics.map { topics in
      Set(reader.channels.values.filter { topics.contains($0.topic) }.map(\.id))
    }
    let all = reader.layout.units
    let wanted = all.indices.filter { filter.mayWant(all[$0]) }
    switch order {
    case .file: units = wanted
    case .logTime: units = wanted.sorted { (all[$0].startTime, $0) < (all[$1].startTime, $1) }
    }
  }

  /// The next message; nil at the end.
  public mutating func next() -> MCAPMessage? {
    while true {
      fill()
      guard let next = waiting.removeFirst() else { return nil }
      do throws(FieldError) {
        let message = try reader.loadMessage(next.place)
        if order == .logTime { checkTime(next) }
        return message
      } catch {
        report(error, unit: next.place.unit)
      }
    }
  }

  /// Reads units until the next message is certain.
  private mutating func fill() {
    while nextUnit < units.count {
      let unit = units[nextUnit]
      if let first = waiting.first {
        // A unit that starts at the same time may hold a message that comes earlier in the file.
        guard order == .logTime, reader.layout.units[unit].startTime <= first.time else { return }
      }
      nextUnit += 1
      open(unit)
    }
  }

  private mutating func open(_ index: Int) {
    let unit = reader.layout.units[index]
    guard unit.isChunk else {
      guard filter.wants(unit.startTime), wantedChannels?.contains(unit.channelID) ?? true else {
        return
      }
      return add(MCAPMessage.Place(unit: index, offset: 0), time: unit.startTime)
    }
    let records: ArraySlice<UInt8>
    do throws(FieldError) {
      records = try reader.loader.records(unit: index, unit.place)
    } catch {
      return report(error, unit: index, lost: unit.place.offset..<unit.place.endOffset)
    }
    do throws(FieldError) {
      try addMessages(of: records, unit: index)
    } catch {
      report(error.insideChunk(unit, records), unit: index)
    }
  }

  private mutating func addMessages(
    of records: ArraySlice<UInt8>, unit: Int
  ) throws(FieldError) {
    var inner = MCAPChunkRecords(records)
    while let record = try inner.next() {
      guard record.opcode == MCAPOpcode.message else { continue }
      var fields = ByteReader(record.content)
      let message = try MCAPMessageRecord(parsing: &fields)
      if let wantedChannels, !wantedChannels.contains(message.channelID) { continue }
      guard filter.wants(message.logTime) else { continue }
      add(MCAPMessage.Place(unit: unit, offset: record.offset), time: message.logTime)
    }
  }

  private mutating func add(_ place: MCAPMessage.Place, time: UInt64) {
    waiting.insert(
      MCAPWaitingMessages.Entry(time: time, key: order == .file ? 0 : time, place: place))
  }

  private mutating func checkTime(_ entry: MCAPWaitingMessages.Entry) {
    if entry.time < lastTime, !hasReportedTimeRange {
      hasReportedTimeRange = true
      let unit = reader.layout.units[entry.place.unit]
      problems.append(
        MCAPProblem(
          .chunkTimeRange, reader.path, record: MCAPOpcode.name(unit.place.opcode),
          at: unit.place.offset, expected: "messages from \(unit.startTime) on",
          found: "one at \(entry.time)", remedy: "it is delivered late; write the file anew"))
    }
    lastTime = max(lastTime, entry.time)
  }

  private mutating func report(_ error: FieldError, unit: Int, lost: Range<Int>? = nil) {
    let place = reader.layout.units[unit].place
    problems.append(
      MCAPProblem(
        error.kind, reader.path, record: MCAPOpcode.name(place.opcode), at: error.byteOffset,
        expected: error.expected, found: error.found, lost: lost))
  }
}

/// A heap of messages by time, equal times in file order.
struct MCAPWaitingMessages {
  struct Entry {
    /// The log time.
    var time: UInt64
    /// What is sorted by: the log time, or nothing where file order is asked for.
    var key: UInt64
    var place: MCAPMessage.Place

    static func < (a: Entry, b: Entry) -> Bool {
      (a.key, a.place) < (b.key, b.place)
    }
  }
  private var heap: [Entry] = []

  var first: Entry? { heap.first }

  mutating func insert(_ entry: Entry) {
    heap.append(entry)
    var index = heap.count - 1
    while index > 0, heap[index] < heap[(index - 1) / 2] {
      heap.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  mutating func removeFirst() -> Entry? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if heap.isEmpty { return first }
    heap[0] = last
    var index = 0
    while true {
      var least = index
      for child in [2 * index + 1, 2 * index + 2] where child < heap.count {
        if heap[child] < heap[least] { least = child }
      }
      if least == index { return first }
      heap.swapAt(index, least)
      index = least
    }
  }
}
