import SwiftletKernels

/// The sizes of FB-OCC's backward projection.
public struct BackwardProjectionShape: Sendable {
  public var channels: Int
  public var heads: Int
  public var width: Int
  public var height: Int
  /// Anchors of a query along z.
  public var anchors: Int
  public var cameras: Int
  public var featureWidth: Int
  public var featureHeight: Int
  public var crossPoints: Int
  public var selfPoints: Int
  public var depthBins: Int
  public var depthStartMeters: Float
  public var depthStepMeters: Float
  /// Heights of the forward projection's voxels.
  public var voxelHeights: Int

  public init(
    channels: Int, heads: Int, width: Int, height: Int, anchors: Int, cameras: Int,
    featureWidth: Int, featureHeight: Int, crossPoints: Int, selfPoints: Int, depthBins: Int,
    depthStartMeters: Float, depthStepMeters: Float, voxelHeights: Int
  ) {
    self.channels = channels
    self.heads = heads
    self.width = width
    self.height = height
    self.anchors = anchors
    self.cameras = cameras
    self.featureWidth = featureWidth
    self.featureHeight = featureHeight
    self.crossPoints = crossPoints
    self.selfPoints = selfPoints
    self.depthBins = depthBins
    self.depthStartMeters = depthStartMeters
    self.depthStepMeters = depthStepMeters
    self.voxelHeights = voxelHeights
  }

  public var queryCount: Int { width * height }
  public var selfAttention: DeformableShape {
    DeformableShape(
      channels: channels, heads: heads, levels: FeatureLevel.pyramid([(height, width)]),
      points: selfPoints, queryCount: queryCount)
  }
  public var crossAttention: DeformableShape {
    DeformableShape(
      channels: channels, heads: heads,
      levels: FeatureLevel.pyramid([(featureHeight, featureWidth)]), points: crossPoints,
      anchors: anchors, maps: cameras, queryCount: queryCount)
  }
}

/// FB-OCC's backward projection (arXiv 2307.01492), the definition of its GPU path: deformable self
/// attention, norm, depth-aware cross attention, norm, feed-forward, norm. Query = embedding + mean
/// over z of the forward voxels; offsets and weights come from query + position, values and residuals
/// from the query alone; every attention weight is multiplied by the depth weight of its anchor,
/// without renormalisation. Allocates nothing after `init`; the same bits for any thread count.
@safe
public final class BackwardProjection: @unchecked Sendable {
  public let shape: BackwardProjectionShape
  public let engine: Engine
  private let selfLayer: DeformableLayer
  private let crossLayer: DeformableLayer
  private let norms: [LayerNorm]
  private let feedForward: FeedForward
  private let cells: AnchorReferences
  private let query: AlignedBuffer<Float>
  private let source: AlignedBuffer<Float>
  private let refined: AlignedBuffer<Float>
  /// Output of the cross attention before its norm, [query][C].
  public let crossAttention: AlignedBuffer<Float>

  /// - Parameters:
  ///   - weights: a layer as BEVFormer's, `temporal` being the self attention.
  ///   - shape: sizes of the maps, cameras, depth bins and anchors.
  ///   - engine: the scalar reference, or the kernels of one instruction set.
  ///   - precision: of the dense layers.
  ///   - maximumThreads: the largest pool that a call will be given.
  public init(
    weights: BEVFormerLayerWeights, shape: BackwardProjectionShape, engine: Engine,
    precision: DensePrecision = .fp32, maximumThreads: Int = 16
  ) {
    self.shape = shape
    self.engine = engine
    selfLayer = DeformableLayer(
      weights: weights.temporal, shape: shape.selfAttention, precision: precision,
      maximumThreads: maximumThreads)
    crossLayer = DeformableLayer(
      weights: weights.spatial, shape: shape.crossAttention, precision: precision,
      maximumThreads: maximumThreads)
    norms = weights.norms.map { LayerNorm(weight: $0.weight, bias: $0.bias) }
    feedForward = FeedForward(
      channels: shape.channels, hidden: weights.feedForward.bias0.count,
      weight0: weights.feedForward.weight0, bias0: weights.feedForward.bias0,
      weight1: weights.feedForward.weight1, bias1: weights.feedForward.bias1, norm: norms[2],
      precision: precision, maximumThreads: maximumThreads)
    cells = AnchorReferences(maps: 1, queryCount: shape.queryCount, anchors: 1)
    cells.setCellCenters(width: shape.width, height: shape.height)
    let count = shape.queryCount * shape.channels
    query = AlignedBuffer(count: count)
    source = AlignedBuffer(count: count)
    refined = AlignedBuffer(count: count)
    crossAttention = AlignedBuffer(count: count)
  }

