extension OccupancyGrid {
  /// The scan at hand by columns: exact hits, free space as `ColumnCarver` finds it.
  func collectByColumns(
    count: Int, origin: SIMD3<Float>, carver: ColumnCarver
  ) -> ScanSummary {
    guard let evidence else { return ScanSummary() }
    _ = unsafe evidence.findEnds(
      worldPlanes.x, worldPlanes.y, worldPlanes.z, count: count, origin: origin,
      minimumRange: configuration.minimumRangeMeters,
      maximumRange: configuration.maximumRangeMeters)
    carver.place(
      origin: origin, window: window, voxel: configuration.voxelSizeMeters,
      reach: configuration.maximumRangeMeters)
    let rays = unsafe evidence.rayPointers
    unsafe pool.run(
      BinRaysJob(
        set: evidence.set, ends: rays.ends, capacity: rays.capacity, counts: rays.counts,
        blockCount: rays.blockCount, origin: carver.origin.pointer, bins: carver.bins.pointer,
        ranges: carver.ranges.pointer, slopes: carver.slopes.pointer))
    unsafe pool.run(sortJob(.count, carver, rays))
    carver.layOutBins()
    unsafe pool.run(sortJob(.fill, carver, rays))
    carver.summarizeSectors()
    unsafe pool.run(
      CarveColumnsJob(
        set: evidence.set, origin: carver.origin.pointer + 4,
        maximumSamples: carver.maximumSamples, starts: carver.starts.pointer,
        binRanges: carver.binRanges.pointer, binSlopes: carver.binSlopes.pointer,
        groupRanges: carver.groupRanges.pointer, longest: carver.longest.pointer,
        sectors: carver.sectors.pointer, directions: carver.directions.pointer,
        window: window.pointer, free: windowFree.pointer, keys: rays.keys, isHit: rays.isHit,
        capacity: rays.capacity, counts: rays.counts, blockCount: rays.blockCount,
        hits: windowHits.pointer))
    return evidence.summary
  }

  @unsafe
  private func sortJob(
    _ step: SortRaysJob.Step, _ carver: ColumnCarver, _ rays: ScanEvidence.RayPointers
  ) -> SortRaysJob {
    unsafe SortRaysJob(
      step: step, set: evidence?.set ?? .portable, counts: rays.counts,
      blockCount: rays.blockCount, bins: carver.bins.pointer, ranges: carver.ranges.pointer,
      slopes: carver.slopes.pointer, starts: carver.starts.pointer,
      cursors: carver.cursors.pointer, binRanges: carver.binRanges.pointer,
      binSlopes: carver.binSlopes.pointer, groupRanges: carver.groupRanges.pointer,
      longest: carver.longest.pointer)
  }
}
