/// What a window that ages keeps besides its log-odds, by slot like these.
///
/// Decay is lazy: a column remembers the tick it was brought up to, and catches up when evidence
/// touches it, with every fold where something in it moves, when its turn in the sweep comes, or
/// when somebody asks (`OccupancyGrid.settle`).
/// Steps are differences of floor(tick · rate), so how often it catches up changes no bit. Columns
/// that know nothing cost nothing.
@safe
final class OccupancyAging {
  let configuration: OccupancyAgingConfiguration
  /// [slot y][slot x][word].
  let dynamic: AlignedBuffer<UInt64>
  let vanished: AlignedBuffer<UInt64>
  let solid: AlignedBuffer<UInt64>
  /// Dynamic since the last promotion.
  let candidate: AlignedBuffer<UInt64>
  /// Window order like the scan's evidence: hits said to move, zero between scans.
  let moving: AlignedBuffer<UInt64>
  /// Tick each column is up to.
  let ticks: AlignedBuffer<Int32>
  /// Steps a tick · 65536: occupied, free, dynamic; ticks between promotions to fixtures.
  let rates: AlignedBuffer<Int64>
  /// Miss, threshold, long free, long occupied, dynamic before its hit, in int8 steps.
  let levels: AlignedBuffer<Int8>
  /// int8 velocities in world, quarters of a metre per second, [line][64]; empty unless kept.
  let flowX: AlignedBuffer<Int8>
  let flowY: AlignedBuffer<Int8>
  var now: Int32 = 0
  /// The time of tick 0, and the latest time since.
  private var originNanoseconds: Int64?
  private var lastNanoseconds: Int64 = 0
  var nextSwept = 0

  init(
    _ configuration: OccupancyAgingConfiguration, model: ByteModel, columns: Int, words: Int
  ) {
    self.configuration = configuration
    dynamic = AlignedBuffer(count: columns * words)
    vanished = AlignedBuffer(count: columns * words)
    solid = AlignedBuffer(count: columns * words)
    candidate = AlignedBuffer(count: columns * words)
    moving = AlignedBuffer(count: columns * words)
    ticks = AlignedBuffer(count: columns)
    let c = configuration
    rates = AlignedBuffer([
      Self.rate(c.occupiedSeconds, Int(model.maximum) - Int(model.threshold) + 1, c),
      Self.rate(c.freeSeconds, Int(model.threshold) - Int(model.minimum), c),
      Self.rate(c.dynamicSeconds, Int(model.maximum) - Int(model.threshold) + 1, c),
      max(1, Int64((c.fixtureSeconds * 1000 / Double(c.tickMilliseconds)).rounded())),
    ])
    levels = AlignedBuffer([
      model.miss, model.threshold,
      Int8((Double(model.minimum) * c.longFreeShare).rounded(.up)),
      Int8((Double(model.maximum) * c.longOccupiedShare).rounded(.down)),
      Int8(max(-127, Int(model.maximum) - Int(model.hit))),
    ])
    flowX = AlignedBuffer(count: c.keepsFlow ? columns * words * 64 : 0)
    flowY = AlignedBuffer(count: c.keepsFlow ? columns * words * 64 : 0)
  }

  private static func rate(
    _ seconds: Double, _ steps: Int, _ c: OccupancyAgingConfiguration
  ) -> Int64 {
    guard seconds > 0 else { return 0 }
    let ticks = max(1, seconds * 1000 / Double(c.tickMilliseconds))
    return Int64((Double(steps) / ticks * 65536).rounded())
  }

  /// Forgets everything, time included.
  func reset() {
    clearMarks()
    moving.zero()
    ticks.zero()
    now = 0
    originNanoseconds = nil
    nextSwept = 0
  }

  /// Earlier by more than this is another clock, by less a late scan.
  static let lateNanoseconds: Int64 = 1_000_000_000

  /// Ticks after which nothing changes any more: what is dynamic became a fixture, and every class
  /// lost all its steps.
  var settlingTicks: Int64 {
    var slowest: Int64 = 0
    for index in 0..<3 where rates[index] != 0 {
      slowest = max(slowest, (128 << 16) / rates[index] + 1)
    }
    return slowest + 2 * rates[3] + 1
  }

