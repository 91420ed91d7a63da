import Foundation

/// The stages of every measured frame as a Chrome trace: ui.perfetto.dev and chrome://tracing open
/// it. Times are microseconds since the first measured frame; late frames are marked.
public struct ChromeTrace: Sendable {
  private let result: ReplayResult

  public init(_ result: ReplayResult) { self.result = result }

  public func json() throws -> Data {
    var events: [Event] = []
    for record in result.records { events += self.events(of: record) }
    return try JSONText.line(Trace(traceEvents: events, displayTimeUnit: "ms"))
  }

  private func events(of record: FrameRecord) -> [Event] {
    var events: [Event] = []
    for stage in result.stages.indices where stage < record.completedStageCount {
      events.append(
        Event(
          name: result.stages[stage].name,
          cat: result.stages[stage].isInBudget ? "budget" : "outside", ph: "X",
          ts: microseconds(record.stageStartNanoseconds[stage]),
          dur: microseconds(record.stageNanoseconds[stage]), pid: 1, tid: 1,
          args: ["frame": "\(record.recordedIndex)", "pass": "\(record.pass)"]))
    }
    guard let cause = result.missCause(of: record), let last = events.last else { return events }
    events.append(
      Event(
        name: "late (\(cause.rawValue))", cat: "miss", ph: "i", ts: last.ts + (last.dur ?? 0),
        dur: nil, pid: 1, tid: 1, args: ["frame": "\(record.recordedIndex)"]))
    return events
  }

  private func microseconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds) / 1e3 }

  private struct Trace: Encodable {
    var traceEvents: [Event]
    var displayTimeUnit: String
  }

  /// Field names are the trace format's.
  private struct Event: Encodable {
    var name: String
    var cat: String
    var ph: String
    var ts: Double
    var dur: Double?
    var pid: Int
    var tid: Int
    var args: [String: String]
  }
}
