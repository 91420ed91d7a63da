#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Traces blocks of 4,096 points; a block's results depend on nothing else.
@unsafe
struct TraceJob: PartitionedJob {
  let set: InstructionSet
  let base: UnsafeRawPointer
  let stride: Int
  let offsets: (x: Int, y: Int, z: Int)
  let count: Int
  let frame: UnsafePointer<Double>
  let setup: UnsafePointer<Float>
  let window: UnsafePointer<Int32>
  let scratch: UnsafeMutablePointer<Int32>
  let bins: UnsafeMutablePointer<Int32>
  let beams: UnsafeMutablePointer<Int32>
  let hits: UnsafeMutablePointer<Int32>
  let tallies: UnsafeMutablePointer<Int>

  func run(part: Int, of parts: Int) {
    let planes = unsafe UnsafeMutableRawPointer(scratch + FanCarver.scratchCount * part)
      .assumingMemoryBound(to: Float.self)
    var block = part
    while unsafe block * ScanEvidence.blockSize < count {
      let first = block * ScanEvidence.blockSize
      let tally = unsafe tallies + 8 * block
      for index in 0..<8 { unsafe tally[index] = 0 }
      unsafe OccupancyKernels.traceRays(
        set, base + first * stride, stride, offsets.x, offsets.y, offsets.z,
        min(ScanEvidence.blockSize, count - first), frame, setup, window, planes, bins + first,
        beams + first, hits + first, tally)
      block += parts
    }
  }
}

/// Sorts all rays into the part's own bins and marks hits in the part's own words. Reading every ray
/// once a part costs less than merging lists.
@unsafe
struct SortBeamsJob: PartitionedJob {
  let set: InstructionSet
  let binCount: Int
  let slots: UnsafePointer<Float>
  let count: Int
  let words: Int
  let bins: UnsafePointer<Int32>
  let beams: UnsafePointer<Int32>
  let hits: UnsafePointer<Int32>
  let image: UnsafeMutablePointer<Int32>
  let scratch: UnsafeMutablePointer<Int32>
  let marks: UnsafeMutablePointer<UInt64>

  func run(part: Int, of parts: Int) {
    let own = unsafe FanCarver.ownBins(binCount, part: part, of: parts)
    let ownWords = unsafe partition(words, part: part, of: parts, grain: 8)
    unsafe OccupancyKernels.sortBeams(
      set, bins, beams, hits, count, slots, own, ownWords,
      scratch + FanCarver.scratchCount * part, image, marks)
  }
}

/// Holds the part's own beams back from what they graze; neighbours may be other parts' beams.
@unsafe
struct HoldBackJob: PartitionedJob {
  let set: InstructionSet
  let binCount: Int
  let measured: UnsafePointer<Int32>
  let lines: UnsafePointer<Float>
  let settings: UnsafePointer<Float>
  let scratch: UnsafeMutablePointer<Int32>
  let image: UnsafeMutablePointer<Int32>

  func run(part: Int, of parts: Int) {
    let own = unsafe FanCarver.ownBins(binCount, part: part, of: parts)
    let planes = unsafe UnsafeMutableRawPointer(scratch + FanCarver.scratchCount * part)
      .assumingMemoryBound(to: Float.self)
    unsafe OccupancyKernels.holdBackBeams(
      set, measured, binCount, own.lowerBound, own.upperBound, lines, settings, planes, image)
  }
}

/// Merges the part's own fans level by level, counts at one of them how densely the sensor fires, and
/// empties its own measured ones.
@unsafe
struct MergeFansJob: PartitionedJob {
  let set: InstructionSet
  let binCount: Int
  let levelCount: Int
  let image: UnsafeMutablePointer<Int32>
  /// nil where the image is what was measured.
  let measured: UnsafeMutablePointer<Int32>?
  /// Two counts a part, see `countFanPairs`.
  let pairs: UnsafeMutablePointer<Int>

