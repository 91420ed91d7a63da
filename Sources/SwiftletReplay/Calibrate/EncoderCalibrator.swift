import Foundation
import Swiftlet

/// What a calibration run found.
public struct CalibrationResult: Sendable, Equatable, Encodable {
  public var schemaVersion = ScalesFile.version
  public var recording: String
  /// Which weights the layers had, and the hash of their file; nil for random ones.
  public var weights: String
  public var weightsHash: String?
  /// Frames whose inputs made the scales, and later frames that were compared.
  public var calibratedFrames: Int
  public var comparedFrames: Int
  /// Scale of every dense layer's input.
  public var scales: [String: Float]
  /// Precision to relative L2 error of the encoder's output against fp32 over the compared frames.
  public var relativeError: [String: Double]

  enum CodingKeys: String, CodingKey {
    case recording, weights, scales
    case schemaVersion = "schema_version"
    case weightsHash = "weights_hash"
    case calibratedFrames = "calibrated_frames"
    case comparedFrames = "compared_frames"
    case relativeError = "relative_l2_error_against_fp32"
  }
}

/// Runs a BEVFormer-style encoder over a recording's features in fp32, keeps the largest magnitude of
/// every dense layer's input, and says what bf16 and int8 with those scales do on the frames that follow.
public struct EncoderCalibrator {
  public var configuration: PipelineConfiguration
  public var engine: Engine
  public var threadCount: Int
  /// At most so many frames of each kind.
  public var frameCount = 8
  public var cells = 50
  public var heads = 8
  /// A BEVFormer or UniAD encoder under public names or ours, and what the report calls it; nil takes
  /// three layers of seeded random weights.
  public var weights: (file: SafeTensors, name: String, hash: String)?
  /// Scales that are compared as they are, on every frame; nil measures them on the first half.
  public var scales: [String: Float]?
  /// The share of fp32's result that int8 may differ by.
  public static let int8Bound = 0.01

  public init(configuration: PipelineConfiguration, engine: Engine, threadCount: Int) {
    self.configuration = configuration
    self.engine = engine
    self.threadCount = threadCount
  }

  /// - Throws: `InputError` when no frame has features of one size.
  public func calibrate(_ source: any FrameSource) throws -> CalibrationResult {
    let processor = try PipelineLoader(
      configuration: configuration, engine: engine, threadCount: threadCount
    ).makeProcessor()
    let run = CalibrationRun(self, pool: WorkerPool(threadCount: threadCount))
    let limit = min(source.frameCount, 2 * frameCount)
    let observed = scales == nil ? max(1, limit / 2) : 0
    for index in 0..<limit {
      let held = try source.frame(at: index)
      var frame = held.sensorFrame
      try processor.run(stage: 0, on: &frame)
      try run.take(frame, isObserved: index < observed)
      withExtendedLifetime(held) {}
      if index == observed - 1 { try run.fixScales() }
    }
    return try run.result(recording: source.name)
  }

  /// 50 × 50 cells over the configuration's grid.
  var grid: BEVGrid {
    let g = configuration.grid
    let step = (g.upperMeters - g.lowerMeters) / Double(cells)
    return BEVGrid(
      lowerMeters: SIMD3(g.lowerMeters.x, g.lowerMeters.y, -1),
      stepMeters: SIMD3(step.x, step.y, 4), sizeX: cells, sizeY: cells, sizeZ: 1)
  }
}

/// One encoder per precision over the same frames.
private final class CalibrationRun {
  private let settings: EncoderCalibrator
  private let pool: WorkerPool
  private var cameras: EncoderCameras?
  private var encoders: [(precision: DensePrecision, encoder: BEVFormerEncoder)] = []
  private var previous: [AlignedBuffer<Float>] = []
  private var outputs: [AlignedBuffer<Float>] = []
  private var query = AlignedBuffer<Float>(count: 0)
  private var position = AlignedBuffer<Float>(count: 0)
  private var difference: [Double] = []
  private var magnitude = 0.0
  private var counts = (observed: 0, compared: 0)

  init(_ settings: EncoderCalibrator, pool: WorkerPool) {
    self.settings = settings
    self.pool = pool
  }

  private func prepare(_ frame: SensorFrame) throws {
    guard cameras == nil else { return }
    let cameras = try EncoderCameras(
      frame, grid: settings.grid, heightsMeters: [-0.5, 0.5, 1.5, 2.5])
    self.cameras = cameras
    var numbers = SeededNumbers(seed: 51)
    let (layers, points, selfPoints) = try makeLayers(cameras, &numbers)
    for precision in [DensePrecision.fp32, .bf16, .int8] {
      let encoder = BEVFormerEncoder(
        layers: layers,
        crossShape: cameras.crossShape(heads: settings.heads, points: points),
        selfPoints: selfPoints, width: settings.cells, height: settings.cells, engine: settings.engine,
        precision: precision, maximumThreads: pool.threadCount)
      encoders.append((precision, encoder))
    }
    let count = settings.cells * settings.cells * cameras.channels
    previous = encoders.map { _ in AlignedBuffer(count: count) }
    outputs = encoders.map { _ in AlignedBuffer(count: count) }
    query = AlignedBuffer(numbers.floats(count, in: -1.5...1.5))
    position = AlignedBuffer(numbers.floats(count, in: -1...1))
    difference = encoders.map { _ in 0 }
    if let scales = settings.scales { return try setScales(scales) }
    encoders[0].encoder.observeInputs(true)
  }

