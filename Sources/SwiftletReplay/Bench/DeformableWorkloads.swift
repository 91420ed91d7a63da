import Swiftlet

/// Deformable attention at the sizes of BEVFormer and FB-OCC, on seeded data.
enum DeformableWorkloads {
  static let all: [BenchmarkWorkload] = [
    BenchmarkWorkload(name: "msda-tiny", category: "attention") { engine, pool, _ in
      DeformableWorkload(maps: 6, queries: 589, sizes: [(15, 25)], engine, pool)
    },
    BenchmarkWorkload(name: "msda-base-4level", category: "attention") { engine, pool, _ in
      DeformableWorkload(
        maps: 1, queries: 9518, sizes: [(116, 200), (58, 100), (29, 50), (15, 25)], engine, pool)
    },
    BenchmarkWorkload(
      name: "fbocc-backward", category: "attention", precisions: EncoderWorkloads.precisions
    ) { engine, pool, precision in
      BackwardWorkload(BackwardStage(precision: try .named(precision), engine, pool))
    },
  ]
}

/// The operator alone, 8 heads × 32 channels, 8 points: every location inside the map, uniformly
/// spread, which is the most work and the least locality.
final class DeformableWorkload: PreparedWorkload {
  private let attention: MultiScaleDeformableAttention
  private let maps: Int
  private let queries: Int
  private let engine: Engine
  private let pool: WorkerPool
  private let values: AlignedBuffer<Float>
  private let locations: AlignedBuffer<Float>
  private let weights: AlignedBuffer<Float>
  private let output: AlignedBuffer<Float>

  init(
    maps: Int, queries: Int, sizes: [(height: Int, width: Int)], _ engine: Engine,
    _ pool: WorkerPool
  ) {
    var numbers = SeededNumbers(seed: 14)
    self.maps = maps
    self.queries = queries
    self.engine = engine
    self.pool = pool
    attention = MultiScaleDeformableAttention(
      heads: 8, channels: 32, levels: FeatureLevel.pyramid(sizes), points: 8,
      maximumThreads: pool.threadCount)
    let samples = maps * queries * 64 * sizes.count
    values = AlignedBuffer(count: maps * attention.tokenCount * 256)
    locations = AlignedBuffer(count: 2 * samples)
    weights = AlignedBuffer(count: samples)
    output = AlignedBuffer(count: maps * queries * 256)
    numbers.fill(values, in: -1...1)
    numbers.fill(locations, in: 0...1)
    numbers.fill(weights, in: 0...0.1)
  }

  /// Four taps of 32 channels a sample.
  var floatingPointOperations: Double { Double(weights.count * 4 * 32 * 2) }
  var bytesMoved: Double {
    4 * Double(values.count + locations.count + weights.count + output.count)
  }
  func run() { attend(into: output, engine) }
  private func attend(into output: AlignedBuffer<Float>, _ engine: Engine) {
    attention.apply(
      values: values, locations: locations, weights: weights, queryCount: queries, maps: maps,
      into: output, engine: engine, pool: pool)
  }

  /// Every element against float64: positions up to 200 err by 7.6e-6 pixels, 32 samples of 0.1.
  func verificationFailure() -> String? {
    output.fill(.nan)
    run()
    let expected = AlignedBuffer<Float>(count: output.count)
    attend(into: expected, .reference)
    return differenceFailure(expected, output, tolerance: 1e-4)
  }
}

/// FB-OCC's backward projection at its released size with random weights and a rig of six cameras.
final class BackwardStage {
  static let shape = BackwardProjectionShape(
    channels: 80, heads: 8, width: 100, height: 100, anchors: 4, cameras: 6, featureWidth: 44,
    featureHeight: 16, crossPoints: 8, selfPoints: 4, depthBins: 80, depthStartMeters: 2,
    depthStepMeters: 0.5, voxelHeights: 8)
  let projection: BackwardProjection
  let precision: DensePrecision
  let pool: WorkerPool
  /// The refined map [y][x][C] and the refined voxels [z][y][x][C].
  let map: AlignedBuffer<Float>
  let output: AlignedBuffer<Float>
  private let reference: BackwardProjection
  private let references: AnchorReferences
  private let embedding: AlignedBuffer<Float>
  private let position: AlignedBuffer<Float>
  private let pairCount: Int

  init(precision: DensePrecision, _ engine: Engine, _ pool: WorkerPool) {
    var numbers = SeededNumbers(seed: 15)
    let shape = Self.shape
    self.pool = pool
    self.precision = precision
    let weights = Self.weights(&numbers)
    projection = BackwardProjection(
      weights: weights, shape: shape, engine: engine, precision: precision,
      maximumThreads: pool.threadCount)
    reference = BackwardProjection(
      weights: weights, shape: shape, engine: .reference, maximumThreads: pool.threadCount)
    references = Self.rig(shape)
    let cells = shape.queryCount * shape.channels
    embedding = AlignedBuffer(numbers.floats(cells, in: -1...1))
    position = AlignedBuffer(numbers.floats(cells, in: -1...1))
    map = AlignedBuffer(count: cells)
    output = AlignedBuffer(count: shape.voxelHeights * cells)
    pairCount = EncoderScene.pairCount(references)
  }

