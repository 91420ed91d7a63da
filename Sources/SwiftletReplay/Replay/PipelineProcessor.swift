import CCodecs
import Swiftlet

/// The pipeline as the replay drives it: encode (outside the budget), project, update, fuse.
public final class PipelineProcessor: FrameProcessor {
  public let pipeline: FramePipeline
  private let weightsName: String
  private var encoder: BuiltInEncoder?
  private var encoderRig: [SIMD2<Int>] = []
  private var usesBuiltInEncoder = false
  private var cameraNames: [String] = []
  private var lidarNames: [String] = []

  /// - Parameter weightsName: the file's name for the report; nil for the default weights.
  public init(pipeline: FramePipeline, weightsName: String? = nil) {
    self.pipeline = pipeline
    self.weightsName = weightsName ?? "default weights"
  }

  public let stages = [
    ReplayStage(name: "encode", isInBudget: false), ReplayStage(name: "project"),
    ReplayStage(name: "update"), ReplayStage(name: "fuse"),
  ]

  public var processorDescription: ProcessorDescription {
    let engine = pipeline.engine
    let configuration = Array(pipeline.configuration.commentedJSON.utf8)
    return ProcessorDescription(
      engine: engine.name, instructionSet: engine.instructionSetName,
      threadCount: pipeline.pool.threadCount,
      encoder: usesBuiltInEncoder ? "built-in" : "recording", weights: weightsName,
      configurationHash: hash(of: configuration))
  }

  public func run(stage index: Int, on frame: inout SensorFrame) throws {
    switch index {
    case 0: encode(&frame)
    case 1: try pipeline.project(frame)
    case 2: pipeline.update(frame)
    default: pipeline.fuse(frame)
    }
  }

  private func encode(_ frame: inout SensorFrame) {
    let needsEncoder = frame.cameras.contains {
      $0.isValid && ($0.features == nil || $0.depth == nil)
    }
    if needsEncoder {
      makeEncoder(for: frame)
      encoder?.encode(&frame)
      usesBuiltInEncoder = true
    }
    cameraNames = frame.cameras.map(\.name)
    lidarNames = frame.lidars.map(\.name)
  }

  private func makeEncoder(for frame: SensorFrame) {
    let rig = frame.cameras.map { SIMD2($0.networkWidthPixels, $0.networkHeightPixels) }
    guard encoder == nil || rig != encoderRig else { return }
    encoderRig = rig
    encoder = BuiltInEncoder(
      rig: frame, configuration: pipeline.configuration, engine: pipeline.engine,
      pool: pipeline.pool)
  }

  public func reset() { pipeline.reset() }

  @unsafe public func forEachOutput(_ body: (String, UnsafeRawBufferPointer) -> Void) {
    if let camera = pipeline.cameraBEV { unsafe emit("camera_bev", camera, body) }
    unsafe emit("lidar_bev", pipeline.lidarBEV, body)
    unsafe emit("fused_bev", pipeline.fusedBEV, body)
    guard let occupancy = pipeline.occupancy else { return }
    let origin = [occupancy.origin.x, occupancy.origin.y, occupancy.origin.z]
    unsafe origin.withUnsafeBytes { unsafe body("occupancy_origin", $0) }
    let memory = unsafe occupancy.memory
    let count = unsafe occupancy.cellCounts.x * occupancy.cellCounts.y * memory.wordCount * 64
    unsafe body("occupancy", UnsafeRawBufferPointer(start: memory.lines, count: count))
  }

  @unsafe private func emit(
    _ name: String, _ map: BEVResult, _ body: (String, UnsafeRawBufferPointer) -> Void
  ) {
    unsafe body(name, UnsafeRawBufferPointer(map.features.elements))
    unsafe body(name + "_validity", UnsafeRawBufferPointer(map.validity.elements))
  }

  public func takeWarnings() -> [ReplayWarning] {
    pipeline.findings.map { finding in
      let names = finding.kind == .lidarPoseInvalid ? lidarNames : cameraNames
      let sensor = names.indices.contains(finding.sensorIndex) ? names[finding.sensorIndex] : nil
      return ReplayWarning(
        code: finding.kind.rawValue, sensor: sensor, message: finding.message(sensor: sensor))
    }
  }

  private func hash(of bytes: [UInt8]) -> String {
    let value = unsafe bytes.withUnsafeBytes { unsafe XXH3_64bits($0.baseAddress, $0.count) }
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

extension FrameFinding {
  func message(sensor: String?) -> String {
    let name = sensor ?? "a sensor"
    return switch kind {
    case .cameraCalibrationInvalid: "the calibration of \(name) describes no camera; it was masked"
    case .cameraInputInvalid:
      "features or depth of \(name) are missing or have other shapes than the configuration; it was masked"
    case .lidarPoseInvalid: "the pose of \(name) is no rigid transform; it was masked"
    case .pointsNotFinite: "\(count) points with NaN or infinite coordinates were left out"
    }
  }
}
