import Swiftlet

/// The standard workloads of the camera-to-BEV stage, on seeded data and a synthetic rig with
/// pitch and roll.
public enum ProjectionWorkloads {
  public static let all: [BenchmarkWorkload] = [
    pool("bevdet-r50-pool", .bevDetR50), pool("bevdet-d118-pool", .bevDetD118),
    pool("bevfusion-pool", .bevFusion), index("bevdet-r50-index", .bevDetR50),
    index("bevfusion-index", .bevFusion), softmax, warp, FastBEVWorkload.workload,
    GroundWorkload.workload,
  ]

  private static func pool(_ name: String, _ shape: ProjectionShape) -> BenchmarkWorkload {
    BenchmarkWorkload(name: name, category: "projection", precisions: ["fp32", "bf16"]) {
      engine, pool, precision in
      PoolWorkload(shape, engine, pool, isHalf: precision == "bf16")
    }
  }
  private static func index(_ name: String, _ shape: ProjectionShape) -> BenchmarkWorkload {
    BenchmarkWorkload(name: name, category: "projection") { engine, pool, _ in
      IndexWorkload(shape, engine, pool)
    }
  }
  private static let softmax = BenchmarkWorkload(
    name: "depth-softmax", category: "projection"
  ) { engine, pool, _ in SoftmaxWorkload(engine, pool) }
  private static let warp = BenchmarkWorkload(
    name: "bev4d-warp", category: "projection"
  ) { engine, pool, _ in WarpWorkload(engine, pool) }
}

/// The sizes of one project's view transform.
struct ProjectionShape: Sendable {
  var grid: BEVGrid
  var bins: DepthBins
  var channels: Int
  var featureWidth: Int
  var featureHeight: Int
  var augmentation: ImageAugmentation

  static let bevDetR50 = ProjectionShape(
    grid: BEVGrid(x: (-51.2, 51.2, 0.8), y: (-51.2, 51.2, 0.8), z: (-5, 3, 8)),
    bins: .uniform(lower: 1, upper: 60, step: 1), channels: 64, featureWidth: 44,
    featureHeight: 16, augmentation: ProjectionRig.bevDetAugmentation)
  static let bevDetD118 = ProjectionShape(
    grid: bevDetR50.grid, bins: .uniform(lower: 1, upper: 60, step: 0.5), channels: 80,
    featureWidth: 44, featureHeight: 16, augmentation: ProjectionRig.bevDetAugmentation)
  static let bevFusion = ProjectionShape(
    grid: BEVGrid(x: (-54, 54, 0.3), y: (-54, 54, 0.3), z: (-10, 10, 20)),
    bins: .uniform(lower: 1, upper: 60, step: 0.5), channels: 80, featureWidth: 88,
    featureHeight: 32, augmentation: ProjectionRig.bevFusionAugmentation)

  var layout: FrustumLayout {
    FrustumLayout(
      cameras: Array(
        repeating: FrustumLayout.Camera(featureWidth: featureWidth, featureHeight: featureHeight),
        count: 6), binCount: bins.count)
  }
  func cameras(driftDegrees: Double = 0) -> [FrustumCamera] {
    ProjectionRig.cameras(
      augmentation: augmentation, networkWidth: 704, networkHeight: 256,
      driftDegrees: driftDegrees)
  }
  func makeLift(_ engine: Engine) -> FrustumLift {
    let lift = FrustumLift(layout: layout, grid: grid, depthBins: bins, engine: engine)
    for (position, camera) in cameras().enumerated() { _ = lift.setCamera(position, camera) }
    return lift
  }
}

/// Weighted pooling with tables at hand: depth gather and grid write included.
final class PoolWorkload: PreparedWorkload {
  let shape: ProjectionShape
  let index: BEVIndex
  let depth: AlignedBuffer<Float>
  let features: AlignedBuffer<Float>
  let output: AlignedBuffer<Float>
  /// The features' upper halves; nil for float32.
  private var halves: AlignedBuffer<UInt16>?

  init(_ shape: ProjectionShape, _ engine: Engine, _ pool: WorkerPool, isHalf: Bool = false) {
    self.shape = shape
    let layout = shape.layout
    index = BEVIndex(
      layout: layout, cellCount: shape.grid.cellCount, engine: engine, pool: pool)
    index.rebuild(shape.makeLift(engine))
    depth = AlignedBuffer(count: layout.pointCount)
    features = AlignedBuffer(count: layout.featureCount * shape.channels)
    output = AlignedBuffer(count: shape.grid.cellCount * shape.channels)
    var numbers = SeededNumbers(seed: 1)
    numbers.fill(depth, in: 0...0.03)
    numbers.fill(features, in: -1...1)
    guard isHalf else { return }
    let halves = AlignedBuffer<UInt16>(features.array.map { UInt16($0.bitPattern >> 16) })
    for position in 0..<features.count {
      features[position] = Float(bitPattern: UInt32(halves[position]) << 16)
    }
    self.halves = halves
  }

