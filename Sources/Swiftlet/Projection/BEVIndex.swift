/// The sorted tables of BEVPoolv2: which points fall into which cell.
///
/// Built by a stable counting sort, so points of a cell are in ascending depth index and the
/// tables do not depend on the number of threads. All buffers are made in `init`; a rebuild
/// allocates nothing.
public final class BEVIndex {
  public let layout: FrustumLayout
  public let cellCount: Int
  public let engine: Engine
  let pool: WorkerPool
  /// Cell rank of every point in flat depth order; `cellCount` for a dropped one.
  let ranks: AlignedBuffer<Int32>
  /// First slot of every cell, then that of the dropped points, then the number of points.
  let starts: AlignedBuffer<Int32>
  /// Depth index in the low, feature index in the high half; dropped points last.
  let points: AlignedBuffer<UInt64>
  /// Bit c: camera c has points in the cell. All zero for a rig of more than 16 cameras.
  public let cameraMasks: AlignedBuffer<UInt16>
  /// One histogram per part, `histogramStride` apart.
  let histograms: AlignedBuffer<Int32>
  let histogramStride: Int
  let partSums: AlignedBuffer<Int>
  let cameraStarts: AlignedBuffer<Int32>
  /// The order the pool visits cells in: cell, first slot, end of its slots. By rank; for feature
  /// maps that no second-level cache holds, cells without points first, then by the camera and
  /// column of the first point (see VisitOrder in the kernels).
  let visits: AlignedBuffer<Int32>
  let visitKeys: AlignedBuffer<UInt16>
  /// First visit of every key and the end; key 0 is that of cells without points.
  let visitStarts: AlignedBuffer<Int32>
  /// The work before every key and the whole, in points.
  let visitWork: AlignedBuffer<Int32>
  /// Histogram and work of every part, `visitKeyStride` apart.
  let visitCounts: AlignedBuffer<Int32>
  let visitKeyStride: Int
  let visitKeyCount: Int
  let tokenColumns: AlignedBuffer<UInt16>
  /// Where feature rows stay in the second-level cache anyway, reading and writing in rank order,
  /// which prefetchers follow, is faster. 8,192 tokens of 64 channels are 2 MiB.
  static let leastTokensByColumn = 8192
  /// Depth ranges left out of the next pooling call, as pairs.
  let excluded: AlignedBuffer<Int32>

  public init(layout: FrustumLayout, cellCount: Int, engine: Engine, pool: WorkerPool) {
    precondition(
      cellCount > 0 && cellCount < 1 << 30, "\(cellCount) cells; 1 to \((1 << 30) - 1) are possible")
    self.layout = layout
    self.cellCount = cellCount
    self.engine = engine
    self.pool = pool
    ranks = AlignedBuffer(count: layout.pointCount)
    starts = AlignedBuffer(count: cellCount + 2)
    points = AlignedBuffer(count: layout.pointCount)
    cameraMasks = AlignedBuffer(count: cellCount)
    histogramStride = (cellCount + 1 + 31) & ~15
    histograms = AlignedBuffer(count: histogramStride * pool.threadCount)
    partSums = AlignedBuffer(count: 16 * pool.threadCount)
    cameraStarts = AlignedBuffer(layout.depthStarts.map(Int32.init))
    excluded = AlignedBuffer(count: 2 * layout.cameras.count + 2)
    let columns = layout.cameras.reduce(0) { $0 + $1.featureWidth }
    precondition(columns < Int(UInt16.max), "\(columns) feature columns; 65534 are possible")
    visitKeyCount = columns + 1
    visitKeyStride = (visitKeyCount + 1 + 15) & ~15
    visits = AlignedBuffer(count: 3 * cellCount)
    visitKeys = AlignedBuffer(count: cellCount)
    visitStarts = AlignedBuffer(count: visitKeyCount + 1)
    visitWork = AlignedBuffer(count: visitKeyCount + 1)
    visitCounts = AlignedBuffer(count: 2 * visitKeyStride * pool.threadCount)
    tokenColumns = AlignedBuffer(layout.tokenColumns)
  }

