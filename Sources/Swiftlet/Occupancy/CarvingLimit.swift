/// How much of a scan's free space is carved. Hits are never limited.
///
/// A scan is carved in `batchCount` batches of interleaved fans (blocks of rays in exact mode), in an
/// order that halves the gaps between them again and again: wherever carving stops, what is missing
/// is missing evenly. `ScanSummary.carvedBatchCount` says how far it came, and `.batches` with that
/// number repeats the scan bit for bit.
public enum CarvingLimit {
  case unlimited
  /// So many batches, as an earlier run's log says.
  case batches(Int)
  /// Asks before every batch and stops at the first true.
  case until(_ shouldStop: () -> Bool)

  /// Batches of one scan.
  public static let batchCount = 16
  /// Bit-reversed, so that any prefix is spread evenly.
  static let order = [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15]

  /// Calls `body` for one batch after the other until the limit; returns how many it called.
  ///
  /// - Parameter body: carves the batch of `of` interleaved ones; batch 0 of 1 is everything.
  func forEachBatch(_ body: (_ batch: Int, _ of: Int) -> Void) -> Int {
    var carved = 0
    switch self {
    case .unlimited:
      body(0, 1)
      return Self.batchCount
    case .batches(let limit):
      while carved < min(limit, Self.batchCount) {
        body(Self.order[carved], Self.batchCount)
        carved += 1
      }
    case .until(let shouldStop):
      while carved < Self.batchCount, !shouldStop() {
        body(Self.order[carved], Self.batchCount)
        carved += 1
      }
    }
    return carved
  }
}
