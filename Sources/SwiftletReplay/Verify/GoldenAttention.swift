import Swiftlet

/// Golden operations of groups 10 and, in sibling files, 7 to 9 and 11.
public enum GoldenAttention {
  public static let runners: [String: GoldenRunner] = [
    "scaled_dot_product_attention": scaledDotProductAttention,
    "multi_head_attention": multiHeadAttention,
    "layer_norm": layerNorm,
    "gelu": gelu,
    "linear": linear,
    "feed_forward": feedForward,
  ].merging(GoldenAttentionDeformable.runners) { first, _ in first }
    .merging(GoldenAttentionBackward.runners) { first, _ in first }

  private static let linear: GoldenRunner = { c, context in
    let shape = try c.shape("param.weight")
    let layer = try goldenLinear(c, "param.", maximumThreads: context.pool.threadCount)
    let rows = try c.shape("in.x")[0]
    let output = AlignedBuffer<Float>(count: rows * shape[0])
    layer.apply(
      AlignedBuffer(try c.floats("in.x")), rows: rows, into: output, engine: context.engine,
      pool: context.pool)
    return ["out.y": .float32(output.array)]
  }

  private static let feedForward: GoldenRunner = { c, context in
    let shape = try c.shape("in.x")
    let input = AlignedBuffer(try c.floats("in.x"))
    var results: [String: GoldenOutput] = [:]
    for (name, activation) in [("out.relu", Activation.relu), ("out.gelu", .geluErf)] {
      let layer = FeedForward(
        channels: shape[1], hidden: try c.shape("param.ffn0.bias")[0],
        weight0: try c.floats("param.ffn0.weight"), bias0: try c.floats("param.ffn0.bias"),
        weight1: try c.floats("param.ffn1.weight"), bias1: try c.floats("param.ffn1.bias"),
        activation: activation, maximumThreads: context.pool.threadCount)
      let output = AlignedBuffer<Float>(count: input.count)
      layer.apply(
        input, rows: shape[0], into: output, engine: context.engine, pool: context.pool)
      results[name] = .float32(output.array)
    }
    return results
  }

  private static let gelu: GoldenRunner = { c, context in
    let input = AlignedBuffer(try c.floats("in.x"))
    var results: [String: GoldenOutput] = [:]
    for (name, activation) in [
      ("out.erf", Activation.geluErf), ("out.tanh", .geluTanh), ("out.relu", .relu),
    ] {
      let output = AlignedBuffer<Float>(count: input.count)
      activation.apply(input, into: output, engine: context.engine)
      results[name] = .float32(output.array)
    }
    return results
  }

  /// Every `in.NAME` with weights `param.NAME.weight` and `param.NAME.bias`.
  private static let layerNorm: GoldenRunner = { c, context in
    let epsilon = Float(c.attributes["eps"]?.doubleValue ?? 1e-5)
    var results: [String: GoldenOutput] = [:]
    for name in c.tensors.keys.filter({ $0.hasPrefix("in.") }).map({ $0.dropFirst(3) }) {
      try GoldenSchema(
        """
        in.\(name) float32 n C
        param.\(name).weight float32 C
        param.\(name).bias float32 C
        positive C
        """
      ).check(c)
      let norm = LayerNorm(
        weight: try c.floats("param.\(name).weight"), bias: try c.floats("param.\(name).bias"),
        epsilon: epsilon)
      let input = AlignedBuffer(try c.floats("in.\(name)"))
      let output = AlignedBuffer<Float>(count: input.count)
      norm.apply(
        input, rows: try c.shape("in.\(name)")[0], into: output, engine: context.engine,
        pool: context.pool)
      results["out.\(name)"] = .float32(output.array)
    }
    return results
  }

  private static let scaledDotProductAttention: GoldenRunner = { c, context in
    let (q, k, v) = (try c.shape("in.q"), try c.shape("in.k"), try c.shape("in.v"))
    let attention = ScaledDotProductAttention(
      heads: q[0], keyWidth: q[2], valueWidth: v[2], maximumKeys: k[1],
      maximumThreads: context.pool.threadCount)
    let queries = AlignedBuffer(try c.floats("in.q"))
    let keys = AlignedBuffer(try c.floats("in.k"))
    let values = AlignedBuffer(try c.floats("in.v"))
    let mask = c.has("in.mask") ? AlignedBuffer(try c.bytes("in.mask")) : nil
    let output = AlignedBuffer<Float>(count: q[0] * q[1] * v[2])
    unsafe attention.apply(
      queries: headTensor(queries, q[1], q[2]), queryCount: q[1],
      keys: headTensor(keys, k[1], k[2]), values: headTensor(values, v[1], v[2]), keyCount: k[1],
      scale: Float(try c.attributes["scale"]?.doubleValue ?? missingAttribute(c, "scale")),
      mask: AttentionMask(
        excluded: mask.map { unsafe UnsafePointer($0.pointer) }, excludedStride: k[1]),
      into: headTensor(output, q[1], v[2]), engine: context.engine, pool: context.pool)
    return ["out.out": .float32(output.array)]
  }

  private static func headTensor(
    _ buffer: AlignedBuffer<Float>, _ rows: Int, _ width: Int
  ) -> HeadTensor {
    unsafe HeadTensor(base: buffer.pointer, headStride: rows * width, rowStride: width)
  }

  private static let multiHeadAttention: GoldenRunner = { c, context in
    let (query, key) = (try c.shape("in.query"), try c.shape("in.key"))
    guard query[0] == 1 else { throw GoldenError.unsupported("batch of \(query[0])") }
    let layer = MultiHeadAttention(
      channels: query[2],
      heads: try c.attributes["heads"]?.intValue ?? Int(missingAttribute(c, "heads")),
      inProjectionWeight: try c.floats("param.in_proj.weight"),
      inProjectionBias: try c.floats("param.in_proj.bias"),
      outProjectionWeight: try c.floats("param.out_proj.weight"),
      outProjectionBias: try c.floats("param.out_proj.bias"), maximumQueries: query[1],
      maximumKeys: key[1], maximumThreads: context.pool.threadCount)
    let padding = c.has("in.key_padding_mask")
      ? AlignedBuffer(try c.bytes("in.key_padding_mask")) : nil
    let output = AlignedBuffer<Float>(count: query[1] * query[2])
    layer.apply(
      query: AlignedBuffer(try c.floats("in.query")), queryCount: query[1],
      key: AlignedBuffer(try c.floats("in.key")), value: AlignedBuffer(try c.floats("in.value")),
      keyCount: key[1], keyPadding: padding, into: output, engine: context.engine,
      pool: context.pool)
    return ["out.out": .float32(output.array)]
  }

  /// The linear layer `PREFIXweight`, `PREFIXbias`.
  static func goldenLinear(
    _ c: GoldenCase, _ prefix: String, maximumThreads: Int
  ) throws -> Linear {
    let shape = try c.shape(prefix + "weight")
    return Linear(
      weight: try c.floats(prefix + "weight"), bias: try c.floats(prefix + "bias"),
      inputs: shape[1], outputs: shape[0], maximumThreads: maximumThreads)
  }

  static func missingAttribute(_ c: GoldenCase, _ name: String) throws(GoldenError) -> Double {
    throw .malformed("\(c.name) has no attribute \(name)")
  }
}
