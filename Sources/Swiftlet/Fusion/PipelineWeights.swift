/// A linear layer read off a map: logits = W x + b per cell.
public struct HeadWeights: Sendable, Equatable {
  /// [outputs, channels], row-major.
  public var weight: [Float]
  /// [outputs].
  public var bias: [Float]

  /// Modalities that may have heads of their own in late fusion.
  public static let experts = ["camera", "lidar", "radar", "map_prior"]

  public init(weight: [Float], bias: [Float]) {
    self.weight = weight
    self.bias = bias
  }
}

/// Every weight of a pipeline, as one `.safetensors` file has them:
///
/// | tensors | needed |
/// |---|---|
/// | `fusion.…`, see `FusionWeights` | always |
/// | `neighbors.value_proj`, `.sampling_offsets`, `.attention_weights`, `.output_proj` (`.weight`, `.bias`), as mmcv names and shapes them | with `fusion.neighbor_points` above 0 |
/// | `heads.occupancy.weight` [heights · classes, C], `heads.occupancy.bias` | with `heads.occupancy_classes` above 0 |
/// | `heads.semantic.weight` [classes, C], `heads.semantic.bias` | with `heads.semantic_classes` above 0 |
/// | `experts.{camera,lidar,radar,map_prior}.{occupancy,semantic}.weight`, `.bias`, shaped as the head | never; in late fusion a modality without one uses the head |
///
/// Metadata `swiftlet_weights_version` is 1; a file without it is taken as version 1.
public struct PipelineWeights: Sendable {
  public static let version = 1

  public var fusion: FusionWeights
  public var neighbors: DeformableWeights?
  public var occupancyHead: HeadWeights?
  public var semanticHead: HeadWeights?
  /// By `camera.semantic`: expert and head.
  public var experts: [String: HeadWeights]

  public init(
    fusion: FusionWeights, neighbors: DeformableWeights? = nil,
    occupancyHead: HeadWeights? = nil, semanticHead: HeadWeights? = nil,
    experts: [String: HeadWeights] = [:]
  ) {
    self.experts = experts
    self.fusion = fusion
    self.neighbors = neighbors
    self.occupancyHead = occupancyHead
    self.semanticHead = semanticHead
  }

  /// The weights of a file.
  ///
  /// - Throws: `WeightsError` naming the first tensor that is missing, unknown under one of the
  ///   documented prefixes, of another shape or type, or not finite; a file of a later version.
  public init(
    _ file: SafeTensors, configuration: PipelineConfiguration
  ) throws(WeightsError) {
    try Self.checkVersion(file)
    let layout = WeightsLayout.pipeline(configuration, modalities: Self.modalities(of: file))
    if let problem = layout.problems(of: file).first { throw problem }
    let channels = configuration.channelCount
    fusion = try FusionWeights(
      file, channels: channels, heads: configuration.fusion.headCount,
      modalities: Self.modalities(of: file))
    if configuration.fusion.neighborPointCount > 0 {
      neighbors = try DeformableWeights(
        file, prefix: "neighbors.", shape: configuration.neighborShape)
    }
    let heads = configuration.heads
    if heads.occupancyClassCount > 0 {
      occupancyHead = try Self.head(
        file, "heads.occupancy.", heads.occupancyClassCount * heads.occupancyHeightCount, channels)
    }
    if heads.semanticClassCount > 0 {
      semanticHead = try Self.head(file, "heads.semantic.", heads.semanticClassCount, channels)
    }
    experts = [:]
    for (name, head) in [("occupancy", occupancyHead), ("semantic", semanticHead)] {
      for expert in HeadWeights.experts {
        let prefix = "experts.\(expert).\(name)."
        guard let head, file.tensors[prefix + "weight"] != nil else { continue }
        experts["\(expert).\(name)"] = try Self.head(file, prefix, head.bias.count, channels)
      }
    }
  }

  private static func head(
    _ file: SafeTensors, _ prefix: String, _ outputs: Int, _ channels: Int
  ) throws(WeightsError) -> HeadWeights {
    let reader = WeightsReader(file, prefix: prefix)
    return HeadWeights(
      weight: try reader.floats("weight", shape: [outputs, channels]),
      bias: try reader.floats("bias", shape: [outputs]))
  }

  private static func checkVersion(_ file: SafeTensors) throws(WeightsError) {
    guard let text = file.metadata["swiftlet_weights_version"] else { return }
    guard let version = Int(text), version >= 1, version <= Self.version else {
      throw WeightsError(
        tensor: "header", expected: "swiftlet_weights_version 1 to \(Self.version)", found: text,
        remedy: "convert the weights again with this version")
    }
  }

  /// How many modalities have an embedding: 3 to 5, by the file; 5 where it does not say.
  static func modalities(of file: SafeTensors) -> Int {
    guard let shape = file.tensors["fusion.modality_embedding"]?.shape, shape.count == 2 else {
      return ModalityFusion.maximumModalities
    }
    return min(max(shape[0], 3), ModalityFusion.maximumModalities)
  }

  /// The tensors as a file has them; `SafeTensors(tensors:metadata:).serialized()` writes them.
  public func file(configuration: PipelineConfiguration) -> SafeTensors {
    var tensors = fusion.tensors
    for (name, head) in [("occupancy", occupancyHead), ("semantic", semanticHead)] {
      guard let head else { continue }
      tensors["heads.\(name).weight"] = HostTensor(
        head.weight, shape: [head.bias.count, configuration.channelCount])
      tensors["heads.\(name).bias"] = HostTensor(head.bias, shape: [head.bias.count])
    }
    for (name, head) in experts {
      tensors["experts.\(name).weight"] = HostTensor(
        head.weight, shape: [head.bias.count, configuration.channelCount])
      tensors["experts.\(name).bias"] = HostTensor(head.bias, shape: [head.bias.count])
    }
    if let neighbors {
      for (name, shape, values) in neighbors.named(configuration.neighborShape) {
        tensors["neighbors." + name] = HostTensor(values, shape: shape)
      }
    }
    return SafeTensors(
      tensors: tensors, metadata: ["swiftlet_weights_version": "\(Self.version)"])
  }
}

extension DeformableWeights {
  /// Names and shapes as mmcv has them, in the order of the fields.
  static func shapes(_ shape: DeformableShape) -> [(name: String, shape: [Int])] {
    let (c, k) = (shape.channels, shape.projectionInputs)
    let rows = shape.queues * shape.samples * shape.heads
    return [
      ("value_proj.weight", [c, c]), ("value_proj.bias", [c]),
      ("sampling_offsets.weight", [2 * rows, k]), ("sampling_offsets.bias", [2 * rows]),
      ("attention_weights.weight", [rows, k]), ("attention_weights.bias", [rows]),
      ("output_proj.weight", [c, c]), ("output_proj.bias", [c]),
    ]
  }

  func named(_ shape: DeformableShape) -> [(name: String, shape: [Int], values: [Float])] {
    let values = [
      valueWeight, valueBias, offsetWeight, offsetBias, attentionWeight, attentionBias,
      outputWeight, outputBias,
    ]
    return zip(Self.shapes(shape), values).map { ($0.name, $0.shape, $1) }
  }
}

extension PipelineConfiguration {
  /// The deformable attention to neighbouring cells: one level, the map itself.
  public var neighborShape: DeformableShape {
    let cells = grid.cellCounts
    return DeformableShape(
      channels: channelCount, heads: fusion.headCount,
      levels: FeatureLevel.pyramid([(cells.y, cells.x)]), points: fusion.neighborPointCount,
      queryCount: cells.x * cells.y)
  }
}