  var floatingPointOperations: Double { 2 * Double(index.keptCount * shape.channels) }
  /// Point words and weights, features once, the map once, cell starts.
  var bytesMoved: Double {
    let featureBytes = (halves == nil ? 4 : 2) * features.count
    return Double(
      12 * index.keptCount + featureBytes + 4 * (output.count + shape.grid.cellCount))
  }
  func run() {
    if let halves {
      unsafe BEVPool.pool(
        index, depth: UnsafeBufferPointer(depth.elements),
        halfFeatures: UnsafeBufferPointer(halves.elements), elementType: .bfloat16,
        channels: shape.channels, into: output.elements)
      return
    }
    unsafe BEVPool.pool(
      index, depth: UnsafeBufferPointer(depth.elements),
      features: UnsafeBufferPointer(features.elements), channels: shape.channels,
      into: output.elements)
  }

  /// Every sum against float64, within n roundings of the terms' magnitude.
  func verificationFailure() -> String? {
    output.fill(.nan)
    run()
    let tables = index.tables()
    let channels = shape.channels
    var expected = [Double](repeating: 0, count: output.count)
    var magnitude = expected
    for point in tables.ranksBEV.indices {
      let weight = Double(depth[Int(tables.ranksDepth[point])])
      let row = Int(tables.ranksFeature[point]) * channels
      let cell = Int(tables.ranksBEV[point]) * channels
      for channel in 0..<channels {
        let term = weight * Double(features[row + channel])
        expected[cell + channel] += term
        magnitude[cell + channel] += abs(term)
      }
    }
    let longest = Double(tables.intervalLengths.max() ?? 0)
    for position in expected.indices {
      let bound = (longest + 1) * 0x1p-23 * magnitude[position]
      let error = abs(Double(output[position]) - expected[position])
      if !(error <= bound) {
        return "cell \(position / channels) channel \(position % channels): "
          + "expected \(expected[position]) within \(bound), found \(output[position])"
      }
    }
    return nil
  }
}

/// Rebuilding the tables after a calibration change: rays, ranks, counting sort, camera masks.
final class IndexWorkload: PreparedWorkload {
  let shape: ProjectionShape
  let lift: FrustumLift
  let index: BEVIndex
  let pool: WorkerPool
  let calibrations: [[FrustumCamera]]
  private var turn = 0

  init(_ shape: ProjectionShape, _ engine: Engine, _ pool: WorkerPool) {
    self.shape = shape
    self.pool = pool
    lift = shape.makeLift(engine)
    index = BEVIndex(
      layout: shape.layout, cellCount: shape.grid.cellCount, engine: engine, pool: pool)
    calibrations = [shape.cameras(), shape.cameras(driftDegrees: 0.1)]
    index.rebuild(lift)
  }

  /// Lift (an addition and a multiplication per axis) and cell (a subtraction and a division).
  var floatingPointOperations: Double { 12 * Double(shape.layout.pointCount) }
  /// Ranks written and read, words of the points written, rays read once per bin.
  var bytesMoved: Double {
    let points = shape.layout.pointCount
    return Double(points * (4 + 4 + 8 + 12) + 12 * shape.grid.cellCount)
  }
  func run() {
    turn ^= 1
    for (position, camera) in calibrations[turn].enumerated() {
      _ = lift.setCamera(position, camera)
    }
    index.rebuild(lift)
  }

  /// The sort against the scalar sort of the same ranks, exactly; the ranks against the scalar
  /// lift, where a fused multiply-add may move one point in 10,000 over a border.
  func verificationFailure() -> String? {
    run()
    let ranks = index.pointRanks()
    let scalar = BEVIndex(
      layout: shape.layout, cellCount: shape.grid.cellCount, engine: .reference, pool: pool)
    scalar.rebuild(ranks: ranks)
    guard scalar.tables() == index.tables() else { return "the tables differ from a scalar sort" }
    guard scalar.cameraMasks.array == index.cameraMasks.array else { return "camera masks differ" }
    let scalarLift = shape.makeLift(.reference)
    for (position, camera) in calibrations[turn].enumerated() {
      _ = scalarLift.setCamera(position, camera)
    }
    scalar.rebuild(scalarLift)
    let moved = zip(scalar.pointRanks(), ranks).filter { $0 != $1 }.count
    let allowed = ranks.count / 10_000
    return moved <= allowed ? nil : "\(moved) of \(ranks.count) ranks moved; \(allowed) may"
  }
}

