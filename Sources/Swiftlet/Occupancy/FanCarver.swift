/// Finds free space fan by fan instead of ray by ray. Rays are sorted into direction bins; a fan is
/// the vertical plane in the middle of one bin, holding the longest beam of each elevation. Walks away
/// from the sensor clear what a fan's beams pass (see `carveFans`). Near the sensor, where many bins
/// cross one column, neighbouring bins are merged two by two, level by level, so that neighbouring
/// fans always lie about `spacing` voxels apart.
///
/// The whole error is that a ray is moved sideways to its fan, by half of that distance at the most,
/// and ends `setback` voxels early; what is hit stays exact. All buffers are made in `init`.
@safe
final class FanCarver {
  /// What trades agreement for time; see the table in the Occupancy article.
  struct Settings: Sendable, Equatable {
    /// Neighbouring fans are at most this many voxels apart where the bins allow it.
    var spacing: Float
    /// Moved sideways by its fan, a ray that grazes a surface would clear its neighbours' ends.
    var setback: Float
    /// A fan clears the columns it crosses by at least so many voxels: where it clips a corner, the
    /// rays it stands for may not.
    var leastCrossing: Float = 0
    /// Bins at the least; a power of two.
    var leastBinCount: Int
    /// How beams are held back from surfaces they graze; nil where they are not.
    var holdBack: HoldBack?
  }
  /// Elevations a fan tells apart.
  static let slotCount = 128
  /// The level of so many fans is where a scan's firings are counted.
  static let countedFans = 2048
  /// Where fewer than this share of its neighbouring fans both have a beam, the sensor fires less
  /// than about 1,500 times a turn.
  static let denseShare = 0.5
  /// Fans of the coarsest level.
  static let coarsestCount = 8
  /// Words of scratch a thread.
  static let scratchCount = 10240
  /// Whether a level of so many fans is dealt out to the batches; else it belongs to batch 0.
  static func isDealt(_ fans: Int, batchCount: Int) -> Bool { fans >= 4 * batchCount }

  /// See `holdBackBeams`.
  struct HoldBack: Sendable, Equatable {
    /// How near to a surface a ray stops, voxels.
    var width: Float
    /// A lead over the beam above or below of more than so many times their distance is an edge.
    var steepest: Float
    /// The same for beams beside.
    var steepestBeside: Float
    /// The steepest surface that is level, rise a run.
    var levelRise: Float
    /// A surface so near to the face between two layers lies in both, metres.
    var faceMargin: Float
    /// The noise of ranges, metres: where a beam comes down on a surface, this times its slope is
    /// added to the margin.
    var rangeNoise: Float
  }

  let settings: Settings
  let binCount: Int
  let levelCount: Int
  /// Fans of all levels.
  let rowCount: Int
  let bins: AlignedBuffer<Int32>
  let beams: AlignedBuffer<Int32>
  let hits: AlignedBuffer<Int32>
  /// Per block of points what `traceRays` counts.
  let tallies: AlignedBuffer<Int>
  /// [row][slot], zero between scans.
  let image: AlignedBuffer<Int32>
  /// [bin][slot] with 16 words in front and behind, zero between scans: what was measured, where
  /// the image holds beams back.
  let measured: AlignedBuffer<Int32>
  let holdBack = AlignedBuffer<Float>(count: 16)
  /// Per row direction x, y, 1 / x, 1 / y, where its walk begins and ends, and `leastCrossing`,
  /// voxels; then the same for half the spacing.
  let lines: AlignedBuffer<Float>
  /// Per thread counts of `countFanPairs`, 8 apart.
  let pairs: AlignedBuffer<Int>
  /// Where in `lines` the scan at hand finds its own: where firings lie far apart nothing but narrow
  /// fans keeps a ray near its place.
  var firstLine = 0
  /// World from LiDAR, ego from LiDAR, the ego box, 1 / voxel.
  let frame = AlignedBuffer<Double>(count: 32)
  let setup = AlignedBuffer<Float>(count: 16)
  /// The sensor in window coordinates, voxels; then the slots' lowest elevation and their number a
  /// step.
  let origin = AlignedBuffer<Float>(count: 8)
  let scratch: AlignedBuffer<Int32>