  /// `now` for a scan's time. Sums wrap, so that no time traps.
  func advance(toNanoseconds time: Int64) {
    let length = Int64(configuration.tickMilliseconds) * 1_000_000
    guard let origin = originNanoseconds else {
      (originNanoseconds, lastNanoseconds) = (time, time)
      return
    }
    if time < lastNanoseconds {
      guard lastNanoseconds &- time > Self.lateNanoseconds || lastNanoseconds &- time < 0 else {
        return
      }
      // The clock was set back: time goes on from here.
      (originNanoseconds, lastNanoseconds) = (time &- Int64(now) &* length, time)
      return
    }
    lastNanoseconds = time
    let (since, overflows) = time.subtractingReportingOverflow(origin)
    let ticks = overflows ? Int64.max : since / length
    let target = min(ticks, Int64(now) + settlingTicks)
    // 2³⁰ ticks of 50 ms are 600 days.
    now = max(now, Int32(max(0, min(target, 1 << 30))))
    if target < ticks { originNanoseconds = time &- Int64(now) &* length }
  }

  /// The window's height moved: marks lie elsewhere now and are dropped.
  func clearMarks() {
    dynamic.zero()
    vanished.zero()
    solid.zero()
    candidate.zero()
  }
}

extension OccupancyGrid {
  /// Says when the scan at hand was made, before it is folded. Age never falls: a time up to a second
  /// earlier than the last is a late scan and counts as the last; an earlier one is a clock set back,
  /// from which time goes on. A leap ahead counts up to where nothing changes any more. Needs `aging`
  /// in the configuration, else nothing happens.
  public func advance(toNanoseconds time: Int64) {
    aging?.advance(toNanoseconds: time)
  }

  /// Brings every column up to the last `advance`. Allocates nothing.
  public func settle() { decay(0..<configuration.columnCount) }

  /// Whether a known voxel was hit where space was long free, or said to move by its input.
  public func isDynamic(_ key: VoxelKey) -> Bool { mark(aging?.dynamic, at: key) }
  /// Whether a voxel was long occupied and then became free.
  public func hasVanished(_ key: VoxelKey) -> Bool { mark(aging?.vanished, at: key) }
  /// The input's velocity of a dynamic voxel in world's x and y, metres per second, in quarters; nil
  /// where none was given or flow is not kept.
  public func flow(_ key: VoxelKey) -> SIMD2<Double>? {
    guard let aging, aging.configuration.keepsFlow, isDynamic(key), let local = localIndex(key)
    else { return nil }
    let at = (lineIndex(x: local.x, y: local.y) + local.z / 64) * 64 + local.z % 64
    let flow = SIMD2(Double(aging.flowX[at]), Double(aging.flowY[at])) * 0.25
    return flow == .zero ? nil : flow
  }
  /// Dynamic voxels of the window that are occupied.
  public var dynamicCount: Int {
    guard let aging else { return 0 }
    return (0..<occupied.count).reduce(0) {
      unsafe $0 + (aging.dynamic.pointer[$1] & occupied.pointer[$1]).nonzeroBitCount
    }
  }

  private func mark(_ plane: AlignedBuffer<UInt64>?, at key: VoxelKey) -> Bool {
    guard let plane, let local = localIndex(key) else { return false }
    let line = lineIndex(x: local.x, y: local.y) + local.z / 64
    return (plane[line] & known[line]) >> UInt64(local.z % 64) & 1 == 1
  }

  private func decay(_ columns: Range<Int>, onlyDynamic: Bool = false) {
    guard let aging, !columns.isEmpty else { return }
    if case .simd(let set) = engine {
      pool.run(
        DecayJob(grid: self, aging: aging, set: set, columns: columns, onlyDynamic: onlyDynamic))
    } else {
      for column in columns {
        let words = column * configuration.wordCount..<(column + 1) * configuration.wordCount
        if onlyDynamic, words.allSatisfy({ aging.dynamic[$0] == 0 }) { continue }
        decayReference(column, aging)
      }
    }
  }

  /// The hook of `fold`: everything that happens to a voxel before its evidence is added. What moves
  /// is for the LiDARs to say: a radar's arc lies in space that is free, a guess is no passing ray.
  func age() {
    guard let aging else { return }
    guard evidenceModel == nil else { return settle() }
    if case .simd(let set) = engine {
      pool.run(AgeEvidenceJob(grid: self, aging: aging, set: set))
    } else {
      ageReference(aging)
    }
    // What moves fades fast, so it does not wait for its turn.
    decay(0..<configuration.columnCount, onlyDynamic: true)
    if aging.rates[0] | aging.rates[1] == 0 { return }
    let share = aging.configuration.sweptShare * Double(configuration.columnCount)
    let count = min(configuration.columnCount, Int(share.rounded(.up)))
    let end = min(aging.nextSwept + count, configuration.columnCount)
    decay(aging.nextSwept..<end)
    aging.nextSwept = end == configuration.columnCount ? 0 : end
  }
}

