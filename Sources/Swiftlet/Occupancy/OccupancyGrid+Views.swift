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
    /// What the kernel reads besides the bit planes.
    let map = AlignedBuffer<Double>(count: 6)
    let heights = AlignedBuffer<Double>(count: 4)
    let layout = AlignedBuffer<Double>(count: 4)
    let window = AlignedBuffer<Int>(count: 9)

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
  ///   - worldFromEgo: pose of the vehicle.
  ///   - lower: x and y of cell (0, 0)'s lower corner in ego, metres.
  ///   - cellSize: edge of a cell in x and y, metres.
  ///   - summary: takes the result; made for as many cells.
  public func summarizeColumns(
    worldFromEgo: RigidTransform, lower: SIMD2<Double>, cellSize: SIMD2<Double>,
    into summary: ColumnSummary
  ) {
    let inverse = 1 / configuration.voxelSizeMeters
    let (r, t) = (worldFromEgo.rotation, worldFromEgo.translation)
    let back = worldFromEgo.inverse
    let up = back.rotation.row2 * configuration.voxelSizeMeters
    let first = SIMD3(Double(window[0]), Double(window[1]), Double(window[2])) + 0.5
    summary.map[0] = r.row0.x * inverse
    summary.map[1] = r.row0.y * inverse
    summary.map[2] = t.x * inverse
    summary.map[3] = r.row1.x * inverse
    summary.map[4] = r.row1.y * inverse
    summary.map[5] = t.y * inverse
    for axis in 0..<3 { summary.heights[axis] = up[axis] }
    summary.heights[3] = (up * first).sum() + back.translation.z
    summary.layout[0] = lower.x
    summary.layout[1] = lower.y
    summary.layout[2] = cellSize.x
    summary.layout[3] = cellSize.y
    let samples = (max(cellSize.x, cellSize.y) * inverse - 1e-6).rounded(.up)
    summary.window[0] = Int(window[0])
    summary.window[1] = Int(window[1])
    summary.window[2] = configuration.cellCountX
    summary.window[3] = configuration.cellCountY
    summary.window[4] = Self.wrap(Int(window[0]), configuration.cellCountX)
    summary.window[5] = Self.wrap(Int(window[1]), configuration.cellCountY)
    summary.window[6] = configuration.wordCount
    summary.window[7] = max(1, Int(samples))
    summary.window[8] = summary.columns
    unsafe pool.run(ColumnSummaryJob(grid: self, summary: summary))
  }

  /// The window resampled to an ego-aligned volume, [x][y][z] in memory as Occ3D stores it:
  /// `VoxelState` raw values, each the state of the world voxel that holds the cell's centre
  /// (nearest). Outside the window: unknown. Allocates nothing.
  ///
  /// - Parameters:
  ///   - worldFromEgo: pose of the vehicle.
  ///   - lower: lower corner of cell (0, 0, 0) in ego, metres.
  ///   - cellSize: edge of a cell, metres.
  ///   - count: cells along x, y and z.
  ///   - states: count.x · count.y · count.z bytes.
  public func resample(
    worldFromEgo: RigidTransform, lower: SIMD3<Double>, cellSize: Double, count: SIMD3<Int>,
    into states: AlignedBuffer<UInt8>
  ) {
    let needed = count.x * count.y * count.z
    precondition(states.count >= needed, "\(needed) cells do not fit \(states.count) bytes")
    unsafe resample(
      worldFromEgo: worldFromEgo, lower: lower, cellSize: cellSize, count: count,
      into: states.pointer)
  }

  /// The same into a caller's bytes; nothing is checked.
  @unsafe
  public func resample(
    worldFromEgo: RigidTransform, lower: SIMD3<Double>, cellSize: Double, count: SIMD3<Int>,
    into states: UnsafeMutablePointer<UInt8>
  ) {
    unsafe pool.run(
      ResampleJob(
        view: EgoView(grid: self, worldFromEgo: worldFromEgo), lower: lower, cellSize: cellSize,
        count: count, states: states))
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
  let set: InstructionSet
  let map: UnsafePointer<Double>
  let heights: UnsafePointer<Double>
  let layout: UnsafePointer<Double>
  let window: UnsafePointer<Int>
  let occupied: UnsafePointer<UInt64>
  let known: UnsafePointer<UInt64>
  let rows: Int
  let outputs: (
    UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>,
    UnsafeMutablePointer<Float>
  )

  init(grid: OccupancyGrid, summary: OccupancyGrid.ColumnSummary) {
    switch grid.engine {
    // The kernel is scalar in every build; the reference takes the one without vector flags.
    case .reference: unsafe set = .portable
    case .simd(let chosen): unsafe set = chosen
    }
    unsafe map = UnsafePointer(summary.map.pointer)
    unsafe heights = UnsafePointer(summary.heights.pointer)
    unsafe layout = UnsafePointer(summary.layout.pointer)
    unsafe window = UnsafePointer(summary.window.pointer)
    unsafe occupied = UnsafePointer(grid.occupied.pointer)
    unsafe known = UnsafePointer(grid.known.pointer)
    unsafe rows = summary.rows
    unsafe outputs = (
      summary.occupied.pointer, summary.free.pointer, summary.lowestMeters.pointer,
      summary.highestMeters.pointer
    )
  }

  func run(part: Int, of parts: Int) {
    let range = unsafe partition(rows, part: part, of: parts)
    unsafe OccupancyKernels.summarizeColumnRows(
      set, map, heights, layout, window, occupied, known, range, outputs)
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
