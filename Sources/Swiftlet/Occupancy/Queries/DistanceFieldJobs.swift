/// Compares slot rows with what was last seen.
@safe
struct FieldChangesJob: PartitionedJob {
  let set: InstructionSet
  let view: WindowView
  let masks: UnsafePointer<UInt64>
  let unknownCounts: UInt64
  let seen: UnsafeMutablePointer<UInt64>
  let changed: UnsafeMutablePointer<UInt8>
  let counts: UnsafeMutablePointer<Int>

  func run(part: Int, of parts: Int) {
    let columns = partition(view.columnCount, part: part, of: parts, grain: 64)
    unsafe counts[8 * part] = DistanceFieldKernels.findChangedColumns(
      set, view.occupied, view.known, masks, unknownCounts, view.words, columns.lowerBound,
      columns.upperBound, seen, changed)
  }
}

/// Distances within rows, for the chosen rows dealt out in turn.
@safe
struct FieldAlongJob: PartitionedJob {
  let set: InstructionSet
  let columns: Int
  let rows: Int
  let words: Int
  let slotX: Int
  let reach: Int
  let rowStride: Int
  let chosen: UnsafePointer<Int>
  let seen: UnsafePointer<UInt64>
  let dirty: UnsafeMutablePointer<UInt8>
  let scratch: UnsafeMutablePointer<Int16>
  let empty: UnsafeMutablePointer<UInt8>
  let field: UnsafeMutablePointer<Int16>
  let isFar: UnsafeMutablePointer<UInt8>

  init(field owner: DistanceField, set: InstructionSet) {
    self.set = set
    columns = owner.cells.x
    rows = owner.cells.y
    words = owner.words
    slotX = owner.slots[0]
    reach = owner.reach
    rowStride = owner.rowStride
    unsafe chosen = UnsafePointer(owner.rowsAlong.pointer)
    unsafe seen = UnsafePointer(owner.seen.pointer)
    unsafe dirty = owner.rowDirty.pointer
    unsafe scratch = owner.scratch.pointer
    unsafe empty = owner.emptyScratch.pointer
    unsafe field = owner.rowField.pointer
    unsafe isFar = owner.isFar.pointer
  }

  func run(part: Int, of parts: Int) {
    let scratchStep = DistanceField.scratchCount(columns: columns, words: words)
    let emptyStep = DistanceField.emptyCount(columns: columns)
    var turn = 0
    for row in 0..<rows where unsafe chosen[row] != 0 {
      turn += 1
      if turn % parts != part { continue }
      unsafe DistanceFieldKernels.fieldAlongRow(
        set, seen + row * columns * words, columns, words, slotX, reach, dirty + row * columns,
        scratch + part * scratchStep, empty + part * emptyStep, field + row * rowStride,
        isFar + row * columns)
    }
  }
}

/// Distances across rows, by strips of columns so that the rows within reach stay in the cache.
@safe
struct FieldAcrossJob: PartitionedJob {
  static let stripColumns = 16
  let set: InstructionSet
  let columns: Int
  let rows: Int
  let height: Int
  let reach: Int
  let rowStride: Int
  let slots: UnsafePointer<Int>
  let chosen: UnsafePointer<Int>
  let rowField: UnsafePointer<Int16>
  let isFar: UnsafePointer<UInt8>
  let dirty: UnsafeMutablePointer<UInt8>
  let field: UnsafeMutablePointer<Int16>

  init(field owner: DistanceField, set: InstructionSet) {
    self.set = set
    columns = owner.cells.x
    rows = owner.cells.y
    height = owner.words * 64
    reach = owner.reach
    rowStride = owner.rowStride
    unsafe slots = UnsafePointer(owner.slots.pointer)
    unsafe chosen = UnsafePointer(owner.rowsAcross.pointer)
    unsafe rowField = UnsafePointer(owner.rowField.pointer)
    unsafe isFar = UnsafePointer(owner.isFar.pointer)
    unsafe dirty = owner.dirty.pointer
    unsafe field = owner.field.pointer
  }

  func run(part: Int, of parts: Int) {
    let slotY = unsafe slots[1]
    let strips = (columns + Self.stripColumns - 1) / Self.stripColumns
    for strip in partition(strips, part: part, of: parts) {
      let first = strip * Self.stripColumns
      for y in 0..<rows {
        let slot = y + slotY < rows ? y + slotY : y + slotY - rows
        if unsafe chosen[slot] == 0 { continue }
        unsafe DistanceFieldKernels.fieldAcrossRows(
          set, rowField, rowStride, isFar, columns, rows, height, slots, reach, y, first,
          min(columns, first + Self.stripColumns), dirty + slot * columns,
          field + slot * rowStride)
      }
    }
  }
}
