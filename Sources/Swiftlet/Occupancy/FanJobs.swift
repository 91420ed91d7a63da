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
    let planes = unsafe UnsafeMutableRawPointer(scratch + 256 * part)
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

/// Sorts all rays into the part's own bins and marks hits in the part's own words; then lists and
/// merges the part's own fans, level by level. Reading every ray once a part costs less than merging
/// lists.
@unsafe
struct GatherBeamsJob: PartitionedJob {
  let set: InstructionSet
  let binCount: Int
  let levelCount: Int
  let rangeUnit: Float
  let slots: UnsafePointer<Float>
  let count: Int
  let words: Int
  let bins: UnsafePointer<Int32>
  let beams: UnsafePointer<Int32>
  let hits: UnsafePointer<Int32>
  let image: UnsafeMutablePointer<Int32>
  let scratch: UnsafeMutablePointer<Int32>
  let ranges: UnsafeMutablePointer<Float>
  let slopes: UnsafeMutablePointer<Float>
  let groups: UnsafeMutablePointer<Float>
  let counts: UnsafeMutablePointer<Int32>
  let marks: UnsafeMutablePointer<UInt64>

  func run(part: Int, of parts: Int) {
    let units = partition(FanCarver.coarsestCount, part: part, of: parts)
    let unitBins = unsafe binCount / FanCarver.coarsestCount
    let own = units.lowerBound * unitBins..<units.upperBound * unitBins
    let ownWords = unsafe partition(words, part: part, of: parts, grain: 8)
    unsafe OccupancyKernels.sortBeams(
      set, bins, beams, hits, count, slots, own, ownWords, scratch + 256 * part, image, marks)
    var first = 0
    for level in unsafe 0..<levelCount {
      let rows = own.lowerBound >> level..<own.upperBound >> level
      let row = first + rows.lowerBound
      let fans = unsafe image + row * FanCarver.slotCount
      unsafe OccupancyKernels.listBeams(
        set, fans, rows.count, rangeUnit, scratch + 256 * part,
        ranges + row * FanCarver.slotCount, slopes + row * FanCarver.slotCount, groups + row * 8,
        counts + row)
      unsafe first += binCount >> level
      if unsafe level + 1 < levelCount {
        let merged = unsafe image + (first + rows.lowerBound / 2) * FanCarver.slotCount
        unsafe OccupancyKernels.mergeFans(set, fans, rows.count / 2, merged)
      } else {
        unsafe fans.update(repeating: 0, count: rows.count * FanCarver.slotCount)
      }
    }
  }
}

/// Walks fans, dealt out in turn because neighbours are alike, into the part's own free mask.
@unsafe
struct CarveFansJob: PartitionedJob {
  let set: InstructionSet
  let binCount: Int
  let levelCount: Int
  /// Of `batchCount` interleaved batches the one to walk; levels with few fans belong to batch 0.
  let batch: Int
  let batchCount: Int
  let origin: UnsafePointer<Float>
  let lines: UnsafePointer<Float>
  let ranges: UnsafePointer<Float>
  let slopes: UnsafePointer<Float>
  let groups: UnsafePointer<Float>
  let counts: UnsafePointer<Int32>
  let window: UnsafePointer<Int32>
  let scratch: UnsafeMutablePointer<Int32>
  let free: UnsafeMutablePointer<UInt64>
  let partStride: Int

  func run(part: Int, of parts: Int) {
    var first = 0
    for level in unsafe 0..<levelCount {
      let fans = unsafe binCount >> level
      let isDealt = unsafe fans >= 4 * batchCount
      let stride = unsafe isDealt ? batchCount : 1
      if unsafe isDealt || batch == 0 {
        unsafe OccupancyKernels.carveFans(
          set, origin, lines, ranges, slopes, groups, counts,
          first + (isDealt ? batch : 0) + part * stride, first + fans, parts * stride, window,
          scratch + 256 * part, free + part * partStride)
      }
      first += fans
    }
  }
}
