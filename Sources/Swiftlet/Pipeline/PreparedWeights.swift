/// Weights packed for one configuration, with the buffers their layers need: made on any thread,
/// handed to `FramePipeline.adopt` between two frames.
public final class PreparedWeights: @unchecked Sendable {
  public let weights: PipelineWeights
  let configuration: PipelineConfiguration
  let maximumThreads: Int
  let fusion: PackedFusionWeights
  let neighbors: NeighborAttention?
  let occupancyHead: PreparedHead?
  let semanticHead: PreparedHead?

  /// - Parameters:
  ///   - weights: of every layer.
  ///   - configuration: of the pipeline.
  ///   - maximumThreads: threads of the pipeline's pool.
  /// - Throws: `ConfigurationError` when the configuration asks for a layer the weights lack.
  public init(
    _ weights: PipelineWeights, configuration: PipelineConfiguration, maximumThreads: Int
  ) throws(ConfigurationError) {
    try Self.check(weights, configuration)
    self.weights = weights
    self.configuration = configuration
    self.maximumThreads = maximumThreads
    fusion = PackedFusionWeights(weights.fusion)
    let channels = configuration.channelCount
    let shape = configuration.neighborShape
    let cells = configuration.grid.cellCounts
    neighbors = configuration.fusion.neighborPointCount == 0 ? nil : weights.neighbors.map {
      NeighborAttention(
        weights: $0, shape: shape, width: cells.x, height: cells.y,
        precision: configuration.fusion.precision, maximumThreads: maximumThreads)
    }
    let heads = configuration.heads
    occupancyHead = PreparedHead(
      "occupancy", heads.occupancyClassCount == 0 ? nil : weights.occupancyHead, weights.experts,
      channels, configuration.fusion.precision, maximumThreads)
    semanticHead = PreparedHead(
      "semantic", heads.semanticClassCount == 0 ? nil : weights.semanticHead, weights.experts,
      channels, configuration.fusion.precision, maximumThreads)
  }

  private static func check(
    _ weights: PipelineWeights, _ configuration: PipelineConfiguration
  ) throws(ConfigurationError) {
    let fusion = weights.fusion
    guard fusion.channels == configuration.channelCount, fusion.modalities >= 3 else {
      throw ConfigurationError(
        field: "weights", expected: "\(configuration.channelCount) channels and 3 to 5 modalities",
        found: "\(fusion.channels) channels and \(fusion.modalities) modalities",
        remedy: "use weights made for this configuration")
    }
    let heads = configuration.heads
    let needed: [(String, Bool, Bool)] = [
      ("fusion.neighbor_points", configuration.fusion.neighborPointCount > 0,
        weights.neighbors != nil),
      ("heads.occupancy_classes", heads.occupancyClassCount > 0, weights.occupancyHead != nil),
      ("heads.semantic_classes", heads.semanticClassCount > 0, weights.semanticHead != nil),
    ]
    for (field, isAsked, isThere) in needed where isAsked && !isThere {
      throw ConfigurationError(
        field: field, expected: "weights for it", found: "none",
        remedy: "give a weights file that has them, or set it to 0")
    }
  }
}

/// A head and those of the experts that have their own.
struct PreparedHead {
  let shared: Linear
  let camera: Linear
  let lidar: Linear
  let radar: Linear
  let prior: Linear

  init?(
    _ name: String, _ head: HeadWeights?, _ experts: [String: HeadWeights], _ channels: Int,
    _ precision: DensePrecision, _ maximumThreads: Int
  ) {
    guard let head else { return nil }
    func linear(_ head: HeadWeights) -> Linear {
      Linear(
        weight: head.weight, bias: head.bias, inputs: channels, outputs: head.bias.count,
        precision: precision, maximumThreads: maximumThreads)
    }
    let shared = linear(head)
    func expert(_ modality: String) -> Linear {
      experts["\(modality).\(name)"].map(linear) ?? shared
    }
    self.shared = shared
    camera = expert("camera")
    lidar = expert("lidar")
    radar = expert("radar")
    prior = expert("map_prior")
  }
}

extension FramePipeline {
  /// Weights for this pipeline, packed; may run on any thread while frames are processed.
  public func prepare(_ weights: PipelineWeights) throws(ConfigurationError) -> PreparedWeights {
    try PreparedWeights(
      weights, configuration: configuration, maximumThreads: pool.threadCount)
  }
}
