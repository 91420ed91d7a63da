import Swiftlet
import SwiftletTestSupport

/// A window of made-up voxels with a plain copy of their states, so that oracles need nothing of the
/// code under test.
struct QueryScene {
  let grid: OccupancyGrid
  private(set) var states: [VoxelKey: VoxelState] = [:]
  let voxel: Double

  init(
    cells: SIMD3<Int>, voxel: Double = 0.5, engine: Engine = .best, threads: Int = 1,
    origin: VoxelKey = VoxelKey(x: -7, y: 5, z: -3), mode: OccupancyMode = .realtime
  ) throws {
    var configuration = OccupancyConfiguration()
    configuration.voxelSizeMeters = voxel
    configuration.cellCountX = cells.x
    configuration.cellCountY = cells.y
    configuration.cellCountZ = cells.z
    configuration.maximumRangeMeters = 20
    configuration.maximumPointCount = 1000
    configuration.mode = mode
    grid = try OccupancyGrid(
      configuration: configuration, engine: engine, pool: WorkerPool(threadCount: threads))
    grid.place(origin: origin)
    self.voxel = voxel
  }

  /// The state by the test's own book.
  func state(_ key: VoxelKey) -> VoxelState {
    grid.covers(key) ? states[key] ?? .unknown : .unknown
  }

  mutating func set(_ key: VoxelKey, _ state: VoxelState) {
    precondition(state != .unknown)
    guard grid.covers(key) else { return }
    states[key] = state
    grid.load([key], logOdds: [state == .occupied ? 1 : -1])
  }

  /// Every voxel of the window at random.
  mutating func scatter(occupied: Double, free: Double, seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for key in keys {
      let value = Double.random(in: 0..<1, using: &generator)
      if value < occupied { set(key, .occupied) } else if value < occupied + free { set(key, .free) }
    }
  }

  /// Moves the window by whole voxels; what leaves it is forgotten.
  mutating func move(x: Int, y: Int) {
    let cells = grid.cellCounts
    let o = grid.origin
    grid.recenter(
      onWorld: SIMD3(
        (Double(Int(o.x) + x + cells.x / 2) + 0.5) * voxel,
        (Double(Int(o.y) + y + cells.y / 2) + 0.5) * voxel,
        (Double(o.z) + 0.5) * voxel - grid.configuration.lowerZMeters))
    states = states.filter { grid.covers($0.key) }
  }

  /// The window's voxels by rows, columns, heights.
  var keys: [VoxelKey] {
    let (o, n) = (grid.origin, grid.cellCounts)
    return (0..<n.y).flatMap { y in
      (0..<n.x).flatMap { x in
        (0..<n.z).map {
          VoxelKey(x: o.x + Int32(x), y: o.y + Int32(y), z: o.z + Int32($0))
        }
      }
    }
  }
  /// Corner and middle of a voxel, metres in world.
  func lower(_ key: VoxelKey) -> SIMD3<Double> {
    SIMD3(Double(key.x), Double(key.y), Double(key.z)) * voxel
  }
  func center(_ key: VoxelKey) -> SIMD3<Double> { lower(key) + voxel / 2 }
}

/// Engines a query runs on, with thread counts.
let everyQueryEngine: [(Engine, Int)] =
  [(.reference, 1)] + InstructionSet.supported.flatMap { [(Engine.simd($0), 1), (.simd($0), 3)] }
