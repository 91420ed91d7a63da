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
  let output: Linear
  /// Offsets x, offsets y and logits of every queue in one product: one pass over the queries.
  private let projection: Linear
  private let lanes: DeformableLanes
  private let scratch: DeformableScratch
  /// [map][token][C].
  let values: AlignedBuffer<Float>
  private let projected: AlignedBuffer<Float>
  private let mixed: AlignedBuffer<Float>

  init(weights: DeformableWeights, shape: DeformableShape, maximumThreads: Int) {
    precondition(
      shape.anchors >= 1 && shape.anchors <= 16, "\(shape.anchors) anchors, 1 ... 16 fit")
    self.shape = shape
    let c = shape.channels
    value = Linear(
      weight: weights.valueWeight, bias: weights.valueBias, inputs: c, outputs: c,
      maximumThreads: maximumThreads)
    output = Linear(
      weight: weights.outputWeight, bias: weights.outputBias, inputs: c, outputs: c,
      maximumThreads: maximumThreads)
    projection = Self.combined(weights, shape, maximumThreads)
    lanes = DeformableLanes(
      heads: shape.heads, channels: c / shape.heads, levels: shape.levels, points: shape.points,
      anchors: shape.anchors)
    scratch = DeformableScratch(lanes: lanes, maximumThreads: maximumThreads)
    values = AlignedBuffer(count: shape.maps * shape.tokenCount * c)
    projected = AlignedBuffer(count: shape.queryCount * projection.outputs + 32)
    mixed = AlignedBuffer(count: shape.queryCount * c)
  }

  /// Rows [queue][x of all samples | y of all samples | logits], samples in the order head, level,
  /// point.
  private static func combined(
    _ weights: DeformableWeights, _ shape: DeformableShape, _ maximumThreads: Int
  ) -> Linear {
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
    return Linear(
      weight: weight, bias: bias, inputs: k, outputs: bias.count, maximumThreads: maximumThreads)
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

  /// Attends all queries: offsets and weights from `source` [query][projectionInputs], the result plus
  /// `residual` to `result`, normalised when there is a norm.
  @unsafe
  func attend(
    source: UnsafePointer<Float>, residual: UnsafePointer<Float>, references: AnchorReferences,
    norm: LayerNorm?, into result: UnsafeMutablePointer<Float>, engine: Engine, pool: WorkerPool
  ) {
    scratch.check(pool)
    let rows = shape.queryCount
    unsafe projection.apply(
      source, rows: rows, into: projected.pointer, engine: engine, pool: pool)
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

/// Queries split over threads.
@unsafe struct DeformableLayerJob: PartitionedJob {
  var lanes: LanePointers
  var scratch: ScratchPointers
  var values: UnsafePointer<Float>
  var valueMapStride: Int
  var maps: Int
  var projected: UnsafePointer<Float>
  var projectedStride: Int
  var projectedMapStride: Int
  var references: UnsafePointer<Float>
  var anchorWeights: UnsafePointer<Float>?
  var active: UnsafePointer<UInt8>
  var queryCount: Int
  var output: UnsafeMutablePointer<Float>
  var engine: Engine

  func run(part: Int, of parts: Int) {
    let range = unsafe partition(queryCount, part: part, of: parts)
    let l = unsafe lanes
    guard case .simd(let set) = unsafe engine else {
      for query in range { unsafe attendReference(query) }
      return
    }
    let run =
      switch set {
      case .portable: unsafe SwiftletKernelsPortable.deformableProjectedRows
      case .baseline: unsafe SwiftletKernels.deformableProjectedRows
      case .avx2: unsafe SwiftletKernelsAVX2.deformableProjectedRows
      case .avx512: unsafe SwiftletKernelsAVX512.deformableProjectedRows
      }
    unsafe run(
      values, valueMapStride, maps, l.heads, l.channels, l.samples, l.width, l.height, l.base,
      l.anchor, projected, projectedStride, projectedMapStride, references, anchorWeights, active,
      queryCount, range.lowerBound, range.upperBound, output,
      scratch.shares + part * scratch.shareStride, scratch.offsets + part * scratch.stride,
      scratch.weights + part * scratch.stride)
  }
}
