/// The sizes of an encoder as its own tensors tell them.
public struct EncoderWeightsShape: Sendable, Equatable {
  public var layers: Int
  public var channels: Int
  public var hidden: Int
  /// Heads · levels · points of the spatial, and heads · queues · points of the temporal attention.
  public var spatialSamples: Int
  public var temporalSamples: Int
  /// Inputs of the temporal offsets: C (FB-OCC) or 2 C (BEVFormer).
  public var temporalInputs: Int

  /// Read from layer 0 of a file with names of ours or public ones.
  ///
  /// - Throws: `WeightsError` when there is no encoder or a tensor the sizes come from is missing.
  public init(_ file: SafeTensors) throws(WeightsError) {
    let tensors = try PublicWeightNames.convert(file).file.tensors
    let numbers = tensors.keys.compactMap { name -> Int? in
      guard name.hasPrefix("encoder.layers.") else { return nil }
      return Int(name.dropFirst("encoder.layers.".count).prefix { $0 != "." })
    }
    guard let last = numbers.max(), last < 64 else {
      throw WeightsError(
        tensor: "encoder.layers.0", expected: "an encoder of 1 to 64 layers",
        found: numbers.isEmpty ? "no tensor of an encoder layer" : "layer \(numbers.max() ?? 0)",
        remedy: "export the encoder under its public names")
    }
    layers = last + 1
    func size(_ name: String, _ axis: Int, rank: Int) throws(WeightsError) -> Int {
      guard let shape = tensors["encoder.layers.0." + name]?.shape, shape.count == rank,
        shape.allSatisfy({ $0 > 0 })
      else {
        throw WeightsError(
          tensor: "encoder.layers.0." + name, expected: "\(rank) sizes above 0",
          found: tensors["encoder.layers.0." + name].map { "shape \($0.shape)" } ?? "no such tensor",
          remedy: "export the whole layer")
      }
      return shape[axis]
    }
    channels = try size("spatial.value_proj.weight", 0, rank: 2)
    hidden = try size("ffn0.weight", 0, rank: 2)
    spatialSamples = try size("spatial.attention_weights.weight", 0, rank: 2)
    temporalSamples = try size("temporal.attention_weights.weight", 0, rank: 2)
    temporalInputs = try size("temporal.attention_weights.weight", 1, rank: 2)
  }

  /// Every tensor such an encoder has, and the input scales for int8 that it may have.
  public var layout: WeightsLayout {
    let c = channels
    var tensors: [WeightsLayout.Tensor] = []
    for layer in 0..<layers {
      let head = "encoder.layers.\(layer)."
      func add(_ name: String, _ rows: Int, _ columns: Int) {
        tensors.append(.init("\(head)\(name).weight", [rows, columns]))
        tensors.append(.init("\(head)\(name).bias", [rows]))
      }
      for (part, samples, inputs) in [
        ("temporal", temporalSamples, temporalInputs), ("spatial", spatialSamples, c),
      ] {
        add("\(part).value_proj", c, c)
        add("\(part).sampling_offsets", 2 * samples, inputs)
        add("\(part).attention_weights", samples, inputs)
        add("\(part).output_proj", c, c)
      }
      add("ffn0", hidden, c)
      add("ffn1", c, hidden)
      for norm in 0..<3 {
        tensors.append(.init("\(head)norm\(norm).weight", [c]))
        tensors.append(.init("\(head)norm\(norm).bias", [c]))
      }
    }
    let scales = InputScales.layerNames(layers: layers).map {
      WeightsLayout.Tensor(InputScales.prefix + $0, [1])
    }
    return WeightsLayout(
      tensors: tensors, optionalTensors: scales, ownedPrefixes: ["encoder."])
  }
}

extension BEVFormerLayerWeights {
  /// Layer `layer` of a BEVFormer, UniAD or FB-OCC encoder, under public names or ours.
  ///
  /// - Parameters:
  ///   - file: the weights; other tensors in it are left alone.
  ///   - layer: which layer of the encoder, from 0.
  ///   - temporal: the shape of the temporal (FB-OCC: self) attention.
  ///   - spatial: that of the spatial cross attention.
  ///   - hidden: width of the feed-forward network.
  /// - Throws: `WeightsError` naming the tensor (under our name) that does not fit.
  public init(
    _ file: SafeTensors, layer: Int, temporal: DeformableShape, spatial: DeformableShape,
    hidden: Int
  ) throws(WeightsError) {
    let file = try PublicWeightNames.convert(file).file
    let prefix = "encoder.layers.\(layer)."
    let reader = WeightsReader(file, prefix: prefix)
    let c = spatial.channels
    var norms: [(weight: [Float], bias: [Float])] = []
    for norm in 0..<3 {
      norms.append(
        (
          try reader.floats("norm\(norm).weight", shape: [c]),
          try reader.floats("norm\(norm).bias", shape: [c])
        ))
    }
    self.init(
      temporal: try DeformableWeights(file, prefix: prefix + "temporal.", shape: temporal),
      spatial: try DeformableWeights(file, prefix: prefix + "spatial.", shape: spatial),
      norms: norms,
      feedForward: (
        try reader.floats("ffn0.weight", shape: [hidden, c]),
        try reader.floats("ffn0.bias", shape: [hidden]),
        try reader.floats("ffn1.weight", shape: [c, hidden]),
        try reader.floats("ffn1.bias", shape: [c])
      ))
  }
}
