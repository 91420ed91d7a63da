import Swiftlet

/// A distance field that followed a window, and answers from it.
public struct DistanceResult {
  let field: DistanceField
  let grid: OccupancyGrid
  let updates: [DistanceFieldUpdate]
  /// As given, and in world.
  let places: [(given: SIMD3<Double>, world: SIMD3<Double>)]

  public init(
    field: DistanceField, grid: OccupancyGrid, updates: [DistanceFieldUpdate],
    places: [(SIMD3<Double>, SIMD3<Double>)]
  ) {
    self.field = field
    self.grid = grid
    self.updates = updates
    self.places = places.map { (given: $0.0, world: $0.1) }
  }

  /// Voxels whose squared distance differs from a field built in one go.
  public func differencesFromFresh() throws(ConfigurationError) -> Int {
    let fresh = try DistanceField(
      for: grid, maximumDistanceMeters: field.maximumDistanceMeters, obstacles: field.obstacles)
    fresh.update(from: grid)
    var count = 0
    forEachVoxel { key, _ in
      let a = field.squaredDistance(at: key, in: grid)
      let b = fresh.squaredDistance(at: key, in: grid)
      if a?.voxels != b?.voxels { count += 1 }
    }
    return count
  }

  private func forEachVoxel(_ body: (VoxelKey, Int) -> Void) {
    let cells = grid.cellCounts
    let origin = grid.origin
    var index = 0
    for y in 0..<cells.y {
      for x in 0..<cells.x {
        for z in 0..<cells.z {
          body(
            VoxelKey(
              x: origin.x + Int32(x), y: origin.y + Int32(y), z: origin.z + Int32(z)), index)
          index += 1
        }
      }
    }
  }

  public var safeTensors: SafeTensors {
    let cells = grid.cellCounts
    var values = [Float](repeating: 0, count: cells.x * cells.y * cells.z)
    forEachVoxel { key, index in
      let squares = field.squaredDistance(at: key, in: grid)?.voxels
      values[index] = squares.map {
        Float(Double($0).squareRoot() * grid.configuration.voxelSizeMeters)
      } ?? Float(field.maximumDistanceMeters)
    }
    let origin = grid.origin
    return SafeTensors(
      tensors: [
        "distance_meters": HostTensor(values, shape: [cells.y, cells.x, cells.z]),
        "origin_key": HostTensor([origin.x, origin.y, origin.z], shape: [3]),
      ],
      metadata: [
        "format": "swiftlet distance field, version 1",
        "voxel_size_meters": "\(grid.configuration.voxelSizeMeters)",
        "maximum_distance_meters": "\(field.maximumDistanceMeters)",
      ])
  }

  /// The slice at a height above the ego's origin.
  public func picture(_ window: QueryWindow, height: Double) throws -> [UInt8] {
    var picture = MapPicture(
      title: "Distance to the nearest obstacle, \(fixed(height, 1)) m up",
      worldFromEgo: window.worldFromEgo)
    picture.legend = [
      ("0 m", ColorMap.viridis.color(0)),
      ("\(fixed(field.maximumDistanceMeters, 0)) m or more", ColorMap.viridis.color(1)),
      ("outside", OccupancyPicture.unknown),
    ]
    let up = SIMD3(0, 0, height)
    let image = picture.draw { place in
      guard let meters = field.distanceMeters(at: place + up, in: grid) else {
        return OccupancyPicture.unknown
      }
      if meters == 0 { return .ego }
      return ColorMap.viridis.color(Float(meters / field.maximumDistanceMeters))
    }
    return try PNGCodec.encode(image)
  }

  private func answer(_ world: SIMD3<Double>) -> (meters: Double?, isCurrent: Bool) {
    let key = grid.key(ofWorld: world)
    return (
      field.distanceMeters(at: world, in: grid),
      field.squaredDistance(at: key, in: grid)?.isCurrent ?? false
    )
  }

  public func table(_ differing: Int?) -> String {
    var lines: [String] = []
    let cells = grid.cellCounts
    lines.append(
      "\(cells.x) x \(cells.y) x \(cells.z) voxels of \(grid.configuration.voxelSizeMeters) m, exact "
        + "to \(field.maximumDistanceMeters) m")
    for (index, update) in updates.enumerated()
    where index < 3 || index >= updates.count - 3 {
      lines.append(
        "update \(index): \(update.changedColumnCount) columns changed, "
          + "\(update.updatedColumnCount) recomputed, \(update.pendingColumnCount) left")
    }
    for place in places {
      let found = answer(place.world)
      let text = found.meters.map { meters in
        (meters >= field.maximumDistanceMeters ? "at least " : "") + fixed(meters, 3) + " m"
          + (found.isCurrent ? "" : " (not updated yet)")
      } ?? "outside the window"
      lines.append(
        "\(fixed(place.given.x)), \(fixed(place.given.y)), \(fixed(place.given.z)): \(text)")
    }
    if let differing {
      lines.append(
        differing == 0
          ? "equals a field made afresh" : "\(differing) voxels differ from a field made afresh")
    }
    return lines.joined(separator: "\n")
  }

  public func json(_ differing: Int?) -> JSONValue {
    var members: [String: JSONValue] = [
      "schema_version": .integer(1),
      "maximum_distance_meters": .number(field.maximumDistanceMeters),
      "updates": .array(
        updates.map {
          .object([
            "changed_columns": .integer(Int64($0.changedColumnCount)),
            "updated_columns": .integer(Int64($0.updatedColumnCount)),
            "pending_columns": .integer(Int64($0.pendingColumnCount)),
          ])
        }),
      "places": .array(
        places.map { place in
          let found = answer(place.world)
          return .object([
            "at": numbers(place.given),
            "distance_meters": found.meters.map(JSONValue.number) ?? .null,
            "is_current": .bool(found.isCurrent),
          ])
        }),
    ]
    if let differing { members["differs_from_fresh"] = .integer(Int64(differing)) }
    return .object(members)
  }
}
