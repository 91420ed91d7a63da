extension OccupancyGrid {
  /// The scan at hand by fans: exact hits, free space as `FanCarver` finds it.
  func collectByFans(
    _ points: PointCloudView, count: Int, worldFromLidar: RigidTransform,
    egoFromLidar: RigidTransform, limit: CarvingLimit, set: InstructionSet, carver: FanCarver
  ) -> ScanSummary {
    guard let base = unsafe points.baseAddress, count > 0 else { return ScanSummary() }
    let world = SIMD3<Float>(worldFromLidar.translation)
    carver.place(world: world, range: rangeMeters, window: window, configuration: configuration)
    carver.place(box: configuration.egoBox, egoFromLidar: egoFromLidar)
    Self.store(worldFromLidar, into: carver.frame, at: 0)
    Self.store(egoFromLidar, into: carver.frame, at: 12)
    unsafe pool.run(
      TraceJob(
        set: set, base: base, stride: points.byteStride,
        offsets: (points.xByteOffset, points.yByteOffset, points.zByteOffset), count: count,
        frame: carver.frame.pointer, setup: carver.setup.pointer, window: window.pointer,
        scratch: carver.scratch.pointer, bins: carver.bins.pointer, beams: carver.beams.pointer,
        hits: carver.hits.pointer, tallies: carver.tallies.pointer))
    let blocks = (count + ScanEvidence.blockSize - 1) / ScanEvidence.blockSize
    let (summary, lowest, highest) = carver.summarize(blockCount: blocks)
    guard summary.rayCount > 0 else { return summary }
    carver.spreadSlots(lowest: lowest, highest: highest)
    gatherBeams(count, set, carver)
    // OctoMap drops rays whose origin has no key; hits stay.
    let isCast = VoxelKey(world, inverseVoxelSize: 1 / configuration.voxelSizeMeters) != nil
    carvedBatches = limit.forEachBatch { batch, batchCount in
      if isCast { unsafe pool.run(carveJob(batch, of: batchCount, set, carver)) }
    }
    if !isCast || carvedBatches < CarvingLimit.batchCount {
      unsafe pool.run(ClearFansJob(image: carver.image.pointer, count: carver.image.count))
    }
    joinApartRows(carver)
    return summary
  }

  /// Ors the rows that the upper shares kept apart into the masks.
  private func joinApartRows(_ carver: FanCarver) {
    let row = Int(carver.origin[1].rounded(.down))
    guard row >= 0, row < configuration.cellCountY else { return }
    let words = configuration.cellCountX * configuration.wordCount
    for mask in 0..<freeParts {
      let base = unsafe windowFree.pointer + mask * freeStride
      let apart = unsafe base + (freeStride - words)
      for word in 0..<words where unsafe apart[word] != 0 {
        unsafe base[row * words + word] |= apart[word]
        unsafe apart[word] = 0
      }
    }
  }

  /// [R | t] by rows.
  static func store(_ transform: RigidTransform, into buffer: AlignedBuffer<Double>, at index: Int) {
    let rows = (transform.rotation.row0, transform.rotation.row1, transform.rotation.row2)
    for axis in 0..<3 {
      buffer[index + axis] = rows.0[axis]
      buffer[index + 4 + axis] = rows.1[axis]
      buffer[index + 8 + axis] = rows.2[axis]
      buffer[index + 4 * axis + 3] = transform.translation[axis]
    }
  }

  /// Sorts beams into fans, holds them back where the mode does, and merges the fans.
  private func gatherBeams(_ count: Int, _ set: InstructionSet, _ carver: FanCarver) {
    let holdsBack = carver.settings.holdBack != nil
    let ring = unsafe carver.measured.pointer + (holdsBack ? 16 : 0)
    unsafe pool.run(
      SortBeamsJob(
        set: set, binCount: carver.binCount, slots: carver.origin.pointer + 4, count: count,
        words: windowHits.count, bins: carver.bins.pointer, beams: carver.beams.pointer,
        hits: carver.hits.pointer, image: holdsBack ? ring : carver.image.pointer,
        scratch: carver.scratch.pointer, marks: windowHits.pointer))
    if holdsBack {
      unsafe pool.run(
        HoldBackJob(
          set: set, binCount: carver.binCount, measured: ring, lines: carver.lines.pointer,
          settings: carver.holdBack.pointer, scratch: carver.scratch.pointer,
          image: carver.image.pointer))
    }
    carver.pairs.zero()
    unsafe pool.run(
      MergeFansJob(
        set: set, binCount: carver.binCount, levelCount: carver.levelCount,
        image: carver.image.pointer, measured: holdsBack ? ring : nil,
        pairs: carver.pairs.pointer))
    carver.chooseSpacing()
  }

  @unsafe
  private func carveJob(
    _ batch: Int, of batchCount: Int, _ set: InstructionSet, _ carver: FanCarver
  ) -> CarveFansJob {
    unsafe CarveFansJob(
      set: set, binCount: carver.binCount, levelCount: carver.levelCount, batch: batch,
      batchCount: batchCount, rangeUnit: 1 / carver.setup[8], origin: carver.origin.pointer,
      lines: carver.lines.pointer + carver.firstLine, image: carver.image.pointer,
      window: window.pointer,
      scratch: carver.scratch.pointer, free: windowFree.pointer, maskCount: freeParts,
      maskStride: freeStride)
  }
}
