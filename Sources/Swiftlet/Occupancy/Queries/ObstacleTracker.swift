/// An obstacle followed from frame to frame.
public struct ObstacleTrack: Sendable, Equatable, BitwiseCopyable {
  public var identity: UInt64 = 0
  public var obstacle = Obstacle()
  public var lastSeenNanoseconds: Int64 = 0
  /// Frames it was seen in.
  public var seenCount = 0
  /// Where its middle and its corners were, newest at `newest`, and when.
  var positions = InlineArray<8, SIMD3<Double>>(repeating: .zero)
  var lowers = InlineArray<8, SIMD3<Double>>(repeating: .zero)
  var uppers = InlineArray<8, SIMD3<Double>>(repeating: .zero)
  var times = InlineArray<8, Int64>(repeating: 0)
  var newest = 0
  var historyCount = 0

  public init() {}
  public static func == (a: ObstacleTrack, b: ObstacleTrack) -> Bool {
    a.identity == b.identity && a.obstacle == b.obstacle && a.seenCount == b.seenCount
      && a.lastSeenNanoseconds == b.lastSeenNanoseconds
  }
}

/// Gives obstacles identities and speeds by matching each frame's list to the last ones: nearest
/// predicted middle first, one to one, in a fixed order. `update` allocates nothing.
///
/// A box's middle jitters with what of the object is seen, so a speed is the way over the longest
/// remembered time (up to eight frames) and counts only when that way exceeds `minimumWayMeters` and
/// both ends of the box went along: of a wall more and more is seen, at one end. Obstacles longer
/// than `maximumMovingMeters` stand: a facade's ends are where sight ends, and that moves with us.
@safe
public final class ObstacleTracker {
  public let capacity: Int
  /// The living tracks.
  public let tracks: AlignedBuffer<ObstacleTrack>
  public private(set) var count = 0
  /// A match is at most this far from where it was predicted, plus half the object's length.
  public var gateMeters = 1.5
  public var minimumWayMeters = 1.0
  public var maximumMovingMeters = 25.0
  /// A track not seen for this long ends.
  public var maximumGapNanoseconds: Int64 = 500_000_000
  private var nextIdentity: UInt64 = 1
  private let taken: AlignedBuffer<UInt8>
  private let matched: AlignedBuffer<Int32>

  public init(capacity: Int = 4096) {
    self.capacity = capacity
    tracks = AlignedBuffer(count: capacity)
    taken = AlignedBuffer(count: capacity)
    matched = AlignedBuffer(count: capacity)
  }

  /// Forgets every track.
  public func reset() {
    count = 0
    nextIdentity = 1
  }

  /// Matches `count` obstacles seen at a time and writes their identities and velocities into them.
  public func update(
    _ obstacles: AlignedBuffer<Obstacle>, count obstacleCount: Int, atNanoseconds time: Int64
  ) {
    dropOld(time)
    let known = count
    for track in 0..<known { taken[track] = 0 }
    for index in 0..<min(obstacleCount, capacity) {
      var obstacle = obstacles[index]
      let track = nearest(to: obstacle, known, time)
      if track >= 0 {
        taken[track] = 1
        obstacle = extend(track, obstacle, time)
      } else if count < capacity {
        obstacle = begin(obstacle, time)
      }
      obstacles[index] = obstacle
    }
  }

  private func dropOld(_ time: Int64) {
    var kept = 0
    for track in 0..<count
    where time - tracks[track].lastSeenNanoseconds <= maximumGapNanoseconds {
      if kept != track { tracks[kept] = tracks[track] }
      kept += 1
    }
    count = kept
  }

  private func nearest(to obstacle: Obstacle, _ known: Int, _ time: Int64) -> Int {
    var best = -1
    var bestDistance = Double.infinity
    for track in 0..<known where taken[track] == 0 {
      let candidate = tracks[track]
      let gap = Double(time - candidate.lastSeenNanoseconds) * 1e-9
      let predicted = candidate.obstacle.center + candidate.obstacle.velocity * gap
      let away = obstacle.center - predicted
      let distance = (away * away).sum().squareRoot()
      let gate = gateMeters + 0.5 * min(obstacle.size.x, candidate.obstacle.size.x, 6)
      let ratio = Double(obstacle.voxelCount) / Double(max(1, candidate.obstacle.voxelCount))
      if distance <= gate, ratio < 4, ratio > 0.25, distance < bestDistance {
        best = track
        bestDistance = distance
      }
    }
    return best
  }

  private func begin(_ obstacle: Obstacle, _ time: Int64) -> Obstacle {
    var track = ObstacleTrack()
    track.identity = nextIdentity
    nextIdentity += 1
    track.obstacle = obstacle
    track.obstacle.identity = track.identity
    track.lastSeenNanoseconds = time
    track.seenCount = 1
    track.positions[0] = obstacle.center
    track.lowers[0] = obstacle.lower
    track.uppers[0] = obstacle.upper
    track.times[0] = time
    track.historyCount = 1
    tracks[count] = track
    count += 1
    return track.obstacle
  }

  private func extend(_ index: Int, _ obstacle: Obstacle, _ time: Int64) -> Obstacle {
    var track = tracks[index]
    track.newest = (track.newest + 1) % 8
    track.positions[track.newest] = obstacle.center
    track.lowers[track.newest] = obstacle.lower
    track.uppers[track.newest] = obstacle.upper
    track.times[track.newest] = time
    track.historyCount = min(8, track.historyCount + 1)
    let oldest = (track.newest - track.historyCount + 9) % 8
    let way = obstacle.center - track.positions[oldest]
    let seconds = Double(time - track.times[oldest]) * 1e-9
    track.obstacle = obstacle
    track.obstacle.identity = track.identity
    let isMoving =
      (way * way).sum().squareRoot() > minimumWayMeters && seconds > 0.15
      && max(obstacle.size.x, obstacle.size.y) <= maximumMovingMeters
      && endsMoved(obstacle, track, since: oldest, along: way)
    track.obstacle.velocity = isMoving ? way / seconds : .zero
    track.obstacle.velocity.z = 0
    track.lastSeenNanoseconds = time
    track.seenCount += 1
    tracks[index] = track
    return track.obstacle
  }

  /// Whether both corners of the box went at least half the way of its middle.
  private func endsMoved(
    _ obstacle: Obstacle, _ track: ObstacleTrack, since oldest: Int, along way: SIMD3<Double>
  ) -> Bool {
    let half = 0.5 * (way * way).sum()
    let low = ((obstacle.lower - track.lowers[oldest]) * way).sum()
    let high = ((obstacle.upper - track.uppers[oldest]) * way).sum()
    return low >= half && high >= half
  }
}
