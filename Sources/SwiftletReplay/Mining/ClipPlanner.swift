/// Turns frames in which triggers fired into events, and events into clips.
struct ClipPlanner {
  var triggers: [MiningTrigger]
  /// Around an event.
  var beforeNanoseconds: Int64
  var afterNanoseconds: Int64
  /// Frames of one event lie no further apart than this.
  var pauseNanoseconds: Int64 = 1_000_000_000
  /// Events of a trigger, the worst ones.
  var limit: Int

  /// Of one trigger, in order of time.
  func eventsOf(_ trigger: MiningTrigger, _ frames: [MinedFrame]) -> [MiningIndex.Event] {
    var events: [MiningIndex.Event] = []
    var lastTime: Int64 = 0
    for frame in frames {
      guard let value = frame.values[trigger.kind], trigger.fires(value) else { continue }
      defer { lastTime = frame.timestampNanoseconds }
      if let last = events.indices.last,
        abs(frame.timestampNanoseconds - lastTime) <= pauseNanoseconds
      {
        events[last].lastFrame = frame.frame
        if trigger.isWorse(value, than: events[last].value) {
          events[last].value = value
          events[last].frame = frame.frame
          events[last].detail = frame.details[trigger.kind]
        }
        continue
      }
      events.append(
        MiningIndex.Event(
          kind: trigger.kind, firstFrame: frame.frame, lastFrame: frame.frame, frame: frame.frame,
          value: value, detail: frame.details[trigger.kind]))
    }
    guard events.count > limit else { return events }
    return events.sorted { trigger.isWorse($0.value, than: $1.value) }.prefix(limit)
      .sorted { $0.firstFrame < $1.firstFrame }
  }

  /// Frames around events; those that touch become one clip.
  func clips(
    _ frames: [MinedFrame]
  ) -> [(frames: ClosedRange<Int>, events: [MiningIndex.Event])] {
    let times = Dictionary(frames.map { ($0.frame, $0.timestampNanoseconds) }) { first, _ in first }
    let ordered = frames.map(\.frame)
    var clips: [(frames: ClosedRange<Int>, events: [MiningIndex.Event])] = []
    let events = triggers.flatMap { eventsOf($0, frames) }.sorted {
      ($0.firstFrame, $0.lastFrame) < ($1.firstFrame, $1.lastFrame)
    }
    for event in events {
      let start = (times[event.firstFrame] ?? 0) - beforeNanoseconds
      let end = (times[event.lastFrame] ?? 0) + afterNanoseconds
      let first = ordered.first { times[$0] ?? 0 >= start } ?? event.firstFrame
      let last = ordered.last { times[$0] ?? 0 <= end } ?? event.lastFrame
      let range = min(first, event.firstFrame)...max(last, event.lastFrame)
      if let previous = clips.last, previous.frames.upperBound + 1 >= range.lowerBound {
        clips[clips.count - 1].frames =
          previous.frames.lowerBound...max(previous.frames.upperBound, range.upperBound)
        clips[clips.count - 1].events.append(event)
      } else {
        clips.append((range, [event]))
      }
    }
    return clips
  }
}
