import Foundation
import Swiftlet

/// Early, middle and late fusion of one drive, compared: the same frames, the same encoder, a linear
/// head each, fitted in closed form on the first half of the frames and scored on the second.
///
/// The question each head answers: does the 0.4 m column of a cell hold an obstacle between 0.2 and
/// 2.6 m above the ground, by the drive's ground truth; cells that the truth does not know are left
/// out.
public final class FusionStudy {
  /// What a row of the table runs.
  public enum Arrangement: String, Sendable, CaseIterable {
    case camera, lidar, early, middle, late

    var mode: PipelineConfiguration.FusionMode {
      switch self {
      case .early: .early
      case .late: .late
      case .camera, .lidar, .middle: .middle
      }
    }
  }

  /// Which sensors the scored frames lack.
  public enum Loss: String, Sendable, CaseIterable {
    case nothing, cameras, lidar
  }

  public struct Row: Sendable {
    public var arrangement: Arrangement
    /// IoU of obstacles in the scored frames, threshold from the fitting frames; by what was lost
    /// there. nil where an arrangement has nothing left or the drive has no truth.
    public var overlap: [Loss: Double] = [:]
    public var averagePrecision: Double?
    public var fuseMilliseconds: Double
    /// Share of the cells that are valid, mean over the scored frames.
    public var validShare: Double
  }

  private let recording: any Recording
  private let truth: GroundTruthStore?
  private let base: PipelineConfiguration
  private let engine: Engine
  private let threadCount: Int
  private let frameCount: Int
  private var heads: [Arrangement: HeadWeights] = [:]
  private var occupancyHead: HeadWeights?
  /// Semantic maps of the last scored frame, and the truth's.
  public private(set) var pictures: [(name: String, image: RGBImage)] = []

  public init(
    recording: any Recording, truth: GroundTruthStore?, configuration: PipelineConfiguration,
    engine: Engine, threadCount: Int, frameLimit: Int?
  ) {
    self.recording = recording
    self.truth = truth
    self.engine = engine
    self.threadCount = threadCount
    frameCount = min(recording.frameCount, frameLimit ?? .max)
    var base = configuration
    base.heads.semanticClassCount = 0
    base.heads.occupancyClassCount = 0
    if truth != nil {
      // The truth's own cells: Occ3D's.
      base.grid.lowerMeters = SIMD3(-40, -40, -10)
      base.grid.upperMeters = SIMD3(40, 40, 10)
      base.grid.stepMeters = SIMD3(0.4, 0.4, 20)
    }
    self.base = base
  }

  private var fittingFrames: Range<Int> { 0..<frameCount / 2 }
  private var scoredFrames: Range<Int> { frameCount / 2..<frameCount }

  public func run() throws -> [Row] {
    guard frameCount >= 4 else {
      throw RecordingError(
        file: recording.path, expected: "4 frames or more", found: "\(frameCount)",
        remedy: "give a longer recording")
    }
    if truth != nil {
      for arrangement in Arrangement.allCases where arrangement != .late { try fit(arrangement) }
      heads[.late] = heads[.middle]
    }
    return try Arrangement.allCases.map(row)
  }

  // MARK: fitting

  private func fit(_ arrangement: Arrangement) throws {
    let processor = try makeProcessor(arrangement, withHeads: false)
    var (rows, labels, voxels): ([Float], [UInt8], [UInt8]) = ([], [], [])
    let channels = base.channelCount
    try forEachFrame(fittingFrames, processor, arrangement, .nothing) { frame, truth in
      guard let truth else { return }
      let map = processor.pipeline.fusedBEV
      for cell in stride(from: frame % 5, to: map.columns * map.rows, by: 5)
      where map.validity[cell] != 0 {
        labels.append(Self.label(truth, cell, columns: map.columns))
        for channel in 0..<channels { rows.append(map.features[cell * channels + channel]) }
        if arrangement == .middle {
          voxels += Self.voxelLabels(truth, cell, columns: map.columns)
        }
      }
    }
    guard let probe = LinearProbe(rows: rows, width: channels, labels: labels) else { return }
    heads[arrangement] = Self.head([probe], channels)
    guard arrangement == .middle else { return }
    let heights = Int(GroundTruthFrame.egoCounts.z)
    occupancyHead = Self.head(
      (0..<heights).map { height in
        LinearProbe(
          rows: rows, width: channels,
          labels: labels.indices.map { voxels[$0 * heights + height] })
      }, channels)
  }

  /// Two classes a probe: the probe's logit, and 0 for free. A height without a probe is free.
  private static func head(_ probes: [LinearProbe?], _ channels: Int) -> HeadWeights {
    var head = HeadWeights(weight: [], bias: [])
    for probe in probes {
      head.weight += probe?.weight.map { Float($0) } ?? [Float](repeating: 0, count: channels)
      head.weight += [Float](repeating: 0, count: channels)
      head.bias += [Float(probe?.bias ?? -10), 0]
    }
    return head
  }