  /// - Parameter reach: longest ray, voxels.
  init(settings: Settings, rayCapacity: Int, reach: Double, threadCount: Int) {
    self.settings = settings
    // Sixteen bins a voxel of reach leave the outermost fans about half a voxel apart. Where a beam is
    // held back by its neighbours they must not be many bins away.
    let leastBins = (settings.holdBack == nil ? 16 : 8) * reach
    var count = settings.leastBinCount
    while Double(count) < leastBins && count < 8192 { count *= 2 }
    binCount = count
    levelCount = (count / Self.coarsestCount).trailingZeroBitCount + 1
    rowCount = 2 * count - Self.coarsestCount
    let blocks = (rayCapacity + ScanEvidence.blockSize - 1) / ScanEvidence.blockSize
    bins = AlignedBuffer(count: blocks * ScanEvidence.blockSize + 16)
    beams = AlignedBuffer(count: blocks * ScanEvidence.blockSize + 16)
    hits = AlignedBuffer(count: blocks * ScanEvidence.blockSize + 16)
    tallies = AlignedBuffer(count: 8 * blocks)
    image = AlignedBuffer(count: rowCount * Self.slotCount)
    measured = AlignedBuffer(
      count: settings.holdBack == nil ? 0 : count * Self.slotCount + 32)
    var finer = settings
    finer.spacing /= 2
    lines = AlignedBuffer(
      Self.lines(binCount: count, settings) + Self.lines(binCount: count, finer))
    pairs = AlignedBuffer(count: 8 * threadCount)
    scratch = AlignedBuffer(count: Self.scratchCount * threadCount)
    // What holds beams back sees where they end and sets them back itself.
    setup[7] = settings.holdBack == nil ? settings.setback : 0
    setup[8] = Self.rangeSteps(reach: reach)
    setup[9] = Float(count) * 0.25
    holdBack[0] = 1 / setup[8]
    holdBack[1] = setup[8]
    holdBack[2] = settings.holdBack?.width ?? 0
    holdBack[3] = settings.holdBack?.steepest ?? 0
    holdBack[4] = settings.spacing / 2
    holdBack[5] = settings.setback
    holdBack[7] = settings.holdBack?.levelRise ?? 0
    holdBack[9] = settings.holdBack?.steepestBeside ?? 0
  }

  /// Chooses the fans' spacing by what `pairs` counted in the scan at hand.
  func chooseSpacing() {
    var both = 0
    var either = 0
    for part in 0..<pairs.count / 8 {
      both += pairs[8 * part]
      either += pairs[8 * part + 1]
    }
    firstLine = Double(both) < Self.denseShare * Double(either) ? 8 * rowCount : 0
  }

  /// Range steps a voxel: the largest power of two that keeps every range below 32,767 steps.
  private static func rangeSteps(reach: Double) -> Float {
    var steps: Float = 1.0 / 64
    while 2 * Double(steps) * (reach + 2) < 32767 { steps *= 2 }
    return steps
  }

  /// First row of a level, and its fans.
  func rows(ofLevel level: Int) -> Range<Int> {
    let first = 2 * binCount - binCount >> level * 2
    return first..<first + binCount >> level
  }

  /// A part's bins: whole fans of the coarsest level.
  static func ownBins(_ binCount: Int, part: Int, of parts: Int) -> Range<Int> {
    let units = partition(coarsestCount, part: part, of: parts)
    let unit = binCount / coarsestCount
    return units.lowerBound * unit..<units.upperBound * unit
  }

  private static func lines(binCount: Int, _ settings: Settings) -> [Float] {
    let spacing = Double(settings.spacing)
    var values: [Float] = []
    var count = binCount
    while count >= coarsestCount {
      for fan in 0..<count {
        let angle = (Double(fan) + 0.5) * 4 / Double(count) - 1
        let y = angle <= 1 ? angle : 2 - angle
        let x = (1 - abs(y)) * (angle <= 1 ? 1 : -1)
        let norm = (x * x + y * y).squareRoot()
        // Bins share the diamond angle evenly: in radians they are 1 / norm² times as wide.
        let end = spacing * Double(count) / 4 * norm * norm
        values += [
          Float(x / norm), Float(y / norm), Float(norm / x), Float(norm / y),
          count == coarsestCount ? 0 : Float(end / 2), count == binCount ? .infinity : Float(end),
          settings.leastCrossing, 0,
        ]
      }
      count /= 2
    }
    return values
  }
}

