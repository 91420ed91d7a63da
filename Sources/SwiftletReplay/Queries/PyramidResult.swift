import Swiftlet

/// A pyramid over a window, and answers from it.
public struct PyramidResult {
  let pyramid: OccupancyPyramid
  let grid: OccupancyGrid
  let level: Int
  let places: [(given: SIMD3<Double>, world: SIMD3<Double>)]

  public init(
    pyramid: OccupancyPyramid, grid: OccupancyGrid, level: Int,
    places: [(SIMD3<Double>, SIMD3<Double>)]
  ) {
    self.pyramid = pyramid
    self.grid = grid
    self.level = level
    self.places = places.map { (given: $0.0, world: $0.1) }
  }

  private func size(_ level: Int) -> Double {
    grid.configuration.voxelSizeMeters * Double(1 << level)
  }
  private func key(_ world: SIMD3<Double>) -> VoxelKey {
    let voxel = grid.key(ofWorld: world)
    let shift = Int32(level)
    return VoxelKey(x: voxel.x >> shift, y: voxel.y >> shift, z: voxel.z >> shift)
  }

  /// Free, occupied and unknown cells of a level.
  private func counts(_ level: Int) -> (free: Int, occupied: Int, unknown: Int) {
    let cells = pyramid.levels[level - 1]
    var counts = (free: 0, occupied: 0, unknown: 0)
    for y in 0..<cells.cells.y {
      for x in 0..<cells.cells.x {
        for z in 0..<cells.cells.z {
          let key = VoxelKey(
            x: cells.origin.x + Int32(x), y: cells.origin.y + Int32(y),
            z: cells.origin.z + Int32(z))
          switch pyramid.state(level: level, at: key) {
          case .free: counts.free += 1
          case .occupied: counts.occupied += 1
          case .unknown: counts.unknown += 1
          }
        }
      }
    }
    return counts
  }

  public var safeTensors: SafeTensors {
    let cells = pyramid.levels[level - 1]
    func tensor(_ plane: AlignedBuffer<Int8>) -> HostTensor {
      var bytes: [UInt8] = []
      for column in 0..<cells.cells.x * cells.cells.y {
        for z in 0..<cells.cells.z {
          bytes.append(UInt8(bitPattern: plane[column * cells.heightStride + z]))
        }
      }
      return HostTensor(
        elementType: .int8, shape: [cells.cells.y, cells.cells.x, cells.cells.z], bytes: bytes)
    }
    return SafeTensors(
      tensors: [
        "maximum": tensor(cells.maximum), "minimum": tensor(cells.minimum),
        "origin_key": HostTensor([cells.origin.x, cells.origin.y, cells.origin.z], shape: [3]),
      ],
      metadata: [
        "format": "swiftlet pyramid level, version 1", "voxel_size_meters": "\(size(level))",
        "level": "\(level)",
      ])
  }

  public var table: String {
    var lines = ["level  cell m                cells      free  occupied   unknown"]
    for level in 1...pyramid.levels.count {
      let cells = pyramid.levels[level - 1].cells
      let counts = counts(level)
      lines.append(
        padded("\(level)", 5) + padded(fixed(size(level)), 8)
          + padded("\(cells.x) x \(cells.y) x \(cells.z)", 21) + padded("\(counts.free)", 10)
          + padded("\(counts.occupied)", 10) + padded("\(counts.unknown)", 10))
    }
    for place in places { lines.append(answer(place)) }
    return lines.joined(separator: "\n")
  }

  private func answer(_ place: (given: SIMD3<Double>, world: SIMD3<Double>)) -> String {
    let found = pyramid.extremes(level: level, at: key(place.world))
    func text(_ value: Float??) -> String {
      (value ?? nil).map { fixed(Double($0), 3) } ?? "unknown"
    }
    let state = pyramid.state(level: level, at: key(place.world)).text
    return "\(fixed(place.given.x)), \(fixed(place.given.y)), \(fixed(place.given.z)): \(state), "
      + "log-odds \(text(found?.minimum)) to \(text(found?.maximum))"
  }

  public var json: JSONValue {
    .object([
      "schema_version": .integer(1),
      "levels": .array(
        (1...pyramid.levels.count).map { level in
          let counts = counts(level)
          return .object([
            "level": .integer(Int64(level)), "cell_size_meters": .number(size(level)),
            "free": .integer(Int64(counts.free)), "occupied": .integer(Int64(counts.occupied)),
            "unknown": .integer(Int64(counts.unknown)),
          ])
        }),
      "places": .array(
        places.map { place in
          let found = pyramid.extremes(level: level, at: key(place.world))
          func value(_ v: Float??) -> JSONValue {
            (v ?? nil).map { JSONValue.number(Double($0)) } ?? .null
          }
          return .object([
            "at": numbers(place.given),
            "state": .string(pyramid.state(level: level, at: key(place.world)).text),
            "minimum_log_odds": value(found?.minimum), "maximum_log_odds": value(found?.maximum),
          ])
        }),
    ])
  }
}
