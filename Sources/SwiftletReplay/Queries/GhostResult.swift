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
  /// - Parameter options: voxel size, range and mode of the window.
  public init(
    _ drive: AV2Sweeps, options: QueryOptions, engine: Engine, pool: WorkerPool
  ) throws(ConfigurationError) {
    movingBoxes = drive.boxes.count { Self.isMoving($0) }
    sweepCount = drive.sweeps.count
    voxelSizeMeters = options.voxelSizeMeters
    var aging = OccupancyAgingConfiguration()
    aging.keepsFlow = true
    for (name, used, flows) in [
      ("without ageing", nil, false), ("ageing", aging, false), ("ageing and flow", aging, true),
    ] as [(String, OccupancyAgingConfiguration?, Bool)] {
      var settings = options
      settings.aging = used
      let grid = try OccupancyGrid(
        configuration: QueryWindow.configuration(settings), engine: engine, pool: pool)
      rows.append(Self.measure(drive, grid, name: name, flows: flows))
    }
  }

  static func isMoving(_ box: AV2Sweeps.Box) -> Bool {
    guard let v = box.velocity else { return false }
    return (v * v).sum() > 1
  }

  private static func measure(
    _ drive: AV2Sweeps, _ grid: OccupancyGrid, name: String, flows: Bool
  ) -> Row {
    var row = Row(name: name)
    var swept = Set<VoxelKey>()
    for (index, sweep) in drive.sweeps.enumerated() {
      grid.advance(toNanoseconds: sweep.timestampNanoseconds)
      grid.recenter(onWorld: sweep.worldFromEgo.translation)
      unsafe sweep.points.withUnsafeBytes { raw in
        let cloud = unsafe PointCloudView(
          base: raw.baseAddress, count: sweep.pointCount, byteStride: 20)
        grid.add(cloud, worldFromLidar: sweep.worldFromLidar)
        if flows, !sweep.velocities.isEmpty {
          unsafe sweep.velocities.withUnsafeBufferPointer {
            row.movingPoints += unsafe grid.addFlow(
              cloud, velocities: $0, worldFromLidar: sweep.worldFromLidar)
          }
        }
      }
      grid.fold()
      if index + 1 < drive.sweeps.count { swept.formUnion(hits(of: sweep, drive, grid)) }
    }
    grid.settle()
    let last = drive.sweeps[drive.sweeps.count - 1].timestampNanoseconds
    let now = drive.boxes.filter { $0.timestampNanoseconds == last }
    for key in swept {
      let center =
        (SIMD3(Double(key.x), Double(key.y), Double(key.z)) + 0.5)
        * grid.configuration.voxelSizeMeters
      let isCovered = now.contains {
        contains($0, center, margin: grid.configuration.voxelSizeMeters)
      }
      if isCovered { continue }
      switch grid.state(key) {
      case .occupied: row.ghosts += 1
      case .free: row.free += 1
      case .unknown: row.unknown += 1
      }
    }
    row.dynamicVoxels = grid.dynamicCount
    return row
  }

  /// Voxels hit by points inside moving boxes, a little above their floors: ground is no ghost.
  private static func hits(
    of sweep: AV2Sweeps.Sweep, _ drive: AV2Sweeps, _ grid: OccupancyGrid
  ) -> Set<VoxelKey> {
    let boxes = drive.boxes.filter {
      $0.timestampNanoseconds == sweep.timestampNanoseconds && isMoving($0)
    }
    var keys = Set<VoxelKey>()
    for point in 0..<sweep.pointCount {
      let place =
        sweep.worldFromLidar
        * SIMD3(
          Double(sweep.points[5 * point]), Double(sweep.points[5 * point + 1]),
          Double(sweep.points[5 * point + 2]))
      let isMoving = boxes.contains { box in
        let inBox = box.worldFromBox.inverse * place
        return contains(box, place, margin: 0) && inBox.z > 0.3 - box.size.z / 2
      }
      let key = grid.key(ofWorld: place)
      if isMoving, grid.covers(key) { keys.insert(key) }
    }
    return keys
  }

  private static func contains(
    _ box: AV2Sweeps.Box, _ place: SIMD3<Double>, margin: Double
  ) -> Bool {
    let p = box.worldFromBox.inverse * place
    return (0..<3).allSatisfy { abs(p[$0]) <= box.size[$0] / 2 + margin }
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
