extension GoldenSchemas {
  /// Four linear layers over C = M·c channels, their queries `queryWidth` wide.
  private static func deformable(_ prefix: String, rows: String, queryWidth: String) -> String {
    """
    \(prefix)value_proj.weight float32 M*c M*c
    \(prefix)value_proj.bias float32 M*c
    \(prefix)output_proj.weight float32 M*c M*c
    \(prefix)output_proj.bias float32 M*c
    \(prefix)sampling_offsets.weight float32 2*\(rows) \(queryWidth)
    \(prefix)sampling_offsets.bias float32 2*\(rows)
    \(prefix)attention_weights.weight float32 \(rows) \(queryWidth)
    \(prefix)attention_weights.bias float32 \(rows)

    """
  }

  /// Three norms and two layers of F hidden channels.
  private static func transformer(_ prefix: String) -> String {
    (0..<3).map {
      "\(prefix)norm\($0).weight float32 M*c\n\(prefix)norm\($0).bias float32 M*c\n"
    }.joined() + """
      \(prefix)ffn0.weight float32 F M*c
      \(prefix)ffn0.bias float32 F
      \(prefix)ffn1.weight float32 M*c F
      \(prefix)ffn1.bias float32 M*c

      """
  }

  private static let bevformerCameras = """
    attribute bev_h H
    attribute bev_w W
    attribute heads M
    in.lidar2img float32 N 4 4
    in.pc_range float32 6
    in.image_hw int32 2
    in.anchor_z float32 D
    in.spatial_shapes int32 L 2
    positive N D L
    most 16 D
    most 1048576 H W

    """

  private static let temporal = """
    attribute bev_h H
    attribute bev_w W
    attribute heads M
    attribute points P
    in.query float32 H*W M*c
    in.pos float32 H*W M*c
    in.prev_bev float32 H*W M*c
    in.encoder_input float32 H*W M*c
    in.shift float32 2
    positive c

    """ + deformable("param.", rows: "M*2*P", queryWidth: "2*M*c")

  private static let spatial = bevformerCameras + """
    attribute points P
    in.query float32 H*W M*c
    in.feat float32 N S M*c
    levels in.spatial_shapes in.level_start S
    positive c

    """ + deformable("param.", rows: "M*L*P", queryWidth: "M*c")

  /// A layer without a number, or the layers `param.layer0.` and on.
  static func encoder(layers: Int?) -> String {
    let prefixes = layers.map { (0..<$0).map { "param.layer\($0)." } } ?? ["param."]
    return bevformerCameras + """
      attribute layers layers
      attribute points_cross P
      attribute points_self S2
      in.bev_query float32 H*W M*c
      in.pos float32 H*W M*c
      in.prev_bev float32 H*W M*c
      in.shift float32 2
      in.feat float32 N S M*c
      levels in.spatial_shapes in.level_start S
      positive c

      """
      + prefixes.map {
        deformable($0 + "tsa.", rows: "M*2*S2", queryWidth: "2*M*c")
          + deformable($0 + "sca.", rows: "M*L*P", queryWidth: "M*c") + transformer($0)
      }.joined()
  }

  private static let backward = """
    attribute bev_h H
    attribute bev_w W
    attribute heads M
    attribute anchors D
    attribute points_cross P
    attribute points_self S2
    in.intrin float32 N 3 3
    in.rot float32 N 3 3
    in.trans float32 N 3
    in.post_rot float32 N 3 3
    in.post_trans float32 N 3
    in.bda float32 3 3
    in.x_bounds float32 3
    in.y_bounds float32 3
    in.z_bounds float32 3
    in.image_hw int32 2
    in.feat_hw int32 2
    in.depth float32 N B h w
    in.feat float32 N h*w M*c
    in.pos float32 H*W M*c
    in.voxels float32 Z H*W M*c
    in.bev_embedding float32 H*W M*c
    positive N B h w c Z
    most 16 D
    most 1048576 H W

    """ + deformable("param.self.", rows: "M*S2", queryWidth: "M*c")
    + deformable("param.cross.", rows: "M*P", queryWidth: "M*c") + transformer("param.")

  static let layers: [String: String] = [
    "bevformer_spatial_cross_attention": spatial,
    "bevformer_temporal_self_attention": temporal,
    "fbocc_backward_projection": backward,
    "bevformer_can_bus_and_embeddings": """
      in.can_bus float32 B
      in.embedding float32 Q C
      in.cams_embeds float32 N C
      in.level_embeds float32 L C
      param.mlp0.weight float32 F B
      param.mlp0.bias float32 F
      param.mlp1.weight float32 C F
      param.mlp1.bias float32 C
      param.norm.weight float32 C
      param.norm.bias float32 C
      positive B C F
      """,
  ]

  static let attention: [String: String] = [
    "multi_scale_deformable_attention": """
      in.value float32 S M c
      in.spatial_shapes int32 L 2
      in.level_start? int32 L
      in.locations float32 Q M L P 2
      in.weights float32 Q M L P
      positive M c L P
      levels in.spatial_shapes in.level_start S
      """,
    "scaled_dot_product_attention": """
      in.q float32 H Lq d
      in.k float32 H Lk d
      in.v float32 H Lk e
      in.mask? uint8 Lq Lk
      positive H d e
      """,
    "multi_head_attention": """
      attribute heads M
      in.query float32 B Lq M*d
      in.key float32 B Lk M*d
      in.value float32 B Lk M*d
      in.key_padding_mask? uint8 B Lk
      param.in_proj.weight float32 3*M*d M*d
      param.in_proj.bias float32 3*M*d
      param.out_proj.weight float32 M*d M*d
      param.out_proj.bias float32 M*d
      positive d
      """,
    "gelu": "in.x float32 ...",
    "linear": """
      in.x float32 M K
      param.weight float32 N K
      param.bias float32 N
      """,
    "feed_forward": """
      in.x float32 Q C
      param.ffn0.weight float32 F C
      param.ffn0.bias float32 F
      param.ffn1.weight float32 C F
      param.ffn1.bias float32 C
      """,
    "int8_linear": """
      in.x float32 M K
      in.scale_x float32
      param.weight float32 N K
      param.bias float32 N
      """,
    "float32_to_half_bits": "in.float32_bits int32 ...",
    "half_bits_to_float32": "in.half_bits uint16 ...",
  ]
}
