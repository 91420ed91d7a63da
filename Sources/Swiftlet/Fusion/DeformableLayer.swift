import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// The shared body of BEVFormer's and FB-OCC's attention modules: values, offsets and weights by
/// linear layers, samples around reference points of several maps, the mean over the active maps,
/// output by a linear layer plus a residual. Allocates nothing after `init`.
@safe
final class DeformableLayer: @unchecked Sendable {
  let shape: DeformableShape
  let value: Linear
  /// The value projection's weights as given, [C, C].
  let valueWeights: [Float]
  let output: Linear
  /// Offsets x, offsets y and logits of every queue in one product: one pass over the queries.
  let projection: Linear
  /// The part of that product that reads the previous map, where offsets and weights come from two
  /// maps side by side (temporal self attention): it can be done before the current one is there.
  let previousProjection: Linear?
  private let lanes: DeformableLanes
  private let scratch: DeformableScratch
  /// [map][token][C].
  let values: AlignedBuffer<Float>
  /// [query][projection], what `previousProjection` gave.
  let partial: AlignedBuffer<Float>
  private let projected: AlignedBuffer<Float>
  private let mixed: AlignedBuffer<Float>

  init(
    weights: DeformableWeights, shape: DeformableShape, precision: DensePrecision = .fp32,
    maximumThreads: Int
  ) {
    precondition(
      shape.anchors >= 1 && shape.anchors <= 16, "\(shape.anchors) anchors, 1 ... 16 fit")
    self.shape = shape
    let c = shape.channels
    func square(_ weight: [Float], _ bias: [Float]) -> Linear {
      Linear(
        weight: weight, bias: bias, inputs: c, outputs: c, precision: precision,
        maximumThreads: maximumThreads)
    }
    valueWeights = weights.valueWeight
    value = square(weights.valueWeight, weights.valueBias)
    output = square(weights.outputWeight, weights.outputBias)
    let (rows, bias) = Self.combined(weights, shape)
    let isSplit = shape.projectionInputs == 2 * c
    func product(_ columns: Range<Int>, _ bias: [Float]?) -> Linear {
      let k = shape.projectionInputs
      return Linear(
        weight: rows.indices.filter { columns.contains($0 % k) }.map { rows[$0] }, bias: bias,
        inputs: columns.count, outputs: rows.count / k, precision: precision.ofPositions,
        maximumThreads: maximumThreads)
    }
    projection = isSplit ? product(c..<2 * c, nil) : product(0..<shape.projectionInputs, bias)
    previousProjection = isSplit ? product(0..<c, bias) : nil
    lanes = DeformableLanes(
      heads: shape.heads, channels: c / shape.heads, levels: shape.levels, points: shape.points,
      anchors: shape.anchors)
    scratch = DeformableScratch(lanes: lanes, maximumThreads: maximumThreads)
    values = AlignedBuffer(count: shape.maps * shape.tokenCount * c)
    partial = AlignedBuffer(count: isSplit ? shape.queryCount * projection.outputs : 0)
    projected = AlignedBuffer(count: shape.queryCount * projection.outputs + 32)
    mixed = AlignedBuffer(count: shape.queryCount * c)
  }

  /// Its dense layers for calibration.
  func denseLayers(_ prefix: String) -> [(name: String, layer: Linear)] {
    let layers = [
      (prefix + "value_proj", value), (prefix + "sampling", projection),
      (prefix + "output_proj", output),
    ]
    return layers + (previousProjection.map { [(prefix + "sampling_previous", $0)] } ?? [])
  }

  /// Rows [queue][x of all samples | y of all samples | logits], samples in the order head, level,
  /// point.
  private static func combined(
    _ weights: DeformableWeights, _ shape: DeformableShape
  ) -> (weight: [Float], bias: [Float]) {
    let k = shape.projectionInputs
    var weight: [Float] = []
    var bias: [Float] = []
    for queue in 0..<shape.queues {
      let rows = (0..<shape.heads * shape.samples).map { index in
        (index / shape.samples * shape.queues + queue) * shape.samples + index % shape.samples
      }
      for axis in 0..<2 {
        for row in rows {
          weight += weights.offsetWeight[(2 * row + axis) * k..<(2 * row + axis + 1) * k]
          bias.append(weights.offsetBias[2 * row + axis])
        }
      }
      for row in rows {
        weight += weights.attentionWeight[row * k..<(row + 1) * k]
        bias.append(weights.attentionBias[row])
      }
    }
    return (weight, bias)
  }

  /// Projects the tokens of map `map`.
  @unsafe
  func setValues(
    _ tokens: UnsafePointer<Float>, map: Int, engine: Engine, pool: WorkerPool
  ) {
    unsafe value.apply(
      tokens, rows: shape.tokenCount,
      into: values.pointer + map * shape.tokenCount * shape.channels, engine: engine, pool: pool)
  }

  /// What `source` [query][C], the previous map, adds to offsets and logits.
  @unsafe
  func setPrevious(_ source: UnsafePointer<Float>, engine: Engine, pool: WorkerPool) {
    unsafe previousProjection?.apply(
      source, rows: shape.queryCount, into: partial.pointer, engine: engine, pool: pool)
  }

  /// Attends all queries: offsets and weights from `source` [query][projection's inputs], what the
  /// previous map gave added; the result plus `residual` to `result`, normalised when there is a norm.
  @unsafe
  func attend(
    source: UnsafePointer<Float>, residual: UnsafePointer<Float>, references: AnchorReferences,
    norm: LayerNorm?, into result: UnsafeMutablePointer<Float>, engine: Engine, pool: WorkerPool
  ) {
    scratch.check(pool)
    let rows = shape.queryCount
    unsafe pool.run(
      ProjectionJob(
        linear: projection.job(
          source, rows: rows, residual: previousProjection == nil ? nil : partial.pointer,
          into: projected.pointer, engine: engine),
        queues: shape.queues, heads: shape.heads, samples: shape.samples))
    unsafe pool.run(
      DeformableLayerJob(
        lanes: LanePointers(lanes), scratch: ScratchPointers(scratch), values: values.pointer,
        valueMapStride: shape.tokenCount * shape.channels, maps: shape.maps,
        projected: projected.pointer, projectedStride: projection.outputs,
        projectedMapStride: shape.queues > 1 ? projection.outputs / shape.queues : 0,
        references: references.positions.pointer,
        anchorWeights: references.weights.map { unsafe UnsafePointer($0.pointer) },
        active: references.active.pointer, queryCount: rows, output: mixed.pointer, engine: engine))
    unsafe output.apply(
      mixed.pointer, rows: rows, residual: residual, norm: norm, into: result, engine: engine,
      pool: pool)
  }
}
