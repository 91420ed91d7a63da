/// Deformable attention of every cell of a map to its neighbours in the same map: multi-scale
/// deformable attention (arXiv 2010.04159) of one level, offsets and weights from the cell's own
/// features, the output layer plus the cell.
///
/// Cells that are not valid are masked as Deformable-DETR masks padding: their projected values are
/// 0. A cell that is not valid stays exactly 0. Allocates nothing after `init`; the same bits for
/// any thread count.
@safe
public final class NeighborAttention: @unchecked Sendable {
  public let width: Int
  public let height: Int
  let layer: DeformableLayer
  private let cells: AnchorReferences

  /// - Parameters:
  ///   - weights: of one deformable layer.
  ///   - shape: one map of one level of height × width, as many queries.
  ///   - width: cells along x.
  ///   - height: cells along y.
  ///   - precision: of the dense layers.
  ///   - maximumThreads: the largest pool that a call will be given.
  public init(
    weights: DeformableWeights, shape: DeformableShape, width: Int, height: Int,
    precision: DensePrecision = .fp32, maximumThreads: Int = 16
  ) {
    precondition(
      shape.queryCount == width * height && shape.maps == 1,
      "\(shape.queryCount) queries in \(shape.maps) maps for \(width) x \(height) cells")
    self.width = width
    self.height = height
    layer = DeformableLayer(
      weights: weights, shape: shape, precision: precision, maximumThreads: maximumThreads)
    cells = AnchorReferences(maps: 1, queryCount: width * height, anchors: 1)
    cells.setCellCenters(width: width, height: height)
  }

  /// `output` [y][x][C] from `map` [y][x][C] with `validity` [y][x]; `output` may not be `map`.
  public func apply(
    _ map: AlignedBuffer<Float>, validity: AlignedBuffer<UInt8>, into output: AlignedBuffer<Float>,
    engine: Engine, pool: WorkerPool
  ) {
    let (channels, count) = (layer.shape.channels, width * height)
    precondition(
      map.count >= count * channels && output.count >= count * channels
        && validity.count >= count && map !== output,
      "\(map.count), \(output.count) floats and \(validity.count) bytes for \(count) cells of \(channels)")
    unsafe layer.setValues(map.pointer, map: 0, engine: engine, pool: pool)
    let hide = unsafe ZeroInvalidJob(
      set: engine.scalarSet, validity: validity.pointer, width: channels, cellCount: count,
      values: layer.values.pointer)
    unsafe pool.run(hide)
    unsafe cells.active.pointer.update(from: validity.pointer, count: count)
    unsafe layer.attend(
      source: map.pointer, residual: map.pointer, references: cells, norm: nil,
      into: output.pointer, engine: engine, pool: pool)
    var clear = unsafe hide
    unsafe clear.values = unsafe output.pointer
    unsafe pool.run(clear)
  }
}
