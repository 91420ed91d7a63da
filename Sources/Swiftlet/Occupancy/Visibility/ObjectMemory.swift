#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How long an object that nobody sees is believed in.
public struct ObjectMemoryConfiguration: Sendable, Equatable {
  /// Confidence halves in this time without a sighting.
  public var halfLifeSeconds = 2.0
  /// Below this an object is forgotten.
  public var minimumConfidence = 0.1
  /// An object is refuted when rays pass through more than this share of its cells.
  public var refutingShare = 0.3
  /// Frames an object must have been seen in to be remembered.
  public var minimumSeenCount = 3
  /// A new obstacle this near to where an unseen object should be, plus half its length, is that
  /// object, metres.
  public var gateMeters = 2.0

  public init() {}
}

/// An object that is seen, or was and may still be there.
public struct RememberedObject: Sendable, Equatable, BitwiseCopyable {
  /// Of this memory: kept over occlusions.
  public var identity: UInt64 = 0
  /// Of the tracker, while it follows the object.
  public var trackIdentity: UInt64 = 0
  /// As last seen whole, moved on at its last velocity since.
  public var obstacle = Obstacle()
  /// 1 while seen.
  public var confidence = 1.0
  public var lastSeenNanoseconds: Int64 = 0
  public var seenCount = 0
  /// Cells of its box that points ended in when it was last seen whole.
  public var hitCount = 0
  /// Share of the predicted box's cells that rays passed through in the last frame.
  public var refutedShare = 0.0
  public var isSeen = true

  public init() {}
}

/// Keeps objects that went out of sight: moved on at their last velocity, with falling confidence,
/// until free evidence refutes them, they are seen again, or nobody would believe in them any more.
///
/// Only the frame's own evidence counts. An obstacle in whose box no LiDAR point of the frame ended
/// is what the map remembers, no sighting; one that became shorter by more than 15 % with fewer hit
/// cells than before is half hidden, and its box moves on as it was when seen whole, unless what is
/// seen lies elsewhere. Cells of the predicted box through which rays passed without a return refute
/// an unseen object; hidden or unscanned ones refute nothing. `update` allocates nothing.
@safe
public final class ObjectMemory {
  public let configuration: ObjectMemoryConfiguration
  public let capacity: Int
  public let objects: AlignedBuffer<RememberedObject>
  public private(set) var count = 0
  /// Since the last reset.
  public private(set) var refutedCount = 0
  public private(set) var expiredCount = 0
  public private(set) var foundAgainCount = 0
  private var nextIdentity: UInt64 = 1
  private var lastNanoseconds: Int64?

  public init(
    configuration: ObjectMemoryConfiguration = ObjectMemoryConfiguration(), capacity: Int = 1024
  ) {
    self.configuration = configuration
    self.capacity = capacity
    objects = AlignedBuffer(count: capacity)
  }

  /// Forgets everything.
  public func reset() {
    count = 0
    refutedCount = 0
    expiredCount = 0
    foundAgainCount = 0
    nextIdentity = 1
    lastNanoseconds = nil
  }

  /// Takes in a frame's tracked obstacles and what the LiDARs saw.
  ///
  /// - Parameters:
  ///   - obstacles: of an `ObstacleFinder` after `ObstacleTracker.update`, `obstacleCount` of them.
  ///   - obstacleCount: how many of `obstacles` are set.
  ///   - time: of the frame.
  ///   - visibility: of the same frame.
  ///   - worldFromEgo: pose of the vehicle.
  public func update(
    _ obstacles: AlignedBuffer<Obstacle>, count obstacleCount: Int, atNanoseconds time: Int64,
    visibility: VisibilityMap, worldFromEgo: RigidTransform
  ) {
    // Wrapping: a clock may jump from one end of Int64 to the other.
    let seconds = max(0, Double(time &- (lastNanoseconds ?? time)) * 1e-9)
    lastNanoseconds = time
    for index in 0..<count {
      var object = objects[index]
      object.isSeen = false
      object.obstacle.center += object.obstacle.velocity * seconds
      object.obstacle.lower += object.obstacle.velocity * seconds
      object.obstacle.upper += object.obstacle.velocity * seconds
      objects[index] = object
    }
    let egoFromWorld = worldFromEgo.inverse
    for index in 0..<obstacleCount where obstacles[index].identity != 0 {
      let hits = cells(of: obstacles[index], visibility, egoFromWorld).hit
      if hits > 0 { take(obstacles[index], hits, time) }
    }
    judge(seconds, visibility, egoFromWorld)
  }

