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
    BenchmarkWorkload(name: "fbocc-backward", category: "attention") { engine, pool, _ in
      BackwardWorkload(engine, pool)
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
final class BackwardWorkload: PreparedWorkload {
  private static let shape = BackwardProjectionShape(
    channels: 80, heads: 8, width: 100, height: 100, anchors: 4, cameras: 6, featureWidth: 44,
    featureHeight: 16, crossPoints: 8, selfPoints: 4, depthBins: 80, depthStartMeters: 2,
    depthStepMeters: 0.5, voxelHeights: 8)
  private let projection: BackwardProjection
  private let reference: BackwardProjection
  private let references: AnchorReferences
  private let pool: WorkerPool
  private let buffers: [AlignedBuffer<Float>]
  private let map: AlignedBuffer<Float>
  private let output: AlignedBuffer<Float>
  private let pairCount: Int

  init(_ engine: Engine, _ pool: WorkerPool) {
    var numbers = SeededNumbers(seed: 15)
    let shape = Self.shape
    self.pool = pool
    let weights = Self.weights(&numbers)
    projection = BackwardProjection(
      weights: weights, shape: shape, engine: engine, maximumThreads: pool.threadCount)
    reference = BackwardProjection(
      weights: weights, shape: shape, engine: .reference, maximumThreads: pool.threadCount)
    references = Self.rig(shape)
    let cells = shape.queryCount * shape.channels
    let tokens = shape.cameras * shape.featureWidth * shape.featureHeight
    buffers = [8 * cells, cells, cells, tokens * shape.channels].map {
      AlignedBuffer(numbers.floats($0, in: -1...1))
    } + [AlignedBuffer(numbers.floats(tokens * shape.depthBins, in: 0...0.1))]
    map = AlignedBuffer(count: cells)
    output = AlignedBuffer(count: 8 * cells)
    pairCount = Self.activePairs(references, shape)
  }

  private static func activePairs(
    _ references: AnchorReferences, _ shape: BackwardProjectionShape
  ) -> Int {
    var count = 0
    for camera in 0..<shape.cameras {
      for query in 0..<shape.queryCount where references.isActive(map: camera, query: query) {
        count += 1
      }
    }
    return count
  }

  private static func weights(_ numbers: inout SeededNumbers) -> BEVFormerLayerWeights {
    func deformable(_ samples: Int) -> DeformableWeights {
      DeformableWeights(
        valueWeight: numbers.floats(6400, in: -0.1...0.1), valueBias: numbers.floats(80, in: 0...0.1),
        offsetWeight: numbers.floats(samples * 160, in: -0.1...0.1),
        offsetBias: numbers.floats(samples * 2, in: -2...2),
        attentionWeight: numbers.floats(samples * 80, in: -0.1...0.1),
        attentionBias: numbers.floats(samples, in: -1...1),
        outputWeight: numbers.floats(6400, in: -0.1...0.1),
        outputBias: numbers.floats(80, in: 0...0.1))
    }
    let (own, cross) = (deformable(32), deformable(64))
    return BEVFormerLayerWeights(
      temporal: own, spatial: cross,
      norms: (0..<3).map { _ in
        (numbers.floats(80, in: 0.5...1), numbers.floats(80, in: 0...0.1))
      },
      feedForward: (
        numbers.floats(25_600, in: -0.1...0.1), numbers.floats(320, in: 0...0.1),
        numbers.floats(25_600, in: -0.1...0.1), numbers.floats(80, in: 0...0.1)
      ))
  }

  /// Six cameras all around, pitched a little, at 1.6 m.
  private static func rig(_ shape: BackwardProjectionShape) -> AnchorReferences {
    let references = AnchorReferences(
      maps: shape.cameras, queryCount: shape.queryCount, anchors: shape.anchors, areWeighted: true)
    for (camera, degrees) in [0.0, 55, -56, 108, -111, 180].enumerated() {
      let yaw = Quaternion(axis: SIMD3(0, 0, 1), radians: degrees * .pi / 180).matrix
      let pitch = Quaternion(axis: SIMD3(0, 1, 0), radians: 0.02).matrix
      let egoFromOptical = Matrix3(SIMD3(0, 0, 1), SIMD3(-1, 0, 0), SIMD3(0, -1, 0))
      references.setFBOCCCamera(
        camera,
        intrinsics: Matrix3(SIMD3(1260, 0, 800), SIMD3(0, 1260, 450), SIMD3(0, 0, 1)),
        egoFromCamera: (yaw * pitch * egoFromOptical, yaw * SIMD3(0.5, 0, 0) + SIMD3(1, 0, 1.6)),
        augmentation: (
          Matrix3(SIMD3(0.44, 0, 0), SIMD3(0, 0.44, 0), SIMD3(0, 0, 1)), SIMD3(0, -140, 0)
        ), bevAugmentation: Matrix3(SIMD3(1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1)),
        bounds: ((-40, 0.8), (-40, 0.8), (-1, 1.6)), width: shape.width, imageWidth: 704,
        imageHeight: 256)
    }
    return references
  }

  /// Products of the linear layers, and four taps a sample.
  var floatingPointOperations: Double {
    let queries = Double(Self.shape.queryCount)
    let linear = queries * Double(80 * (80 * 4 + 96 + 192 + 640)) + 6 * 704 * 6400
    return 2 * (linear + queries * 32 * 40 + Double(pairCount) * 64 * 40)
  }
  var bytesMoved: Double {
    4 * Double(buffers.map(\.count).reduce(0, +) + map.count + output.count)
  }
  func run() { run(projection, map, output) }
  private func run(
    _ projection: BackwardProjection, _ map: AlignedBuffer<Float>, _ output: AlignedBuffer<Float>
  ) {
    projection.apply(
      voxels: buffers[0], embedding: buffers[1], position: buffers[2], features: buffers[3],
      depth: buffers[4], references: references, into: map, voxels: output, pool: pool)
  }

  /// The whole map: three norms bring every value back to about 1, sums have up to 320 terms.
  func verificationFailure() -> String? {
    output.fill(.nan)
    run()
    let (expected, voxels) = (
      AlignedBuffer<Float>(count: map.count), AlignedBuffer<Float>(count: output.count)
    )
    run(reference, expected, voxels)
    return differenceFailure(expected, map, tolerance: 5e-4)
      ?? differenceFailure(voxels, output, tolerance: 5e-4)
  }
}
