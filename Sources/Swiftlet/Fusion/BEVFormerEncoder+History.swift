import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// What an encoder computes between frames: everything that follows from the previous map and the
/// constant embedding.
@safe
final class EncoderHistory: @unchecked Sendable {
  struct Layer {
    /// Of the unrotated previous map: values [cell][C] and its part of the projection, with biases.
    let values: AlignedBuffer<Float>
    let partial: AlignedBuffer<Float>
    /// Values of the embedding, with the bias.
    let embeddingValues: AlignedBuffer<Float>
    /// The value projection without bias, for the frame's vector.
    let vectorProjection: Linear
    let vector: AlignedBuffer<Float>
  }
  let layers: [Layer]
  let embedding: AlignedBuffer<Float>
  let query: AlignedBuffer<Float>
  /// 1 + the number of every cell, and the same turned: where a cell comes from, 0 for outside.
  let cells: AlignedBuffer<Float>
  let sources: AlignedBuffer<Float>

  init(layers: [DeformableLayer], queryCount: Int, channels: Int, maximumThreads: Int) {
    self.layers = layers.map { layer in
      Layer(
        values: AlignedBuffer(count: queryCount * channels),
        partial: AlignedBuffer(count: layer.partial.count),
        embeddingValues: AlignedBuffer(count: queryCount * channels),
        vectorProjection: Linear(
          weight: layer.valueWeights, bias: nil, inputs: channels, outputs: channels,
          maximumThreads: maximumThreads), vector: AlignedBuffer(count: channels))
    }
    embedding = AlignedBuffer(count: queryCount * channels)
    query = AlignedBuffer(count: queryCount * channels)
    cells = AlignedBuffer((0..<queryCount).map { Float($0 + 1) })
    sources = AlignedBuffer(count: queryCount)
  }
}

// MARK: work between frames
//
// BEVFormer turns the previous map by whole cells, which commutes with a product applied cell by
// cell: its value projections and its half of the offsets and weights of every layer can be computed
// as soon as the last frame is done, and turned when the motion is known; cells from outside take the
// bias. The second value map is the embedding plus one vector: its projection is a stored map plus
// one projected vector. About a quarter of a small encoder leaves the frame.

extension BEVFormerEncoder {
  /// Floating-point operations that `prepareHistory` and `prepareEmbedding` take out of a frame.
  public var preparedOperations: Double {
    let projections = layers.map { Double($0.temporal.layer.projection.outputs) }.reduce(0, +)
    let cells = 2 * Double(queryCount * channels)
    return cells * (projections + 2 * Double(layers.count * channels))
  }

  /// Once, when the weights are loaded: the embedding [query][C] that every frame's query is made of.
  public func prepareEmbedding(_ embedding: AlignedBuffer<Float>, pool: WorkerPool) {
    precondition(
      embedding.count >= queryCount * channels, "\(embedding.count) floats of embedding")
    unsafe history.embedding.pointer.update(from: embedding.pointer, count: queryCount * channels)
    for (layer, state) in zip(layers, history.layers) {
      layer.temporal.layer.value.apply(
        embedding, rows: queryCount, into: state.embeddingValues, engine: engine, pool: pool)
    }
  }

  /// After a frame: everything of the next one that follows from its result `map` [query][C], not
  /// yet turned. Allocates nothing.
  public func prepareHistory(_ map: AlignedBuffer<Float>, pool: WorkerPool) {
    precondition(map.count >= queryCount * channels, "\(map.count) floats of history")
    for (layer, state) in zip(layers, history.layers) {
      let attention = layer.temporal.layer
      attention.value.apply(
        map, rows: queryCount, into: state.values, engine: engine, pool: pool)
      attention.previousProjection?.apply(
        map, rows: queryCount, into: state.partial, engine: engine, pool: pool)
    }
  }

