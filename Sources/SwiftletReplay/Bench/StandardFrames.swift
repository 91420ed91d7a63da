import Swiftlet

/// The frames of the goals, each one call on seeded network outputs. Calibration is static, so that
/// index tables are made once; convolutions are the network's.
///
/// - S: Lift-Splat-Shoot's pool and temporal warp, one BEVFormer-tiny spatial cross attention.
/// - M0: BEVDet-R50's pool and temporal warp.
/// - M: FB-OCC's forward and backward projection.
/// - L: BEVFusion's pool, BEVFormer-tiny's encoder of three layers with history.
/// - headline: M, a 124k-point scan into a 0.2 m rolling window, fusion of camera, LiDAR and history.
enum StandardFrames {
  static let all: [BenchmarkWorkload] = [
    frame("frame-s") { try SmallFrame($2, $0, $1) },
    frame("frame-m0", precisions: ["fp32"]) { engine, pool, _ in PoolFrame(engine, pool) },
    frame("frame-m") { try OccupancyFrame($2, $0, $1) },
    frame("frame-l") { try LargeFrame($2, $0, $1) },
    frame("frame-headline") { try HeadlineFrame($2, $0, $1) },
  ]

  private static func frame(
    _ name: String, precisions: [String] = EncoderWorkloads.precisions,
    prepare: @escaping @Sendable (Engine, WorkerPool, String) throws -> any PreparedWorkload
  ) -> BenchmarkWorkload {
    BenchmarkWorkload(name: name, category: "frame", precisions: precisions, prepare: prepare)
  }
}

/// S.
final class SmallFrame: PreparedWorkload {
  private let camera: CameraStage
  private let warp: WarpStage
  private let attention: SpatialCrossAttention
  private let reference: SpatialCrossAttention
  private let references = EncoderScene.references()
  private let features: AlignedBuffer<Float>
  private let query: AlignedBuffer<Float>
  private let output: AlignedBuffer<Float>
  private let precision: DensePrecision
  private let pool: WorkerPool
  private(set) var relativeError: Double?

  init(_ precision: String, _ engine: Engine, _ pool: WorkerPool) throws {
    self.pool = pool
    self.precision = try .named(precision)
    camera = CameraStage(.lss, engine, pool)
    warp = WarpStage(grid: camera.preset.configuration.grid, channels: 64, engine, pool)
    var numbers = SeededNumbers(seed: 33)
    let weights = EncoderScene.layer(&numbers).spatial
    attention = SpatialCrossAttention(
      weights: weights, shape: EncoderScene.shape, engine: engine, precision: self.precision,
      maximumThreads: pool.threadCount)
    reference = SpatialCrossAttention(
      weights: weights, shape: EncoderScene.shape, engine: .reference,
      maximumThreads: pool.threadCount)
    let count = EncoderScene.shape.queryCount * EncoderScene.channels
    features = AlignedBuffer(numbers.floats(6 * 375 * EncoderScene.channels, in: -1.7...1.7))
    query = AlignedBuffer(numbers.floats(count, in: -1.7...1.7))
    output = AlignedBuffer(count: count)
  }

  var floatingPointOperations: Double {
    let queries = EncoderScene.shape.queryCount
    let square = EncoderScene.channels * EncoderScene.channels
    let products: Int = 2250 * square + queries * (square + EncoderScene.channels * 192)
    let taps: Int = EncoderScene.pairCount(references) * 64 * 128
    let pooled = camera.floatingPointOperations + warp.floatingPointOperations
    return pooled + Double(2 * (products + taps))
  }
  var bytesMoved: Double {
    let floats: Int = features.count + 4 * output.count
    return camera.bytesMoved + warp.bytesMoved + Double(4 * floats)
  }
  func run() {
    camera.run()
    warp.run()
    attention.apply(
      features: features, query: query, references: references, into: output, pool: pool)
  }
  func verificationFailure() -> String? {
    if let failure = camera.verificationFailure() ?? warp.verificationFailure() { return failure }
    output.fill(.nan)
    run()
    let expected = AlignedBuffer<Float>(count: output.count)
    reference.apply(
      features: features, query: query, references: references, into: expected, pool: pool)
    let error = RelativeError.of(output, expected)
    if precision != .fp32 { relativeError = error }
    return errorFailure(error, precision)
  }
}

/// M0.
final class PoolFrame: PreparedWorkload {
  private let camera: CameraStage
  private let warp: WarpStage

  init(_ engine: Engine, _ pool: WorkerPool) {
    camera = CameraStage(.bevDetR50, engine, pool)
    warp = WarpStage(grid: camera.preset.configuration.grid, channels: 64, engine, pool)
  }

  var floatingPointOperations: Double {
    camera.floatingPointOperations + warp.floatingPointOperations
  }
  var bytesMoved: Double { camera.bytesMoved + warp.bytesMoved }
  func run() {
    camera.run()
    warp.run()
  }
  func verificationFailure() -> String? {
    camera.verificationFailure() ?? warp.verificationFailure()
  }
}

/// M.
final class OccupancyFrame: PreparedWorkload {
  let camera: CameraStage
  let backward: BackwardStage
  private(set) var relativeError: Double?

  init(_ precision: String, _ engine: Engine, _ pool: WorkerPool) throws {
    camera = CameraStage(.fbOcc, engine, pool)
    backward = BackwardStage(precision: try .named(precision), engine, pool)
  }

  var floatingPointOperations: Double {
    camera.floatingPointOperations + backward.floatingPointOperations
  }
  var bytesMoved: Double { camera.bytesMoved + backward.bytesMoved }
  func run() {
    camera.run()
    backward.run(voxels: camera.output, features: camera.features, depth: camera.depth)
  }
  func verificationFailure() -> String? {
    if let failure = camera.verificationFailure() { return failure }
    backward.map.fill(.nan)
    backward.output.fill(.nan)
    run()
    let error = backward.errorAgainstReference(
      voxels: camera.output, features: camera.features, depth: camera.depth)
    if backward.precision != .fp32 { relativeError = error }
    return errorFailure(error, backward.precision)
  }
}

/// L.
final class LargeFrame: PreparedWorkload {
  private let camera: CameraStage
  private let encoder: EncoderStage
  private(set) var relativeError: Double?
  let hasWorkBetweenRuns = true

  init(_ precision: String, _ engine: Engine, _ pool: WorkerPool) throws {
    camera = CameraStage(.bevFusion, engine, pool)
    encoder = EncoderStage(precision: try .named(precision), engine, pool)
  }

  var floatingPointOperations: Double {
    camera.floatingPointOperations + encoder.floatingPointOperations
  }
  var bytesMoved: Double { camera.bytesMoved + encoder.bytesMoved }
  func prepareNextRun() { encoder.prepareNextRun() }
  func run() {
    camera.run()
    encoder.run()
  }
  func verificationFailure() -> String? {
    if let failure = camera.verificationFailure() { return failure }
    let error = encoder.errorAgainstReference()
    if encoder.precision != .fp32 { relativeError = error }
    return errorFailure(error, encoder.precision)
  }
}
