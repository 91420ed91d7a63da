/// Which voxels a distance field measures to.
public enum DistanceFieldObstacles: String, Sendable, CaseIterable {
  case occupied
  /// Unknown voxels of the window count as well.
  case occupiedOrUnknown = "occupied-or-unknown"
}

/// What one update of a distance field did.
public struct DistanceFieldUpdate: Sendable, Equatable {
  /// Columns whose obstacles changed since the last update.
  public var changedColumnCount = 0
  /// Columns whose distances were computed again.
  public var updatedColumnCount = 0
  /// Columns left for later updates because the budget ended.
  public var pendingColumnCount = 0
  public init() {}
}

/// The exact Euclidean distance from every voxel of a window to the nearest obstacle voxel, centre
/// to centre, up to a maximum; kept up to date from scan to scan.
///
/// Distances are separable (Meijster, Roerdink and Hesselink, 2000): along z inside a column, then
/// the minimum of squared distances along x, then along y. An update compares each column's
/// obstacle bits with those it last saw and recomputes only what lies within the maximum distance of
/// a column that differs. Its budget counts recomputed columns; rows nearest to the window's middle
/// come first, and the rest keeps its old distances and is marked until a later update reaches it.
///
/// Memory: 4 bytes a voxel of the window. Nothing allocates after `init`. The same bits for every
/// engine, instruction set and thread count.
@safe
public final class DistanceField {
  public let maximumDistanceMeters: Double
  public let obstacles: DistanceFieldObstacles
  public let engine: Engine
  let pool: WorkerPool
  let voxelSize: Double
  /// Distances in voxels that are exact; at most 127.
  public let reach: Int
  let cells: SIMD3<Int>
  let words: Int
  let masks: AlignedBuffer<UInt64>
  /// By slot: [y][x][word] obstacle bits last seen; [y][x] marks.
  let seen: AlignedBuffer<UInt64>
  let changed: AlignedBuffer<UInt8>
  let rowDirty: AlignedBuffer<UInt8>
  let dirty: AlignedBuffer<UInt8>
  let isFar: AlignedBuffer<UInt8>
  /// Rows of int16 squared distances, `rowStride` apart, [slot y][slot x][z].
  let rowField: AlignedBuffer<Int16>
  let field: AlignedBuffer<Int16>
  let rowStride: Int
  let scratch: AlignedBuffer<Int16>
  let emptyScratch: AlignedBuffer<UInt8>
  /// 1 for rows (slots) chosen in this update, by stage.
  let rowsAlong: AlignedBuffer<Int>
  let rowsAcross: AlignedBuffer<Int>
  let counts: AlignedBuffer<Int>
  let slots = AlignedBuffer<Int>(count: 2)
  var lastOrigin: VoxelKey?

  /// - Parameters:
  ///   - grid: gives the window's sizes, engine and pool.
  ///   - maximumDistanceMeters: at most 127 voxels; farther voxels report it.
  ///   - obstacles: which voxels distance is measured to.
  /// - Throws: `ConfigurationError` when the maximum is not 1 to 127 voxels.
  public init(
    for grid: OccupancyGrid, maximumDistanceMeters: Double = 4,
    obstacles: DistanceFieldObstacles = .occupied
  ) throws(ConfigurationError) {
    let configuration = grid.configuration
    let voxels = maximumDistanceMeters / configuration.voxelSizeMeters
    guard voxels >= 1, voxels <= 127 else {
      throw ConfigurationError(
        field: "distance_field.maximum_distance_meters", expected: "1 to 127 voxels",
        found: "\(voxels)", remedy: "choose a distance for this voxel size")
    }
    self.maximumDistanceMeters = maximumDistanceMeters
    self.obstacles = obstacles
    engine = grid.engine
    pool = grid.pool
    voxelSize = configuration.voxelSizeMeters
    reach = Int((voxels - 1e-9).rounded(.up))
    cells = grid.cellCounts
    words = configuration.wordCount
    masks = grid.heightMasks
    let columns = cells.x * cells.y
    seen = AlignedBuffer(count: columns * words)
    changed = AlignedBuffer(count: columns)
    rowDirty = AlignedBuffer(count: columns)
    dirty = AlignedBuffer(count: columns)
    isFar = AlignedBuffer(count: columns)
    // Rows a power of two apart would meet in the same cache sets.
    rowStride = cells.x * words * 64 + 96
    rowField = AlignedBuffer(count: cells.y * rowStride)
    field = AlignedBuffer(count: cells.y * rowStride)
    scratch = AlignedBuffer(
      count: pool.threadCount * Self.scratchCount(columns: cells.x, words: words))
    emptyScratch = AlignedBuffer(count: pool.threadCount * Self.emptyCount(columns: cells.x))
    rowsAlong = AlignedBuffer(count: cells.y)
    rowsAcross = AlignedBuffer(count: cells.y)
    counts = AlignedBuffer(count: 8 * pool.threadCount)
    reset()
  }