  /// 0 obstacle, 1 free, 255 not known.
  private static func label(_ truth: GroundTruthFrame, _ cell: Int, columns: Int) -> UInt8 {
    var isFree = false
    for z in 3...8 {
      switch truth.egoState(x: cell % columns, y: cell / columns, z: z) {
      case .occupied: return 0
      case .free: isFree = true
      case .touched: return 255
      case .unseen: break
      }
    }
    return isFree ? 1 : 255
  }

  private static func voxelLabels(
    _ truth: GroundTruthFrame, _ cell: Int, columns: Int
  ) -> [UInt8] {
    (0..<Int(GroundTruthFrame.egoCounts.z)).map { z in
      switch truth.egoState(x: cell % columns, y: cell / columns, z: z) {
      case .occupied: 0
      case .free: 1
      case .touched, .unseen: 255
      }
    }
  }

  // MARK: scoring

  private func row(_ arrangement: Arrangement) throws -> Row {
    var row = Row(arrangement: arrangement, fuseMilliseconds: 0, validShare: 0)
    let losses: [Loss] =
      truth == nil || arrangement == .camera || arrangement == .lidar
      ? [.nothing] : Loss.allCases
    for loss in losses {
      let processor = try makeProcessor(arrangement, withHeads: truth != nil)
      var (fitted, scored) = (ScoredCells(), ScoredCells())
      var (nanoseconds, valid, count) = (Int64(0), 0, 0)
      try forEachFrame(0..<frameCount, processor, arrangement, loss) { frame, truth in
        if let truth { self.collect(processor, truth, frame, &fitted, &scored) }
        guard scoredFrames.contains(frame) else { return }
        nanoseconds += self.lastFuseNanoseconds
        valid += processor.pipeline.fusedBEV.validity.array.count { $0 != 0 }
        count += 1
        if loss == .nothing, frame == self.frameCount - 1 {
          self.draw(arrangement, processor, truth)
        }
      }
      let threshold = fitted.bestThreshold()
      row.overlap[loss] = scored.overlap(at: threshold)
      guard loss == .nothing else { continue }
      row.averagePrecision = scored.averagePrecision
      row.fuseMilliseconds = Double(nanoseconds) / Double(max(count, 1)) / 1e6
      row.validShare =
        Double(valid) / Double(max(count * base.grid.cellCounts.x * base.grid.cellCounts.y, 1))
      if arrangement == .middle { middleThreshold = threshold }
    }
    return row
  }

  private var middleThreshold: Float = 0
  private var lastFuseNanoseconds: Int64 = 0

  private func collect(
    _ processor: PipelineProcessor, _ truth: GroundTruthFrame, _ frame: Int,
    _ fitted: inout ScoredCells, _ scored: inout ScoredCells
  ) {
    guard let head = processor.pipeline.semanticMap else { return }
    let map = processor.pipeline.fusedBEV
    for cell in 0..<map.columns * map.rows {
      let label = Self.label(truth, cell, columns: map.columns)
      guard label < 2 else { continue }
      let score =
        map.validity[cell] == 0
        ? -Float.infinity : head.logits[2 * cell] - head.logits[2 * cell + 1]
      if fittingFrames.contains(frame) {
        fitted.scores.append(score)
        fitted.labels.append(label)
      } else {
        scored.scores.append(score)
        scored.labels.append(label)
      }
    }
  }

  // MARK: frames

  private func makeProcessor(
    _ arrangement: Arrangement, withHeads: Bool
  ) throws -> PipelineProcessor {
    var configuration = base
    configuration.fusion.mode = arrangement.mode
    if withHeads || arrangement == .late { configuration.heads.semanticClassCount = 2 }
    let empty = HeadWeights(
      weight: [Float](repeating: 0, count: 2 * base.channelCount), bias: [0, 0])
    var experts: [String: HeadWeights] = [:]
    experts["camera.semantic"] = heads[.camera]
    experts["lidar.semantic"] = heads[.lidar]
    let weights = PipelineWeights(
      fusion: .default(
        channels: base.channelCount, heads: base.fusion.headCount,
        modalities: ModalityFusion.maximumModalities),
      semanticHead: heads[arrangement] ?? empty, experts: experts)
    let pipeline = try FramePipeline(
      configuration: configuration, weights: weights, engine: engine,
      pool: WorkerPool(threadCount: threadCount))
    return PipelineProcessor(pipeline: pipeline, weightsName: "fitted")
  }

