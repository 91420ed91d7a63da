extension OccupancyGrid {
  /// Brings points to world one by one; those in the ego box are dropped.
  func transformReference(
    _ points: PointCloudView, _ count: Int, _ worldFromLidar: RigidTransform,
    _ egoFromLidar: RigidTransform
  ) -> Int {
    var kept = 0
    for index in 0..<count {
      let point = unsafe SIMD3<Float>(
        points.value(index, points.xByteOffset), points.value(index, points.yByteOffset),
        points.value(index, points.zByteOffset))
      if let box = configuration.egoBox {
        let p = SIMD3<Double>(point)
        let r = egoFromLidar.rotation
        let t = egoFromLidar.translation
        let inEgo = SIMD3(
          ((r.row0.x * p.x + r.row0.y * p.y) + r.row0.z * p.z) + t.x,
          ((r.row1.x * p.x + r.row1.y * p.y) + r.row1.z * p.z) + t.y,
          ((r.row2.x * p.x + r.row2.y * p.y) + r.row2.z * p.z) + t.z)
        let isInside = (0..<3).allSatisfy {
          inEgo[$0] >= box.lower[$0] && inEgo[$0] <= box.upper[$0]
        }
        if isInside { continue }
      }
      let world = WorldPoints.transformed(point, worldFromLidar)
      let stride = worldPlanes.stride
      worldPlanes.planes[kept] = world.x
      worldPlanes.planes[stride + kept] = world.y
      worldPlanes.planes[2 * stride + kept] = world.z
      kept += 1
    }
    return kept
  }

  /// Walks every ray and sets the bits of the voxels inside the window.
  func collectReference(
    count: Int, origin: SIMD3<Float>, _ limit: CarvingLimit
  ) -> ScanSummary {
    let size = configuration.voxelSizeMeters
    var rays: [(block: Int, end: SIMD3<Float>, last: VoxelKey)] = []
    let summary = forEachRayReference(count: count, origin: origin) { index, ray, last in
      if ray.isHit { mark(last, windowHits) }
      rays.append((index / ScanEvidence.blockSize, ray.end, last))
    }
    carvedBatches = limit.forEachBatch { batch, batchCount in
      guard let first = VoxelKey(origin, inverseVoxelSize: 1 / size) else { return }
      for ray in rays where ray.block % batchCount == batch {
        RayTraversal.forEachVoxel(from: origin, first, to: ray.end, ray.last, voxelSize: size) {
          mark($0, windowFree)
        }
      }
    }
    return summary
  }

  /// Calls `body` for every ray that counts, with its point's index and its end's voxel.
  func forEachRayReference(
    count: Int, origin: SIMD3<Float>, _ body: (Int, RayEnd, VoxelKey) -> Void
  ) -> ScanSummary {
    var summary = ScanSummary()
    summary.pointCount = count
    for index in 0..<count {
      let stride = worldPlanes.stride
      let point = SIMD3(
        worldPlanes.planes[index], worldPlanes.planes[stride + index],
        worldPlanes.planes[2 * stride + index])
      guard point.x.isFinite, point.y.isFinite, point.z.isFinite else {
        summary.notFiniteCount += 1
        continue
      }
      let ray = RayEnd(
        point: point, origin: origin, maximumRange: rangeMeters)
      guard ray.range >= configuration.minimumRangeMeters else {
        summary.tooNearCount += 1
        continue
      }
      let inverse = 1 / configuration.voxelSizeMeters
      guard let last = VoxelKey(ray.end, inverseVoxelSize: inverse) else {
        summary.outsideCount += 1
        continue
      }
      summary.rayCount += 1
      body(index, ray, last)
    }
    return summary
  }

  func mark(_ key: VoxelKey, _ mask: AlignedBuffer<UInt64>) {
    guard let local = localIndex(key) else { return }
    mask[(local.y * configuration.cellCountX + local.x) * configuration.wordCount + local.z / 64] |=
      1 << UInt64(local.z % 64)
  }

  /// One hit or one miss for every marked voxel, one voxel at a time.
  func foldReference() {
    let words = configuration.wordCount
    for y in 0..<configuration.cellCountY {
      for x in 0..<configuration.cellCountX {
        for word in 0..<words {
          let evidence = (y * configuration.cellCountX + x) * words + word
          let hit = windowHits[evidence]
          let miss = windowFree[evidence] & ~hit
          windowHits[evidence] = 0
          windowFree[evidence] = 0
          if hit | miss == 0 { continue }
          let line = lineIndex(x: x, y: y) + word
          for bit in 0..<64 where (hit | miss) >> UInt64(bit) & 1 == 1 {
            let isHit = hit >> UInt64(bit) & 1 == 1
            known[line] |= 1 << UInt64(bit)
            occupied[line] &= ~(1 << UInt64(bit))
            if update(line * 64 + bit, isHit: isHit) { occupied[line] |= 1 << UInt64(bit) }
            totals[isHit ? 1 : 0] += 1
          }
        }
      }
    }
  }

  /// One hit or miss for the voxel at `place`; true where it is occupied afterwards.
  private func update(_ place: Int, isHit: Bool) -> Bool {
    guard exactLines.count > 0 else {
      lines[place] = (evidenceModel ?? byteModel).updated(lines[place], isHit: isHit)
      return lines[place] >= byteModel.threshold
    }
    let value = shortModel.updated(exactLines[place], isHit: isHit)
    exactLines[place] = value
    let scaled = Float(value) * (byteModel.stepsPerUnit / shortModel.stepsPerUnit)
    lines[place] = Int8(min(max(scaled.rounded(.toNearestOrEven), -127), 127))
    return value >= shortModel.threshold
  }
}