  static func scratchCount(columns: Int, words: Int) -> Int { (columns + 4) * words * 64 + 512 }
  static func emptyCount(columns: Int) -> Int { (2 * columns + 127) & ~63 }

  /// Forgets every obstacle.
  public func reset() {
    seen.zero()
    changed.zero()
    rowDirty.zero()
    dirty.zero()
    isFar.fill(1)
    rowField.fill(.max)
    field.fill(.max)
    lastOrigin = nil
  }

  /// Takes in what changed in `grid` since the last update. Allocates nothing.
  ///
  /// - Parameters:
  ///   - grid: whose voxels are looked at.
  ///   - maximumColumnCount: how many columns may be recomputed; at least one row is done.
  /// - Precondition: `grid` has the sizes of the one given to `init`.
  @discardableResult
  public func update(
    from grid: OccupancyGrid, maximumColumnCount: Int = .max
  ) -> DistanceFieldUpdate {
    precondition(
      grid.cellCounts == cells && grid.configuration.voxelSizeMeters == voxelSize,
      "a field of \(cells) voxels of \(voxelSize) m cannot follow a window of \(grid.cellCounts) of "
        + "\(grid.configuration.voxelSizeMeters) m")
    let view = WindowView(grid)
    slots[0] = view.slotX
    slots[1] = view.slotY
    var update = DistanceFieldUpdate()
    guard case .simd(let set) = engine else { return updateReference(view) }
    markRolledColumns(view)
    update.changedColumnCount = findChanges(set, view)
    chooseRows(maximumColumnCount, &update)
    pool.run(FieldAlongJob(field: self, set: set))
    pool.run(FieldAcrossJob(field: self, set: set))
    return update
  }

  /// A column that rolled in has other neighbours than the one that rolled out, even where both are
  /// empty; the neighbours of old lose what stood in it, even where the new one holds the same bits.
  private func markRolledColumns(_ view: WindowView) {
    let origin = VoxelKey(
      x: Int32(view.origin.x), y: Int32(view.origin.y), z: Int32(view.origin.z))
    defer { lastOrigin = origin }
    guard let last = lastOrigin, last != origin else { return }
    for slot in rolled(Int(last.x), view.origin.x, cells.x) {
      for row in 0..<cells.y { markRolled(row * cells.x + slot) }
    }
    for row in rolled(Int(last.y), view.origin.y, cells.y) {
      for slot in 0..<cells.x { markRolled(row * cells.x + slot) }
    }
  }

  private func rolled(
    _ before: Int, _ now: Int, _ count: Int
  ) -> LazyMapSequence<Range<Int>, Int> {
    let moved = min(abs(now - before), count)
    let first = now >= before ? before : now
    return (0..<moved).lazy.map { OccupancyGrid.wrap(first + $0, count) }
  }

