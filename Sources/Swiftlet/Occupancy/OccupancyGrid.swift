/// A rolling occupancy window, anchored in the world: free, occupied or unknown per voxel, updated
/// by LiDAR scans with OctoMap's per-scan rule on int8 log-odds.
///
/// Memory is [y][x][z], z contiguous, 64 voxels a line; x and y wrap around (a torus), so that
/// moving the window costs only the columns that roll in. All buffers are made in `init`; no method
/// allocates afterwards unless it says so. The same scans give the same bits for any number of
/// threads.
@safe
public final class OccupancyGrid {
  public let configuration: OccupancyConfiguration
  public let engine: Engine
  let pool: WorkerPool
  let byteModel: ByteModel
  let shortModel: ShortModel
  /// Key of the first voxel x, y, z; columns in x, rows in y, words a column; last direction bin.
  let window = AlignedBuffer<Int32>(count: 8)
  /// int8 log-odds, -128 unknown: [slot y][slot x][word][64].
  let lines: AlignedBuffer<Int8>
  /// int16 log-odds that `lines` rounds, -32768 unknown, where the configuration keeps them:
  /// [slot y][slot x][word][64].
  let exactLines: AlignedBuffer<Int16>
  /// Bit planes kept equal to `lines`: [slot y][slot x][word].
  let occupied: AlignedBuffer<UInt64>
  let known: AlignedBuffer<UInt64>
  /// Voxels at the model's minimum, of int8 windows that do not age: [slot y][slot x][word]. Some may
  /// be missing; whoever changes a line without a fold takes out its voxels.
  let atMinimum: AlignedBuffer<UInt64>
  /// Evidence of the scan at hand in window order [y][x][word], zero between scans. The modes that
  /// carve by fans have a free mask for every two threads, `freeStride` words apart, whose union
  /// counts; behind each lie a spare word and one row kept apart (see `CarveFansJob`).
  let windowFree: AlignedBuffer<UInt64>
  let freeParts: Int
  let freeStride: Int
  let windowHits: AlignedBuffer<UInt64>
  /// Bits that exist in each word of a column.
  let heightMasks: AlignedBuffer<UInt64>
  let modelBytes: AlignedBuffer<Int8>
  let modelShorts: AlignedBuffer<Int16>
  let totals: AlignedBuffer<Int>
  let worldPlanes: WorldPoints
  let matrices = AlignedBuffer<Double>(count: 48)
  let evidence: ScanEvidence?
  /// Of `CarvingLimit.batchCount` batches those of the last `add` that were carved.
  public internal(set) var carvedBatches = CarvingLimit.batchCount
  /// Present in the modes that carve by fans.
  let carver: FanCarver?
  /// Decay and what moves; nil unless configured.
  let aging: OccupancyAging?
  /// The model of the fold at hand where it is not the window's own.
  var evidenceModel: ByteModel?
  var pending = ScanSummary()
  /// Range of the rays at hand.
  var rangeMeters: Double
  var isPlaced = false