  /// Points inside the grid.
  public var keptCount: Int { Int(starts[cellCount]) }

  /// Rebuilds the tables for the cameras' present geometry.
  ///
  /// - Precondition: `lift` has this index's layout and number of cells.
  public func rebuild(_ lift: FrustumLift) {
    precondition(lift.layout == layout, "the lift's layout differs from the index's")
    precondition(
      lift.grid.cellCount == cellCount,
      "the lift has \(lift.grid.cellCount) cells, the index \(cellCount)")
    switch engine {
    case .reference:
      lift.ranksReference(into: ranks)
      sortReference()
    case .simd(let set):
      rebuildSIMD(lift, set)
    }
  }

  /// Rebuilds the tables from a cell rank per point in flat depth order; ranks outside
  /// 0..<cellCount drop the point.
  public func rebuild(ranks newRanks: [Int32]) {
    precondition(
      newRanks.count == layout.pointCount,
      "\(newRanks.count) ranks for \(layout.pointCount) points")
    for (point, rank) in newRanks.enumerated() {
      ranks[point] = rank >= 0 && rank < cellCount ? rank : Int32(cellCount)
    }
    switch engine {
    case .reference: sortReference()
    case .simd(let set): sortSIMD(set)
    }
  }

  /// Per cell of one slab, 1 where a camera of `cameras` has a point at any height. `validity`
  /// holds cellCount / slabs values.
  public func markValidCells(
    _ cameras: CameraSet, slabs: Int, into validity: AlignedBuffer<UInt8>
  ) {
    let perSlab = cellCount / slabs
    precondition(
      validity.count == perSlab && perSlab * slabs == cellCount,
      "\(validity.count) validity cells for \(cellCount) cells in \(slabs) slabs")
    switch engine {
    case .reference:
      for cell in 0..<perSlab {
        var seen: UInt16 = 0
        for slab in 0..<slabs { seen |= cameraMasks[slab * perSlab + cell] }
        validity[cell] = seen & cameras.rawValue == 0 ? 0 : 1
      }
    case .simd(let set):
      unsafe pool.run(
        ValidityJob(
          set: set, masks: cameraMasks.pointer, slabs: slabs, cells: perSlab,
          cameras: cameras.rawValue, validity: validity.pointer))
    }
  }
}

/// The tables as BEVPoolv2 names them; arrays made for inspection.
public struct BEVIndexTables: Sendable, Equatable {
  /// Cell of every kept point, ascending.
  public var ranksBEV: [Int32] = []
  /// Flat index into depth.
  public var ranksDepth: [Int32] = []
  /// Flat feature token.
  public var ranksFeature: [Int32] = []
  public var intervalStarts: [Int32] = []
  public var intervalLengths: [Int32] = []
}

extension BEVIndex {
  /// A copy of the tables; allocates.
  public func tables() -> BEVIndexTables {
    var tables = BEVIndexTables()
    for cell in 0..<cellCount {
      let slots = starts[cell]..<starts[cell + 1]
      if slots.isEmpty { continue }
      tables.intervalStarts.append(slots.lowerBound)
      tables.intervalLengths.append(Int32(slots.count))
      for slot in slots {
        tables.ranksBEV.append(Int32(cell))
        tables.ranksDepth.append(Int32(truncatingIfNeeded: points[Int(slot)]))
        tables.ranksFeature.append(Int32(truncatingIfNeeded: points[Int(slot)] >> 32))
      }
    }
    return tables
  }

  /// Cell rank of every point in flat depth order, -1 for a dropped one; allocates.
  public func pointRanks() -> [Int32] {
    ranks.array.map { $0 == Int32(cellCount) ? -1 : $0 }
  }
}