  private func markRolled(_ column: Int) {
    unsafe rowDirty.pointer[column] = 1
    unsafe dirty.pointer[column] = 1
    var bits: UInt64 = 0
    for word in column * words..<(column + 1) * words { unsafe bits |= seen.pointer[word] }
    if bits != 0 { unsafe changed.pointer[column] = 1 }
  }

  private func findChanges(_ set: InstructionSet, _ view: WindowView) -> Int {
    counts.zero()
    unsafe pool.run(
      FieldChangesJob(
        set: set, view: view, masks: masks.pointer,
        unknownCounts: obstacles == .occupied ? 0 : .max, seen: seen.pointer,
        changed: changed.pointer, counts: counts.pointer))
    var total = 0
    for part in 0..<pool.threadCount { total += counts[8 * part] }
    for row in 0..<cells.y {
      let base = row * cells.x
      unsafe emptyScratch.pointer.update(repeating: 0, count: cells.x)
      let marked = unsafe DistanceFieldKernels.spreadChangedSlots(
        set, changed.pointer + base, cells.x, reach, emptyScratch.pointer, rowDirty.pointer + base)
      if marked == 0 { continue }
      for near in -reach...reach where abs(near) < cells.y {
        let target = OccupancyGrid.wrap(row + near, cells.y) * cells.x
        unsafe DistanceFieldKernels.orBytes(
          set, emptyScratch.pointer, cells.x, dirty.pointer + target)
      }
    }
    return total
  }

  /// Rows from the window's middle outward until the budget ends; a row's own fields are made first
  /// for every row it needs.
  private func chooseRows(_ budget: Int, _ update: inout DistanceFieldUpdate) {
    rowsAlong.zero()
    rowsAcross.zero()
    var isFull = false
    for order in 0..<cells.y {
      let away = (order + 1) / 2
      let y = cells.y / 2 + (order % 2 == 0 ? away : -away)
      guard y >= 0, y < cells.y else { continue }
      let slot = slotRow(y)
      let count = marks(dirty, row: slot)
      if count == 0 { continue }
      if isFull || (update.updatedColumnCount > 0 && update.updatedColumnCount + count > budget) {
        isFull = true
        update.pendingColumnCount += count
        continue
      }
      rowsAcross[slot] = 1
      update.updatedColumnCount += count
      for near in max(0, y - reach)...min(cells.y - 1, y + reach) { rowsAlong[slotRow(near)] = 1 }
    }
  }

  func slotRow(_ y: Int) -> Int {
    let slot = y + slots[1]
    return slot < cells.y ? slot : slot - cells.y
  }

  private func marks(_ bytes: AlignedBuffer<UInt8>, row: Int) -> Int {
    var count = 0
    let base = unsafe bytes.pointer + row * cells.x
    for slot in 0..<cells.x { unsafe count += Int(base[slot]) }
    return count
  }

  /// The squared distance in voxels from a voxel to the nearest obstacle, nil when that is farther
  /// than the maximum, and whether the value is of the last update. Nil outside the window.
  public func squaredDistance(
    at key: VoxelKey, in grid: OccupancyGrid
  ) -> (voxels: Int?, isCurrent: Bool)? {
    guard let local = grid.localIndex(key) else { return nil }
    let column = grid.lineIndex(x: local.x, y: local.y) / words
    let row = column / cells.x
    let value = field[row * rowStride + column % cells.x * words * 64 + local.z]
    return (value == .max ? nil : Int(value), dirty[column] == 0)
  }

  /// Metres from the centre of the voxel at `position` (metres in world) to the centre of the nearest
  /// obstacle voxel; `maximumDistanceMeters` where none is nearer; nil outside the window.
  public func distanceMeters(at position: SIMD3<Double>, in grid: OccupancyGrid) -> Double? {
    guard let found = squaredDistance(at: grid.key(ofWorld: position), in: grid) else { return nil }
    guard let voxels = found.voxels else { return maximumDistanceMeters }
    return min(maximumDistanceMeters, Double(voxels).squareRoot() * voxelSize)
  }
}