/// Decay of columns by slot.
@safe
struct DecayJob: PartitionedJob {
  let set: InstructionSet
  let lines: UnsafeMutablePointer<Int8>
  let occupied: UnsafeMutablePointer<UInt64>
  let known: UnsafeMutablePointer<UInt64>
  let dynamic: UnsafeMutablePointer<UInt64>
  let candidate: UnsafeMutablePointer<UInt64>
  let ticks: UnsafeMutablePointer<Int32>
  let words: Int
  let rates: UnsafePointer<Int64>
  let now: Int32
  let threshold: Int8
  let firstColumn: Int
  let columnCount: Int
  let onlyDynamic: Bool

  init(
    grid: OccupancyGrid, aging: OccupancyAging, set: InstructionSet, columns: Range<Int>,
    onlyDynamic: Bool = false
  ) {
    self.onlyDynamic = onlyDynamic
    self.set = set
    unsafe lines = grid.lines.pointer
    unsafe occupied = grid.occupied.pointer
    unsafe known = grid.known.pointer
    unsafe dynamic = aging.dynamic.pointer
    unsafe candidate = aging.candidate.pointer
    unsafe ticks = aging.ticks.pointer
    words = grid.configuration.wordCount
    unsafe rates = UnsafePointer(aging.rates.pointer)
    now = aging.now
    threshold = grid.byteModel.threshold
    firstColumn = columns.lowerBound
    columnCount = columns.count
  }

  func run(part: Int, of parts: Int) {
    let range = partition(columnCount, part: part, of: parts)
    unsafe AgingKernels.decayColumns(
      set, lines, occupied, known, dynamic, candidate, ticks, words, rates, now, threshold,
      firstColumn + range.lowerBound..<firstColumn + range.upperBound, onlyDynamic)
  }
}

/// Ageing of the columns with evidence, by window rows; a row of the torus is two runs of columns.
@safe
struct AgeEvidenceJob: PartitionedJob {
  let set: InstructionSet
  let decay: DecayJob
  let free: UnsafePointer<UInt64>
  let freeParts: Int
  let freeStride: Int
  let hits: UnsafePointer<UInt64>
  let moving: UnsafeMutablePointer<UInt64>
  let masks: UnsafePointer<UInt64>
  let vanished: UnsafeMutablePointer<UInt64>
  let solid: UnsafeMutablePointer<UInt64>
  let levels: UnsafePointer<Int8>
  let columns: Int
  let rows: Int
  let slotX: Int
  let slotY: Int

  init(grid: OccupancyGrid, aging: OccupancyAging, set: InstructionSet) {
    self.set = set
    decay = DecayJob(grid: grid, aging: aging, set: set, columns: 0..<0)
    unsafe free = UnsafePointer(grid.windowFree.pointer)
    freeParts = grid.freeParts
    freeStride = grid.freeStride
    unsafe hits = UnsafePointer(grid.windowHits.pointer)
    unsafe moving = aging.moving.pointer
    unsafe masks = UnsafePointer(grid.heightMasks.pointer)
    unsafe vanished = aging.vanished.pointer
    unsafe solid = aging.solid.pointer
    unsafe levels = UnsafePointer(aging.levels.pointer)
    columns = grid.cellCounts.x
    rows = grid.cellCounts.y
    slotX = OccupancyGrid.wrap(Int(grid.window[0]), columns)
    slotY = OccupancyGrid.wrap(Int(grid.window[1]), rows)
  }

  func run(part: Int, of parts: Int) {
    for row in partition(rows, part: part, of: parts) {
      let slotRow = row + slotY < rows ? row + slotY : row + slotY - rows
      age(row * columns, slotRow * columns + slotX, columns - slotX)
      age(row * columns + columns - slotX, slotRow * columns, slotX)
    }
  }

  private func age(_ column: Int, _ slot: Int, _ count: Int) {
    let evidence = column * decay.words
    let line = slot * decay.words
    unsafe AgingKernels.ageEvidence(
      set, free + evidence, freeParts, freeStride, hits + evidence, moving + evidence, count,
      decay.words, masks, decay.lines + line * 64, decay.occupied + line, decay.known + line,
      decay.dynamic + line, decay.candidate + line, vanished + line, solid + line,
      decay.ticks + slot, decay.rates, decay.now, levels)
  }
}
