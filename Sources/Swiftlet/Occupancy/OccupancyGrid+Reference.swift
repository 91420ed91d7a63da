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
  func collectReference(count: Int, origin: SIMD3<Float>) -> ScanSummary {
    let size = configuration.voxelSizeMeters
    let first = VoxelKey(origin, inverseVoxelSize: 1 / size)
    return forEachRayReference(count: count, origin: origin) { ray, last in
      if ray.isHit { mark(last, windowHits) }
      guard let first else { return }
      RayTraversal.forEachVoxel(from: origin, first, to: ray.end, last, voxelSize: size) {
        mark($0, windowFree)
      }
    }
  }

  /// Calls `body` for every ray that counts, with its end's voxel.
  func forEachRayReference(
    count: Int, origin: SIMD3<Float>, _ body: (RayEnd, VoxelKey) -> Void
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
        point: point, origin: origin, maximumRange: configuration.maximumRangeMeters)
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
      body(ray, last)
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
            let value = byteModel.updated(lines[line * 64 + bit], isHit: isHit)
            lines[line * 64 + bit] = value
            known[line] |= 1 << UInt64(bit)
            occupied[line] &= ~(1 << UInt64(bit))
            if value >= byteModel.threshold { occupied[line] |= 1 << UInt64(bit) }
            totals[isHit ? 1 : 0] += 1
          }
        }
      }
    }
  }
}