  private func forEachFrame(
    _ range: Range<Int>, _ processor: PipelineProcessor, _ arrangement: Arrangement, _ loss: Loss,
    _ body: (Int, GroundTruthFrame?) throws -> Void
  ) throws {
    let clock = MonotonicClock()
    for index in range {
      let recorded = try recording.loadFrame(index)
      try recorded.withSensorFrame { sensorFrame in
        var frame = sensorFrame
        let lost = scoredFrames.contains(index) ? loss : .nothing
        if arrangement == .lidar || lost == .cameras {
          for camera in frame.cameras.indices { frame.cameras[camera].isValid = false }
        }
        if arrangement == .camera || lost == .lidar {
          for lidar in frame.lidars.indices { frame.lidars[lidar].isValid = false }
        }
        for stage in 0..<processor.stages.count {
          let start = clock.nowNanoseconds
          try processor.run(stage: stage, on: &frame)
          lastFuseNanoseconds = clock.nowNanoseconds - start
        }
      }
      try body(
        index, try truth?.frame(atMicroseconds: recorded.sensorFrame.timestampNanoseconds / 1000))
    }
  }

  // MARK: results

  private func draw(
    _ arrangement: Arrangement, _ processor: PipelineProcessor, _ truth: GroundTruthFrame?
  ) {
    let pipeline = processor.pipeline
    func picture(_ labels: [UInt8], _ title: String) -> RGBImage {
      ClassPicture(
        labels: labels, cellCountX: pipeline.grid.sizeX, cellCountY: pipeline.grid.sizeY,
        lowerBoundsMeters: SIMD2(
          Float(pipeline.grid.lowerMeters.x), Float(pipeline.grid.lowerMeters.y)),
        cellSizeMeters: SIMD2(
          Float(pipeline.grid.stepMeters.x), Float(pipeline.grid.stepMeters.y)), title: title
      ).draw(classCount: 2)
    }
    if let head = pipeline.semanticMap {
      pictures.append((arrangement.rawValue, picture(head.topLabels(), "obstacles, \(arrangement.rawValue)")))
    }
    guard let truth, arrangement == .camera else { return }
    let labels = (0..<pipeline.grid.sizeX * pipeline.grid.sizeY).map {
      Self.label(truth, $0, columns: pipeline.grid.sizeX)
    }
    pictures.append(("truth", picture(labels, "obstacles, truth")))
  }

  /// The fitted heads as a weights file for `fusion.mode` middle or late, with the configuration it
  /// is for; nil before `run` and without a ground truth.
  public func fittedWeights() -> (file: SafeTensors, configuration: PipelineConfiguration)? {
    guard var semantic = heads[.middle], let occupancyHead else { return nil }
    var configuration = base
    configuration.heads.semanticClassCount = 2
    configuration.heads.occupancyClassCount = 2
    configuration.heads.occupancyHeightCount = Int(GroundTruthFrame.egoCounts.z)
    // The label is the larger logit: the threshold goes into the bias.
    if middleThreshold.isFinite { semantic.bias[0] -= middleThreshold }
    var experts: [String: HeadWeights] = [:]
    experts["camera.semantic"] = heads[.camera]
    experts["lidar.semantic"] = heads[.lidar]
    let weights = PipelineWeights(
      fusion: .default(
        channels: base.channelCount, heads: base.fusion.headCount,
        modalities: ModalityFusion.maximumModalities),
      occupancyHead: occupancyHead, semanticHead: semantic, experts: experts)
    return (weights.file(configuration: configuration), configuration)
  }

  /// The table that `swiftlet fusion` prints.
  public static func table(_ rows: [Row]) -> String {
    func text(_ value: Double?, _ format: String) -> String {
      value.map { String(format: format, $0) } ?? "–"
    }
    let header = [
      "fusion", "IoU", "no cameras", "no LiDAR", "AP", "valid cells", "fuse ms",
    ]
    let lines = rows.map { row in
      [
        row.arrangement.rawValue, text(row.overlap[.nothing], "%.3f"),
        text(row.overlap[.cameras], "%.3f"), text(row.overlap[.lidar], "%.3f"),
        text(row.averagePrecision, "%.3f"), text(row.validShare * 100, "%.1f %%"),
        text(row.fuseMilliseconds, "%.2f"),
      ]
    }
    return ColumnLayout.lines([header] + lines).joined(separator: "\n")
  }

  public static func json(_ rows: [Row]) -> JSONValue {
    func number(_ value: Double?) -> JSONValue { value.map(JSONValue.number) ?? .null }
    return .object([
      "schema_version": .integer(1),
      "rows": .array(
        rows.map { row in
          .object([
            "fusion": .string(row.arrangement.rawValue),
            "iou": number(row.overlap[.nothing]),
            "iou_without_cameras": number(row.overlap[.cameras]),
            "iou_without_lidar": number(row.overlap[.lidar]),
            "average_precision": number(row.averagePrecision),
            "valid_share": number(row.validShare), "fuse_ms": number(row.fuseMilliseconds),
          ])
        }),
    ])
  }
}
