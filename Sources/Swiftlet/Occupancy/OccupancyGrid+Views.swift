extension OccupancyGrid {
  /// What lies above each cell of an ego-aligned BEV grid, [y][x] in memory, cell (0, 0) at the
  /// lower bounds.
  public struct ColumnSummary {
    /// Cells in x and y.
    public let columns: Int
    public let rows: Int
    /// [y][x]: occupied voxels and free voxels of the columns looked at.
    public let occupied: AlignedBuffer<Float>
    public let free: AlignedBuffer<Float>
    /// [y][x]: lowest and highest occupied height above the ego, metres; 0 where nothing is.
    public let lowestMeters: AlignedBuffer<Float>
    public let highestMeters: AlignedBuffer<Float>

    /// Allocates; make one per pipeline.
    public init(columns: Int, rows: Int) {
      self.columns = columns
      self.rows = rows
      occupied = AlignedBuffer(count: columns * rows)
      free = AlignedBuffer(count: columns * rows)
      lowestMeters = AlignedBuffer(count: columns * rows)
      highestMeters = AlignedBuffer(count: columns * rows)
    }
  }

  /// Sums the window up over an ego-aligned grid: each cell looks at `n`×`n` columns spread evenly
  /// over it, n the cell size in voxels rounded up, and takes the world column nearest to each.
  /// Counts are of the columns looked at; cells outside the window are zero. Heights are along the
  /// ego's z axis, so a tilted ego is honoured. Allocates nothing.
  ///
  /// - Parameters:
  ///   - lower: x and y of cell (0, 0)'s lower corner in ego, metres.
  ///   - cellSize: edge of a cell in x and y, metres.
  public func summarizeColumns(
    worldFromEgo: RigidTransform, lower: SIMD2<Double>, cellSize: SIMD2<Double>,
    into summary: ColumnSummary
  ) {
    unsafe pool.run(
      ColumnSummaryJob(
        view: EgoView(grid: self, worldFromEgo: worldFromEgo), lower: lower, cellSize: cellSize,
        columns: summary.columns, rows: summary.rows, occupied: summary.occupied.pointer,
        free: summary.free.pointer, lowest: summary.lowestMeters.pointer,
        highest: summary.highestMeters.pointer))
  }

  /// The window resampled to an ego-aligned volume, [x][y][z] in memory as Occ3D stores it:
  /// `VoxelState` raw values, each the state of the world voxel that holds the cell's centre
  /// (nearest). Outside the window: unknown. Allocates nothing.
  ///
  /// - Parameters:
  ///   - lower: lower corner of cell (0, 0, 0) in ego, metres.
  ///   - states: count.x · count.y · count.z bytes.
  public func resample(
    worldFromEgo: RigidTransform, lower: SIMD3<Double>, cellSize: Double, count: SIMD3<Int>,
    into states: AlignedBuffer<UInt8>
  ) {
    let needed = count.x * count.y * count.z
    precondition(states.count >= needed, "\(needed) cells do not fit \(states.count) bytes")
    unsafe pool.run(
      ResampleJob(
        view: EgoView(grid: self, worldFromEgo: worldFromEgo), lower: lower, cellSize: cellSize,
        count: count, states: states.pointer))
  }
}

/// A window seen from the ego, for jobs.
@unsafe
struct EgoView: BitwiseCopyable {
  let voxelSize: Double
  let rotation: (SIMD3<Double>, SIMD3<Double>, SIMD3<Double>)
  let translation: SIMD3<Double>
  let origin: SIMD3<Int>
  let cells: SIMD3<Int>
  let words: Int
  let occupied: UnsafePointer<UInt64>
  let known: UnsafePointer<UInt64>

  init(grid: OccupancyGrid, worldFromEgo: RigidTransform) {
    let r = worldFromEgo.rotation
    unsafe voxelSize = grid.configuration.voxelSizeMeters
    unsafe rotation = (r.row0, r.row1, r.row2)
    unsafe translation = worldFromEgo.translation
    unsafe origin = SIMD3(Int(grid.window[0]), Int(grid.window[1]), Int(grid.window[2]))
    unsafe cells = grid.cellCounts
    unsafe words = grid.configuration.wordCount
    unsafe occupied = UnsafePointer(grid.occupied.pointer)
    unsafe known = UnsafePointer(grid.known.pointer)
  }

