import Swiftlet

/// What a range of frames needs of a recording: the samples they are made of, and the times over
/// which the rig and the ego's way must be known.
struct FrameSelection: Sendable {
  /// Sample numbers by the sensor's position in the index.
  var samples: [Set<Int>]
  var times: ClosedRange<Int64>

  /// Poses, mounts and calibrations this far around the samples come along: poses are interpolated
  /// between neighbours and extrapolated from up to 100 ms.
  static let marginNanoseconds: Int64 = 1_000_000_000

  /// - Precondition: the frames are the recording's.
  init(_ recording: IndexedRecording, frames: ClosedRange<Int>) {
    precondition(
      frames.lowerBound >= 0 && frames.upperBound < recording.frameCount,
      "frames \(frames) of \(recording.frameCount)")
    let sensors = recording.index.sensors
    samples = sensors.map { _ in [] }
    var first = recording.frames[frames.lowerBound].timestampNanoseconds
    var last = first
    for frame in frames {
      let time = recording.frames[frame].timestampNanoseconds
      (first, last) = (min(first, time), max(last, time))
      for position in sensors.indices {
        guard let number = recording.sampleNumber(sensor: position, frame: frame) else { continue }
        samples[position].insert(number)
        let time = sensors[position].samples[number].timestampNanoseconds
        (first, last) = (min(first, time), max(last, time))
      }
    }
    times = first...last
  }

  /// The times with the margin.
  var window: ClosedRange<Int64> {
    times.lowerBound - Self.marginNanoseconds...times.upperBound + Self.marginNanoseconds
  }
}

/// A message by its place.
struct MessageKey: Hashable {
  var store: Int
  var place: MCAPMessage.Place
}

extension FrameSelection {
  /// The messages of the selected samples.
  func keys(_ recording: IndexedRecording, _ reader: MessageSampleReader) -> Set<MessageKey> {
    var keys: Set<MessageKey> = []
    for (position, numbers) in samples.enumerated() {
      for number in numbers {
        let message = reader.messages[recording.index.sensors[position].samples[number].record]
        keys.insert(MessageKey(store: message.store, place: message.place))
      }
    }
    return keys
  }
}
