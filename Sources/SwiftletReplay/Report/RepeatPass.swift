import Foundation
import Swiftlet

/// Runs the first pass of a replay again to draw and write what it computed, so that neither disturbs
/// what is timed; the outputs must come out the same again. The first, the last and the three
/// worst frames are drawn; where the recording has a ground truth the voxel map is scored against it after every
/// frame.
public struct RepeatPass {
  private let source: any FrameSource
  private let processor: PipelineProcessor
  /// Where pictures go; nil draws none.
  public var pictureFolder: URL?
  public var groundTruth: GroundTruthStore?
  /// What Foxglove and Rerun draw; nil writes none.
  public var resultFile: ResultFile?
  /// Frames whose outputs are kept for `swiftlet compare`; nil keeps none.
  public var outputs: OutputStore?

  public init(source: any FrameSource, processor: PipelineProcessor) {
    self.source = source
    self.processor = processor
  }

  /// Draws and writes; a digest that differs from the measured one becomes a warning and an output
  /// mismatch in `result`.
  public func run(_ result: inout ReplayResult) throws {
    let firstPass = result.records.filter { $0.pass == 0 }
    try resultFile?.describe(result)
    if let last = firstPass.last { try run(firstPass, through: last.recordedIndex, &result) }
    try resultFile?.finish()
  }

  private func run(
    _ firstPass: [FrameRecord], through last: Int, _ result: inout ReplayResult
  ) throws {
    let labels = pictureFolder == nil ? [:] : Self.labels(of: firstPass)
    let kept = outputs?.chosen(from: firstPass.map(\.recordedIndex)) ?? []
    processor.reset()
    var measured = firstPass.makeIterator()
    var next = measured.next()
    for index in 0...last {
      guard let owner = try? source.frame(at: index) else { continue }
      let record = next?.recordedIndex == index ? next : nil
      let processed = process(
        owner.sensorFrame, stageCount: record?.completedStageCount ?? processor.stages.count)
      guard let record else { continue }
      next = measured.next()
      guard let processed else { continue }
      compare(record, &result)
      try score(processed, &result)
      for label in labels[index] ?? [] { try draw(processed, label, record) }
      try resultFile?.add(processed, record, result, processor.pipeline)
      if kept.contains(index) { try outputs?.write(processor.pipeline, record) }
      withExtendedLifetime(owner) {}
    }
  }

  /// Which labels each recorded frame gets.
  static func labels(of records: [FrameRecord]) -> [Int: [String]] {
    guard let first = records.first, let last = records.last else { return [:] }
    let worst = records.sorted { a, b in
      (b.judgedNanoseconds, a.measuredIndex) < (a.judgedNanoseconds, b.measuredIndex)
    }
    var labels: [Int: [String]] = [:]
    for (record, label) in [(first, "first"), (last, "last")]
      + zip(worst, ["worst", "second", "third"])
    {
      labels[record.recordedIndex, default: []].append(label)
    }
    return labels
  }

  /// The frame with what the encoder added; nil when the pipeline refuses it.
  private func process(_ frame: SensorFrame, stageCount: Int) -> SensorFrame? {
    var frame = frame
    do {
      for stage in 0..<stageCount { try processor.run(stage: stage, on: &frame) }
    } catch {
      return nil
    }
    return frame
  }

  private func compare(_ record: FrameRecord, _ result: inout ReplayResult) {
    let digest = OutputDigest()
    unsafe processor.forEachOutput { name, bytes in unsafe digest.add(name: name, bytes: bytes) }
    let again = digest.endFrame()
    guard let expected = record.digest, expected != again else { return }
    result.faults.insert(.outputMismatch)
    result.warnings.append(
      ReplayWarning(
        code: ReplayWarning.digestNotRepeated, frame: record.recordedIndex,
        message: "the outputs differ between two runs: \(OutputDigest.text(expected)), then "
          + OutputDigest.text(again)))
  }

  private func score(_ frame: SensorFrame, _ result: inout ReplayResult) throws {
    let time = frame.timestampNanoseconds / 1000
    guard let grid = processor.pipeline.occupancy,
      let truth = try groundTruth?.frame(atMicroseconds: time)
    else { return }
    var total = result.mapScore ?? MapScore()
    total += MapScore.compare(
      truth, mapVoxelSizeMeters: grid.configuration.voxelSizeMeters
    ) { position in
      let key = grid.key(ofWorld: position)
      guard grid.covers(key) else { return nil }
      return switch grid.state(key) {
      case .unknown: .unknown
      case .free: .free
      case .occupied: .occupied
      }
    }
    result.mapScore = total
  }

  private func draw(_ frame: SensorFrame, _ label: String, _ record: FrameRecord) throws {
    guard let pictureFolder else { return }
    let time = String(format: "%.2f", Double(record.judgedNanoseconds) / 1e6)
    try FramePictures(
      frame: frame, pipeline: processor.pipeline,
      usesBuiltInFeatures: processor.usesBuiltInFeaturesOnly
    ).write(
      label: label, title: "\(label) frame \(record.recordedIndex), \(time) ms",
      to: pictureFolder)
  }
}
