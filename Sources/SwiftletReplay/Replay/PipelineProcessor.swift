import Swiftlet

/// `FramePipeline` as the replay calls it: the built-in encoder where a recording has no network
/// outputs (outside the budget), then project, update and fuse.
public final class PipelineProcessor: FrameProcessor {
  public let pipeline: FramePipeline
  public let stages = [
    ReplayStage(name: "encode", isInBudget: false), ReplayStage(name: "project"),
    ReplayStage(name: "update"), ReplayStage(name: "fuse"),
  ]
  private let weightsName: String
  private var encoder: BuiltInEncoder?
  /// Camera sizes the encoder was made for.
  private var encoderSizes: [SIMD2<Int>] = []
  private var hasEncoded = false
  private var hasRecordedOutputs = false
  private var rigHash = ""
  private var sensorNames: (cameras: [String], lidars: [String]) = ([], [])

  /// - Parameter weightsName: what the report says, `default weights` or the file and its hash.
  public init(pipeline: FramePipeline, weightsName: String) {
    self.pipeline = pipeline
    self.weightsName = weightsName
  }

  public var processorDescription: ProcessorDescription {
    ProcessorDescription(
      engine: pipeline.engine.name, instructionSet: pipeline.engine.instructionSetName,
      threadCount: pipeline.pool.threadCount, encoder: encoderName, weights: weightsName,
      configurationHash: OutputDigest.hash(Array(pipeline.configuration.commentedJSON.utf8)),
      rigHash: rigHash)
  }

  /// True when every feature so far came from the built-in encoder.
  public var usesBuiltInFeaturesOnly: Bool { hasEncoded && !hasRecordedOutputs }

  private var encoderName: String {
    switch (hasEncoded, hasRecordedOutputs) {
    case (true, true): "recording's network outputs, built-in where they are missing"
    case (true, false): "built-in (luma, chroma, gradient energies; LiDAR depth, flat ground)"
    case (false, true): "recording's network outputs"
    case (false, false): "none"
    }
  }

  public func run(stage index: Int, on frame: inout SensorFrame) throws {
    switch index {
    case 0: try encode(&frame)
    case 1: try pipeline.project(frame)
    case 2: pipeline.update(frame)
    default: pipeline.fuse(frame)
    }
  }

  public func reset() { pipeline.reset() }

  /// What the pipeline's digest covers, in its order.
  @unsafe
  public func forEachOutput(_ body: (String, UnsafeRawBufferPointer) -> Void) {
    unsafe pipeline.forEachOutput { name, bytes in unsafe body("\(name)", bytes) }
  }

  public func takeWarnings() -> [ReplayWarning] {
    pipeline.findings.map { finding in
      let isLidar = finding.kind == .lidarPoseInvalid
      let names = isLidar ? sensorNames.lidars : sensorNames.cameras
      let sensor = names.indices.contains(finding.sensorIndex) ? names[finding.sensorIndex] : nil
      return ReplayWarning(
        code: finding.kind.rawValue, sensor: sensor, message: Self.message(finding))
    }
  }

  private static func message(_ finding: FrameFinding) -> String {
    switch finding.kind {
    case .cameraCalibrationInvalid:
      "the calibration describes no camera; it is masked: calibrate again or leave it out"
    case .cameraInputInvalid:
      "features or depth are missing or of another shape than the configuration; it is masked"
    case .lidarPoseInvalid: "the pose is no rigid transform; the scan is masked"
    case .pointsNotFinite: "\(finding.count) points with NaN or infinity were left out"
    }
  }

  private func encode(_ frame: inout SensorFrame) throws {
    if rigHash.isEmpty {
      rigHash = OutputDigest.hash(rig: frame)
      sensorNames = (frame.cameras.map(\.name), frame.lidars.map(\.name))
    }
    hasRecordedOutputs = hasRecordedOutputs || frame.cameras.contains { $0.features != nil }
    let needsEncoder = frame.cameras.contains {
      $0.isValid && $0.image != nil && ($0.features == nil || $0.depth == nil)
    }
    if needsEncoder {
      encoderFor(frame).encode(&frame)
      hasEncoded = true
    }
    try pipeline.prepare(for: frame)
  }

  /// The encoder for the frame's cameras, made again when a valid camera's size changed.
  private func encoderFor(_ frame: SensorFrame) -> BuiltInEncoder {
    let sizes = frame.cameras.map { SIMD2($0.networkWidthPixels, $0.networkHeightPixels) }
    let fits =
      sizes.count == encoderSizes.count
      && zip(frame.cameras, zip(sizes, encoderSizes)).allSatisfy { camera, pair in
        !camera.isValid || pair.0 == pair.1
      }
    if fits, let encoder { return encoder }
    let made = BuiltInEncoder(
      rig: frame, configuration: pipeline.configuration, engine: pipeline.engine,
      pool: pipeline.pool)
    encoder = made
    encoderSizes = sizes
    return made
  }
}
