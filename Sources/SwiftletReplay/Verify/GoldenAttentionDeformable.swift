import Swiftlet

/// Golden operations of groups 7 and 8.
enum GoldenAttentionDeformable {
  static let runners: [String: GoldenRunner] = [
    "multi_scale_deformable_attention": deformable,
    "bevformer_spatial_cross_attention": spatial,
    "bevformer_temporal_self_attention": temporal,
    "bevformer_encoder_layer": encoder,
    "bevformer_encoder": encoder,
    "bevformer_can_bus_and_embeddings": prelude,
  ]

  static func integer(_ c: GoldenCase, _ name: String) throws -> Int {
    try c.attributes[name]?.intValue ?? Int(GoldenAttention.missingAttribute(c, name))
  }

  /// `in.spatial_shapes` [level][height, width], with first tokens where the case stores them.
  private static func levels(_ c: GoldenCase) throws -> [FeatureLevel] {
    let sizes = try c.int32s("in.spatial_shapes").map(Int.init)
    var levels = FeatureLevel.pyramid(
      stride(from: 0, to: sizes.count, by: 2).map { (sizes[$0], sizes[$0 + 1]) })
    if c.has("in.level_start") {
      for (index, first) in try c.int32s("in.level_start").enumerated() {
        levels[index].firstToken = Int(first)
      }
    }
    return levels
  }

  private static let deformable: GoldenRunner = { c, context in
    let (value, place) = (try c.shape("in.value"), try c.shape("in.locations"))
    let attention = MultiScaleDeformableAttention(
      heads: value[1], channels: value[2], levels: try levels(c), points: place[3],
      maximumThreads: context.pool.threadCount)
    let output = AlignedBuffer<Float>(count: place[0] * value[1] * value[2])
    attention.apply(
      values: AlignedBuffer(try c.floats("in.value")),
      locations: AlignedBuffer(try c.floats("in.locations")),
      weights: AlignedBuffer(try c.floats("in.weights")), queryCount: place[0], into: output,
      engine: context.engine, pool: context.pool)
    return ["out.out": .float32(output.array)]
  }

  /// The four linear layers behind `prefix`.
  static func weights(_ c: GoldenCase, _ prefix: String) throws -> DeformableWeights {
    DeformableWeights(
      valueWeight: try c.floats(prefix + "value_proj.weight"),
      valueBias: try c.floats(prefix + "value_proj.bias"),
      offsetWeight: try c.floats(prefix + "sampling_offsets.weight"),
      offsetBias: try c.floats(prefix + "sampling_offsets.bias"),
      attentionWeight: try c.floats(prefix + "attention_weights.weight"),
      attentionBias: try c.floats(prefix + "attention_weights.bias"),
      outputWeight: try c.floats(prefix + "output_proj.weight"),
      outputBias: try c.floats(prefix + "output_proj.bias"))
  }

  static func layerWeights(
    _ c: GoldenCase, _ prefix: String, temporal: String, spatial: String
  ) throws -> BEVFormerLayerWeights {
    BEVFormerLayerWeights(
      temporal: try weights(c, prefix + temporal), spatial: try weights(c, prefix + spatial),
      norms: try (0..<3).map {
        (try c.floats("\(prefix)norm\($0).weight"), try c.floats("\(prefix)norm\($0).bias"))
      },
      feedForward: (
        try c.floats(prefix + "ffn0.weight"), try c.floats(prefix + "ffn0.bias"),
        try c.floats(prefix + "ffn1.weight"), try c.floats(prefix + "ffn1.bias")
      ))
  }

  private static func references(_ c: GoldenCase) throws -> AnchorReferences {
    let (width, height) = (try integer(c, "bev_w"), try integer(c, "bev_h"))
    let heights = try c.floats("in.anchor_z")
    let matrices = try c.floats("in.lidar2img")
    let image = try c.int32s("in.image_hw")
    let references = AnchorReferences(
      maps: matrices.count / 16, queryCount: width * height, anchors: heights.count)
    for camera in 0..<matrices.count / 16 {
      references.setBEVFormerCamera(
        camera, lidarToImage: Array(matrices[camera * 16..<camera * 16 + 16]),
        range: try c.floats("in.pc_range"), anchorHeights: heights, width: width, height: height,
        imageWidth: Int(image[1]), imageHeight: Int(image[0]))
    }
    return references
  }

  /// `out.mask` and `out.ref_cam`.
  static func referenceOutputs(_ references: AnchorReferences) -> [String: GoldenOutput] {
    var positions: [Float] = []
    for map in 0..<references.maps {
      for query in 0..<references.queryCount {
        for anchor in 0..<references.anchors {
          let (x, y) = references.position(map: map, query: query, anchor: anchor)
          positions += [x, y]
        }
      }
    }
    return ["out.mask": .uint8(references.visible.array), "out.ref_cam": .float32(positions)]
  }

  private static func crossShape(
    _ c: GoldenCase, _ references: AnchorReferences, channels: Int, points: String
  ) throws -> DeformableShape {
    DeformableShape(
      channels: channels, heads: try integer(c, "heads"), levels: try levels(c),
      points: try integer(c, points), anchors: references.anchors, maps: references.maps,
      queryCount: references.queryCount)
  }