  /// A frame with history: `apply` with query = embedding + `vector` and the previous map turned by
  /// `angleDegrees` about `center`, from what was prepared; equal to it but for the rounding of sums
  /// in another order. Allocates nothing.
  ///
  /// - Parameters:
  ///   - vector: [C], the vehicle's motion embedded.
  ///   - angleDegrees: by which the previous map is turned.
  ///   - center: of that turn, cells.
  ///   - position: [query][C].
  ///   - features: [camera][token][C].
  ///   - references: where the queries look in every camera.
  ///   - output: [query][C].
  ///   - pool: the threads the work is shared out over; one caller at a time.
  public func applyPrepared(
    vector: AlignedBuffer<Float>, angleDegrees: Double, center: SIMD2<Double>,
    position: AlignedBuffer<Float>, features: AlignedBuffer<Float>, references: AnchorReferences,
    into output: AlignedBuffer<Float>, pool: WorkerPool
  ) {
    precondition(vector.count >= channels, "\(vector.count) floats for \(channels) channels")
    unsafe BEVRotation.rotate(
      UnsafeBufferPointer(history.cells.elements), width: width, height: height, channels: 1,
      angleDegrees: angleDegrees, center: center, into: history.sources.elements, engine: engine,
      pool: pool)
    unsafe rows(history.embedding, history.query, channels, adding: vector.pointer, pool)
    for (layer, state) in zip(layers, history.layers) {
      let attention = layer.temporal.layer
      unsafe turn(state.values, attention.values.pointer, channels, attention.value.bias, pool)
      if let projection = attention.previousProjection {
        unsafe turn(
          state.partial, attention.partial.pointer, projection.outputs, projection.bias, pool)
      }
      state.vectorProjection.apply(
        vector, rows: 1, into: state.vector, engine: engine, pool: pool)
      unsafe pool.run(
        RowGatherJob(
          rows: queryCount, channels: channels, source: state.embeddingValues.pointer,
          indices: nil, other: state.vector.pointer,
          output: attention.values.pointer + queryCount * channels, engine: engine))
    }
    applyPrepared(
      query: history.query, position: position, features: features, references: references,
      into: output, pool: pool)
  }

  private func turn(
    _ source: AlignedBuffer<Float>, _ target: UnsafeMutablePointer<Float>, _ channels: Int,
    _ bias: AlignedBuffer<Float>, _ pool: WorkerPool
  ) {
    unsafe pool.run(
      RowGatherJob(
        rows: queryCount, channels: channels, source: source.pointer,
        indices: history.sources.pointer, other: bias.pointer, output: target, engine: engine))
  }

  private func rows(
    _ source: AlignedBuffer<Float>, _ target: AlignedBuffer<Float>, _ channels: Int,
    adding vector: UnsafePointer<Float>, _ pool: WorkerPool
  ) {
    unsafe pool.run(
      RowGatherJob(
        rows: queryCount, channels: channels, source: source.pointer, indices: nil, other: vector,
        output: target.pointer, engine: engine))
  }
}

/// With indices: output[row] = source[indices[row] - 1], or `other` where the index is 0. Without:
/// output[row] = source[row] + other.
@unsafe struct RowGatherJob: PartitionedJob {
  var rows: Int
  var channels: Int
  var source: UnsafePointer<Float>
  var indices: UnsafePointer<Float>?
  var other: UnsafePointer<Float>
  var output: UnsafeMutablePointer<Float>
  var engine: Engine

  func run(part: Int, of parts: Int) {
    let range = unsafe partition(rows, part: part, of: parts)
    guard case .simd(let set) = unsafe engine else {
      for row in range { unsafe gatherReference(row) }
      return
    }
    let run =
      switch set {
      case .portable: unsafe SwiftletKernelsPortable.gatherRows
      case .baseline: unsafe SwiftletKernels.gatherRows
      case .avx2: unsafe SwiftletKernelsAVX2.gatherRows
      case .avx512: unsafe SwiftletKernelsAVX512.gatherRows
      }
    unsafe run(source, indices, other, range.lowerBound, range.upperBound, channels, output)
  }

  private func gatherReference(_ row: Int) {
    for channel in unsafe 0..<channels {
      let place = unsafe row * channels + channel
      if let indices = unsafe indices {
        let from = unsafe Int(indices[row])
        unsafe output[place] = from > 0 ? source[(from - 1) * channels + channel] : other[channel]
      } else {
        unsafe output[place] = source[place] + other[channel]
      }
    }
  }
}
