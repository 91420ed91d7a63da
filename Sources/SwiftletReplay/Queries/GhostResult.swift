import Foundation
import Swiftlet

/// What moving things leave behind: voxels that their points hit in earlier sweeps, that no box
/// covers at the last sweep, and that the map still calls occupied then.
public struct GhostResult {
  public struct Row {
    public var name: String
    public var ghosts = 0
    public var free = 0
    public var unknown = 0
    public var swept: Int { ghosts + free + unknown }
    public var rate: Double { swept == 0 ? 0 : Double(ghosts) / Double(swept) }
    /// Points that the flow called moving, and voxels marked as dynamic after the last sweep.
    public var movingPoints = 0
    public var dynamicVoxels = 0
  }
  public private(set) var rows: [Row] = []
  public let movingBoxes: Int
  public let sweepCount: Int
  let voxelSizeMeters: Double

  /// The same sweeps without ageing, with it, and with the flow as input.
  ///
  /// - Parameter options: voxel size, range and mode of the window, and how it ages.
  public init(
    _ drive: BoxedSweeps, options: QueryOptions, engine: Engine, pool: WorkerPool
  ) throws(ConfigurationError) {
    movingBoxes = drive.boxes.count { $0.isMoving }
    sweepCount = drive.sweeps.count
    voxelSizeMeters = options.voxelSizeMeters
    var aging = options.aging ?? OccupancyAgingConfiguration()
    aging.keepsFlow = true
    let swept = drive.sweeps.dropLast().map { Self.hits(of: $0, drive, options.voxelSizeMeters) }
    for (name, used, flows) in [
      ("without ageing", nil, false), ("ageing", aging, false), ("ageing and flow", aging, true),
    ] as [(String, OccupancyAgingConfiguration?, Bool)] {
      var settings = options
      settings.aging = used
      let grid = try OccupancyGrid(
        configuration: QueryWindow.configuration(settings), engine: engine, pool: pool)
      rows.append(Self.measure(drive, swept, grid, name: name, flows: flows))
    }
  }

  private static func measure(
    _ drive: BoxedSweeps, _ swept: [Set<VoxelKey>], _ grid: OccupancyGrid, name: String,
    flows: Bool
  ) -> Row {
    var row = Row(name: name)
    for sweep in drive.sweeps {
      grid.advance(toNanoseconds: sweep.timestampNanoseconds)
      grid.recenter(onWorld: sweep.worldFromEgo.translation)
      row.movingPoints += add(sweep, to: grid, flows: flows)
      grid.fold()
    }
    grid.settle()
    let last = drive.sweeps[drive.sweeps.count - 1].timestampNanoseconds
    let now = drive.boxes.filter { $0.timestampNanoseconds == last }.map(BoxShape.init)
    let size = grid.configuration.voxelSizeMeters
    for key in swept.reduce(into: Set<VoxelKey>(), { $0.formUnion($1) }) where grid.covers(key) {
      let center = (SIMD3(Double(key.x), Double(key.y), Double(key.z)) + 0.5) * size
      if now.contains(where: { $0.contains(center, margin: size) }) { continue }
      switch grid.state(key) {
      case .occupied: row.ghosts += 1
      case .free: row.free += 1
      case .unknown: row.unknown += 1
      }
    }
    row.dynamicVoxels = grid.dynamicCount
    return row
  }

  /// Adds a sweep's points; returns how many the flow calls moving.
  private static func add(
    _ sweep: BoxedSweeps.Sweep, to grid: OccupancyGrid, flows: Bool
  ) -> Int {
    unsafe sweep.points.withUnsafeBytes { raw in
      let cloud = unsafe PointCloudView(
        base: raw.baseAddress, count: sweep.pointCount, byteStride: 20)
      grid.add(cloud, worldFromLidar: sweep.worldFromLidar)
      guard flows, !sweep.velocities.isEmpty else { return 0 }
      return unsafe sweep.velocities.withUnsafeBufferPointer {
        unsafe grid.addFlow(cloud, velocities: $0, worldFromLidar: sweep.worldFromLidar)
      }
    }
  }

  /// Voxels hit by points inside moving boxes, a little above their floors: ground is no ghost.
  private static func hits(
    of sweep: BoxedSweeps.Sweep, _ drive: BoxedSweeps, _ voxelSize: Double
  ) -> Set<VoxelKey> {
    let boxes = drive.movingBoxes(at: sweep.timestampNanoseconds)
    var keys = Set<VoxelKey>()
    for point in 0..<sweep.pointCount {
      let place = sweep.position(point)
      guard boxes.contains(where: { $0.contains(place, margin: 0, floorMargin: 0.3) }) else {
        continue
      }
      let key = (place / voxelSize).rounded(.down)
      keys.insert(VoxelKey(x: Int32(key.x), y: Int32(key.y), z: Int32(key.z)))
    }
    return keys
  }

  public var table: String {
    var lines = ["                    swept voxels   still occupied    free  unknown  ghost rate"]
    for row in rows {
      lines.append(
        row.name.padding(toLength: 20, withPad: " ", startingAt: 0) + padded("\(row.swept)", 12)
          + padded("\(row.ghosts)", 17) + padded("\(row.free)", 8) + padded("\(row.unknown)", 9)
          + padded(fixed(row.rate, 4), 12))
    }
    lines.append(
      "\(movingBoxes) moving boxes in \(sweepCount) sweeps, voxels of "
        + "\(fixed(voxelSizeMeters, 2)) m, \(rows.map(\.movingPoints).max() ?? 0) points moving by "
        + "the flow")
    return lines.joined(separator: "\n")
  }

  public var json: JSONValue {
    .object([
      "schema_version": .integer(1), "sweeps": .integer(Int64(sweepCount)),
      "moving_boxes": .integer(Int64(movingBoxes)),
      "rows": .array(
        rows.map { row in
          .object([
            "name": .string(row.name), "swept_voxels": .integer(Int64(row.swept)),
            "ghosts": .integer(Int64(row.ghosts)), "free": .integer(Int64(row.free)),
            "unknown": .integer(Int64(row.unknown)), "ghost_rate": .number(row.rate),
            "moving_points": .integer(Int64(row.movingPoints)),
            "dynamic_voxels": .integer(Int64(row.dynamicVoxels)),
          ])
        }),
    ])
  }
}
