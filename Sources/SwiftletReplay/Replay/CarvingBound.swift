import Swiftlet

/// Keeps a pipeline's occupancy updates within a time, or repeats where an earlier run stopped, and
/// logs where carving stopped in each frame since the last reset.
public final class CarvingBound {
  private let boundNanoseconds: Int64?
  private let repeated: CarvingLog?
  private let clock: any ReplayClock
  private var deadlineNanoseconds: Int64 = 0
  /// When carving last asked; what follows is the last batch, the fold and the column summary.
  private var askedNanoseconds: Int64 = 0
  /// The slowest of what followed, forgotten by a sixteenth a frame.
  private var restNanoseconds: Int64 = 0
  /// Batches carved of every LiDAR of every frame, and where each frame's end; with room, so that
  /// noting allocates nothing for hours.
  private var counts: [UInt8] = []
  private var ends: [Int] = []
  private var frame: Int { ends.count }

  /// Where carving stopped.
  public var log: CarvingLog {
    var log = CarvingLog()
    for (frame, end) in ends.enumerated() {
      let start = frame == 0 ? 0 : ends[frame - 1]
      log.batchCounts[frame] = counts[start..<end].map(Int.init)
    }
    return log
  }

  /// - Parameters:
  ///   - boundNanoseconds: of an update; nil never stops.
  ///   - repeated: takes the place of the clock.
  public init(
    boundNanoseconds: Int64?, repeating repeated: CarvingLog? = nil,
    clock: any ReplayClock = MonotonicClock()
  ) {
    self.boundNanoseconds = boundNanoseconds
    self.repeated = repeated
    self.clock = clock
    counts.reserveCapacity(1 << 18)
    ends.reserveCapacity(1 << 17)
  }

  /// Gives the pipeline its limits.
  func attach(to pipeline: FramePipeline) {
    // Made once: a closure a frame would be an allocation a frame.
    let stop: () -> Bool = { [unowned self] in
      askedNanoseconds = clock.nowNanoseconds
      return askedNanoseconds >= deadlineNanoseconds
    }
    pipeline.carvingLimit = { [unowned self] lidar in
      if let repeated { return repeated.limit(frame: frame, lidar: lidar) }
      return boundNanoseconds == nil ? .unlimited : .until(stop)
    }
  }

  func reset() {
    counts.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
  }

  /// Updates within the bound and notes where it stopped.
  func update(_ pipeline: FramePipeline, _ sensorFrame: SensorFrame) {
    if let boundNanoseconds {
      askedNanoseconds = clock.nowNanoseconds
      deadlineNanoseconds = askedNanoseconds + boundNanoseconds - restNanoseconds
    }
    pipeline.update(sensorFrame)
    if boundNanoseconds != nil {
      let rest = clock.nowNanoseconds - askedNanoseconds
      restNanoseconds = max(rest, restNanoseconds - restNanoseconds / 16)
    }
    for count in pipeline.carvedBatchCounts { counts.append(UInt8(count)) }
    ends.append(counts.count)
  }
}
