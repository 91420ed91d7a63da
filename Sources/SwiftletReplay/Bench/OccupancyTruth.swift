import Swiftlet

/// What is really occupied and really empty after a drive through an `OccupancyScene`.
public struct OccupancyTruth: Sendable {
  /// How a map answers for the truth.
  public struct Score: Sendable {
    public var surfaceCount = 0
    public var sweptCount = 0
    /// Share of the surface voxels called occupied.
    public var surfaceRecall = 0.0
    /// Share of the surface voxels called free: surfaces a planner would drive through.
    public var surfaceCalledFree = 0.0
    /// Share of the swept voxels called occupied.
    public var ghosts = 0.0

    public var description: String {
      "surface recall \(surfaceRecall), surface called free \(surfaceCalledFree) of \(surfaceCount), "
        + "ghosts \(ghosts) of \(sweptCount)"
    }
  }

  /// Voxels with at least three noise-free returns from things that never move.
  public private(set) var surface: [VoxelKey] = []
  /// Voxels that something that moved has reached into, and that are wholly empty at the end: one
  /// that a car drove through on the ground and that holds the ground is no ghost when it is
  /// occupied.
  public private(set) var swept: [VoxelKey] = []
  public let voxelSizeMeters: Double
  /// As the map's; only returns and swept voxels nearer than it count.
  public let maximumRangeMeters: Double
  private var returns: [VoxelKey: Int] = [:]

  public init(voxelSizeMeters: Double, maximumRangeMeters: Double) {
    self.voxelSizeMeters = voxelSizeMeters
    self.maximumRangeMeters = maximumRangeMeters
  }

  /// Takes in where a scan's rays really ended.
  public mutating func add(_ scan: OccupancyScene.Scan) {
    let origin = SIMD3<Float>(scan.worldFromLidar.translation)
    let farthest = Float(maximumRangeMeters * maximumRangeMeters)
    for index in stride(from: 0, to: scan.staticReturns.count, by: 3) {
      let end = SIMD3(
        scan.staticReturns[index], scan.staticReturns[index + 1], scan.staticReturns[index + 2])
      let away = end - origin
      guard (away * away).sum() <= farthest,
        let key = VoxelKey(end, inverseVoxelSize: 1 / voxelSizeMeters)
      else { continue }
      returns[key, default: 0] += 1
    }
  }

  /// Decides what is surface and what was swept, after the scene's scans `0..<count`.
  ///
  /// - Parameter covers: the voxels that are judged.
  public mutating func finish(_ scene: OccupancyScene, count: Int, covers: (VoxelKey) -> Bool) {
    surface = returns.filter { $0.value >= 3 && covers($0.key) }.map(\.key).sorted()
    swept = Self.swept(scene, count, voxelSizeMeters, maximumRangeMeters).filter(covers)
  }

  private static func swept(
    _ scene: OccupancyScene, _ count: Int, _ size: Double, _ range: Double
  ) -> [VoxelKey] {
    var keys: Set<VoxelKey> = []
    for time in 0..<count {
      let sensor = scene.worldFromLidar(time).translation
      for box in scene.boxes where box.speed != 0 {
        let now = box.at(Double(time))
        let reach = now.upper - now.lower
        let steps = SIMD3<Int>((reach / (size / 2)).rounded(.up))
        for x in 0...steps.x {
          for y in 0...steps.y {
            for z in 0...steps.z {
              let part = SIMD3<Double>(SIMD3(x, y, z)) / SIMD3<Double>(steps)
              let world = scene.worldFromStreet * (now.lower + reach * part)
              let away = world - sensor
              guard (away * away).sum().squareRoot() <= range else { continue }
              if let key = VoxelKey(SIMD3<Float>(world), inverseVoxelSize: 1 / size) {
                keys.insert(key)
              }
            }
          }
        }
      }
    }
    return keys.filter { key in
      let corner = SIMD3(Double(key.x), Double(key.y), Double(key.z))
      return scene.isSwept(corner * size, size: size, scans: count)
    }.sorted()
  }

  /// Asks a map.
  public func score(_ state: (VoxelKey) -> VoxelState) -> Score {
    var score = Score()
    score.surfaceCount = surface.count
    score.sweptCount = swept.count
    var found = 0
    var free = 0
    for key in surface {
      let state = state(key)
      found += state == .occupied ? 1 : 0
      free += state == .free ? 1 : 0
    }
    let ghosts = swept.reduce(0) { $0 + (state($1) == .occupied ? 1 : 0) }
    score.surfaceRecall = Double(found) / Double(max(1, surface.count))
    score.surfaceCalledFree = Double(free) / Double(max(1, surface.count))
    score.ghosts = Double(ghosts) / Double(max(1, swept.count))
    return score
  }
}
