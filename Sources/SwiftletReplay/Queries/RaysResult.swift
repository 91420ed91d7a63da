import Swiftlet

/// Many rays through a window, and what they met.
public struct RaysResult {
  public let distancesMeters: [Float]
  public let states: [UInt8]
  /// [ray][3].
  public let keys: [Int32]
  private let origin: SIMD3<Double>
  private let range: Double
  private let stopsAtUnknown: Bool

  /// - Parameter directions: [ray][3] in world.
  public init(
    _ grid: OccupancyGrid, from origin: SIMD3<Double>, directions: [Float], range: Double,
    stopsAtUnknown: Bool
  ) {
    self.origin = origin
    self.range = range
    self.stopsAtUnknown = stopsAtUnknown
    let count = directions.count / 3
    let source = AlignedBuffer(directions)
    let distances = AlignedBuffer<Float>(count: count)
    let states = AlignedBuffer<UInt8>(count: count)
    let keys = AlignedBuffer<Int32>(count: 3 * count)
    unsafe grid.castRays(
      from: origin, directions: UnsafeBufferPointer(source.elements), maximumRangeMeters: range,
      stopsAtUnknown: stopsAtUnknown, distancesMeters: distances.elements,
      states: states.elements, keys: keys.elements)
    distancesMeters = distances.array
    self.states = states.array
    self.keys = keys.array
  }

  public func count(_ state: RayState) -> Int { states.count { $0 == state.rawValue } }

  /// Rays that the scalar reference answers otherwise.
  public func differencesFromReference(_ grid: OccupancyGrid, _ directions: [Float]) -> Int {
    let walker = ReferenceRays(grid)
    var count = 0
    for ray in states.indices {
      let direction = SIMD3(directions[3 * ray], directions[3 * ray + 1], directions[3 * ray + 2])
      let expected = walker.cast(
        from: origin, direction: direction, maximumRangeMeters: range,
        stopsAtUnknown: stopsAtUnknown)
      let key = VoxelKey(x: keys[3 * ray], y: keys[3 * ray + 1], z: keys[3 * ray + 2])
      let isSame =
        expected.state.rawValue == states[ray] && expected.key == key
        && expected.distanceMeters == distancesMeters[ray]
      if !isSame { count += 1 }
    }
    return count
  }

  public var safeTensors: SafeTensors {
    SafeTensors(
      tensors: [
        "distances_meters": HostTensor(distancesMeters, shape: [states.count]),
        "states": HostTensor(states, shape: [states.count]),
        "voxels": HostTensor(keys, shape: [states.count, 3]),
      ],
      metadata: ["format": "swiftlet ray hits, version 1"])
  }

  private static let order: [RayState] = [
    .occupied, .unknown, .rangeReached, .leftWindow, .noDirection,
  ]
  private var hitDistances: [Float] {
    states.indices.filter { states[$0] == RayState.occupied.rawValue }
      .map { distancesMeters[$0] }.sorted()
  }

  public func json(_ differing: Int?) -> JSONValue {
    var members: [String: JSONValue] = [
      "schema_version": .integer(1), "rays": .integer(Int64(states.count)),
    ]
    for state in Self.order { members[state.text] = .integer(Int64(count(state))) }
    let hits = hitDistances
    for (name, share) in [("nearest", 0.0), ("median", 0.5), ("farthest", 1.0)] where !hits.isEmpty {
      members["\(name)_hit_meters"] = .number(Double(hits[Int(share * Double(hits.count - 1))]))
    }
    if let differing { members["differs_from_reference"] = .integer(Int64(differing)) }
    return .object(members)
  }

  public func table(_ differing: Int?) -> String {
    var lines = ["\(states.count) rays"]
    for state in Self.order { lines.append("  \(state.text): \(count(state))") }
    let hits = hitDistances
    if let first = hits.first, let last = hits.last {
      lines.append(
        "  hits from \(fixed(Double(first))) m, median "
          + "\(fixed(Double(hits[(hits.count - 1) / 2]))) m, to \(fixed(Double(last))) m")
    }
    if let differing {
      lines.append(
        differing == 0
          ? "  the scalar reference answers the same" : "  \(differing) differ from the reference")
    }
    return lines.joined(separator: "\n")
  }
}