/// Softmax over 59 bins of six 16×44 maps.
final class SoftmaxWorkload: PreparedWorkload {
  private let bins = 59
  private let pixels = 16 * 44
  private let cameras = 6
  let engine: Engine
  let pool: WorkerPool
  let logits: AlignedBuffer<Float>
  let output: AlignedBuffer<Float>

  init(_ engine: Engine, _ pool: WorkerPool) {
    self.engine = engine
    self.pool = pool
    logits = AlignedBuffer(count: bins * pixels * cameras)
    output = AlignedBuffer(count: bins * pixels * cameras)
    var numbers = SeededNumbers(seed: 2)
    numbers.fill(logits, in: -8...8)
  }
  /// A subtraction, about 15 for the exponential, an addition, a multiplication, a comparison.
  var floatingPointOperations: Double { 19 * Double(logits.count) }
  var bytesMoved: Double { 8 * Double(logits.count) }

  func run() { run(engine, output) }
  private func run(_ engine: Engine, _ target: AlignedBuffer<Float>) {
    let perCamera = bins * pixels
    for camera in 0..<cameras {
      let range = (camera * perCamera)..<((camera + 1) * perCamera)
      unsafe DepthSoftmax.softmax(
        UnsafeBufferPointer(rebasing: UnsafeBufferPointer(logits.elements)[range]), bins: bins,
        pixels: pixels, into: UnsafeMutableBufferPointer(rebasing: target.elements[range]),
        engine: engine, pool: pool)
    }
  }
  func verificationFailure() -> String? {
    output.fill(.nan)
    run()
    let expected = AlignedBuffer<Float>(count: output.count)
    run(.reference, expected)
    // exp within 2 ulp on either side, a sum of 59 and a division.
    return firstDifference(expected, output, relative: 64 * 0x1p-23, absolute: 0x1p-126)
  }
}

/// BEVDet4D's alignment of a 128×128×64 map between two ego poses.
final class WarpWorkload: PreparedWorkload {
  let warp: BEVWarp
  let pool: WorkerPool
  let source: AlignedBuffer<Float>
  let transform: BEVPixelTransform

  init(_ engine: Engine, _ pool: WorkerPool) {
    self.pool = pool
    warp = BEVWarp(width: 128, height: 128, channels: 64, engine: engine, pool: pool)
    source = AlignedBuffer(count: 128 * 128 * 64)
    var numbers = SeededNumbers(seed: 3)
    numbers.fill(source, in: -1...1)
    let motion = RigidTransform(
      rotation: Quaternion(axis: SIMD3(0, 0, 1), radians: 0.03), translation: SIMD3(4.1, 0.3, 0))
    transform = .bevDet4D(
      keyFromCurrentCamera: .identity, keyFromPreviousCamera: motion,
      lowerMeters: SIMD2(-51.2, -51.2), stepMeters: SIMD2(0.8, 0.8))
  }
  var floatingPointOperations: Double { 8 * Double(source.count) }
  var bytesMoved: Double { 8 * Double(source.count) }
  func run() {
    unsafe warp.warp(UnsafeBufferPointer(source.elements), validity: nil, by: transform)
  }
  func verificationFailure() -> String? {
    warp.output.fill(.nan)
    run()
    let scalar = BEVWarp(width: 128, height: 128, channels: 64, engine: .reference, pool: pool)
    unsafe scalar.warp(UnsafeBufferPointer(source.elements), validity: nil, by: transform)
    guard scalar.validity.array == warp.validity.array else { return "validity differs" }
    // Four products of magnitude up to 1, in the same order.
    return firstDifference(scalar.output, warp.output, relative: 0, absolute: 8 * 0x1p-24)
  }
}

/// The first element outside the tolerance, in words; nil when there is none.
func firstDifference(
  _ expected: AlignedBuffer<Float>, _ found: AlignedBuffer<Float>, relative: Float, absolute: Float
) -> String? {
  for index in 0..<expected.count {
    let bound = absolute + relative * abs(expected[index])
    if !(abs(expected[index] - found[index]) <= bound) {
      return "element \(index): expected \(expected[index]) within \(bound), "
        + "found \(found[index])"
    }
  }
  return nil
}
