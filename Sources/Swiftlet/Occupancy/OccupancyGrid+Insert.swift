extension OccupancyGrid {
  /// Inserts one scan and folds it: `add` then `fold`.
  ///
  /// - Parameters:
  ///   - points: in LiDAR axes; points that are not finite are skipped and counted.
  ///   - worldFromLidar: pose of the LiDAR when it was measured.
  ///   - egoFromLidar: for the ego-body box; needed only when the configuration has one.
  ///   - limit: how much of the free space to carve.
  @discardableResult
  public func insert(
    _ points: PointCloudView, worldFromLidar: RigidTransform,
    egoFromLidar: RigidTransform = .identity, limit: CarvingLimit = .unlimited
  ) -> ScanSummary {
    add(points, worldFromLidar: worldFromLidar, egoFromLidar: egoFromLidar, limit: limit)
    return fold()
  }

  /// Adds a LiDAR's points to the scan at hand. Several LiDARs added before one `fold` count as one
  /// scan: a voxel gets one hit if any of them hit it, else one miss if any saw through it.
  public func add(
    _ points: PointCloudView, worldFromLidar: RigidTransform,
    egoFromLidar: RigidTransform = .identity, limit: CarvingLimit = .unlimited
  ) {
    let count = min(points.count, configuration.maximumPointCount)
    var summary: ScanSummary
    carvedBatches = CarvingLimit.batchCount
    if case .simd(let set) = engine, let carver {
      summary = collectByFans(
        points, count: count, worldFromLidar: worldFromLidar, egoFromLidar: egoFromLidar,
        limit: limit, set: set, carver: carver)
    } else {
      summary = collectTransformed(points, count, worldFromLidar, egoFromLidar, limit)
    }
    summary.carvedBatchCount = carvedBatches
    summary.batchCount = CarvingLimit.batchCount
    summary.outsideCount += points.count - count
    summary.pointCount = points.count
    pending = pending + summary
  }

  /// Adds rays that came back without a return to the scan at hand: they clear up to
  /// `noReturnRangeMeters` and hit nothing. Does nothing where that is 0.
  ///
  /// - Parameters:
  ///   - points: anywhere along the rays but farther than the maximum range, in LiDAR axes; see
  ///     `MissingReturns`.
  ///   - worldFromLidar: pose of the LiDAR when it was measured.
  ///   - limit: where carving stops.
  public func addMissing(
    _ points: PointCloudView, worldFromLidar: RigidTransform, limit: CarvingLimit = .unlimited
  ) {
    guard configuration.noReturnRangeMeters > 0, points.count > 0 else { return }
    let before = (pending, carvedBatches)
    rangeMeters = configuration.noReturnRangeMeters
    add(points, worldFromLidar: worldFromLidar, egoFromLidar: .identity, limit: limit)
    rangeMeters = configuration.maximumRangeMeters
    // What is counted are the scan's points and its carving.
    (pending, carvedBatches) = before
  }

  /// Updates the map with everything added since the last fold and returns what became of it.
  /// Occupied beats free; every voxel is updated at most once.
  @discardableResult
  public func fold() -> ScanSummary {
    totals.zero()
    age()
    switch engine {
    case .reference: foldReference()
    case .simd(let set):
      unsafe pool.run(
        WindowFoldJob(
          set: set, free: windowFree.pointer, freeParts: freeParts, freeStride: freeStride,
          hits: windowHits.pointer, window: window.pointer,
          masks: heightMasks.pointer, lines: lines.pointer, occupied: occupied.pointer,
          known: known.pointer, atMinimum: atMinimum.count > 0 ? atMinimum.pointer : nil,
          model: modelBytes.pointer, totals: totals.pointer,
          exactLines: exactLines.count > 0 ? exactLines.pointer : nil,
          exactModel: modelShorts.pointer,
          exactScale: byteModel.stepsPerUnit / shortModel.stepsPerUnit))
    }
    for part in 0..<pool.threadCount {
      pending.freeVoxelCount += totals[8 * part]
      pending.hitVoxelCount += totals[8 * part + 1]
    }
    let summary = pending
    pending = ScanSummary()
    return summary
  }

  /// The paths that bring all points to world first.
  private func collectTransformed(
    _ points: PointCloudView, _ count: Int, _ worldFromLidar: RigidTransform,
    _ egoFromLidar: RigidTransform, _ limit: CarvingLimit
  ) -> ScanSummary {
    let kept = transform(points, count, worldFromLidar, egoFromLidar)
    let origin = SIMD3<Float>(worldFromLidar.translation)
    var summary: ScanSummary
    if engine != .reference {
      summary = collectExact(count: kept, origin: origin, limit)
    } else if let carver {
      summary = collectByFansReference(
        count: kept, origin: origin, carver: carver, limit)
    } else {
      summary = collectReference(count: kept, origin: origin, limit)
    }
    summary.insideEgoCount = count - kept
    return summary
  }

  /// Brings points to world and drops those in the ego box; returns how many stay.
  private func transform(
    _ points: PointCloudView, _ count: Int, _ worldFromLidar: RigidTransform,
    _ egoFromLidar: RigidTransform
  ) -> Int {
    guard let base = unsafe points.baseAddress else { return 0 }
    guard case .simd(let set) = engine else {
      return transformReference(points, count, worldFromLidar, egoFromLidar)
    }
    Self.store(worldFromLidar, into: matrices, at: 0)
    Self.store(egoFromLidar, into: matrices, at: 16)
    let (x, y, z) = unsafe (worldPlanes.x, worldPlanes.y, worldPlanes.z)
    unsafe OccupancyKernels.transformPoints(
      set, base, points.byteStride, points.xByteOffset, points.yByteOffset, points.zByteOffset,
      count, matrices.pointer, x, y, z)
    guard let box = configuration.egoBox else { return count }
    for axis in 0..<3 {
      matrices[32 + axis] = box.lower[axis]
      matrices[35 + axis] = box.upper[axis]
    }
    return unsafe OccupancyKernels.dropPointsInBox(
      set, base, points.byteStride, points.xByteOffset, points.yByteOffset, points.zByteOffset,
      count, matrices.pointer + 16, matrices.pointer + 32, x, y, z)
  }

  private func collectExact(
    count: Int, origin: SIMD3<Float>, _ limit: CarvingLimit
  ) -> ScanSummary {
    guard let evidence else { return ScanSummary() }
    _ = unsafe evidence.findEnds(
      worldPlanes.x, worldPlanes.y, worldPlanes.z, count: count, origin: origin,
      minimumRange: configuration.minimumRangeMeters, maximumRange: rangeMeters)
    evidence.markHits()
    carvedBatches = limit.forEachBatch { evidence.carve(batch: $0, of: $1) }
    if evidence.wordCount > 0 {
      unsafe pool.run(
        GatherJob(
          evidence: EvidencePointers(evidence), volume: evidence.volume.pointer,
          window: window.pointer, free: windowFree.pointer, hits: windowHits.pointer))
      evidence.clear()
    }
    return evidence.summary
  }
}

