/// The weights of one BEVFormer encoder layer.
public struct BEVFormerLayerWeights: Sendable {
  public var temporal: DeformableWeights
  public var spatial: DeformableWeights
  /// Weights and biases of the three norms, in order.
  public var norms: [(weight: [Float], bias: [Float])]
  public var feedForward: (weight0: [Float], bias0: [Float], weight1: [Float], bias1: [Float])

  public init(
    temporal: DeformableWeights, spatial: DeformableWeights,
    norms: [(weight: [Float], bias: [Float])],
    feedForward: (weight0: [Float], bias0: [Float], weight1: [Float], bias1: [Float])
  ) {
    precondition(norms.count == 3, "\(norms.count) norms, an encoder layer has 3")
    self.temporal = temporal
    self.spatial = spatial
    self.norms = norms
    self.feedForward = feedForward
  }
}

/// BEVFormer's encoder: per layer temporal self attention, norm, spatial cross attention, norm,
/// feed-forward, norm (after each; epsilon 1e-5). The position enters the self attention only; the
/// previous map and the encoder's input stay the history of every layer.
///
/// Allocates nothing after `init`; the same bits for any thread count.
@safe
public final class BEVFormerEncoder: @unchecked Sendable {
  struct Layer {
    var temporal: TemporalSelfAttention
    var spatial: SpatialCrossAttention
    var norms: [LayerNorm]
    var feedForward: FeedForward
  }
  let layers: [Layer]
  let engine: Engine
  public let precision: DensePrecision
  let queryCount: Int
  let channels: Int
  let width: Int
  let height: Int
  private let between: AlignedBuffer<Float>
  private let crossed: AlignedBuffer<Float>
  private let current: AlignedBuffer<Float>
  let history: EncoderHistory

  /// - Parameters:
  ///   - layers: weights of every layer, first layer first.
  ///   - crossShape: of the spatial attention; its queries are width × height.
  ///   - selfPoints: points of the temporal attention.
  ///   - width: cells along x.
  ///   - height: cells along y.
  ///   - engine: the scalar reference, or the kernels of one instruction set.
  ///   - precision: of every dense layer; norms, softmax and sampling stay float32.
  ///   - maximumThreads: the largest pool that a call will be given.
  public init(
    layers: [BEVFormerLayerWeights], crossShape: DeformableShape, selfPoints: Int, width: Int,
    height: Int, engine: Engine, precision: DensePrecision = .fp32, maximumThreads: Int = 16
  ) {
    precondition(
      crossShape.queryCount == width * height,
      "\(crossShape.queryCount) queries for \(width) x \(height) cells")
    self.engine = engine
    self.precision = precision
    (self.width, self.height) = (width, height)
    queryCount = width * height
    channels = crossShape.channels
    self.layers = layers.map { weights in
      let norms = weights.norms.map { LayerNorm(weight: $0.weight, bias: $0.bias) }
      return Layer(
        temporal: TemporalSelfAttention(
          weights: weights.temporal, channels: crossShape.channels, heads: crossShape.heads,
          points: selfPoints, width: width, height: height, engine: engine, precision: precision,
          maximumThreads: maximumThreads),
        spatial: SpatialCrossAttention(
          weights: weights.spatial, shape: crossShape, engine: engine, precision: precision,
          maximumThreads: maximumThreads), norms: norms,
        feedForward: FeedForward(
          channels: crossShape.channels, hidden: weights.feedForward.bias0.count,
          weight0: weights.feedForward.weight0, bias0: weights.feedForward.bias0,
          weight1: weights.feedForward.weight1, bias1: weights.feedForward.bias1, norm: norms[2],
          precision: precision, maximumThreads: maximumThreads))
    }
    history = EncoderHistory(
      layers: self.layers.map(\.temporal.layer), queryCount: queryCount, channels: channels,
      maximumThreads: maximumThreads)
    between = AlignedBuffer(count: queryCount * channels)
    crossed = AlignedBuffer(count: queryCount * channels)
    current = AlignedBuffer(count: queryCount * channels)
  }

  /// Ego motion since the previous map, as fractions of the map.
  public func setShift(x: Float, y: Float) {
    for layer in layers { layer.temporal.setShift(x: x, y: y) }
  }

  /// - Parameters:
  ///   - query: [query][C].
  ///   - position: [query][C].
  ///   - previous: the rotated previous map [query][C]; nil in the first frame of a scene.
  ///   - features: [camera][token][C].
  ///   - references: where the queries look in every camera.
  ///   - output: [query][C].
  ///   - pool: the threads the work is shared out over; one caller at a time.
  public func apply(
    query: AlignedBuffer<Float>, position: AlignedBuffer<Float>, previous: AlignedBuffer<Float>?,
    features: AlignedBuffer<Float>, references: AnchorReferences,
    into output: AlignedBuffer<Float>, pool: WorkerPool
  ) {
    var input = query
    for (index, layer) in layers.enumerated() {
      let result = index == layers.count - 1 ? output : current
      layer.temporal.apply(
        query: input, position: position, previous: previous.map { ($0, query) },
        norm: layer.norms[0], into: between, pool: pool)
      finish(layer, features: features, references: references, into: result, pool: pool)
      input = result
    }
  }

  /// The layers on what `prepareHistory` and `startFrame` put in place.
  func applyPrepared(
    query: AlignedBuffer<Float>, position: AlignedBuffer<Float>, features: AlignedBuffer<Float>,
    references: AnchorReferences, into output: AlignedBuffer<Float>, pool: WorkerPool
  ) {
    var input = query
    for (index, layer) in layers.enumerated() {
      let result = index == layers.count - 1 ? output : current
      layer.temporal.attend(
        query: input, position: position, hasHistory: true, norm: layer.norms[0], into: between,
        pool: pool)
      finish(layer, features: features, references: references, into: result, pool: pool)
      input = result
    }
  }

  /// What follows a layer's self attention.
  private func finish(
    _ layer: Layer, features: AlignedBuffer<Float>, references: AnchorReferences,
    into result: AlignedBuffer<Float>, pool: WorkerPool
  ) {
    layer.spatial.apply(
      features: features, query: between, references: references, norm: layer.norms[1],
      into: crossed, pool: pool)
    layer.feedForward.apply(crossed, rows: queryCount, into: result, engine: engine, pool: pool)
  }
}

extension BEVFormerEncoder: CalibratedLayers {
  public var denseLayers: [(name: String, layer: Linear)] {
    layers.enumerated().flatMap { index, layer in
      let prefix = "layers.\(index)."
      return layer.temporal.layer.denseLayers(prefix + "tsa.")
        + layer.spatial.layer.denseLayers(prefix + "sca.")
        + [
          (prefix + "ffn.0", layer.feedForward.first), (prefix + "ffn.1", layer.feedForward.second),
        ]
    }
  }
}
