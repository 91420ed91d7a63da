extension ReferenceOccupancyMap {
  /// Carves the scan into the evidence's volume; false when the volume would be too large.
  func collect(_ points: WorldPoints, origin: SIMD3<Float>, maximumRange: Double) -> Bool {
    guard let evidence else { return false }
    evidence.reserve(points: points.count, words: 0)
    let words = unsafe evidence.findEnds(
      points.x, points.y, points.z, count: points.count, origin: origin, minimumRange: -1,
      maximumRange: maximumRange)
    guard words <= Self.maximumVolumeWords else { return false }
    evidence.reserve(points: 0, words: words)
    evidence.carve()
    return true
  }

  /// Adds the volume's evidence to the store, block by block.
  func foldVolume(_ evidence: ScanEvidence) {
    guard evidence.wordCount > 0 else { return }
    let volume = evidence.volume
    let blocksX = Int(volume[3]) / 8
    let blocksY = Int(volume[4]) / 8
    let words = Int(volume[5])
    let blockCount = blocksX * blocksY * words
    if touched.count < blockCount { touched = AlignedBuffer(count: blockCount) }
    unsafe pool.run(
      TouchedBlocksJob(evidence: EvidencePointers(evidence), blocksX: blocksX, blocksY: blocksY,
        wordCount: words, touched: touched.pointer))
    let count = gatherTargets(volume, blocksX: blocksX, blocksY: blocksY, words: words)
    unsafe pool.run(
      BlockFoldJob(
        evidence: EvidencePointers(evidence), columnStride: words,
        rowStride: Int(volume[3]) * words, targets: foldTargets.pointer, count: count,
        model: modelValues.pointer))
  }

  /// Finds or makes the block of every touched place; serial, because the store grows.
  private func gatherTargets(
    _ volume: AlignedBuffer<Int32>, blocksX: Int, blocksY: Int, words: Int
  ) -> Int {
    let x0 = (Int(volume[0]) + 32768) >> 3
    let y0 = (Int(volume[1]) + 32768) >> 3
    let z0 = (Int(volume[2]) + 32768) >> 6
    var count = 0
    var place = 0
    if unsafe foldTargets.count < touched.count {
      unsafe foldTargets = AlignedBuffer(count: touched.count)
    }
    for y in 0..<blocksY {
      for x in 0..<blocksX {
        for word in 0..<words {
          if unsafe touched.pointer[place] != 0 {
            let key = VoxelBlockStore.blockKey(x: x0 + x, y: y0 + y, z: z0 + word)
            let memory = unsafe store.pointers(store.findOrMake(key))
            unsafe foldTargets.pointer[count] = BlockFoldTarget(
              offset: (y * 8 * blocksX * 8 + x * 8) * words + word, values: memory.values,
              known: memory.known)
            count += 1
          }
          place += 1
        }
      }
    }
    return count
  }

  /// The volume's sets as packed keys.
  func volumeSets(_ evidence: ScanEvidence) -> (free: Set<UInt64>, occupied: Set<UInt64>) {
    var free = Set<UInt64>()
    var occupied = Set<UInt64>()
    let volume = evidence.volume
    let words = Int(volume[5])
    for index in 0..<evidence.wordCount {
      let hit = evidence.hits[index]
      var miss: UInt64 = 0
      for part in 0..<evidence.partCount {
        miss |= evidence.free[part * evidence.partStride + index]
      }
      let column = index / words
      let base = VoxelKey(
        x: volume[0] + Int32(column) % volume[3], y: volume[1] + Int32(column) / volume[3],
        z: volume[2] + 64 * Int32(index % words))
      Self.insertBits(hit, base, &occupied)
      Self.insertBits(miss & ~hit, base, &free)
    }
    return (free, occupied)
  }

  private static func insertBits(_ bits: UInt64, _ base: VoxelKey, _ set: inout Set<UInt64>) {
    var bits = bits
    while bits != 0 {
      let z = Int32(bits.trailingZeroBitCount)
      set.insert(VoxelKey(x: base.x, y: base.y, z: base.z + z).packed)
      bits &= bits - 1
    }
  }

  /// The sets of a scan whose bounding box is too large for a volume: rays listed one by one.
  func sparseSets(
    _ evidence: ScanEvidence, origin: SIMD3<Float>
  ) -> (free: Set<UInt64>, occupied: Set<UInt64>) {
    let rays = evidence.rays()
    var free = Set<UInt64>()
    let occupied = Set(rays.lazy.filter(\.isHit).map(\.key.packed))
    if let first = VoxelKey(origin, inverseVoxelSize: inverse) {
      let lister = RayLister(
        set: evidence.set, voxelSize: voxelSizeMeters, origin: origin, first: first)
      lister.forEachList(ends: rays.map(\.end), lastKeys: rays.map(\.key)) { _, voxels in
        for voxel in voxels { free.insert(voxel.packed) }
      }
    }
    return (free.subtracting(occupied), occupied)
  }

  func apply(free: Set<UInt64>, occupied: Set<UInt64>) {
    for key in free { store.update(VoxelKey(packed: key), isHit: false, model: model) }
    for key in occupied { store.update(VoxelKey(packed: key), isHit: true, model: model) }
  }
}

/// Where one touched block's evidence starts and where its values live.
@unsafe
struct BlockFoldTarget: BitwiseCopyable {
  let offset: Int
  let values: UnsafeMutablePointer<Float>
  let known: UnsafeMutablePointer<UInt64>
}

/// The volumes of a scan, for jobs.
@unsafe
struct EvidencePointers: BitwiseCopyable {
  let set: InstructionSet
  let free: UnsafeMutablePointer<UInt64>
  let partCount: Int
  let partStride: Int
  let hits: UnsafeMutablePointer<UInt64>

  init(_ evidence: ScanEvidence) {
    unsafe set = evidence.set
    unsafe free = evidence.free.pointer
    unsafe partCount = evidence.partCount
    unsafe partStride = evidence.partStride
    unsafe hits = evidence.hits.pointer
  }
}

@unsafe
struct TouchedBlocksJob: PartitionedJob {
  let evidence: EvidencePointers
  let blocksX: Int
  let blocksY: Int
  let wordCount: Int
  let touched: UnsafeMutablePointer<UInt8>

  func run(part: Int, of parts: Int) {
    let rows = unsafe partition(blocksY, part: part, of: parts)
    unsafe OccupancyKernels.findTouchedBlocks(
      evidence.set, evidence.free, evidence.partCount, evidence.partStride, evidence.hits,
      blocksX, wordCount, rows.lowerBound, rows.upperBound, touched)
  }
}

@unsafe
struct BlockFoldJob: PartitionedJob {
  let evidence: EvidencePointers
  let columnStride: Int
  let rowStride: Int
  let targets: UnsafePointer<BlockFoldTarget>
  let count: Int
  let model: UnsafePointer<Float>

  func run(part: Int, of parts: Int) {
    for index in unsafe partition(count, part: part, of: parts, grain: 8) {
      let target = unsafe targets[index]
      unsafe OccupancyKernels.foldFloats(
        evidence.set, evidence.free + target.offset, evidence.partCount, evidence.partStride,
        evidence.hits + target.offset, columnStride, rowStride, target.values, target.known,
        model)
    }
  }
}