extension FanCarver {
  /// Where the sensor stands and which rays count.
  func place(
    world: SIMD3<Float>, range: Double, window: AlignedBuffer<Int32>,
    configuration: OccupancyConfiguration
  ) {
    let voxel = configuration.voxelSizeMeters
    for axis in 0..<3 {
      setup[axis] = world[axis]
      // In float64: kilometres from the world's origin a float32 key would be off by centimetres.
      origin[axis] = Float(Double(world[axis]) / voxel - Double(window[axis]))
    }
    frame[30] = 1 / voxel
    holdBack[6] = (settings.holdBack?.faceMargin ?? 0) / Float(voxel)
    holdBack[10] = (settings.holdBack?.rangeNoise ?? 0) / Float(voxel)
    holdBack[8] = origin[2]
    setup[3] = Float(1 / voxel)
    setup[4] = Float(range)
    setup[5] = Self.largestSquare(within: range)
    setup[6] = Self.smallestSquare(from: configuration.minimumRangeMeters)
    window[6] = Int32(binCount - 1)
  }

  /// The largest float32 whose root in float64 is at most `range`: comparing squares with it decides
  /// as comparing lengths does.
  static func largestSquare(within range: Double) -> Float {
    if range < 0 { return .infinity }
    var square = Float(range * range)
    while Double(square).squareRoot() > range { square = square.nextDown }
    while Double(square.nextUp).squareRoot() <= range { square = square.nextUp }
    return square
  }
  /// The smallest float32 whose root in float64 is at least `range`.
  static func smallestSquare(from range: Double) -> Float {
    if range <= 0 { return 0 }
    var square = Float(range * range)
    while Double(square).squareRoot() < range { square = square.nextUp }
    while square > 0, Double(square.nextDown).squareRoot() >= range { square = square.nextDown }
    return square
  }

  /// The ego box, and the distance from the sensor beyond which no point can be in it.
  func place(box: OccupancyConfiguration.AxisAlignedBox?, egoFromLidar: RigidTransform) {
    guard let box else {
      setup[10] = -1
      return
    }
    var corner = SIMD3<Double>(repeating: 0)
    for axis in 0..<3 {
      frame[24 + axis] = box.lower[axis]
      frame[27 + axis] = box.upper[axis]
      corner[axis] = max(abs(box.lower[axis]), abs(box.upper[axis]))
    }
    let mount = egoFromLidar.translation
    let reach = (corner * corner).sum().squareRoot() + (mount * mount).sum().squareRoot()
    // A wide margin over the rounding of float32 squares and of a nearly orthonormal rotation.
    let safe = reach * 1.01 + 0.01
    setup[10] = Float(safe * safe)
  }

  /// Spreads the slots over the elevations of the scan, steeper ones than 56° at either end.
  func spreadSlots(lowest: Int, highest: Int) {
    let least = max(lowest, 13107)
    let most = min(highest, 52428)
    // The first and the last slot stay empty: neighbours of a row's ends are nobody's.
    let scale = Float(Self.slotCount - 2) / Float(max(1, most - least + 1))
    origin[4] = Float(least) - 1 / scale
    origin[5] = scale
  }

  /// Totals of the last scan's blocks.
  func summarize(blockCount: Int) -> (summary: ScanSummary, lowest: Int, highest: Int) {
    var summary = ScanSummary()
    var lowest = 65535
    var highest = 0
    for block in 0..<blockCount {
      let tally = unsafe tallies.pointer + 8 * block
      unsafe summary.notFiniteCount += tally[0]
      unsafe summary.tooNearCount += tally[1]
      unsafe summary.outsideCount += tally[2]
      unsafe summary.insideEgoCount += tally[3]
      unsafe summary.rayCount += tally[4]
      unsafe lowest = min(lowest, tally[5])
      unsafe highest = max(highest, tally[6])
    }
    return (summary, lowest, highest)
  }
}