  func run(part: Int, of parts: Int) {
    let own = unsafe FanCarver.ownBins(binCount, part: part, of: parts)
    if let measured = unsafe measured {
      unsafe memset(
        measured + own.lowerBound * FanCarver.slotCount, 0, own.count * FanCarver.slotCount * 4)
    }
    var first = 0
    for level in unsafe 1..<levelCount {
      let fans = unsafe binCount >> (level - 1)
      let rows = own.lowerBound >> level..<own.upperBound >> level
      if fans == FanCarver.countedFans {
        unsafe OccupancyKernels.countFanPairs(
          set, image + (first + 2 * rows.lowerBound) * FanCarver.slotCount, rows.count,
          pairs + 8 * part)
      }
      unsafe OccupancyKernels.mergeFans(
        set, image + (first + 2 * rows.lowerBound) * FanCarver.slotCount, rows.count,
        image + (first + fans + rows.lowerBound) * FanCarver.slotCount)
      first += fans
    }
  }
}

/// Walks fans into the free masks. A mask belongs to two shares of the fans, those that lead to
/// lower rows of the window and those that lead to higher ones: they meet only in the sensor's own
/// row, which the second share keeps apart. So two threads need one mask, and no word has two
/// writers.
@unsafe
struct CarveFansJob: PartitionedJob {
  let set: InstructionSet
  let binCount: Int
  let levelCount: Int
  /// Of `batchCount` interleaved batches the one to walk; levels with few fans belong to batch 0.
  let batch: Int
  let batchCount: Int
  let rangeUnit: Float
  let origin: UnsafePointer<Float>
  let lines: UnsafePointer<Float>
  let image: UnsafeMutablePointer<Int32>
  let window: UnsafePointer<Int32>
  let scratch: UnsafeMutablePointer<Int32>
  let free: UnsafeMutablePointer<UInt64>
  let maskCount: Int
  let maskStride: Int

  func run(part: Int, of parts: Int) {
    var share = part
    while unsafe share < 2 * maskCount {
      unsafe walk(mask: share / 2, isUpper: share % 2 == 1, part)
      share += parts
    }
  }

  private func walk(mask: Int, isUpper: Bool, _ part: Int) {
    var first = 0
    for level in unsafe 0..<levelCount {
      let fans = unsafe binCount >> level
      let quarter = fans / 4
      if isUpper {
        unsafe walk(first, quarter..<3 * quarter, fans, mask, true, part)
      } else {
        unsafe walk(first, 0..<quarter, fans, mask, false, part)
        unsafe walk(first, 3 * quarter..<fans, fans, mask, false, part)
      }
      first += fans
    }
  }

  private func walk(
    _ firstRow: Int, _ fans: Range<Int>, _ levelFans: Int, _ mask: Int, _ isUpper: Bool, _ part: Int
  ) {
    let isDealt = unsafe FanCarver.isDealt(levelFans, batchCount: batchCount)
    guard unsafe isDealt || batch == 0 else { return }
    let stride = unsafe isDealt ? batchCount : 1
    let start = unsafe fans.lowerBound + (isDealt ? batch : 0) + mask * stride
    let planes = unsafe UnsafeMutableRawPointer(scratch + FanCarver.scratchCount * part)
      .assumingMemoryBound(to: Float.self)
    unsafe OccupancyKernels.carveFans(
      set, origin, lines, image, rangeUnit, firstRow + start, firstRow + fans.upperBound,
      stride * maskCount, window, isUpper ? Int(origin[1].rounded(.down)) : -1, planes,
      free + mask * maskStride)
  }
}

/// Empties the image where carving was stopped before it walked every fan.
@unsafe
struct ClearFansJob: PartitionedJob {
  let image: UnsafeMutablePointer<Int32>
  let count: Int

  func run(part: Int, of parts: Int) {
    let own = unsafe partition(count, part: part, of: parts, grain: 16)
    unsafe memset(image + own.lowerBound, 0, own.count * 4)
  }
}
