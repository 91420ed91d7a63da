import Swiftlet
import SwiftletTestSupport
import Testing

private let engines = [Engine.reference] + InstructionSet.supported.map(Engine.simd)
private let (width, height, channels, heads, cameras) = (7, 6, 24, 3, 3)
private let anchorHeights: [Float] = [0.1, 0.4, 0.6, 0.9]
private let range: [Float] = [-20, -20, -5, 20, 20, 3]

/// Random weights, features and a rig of three cameras, in any order of the cameras.
private struct LayerScene {
  var spatialShape = DeformableShape(
    channels: channels, heads: heads, levels: FeatureLevel.pyramid([(4, 9), (2, 5)]), points: 8,
    anchors: 4, maps: cameras, queryCount: width * height)
  let temporalShape = TemporalSelfAttention.shape(
    channels: channels, heads: heads, points: 4, width: width, height: height)
  let query: AlignedBuffer<Float>
  let position: AlignedBuffer<Float>
  let previous: AlignedBuffer<Float>
  let features: [Float]
  let layers: [BEVFormerLayerWeights]

  init(seed: UInt64, layerCount: Int = 2) {
    var generator = SeededGenerator(seed: seed)
    let count = width * height * channels
    query = AlignedBuffer(generator.floats(count))
    position = AlignedBuffer(generator.floats(count))
    previous = AlignedBuffer(generator.floats(count))
    features = generator.floats(cameras * 46 * channels)
    let (spatial, temporal) = (spatialShape, temporalShape)
    layers = (0..<layerCount).map { _ in
      func floats(_ count: Int, _ scale: Float = 0.25) -> [Float] {
        generator.floats(count, in: -scale...scale)
      }
      func deformable(_ shape: DeformableShape) -> DeformableWeights {
        let rows = shape.queues * shape.samples * shape.heads
        let k = shape.projectionInputs
        return DeformableWeights(
          valueWeight: floats(channels * channels), valueBias: floats(channels),
          offsetWeight: floats(2 * rows * k), offsetBias: floats(2 * rows, 1.5),
          attentionWeight: floats(rows * k), attentionBias: floats(rows),
          outputWeight: floats(channels * channels), outputBias: floats(channels))
      }
      return BEVFormerLayerWeights(
        temporal: deformable(temporal), spatial: deformable(spatial),
        norms: (0..<3).map { _ in (floats(channels, 1), floats(channels)) },
        feedForward: (
          floats(40 * channels), floats(40), floats(40 * channels), floats(channels)
        ))
    }
  }

  /// Features and references with camera `order[i]` at place i.
  func rig(_ order: [Int] = [0, 1, 2]) -> (AlignedBuffer<Float>, AnchorReferences) {
    let references = AnchorReferences(maps: cameras, queryCount: width * height, anchors: 4)
    var moved: [Float] = []
    for (place, camera) in order.enumerated() {
      moved += features[camera * 46 * channels..<(camera + 1) * 46 * channels]
      let yaw = 2.1 * Double(camera) + 0.3
      let turn = Quaternion(axis: SIMD3(0, 0, 1), radians: -yaw).matrix
      // Rows: right, down, forward in LiDAR axes (y forward), pixels 20 x + 48 z and 20 y + 24 z.
      let axes = Matrix3(SIMD3(1, 0, 0), SIMD3(0, 0, -1), SIMD3(0, 1, 0)) * turn
      let u = axes.row0 * 20 + axes.row2 * 48
      let v = axes.row1 * 20 + axes.row2 * 24
      let rows = [(u, 1.5), (v, -2.0), (axes.row2, 0.2)]
      let matrix: [Float] =
        rows.flatMap { row, offset in
          [Float(row.x), Float(row.y), Float(row.z), Float(offset)]
        } + [0, 0, 0, 1]
      references.setBEVFormerCamera(
        place, lidarToImage: matrix, range: range, anchorHeights: anchorHeights, width: width,
        height: height, imageWidth: 96, imageHeight: 48)
    }
    return (AlignedBuffer(moved), references)
  }

