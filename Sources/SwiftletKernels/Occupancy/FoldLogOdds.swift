import CVectorShims

/// Folds one row of scan evidence into a row of int8 log-odds lines and clears the evidence.
///
/// A line is 64 voxels of one column, z ascending, -128 unknown. Occupied beats free; a touched
/// unknown voxel starts at 0; each voxel is updated once and clamped after the addition.
///
/// - `free`: `partCount` bit volumes `partStride` words apart; their union counts. `hits`: one.
/// - Column c of the row has its words at `c · evidenceStride` and its lines at `c · lineStride`;
///   `wordCount` of them are folded.
/// - `masks`: per word of a column, the bits that exist (heights that are not multiples of 64).
/// - `model`: hit, miss, minimum, maximum, threshold in int8 steps; the miss is not above 0.
/// - `occupied`, `known`: one word a line, kept equal to the lines.
/// - `atMinimum`: one word a line, voxels that lie at the minimum, where the caller keeps it up: misses
///   of nothing else change nothing, and the line stays unread. Most of free space after five scans.
/// - out `totals`: [free voxels, hit voxels], added to.
@inline(never)
public func foldBytes(
  _ free: UnsafeMutablePointer<UInt64>, _ partCount: Int, _ partStride: Int,
  _ hits: UnsafeMutablePointer<UInt64>, _ columnCount: Int, _ evidenceStride: Int,
  _ lineStride: Int, _ wordCount: Int, _ masks: UnsafePointer<UInt64>,
  _ lines: UnsafeMutablePointer<Int8>, _ occupied: UnsafeMutablePointer<UInt64>,
  _ known: UnsafeMutablePointer<UInt64>, _ atMinimum: UnsafeMutablePointer<UInt64>?,
  _ model: UnsafePointer<Int8>, _ totals: UnsafeMutablePointer<Int>
) {
  let steps: ByteSteps = (
    SIMD64(repeating: model[0]), SIMD64(repeating: model[1]), SIMD64(repeating: model[2]),
    SIMD64(repeating: model[3]), SIMD64(repeating: model[4])
  )
  var freeCount = 0
  var hitCount = 0
  // Most of a row is untouched or stays at the minimum: eight words at once are passed over where rows
  // are contiguous. Where eight words are not whole columns some are the next row's, which is not ours
  // to clear.
  let isDense = evidenceStride == wordCount && lineStride == wordCount && wordCount <= 8
  let stretch = isDense ? 8 / wordCount : 0
  let clearable = stretch &* wordCount == 8 ? atMinimum : nil
  var column = 0
  while column < columnCount {
    if column &+ stretch <= columnCount && stretch > 0 {
      let first = column &* evidenceStride
      let count = passedOver(
        free + first, partCount, partStride, hits + first,
        clearable.map { UnsafePointer($0 + first) })
      if count >= 0 {
        freeCount &+= count
        column &+= stretch
        continue
      }
      if column &+ 2 &* stretch <= columnCount {
        let next = first &+ stretch &* wordCount
        prefetchLines(free + next, hits + next, atMinimum.map { $0 + next }, lines + next &* 64)
      }
    }
    var word = 0
    while word < wordCount {
      let evidence = column &* evidenceStride &+ word
      let hit = hits[evidence] & masks[word]
      var miss = free[evidence]
      var part = 1
      while part < partCount {
        miss |= free[evidence &+ part &* partStride]
        part &+= 1
      }
      miss &= masks[word] & ~hit
      if hit | miss != 0 {
        foldLine(hit, miss, column &* lineStride &+ word, lines, occupied, known, atMinimum, steps)
        freeCount &+= miss.nonzeroBitCount
        hitCount &+= hit.nonzeroBitCount
        hits[evidence] = 0
        part = 0
        while part < partCount {
          free[evidence &+ part &* partStride] = 0
          part &+= 1
        }
      }
      word &+= 1
    }
    column &+= 1
  }
  totals[0] &+= freeCount
  totals[1] &+= hitCount
}

/// Hit, miss, minimum, maximum, threshold.
private typealias ByteSteps = (
  hit: SIMD64<Int8>, miss: SIMD64<Int8>, lowest: SIMD64<Int8>, highest: SIMD64<Int8>,
  threshold: SIMD64<Int8>
)

