import Swiftlet

/// What changed from one map to another of the same frame and voxel size.
public struct VoxelMapDiff: Sendable {
  /// A voxel whose state differs.
  public struct Change: Sendable, Equatable {
    public var key: VoxelKey
    public var from: VoxelState
    public var to: VoxelState
    /// NaN where unknown.
    public var fromLogOdds: Float
    public var toLogOdds: Float
  }

  /// Voxels known in either map by state, [from][to] in the order unknown, free, occupied.
  public private(set) var counts = [Int](repeating: 0, count: 9)
  /// Sorted by x, y, z.
  public private(set) var changes: [Change] = []
  /// Over voxels known in both.
  public private(set) var maximumLogOddsDifference: Float = 0
  public private(set) var differentLogOddsCount = 0

  /// - Throws: `InputError` for different voxel sizes.
  public init(from a: VoxelMap, to b: VoxelMap) throws(InputError) {
    guard abs(a.voxelSizeMeters - b.voxelSizeMeters) <= 1e-9 * a.voxelSizeMeters else {
      throw InputError(
        input: "maps", expected: "one voxel size",
        found: "\(a.voxelSizeMeters) and \(b.voxelSizeMeters) m",
        remedy: "build both with the same --voxel")
    }
    var (i, j) = (0, 0)
    while i < a.count || j < b.count {
      let takesA = j == b.count || (i < a.count && a.keys[i] <= b.keys[j])
      let takesB = i == a.count || (j < b.count && b.keys[j] <= a.keys[i])
      add(
        takesA ? a.keys[i] : b.keys[j], takesA ? a.state(i) : .unknown,
        takesB ? b.state(j) : .unknown, takesA ? a.logOdds[i] : .nan, takesB ? b.logOdds[j] : .nan)
      i += takesA ? 1 : 0
      j += takesB ? 1 : 0
    }
  }

  private mutating func add(
    _ key: VoxelKey, _ from: VoxelState, _ to: VoxelState, _ a: Float, _ b: Float
  ) {
    counts[Int(from.rawValue) * 3 + Int(to.rawValue)] += 1
    if from != to {
      changes.append(Change(key: key, from: from, to: to, fromLogOdds: a, toLogOdds: b))
    }
    if from != .unknown, to != .unknown, a != b {
      differentLogOddsCount += 1
      maximumLogOddsDifference = max(maximumLogOddsDifference, abs(a - b))
    }
  }

  /// How many voxels went from one state to another.
  public func count(from: VoxelState, to: VoxelState) -> Int {
    counts[Int(from.rawValue) * 3 + Int(to.rawValue)]
  }
  /// Intersection over union of the voxels in `state`; nil when neither map has any.
  public func intersectionOverUnion(_ state: VoxelState) -> Double? {
    let index = Int(state.rawValue)
    let both = counts[index * 3 + index]
    let either = (0..<3).reduce(0) { $0 + counts[index * 3 + $1] + counts[$1 * 3 + index] } - both
    return either == 0 ? nil : Double(both) / Double(either)
  }

  /// The changed voxels: keys int32 [N, 3], from and to uint8 [N] (0 unknown, 1 free, 2 occupied),
  /// log_odds_from and log_odds_to float32 [N], NaN where unknown.
  public func safeTensors(voxelSizeMeters: Double) -> SafeTensors {
    let count = changes.count
    return SafeTensors(
      tensors: [
        "keys": HostTensor(changes.flatMap { [$0.key.x, $0.key.y, $0.key.z] }, shape: [count, 3]),
        "from": HostTensor(changes.map(\.from.rawValue), shape: [count]),
        "to": HostTensor(changes.map(\.to.rawValue), shape: [count]),
        "log_odds_from": HostTensor(changes.map(\.fromLogOdds), shape: [count]),
        "log_odds_to": HostTensor(changes.map(\.toLogOdds), shape: [count]),
      ],
      metadata: [
        "format": "swiftlet occupancy map difference, version 1",
        "voxel_size_meters": "\(voxelSizeMeters)",
      ])
  }
}

extension VoxelMap {
  func state(_ index: Int) -> VoxelState { isOccupied(index) ? .occupied : .free }
}