  func spatial(_ engine: Engine, order: [Int] = [0, 1, 2], threads: Int = 1) -> [Float] {
    let (features, references) = rig(order)
    let attention = SpatialCrossAttention(
      weights: layers[0].spatial, shape: spatialShape, engine: engine)
    let output = AlignedBuffer([Float](repeating: .nan, count: query.count))
    attention.apply(
      features: features, query: query, references: references, into: output,
      pool: WorkerPool(threadCount: threads))
    return output.array
  }

  func encode(
    _ engine: Engine, history: Bool, order: [Int] = [0, 1, 2], threads: Int = 1,
    shift: (Float, Float) = (0.05, -0.03)
  ) -> [Float] {
    let (features, references) = rig(order)
    let encoder = BEVFormerEncoder(
      layers: layers, crossShape: spatialShape, selfPoints: 4, width: width, height: height,
      engine: engine)
    encoder.setShift(x: shift.0, y: shift.1)
    let output = AlignedBuffer([Float](repeating: .nan, count: query.count))
    encoder.apply(
      query: query, position: position, previous: history ? previous : nil, features: features,
      references: references, into: output, pool: WorkerPool(threadCount: threads))
    return output.array
  }
}

@Suite struct BEVFormerLayerTests {
  @Test func `the test rig has queries of no, one and two cameras`() {
    let (_, references) = LayerScene(seed: 1).rig()
    let counts = (0..<width * height).map { query in
      (0..<cameras).count { references.isActive(map: $0, query: query) }
    }
    #expect(Set(counts).isSuperset(of: [1, 2]))
  }

  @Test func `a query that no camera sees keeps itself plus the output bias`() {
    let scene = LayerScene(seed: 2)
    // Every camera far above and looking up: nothing of the grid is in front of it.
    let references = AnchorReferences(maps: cameras, queryCount: width * height, anchors: 4)
    for camera in 0..<cameras {
      references.setBEVFormerCamera(
        camera, lidarToImage: [40, 0, 48, 0, 0, 40, 24, 0, 0, 0, 1, -50, 0, 0, 0, 1],
        range: range, anchorHeights: anchorHeights, width: width, height: height,
        imageWidth: 96, imageHeight: 48)
    }
    for engine in engines {
      let attention = SpatialCrossAttention(
        weights: scene.layers[0].spatial, shape: scene.spatialShape, engine: engine)
      let output = AlignedBuffer<Float>(count: scene.query.count)
      attention.apply(
        features: AlignedBuffer(scene.features), query: scene.query, references: references,
        into: output, pool: WorkerPool(threadCount: 1))
      let expected = scene.query.array.indices.map {
        scene.layers[0].spatial.outputBias[$0 % channels] + scene.query[$0]
      }
      #expect(output.array == expected, "\(engine)")
    }
  }

  @Test(arguments: [[2, 0, 1], [1, 0, 2], [2, 1, 0]])
  func `cameras may come in any order with their features and calibrations`(order: [Int]) {
    let scene = LayerScene(seed: 3)
    for engine in engines {
      let (expected, got) = (scene.spatial(engine), scene.spatial(engine, order: order))
      // The sum over at most three cameras runs in another order: a few roundings.
      #expect(largestDifference(expected, got) <= 16 * 0x1p-24 * expected.map(abs).max()!)
      #expect(!zip(expected, scene.query.array).allSatisfy { $0 == $1 })
    }
  }

  @Test func `history equal to the query, without a shift, is no history`() {
    let scene = LayerScene(seed: 4)
    for engine in engines {
      let attention = TemporalSelfAttention(
        weights: scene.layers[0].temporal, channels: channels, heads: heads, points: 4,
        width: width, height: height, engine: engine)
      func run(_ previous: AlignedBuffer<Float>?, shift: Float) -> [Float] {
        attention.setShift(x: shift, y: 0)
        let output = AlignedBuffer<Float>(count: scene.query.count)
        attention.apply(
          query: scene.query, position: scene.position, previous: previous.map { ($0, scene.query) },
          into: output, pool: WorkerPool(threadCount: 2))
        return output.array
      }
      #expect(run(nil, shift: 0) == run(scene.query, shift: 0))
      // The shift concerns history alone.
      #expect(run(nil, shift: 0) == run(nil, shift: 0.3))
      #expect(run(scene.query, shift: 0) != run(scene.query, shift: 0.3))
    }
  }

