/// How ground and what stands on it are told apart.
public struct ObstacleLayerConfiguration: Sendable, Equatable {
  /// Ground may rise or fall by this from one column to the next, metres; rounded up to voxels.
  public var groundStepMeters = 0.2
  /// Voxels from this height above the ground on are obstacles …
  public var lowestMeters = 0.3
  /// … up to this one: bridges and branches above are none.
  public var highestMeters = 2.5

  public init() {}

  /// - Throws: `ConfigurationError` unless 0 < lowest < highest ≤ 50 m and the step is above 0.
  public func validate() throws(ConfigurationError) {
    let isGood =
      lowestMeters > 0 && highestMeters > lowestMeters && highestMeters <= 50
      && groundStepMeters > 0 && groundStepMeters <= 2
    guard isGood else {
      throw ConfigurationError(
        field: "obstacle_layer", expected: "0 < lowest < highest ≤ 50 m, a ground step up to 2 m",
        found: "\(lowestMeters), \(highestMeters), \(groundStepMeters)",
        remedy: "choose heights above the ground in metres")
    }
  }
}

/// The window's ground height by column and the occupied voxels that stand above it: what cost maps
/// and obstacle lists are made of.
///
/// Ground grows outward from below the vehicle: the lowest occupied voxel within the step of the
/// neighbours' ground, or theirs where nothing is there. Occluded and unknown columns inherit.
/// `update` allocates nothing; the same for every engine, instruction set and thread count.
@safe
public final class ObstacleLayer {
  public let configuration: ObstacleLayerConfiguration
  let engine: Engine
  let pool: WorkerPool
  let cells: SIMD3<Int>
  let words: Int
  let voxelSize: Double
  /// [y][x] in window order: height of the ground's voxel above the window's floor, voxels.
  public let ground: AlignedBuffer<Int16>
  /// [y][x]: 0 nothing known above the ground, 1 known free, 2 obstacle.
  public let states: AlignedBuffer<UInt8>
  /// [y][x][word]: occupied voxels that are obstacles, z ascending from the window's floor.
  public let bits: AlignedBuffer<UInt64>
  /// Key of the window's first voxel at the last update.
  public private(set) var origin = VoxelKey(x: 0, y: 0, z: 0)
  let lowVoxels: Int
  let highVoxels: Int
  let stepVoxels: Int

  public init(
    for grid: OccupancyGrid,
    configuration: ObstacleLayerConfiguration = ObstacleLayerConfiguration()
  ) throws(ConfigurationError) {
    try configuration.validate()
    self.configuration = configuration
    engine = grid.engine
    pool = grid.pool
    cells = grid.cellCounts
    words = grid.configuration.wordCount
    voxelSize = grid.configuration.voxelSizeMeters
    ground = AlignedBuffer(count: cells.x * cells.y)
    states = AlignedBuffer(count: cells.x * cells.y)
    bits = AlignedBuffer(count: cells.x * cells.y * words)
    // The ground's own voxel ends one voxel above its floor.
    lowVoxels = max(1, Int((configuration.lowestMeters / voxelSize).rounded(.up)))
    highVoxels = max(lowVoxels, Int((configuration.highestMeters / voxelSize).rounded()))
    stepVoxels = max(1, Int((configuration.groundStepMeters / voxelSize - 1e-9).rounded(.up)))
  }

  /// Computes ground and obstacles afresh.
  ///
  /// - Parameters:
  ///   - grid: whose voxels are looked at.
  ///   - groundPosition: a point on the ground below the vehicle, metres in world.
  /// - Precondition: `grid` has the sizes of the one given to `init`.
  public func update(from grid: OccupancyGrid, groundPosition: SIMD3<Double>) {
    precondition(
      grid.cellCounts == cells, "a layer of \(cells) voxels cannot follow \(grid.cellCounts)")
    origin = grid.origin
    let view = WindowView(grid)
    let local = view.local(groundPosition)
    precondition(abs(local.x) < 1e9 && abs(local.y) < 1e9 && abs(local.z) < 1e9)
    let start = voxelIndex(local)
    let x = min(max(start.x, 0), cells.x - 1)
    let y = min(max(start.y, 0), cells.y - 1)
    let seed = min(max(start.z, 0), cells.z - 1)
    if case .simd(let set) = engine {
      unsafe pool.run(
        GrowGroundJob(
          set: set, view: view, startX: x, startY: y, seed: seed, step: stepVoxels,
          ground: ground.pointer))
      unsafe pool.run(
        MaskObstaclesJob(
          set: set, view: view, low: lowVoxels, high: highVoxels, ground: ground.pointer,
          bits: bits.pointer, states: states.pointer))
    } else {
      updateReference(view, startX: x, startY: y, seed: seed)
    }
  }

  /// Height of the ground at a window column, metres in world (the voxel's middle).
  public func groundMeters(x: Int, y: Int) -> Double {
    (Double(origin.z) + Double(ground[y * cells.x + x]) + 0.5) * voxelSize
  }
}

/// Part 0 grows towards higher rows, the last part towards lower ones, the start's own row in both.
@safe
struct GrowGroundJob: PartitionedJob {
  let set: InstructionSet
  let view: WindowView
  let startX: Int
  let startY: Int
  let seed: Int
  let step: Int
  let ground: UnsafeMutablePointer<Int16>

  func run(part: Int, of parts: Int) {
    // One thread: a row needs the one before it, and the two halves share the first.
    guard part == 0 else { return }
    unsafe view.withLayout { layout in
      for y in startY..<view.cells.y { unsafe grow(y, y == startY ? nil : y - 1, layout) }
      for y in (0..<startY).reversed() { unsafe grow(y, y + 1, layout) }
    }
  }

  @unsafe
  private func grow(_ y: Int, _ inner: Int?, _ layout: UnsafePointer<Int>) {
    let columns = view.cells.x
    unsafe QueryKernels.growGroundRow(
      set, view.occupied, layout, y, startX, seed, step,
      inner.map { unsafe UnsafePointer(ground + $0 * columns) }, ground + y * columns)
  }
}

@safe
struct MaskObstaclesJob: PartitionedJob {
  let set: InstructionSet
  let view: WindowView
  let low: Int
  let high: Int
  let ground: UnsafePointer<Int16>
  let bits: UnsafeMutablePointer<UInt64>
  let states: UnsafeMutablePointer<UInt8>

  func run(part: Int, of parts: Int) {
    let rows = partition(view.cells.y, part: part, of: parts)
    unsafe view.withLayout { layout in
      unsafe QueryKernels.maskObstacles(
        set, view.occupied, view.known, layout, ground, low, high, rows.lowerBound,
        rows.upperBound, bits, states)
    }
  }
}