  /// - Parameters:
  ///   - voxels: forward projection [z][query][C].
  ///   - embedding: [query][C].
  ///   - position: [query][C].
  ///   - features: [camera][token][C].
  ///   - depth: predicted distribution [camera][bin][h][w].
  ///   - references: weighted, with this rig's cameras set.
  ///   - map: refined map [query][C].
  ///   - output: voxels + refined map at every z; may be `voxels`.
  ///   - pool: the threads the work is shared out over; one caller at a time.
  public func apply(
    voxels: AlignedBuffer<Float>, embedding: AlignedBuffer<Float>, position: AlignedBuffer<Float>,
    features: AlignedBuffer<Float>, depth: AlignedBuffer<Float>, references: AnchorReferences,
    into map: AlignedBuffer<Float>, voxels output: AlignedBuffer<Float>, pool: WorkerPool
  ) {
    let count = shape.queryCount * shape.channels
    let tokens = shape.featureWidth * shape.featureHeight
    precondition(
      voxels.count >= shape.voxelHeights * count && output.count >= shape.voxelHeights * count
        && embedding.count >= count && position.count >= count && map.count >= count
        && features.count >= shape.cameras * tokens * shape.channels
        && depth.count >= shape.cameras * shape.depthBins * tokens && references.weights != nil,
      "buffers do not fit \(shape)")
    unsafe heights(.mean, voxels.pointer, embedding.pointer, query.pointer, pool)
    unsafe add(query.pointer, position.pointer, pool)
    unsafe selfLayer.setValues(query.pointer, map: 0, engine: engine, pool: pool)
    unsafe selfLayer.attend(
      source: source.pointer, residual: query.pointer, references: cells, norm: norms[0],
      into: refined.pointer, engine: engine, pool: pool)
    unsafe add(refined.pointer, position.pointer, pool)
    for camera in 0..<shape.cameras {
      unsafe crossLayer.setValues(
        features.pointer + camera * tokens * shape.channels, map: camera, engine: engine,
        pool: pool)
    }
    references.weigh(depth: depth, shape: shape, engine: engine, pool: pool)
    unsafe crossLayer.attend(
      source: source.pointer, residual: refined.pointer, references: references, norm: nil,
      into: crossAttention.pointer, engine: engine, pool: pool)
    norms[1].apply(
      crossAttention, rows: shape.queryCount, into: query, engine: engine, pool: pool)
    feedForward.apply(query, rows: shape.queryCount, into: map, engine: engine, pool: pool)
    unsafe heights(.add, voxels.pointer, map.pointer, output.pointer, pool)
  }

  private func add(
    _ first: UnsafePointer<Float>, _ second: UnsafePointer<Float>, _ pool: WorkerPool
  ) {
    unsafe pool.run(
      RowSumJob(
        rows: shape.queryCount, channels: shape.channels, before: nil, first: first,
        second: second, output: source.pointer, engine: engine))
  }
  private func heights(
    _ step: HeightsJob.Step, _ voxels: UnsafePointer<Float>, _ map: UnsafePointer<Float>,
    _ output: UnsafeMutablePointer<Float>, _ pool: WorkerPool
  ) {
    unsafe pool.run(
      HeightsJob(
        step: step, voxels: voxels, heights: shape.voxelHeights,
        mapCount: shape.queryCount * shape.channels, map: map, output: output, engine: engine))
  }
}

extension BackwardProjection: CalibratedLayers {
  public var denseLayers: [(name: String, layer: Linear)] {
    selfLayer.denseLayers("self.") + crossLayer.denseLayers("cross.")
      + [("ffn.0", feedForward.first), ("ffn.1", feedForward.second)]
  }
}
