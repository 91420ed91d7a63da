extension OccupancyGrid {
  /// The scan at hand by fans: exact hits, free space as `FanCarver` finds it.
  func collectByFans(
    _ points: PointCloudView, count: Int, worldFromLidar: RigidTransform,
    egoFromLidar: RigidTransform, set: InstructionSet, carver: FanCarver
  ) -> ScanSummary {
    guard let base = unsafe points.baseAddress, count > 0 else { return ScanSummary() }
    let world = SIMD3<Float>(worldFromLidar.translation)
    carver.place(world: world, window: window, configuration: configuration)
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
    unsafe pool.run(gatherJob(count, set, carver))
    // OctoMap drops rays whose origin has no key; hits stay.
    if VoxelKey(world, inverseVoxelSize: 1 / configuration.voxelSizeMeters) != nil {
      unsafe pool.run(carveJob(batch: 0, of: 1, set, carver))
    }
    return summary
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

  @unsafe
  private func gatherJob(
    _ count: Int, _ set: InstructionSet, _ carver: FanCarver
  ) -> GatherBeamsJob {
    unsafe GatherBeamsJob(
      set: set, binCount: carver.binCount, levelCount: carver.levelCount,
      rangeUnit: 1 / carver.setup[8], slots: carver.origin.pointer + 4, count: count,
      words: windowHits.count, bins: carver.bins.pointer, beams: carver.beams.pointer,
      hits: carver.hits.pointer, image: carver.image.pointer, scratch: carver.scratch.pointer,
      ranges: carver.ranges.pointer, slopes: carver.slopes.pointer, groups: carver.groups.pointer,
      counts: carver.counts.pointer, marks: windowHits.pointer)
  }

  @unsafe
  private func carveJob(
    batch: Int, of batchCount: Int, _ set: InstructionSet, _ carver: FanCarver
  ) -> CarveFansJob {
    unsafe CarveFansJob(
      set: set, binCount: carver.binCount, levelCount: carver.levelCount, batch: batch,
      batchCount: batchCount, origin: carver.origin.pointer, lines: carver.lines.pointer,
      ranges: carver.ranges.pointer, slopes: carver.slopes.pointer, groups: carver.groups.pointer,
      counts: carver.counts.pointer, window: window.pointer, scratch: carver.scratch.pointer,
      free: windowFree.pointer, partStride: freeStride)
  }
}
