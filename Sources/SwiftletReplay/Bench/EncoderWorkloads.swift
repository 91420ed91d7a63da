import Swiftlet

/// BEVFormer-tiny's encoder and its spatial cross attention alone, with random weights on the
/// synthetic rig.
enum EncoderWorkloads {
  static let precisions = DensePrecision.allCases.map(\.rawValue)
  static let all: [BenchmarkWorkload] = [
    BenchmarkWorkload(
      name: "bevformer-tiny-encoder", category: "attention", precisions: precisions
    ) { engine, pool, precision in
      EncoderWorkload(EncoderStage(precision: try .named(precision), engine, pool))
    }
  ]
}

/// Sizes, weights and geometry of BEVFormer-tiny's encoder: 50 × 50 cells of 256 channels, six
/// cameras of one 15 × 25 level, 8 points on 4 anchors, 4 points of history, 512 hidden.
enum EncoderScene {
  static let width = 50
  static let height = 50
  static let channels = 256
  static let layers = 3
  static let shape = DeformableShape(
    channels: channels, heads: 8, levels: FeatureLevel.pyramid([(15, 25)]), points: 8, anchors: 4,
    maps: 6, queryCount: width * height)

  static func layer(
    _ numbers: inout SeededNumbers, channels: Int = EncoderScene.channels, heads: Int = 8
  ) -> BEVFormerLayerWeights {
    let square = channels * channels
    // Values, outputs: as mmcv initialises them (Xavier), which keeps a row's variance; hidden layers:
    // as torch does, 1 / √inputs.
    let bound = (3 / Float(channels)).squareRoot()
    let (first, second) = (1 / Float(channels).squareRoot(), 1 / Float(2 * channels).squareRoot())
    func floats(_ count: Int, _ bound: Float) -> [Float] { numbers.floats(count, in: -bound...bound) }
    func deformable(_ samples: Int, inputs: Int) -> DeformableWeights {
      DeformableWeights(
        valueWeight: floats(square, bound), valueBias: floats(channels, 0.1),
        offsetWeight: floats(2 * samples * inputs, bound / 2), offsetBias: floats(2 * samples, 2),
        attentionWeight: floats(samples * inputs, bound / 2), attentionBias: floats(samples, 1),
        outputWeight: floats(square, bound), outputBias: floats(channels, 0.1))
    }
    let temporal = deformable(2 * heads * 4, inputs: 2 * channels)
    let spatial = deformable(heads * 8, inputs: channels)
    let norms = (0..<3).map { _ in
      (numbers.floats(channels, in: 0.8...1.2), numbers.floats(channels, in: -0.1...0.1))
    }
    return BEVFormerLayerWeights(
      temporal: temporal, spatial: spatial, norms: norms,
      feedForward: (
        floats(2 * channels * channels, first), floats(2 * channels, 0.1),
        floats(2 * channels * channels, second),
        floats(channels, 0.1)
      ))
  }

  /// Half-size images of the synthetic rig, padded to 480 × 800; the lidar frame looks along y from
  /// above the rear axle.
  static func references() -> AnchorReferences {
    let references = AnchorReferences(
      maps: 6, queryCount: shape.queryCount, anchors: shape.anchors)
    let egoFromLidar = RigidTransform(
      rotation: Matrix3(SIMD3(0, 1, 0), SIMD3(-1, 0, 0), SIMD3(0, 0, 1)),
      translation: SIMD3(0.94, 0, 1.84))
    let cameras = ProjectionRig.cameras(
      augmentation: .identity, networkWidth: 800, networkHeight: 480)
    for (index, camera) in cameras.enumerated() {
      let cameraFromLidar = camera.egoFromCamera.inverse * egoFromLidar
      let k = Matrix3(SIMD3(0.5, 0, 0), SIMD3(0, 0.5, 0), SIMD3(0, 0, 1)) * camera.intrinsics.matrix
      let linear = k * cameraFromLidar.rotation
      let offset = k * cameraFromLidar.translation
      var matrix: [Float] = []
      for (row, last) in [
        (linear.row0, offset.x), (linear.row1, offset.y), (linear.row2, offset.z),
      ] {
        matrix += [Float(row.x), Float(row.y), Float(row.z), Float(last)]
      }
      matrix += [Float](repeating: 0, count: 3) + [1]
      references.setBEVFormerCamera(
        index, lidarToImage: matrix, range: [-51.2, -51.2, -5, 51.2, 51.2, 3],
        anchorHeights: [0.0625, 0.354_166_67, 0.645_833_3, 0.9375], width: width, height: height,
        imageWidth: 800, imageHeight: 480)
    }
    return references
  }

  /// (query, camera) pairs that are sampled.
  static func pairCount(_ references: AnchorReferences) -> Int {
    var count = 0
    for map in 0..<references.maps {
      for query in 0..<references.queryCount where references.isActive(map: map, query: query) {
        count += 1
      }
    }
    return count
  }
}

