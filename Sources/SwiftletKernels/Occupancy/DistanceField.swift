import CVectorShims

/// Compares the columns `first ..< last` with what was seen before: `seen` becomes the obstacle
/// words of now and `changed` 1 where a column differs.
///
/// - unknownCounts: all ones where unknown voxels are obstacles too.
@inline(never)
public func findChangedColumns(
  _ occupied: UnsafePointer<UInt64>, _ known: UnsafePointer<UInt64>,
  _ masks: UnsafePointer<UInt64>, _ unknownCounts: UInt64, _ words: Int, _ first: Int,
  _ last: Int, _ seen: UnsafeMutablePointer<UInt64>, _ changed: UnsafeMutablePointer<UInt8>
) -> Int {
  var count = 0
  var column = first
  while column < last {
    var difference: UInt64 = 0
    var word = 0
    while word < words {
      let line = column &* words &+ word
      let now = occupied[line] | (~known[line] & unknownCounts & masks[word])
      difference |= now ^ seen[line]
      seen[line] = now
      word &+= 1
    }
    if difference != 0 {
      changed[column] = 1
      count &+= 1
    }
    column &+= 1
  }
  return count
}

/// Marks, in a row of `count` slots that is a ring, every slot within `reach` of a changed one in
/// `spread`, adds it to `dirty`, and clears `changed`. Returns how many are marked.
@inline(never)
public func spreadChangedSlots(
  _ changed: UnsafeMutablePointer<UInt8>, _ count: Int, _ reach: Int,
  _ spread: UnsafeMutablePointer<UInt8>, _ dirty: UnsafeMutablePointer<UInt8>
) -> Int {
  var left = -1
  // Two rounds, so that the ring's end reaches its beginning.
  var step = 0
  while step < 2 &* count {
    let slot = step < count ? step : step &- count
    if changed[slot] != 0 { left = reach }
    if left >= 0 { spread[slot] = 1 }
    left &-= 1
    step &+= 1
  }
  left = -1
  step = 2 &* count &- 1
  while step >= 0 {
    let slot = step < count ? step : step &- count
    if changed[slot] != 0 { left = reach }
    if left >= 0 { spread[slot] = 1 }
    left &-= 1
    step &-= 1
  }
  var marked = 0
  var slot = 0
  while slot < count {
    changed[slot] = 0
    dirty[slot] |= spread[slot]
    marked &+= Int(spread[slot])
    slot &+= 1
  }
  return marked
}

/// target |= source over `count` bytes.
@inline(never)
public func orBytes(
  _ source: UnsafePointer<UInt8>, _ count: Int, _ target: UnsafeMutablePointer<UInt8>
) {
  var index = 0
  while index &+ 8 <= count {
    let a = UnsafeRawPointer(source + index).loadUnaligned(as: UInt64.self)
    let b = UnsafeRawPointer(target + index).loadUnaligned(as: UInt64.self)
    UnsafeMutableRawPointer(target + index).storeBytes(of: a | b, as: UInt64.self)
    index &+= 8
  }
  while index < count {
    target[index] |= source[index]
    index &+= 1
  }
}