  func world(_ p: SIMD3<Double>) -> SIMD3<Double> {
    unsafe SIMD3(
      (rotation.0 * p).sum(), (rotation.1 * p).sum(), (rotation.2 * p).sum()) + translation
  }
  /// Window position of a point; nil outside in x or y.
  func column(_ world: SIMD3<Double>) -> (x: Int, y: Int)? {
    let scaled = unsafe (world / voxelSize).rounded(.down)
    guard abs(scaled.x) < 1e9, abs(scaled.y) < 1e9 else { return nil }
    let x = unsafe Int(scaled.x) - origin.x
    let y = unsafe Int(scaled.y) - origin.y
    guard unsafe (x >= 0 && x < cells.x && y >= 0 && y < cells.y) else { return nil }
    return (x, y)
  }
  func line(_ column: (x: Int, y: Int)) -> Int {
    let slotX = unsafe OccupancyGrid.wrap(origin.x + column.x, cells.x)
    let slotY = unsafe OccupancyGrid.wrap(origin.y + column.y, cells.y)
    return unsafe (slotY * cells.x + slotX) * words
  }
}

@unsafe
struct ColumnSummaryJob: PartitionedJob {
  let view: EgoView
  let lower: SIMD2<Double>
  let cellSize: SIMD2<Double>
  let columns: Int
  let rows: Int
  let occupied: UnsafeMutablePointer<Float>
  let free: UnsafeMutablePointer<Float>
  let lowest: UnsafeMutablePointer<Float>
  let highest: UnsafeMutablePointer<Float>

  func run(part: Int, of parts: Int) {
    for y in unsafe partition(rows, part: part, of: parts) {
      for x in unsafe 0..<columns { unsafe summarize(x, y) }
    }
  }

  private func summarize(_ x: Int, _ y: Int) {
    let samples = unsafe max(1, Int((max(cellSize.x, cellSize.y) / view.voxelSize - 1e-6).rounded(.up)))
    var occupied = 0
    var free = 0
    var lowest = Float.infinity
    var highest = -Float.infinity
    for sub in 0..<samples * samples {
      let fx = Double(x) + (Double(sub % samples) + 0.5) / Double(samples)
      let fy = Double(y) + (Double(sub / samples) + 0.5) / Double(samples)
      let inEgo = unsafe SIMD3(lower.x + fx * cellSize.x, lower.y + fy * cellSize.y, 0)
      guard let column = unsafe view.column(view.world(inEgo)) else { continue }
      let line = unsafe view.line(column)
      for word in unsafe 0..<view.words {
        let bits = unsafe view.occupied[line + word]
        occupied += bits.nonzeroBitCount
        free += unsafe (view.known[line + word] & ~bits).nonzeroBitCount
        if bits == 0 { continue }
        lowest = unsafe min(lowest, height(column, 64 * word + bits.trailingZeroBitCount))
        highest = unsafe max(highest, height(column, 64 * word + 63 - bits.leadingZeroBitCount))
      }
    }
    let cell = unsafe y * columns + x
    unsafe self.occupied[cell] = Float(occupied)
    unsafe self.free[cell] = Float(free)
    unsafe self.lowest[cell] = lowest == .infinity ? 0 : lowest
    unsafe self.highest[cell] = highest == -.infinity ? 0 : highest
  }

  /// Height above the ego of a voxel's centre: the third row of egoFromWorld.
  private func height(_ column: (x: Int, y: Int), _ z: Int) -> Float {
    let key = unsafe SIMD3(column.x, column.y, z) &+ view.origin
    let center = unsafe (SIMD3<Double>(key) + 0.5) * view.voxelSize - view.translation
    return unsafe Float(
      view.rotation.0.z * center.x + view.rotation.1.z * center.y + view.rotation.2.z * center.z)
  }
}

@unsafe
struct ResampleJob: PartitionedJob {
  let view: EgoView
  let lower: SIMD3<Double>
  let cellSize: Double
  let count: SIMD3<Int>
  let states: UnsafeMutablePointer<UInt8>

  func run(part: Int, of parts: Int) {
    for x in unsafe partition(count.x, part: part, of: parts) {
      for y in unsafe 0..<count.y {
        for z in unsafe 0..<count.z {
          let inEgo = unsafe lower + (SIMD3<Double>(SIMD3(x, y, z)) + 0.5) * cellSize
          unsafe states[(x * count.y + y) * count.z + z] = state(inEgo).rawValue
        }
      }
    }
  }

  private func state(_ inEgo: SIMD3<Double>) -> VoxelState {
    let world = unsafe view.world(inEgo)
    let height = unsafe (world.z / view.voxelSize).rounded(.down)
    guard let column = unsafe view.column(world), abs(height) < 1e9 else { return .unknown }
    let z = unsafe Int(height) - view.origin.z
    guard unsafe (z >= 0 && z < view.cells.z) else { return .unknown }
    let line = unsafe view.line(column) + z / 64
    if unsafe view.known[line] >> UInt64(z % 64) & 1 == 0 { return .unknown }
    return unsafe view.occupied[line] >> UInt64(z % 64) & 1 == 1 ? .occupied : .free
  }
}