  private func take(_ obstacle: Obstacle, _ hits: Int, _ time: Int64) {
    let index = index(of: obstacle)
    guard index < count || count < capacity else { return }
    var object = index < count ? objects[index] : RememberedObject()
    if index == count {
      object.identity = nextIdentity
      nextIdentity += 1
      object.obstacle = obstacle
      count += 1
    } else if object.trackIdentity != obstacle.identity {
      foundAgainCount += 1
    }
    let isWhole = obstacle.size.x >= 0.85 * object.obstacle.size.x || hits >= object.hitCount
    if isWhole || distance(object, obstacle) > reach(object) {
      object.hitCount = hits
      let velocity = object.obstacle.velocity
      object.obstacle = obstacle
      let isFresh = object.trackIdentity != obstacle.identity
      if isFresh, obstacle.velocity == .zero { object.obstacle.velocity = velocity }
    } else {
      // What stays small for long is small: a car that turned away.
      object.hitCount = object.hitCount * 19 / 20
    }
    object.trackIdentity = obstacle.identity
    object.lastSeenNanoseconds = time
    object.seenCount += 1
    object.confidence = 1
    object.refutedShare = 0
    object.isSeen = true
    objects[index] = object
  }

  /// The object of a track, else the nearest unseen one within the gate, else a new place.
  private func index(of obstacle: Obstacle) -> Int {
    for index in 0..<count where objects[index].trackIdentity == obstacle.identity { return index }
    var best = count
    var nearest = Double.infinity
    for index in 0..<count where !objects[index].isSeen && objects[index].confidence < 1 {
      let distance = distance(objects[index], obstacle)
      if distance <= reach(objects[index]), distance < nearest {
        nearest = distance
        best = index
      }
    }
    return best
  }

  private func distance(_ object: RememberedObject, _ obstacle: Obstacle) -> Double {
    let away = object.obstacle.center - obstacle.center
    return (away.x * away.x + away.y * away.y).squareRoot()
  }
  private func reach(_ object: RememberedObject) -> Double {
    configuration.gateMeters + 0.5 * min(object.obstacle.size.x, 6)
  }

  private func judge(
    _ seconds: Double, _ visibility: VisibilityMap, _ egoFromWorld: RigidTransform
  ) {
    let falling = exp2(-seconds / max(1e-6, configuration.halfLifeSeconds))
    var kept = 0
    for index in 0..<count {
      var object = objects[index]
      if !object.isSeen {
        object.confidence *= falling
        let evidence = cells(of: object.obstacle, visibility, egoFromWorld)
        object.refutedShare = Double(evidence.passed) / Double(evidence.all)
        if object.refutedShare > configuration.refutingShare {
          refutedCount += 1
          continue
        }
        let isNew = object.seenCount < configuration.minimumSeenCount
        if isNew || object.confidence < configuration.minimumConfidence {
          if !isNew { expiredCount += 1 }
          continue
        }
      }
      objects[kept] = object
      kept += 1
    }
    count = kept
  }

  /// Of a box's cells: how many, how many points ended in, how many rays passed through without one
  /// ending there. The lowest layer is left out: rays that graze the ground pass it.
  private func cells(
    of box: Obstacle, _ visibility: VisibilityMap, _ egoFromWorld: RigidTransform
  ) -> (all: Int, hit: Int, passed: Int) {
    let size = visibility.configuration.cellSizeMeters
    let turn = RigidTransform(
      rotation: Quaternion(axis: SIMD3(0, 0, 1), radians: box.yawRadians), translation: box.center)
    let egoFromBox = egoFromWorld * turn
    func steps(_ length: Double) -> Int { max(1, min(64, Int((length / size).rounded(.up)))) }
    let n = SIMD3(steps(box.size.x), steps(box.size.y), steps(box.size.z))
    var counts = (all: 0, hit: 0, passed: 0)
    for x in 0..<n.x {
      for y in 0..<n.y {
        for z in (n.z > 1 ? 1 : 0)..<n.z {
          let share = (SIMD3(Double(x), Double(y), Double(z)) + 0.5) / SIMD3<Double>(n) - 0.5
          counts.all += 1
          guard let cell = visibility.cell(ofEgo: egoFromBox * (share * box.size)) else { continue }
          let found = visibility.lidarState(cell)
          if found.isHit {
            counts.hit += 1
          } else if found.state == .visible {
            counts.passed += 1
          }
        }
      }
    }
    return counts
  }
}
