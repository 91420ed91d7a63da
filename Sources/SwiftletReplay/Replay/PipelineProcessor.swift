import Swiftlet

/// `FramePipeline` as the replay calls it: the built-in encoder where a recording has no network
/// outputs (outside the budget), then project, update and fuse.
public final class PipelineProcessor: FrameProcessor {
  public let pipeline: FramePipeline
  public let stages = [
    ReplayStage(name: "encode", isInBudget: false), ReplayStage(name: "project"),
    ReplayStage(name: "update"), ReplayStage(name: "fuse"),
  ]
  /// A time bound for the update, or the repetition of one; nil carves everything.
  public var carvingBound: CarvingBound? {
    didSet { carvingBound?.attach(to: pipeline) }
  }
  private let weightsName: String
  private let swap: WeightsSwap?
  /// Frames projected since the last reset.
  private var frameCount = 0
  /// What the pipeline ran with before the swap; nil before it.
  private var replaced: PreparedWeights?
  private var adoptionNanoseconds: Int64?
  private var encoder: BuiltInEncoder?
  /// Camera sizes the encoder was made for.
  private var encoderSizes: [SIMD2<Int>] = []
  private var hasEncoded = false
  private var hasRecordedOutputs = false
  private var rigHash = ""
  private var sensorNames: (cameras: [String], lidars: [String], maps: [String]) = ([], [], [])

  /// - Parameters:
  ///   - weightsName: what the report says, `default weights` or the file and its hash.
  ///   - swap: weights that take over before a frame, again after every `reset`.
  public init(pipeline: FramePipeline, weightsName: String, swap: WeightsSwap? = nil) {
    self.pipeline = pipeline
    self.weightsName = weightsName
    self.swap = swap
  }

  public var processorDescription: ProcessorDescription {
    ProcessorDescription(
      engine: pipeline.engine.name, instructionSet: pipeline.engine.instructionSetName,
      threadCount: pipeline.pool.threadCount, encoder: encoderName, weights: weightsText,
      configurationHash: OutputDigest.hash(Array(pipeline.configuration.commentedJSON.utf8)),
      rigHash: rigHash)
  }

  /// True when every feature so far came from the built-in encoder.
  public var usesBuiltInFeaturesOnly: Bool { hasEncoded && !hasRecordedOutputs }

  private var weightsText: String {
    swap.map { "\(weightsName), from frame \($0.request.frame) on \($0.name)" } ?? weightsName
  }

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
    case 1:
      adoptWeights()
      try pipeline.project(frame)
    case 2:
      if let carvingBound {
        carvingBound.update(pipeline, frame)
      } else {
        pipeline.update(frame)
      }
    default: pipeline.fuse(frame)
    }
  }

  public func reset() {
    if let replaced { pipeline.adopt(replaced) }
    replaced = nil
    frameCount = 0
    carvingBound?.reset()
    pipeline.reset()
  }

  /// In the timed part of a frame: what it costs and allocates is the frame's.
  private func adoptWeights() {
    defer { frameCount += 1 }
    guard let swap, frameCount == swap.request.frame, let next = swap.take() else { return }
    let start = MonotonicClock().nowNanoseconds
    replaced = pipeline.adopt(next)
    adoptionNanoseconds = MonotonicClock().nowNanoseconds - start
  }

  /// What the pipeline's digest covers, in its order.
  @unsafe
  public func forEachOutput(_ body: (String, UnsafeRawBufferPointer) -> Void) {
    unsafe pipeline.forEachOutput { name, bytes in unsafe body("\(name)", bytes) }
  }

  public func takeWarnings() -> [ReplayWarning] {
    swapNote() + pipeline.findings.map { finding in
      let isLidar = finding.kind == .lidarPoseInvalid
      let isMap = finding.kind == .bevMapInvalid || finding.kind == .bevMapNotFinite
      let names =
        isLidar ? sensorNames.lidars : isMap ? sensorNames.maps : sensorNames.cameras
      let sensor = names.indices.contains(finding.sensorIndex) ? names[finding.sensorIndex] : nil
      return ReplayWarning(
        code: finding.kind.rawValue, sensor: sensor, message: Self.message(finding))
    }
  }

  /// Told once, after the frame in which the weights were adopted.
  private func swapNote() -> [ReplayWarning] {
    guard let swap, let nanoseconds = adoptionNanoseconds else { return [] }
    adoptionNanoseconds = nil
    let prepared = String(format: "%.1f", swap.preparationMilliseconds)
    let adopted = String(format: "%.1f", Double(nanoseconds) / 1e3)
    return [
      ReplayWarning(
        code: "weights-swapped",
        message: "\(swap.name): read and packed in \(prepared) ms on another thread, adopted in "
          + "\(adopted) µs")
    ]
  }

  private static func message(_ finding: FrameFinding) -> String {
    switch finding.kind {
    case .cameraCalibrationInvalid:
      "the calibration describes no camera; it is masked: calibrate again or leave it out"
    case .cameraInputInvalid:
      "features or depth are missing or of another shape than the configuration; it is masked"
    case .cameraFeaturesNotFinite:
      "\(finding.count) features or depths are NaN or infinite (not_finite_features says what becomes of the camera)"
    case .bevMapInvalid:
      "the map is misshapen, has no rigid pose, or the weights have no embedding for it; it is masked"
    case .bevMapNotFinite: "\(finding.count) values of the map are NaN or infinite"
    case .lidarPoseInvalid: "the pose is no rigid transform; the scan is masked"
    case .pointsNotFinite: "\(finding.count) points with NaN or infinity were left out"
    }
  }

  private func encode(_ frame: inout SensorFrame) throws {
    if rigHash.isEmpty {
      rigHash = OutputDigest.hash(rig: frame)
      sensorNames.cameras = frame.cameras.map(\.name)
      sensorNames.lidars = frame.lidars.map(\.name)
    }
    sensorNames.maps = frame.bevMaps.map(\.name)
    if let swap, frameCount == swap.request.frame { swap.wait() }
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
