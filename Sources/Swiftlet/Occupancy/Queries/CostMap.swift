#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How costs fall off around obstacles, as Nav2's inflation layer does on nav_msgs' scale.
public struct CostMapConfiguration: Sendable, Equatable {
  /// A cell nearer to an obstacle than this is as bad as one: 99.
  public var inscribedRadiusMeters = 1.0
  /// Beyond this distance an obstacle costs nothing.
  public var inflationRadiusMeters = 3.0
  /// Cost = 98 · exp(−decay · (distance − inscribed)).
  public var decayPerMeter = 1.5

  public init() {}
}

/// A top-down cost map in nav_msgs/OccupancyGrid's terms: int8 [y][x], x fastest, cell (0, 0) at the
/// lower corner, −1 unknown, 0 free … 98 near, 99 inscribed, 100 obstacle.
///
/// A column with an obstacle voxel costs 100; one known free above its ground costs what its exact
/// planar distance to the nearest obstacle column says; an unknown one stays −1 unless an obstacle
/// is within the inscribed radius. `update` allocates nothing; the same for every engine,
/// instruction set and thread count.
@safe
public final class CostMap {
  public let configuration: CostMapConfiguration
  public let columns: Int
  public let rows: Int
  public let resolutionMeters: Double
  /// [y][x].
  public let costs: AlignedBuffer<Int8>
  /// Lower corner of cell (0, 0), metres in world, at the last update.
  public private(set) var lowerMeters = SIMD2<Double>(0, 0)
  let engine: Engine
  let pool: WorkerPool
  let reach: Int
  /// Costs by squared distance in cells.
  let table: AlignedBuffer<Int8>
  private let field: AlignedBuffer<Int16>
  private let lines: AlignedBuffer<Int16>
  private let stride: Int

  /// - Throws: `ConfigurationError` unless 0 ≤ inscribed ≤ inflation and the latter is at most 127
  ///   cells.
  public init(
    for grid: OccupancyGrid, configuration: CostMapConfiguration = CostMapConfiguration()
  ) throws(ConfigurationError) {
    let voxel = grid.configuration.voxelSizeMeters
    let reach = configuration.inflationRadiusMeters / voxel
    guard configuration.inscribedRadiusMeters >= 0, configuration.decayPerMeter >= 0,
      configuration.inflationRadiusMeters >= configuration.inscribedRadiusMeters, reach <= 127
    else {
      throw ConfigurationError(
        field: "cost_map", expected: "0 ≤ inscribed ≤ inflation radius ≤ 127 cells, decay ≥ 0",
        found: "\(configuration)", remedy: "choose radii for this voxel size")
    }
    self.configuration = configuration
    engine = grid.engine
    pool = grid.pool
    resolutionMeters = voxel
    columns = grid.cellCounts.x
    rows = grid.cellCounts.y
    costs = AlignedBuffer(count: columns * rows)
    // Rounded up: a cell three across and one along lies within 3.6 cells; the table ends the rest.
    self.reach = max(1, Int((reach - 1e-9).rounded(.up)))
    stride = (columns + 31) / 32 * 32 + 32
    field = AlignedBuffer(count: stride * rows)
    field.fill(.max)
    lines = AlignedBuffer(count: stride * pool.threadCount)
    table = AlignedBuffer(
      (0...self.reach * self.reach).map { Self.cost(square: $0, voxel, configuration) })
  }

  static func cost(square: Int, _ voxel: Double, _ c: CostMapConfiguration) -> Int8 {
    let distance = Double(square).squareRoot() * voxel
    if distance > c.inflationRadiusMeters + 1e-9 { return 0 }
    if distance <= c.inscribedRadiusMeters + 1e-9 { return 99 }
    return Int8((98 * exp(-c.decayPerMeter * (distance - c.inscribedRadiusMeters))).rounded())
  }

  /// Computes every cell from the layer's column states.
  ///
  /// - Precondition: `layer` was made for the same window.
  public func update(from layer: ObstacleLayer) {
    precondition(
      layer.cells.x == columns && layer.cells.y == rows,
      "a cost map of \(columns)×\(rows) cells cannot follow a layer of \(layer.cells)")
    lowerMeters = SIMD2(Double(layer.origin.x), Double(layer.origin.y)) * resolutionMeters
    guard case .simd(let set) = engine else { return updateReference(layer) }
    for isAcross in [false, true] {
      unsafe pool.run(
        CostJob(
          set: set, isAcross: isAcross, columns: columns, rows: rows, reach: reach,
          stride: stride, states: layer.states.pointer, field: field.pointer,
          table: table.pointer, lines: lines.pointer, costs: costs.pointer))
    }
  }

  /// Every cell against every cell within the radius.
  private func updateReference(_ layer: ObstacleLayer) {
    for y in 0..<rows {
      for x in 0..<columns {
        var nearest = Int.max
        for near in max(0, y - reach)...min(rows - 1, y + reach) {
          for other in max(0, x - reach)...min(columns - 1, x + reach)
          where layer.states[near * columns + other] == 2 {
            nearest = min(nearest, (near - y) * (near - y) + (other - x) * (other - x))
          }
        }
        let state = layer.states[y * columns + x]
        let cost = nearest <= reach * reach ? table[nearest] : 0
        costs[y * columns + x] = state == 2 ? 100 : state == 1 || cost >= 99 ? cost : -1
      }
    }
  }

  /// The cost at a position, metres in world; −1 outside.
  public func cost(at position: SIMD2<Double>) -> Int8 {
    let cell = ((position - lowerMeters) / resolutionMeters).rounded(.down)
    guard cell.x >= 0, cell.y >= 0, cell.x < Double(columns), cell.y < Double(rows) else {
      return -1
    }
    return costs[Int(cell.y) * columns + Int(cell.x)]
  }
}

@safe
struct CostJob: PartitionedJob {
  let set: InstructionSet
  let isAcross: Bool
  let columns: Int
  let rows: Int
  let reach: Int
  let stride: Int
  let states: UnsafePointer<UInt8>
  let field: UnsafeMutablePointer<Int16>
  let table: UnsafePointer<Int8>
  let lines: UnsafeMutablePointer<Int16>
  let costs: UnsafeMutablePointer<Int8>

  func run(part: Int, of parts: Int) {
    let range = partition(rows, part: part, of: parts)
    if isAcross {
      unsafe QueryKernels.inflateCosts(
        set, states, columns, rows, range.lowerBound, range.upperBound, reach, stride, field,
        table, 99, lines + part * stride, costs)
    } else {
      unsafe QueryKernels.costDistanceAlongRows(
        set, states, columns, range.lowerBound, range.upperBound, reach, stride, field)
    }
  }
}
