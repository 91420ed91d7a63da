/// The order of visits as pointers, shared by its jobs.
@unsafe struct VisitTables: BitwiseCopyable {
  var tables: IndexJobTables
  var tokenColumns: UnsafeMutablePointer<UInt16>
  var keys: UnsafeMutablePointer<UInt16>
  var keyCount: Int
  var keyStride: Int
  var counts: UnsafeMutablePointer<Int32>
  var keyStarts: UnsafeMutablePointer<Int32>
  var workStarts: UnsafeMutablePointer<Int32>
  var visits: UnsafeMutablePointer<Int32>

  init(_ index: BEVIndex, _ tables: IndexJobTables) {
    unsafe self.tables = tables
    unsafe tokenColumns = index.tokenColumns.pointer
    unsafe keys = index.visitKeys.pointer
    unsafe keyCount = index.visitKeyCount
    unsafe keyStride = index.visitKeyStride
    unsafe counts = index.visitCounts.pointer
    unsafe keyStarts = index.visitStarts.pointer
    unsafe workStarts = index.visitWork.pointer
    unsafe visits = index.visits.pointer
  }

  func cellRange(_ part: Int, _ parts: Int) -> Range<Int> {
    unsafe partition(tables.cellCount, part: part, of: parts, grain: 64)
  }
  func histogram(_ part: Int) -> UnsafeMutablePointer<Int32> {
    unsafe counts + 2 * part * keyStride
  }
  func work(_ part: Int) -> UnsafeMutablePointer<Int32> { unsafe histogram(part) + keyStride }

  /// Counts become first places of every key and part; a few hundred keys, so by one thread.
  func scan() {
    var place: Int32 = 0
    var total: Int32 = 0
    for key in unsafe 0..<keyCount {
      unsafe keyStarts[key] = place
      unsafe workStarts[key] = total
      for part in unsafe 0..<tables.parts {
        let count = unsafe histogram(part)[key]
        unsafe histogram(part)[key] = place
        place += count
        unsafe total += work(part)[key]
      }
    }
    unsafe keyStarts[keyCount] = place
    unsafe workStarts[keyCount] = total
  }

  /// The same for visits in rank order: keys are equal runs of cells, none is for empty ones.
  func scanRanks() {
    unsafe keyStarts[0] = 0
    unsafe workStarts[0] = 0
    for key in unsafe 1...keyCount {
      let cell = unsafe (key - 1) * tables.cellCount / (keyCount - 1)
      unsafe keyStarts[key] = Int32(cell)
      unsafe workStarts[key] = tables.starts[cell] + Int32(2 * cell)
    }
  }
}

@safe struct RankVisitsJob: PartitionedJob {
  var visits: VisitTables
  func run(part: Int, of parts: Int) {
    for cell in unsafe visits.cellRange(part, parts) {
      unsafe visits.visits[3 * cell] = Int32(cell)
      unsafe visits.visits[3 * cell + 1] = visits.tables.starts[cell]
      unsafe visits.visits[3 * cell + 2] = visits.tables.starts[cell + 1]
    }
  }
}

@safe struct CountVisitsJob: PartitionedJob {
  var visits: VisitTables
  func run(part: Int, of parts: Int) {
    let histogram = unsafe visits.histogram(part)
    unsafe histogram.update(repeating: 0, count: 2 * visits.keyStride)
    let range = unsafe visits.cellRange(part, parts)
    unsafe ProjectionKernels.countVisits(
      visits.tables.set, visits.tables.points, visits.tables.starts, visits.tokenColumns,
      range.lowerBound, range.upperBound, visits.keys, histogram, visits.work(part))
  }
}

@safe struct PlaceVisitsJob: PartitionedJob {
  var visits: VisitTables
  func run(part: Int, of parts: Int) {
    let range = unsafe visits.cellRange(part, parts)
    unsafe ProjectionKernels.placeVisits(
      visits.tables.set, visits.tables.starts, visits.keys, range.lowerBound, range.upperBound,
      visits.histogram(part), visits.visits)
  }
}
