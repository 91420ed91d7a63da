/// torch.nn.MultiheadAttention (batch_first, eval): packed input projection, heads of contiguous
/// channels, scale 1/√(E/heads), key padding, output projection. Allocates nothing after `init`.
@safe
public final class MultiHeadAttention: @unchecked Sendable {
  public let channels: Int
  public let heads: Int
  public let maximumQueries: Int
  public let maximumKeys: Int
  private let projections: (query: Linear, key: Linear, value: Linear, output: Linear)
  private let attention: ScaledDotProductAttention
  private let queries: AlignedBuffer<Float>
  private let keys: AlignedBuffer<Float>
  private let values: AlignedBuffer<Float>
  private let mixed: AlignedBuffer<Float>

  /// - Parameters:
  ///   - channels: E.
  ///   - heads: a divisor of E.
  ///   - inProjectionWeight: [3E, E], query, key and value rows.
  ///   - inProjectionBias: [3E].
  ///   - outProjectionWeight: [E, E].
  ///   - outProjectionBias: [E].
  ///   - maximumQueries: the most queries of a call.
  ///   - maximumKeys: the most keys of a call.
  ///   - precision: of the dense layers.
  ///   - maximumThreads: the largest pool that a call will be given.
  /// - Precondition: E is a multiple of `heads` and the counts fit.
  public init(
    channels: Int, heads: Int, inProjectionWeight: [Float], inProjectionBias: [Float],
    outProjectionWeight: [Float], outProjectionBias: [Float], maximumQueries: Int, maximumKeys: Int,
    precision: DensePrecision = .fp32, maximumThreads: Int = 16
  ) {
    precondition(
      heads > 0 && channels % heads == 0, "\(channels) channels do not divide into \(heads) heads")
    precondition(
      inProjectionWeight.count == 3 * channels * channels && inProjectionBias.count == 3 * channels,
      "\(inProjectionWeight.count) and \(inProjectionBias.count) weights for \(channels) channels")
    self.channels = channels
    self.heads = heads
    self.maximumQueries = maximumQueries
    self.maximumKeys = maximumKeys
    let square = channels * channels
    func projection(_ block: Int) -> Linear {
      Linear(
        weight: Array(inProjectionWeight[block * square..<(block + 1) * square]),
        bias: Array(inProjectionBias[block * channels..<(block + 1) * channels]), inputs: channels,
        outputs: channels, precision: precision, maximumThreads: maximumThreads)
    }
    projections = (
      projection(0), projection(1), projection(2),
      Linear(
        weight: outProjectionWeight, bias: outProjectionBias, inputs: channels, outputs: channels,
        precision: precision, maximumThreads: maximumThreads)
    )
    attention = ScaledDotProductAttention(
      heads: heads, keyWidth: channels / heads, valueWidth: channels / heads,
      maximumKeys: maximumKeys, maximumThreads: maximumThreads)
    queries = AlignedBuffer(count: maximumQueries * channels)
    keys = AlignedBuffer(count: maximumKeys * channels)
    values = AlignedBuffer(count: maximumKeys * channels)
    mixed = AlignedBuffer(count: maximumQueries * channels)
  }

  /// output[query] of `queryCount` rows of E channels. `keyPadding` [key] is not 0 where a key is left
  /// out; `mask` may carry an additive mask as well.
  ///
  /// - Precondition: no more queries and keys than announced; buffers hold them.
  public func apply(
    query: AlignedBuffer<Float>, queryCount: Int, key: AlignedBuffer<Float>,
    value: AlignedBuffer<Float>, keyCount: Int, keyPadding: AlignedBuffer<UInt8>? = nil,
    into output: AlignedBuffer<Float>, engine: Engine, pool: WorkerPool
  ) {
    precondition(
      queryCount <= maximumQueries && keyCount <= maximumKeys,
      "\(queryCount) queries and \(keyCount) keys, \(maximumQueries) and \(maximumKeys) announced")
    precondition(
      keyPadding == nil || keyPadding!.count >= keyCount,
      "a key padding of \(keyPadding?.count ?? 0) for \(keyCount) keys")
    projections.query.apply(query, rows: queryCount, into: queries, engine: engine, pool: pool)
    projections.key.apply(key, rows: keyCount, into: keys, engine: engine, pool: pool)
    projections.value.apply(value, rows: keyCount, into: values, engine: engine, pool: pool)
    unsafe attention.apply(
      queries: view(queries), queryCount: queryCount, keys: view(keys), values: view(values),
      keyCount: keyCount, scale: 1 / Float(channels / heads).squareRoot(),
      mask: AttentionMask(excluded: keyPadding.map { unsafe UnsafePointer($0.pointer) }),
      into: view(mixed), engine: engine, pool: pool)
    projections.output.apply(mixed, rows: queryCount, into: output, engine: engine, pool: pool)
  }

  private func view(_ buffer: AlignedBuffer<Float>) -> HeadTensor {
    unsafe HeadTensor(base: buffer.pointer, headStride: channels / heads, rowStride: channels)
  }
}