  private static let spatial: GoldenRunner = { c, context in
    let references = try references(c)
    let query = AlignedBuffer(try c.floats("in.query"))
    let attention = SpatialCrossAttention(
      weights: try weights(c, "param."),
      shape: try crossShape(
        c, references, channels: try c.shape("in.query")[1], points: "points"),
      engine: context.engine, maximumThreads: context.pool.threadCount)
    let output = AlignedBuffer<Float>(count: query.count)
    attention.apply(
      features: AlignedBuffer(try c.floats("in.feat")), query: query, references: references,
      into: output, pool: context.pool)
    return referenceOutputs(references).merging(["out.out": .float32(output.array)]) { $1 }
  }

  private static let temporal: GoldenRunner = { c, context in
    let query = AlignedBuffer(try c.floats("in.query"))
    let attention = TemporalSelfAttention(
      weights: try weights(c, "param."), channels: try c.shape("in.query")[1],
      heads: try integer(c, "heads"), points: try integer(c, "points"),
      width: try integer(c, "bev_w"), height: try integer(c, "bev_h"), engine: context.engine,
      maximumThreads: context.pool.threadCount)
    let shift = try c.floats("in.shift")
    attention.setShift(x: shift[0], y: shift[1])
    let position = AlignedBuffer(try c.floats("in.pos"))
    let history = (
      map: AlignedBuffer(try c.floats("in.prev_bev")),
      encoderInput: AlignedBuffer(try c.floats("in.encoder_input"))
    )
    var results: [String: GoldenOutput] = [:]
    for (name, previous) in [("out.with_history", history), ("out.no_history", nil)] {
      let output = AlignedBuffer<Float>(count: query.count)
      attention.apply(
        query: query, position: position, previous: previous, into: output, pool: context.pool)
      results[name] = .float32(output.array)
    }
    return results
  }

  private static let encoder: GoldenRunner = { c, context in
    let references = try references(c)
    let count = try integer(c, "layers")
    let prefixes = c.has("param.layer0.norm0.weight")
      ? (0..<count).map { "param.layer\($0)." } : ["param."]
    let query = AlignedBuffer(try c.floats("in.bev_query"))
    let encoder = BEVFormerEncoder(
      layers: try prefixes.map { try layerWeights(c, $0, temporal: "tsa.", spatial: "sca.") },
      crossShape: try crossShape(
        c, references, channels: try c.shape("in.bev_query")[1], points: "points_cross"),
      selfPoints: try integer(c, "points_self"), width: try integer(c, "bev_w"),
      height: try integer(c, "bev_h"), engine: context.engine, precision: context.precision,
      maximumThreads: context.pool.threadCount)
    if let scales = context.inputScales { try encoder.setInputScales(scales) }
    let shift = try c.floats("in.shift")
    encoder.setShift(x: shift[0], y: shift[1])
    let (position, features) = (
      AlignedBuffer(try c.floats("in.pos")), AlignedBuffer(try c.floats("in.feat"))
    )
    let previous = AlignedBuffer(try c.floats("in.prev_bev"))
    var results = referenceOutputs(references)
    for (name, history) in [("out.with_history", previous), ("out.no_history", nil)] {
      let output = AlignedBuffer<Float>(count: query.count)
      encoder.apply(
        query: query, position: position, previous: history, features: features,
        references: references, into: output, pool: context.pool)
      results[name] = .float32(output.array)
    }
    return results
  }

  private static let prelude: GoldenRunner = { c, context in
    let embedding = try c.floats("in.embedding")
    let channels = try c.shape("in.embedding")[1]
    var row = AlignedBuffer(try c.floats("in.can_bus"))
    for name in ["mlp0", "mlp1"] {
      let layer = try GoldenAttention.goldenLinear(
        c, "param.\(name).", maximumThreads: context.pool.threadCount)
      let next = AlignedBuffer<Float>(count: layer.outputs)
      layer.apply(
        row, rows: 1, activation: .relu, into: next, engine: context.engine, pool: context.pool)
      row = next
    }
    let norm = LayerNorm(
      weight: try c.floats("param.norm.weight"), bias: try c.floats("param.norm.bias"))
    norm.apply(row, rows: 1, into: row, engine: context.engine, pool: context.pool)
    let query = embedding.indices.map { embedding[$0] + row[$0 % channels] }
    return ["out.bev_query": .float32(query), "out.tokens": .float32(try tokens(c, channels))]
  }

  /// Levels [N,C,H,W] to tokens [N,S,C] plus camera and level embeddings.
  private static func tokens(_ c: GoldenCase, _ channels: Int) throws -> [Float] {
    let cameras = try c.floats("in.cams_embeds")
    let levelEmbeddings = try c.floats("in.level_embeds")
    let count = levelEmbeddings.count / channels
    for level in 0..<count {
      try GoldenSchema(
        "in.cams_embeds float32 N C\nin.level\(level) float32 N C h w"
      ).check(c)
    }
    let maps = try (0..<count).map { try c.floats("in.level\($0)") }
    let sizes = try (0..<count).map { level in
      try c.shape("in.level\(level)")[2...].reduce(1, *)
    }
    var result: [Float] = []
    for camera in 0..<cameras.count / channels {
      for level in 0..<count {
        for pixel in 0..<sizes[level] {
          for channel in 0..<channels {
            let feature = maps[level][(camera * channels + channel) * sizes[level] + pixel]
            result.append(
              feature + cameras[camera * channels + channel]
                + levelEmbeddings[level * channels + channel])
          }
        }
      }
    }
    return result
  }
}