/// Ors the scan's volume into the window's masks, by window rows.
@unsafe
struct GatherJob: PartitionedJob {
  let evidence: EvidencePointers
  let volume: UnsafePointer<Int32>
  let window: UnsafePointer<Int32>
  let free: UnsafeMutablePointer<UInt64>
  let hits: UnsafeMutablePointer<UInt64>

  func run(part: Int, of parts: Int) {
    let rows = unsafe partition(Int(window[4]), part: part, of: parts)
    unsafe OccupancyKernels.gatherWindow(
      evidence.set, evidence.free, evidence.partCount, evidence.partStride, evidence.hits, volume,
      window, rows.lowerBound, rows.upperBound, free, hits)
  }
}

/// Folds the window's masks into the lines, by window rows; a row of the torus is two runs of
/// columns.
@unsafe
struct WindowFoldJob: PartitionedJob {
  let set: InstructionSet
  let free: UnsafeMutablePointer<UInt64>
  let freeParts: Int
  let freeStride: Int
  let hits: UnsafeMutablePointer<UInt64>
  let window: UnsafePointer<Int32>
  let masks: UnsafePointer<UInt64>
  let lines: UnsafeMutablePointer<Int8>
  let occupied: UnsafeMutablePointer<UInt64>
  let known: UnsafeMutablePointer<UInt64>
  /// nil where lines are int16 or age as well.
  let atMinimum: UnsafeMutablePointer<UInt64>?
  let model: UnsafePointer<Int8>
  let totals: UnsafeMutablePointer<Int>
  /// nil where only int8 is kept.
  let exactLines: UnsafeMutablePointer<Int16>?
  let exactModel: UnsafePointer<Int16>
  let exactScale: Float

  func run(part: Int, of parts: Int) {
    let columns = unsafe Int(window[3])
    let rows = unsafe Int(window[4])
    let firstSlot = unsafe OccupancyGrid.wrap(Int(window[0]), columns)
    for row in partition(rows, part: part, of: parts) {
      let slotRow = unsafe OccupancyGrid.wrap(Int(window[1]) + row, rows)
      unsafe fold(row * columns, slotRow * columns + firstSlot, columns - firstSlot, part)
      unsafe fold(row * columns + columns - firstSlot, slotRow * columns, firstSlot, part)
    }
  }

  private func fold(_ column: Int, _ slot: Int, _ count: Int, _ part: Int) {
    let words = unsafe Int(window[5])
    let evidence = column * words
    let line = slot * words
    if let exactLines = unsafe exactLines {
      unsafe OccupancyKernels.foldShorts(
        set, free + evidence, freeParts, freeStride, hits + evidence, count, words, masks,
        exactLines + line * 64, lines + line * 64, occupied + line, known + line, exactModel,
        exactScale, totals + 8 * part)
      return
    }
    unsafe OccupancyKernels.foldBytes(
      set, free + evidence, freeParts, freeStride, hits + evidence, count, words, words, words, masks,
      lines + line * 64, occupied + line, known + line, atMinimum.map { unsafe $0 + line }, model,
      totals + 8 * part)
  }
}