  /// The file's layers, or random ones for the features' channels; points of the spatial and of the
  /// temporal attention.
  private func makeLayers(
    _ cameras: EncoderCameras, _ numbers: inout SeededNumbers
  ) throws -> ([BEVFormerLayerWeights], Int, Int) {
    guard let file = settings.weights?.file else {
      var layers: [BEVFormerLayerWeights] = []
      for _ in 0..<3 {
        layers.append(
          EncoderScene.layer(&numbers, channels: cameras.channels, heads: settings.heads))
      }
      return (layers, 8, 4)
    }
    let sizes = try EncoderWeightsShape(file)
    let heads = settings.heads
    guard sizes.channels == cameras.channels, sizes.temporalInputs == 2 * sizes.channels,
      sizes.spatialSamples % heads == 0, sizes.temporalSamples % (2 * heads) == 0
    else {
      throw InputError(
        input: "weights",
        expected: "a BEVFormer encoder of \(cameras.channels) channels and \(heads) heads, one level",
        found: "\(sizes.channels) channels, \(sizes.spatialSamples) spatial and \(sizes.temporalSamples) temporal samples from \(sizes.temporalInputs) inputs",
        remedy: "give features of the encoder's channels and its number of heads")
    }
    let (points, selfPoints) = (sizes.spatialSamples / heads, sizes.temporalSamples / (2 * heads))
    let temporal = TemporalSelfAttention.shape(
      channels: sizes.channels, heads: heads, points: selfPoints, width: settings.cells,
      height: settings.cells)
    let spatial = cameras.crossShape(heads: heads, points: points)
    var layers: [BEVFormerLayerWeights] = []
    for layer in 0..<sizes.layers {
      layers.append(
        try BEVFormerLayerWeights(
          file, layer: layer, temporal: temporal, spatial: spatial, hidden: sizes.hidden))
    }
    return (layers, points, selfPoints)
  }

  /// One frame: observed by the fp32 encoder alone, or encoded by all and compared.
  func take(_ frame: SensorFrame, isObserved: Bool) throws {
    try prepare(frame)
    guard let cameras else { return }
    try cameras.take(frame, engine: settings.engine, pool: pool)
    let hasHistory = counts.observed + counts.compared > 0 && !frame.resetsHistory
    for (index, (_, encoder)) in encoders.enumerated() where index == 0 || !isObserved {
      encoder.apply(
        query: query, position: position, previous: hasHistory ? previous[index] : nil,
        features: cameras.features, references: cameras.references, into: outputs[index],
        pool: pool)
    }
    if isObserved {
      counts.observed += 1
    } else {
      counts.compared += 1
      compare()
    }
    for index in encoders.indices {
      let from = isObserved ? outputs[0] : outputs[index]
      for place in 0..<from.count { previous[index][place] = from[place] }
    }
  }

  private func compare() {
    for place in 0..<outputs[0].count {
      let exact = Double(outputs[0][place])
      magnitude += exact * exact
      for index in outputs.indices {
        let d = Double(outputs[index][place]) - exact
        difference[index] += d * d
      }
    }
  }

  /// From here on int8 uses what was observed.
  func fixScales() throws {
    guard let exact = encoders.first?.encoder else { return }
    exact.observeInputs(false)
    try setScales(exact.observedScales)
  }
  private func setScales(_ scales: [String: Float]) throws {
    for (_, encoder) in encoders { try encoder.setInputScales(scales) }
  }

  func result(recording: String) throws -> CalibrationResult {
    guard let exact = encoders.first?.encoder else {
      throw InputError(
        input: "recording", expected: "at least one frame", found: "none",
        remedy: "give a recording with frames")
    }
    var errors: [String: Double] = [:]
    for (index, (precision, _)) in encoders.enumerated() where index > 0 && magnitude > 0 {
      errors[precision.rawValue] = (difference[index] / magnitude).squareRoot()
    }
    return CalibrationResult(
      recording: recording, weights: settings.weights?.name ?? "seeded random weights",
      weightsHash: settings.weights?.hash, calibratedFrames: counts.observed,
      comparedFrames: counts.compared, scales: settings.scales ?? exact.observedScales,
      relativeError: errors)
  }
}
