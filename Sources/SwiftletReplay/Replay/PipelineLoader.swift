import Foundation
import Swiftlet

/// Builds what a replay runs from what a user names.
public struct PipelineLoader: Sendable {
  public var configuration: PipelineConfiguration
  /// A `.safetensors` file; nil takes the default weights.
  public var weightsPath: String?
  /// Weights that take over before a frame; nil for none.
  public var swap: WeightsSwap.Request?
  public var engine: Engine
  public var threadCount: Int
  /// The CPU of each part of the pool; empty pins nothing.
  public var cpus: [Int]

  public init(
    configuration: PipelineConfiguration, weightsPath: String? = nil,
    swap: WeightsSwap.Request? = nil, engine: Engine, threadCount: Int, cpus: [Int] = []
  ) {
    self.cpus = cpus
    self.configuration = configuration
    self.weightsPath = weightsPath
    self.swap = swap
    self.engine = engine
    self.threadCount = threadCount
  }

  /// - Throws: `ConfigurationError`, or `WeightsError` for a file that does not fit.
  public func makeProcessor() throws -> PipelineProcessor {
    let (weights, name) = try loadWeights()
    let pipeline = try FramePipeline(
      configuration: configuration, weights: weights, engine: engine,
      pool: WorkerPool(threadCount: threadCount, cpus: cpus))
    return PipelineProcessor(
      pipeline: pipeline, weightsName: name,
      swap: try swap.map { try WeightsSwap($0, pipeline: pipeline) })
  }

  private func loadWeights() throws -> (PipelineWeights, String) {
    guard let weightsPath else {
      let fusion = FusionWeights.default(
        channels: configuration.channelCount, heads: configuration.fusion.headCount,
        modalities: ModalityFusion.maximumModalities)
      return (PipelineWeights(fusion: fusion), "default weights")
    }
    let (weights, hash) = try Self.read(weightsPath, configuration)
    return (weights, "\(weightsPath) (\(hash))")
  }

  /// The weights of a file and its hash.
  static func read(
    _ path: String, _ configuration: PipelineConfiguration
  ) throws -> (weights: PipelineWeights, hash: String) {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw WeightsError(
        tensor: "file", expected: "a readable .safetensors file", found: path,
        remedy: "check the path")
    }
    let bytes = Array(data)
    let weights = try PipelineWeights(try SafeTensors(bytes: bytes), configuration: configuration)
    return (weights, OutputDigest.hash(bytes))
  }

  /// How the configuration asks recordings to be opened.
  public var recordingOptions: RecordingOptions {
    var options = RecordingOptions(
      triggerSensor: configuration.trigger,
      association: SampleAssociation(rawValue: configuration.association.rawValue) ?? .nearest,
      maximumAge: .nanoseconds(Int64(configuration.maximumAgeMilliseconds * 1e6)),
      maximumEgoSpeedMetersPerSecond: configuration.maximumEgoSpeedMetersPerSecond)
    // The default box is a passenger car's; layouts know their own cars better.
    if configuration.egoBox != PipelineConfiguration().egoBox {
      options.egoBodyBox = EgoBodyBox(
        minimum: configuration.egoBox.lowerMeters, maximum: configuration.egoBox.upperMeters)
    }
    return options
  }
}