/// Squared distances in voxels to the nearest obstacle of the same row y, for its dirty columns:
/// first along z inside each column, then along x.
///
/// - seen: [slot x][word]; `slotX`: the slot of the window's first column. `dirty` is cleared.
/// - scratch: (columns + 2) · words · 64 int16; `empty`: 2 · columns bytes.
/// - out field: [slot x][64 · words]; `isFar`: 1 where no obstacle is within reach.
@inline(never)
public func fieldAlongRow(
  _ seen: UnsafePointer<UInt64>, _ columns: Int, _ words: Int, _ slotX: Int, _ reach: Int,
  _ dirty: UnsafeMutablePointer<UInt8>, _ scratch: UnsafeMutablePointer<Int16>,
  _ empty: UnsafeMutablePointer<UInt8>, _ field: UnsafeMutablePointer<Int16>,
  _ isFar: UnsafeMutablePointer<UInt8>
) {
  let height = words &* 64
  let squares = scratch + 2 &* (height &+ 128)
  let needed = empty + columns
  markNeeded(dirty, columns, slotX, reach, needed)
  var x = 0
  while x < columns {
    if needed[x] != 0 {
      let slot = x &+ slotX < columns ? x &+ slotX : x &+ slotX &- columns
      let filled = squaresOfColumn(
        seen + slot &* words, words, reach, scratch + 64, squares + x &* height)
      empty[x] = filled ? 0 : 1
    }
    x &+= 1
  }
  x = 0
  while x < columns {
    let slot = x &+ slotX < columns ? x &+ slotX : x &+ slotX &- columns
    if dirty[slot] != 0 {
      dirty[slot] = 0
      let first = x &- reach < 0 ? 0 : x &- reach
      let last = x &+ reach < columns ? x &+ reach : columns &- 1
      isFar[slot] = minimumAlongRow(
        squares, empty, x, first, last, height, field + slot &* height)
    }
    x &+= 1
  }
}

/// Columns within reach of a dirty one (window order); beyond the window's border nothing is.
@inline(__always)
private func markNeeded(
  _ dirty: UnsafePointer<UInt8>, _ columns: Int, _ slotX: Int, _ reach: Int,
  _ needed: UnsafeMutablePointer<UInt8>
) {
  var left = -1
  var x = 0
  while x < columns {
    let slot = x &+ slotX < columns ? x &+ slotX : x &+ slotX &- columns
    if dirty[slot] != 0 { left = reach }
    needed[x] = left >= 0 ? 1 : 0
    left &-= 1
    x &+= 1
  }
  left = -1
  x = columns &- 1
  while x >= 0 {
    let slot = x &+ slotX < columns ? x &+ slotX : x &+ slotX &- columns
    if dirty[slot] != 0 { left = reach }
    if left >= 0 { needed[x] = 1 }
    left &-= 1
    x &-= 1
  }
}

/// Squared height differences to the nearest set bit of a column; false where there is none.
/// Doubling: after the step of 2^k every difference up to 2^(k+1) − 1 is right. In place, because
/// a value that is already smaller is still a true difference.
@inline(__always)
private func squaresOfColumn(
  _ bits: UnsafePointer<UInt64>, _ words: Int, _ reach: Int, _ line: UnsafeMutablePointer<Int16>,
  _ squares: UnsafeMutablePointer<Int16>
) -> Bool {
  var any: UInt64 = 0
  var word = 0
  while word < words {
    any |= bits[word]
    word &+= 1
  }
  if any == 0 { return false }
  let far: Int16 = 181
  let farthest = swl_field_splat_i16x32(far)
  let chunks = words &* 2
  swl_field_store_i16x32(line - 64, farthest)
  swl_field_store_i16x32(line - 32, farthest)
  swl_field_store_i16x32(line + words &* 64, farthest)
  swl_field_store_i16x32(line + (words &* 64 &+ 32), farthest)
  var chunk = 0
  while chunk < chunks {
    let half = UInt32(truncatingIfNeeded: bits[chunk &>> 1] &>> UInt64(32 &* (chunk & 1)))
    swl_field_store_i16x32(line + chunk &* 32, swl_field_from_bits_i16x32(half, far))
    chunk &+= 1
  }
  var shift = 1
  while shift <= reach {
    let cost = swl_field_splat_i16x32(Int16(truncatingIfNeeded: shift))
    chunk = 0
    while chunk < chunks {
      let here = line + chunk &* 32
      let below = swl_field_adds_i16x32(swl_field_load_i16x32(here - shift), cost)
      let above = swl_field_adds_i16x32(swl_field_load_i16x32(here + shift), cost)
      let nearer = swl_field_min_i16x32(below, above)
      swl_field_store_i16x32(here, swl_field_min_i16x32(swl_field_load_i16x32(here), nearer))
      chunk &+= 1
    }
    shift &*= 2
  }
  chunk = 0
  while chunk < chunks {
    let here = swl_field_min_i16x32(swl_field_load_i16x32(line + chunk &* 32), farthest)
    swl_field_store_i16x32(squares + chunk &* 32, swl_field_square_i16x32(here))
    chunk &+= 1
  }
  return true
}

