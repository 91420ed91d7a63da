import Swiftlet

/// Maps that a test hands in beside a drive's sensors, and their memory.
final class MadeMap {
  let features: AlignedBuffer<Float>
  let validity: AlignedBuffer<UInt8>
  let size: (Int, Int)
  let channels: Int

  init(_ configuration: PipelineConfiguration, value: Float, valid: (Int) -> Bool = { _ in true }) {
    let cells = configuration.grid.cellCounts
    size = (cells.y, cells.x)
    channels = configuration.channelCount
    features = AlignedBuffer(count: cells.x * cells.y * channels)
    features.fill(value)
    validity = AlignedBuffer((0..<cells.x * cells.y).map { valid($0) ? 1 : 0 })
  }

  func input(
    _ kind: BEVMapInput.Kind, _ pose: RigidTransform, age: Int64 = 0
  ) -> BEVMapInput {
    unsafe BEVMapInput(
      kind: kind, name: "\(kind)", ageNanoseconds: age,
      features: TensorView(
        base: features.pointer, elementType: .float32, shape: (size.0, size.1, channels)),
      validity: TensorView(
        base: validity.pointer, elementType: .uint8, shape: (1, size.0, size.1)),
      worldFromEgo: pose)
  }
}

/// What the suites over the fusion stage share: a small drive without occupancy.
protocol FusionStageSuite {}

extension FusionStageSuite {
  func configuration(
    _ change: (inout PipelineConfiguration) -> Void = { _ in }
  ) -> PipelineConfiguration {
    var configuration = TestDrive.configuration
    configuration.occupancy.enabled = false
    change(&configuration)
    return configuration
  }

  func pipeline(
    _ engine: Engine = .best, threads: Int = 1, weights: PipelineWeights? = nil,
    _ change: (inout PipelineConfiguration) -> Void = { _ in }
  ) throws -> FramePipeline {
    let configuration = configuration(change)
    guard let weights else {
      return try FramePipeline(
        configuration: configuration, engine: engine, pool: WorkerPool(threadCount: threads))
    }
    return try FramePipeline(
      configuration: configuration, weights: weights, engine: engine,
      pool: WorkerPool(threadCount: threads))
  }

  func withoutSensors(_ frame: SensorFrame) -> SensorFrame {
    var frame = frame
    for index in frame.cameras.indices { frame.cameras[index].isValid = false }
    frame.lidars[0].isValid = false
    return frame
  }
}