/// The encoder with its inputs: one history frame, turned by the motion since.
final class EncoderStage {
  let encoder: BEVFormerEncoder
  let engine: Engine
  let pool: WorkerPool
  let precision: DensePrecision
  let references = EncoderScene.references()
  let output: AlignedBuffer<Float>
  private let reference: BEVFormerEncoder
  private let embedding: AlignedBuffer<Float>
  private let vector: AlignedBuffer<Float>
  private let position: AlignedBuffer<Float>
  private let features: AlignedBuffer<Float>
  private let previous: AlignedBuffer<Float>
  private let angleDegrees = 1.5

  init(precision: DensePrecision, _ engine: Engine, _ pool: WorkerPool) {
    self.engine = engine
    self.pool = pool
    self.precision = precision
    var numbers = SeededNumbers(seed: 21)
    let layers = (0..<EncoderScene.layers).map { _ in EncoderScene.layer(&numbers) }
    func make(_ engine: Engine, _ precision: DensePrecision) -> BEVFormerEncoder {
      let encoder = BEVFormerEncoder(
        layers: layers, crossShape: EncoderScene.shape, selfPoints: 4, width: EncoderScene.width,
        height: EncoderScene.height, engine: engine, precision: precision,
        maximumThreads: pool.threadCount)
      encoder.setShift(x: 0.011, y: -0.004)
      return encoder
    }
    encoder = make(engine, precision)
    reference = make(.reference, .fp32)
    let count = EncoderScene.shape.queryCount * EncoderScene.channels
    func buffer(_ count: Int, _ bound: Float) -> AlignedBuffer<Float> {
      AlignedBuffer(numbers.floats(count, in: -bound...bound))
    }
    embedding = buffer(count, 1.5)
    vector = buffer(EncoderScene.channels, 0.5)
    position = buffer(count, 1)
    features = buffer(6 * 15 * 25 * EncoderScene.channels, 1.7)
    previous = buffer(count, 1.7)
    output = AlignedBuffer(count: count)
    encoder.prepareEmbedding(embedding, pool: pool)
    prepareNextRun()
  }

  func prepareNextRun() { encoder.prepareHistory(previous, pool: pool) }
  func run() {
    encoder.applyPrepared(
      vector: vector, angleDegrees: angleDegrees, center: BEVRotation.publishedCenter,
      position: position, features: features, references: references, into: output, pool: pool)
  }

  /// Relative L2 error against the fp32 reference, which computes everything inside the frame.
  func errorAgainstReference() -> Double { error(against: reference) }

  /// The same against another encoder of these weights.
  func error(against other: BEVFormerEncoder) -> Double {
    output.fill(.nan)
    prepareNextRun()
    run()
    let channels = EncoderScene.channels
    let query = AlignedBuffer(
      (0..<embedding.count).map { embedding[$0] + vector[$0 % channels] })
    let turned = AlignedBuffer<Float>(count: previous.count)
    unsafe BEVRotation.rotate(
      UnsafeBufferPointer(previous.elements), width: EncoderScene.width,
      height: EncoderScene.height, channels: channels, angleDegrees: angleDegrees,
      center: BEVRotation.publishedCenter, into: turned.elements, engine: .reference, pool: pool)
    let expected = AlignedBuffer<Float>(count: output.count)
    other.apply(
      query: query, position: position, previous: turned, features: features,
      references: references, into: expected, pool: pool)
    return RelativeError.of(output, expected)
  }

  /// Products and taps of a frame; what is prepared between frames is not counted.
  var floatingPointOperations: Double {
    let queries = EncoderScene.shape.queryCount
    let c = EncoderScene.channels
    let square = c * c
    let sampling = c * 192
    let temporal = queries * (3 * square + 2 * sampling)
    let spatial = 2250 * square + queries * (square + sampling)
    let hidden = queries * 1024 * c
    let samples = queries * 64 + EncoderScene.pairCount(references) * 64
    let perLayer: Int = temporal + spatial + hidden + samples * 128
    return Double(2 * EncoderScene.layers * perLayer) - encoder.preparedOperations
  }
  /// Weights, features and maps once per layer.
  var bytesMoved: Double {
    let square = EncoderScene.channels * EncoderScene.channels
    let weights: Int = 8 * square + 147_456
    let perLayer: Int = weights + features.count + 8 * output.count
    return Double(4 * EncoderScene.layers * perLayer)
  }
}

final class EncoderWorkload: PreparedWorkload {
  private let stage: EncoderStage
  private(set) var relativeError: Double?
  let floatingPointOperations: Double
  let bytesMoved: Double
  let hasWorkBetweenRuns = true

  init(_ stage: EncoderStage) {
    self.stage = stage
    floatingPointOperations = stage.floatingPointOperations
    bytesMoved = stage.bytesMoved
  }

  func prepareNextRun() { stage.prepareNextRun() }
  func run() { stage.run() }
  func verificationFailure() -> String? {
    let error = stage.errorAgainstReference()
    if stage.precision != .fp32 { relativeError = error }
    return errorFailure(error, stage.precision)
  }
}
