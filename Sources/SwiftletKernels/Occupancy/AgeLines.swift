import CVectorShims

/// Ages one line of 64 log-odds by decay: occupied voxels (dynamic ones faster) fall towards the
/// threshold, free ones rise, and whoever would cross it is unknown again.
///
/// `steps`: of occupied, free and dynamic voxels, 0...127 each.
@inline(__always)
private func decayedLine(
  _ old: SIMD64<Int8>, _ dynamic: UInt64, _ threshold: SIMD64<Int8>, _ steps: (Int8, Int8, Int8)
) -> SIMD64<Int8> {
  let unknown = SIMD64<Int8>(repeating: -128)
  let isUnknown = swl_equal_i8x64(old, unknown)
  let isOccupied = swl_greater_equal_i8x64(old, threshold)
  let fall = swl_select_i8x64(
    swl_lanes_from_bits_i8x64(dynamic), SIMD64(repeating: 0 &- steps.2),
    SIMD64(repeating: 0 &- steps.0))
  let lowered = swl_adds_i8x64(old, fall)
  let fallen = swl_select_i8x64(swl_greater_equal_i8x64(lowered, threshold), lowered, unknown)
  let raised = swl_adds_i8x64(old, SIMD64(repeating: steps.1))
  let risen = swl_select_i8x64(swl_greater_equal_i8x64(raised, threshold), unknown, raised)
  return swl_select_i8x64(isUnknown, unknown, swl_select_i8x64(isOccupied, fallen, risen))
}

/// Steps of decay between two times: floor(now · rate) − floor(then · rate), so that any number of
/// smaller steps adds up to the same.
@inline(__always)
private func decaySteps(_ then: Int64, _ now: Int64, _ rate: Int64) -> Int8 {
  let steps = (now &* rate) &>> 16 &- (then &* rate) &>> 16
  return steps > 127 ? 127 : steps < 0 ? 0 : Int8(truncatingIfNeeded: steps)
}

/// Brings columns `first..<last` (slots) up to the tick `now`; columns that know nothing cost one
/// comparison a word.
///
/// - `dynamic`: voxels that decay as dynamic. At every multiple of `rates[3]` ticks those that were
///   so at the multiple before too (`candidate`) are fixtures from then on.
/// - `rates`: steps a tick · 65536 of occupied, free and dynamic voxels, ticks between promotions;
///   `ticks`: a column's last.
/// - `threshold`: occupied from this step on.
/// - `onlyDynamic`: columns without a dynamic voxel are passed over; that costs one look at their
///   words.
@inline(never)
public func decayColumns(
  _ lines: UnsafeMutablePointer<Int8>, _ occupied: UnsafeMutablePointer<UInt64>,
  _ known: UnsafeMutablePointer<UInt64>, _ dynamic: UnsafeMutablePointer<UInt64>,
  _ candidate: UnsafeMutablePointer<UInt64>, _ ticks: UnsafeMutablePointer<Int32>,
  _ wordCount: Int, _ rates: UnsafePointer<Int64>, _ now: Int32, _ threshold: Int8, _ first: Int,
  _ last: Int, _ onlyDynamic: Bool
) {
  var column = first
  while column < last {
    var wanted: UInt64 = onlyDynamic ? 0 : 1
    var line = column &* wordCount
    while wanted == 0, line < (column &+ 1) &* wordCount {
      wanted = dynamic[line]
      line &+= 1
    }
    if wanted != 0 {
      decayColumn(
        lines, occupied, known, dynamic, candidate, ticks, wordCount, rates, now, threshold, column)
    }
    column &+= 1
  }
}

/// Piece by piece between promotions. After two of them no voxel is dynamic, and the rest is one.
@inline(__always)
private func decayColumn(
  _ lines: UnsafeMutablePointer<Int8>, _ occupied: UnsafeMutablePointer<UInt64>,
  _ known: UnsafeMutablePointer<UInt64>, _ dynamic: UnsafeMutablePointer<UInt64>,
  _ candidate: UnsafeMutablePointer<UInt64>, _ ticks: UnsafeMutablePointer<Int32>,
  _ wordCount: Int, _ rates: UnsafePointer<Int64>, _ now: Int32, _ threshold: Int8, _ column: Int
) {
  var then = Int64(ticks[column])
  let end = Int64(now)
  ticks[column] = now
  var promotions = 0
  while then < end {
    let next = (then / rates[3] &+ 1) &* rates[3]
    let promotes = promotions < 2 && next <= end
    let stop = promotes ? next : end
    let steps = (
      decaySteps(then, stop, rates[0]), decaySteps(then, stop, rates[1]),
      decaySteps(then, stop, rates[2])
    )
    if steps.0 | steps.1 | steps.2 != 0 {
      decayWords(lines, occupied, known, dynamic, wordCount, threshold, column, steps)
    }
    if promotes {
      promotions &+= 1
      var line = column &* wordCount
      while line < (column &+ 1) &* wordCount {
        dynamic[line] &= known[line] & ~candidate[line]
        candidate[line] = dynamic[line]
        line &+= 1
      }
    }
    then = stop
  }
}

@inline(__always)
private func decayWords(
  _ lines: UnsafeMutablePointer<Int8>, _ occupied: UnsafeMutablePointer<UInt64>,
  _ known: UnsafeMutablePointer<UInt64>, _ dynamic: UnsafePointer<UInt64>, _ wordCount: Int,
  _ threshold: Int8, _ column: Int, _ steps: (Int8, Int8, Int8)
) {
  let level = SIMD64<Int8>(repeating: threshold)
  var line = column &* wordCount
  while line < (column &+ 1) &* wordCount {
    if known[line] != 0 {
      let old = swl_load_i8x64(lines + line &* 64)
      let new = decayedLine(old, dynamic[line], level, steps)
      swl_store_i8x64(lines + line &* 64, new)
      let left = ~swl_mask_bits_i8x64(swl_equal_i8x64(new, SIMD64(repeating: -128)))
      known[line] = left
      occupied[line] = swl_mask_bits_i8x64(swl_greater_equal_i8x64(new, level)) & left
    }
    line &+= 1
  }
}

