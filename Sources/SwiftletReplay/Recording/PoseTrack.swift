import Swiftlet

/// The ego's poses over a recording, in time order, and where it was in between.
struct PoseTrack: Sendable {
  enum Lookup: Sendable {
    /// At a stored pose's time, or between two.
    case known(RigidTransform)
    /// Up to `maximumExtrapolation` before the first or after the last pose.
    case extrapolated(RigidTransform)
    case missing
  }
  static let maximumExtrapolationNanoseconds: Int64 = 100_000_000
  /// Motion is extrapolated from poses at least this far apart: poses a few milliseconds apart
  /// would multiply their noise.
  private static let extrapolationBaselineNanoseconds: Int64 = 50_000_000

  private(set) var timestamps: [Int64] = []
  private(set) var poses: [RigidTransform] = []

  /// Sorts by time, leaving out times that no clock shows; of several poses with one time the first stays.
  init(_ samples: [(timestampNanoseconds: Int64, worldFromEgo: RigidTransform)]) {
    // Sorting offsets too keeps the recording's order for equal times.
    let order = samples.indices.sorted {
      (samples[$0].timestampNanoseconds, $0) < (samples[$1].timestampNanoseconds, $1)
    }
    for index in order
    where timestamps.last != samples[index].timestampNanoseconds
      && RecordingTime.isPlausible(samples[index].timestampNanoseconds)
    {
      timestamps.append(samples[index].timestampNanoseconds)
      poses.append(samples[index].worldFromEgo)
    }
  }

  var isEmpty: Bool { timestamps.isEmpty }

  /// The pose at a time: the stored one bit for bit where there is one, slerp and lerp between two,
  /// flagged extrapolation up to 100 ms outside.
  func lookup(_ time: Int64) -> Lookup {
    guard let first = timestamps.first, let last = timestamps.last else { return .missing }
    if time < first { return extrapolate(time, edge: 0, inward: 1) }
    if time > last { return extrapolate(time, edge: timestamps.count - 1, inward: -1) }
    let upper = timestamps.partitioningIndex { $0 >= time }
    if timestamps[upper] == time { return .known(poses[upper]) }
    return .known(interpolate(time, upper - 1, upper))
  }

  private func extrapolate(_ time: Int64, edge: Int, inward: Int) -> Lookup {
    let distance = time.subtractingReportingOverflow(timestamps[edge])
    guard !distance.overflow,
      distance.partialValue.magnitude <= UInt64(Self.maximumExtrapolationNanoseconds)
    else { return .missing }
    guard timestamps.count > 1 else { return .extrapolated(poses[edge]) }
    var other = edge + inward
    while timestamps.indices.contains(other + inward),
      abs(timestamps[other] - timestamps[edge]) < Self.extrapolationBaselineNanoseconds
    {
      other += inward
    }
    return .extrapolated(interpolate(time, min(edge, other), max(edge, other)))
  }

  private func interpolate(_ time: Int64, _ a: Int, _ b: Int) -> RigidTransform {
    let fraction = Double(time - timestamps[a]) / Double(timestamps[b] - timestamps[a])
    return .interpolated(from: poses[a], to: poses[b], fraction: fraction)
  }
}

extension RandomAccessCollection where Index == Int {
  /// The first index whose element satisfies `predicate`, where all elements that do come last.
  func partitioningIndex(where predicate: (Element) -> Bool) -> Int {
    var low = startIndex
    var high = endIndex
    while low < high {
      let middle = low + (high - low) / 2
      if predicate(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
