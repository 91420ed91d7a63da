/// BEVFormer's spatial cross attention (arXiv 2203.17270): queries attend to the cameras that see one
/// of their anchors; offsets and weights come from the query alone and are computed once per query;
/// inactive anchors of an active query are sampled all the same and weights are not renormalised; the
/// sum over active cameras divided by their number, an output layer, plus the query.
///
/// Allocates nothing after `init`; the same bits for any thread count.
@safe
public final class SpatialCrossAttention: @unchecked Sendable {
  let layer: DeformableLayer
  public let engine: Engine

  /// - Parameters:
  ///   - weights: under the public names of BEVFormer, mapped.
  ///   - shape: maps are cameras; levels those of one camera.
  ///   - engine: the scalar reference, or the kernels of one instruction set.
  ///   - precision: of the dense layers.
  ///   - maximumThreads: the largest pool that a call will be given.
  public init(
    weights: DeformableWeights, shape: DeformableShape, engine: Engine,
    precision: DensePrecision = .fp32, maximumThreads: Int = 16
  ) {
    layer = DeformableLayer(
      weights: weights, shape: shape, precision: precision, maximumThreads: maximumThreads)
    self.engine = engine
  }

  /// - Parameters:
  ///   - features: [camera][token][C], camera and level embeddings added.
  ///   - query: [query][C].
  ///   - references: where the queries look in every camera.
  ///   - norm: applied to the result; nil for none.
  ///   - output: [query][C]; may not be `query`.
  ///   - pool: the threads the work is shared out over; one caller at a time.
  public func apply(
    features: AlignedBuffer<Float>, query: AlignedBuffer<Float>, references: AnchorReferences,
    norm: LayerNorm? = nil, into output: AlignedBuffer<Float>, pool: WorkerPool
  ) {
    let shape = layer.shape
    precondition(
      features.count >= shape.maps * shape.tokenCount * shape.channels
        && query.count >= shape.queryCount * shape.channels
        && output.count >= shape.queryCount * shape.channels,
      "\(features.count) features, \(query.count) and \(output.count) floats for \(shape)")
    precondition(
      references.maps == shape.maps && references.queryCount == shape.queryCount,
      "references of \(references.maps) maps for \(shape.maps)")
    for map in 0..<shape.maps {
      unsafe layer.setValues(
        features.pointer + map * shape.tokenCount * shape.channels, map: map, engine: engine,
        pool: pool)
    }
    unsafe layer.attend(
      source: query.pointer, residual: query.pointer, references: references, norm: norm,
      into: output.pointer, engine: engine, pool: pool)
  }
}

/// BEVFormer's temporal self attention: two value maps, the previous map (already rotated) and the
/// encoder's input, each with offsets and weights of its own, from the first value map beside the
/// query with its position; the mean of both, an output layer, plus the query. Without history both
/// maps are the current query. The previous map's references are shifted by the ego motion.
@safe
public final class TemporalSelfAttention: @unchecked Sendable {
  let layer: DeformableLayer
  public let engine: Engine
  public let width: Int
  public let height: Int
  /// Query + position.
  private let positioned: AlignedBuffer<Float>
  private let shifted: AnchorReferences
  private let centered: AnchorReferences

  /// Of the shape with 2 maps, 2 queues, 2 C projection inputs and one level of width × height.
  public init(
    weights: DeformableWeights, channels: Int, heads: Int, points: Int, width: Int, height: Int,
    engine: Engine, precision: DensePrecision = .fp32, maximumThreads: Int = 16
  ) {
    self.width = width
    self.height = height
    self.engine = engine
    layer = DeformableLayer(
      weights: weights,
      shape: Self.shape(
        channels: channels, heads: heads, points: points, width: width, height: height),
      precision: precision, maximumThreads: maximumThreads)
    positioned = AlignedBuffer(count: width * height * channels)
    shifted = AnchorReferences(maps: 2, queryCount: width * height, anchors: 1)
    centered = AnchorReferences(maps: 2, queryCount: width * height, anchors: 1)
    shifted.setCellCenters(width: width, height: height)
    centered.setCellCenters(width: width, height: height)
  }

  /// The shape its weights have.
  public static func shape(
    channels: Int, heads: Int, points: Int, width: Int, height: Int
  ) -> DeformableShape {
    DeformableShape(
      channels: channels, heads: heads, levels: FeatureLevel.pyramid([(height, width)]),
      points: points, queues: 2, maps: 2, projectionInputs: 2 * channels,
      queryCount: width * height)
  }

  /// The previous map against the current one, as fractions of the map.
  public func setShift(x: Float, y: Float) {
    shifted.setCellCenters(width: width, height: height, shift: (x, y))
  }

  /// - Parameters:
  ///   - query: [query][C].
  ///   - position: [query][C], added to the query where offsets and weights come from.
  ///   - previous: the rotated previous map and the encoder's input, both [query][C]; nil without
  ///     history.
  ///   - norm: applied to the result; nil for none.
  ///   - output: [query][C].
  ///   - pool: the threads the work is shared out over; one caller at a time.
  public func apply(
    query: AlignedBuffer<Float>, position: AlignedBuffer<Float>,
    previous: (map: AlignedBuffer<Float>, encoderInput: AlignedBuffer<Float>)?,
    norm: LayerNorm? = nil, into output: AlignedBuffer<Float>, pool: WorkerPool
  ) {
    let count = layer.shape.queryCount * layer.shape.channels
    precondition(
      query.count >= count && position.count >= count && output.count >= count,
      "\(query.count), \(position.count) and \(output.count) floats, \(count) are needed")
    let first = previous?.map ?? query
    let second = previous?.encoderInput ?? query
    precondition(
      first.count >= count && second.count >= count, "history of \(first.count), \(second.count)")
    unsafe layer.setValues(first.pointer, map: 0, engine: engine, pool: pool)
    unsafe layer.setValues(second.pointer, map: 1, engine: engine, pool: pool)
    unsafe layer.setPrevious(first.pointer, engine: engine, pool: pool)
    attend(
      query: query, position: position, hasHistory: previous != nil, norm: norm, into: output,
      pool: pool)
  }

  /// The rest of `apply`, when values and the previous map's part are in place.
  func attend(
    query: AlignedBuffer<Float>, position: AlignedBuffer<Float>, hasHistory: Bool,
    norm: LayerNorm?, into output: AlignedBuffer<Float>, pool: WorkerPool
  ) {
    unsafe pool.run(
      RowSumJob(
        rows: layer.shape.queryCount, channels: layer.shape.channels, before: nil,
        first: query.pointer, second: position.pointer, output: positioned.pointer,
        engine: engine))
    unsafe layer.attend(
      source: positioned.pointer, residual: query.pointer,
      references: hasHistory ? shifted : centered, norm: norm, into: output.pointer,
      engine: engine, pool: pool)
  }
}