  private static func weights(_ numbers: inout SeededNumbers) -> BEVFormerLayerWeights {
    // As mmcv and torch initialise them: Xavier, and 1 / √inputs for the hidden layers.
    let bound = (3 / Float(80)).squareRoot()
    func floats(_ count: Int, _ bound: Float) -> [Float] { numbers.floats(count, in: -bound...bound) }
    func deformable(_ samples: Int) -> DeformableWeights {
      DeformableWeights(
        valueWeight: floats(6400, bound), valueBias: floats(80, 0.1),
        offsetWeight: floats(samples * 160, bound / 2), offsetBias: floats(samples * 2, 2),
        attentionWeight: floats(samples * 80, bound / 2), attentionBias: floats(samples, 1),
        outputWeight: floats(6400, bound), outputBias: floats(80, 0.1))
    }
    let (own, cross) = (deformable(32), deformable(64))
    return BEVFormerLayerWeights(
      temporal: own, spatial: cross,
      norms: (0..<3).map { _ in
        (numbers.floats(80, in: 0.8...1.2), numbers.floats(80, in: -0.1...0.1))
      },
      feedForward: (
        floats(25_600, 1 / Float(80).squareRoot()), floats(320, 0.1),
        floats(25_600, 1 / Float(320).squareRoot()), floats(80, 0.1)
      ))
  }

  /// The synthetic rig through FB-OCC's image augmentation.
  private static func rig(_ shape: BackwardProjectionShape) -> AnchorReferences {
    let references = AnchorReferences(
      maps: shape.cameras, queryCount: shape.queryCount, anchors: shape.anchors, areWeighted: true)
    let cameras = ProjectionRig.cameras(
      augmentation: ProjectionRig.bevDetAugmentation, networkWidth: 704, networkHeight: 256)
    for (index, camera) in cameras.enumerated() {
      references.setFBOCCCamera(
        index, intrinsics: camera.intrinsics.matrix,
        egoFromCamera: (camera.egoFromCamera.rotation, camera.egoFromCamera.translation),
        augmentation: (
          Matrix3(SIMD3(0.44, 0, 0), SIMD3(0, 0.44, 0), SIMD3(0, 0, 1)), SIMD3(0, -140, 0)
        ), bevAugmentation: .identity, bounds: ((-40, 0.8), (-40, 0.8), (-1, 1.6)),
        width: shape.width, imageWidth: 704, imageHeight: 256)
    }
    return references
  }

  /// Products of the linear layers, and four taps a sample.
  var floatingPointOperations: Double {
    let queries = Self.shape.queryCount
    let perQuery: Int = 80 * 1168
    let linear: Int = queries * perQuery + 4224 * 6400
    let taps: Int = queries * 32 * 40 + pairCount * 64 * 40
    return Double(2 * (linear + taps))
  }
  /// Voxels in and out, maps, features and depth.
  var bytesMoved: Double {
    let floats: Int = 2 * output.count + 6 * map.count + 4224 * 160
    return Double(4 * floats)
  }

  func run(voxels: AlignedBuffer<Float>, features: AlignedBuffer<Float>, depth: AlignedBuffer<Float>) {
    run(projection, voxels, features, depth, map, output)
  }
  private func run(
    _ projection: BackwardProjection, _ voxels: AlignedBuffer<Float>,
    _ features: AlignedBuffer<Float>, _ depth: AlignedBuffer<Float>, _ map: AlignedBuffer<Float>,
    _ output: AlignedBuffer<Float>
  ) {
    projection.apply(
      voxels: voxels, embedding: embedding, position: position, features: features, depth: depth,
      references: references, into: map, voxels: output, pool: pool)
  }

  /// Relative L2 error of map and voxels against the fp32 reference on the same inputs.
  func errorAgainstReference(
    voxels: AlignedBuffer<Float>, features: AlignedBuffer<Float>, depth: AlignedBuffer<Float>
  ) -> Double {
    let (expected, expectedVoxels) = (
      AlignedBuffer<Float>(count: map.count), AlignedBuffer<Float>(count: output.count)
    )
    run(reference, voxels, features, depth, expected, expectedVoxels)
    return max(RelativeError.of(map, expected), RelativeError.of(output, expectedVoxels))
  }
}

final class BackwardWorkload: PreparedWorkload {
  private let stage: BackwardStage
  private let voxels: AlignedBuffer<Float>
  private let features: AlignedBuffer<Float>
  private let depth: AlignedBuffer<Float>
  private(set) var relativeError: Double?

  init(_ stage: BackwardStage) {
    self.stage = stage
    var numbers = SeededNumbers(seed: 16)
    let tokens = 6 * 704
    voxels = AlignedBuffer(numbers.floats(stage.output.count, in: -1...1))
    features = AlignedBuffer(numbers.floats(tokens * 80, in: -1.7...1.7))
    depth = AlignedBuffer(numbers.floats(tokens * 80, in: 0...1))
  }

  var floatingPointOperations: Double { stage.floatingPointOperations }
  var bytesMoved: Double { stage.bytesMoved }
  func run() { stage.run(voxels: voxels, features: features, depth: depth) }
  func verificationFailure() -> String? {
    stage.map.fill(.nan)
    stage.output.fill(.nan)
    run()
    let error = stage.errorAgainstReference(voxels: voxels, features: features, depth: depth)
    if stage.precision != .fp32 { relativeError = error }
    return errorFailure(error, stage.precision)
  }
}
