/// Every workload, defined once for `swiftlet bench` and `Benchmarks/`.
public enum BenchmarkCatalog {
  public static let categories = ["projection", "occupancy", "attention", "frame"]

  public static var all: [BenchmarkWorkload] {
    ProjectionWorkloads.all + OccupancyWorkloads.all + OccupancyQueryWorkloads.all
      + AttentionWorkloads.all + FrameWorkloads.all
      + MetricsWorkloads.all
  }
}