  /// - Throws: `ConfigurationError` when the configuration cannot be met.
  public init(
    configuration: OccupancyConfiguration, engine: Engine, pool: WorkerPool
  ) throws(ConfigurationError) {
    try configuration.validate()
    self.configuration = configuration
    rangeMeters = configuration.maximumRangeMeters
    self.engine = engine
    self.pool = pool
    let missWeight = configuration.mode.missWeight
    let byteModel = ByteModel(configuration.model, missWeight: missWeight)
    self.byteModel = byteModel
    shortModel = ShortModel(
      configuration.model, missWeight: missWeight, searches: configuration.values == .int16)
    let words = configuration.columnCount * configuration.wordCount
    lines = AlignedBuffer(count: words * 64)
    exactLines = AlignedBuffer(count: configuration.values == .int16 ? words * 64 : 0)
    occupied = AlignedBuffer(count: words)
    known = AlignedBuffer(count: words)
    let isKept = configuration.values == .int8 && configuration.aging == nil
    atMinimum = AlignedBuffer(count: isKept ? words : 0)
    let fans = configuration.mode.fans
    freeParts = fans == nil || engine == .reference ? 1 : (pool.threadCount + 1) / 2
    // Eight words with the spare one for what a walk meets outside the window, and a row.
    freeStride = words + 8 + configuration.cellCountX * configuration.wordCount
    windowFree = AlignedBuffer(count: freeParts * freeStride)
    windowHits = AlignedBuffer(count: words)
    heightMasks = AlignedBuffer(
      (0..<configuration.wordCount).map { word in
        let bits = min(64, configuration.cellCountZ - 64 * word)
        return bits == 64 ? .max : (1 << UInt64(bits)) - 1
      })
    modelBytes = AlignedBuffer([
      byteModel.hit, byteModel.miss, byteModel.minimum, byteModel.maximum, byteModel.threshold,
    ])
    modelShorts = AlignedBuffer([
      shortModel.hit, shortModel.miss, shortModel.minimum, shortModel.maximum,
      shortModel.threshold,
    ])
    totals = AlignedBuffer(count: 8 * pool.threadCount)
    let isTraced = fans != nil && engine != .reference
    worldPlanes = WorldPoints(capacity: isTraced ? 0 : configuration.maximumPointCount)
    if case .simd(let set) = engine, fans == nil {
      let evidence = ScanEvidence(set: set, pool: pool, voxelSize: configuration.voxelSizeMeters)
      evidence.reserve(
        points: configuration.maximumPointCount, words: configuration.exactVolumeWords)
      self.evidence = evidence
    } else {
      evidence = nil
    }
    let reach = configuration.maximumRangeMeters / configuration.voxelSizeMeters
    carver = fans.map {
      FanCarver(
        settings: $0, rayCapacity: configuration.maximumPointCount, reach: reach,
        threadCount: pool.threadCount)
    }
    aging = configuration.aging.map {
      OccupancyAging(
        $0, model: byteModel, columns: configuration.columnCount,
        words: configuration.wordCount)
    }
    window[3] = Int32(configuration.cellCountX)
    window[4] = Int32(configuration.cellCountY)
    window[5] = Int32(configuration.wordCount)
    reset()
  }

  /// Forgets everything; the window stays where it is.
  public func reset() {
    lines.fill(-128)
    exactLines.fill(.min)
    occupied.zero()
    known.zero()
    atMinimum.zero()
    windowFree.zero()
    windowHits.zero()
    aging?.reset()
  }

  /// Key of the window's first voxel: it covers `origin ..< origin + cell counts`.
  public var origin: VoxelKey { VoxelKey(x: window[0], y: window[1], z: window[2]) }
  /// The window's lower corner, metres in world.
  public var lowerMeters: SIMD3<Double> {
    SIMD3(Double(window[0]), Double(window[1]), Double(window[2])) * configuration.voxelSizeMeters
  }
  public var cellCounts: SIMD3<Int> {
    SIMD3(configuration.cellCountX, configuration.cellCountY, configuration.cellCountZ)
  }

  /// Moves the window in whole voxels so that x and y are centred on `position` (metres in world)
  /// and the floor lies `lowerZMeters` below it, and makes what rolls in unknown.
  ///
  /// The height follows only when it is off by more than an eighth of the window's height, because
  /// moving it shifts every column.
  public func recenter(onWorld position: SIMD3<Double>) {
    let size = configuration.voxelSizeMeters
    let target = SIMD3<Int32>(
      Self.key(position.x / size) - Int32(configuration.cellCountX / 2),
      Self.key(position.y / size) - Int32(configuration.cellCountY / 2),
      Self.key((position.z + configuration.lowerZMeters) / size))
    let slack = isPlaced ? Int32(max(1, configuration.cellCountZ / 8)) : 0
    isPlaced = true
    let rise = target.z - window[2]
    if abs(rise) > slack { shiftHeight(by: Int(rise)) }
    rollX(to: target.x)
    rollY(to: target.y)
    evidence?.zPhase = window[2]
  }