/// Looks at eight words of evidence. Where they would change nothing it clears them and returns how
/// many voxels they have seen free, else −1.
@inline(__always)
private func passedOver(
  _ free: UnsafeMutablePointer<UInt64>, _ partCount: Int, _ partStride: Int,
  _ hits: UnsafePointer<UInt64>, _ atMinimum: UnsafePointer<UInt64>?
) -> Int {
  let hit = swl_ray_load_u64x8(hits)
  var miss = swl_ray_load_u64x8(free)
  var part = 1
  while part < partCount {
    miss = miss | swl_ray_load_u64x8(free + part &* partStride)
    part &+= 1
  }
  if swl_ray_or_lanes_u64x8(hit | miss) == 0 { return 0 }
  guard let atMinimum else { return -1 }
  if swl_ray_or_lanes_u64x8(hit | miss & ~swl_ray_load_u64x8(atMinimum)) != 0 { return -1 }
  var count = 0
  var lane = 0
  while lane < 8 {
    count &+= miss[lane].nonzeroBitCount
    lane &+= 1
  }
  part = 0
  while part < partCount {
    swl_ray_store_u64x8(free + part &* partStride, SIMD8(repeating: 0))
    part &+= 1
  }
  return count
}

/// Fetches the lines of eight words ahead where their evidence, as the first part has it, changes any:
/// a line each comes from memory, and which ones no hardware can guess.
@inline(__always)
private func prefetchLines(
  _ free: UnsafePointer<UInt64>, _ hits: UnsafePointer<UInt64>, _ atMinimum: UnsafePointer<UInt64>?,
  _ lines: UnsafePointer<Int8>
) {
  var changing = swl_ray_load_u64x8(free)
  if let atMinimum { changing = changing & ~swl_ray_load_u64x8(atMinimum) }
  if swl_ray_or_lanes_u64x8(changing | swl_ray_load_u64x8(hits)) == 0 { return }
  var line = 0
  while line < 8 {
    swl_prefetch(lines + line &* 64)
    line &+= 1
  }
}

/// Updates one line and its planes, unless only voxels at the minimum are missed.
@inline(__always)
private func foldLine(
  _ hit: UInt64, _ miss: UInt64, _ line: Int, _ lines: UnsafeMutablePointer<Int8>,
  _ occupied: UnsafeMutablePointer<UInt64>, _ known: UnsafeMutablePointer<UInt64>,
  _ atMinimum: UnsafeMutablePointer<UInt64>?, _ steps: ByteSteps
) {
  if let atMinimum, hit | miss & ~atMinimum[line] == 0 { return }
  let old = swl_load_i8x64(lines + line &* 64)
  let isUnknown = swl_equal_i8x64(old, SIMD64(repeating: -128))
  let base = swl_select_i8x64(isUnknown, SIMD64(repeating: 0), old)
  let raised = swl_min_i8x64(swl_adds_i8x64(base, steps.hit), steps.highest)
  let lowered = swl_max_i8x64(swl_adds_i8x64(base, steps.miss), steps.lowest)
  let afterMiss = swl_select_i8x64(swl_lanes_from_bits_i8x64(miss), lowered, old)
  let new = swl_select_i8x64(swl_lanes_from_bits_i8x64(hit), raised, afterMiss)
  swl_store_i8x64(lines + line &* 64, new)
  known[line] |= hit | miss
  let above = swl_mask_bits_i8x64(swl_greater_equal_i8x64(new, steps.threshold))
  occupied[line] = above & known[line]
  atMinimum?[line] = swl_mask_bits_i8x64(swl_equal_i8x64(new, steps.lowest))
}

/// Folds scan evidence into one block of float32 log-odds, 8×8 columns of 64 voxels, as OctoMap
/// does: v + update, then clamped. The evidence stays.
///
/// - `free`, `hits`: at the block's first column; columns `columnStride` words apart in x,
///   `rowStride` in y.
/// - `model`: hit, miss, minimum, maximum. `lines`: [y][x][z] of 8·8·64. `known`: [y][x].
@inline(never)
public func foldFloats(
  _ free: UnsafePointer<UInt64>, _ partCount: Int, _ partStride: Int,
  _ hits: UnsafePointer<UInt64>, _ columnStride: Int, _ rowStride: Int,
  _ lines: UnsafeMutablePointer<Float>, _ known: UnsafeMutablePointer<UInt64>,
  _ model: UnsafePointer<Float>
) {
  let hitStep = SIMD16<Float>(repeating: model[0])
  let missStep = SIMD16<Float>(repeating: model[1])
  let lowest = SIMD16<Float>(repeating: model[2])
  let highest = SIMD16<Float>(repeating: model[3])
  var column = 0
  while column < 64 {
    let evidence = (column & 7) &* columnStride &+ (column &>> 3) &* rowStride
    let hit = hits[evidence]
    var miss = free[evidence]
    var part = 1
    while part < partCount {
      miss |= free[evidence &+ part &* partStride]
      part &+= 1
    }
    miss &= ~hit
    let touched = hit | miss
    if touched != 0 {
      known[column] |= touched
      var quarter = 0
      while quarter < 4 {
        let shift = UInt64(quarter &* 16)
        let touchedBits = UInt32(truncatingIfNeeded: touched &>> shift) & 0xffff
        if touchedBits != 0 {
          let values = lines + (column &* 64 &+ quarter &* 16)
          let old = swl_load_f32x16(values)
          let hitBits = UInt32(truncatingIfNeeded: hit &>> shift) & 0xffff
          let isHit = swl_ray_lanes_from_bits_i32x16(hitBits)
          let sum = old + swl_select_f32x16(isHit, hitStep, missStep)
          let clamped = swl_min_f32x16(swl_max_f32x16(sum, lowest), highest)
          let isTouched = swl_ray_lanes_from_bits_i32x16(touchedBits)
          swl_store_f32x16(values, swl_select_f32x16(isTouched, clamped, old))
        }
        quarter &+= 1
      }
    }
    column &+= 1
  }
}