/// min over the columns within reach of squares + distance²; 1 where all of them are empty.
@inline(__always)
private func minimumAlongRow(
  _ squares: UnsafePointer<Int16>, _ empty: UnsafePointer<UInt8>, _ x: Int, _ first: Int,
  _ last: Int, _ height: Int, _ field: UnsafeMutablePointer<Int16>
) -> UInt8 {
  var isFar: UInt8 = 1
  var chunk = 0
  while chunk < height {
    var nearest = swl_field_splat_i16x32(Int16.max)
    var other = nearest
    var column = first
    while column <= last {
      if empty[column] == 0 {
        isFar = 0
        let away = column &- x
        let cost = swl_field_splat_i16x32(Int16(truncatingIfNeeded: away &* away))
        let source = squares + (column &* height &+ chunk)
        nearest = swl_field_min_i16x32(
          nearest, swl_field_adds_i16x32(swl_field_load_i16x32(source), cost))
        other = swl_field_min_i16x32(
          other, swl_field_adds_i16x32(swl_field_load_i16x32(source + 32), cost))
      }
      column &+= 1
    }
    swl_field_store_i16x32(field + chunk, nearest)
    swl_field_store_i16x32(field + (chunk &+ 32), other)
    chunk &+= 64
  }
  return isFar
}

/// Squared distances over three axes for the dirty lines of columns `firstX ..< lastX` (window
/// order) of row `y`: the minimum over the rows within reach of the row fields.
///
/// - rowField: [slot y][slot x][height], rows `rowStride` int16 apart; `isFar` [slot y][slot x].
/// - slots: of the window's first column x, y. `dirty`: of this row, by slot x; cleared.
/// - out field: this row's, [slot x][height]; beyond `reach`: 32767.
@inline(never)
public func fieldAcrossRows(
  _ rowField: UnsafePointer<Int16>, _ rowStride: Int, _ isFar: UnsafePointer<UInt8>,
  _ columns: Int, _ rows: Int, _ height: Int, _ slots: UnsafePointer<Int>, _ reach: Int, _ y: Int,
  _ firstX: Int, _ lastX: Int, _ dirty: UnsafeMutablePointer<UInt8>,
  _ field: UnsafeMutablePointer<Int16>
) {
  let limit = swl_field_splat_i16x32(Int16(truncatingIfNeeded: reach &* reach))
  let far = swl_field_splat_i16x32(Int16.max)
  let first = y &- reach < 0 ? 0 : y &- reach
  let last = y &+ reach < rows ? y &+ reach : rows &- 1
  var x = firstX
  while x < lastX {
    let slot = x &+ slots[0] < columns ? x &+ slots[0] : x &+ slots[0] &- columns
    if dirty[slot] != 0 {
      dirty[slot] = 0
      var chunk = 0
      while chunk < height {
        var nearest = far
        var other = far
        var row = first
        while row <= last {
          let slotRow = row &+ slots[1] < rows ? row &+ slots[1] : row &+ slots[1] &- rows
          if isFar[slotRow &* columns &+ slot] == 0 {
            let away = row &- y
            let cost = swl_field_splat_i16x32(Int16(truncatingIfNeeded: away &* away))
            let offset = slotRow &* rowStride &+ slot &* height &+ chunk
            let source = rowField + offset
            nearest = swl_field_min_i16x32(
              nearest, swl_field_adds_i16x32(swl_field_load_i16x32(source), cost))
            other = swl_field_min_i16x32(
              other, swl_field_adds_i16x32(swl_field_load_i16x32(source + 32), cost))
          }
          row &+= 1
        }
        let target = field + (slot &* height &+ chunk)
        swl_field_store_i16x32(target, swl_field_cut_i16x32(nearest, limit, far))
        swl_field_store_i16x32(target + 32, swl_field_cut_i16x32(other, limit, far))
        chunk &+= 64
      }
    }
    x &+= 1
  }
}
