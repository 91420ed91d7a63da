/// Every golden operation by its name. A stage adds its table here.
///
/// A runner returns each `out.` tensor of its operation. Alternatives of one choice
/// (`out.bev_fma_order`, `out.bev_muladd_order`) are all given the same result; one match is enough.
/// A path that does not exist yet throws `GoldenError.unsupported`: a runner never falls back to
/// another engine in silence.
public enum GoldenOperations {
  public static let runners: [String: GoldenRunner] = merged([
    GoldenGeometry.runners,
    GoldenProjection.runners,
    GoldenOccupancy.runners,
    GoldenAttention.runners,
    GoldenMetrics.runners,
  ])

  private static func merged(_ tables: [[String: GoldenRunner]]) -> [String: GoldenRunner] {
    tables.reduce(into: [:]) { all, table in
      all.merge(table) { _, _ in fatalError("two golden runners claim one operation") }
    }
  }
}