/// Marks which blocks of 8×8 columns hold evidence: `touched[y][x][word]` 1 or 0, for block rows
/// `firstRow..<lastRow` of a volume of `blocksX` · 8 columns a row and `wordCount` words a column.
@inline(never)
public func findTouchedBlocks(
  _ free: UnsafePointer<UInt64>, _ partCount: Int, _ partStride: Int,
  _ hits: UnsafePointer<UInt64>, _ blocksX: Int, _ wordCount: Int, _ firstRow: Int,
  _ lastRow: Int, _ touched: UnsafeMutablePointer<UInt8>
) {
  let rowStride = blocksX &* 8 &* wordCount
  var block = firstRow &* blocksX &* wordCount
  var row = firstRow
  while row < lastRow {
    var blockX = 0
    while blockX < blocksX {
      var word = 0
      while word < wordCount {
        let corner = row &* 8 &* rowStride &+ blockX &* 8 &* wordCount &+ word
        var any: UInt64 = 0
        var column = 0
        while column < 64 {
          let evidence = corner &+ (column & 7) &* wordCount &+ (column &>> 3) &* rowStride
          any |= hits[evidence]
          var part = 0
          while part < partCount {
            any |= free[evidence &+ part &* partStride]
            part &+= 1
          }
          column &+= 1
        }
        touched[block] = any == 0 ? 0 : 1
        block &+= 1
        word &+= 1
      }
      blockX &+= 1
    }
    row &+= 1
  }
}

/// Orders `count` rays from `first` on by their number of voxels, longest first, so that the eight
/// rays of a group end together. A stable counting sort over 256 buckets of 4 voxels.
///
/// - `keys`: end voxels in planes `capacity` apart; `origin`: the origin's voxel x, y, z.
/// - `buckets`: 257 Int32 of scratch.
@inline(never)
public func orderRays(
  _ keys: UnsafePointer<Int32>, _ capacity: Int, _ origin: UnsafePointer<Int32>, _ first: Int,
  _ count: Int, _ buckets: UnsafeMutablePointer<Int32>, _ order: UnsafeMutablePointer<Int32>
) {
  var bucket = 0
  while bucket < 257 {
    buckets[bucket] = 0
    bucket &+= 1
  }
  var ray = first
  while ray < first &+ count {
    buckets[bucketOfRay(keys, capacity, origin, ray) &+ 1] &+= 1
    ray &+= 1
  }
  bucket = 1
  while bucket < 257 {
    buckets[bucket] &+= buckets[bucket &- 1]
    bucket &+= 1
  }
  ray = first
  while ray < first &+ count {
    let own = bucketOfRay(keys, capacity, origin, ray)
    order[Int(buckets[own])] = Int32(truncatingIfNeeded: ray)
    buckets[own] &+= 1
    ray &+= 1
  }
}

@inline(__always)
private func bucketOfRay(
  _ keys: UnsafePointer<Int32>, _ capacity: Int, _ origin: UnsafePointer<Int32>, _ ray: Int
) -> Int {
  let x = abs(Int(keys[ray]) &- Int(origin[0]))
  let y = abs(Int(keys[ray &+ capacity]) &- Int(origin[1]))
  let z = abs(Int(keys[ray &+ 2 &* capacity]) &- Int(origin[2]))
  return 255 &- min(255, (x &+ y &+ z) &>> 2)
}