/// What ages before a scan is folded in, for `columnCount` columns with evidence side by side: decay
/// up to now, and the marks of what moves.
///
/// - `free`, `hits`, `partCount`, `partStride`, `masks`: as for `foldBytes`, left as they are.
/// - `moving`: hits whose input says that they move; cleared.
/// - `levels`: miss step, threshold, long-free from this step down, long-occupied from this step up,
///   and what a dynamic voxel is set to before its hit is added.
/// - `dynamic`: hit where space was long free, or said to move. It follows the scan at hand: a hit
///   makes it as occupied as can be, a miss free.
/// - `vanished`: long occupied, then free. `solid`: long occupied. `candidate`: see `decayColumns`.
/// - Planes and lines of `column` c at `c · wordCount`.
@inline(never)
public func ageEvidence(
  _ free: UnsafePointer<UInt64>, _ partCount: Int, _ partStride: Int, _ hits: UnsafePointer<UInt64>,
  _ moving: UnsafeMutablePointer<UInt64>, _ columnCount: Int, _ wordCount: Int,
  _ masks: UnsafePointer<UInt64>, _ lines: UnsafeMutablePointer<Int8>,
  _ occupied: UnsafeMutablePointer<UInt64>, _ known: UnsafeMutablePointer<UInt64>,
  _ dynamic: UnsafeMutablePointer<UInt64>, _ candidate: UnsafeMutablePointer<UInt64>,
  _ vanished: UnsafeMutablePointer<UInt64>, _ solid: UnsafeMutablePointer<UInt64>,
  _ ticks: UnsafeMutablePointer<Int32>, _ rates: UnsafePointer<Int64>, _ now: Int32,
  _ levels: UnsafePointer<Int8>
) {
  var column = 0
  while column < columnCount {
    var any: UInt64 = 0
    var word = 0
    while word < wordCount {
      any |= hits[column &* wordCount &+ word]
      any |= freeWord(free, partCount, partStride, column &* wordCount &+ word)
      word &+= 1
    }
    if any != 0 {
      decayColumn(
        lines, occupied, known, dynamic, candidate, ticks, wordCount, rates, now, levels[1], column)
      word = 0
      while word < wordCount {
        let at = column &* wordCount &+ word
        let miss = freeWord(free, partCount, partStride, at) & masks[word] & ~hits[at]
        markMotion(
          hits[at] & masks[word], miss, moving[at], lines + at &* 64, known[at], dynamic + at,
          vanished + at, solid + at, levels)
        candidate[at] &= dynamic[at]
        moving[at] = 0
        word &+= 1
      }
    }
    column &+= 1
  }
}

@inline(__always)
private func freeWord(
  _ free: UnsafePointer<UInt64>, _ partCount: Int, _ partStride: Int, _ at: Int
) -> UInt64 {
  var bits = free[at]
  var part = 1
  while part < partCount {
    bits |= free[at &+ part &* partStride]
    part &+= 1
  }
  return bits
}

@inline(__always)
private func markMotion(
  _ hit: UInt64, _ miss: UInt64, _ moving: UInt64, _ line: UnsafeMutablePointer<Int8>,
  _ known: UInt64, _ dynamic: UnsafeMutablePointer<UInt64>,
  _ vanished: UnsafeMutablePointer<UInt64>, _ solid: UnsafeMutablePointer<UInt64>,
  _ levels: UnsafePointer<Int8>
) {
  if hit | miss == 0 { return }
  let old = swl_load_i8x64(line)
  let threshold = SIMD64<Int8>(repeating: levels[1])
  let above = SIMD64<Int8>(repeating: levels[2] &+ 1)
  // What memory says of voxels that became unknown meanwhile is void.
  let moves = dynamic[0] & known
  let longFree = known & ~swl_mask_bits_i8x64(swl_greater_equal_i8x64(old, above))
  let isHigh = swl_mask_bits_i8x64(swl_greater_equal_i8x64(old, SIMD64(repeating: levels[3])))
  let isOccupied = known & swl_mask_bits_i8x64(swl_greater_equal_i8x64(old, threshold))
  let wasSolid = (solid[0] & known) | (isHigh & known & ~moves)
  // A moving thing has left as soon as one ray passes, and is there as soon as one ends.
  let left = miss & moves & isOccupied
  let there = hit & (moves | longFree | moving)
  if left | there != 0 {
    let freed = swl_min_i8x64(old, SIMD64(repeating: levels[1] &- 1))
    let changed = swl_select_i8x64(swl_lanes_from_bits_i8x64(left), freed, old)
    swl_store_i8x64(
      line,
      swl_select_i8x64(
        swl_lanes_from_bits_i8x64(there), SIMD64(repeating: levels[4]), changed))
  }
  let missed = swl_adds_i8x64(old, SIMD64(repeating: levels[0]))
  let below = ~swl_mask_bits_i8x64(swl_greater_equal_i8x64(missed, threshold))
  let turned = miss & isOccupied & (below | left)
  vanished[0] = ((vanished[0] & known) | (turned & wasSolid)) & ~hit
  solid[0] = wasSolid & ~turned
  dynamic[0] = (moves & ~miss) | there
}
