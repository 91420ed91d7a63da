#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Finds the ray ends of every block of 4,096 points; a block's results depend on nothing else.
@unsafe
struct EndsJob: PartitionedJob {
  let set: InstructionSet
  let x: UnsafePointer<Float>
  let y: UnsafePointer<Float>
  let z: UnsafePointer<Float>
  let count: Int
  let parameters: UnsafePointer<Double>
  let ends: UnsafeMutablePointer<Float>
  let keys: UnsafeMutablePointer<Int32>
  let isHit: UnsafeMutablePointer<UInt8>
  let capacity: Int
  let bounds: UnsafeMutablePointer<Int32>
  let counts: UnsafeMutablePointer<Int>
  let dropped: UnsafeMutablePointer<Int>

  func run(part: Int, of parts: Int) {
    var block = part
    while unsafe block * ScanEvidence.blockSize < count {
      let first = block * ScanEvidence.blockSize
      for index in 0..<3 {
        unsafe bounds[6 * block + index] = .max
        unsafe bounds[6 * block + 3 + index] = .min
        unsafe dropped[3 * block + index] = 0
      }
      unsafe counts[block] = OccupancyKernels.findRayEnds(
        set, x + first, y + first, z + first, min(ScanEvidence.blockSize, count - first),
        parameters, ends + first, keys + first, isHit + first, capacity, bounds + 6 * block,
        dropped + 3 * block)
      block += parts
    }
  }
}

/// Marks the hits of the part's own rows.
@unsafe
struct MarkHitsJob: PartitionedJob {
  let set: InstructionSet
  let keys: UnsafePointer<Int32>
  let isHit: UnsafePointer<UInt8>
  let capacity: Int
  let counts: UnsafePointer<Int>
  let blockCount: Int
  let volume: UnsafePointer<Int32>
  let hits: UnsafeMutablePointer<UInt64>

  func run(part: Int, of parts: Int) {
    let rows = unsafe partition(Int(volume[4]), part: part, of: parts)
    for block in unsafe 0..<blockCount {
      let first = block * ScanEvidence.blockSize
      unsafe OccupancyKernels.markHits(
        set, keys + first, isHit + first, capacity, counts[block], volume, rows.lowerBound,
        rows.upperBound, hits)
    }
  }
}

/// Carves blocks of rays, dealt out in turn because neighbouring blocks differ in length, into the
/// part's own free volume.
@unsafe
struct CarveJob: PartitionedJob {
  let set: InstructionSet
  let ends: UnsafePointer<Float>
  let keys: UnsafePointer<Int32>
  let order: UnsafeMutablePointer<Int32>
  let capacity: Int
  let counts: UnsafePointer<Int>
  let blockCount: Int
  /// Of `batchCount` interleaved batches of blocks the one to carve.
  let batch: Int
  let batchCount: Int
  let parameters: UnsafePointer<Double>
  let originKey: UnsafePointer<Int32>
  let volume: UnsafePointer<Int32>
  let buckets: UnsafeMutablePointer<Int32>
  let scratch: UnsafeMutablePointer<Int64>
  let free: UnsafeMutablePointer<UInt64>
  let partStride: Int

  func run(part: Int, of parts: Int) {
    var block = unsafe batch + part * batchCount
    while unsafe block < blockCount {
      let first = block * ScanEvidence.blockSize
      unsafe OccupancyKernels.orderRays(
        set, keys, capacity, originKey, first, counts[block], buckets + 320 * part, order + first)
      unsafe OccupancyKernels.carveRays(
        set, ends, capacity, order + first, counts[block], parameters, volume,
        free + part * partStride, scratch + 8 * part)
      unsafe block += parts * batchCount
    }
  }
}

/// Zeroes the first `words` words of every volume.
@unsafe
struct ClearJob: PartitionedJob {
  let free: UnsafeMutablePointer<UInt64>
  let hits: UnsafeMutablePointer<UInt64>
  let words: Int
  let partStride: Int

  func run(part: Int, of parts: Int) {
    let range = unsafe partition(words, part: part, of: parts, grain: 64)
    for volume in 0..<parts {
      unsafe memset(free + volume * partStride + range.lowerBound, 0, range.count * 8)
    }
    unsafe memset(hits + range.lowerBound, 0, range.count * 8)
  }
}