  private static func key(_ value: Double) -> Int32 {
    precondition(abs(value) < 1e9, "a window cannot be centred \(value) voxels from the origin")
    return Int32(value.rounded(.down))
  }

  private func rollX(to target: Int32) {
    let count = configuration.cellCountX
    let moved = Int(target) - Int(window[0])
    let first = moved >= 0 ? Int(window[0]) : Int(target)
    for column in 0..<min(abs(moved), count) {
      let slot = Self.wrap(first + column, count)
      for row in 0..<configuration.cellCountY { forget(slotX: slot, slotY: row, columns: 1) }
    }
    window[0] = target
  }

  private func rollY(to target: Int32) {
    let count = configuration.cellCountY
    let moved = Int(target) - Int(window[1])
    let first = moved >= 0 ? Int(window[1]) : Int(target)
    for row in 0..<min(abs(moved), count) {
      forget(slotX: 0, slotY: Self.wrap(first + row, count), columns: configuration.cellCountX)
    }
    window[1] = target
  }

  static func wrap(_ value: Int, _ count: Int) -> Int {
    let rest = value % count
    return rest < 0 ? rest + count : rest
  }

  private func forget(slotX: Int, slotY: Int, columns: Int) {
    let words = configuration.wordCount
    let first = (slotY * configuration.cellCountX + slotX) * words
    for word in first..<first + columns * words {
      if unsafe known.pointer[word] == 0 { continue }
      unsafe known.pointer[word] = 0
      unsafe occupied.pointer[word] = 0
      if atMinimum.count > 0 { atMinimum[word] = 0 }
      unsafe (lines.pointer + word * 64).update(repeating: -128, count: 64)
      if exactLines.count > 0 {
        unsafe (exactLines.pointer + word * 64).update(repeating: .min, count: 64)
      }
    }
  }

  /// Moves every column's voxels down by `rise` (up where negative) inside its lines.
  private func shiftHeight(by rise: Int) {
    let height = configuration.wordCount * 64
    let kept = max(0, height - abs(rise))
    for column in 0..<configuration.columnCount {
      unsafe Self.shift(lines.pointer + column * height, by: rise, height, kept, unknown: -128)
      if exactLines.count > 0 {
        unsafe Self.shift(
          exactLines.pointer + column * height, by: rise, height, kept, unknown: .min)
      }
      rebuildPlanes(column: column)
    }
    window[2] += Int32(rise)
    aging?.clearMarks()
  }

  @unsafe
  private static func shift<Value>(
    _ base: UnsafeMutablePointer<Value>, by rise: Int, _ height: Int, _ kept: Int, unknown: Value
  ) {
    if kept > 0 { unsafe (base + max(0, -rise)).update(from: base + max(0, rise), count: kept) }
    let cleared = unsafe base + (rise > 0 ? kept : 0)
    unsafe cleared.update(repeating: unknown, count: height - kept)
  }

  /// Sets a column's bit planes from its log-odds.
  func rebuildPlanes(column: Int) {
    for word in 0..<configuration.wordCount {
      let line = column * configuration.wordCount + word
      var knownBits: UInt64 = 0
      var occupiedBits: UInt64 = 0
      for bit in 0..<64 {
        let place = unsafe lines.pointer + line * 64 + bit
        let isThere = heightMasks[word] >> UInt64(bit) & 1 == 1
        if !isThere { unsafe place.pointee = -128 }
        if !isThere, exactLines.count > 0 { exactLines[line * 64 + bit] = .min }
        let value = unsafe place.pointee
        if value == -128 { continue }
        knownBits |= 1 << UInt64(bit)
        let isOccupied =
          exactLines.count > 0
          ? exactLines[line * 64 + bit] >= shortModel.threshold : value >= byteModel.threshold
        if isOccupied { occupiedBits |= 1 << UInt64(bit) }
      }
      known[line] = knownBits
      occupied[line] = occupiedBits
      if atMinimum.count > 0 { atMinimum[line] = 0 }
    }
  }
}
