import Swiftlet

/// The metrics' kernels on an Occ3D grid (200 × 200 × 16, 18 classes) of a seeded street.
public enum MetricsWorkloads {
  public static let all: [BenchmarkWorkload] = [
    BenchmarkWorkload(name: "rayiou-cast-14040", category: "occupancy") { engine, pool, _ in
      try RayCastWorkload(engine, pool)
    },
    BenchmarkWorkload(name: "voxel-confusion-occ3d", category: "occupancy") { engine, pool, _ in
      ConfusionWorkload(engine, pool)
    },
  ]

  /// Ground, boxes of every class, and open space around the origin.
  static func street(seed: UInt64) -> [UInt8] {
    var labels = [UInt8](repeating: 17, count: 200 * 200 * 16)
    for column in 0..<200 * 200 { labels[column * 16 + 1] = 11 }
    var state = seed
    func next(_ limit: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % limit
    }
    for _ in 0..<150 {
      let (x, y, top) = (next(190), next(190), 2 + next(13))
      let (width, depth, label) = (2 + next(9), 2 + next(9), UInt8(next(17)))
      if abs(x - 100) < 14 && abs(y - 100) < 14 { continue }
      for i in x..<min(x + width, 200) {
        for j in y..<min(y + depth, 200) {
          for k in 2..<top { labels[(i * 200 + j) * 16 + k] = label }
        }
      }
    }
    return labels
  }
}

/// 14,040 rays of one origin through one grid.
private final class RayCastWorkload: PreparedWorkload {
  private let caster: VoxelRayCaster
  private let reference: VoxelRayCaster
  private let batch: VoxelRayBatch
  // Every ray is read once (24 bytes) and gives 12 bytes; the voxels it crosses come on top.
  var floatingPointOperations: Double { 0 }
  var bytesMoved: Double { Double(batch.count * 36) }

  init(_ engine: Engine, _ pool: WorkerPool) throws(InputError) {
    let labels = MetricsWorkloads.street(seed: 1)
    let sizes = SIMD3(200, 200, 16)
    caster = try VoxelRayCaster(
      labels: labels, sizes: sizes, freeClass: 17, engine: engine, pool: pool)
    reference = try VoxelRayCaster(
      labels: labels, sizes: sizes, freeClass: 17, engine: .reference, pool: pool)
    let rays = RayDirections.rays(
      from: SIMD3(0.9858, 0, 1.8402), lower: SIMD3(-40, -40, -1), voxelSizeMeters: 0.4)
    batch = try VoxelRayBatch(origins: rays.origins, ends: rays.ends)
  }

  func run() { caster.cast(batch) }

  func verificationFailure() -> String? {
    caster.cast(batch)
    let got = caster.results(of: batch, voxelSizeMeters: 0.4)
    reference.cast(batch)
    let expected = reference.results(of: batch, voxelSizeMeters: 0.4)
    return got == expected ? nil : "rays differ from the reference's"
  }
}

/// One sample of mIoU.
private final class ConfusionWorkload: PreparedWorkload {
  private let engine: Engine
  private let pool: WorkerPool
  private let prediction = MetricsWorkloads.street(seed: 2)
  private let truth = MetricsWorkloads.street(seed: 3)
  private let mask: [UInt8]
  private let scratch: VoxelConfusion.Scratch
  private var confusion = VoxelConfusion(classes: .occ3d)
  var floatingPointOperations: Double { 0 }
  var bytesMoved: Double { Double(3 * truth.count) }

  init(_ engine: Engine, _ pool: WorkerPool) {
    self.engine = engine
    self.pool = pool
    scratch = VoxelConfusion.Scratch(classes: .occ3d, pool: pool)
    mask = truth.indices.map { $0 % 16 < 9 ? 1 : 0 }
  }

  func run() {
    // The labels are classes: nothing to throw.
    try? confusion.add(
      prediction: prediction, truth: truth, mask: mask, engine: engine, pool: pool,
      scratch: scratch)
  }

  func verificationFailure() -> String? {
    var got = VoxelConfusion(classes: .occ3d)
    var expected = got
    do throws(InputError) {
      try got.add(prediction: prediction, truth: truth, mask: mask, engine: engine, pool: pool)
      try expected.add(
        prediction: prediction, truth: truth, mask: mask, engine: .reference, pool: pool)
    } catch {
      return "\(error)"
    }
    return got.counts == expected.counts ? nil : "counts differ from the reference's"
  }
}
