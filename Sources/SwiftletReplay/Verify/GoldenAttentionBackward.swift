import Swiftlet

/// Golden operations of groups 9 and 11.
enum GoldenAttentionBackward {
  static let runners: [String: GoldenRunner] = [
    "fbocc_backward_projection": backward,
    "int8_linear": quantizedLinear,
    "float32_to_half_bits": narrow,
    "half_bits_to_float32": widen,
  ]

  private static func bounds(_ c: GoldenCase, _ axis: String) throws -> (Double, Double) {
    let values = try c.floats("in.\(axis)_bounds")
    return (Double(values[0]), Double(values[2]))
  }

  private static func shape(_ c: GoldenCase) throws -> BackwardProjectionShape {
    func integer(_ name: String) throws -> Int {
      try GoldenAttentionDeformable.integer(c, name)
    }
    func number(_ name: String) throws -> Float {
      Float(try c.attributes[name]?.doubleValue ?? GoldenAttention.missingAttribute(c, name))
    }
    let feature = try c.int32s("in.feat_hw")
    let depth = try c.shape("in.depth")
    guard feature.map(Int.init) == Array(depth[2...]) else {
      throw GoldenError.damaged(
        tensor: "in.feat_hw", expected: "\(depth[2...]) as in.depth has", found: "\(feature)")
    }
    return BackwardProjectionShape(
      channels: try c.shape("in.pos")[1], heads: try integer("heads"),
      width: try integer("bev_w"), height: try integer("bev_h"), anchors: try integer("anchors"),
      cameras: try c.shape("in.feat")[0], featureWidth: Int(feature[1]),
      featureHeight: Int(feature[0]), crossPoints: try integer("points_cross"),
      selfPoints: try integer("points_self"), depthBins: try c.shape("in.depth")[1],
      depthStartMeters: try number("depth_start"), depthStepMeters: try number("depth_step"),
      voxelHeights: try c.shape("in.voxels")[0])
  }

  private static func references(
    _ c: GoldenCase, _ shape: BackwardProjectionShape
  ) throws -> AnchorReferences {
    let references = AnchorReferences(
      maps: shape.cameras, queryCount: shape.queryCount, anchors: shape.anchors,
      areWeighted: true)
    let image = try c.int32s("in.image_hw")
    func matrix(_ name: String, _ camera: Int) throws -> Matrix3 {
      Matrix3(rowMajor: try c.floats(name)[camera * 9..<camera * 9 + 9].map(Double.init))
    }
    func vector(_ name: String, _ camera: Int) throws -> SIMD3<Double> {
      let values = try c.floats(name)[camera * 3..<camera * 3 + 3].map(Double.init)
      return SIMD3(values[0], values[1], values[2])
    }
    for camera in 0..<shape.cameras {
      references.setFBOCCCamera(
        camera, intrinsics: try matrix("in.intrin", camera),
        egoFromCamera: (try matrix("in.rot", camera), try vector("in.trans", camera)),
        augmentation: (try matrix("in.post_rot", camera), try vector("in.post_trans", camera)),
        bevAugmentation: try matrix("in.bda", 0),
        bounds: (try bounds(c, "x"), try bounds(c, "y"), try bounds(c, "z")), width: shape.width,
        imageWidth: Int(image[1]), imageHeight: Int(image[0]))
    }
    return references
  }

  private static let backward: GoldenRunner = { c, context in
    let shape = try shape(c)
    let references = try references(c, shape)
    let projection = BackwardProjection(
      weights: try GoldenAttentionDeformable.layerWeights(
        c, "param.", temporal: "self.", spatial: "cross."), shape: shape, engine: context.engine,
      maximumThreads: context.pool.threadCount)
    let voxels = AlignedBuffer(try c.floats("in.voxels"))
    let map = AlignedBuffer<Float>(count: shape.queryCount * shape.channels)
    let output = AlignedBuffer<Float>(count: voxels.count)
    projection.apply(
      voxels: voxels, embedding: AlignedBuffer(try c.floats("in.bev_embedding")),
      position: AlignedBuffer(try c.floats("in.pos")),
      features: AlignedBuffer(try c.floats("in.feat")),
      depth: AlignedBuffer(try c.floats("in.depth")), references: references, into: map,
      voxels: output, pool: context.pool)
    var results = GoldenAttentionDeformable.referenceOutputs(references)
    let depths = references.depths?.array ?? []
    results["out.depth_cam"] = .float32(depths)
    results["out.depth_bin"] = .int32(depths.map { Int32(AnchorReferences.depthBin($0, shape)) })
    results["out.depth_weight"] = .float32(weights(references))
    results["out.cross_attention"] = .float32(projection.crossAttention.array)
    results["out.bev"] = .float32(map.array)
    results["out.voxels"] = .float32(output.array)
    return results
  }

  private static func weights(_ references: AnchorReferences) -> [Float] {
    (0..<references.maps * references.queryCount * references.anchors).map { index in
      let item = index / references.anchors
      return references.weight(
        map: item / references.queryCount, query: item % references.queryCount,
        anchor: index % references.anchors)
    }
  }

  private static let quantizedLinear: GoldenRunner = { c, context in
    let (input, weight) = (try c.shape("in.x"), try c.shape("param.weight"))
    let scale = try c.floats("in.scale_x")[0]
    let layer = QuantizedLinear(
      weight: try c.floats("param.weight"), bias: try c.floats("param.bias"), inputs: weight[1],
      outputs: weight[0], maximumRows: input[0])
    let sums = AlignedBuffer<Int32>(count: input[0] * weight[0])
    let output = AlignedBuffer<Float>(count: input[0] * weight[0])
    layer.apply(
      AlignedBuffer(try c.floats("in.x")), rows: input[0], scale: scale, sums: sums, into: output,
      engine: context.engine, pool: context.pool)
    return [
      "out.scale_w": .float32(layer.weightScales),
      "out.qx": .int8(layer.lastQuantizedInput(rows: input[0])),
      "out.qw": .int8(layer.quantizedWeight), "out.acc": .int32(sums.array),
      "out.y": .float32(output.array),
    ]
  }

  private static let narrow: GoldenRunner = { c, context in
    let input = AlignedBuffer(
      try c.int32s("in.float32_bits").map { Float(bitPattern: UInt32(bitPattern: $0)) })
    func bits(_ format: Narrowing) -> GoldenOutput {
      let output = AlignedBuffer<UInt16>(count: input.count)
      format.apply(input, into: output, engine: context.engine)
      return .uint16(output.array)
    }
    return ["out.half_bits": bits(.half), "out.bfloat16_bits": bits(.bfloat)]
  }

  private static let widen: GoldenRunner = { c, context in
    guard let bits = try c.tensor("in.half_bits").uint16s() else {
      throw GoldenError.malformed("\(c.name) in.half_bits is not U16")
    }
    var output = [Float](repeating: 0, count: bits.count)
    unsafe bits.withUnsafeBufferPointer { source in
      unsafe output.withUnsafeMutableBufferPointer { target in
        unsafe Widening.half(source, to: target, engine: context.engine)
      }
    }
    return ["out.float32_bits": .int32(output.map { Int32(bitPattern: $0.bitPattern) })]
  }
}