  @Test(arguments: InstructionSet.supported, [false, true])
  func `the encoder agrees with its reference, for any threads`(
    set: InstructionSet, history: Bool
  ) {
    let scene = LayerScene(seed: 5)
    let expected = scene.encode(.reference, history: history)
    let got = scene.encode(.simd(set), history: history)
    // Two layers of six products and three norms; a norm divides by a spread of about 1.
    #expect(largestDifference(expected, got) <= 4_000 * 0x1p-24 * expected.map(abs).max()!)
    for threads in [2, 3] {
      #expect(scene.encode(.simd(set), history: history, threads: threads) == got)
    }
  }

  @Test func `every layer reads the history it was given, and the shift`() {
    let scene = LayerScene(seed: 6)
    for engine in [Engine.reference, .best] {
      let with = scene.encode(engine, history: true)
      #expect(with != scene.encode(engine, history: false))
      #expect(with != scene.encode(engine, history: true, shift: (0, 0)))
    }
  }

  @Test func `the published rotation centre leaves a 50 by 50 map empty at 90 degrees, the middle does not`() {
    let size = 50
    var generator = SeededGenerator(seed: 7)
    let map = AlignedBuffer(generator.floats(size * size, in: 1...2))
    for engine in engines {
      func rotated(_ center: SIMD2<Double>, _ degrees: Double) -> [Float] {
        let output = AlignedBuffer([Float](repeating: .nan, count: size * size))
        unsafe BEVRotation.rotate(
          UnsafeBufferPointer(map.elements), width: size, height: size, channels: 1,
          angleDegrees: degrees, center: center, into: output.elements, engine: engine,
          pool: WorkerPool(threadCount: 2))
        return output.array
      }
      let middle = BEVRotation.middle(width: size, height: size)
      // A quarter turn about the middle moves every cell to another cell; about pixel (100, 100) of
      // a map of 50 everything leaves the map.
      #expect(rotated(middle, 90).sorted() == map.array.sorted())
      #expect(rotated(BEVRotation.publishedCenter, 90).allSatisfy { $0 == 0 })
      #expect(rotated(BEVRotation.publishedCenter, 0) == map.array)
      // Half a degree about (100, 100) moves the map by most of a cell; about the middle its
      // middle stays.
      let place = size / 2 * size + size / 2
      #expect(rotated(middle, 0.5)[place] == map[place])
      #expect(rotated(BEVRotation.publishedCenter, 0.5)[place] != map[place])
    }
  }

  @Test func `multi-head attention does not mind the order of keys with their values and padding`() {
    let (keys, queries) = (37, 11)
    var generator = SeededGenerator(seed: 8)
    let weights = generator.floats(4 * channels * channels, in: -0.3...0.3)
    let (query, key, value) = (
      generator.floats(queries * channels), generator.floats(keys * channels),
      generator.floats(keys * channels)
    )
    let padding = (0..<keys).map { UInt8($0 % 5 == 3 ? 1 : 0) }
    let order = (0..<keys).shuffled(using: &generator)
    let layer = MultiHeadAttention(
      channels: channels, heads: heads,
      inProjectionWeight: Array(weights[0..<3 * channels * channels]),
      inProjectionBias: [Float](repeating: 0.1, count: 3 * channels),
      outProjectionWeight: Array(weights[(3 * channels * channels)...]),
      outProjectionBias: [Float](repeating: -0.2, count: channels), maximumQueries: queries,
      maximumKeys: keys)
    func rows(_ values: [Float], _ order: [Int]) -> AlignedBuffer<Float> {
      AlignedBuffer(order.flatMap { values[$0 * channels..<($0 + 1) * channels] })
    }
    for engine in engines {
      func run(_ order: [Int]) -> [Float] {
        let output = AlignedBuffer<Float>(count: queries * channels)
        layer.apply(
          query: AlignedBuffer(query), queryCount: queries, key: rows(key, order),
          value: rows(value, order), keyCount: keys,
          keyPadding: AlignedBuffer(order.map { padding[$0] }), into: output, engine: engine,
          pool: WorkerPool(threadCount: 1))
        return output.array
      }
      let expected = run(Array(0..<keys))
      #expect(largestDifference(expected, run(order)) <= 64 * 0x1p-24 * expected.map(abs).max()!)
    }
  }
}
