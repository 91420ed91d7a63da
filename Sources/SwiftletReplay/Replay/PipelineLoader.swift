import Foundation
import Swiftlet

/// Builds what a replay runs from what a user names.
public struct PipelineLoader: Sendable {
  public var configuration: PipelineConfiguration
  /// A `.safetensors` file; nil takes the default weights.
  public var weightsPath: String?
  public var engine: Engine
  public var threadCount: Int
  /// The CPU of each part of the pool; empty pins nothing.
  public var cpus: [Int]

  public init(
    configuration: PipelineConfiguration, weightsPath: String? = nil, engine: Engine,
    threadCount: Int, cpus: [Int] = []
  ) {
    self.cpus = cpus
    self.configuration = configuration
    self.weightsPath = weightsPath
    self.engine = engine
    self.threadCount = threadCount
  }

  /// - Throws: `ConfigurationError`, or `WeightsError` for a file that does not fit.
  public func makeProcessor() throws -> PipelineProcessor {
    let (weights, name) = try loadWeights()
    let pipeline = try FramePipeline(
      configuration: configuration, weights: weights, engine: engine,
      pool: WorkerPool(threadCount: threadCount, cpus: cpus))
    return PipelineProcessor(pipeline: pipeline, weightsName: name)
  }

  private func loadWeights() throws -> (FusionWeights?, String) {
    guard let weightsPath else { return (nil, "default weights") }
    guard let data = FileManager.default.contents(atPath: weightsPath) else {
      throw WeightsError(
        tensor: "file", expected: "a readable .safetensors file", found: weightsPath,
        remedy: "check the path")
    }
    let bytes = Array(data)
    let weights = try FusionWeights(
      try SafeTensors(bytes: bytes), channels: configuration.channelCount,
      heads: configuration.fusion.headCount)
    return (weights, "\(weightsPath) (\(OutputDigest.hash(bytes)))")
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
