/// Logits and labels of one head over the map: `logits` [y][x][height][class] (semantic: one
/// height), `labels` [y][x][height] the class of the largest logit, 255 where the cell is not valid.
/// Owned by the pipeline, valid until its next call.
public final class HeadResult: Sendable {
  public let logits: AlignedBuffer<Float>
  public let labels: AlignedBuffer<UInt8>
  public let heightCount: Int
  public let classCount: Int

  init(cellCount: Int, heightCount: Int, classCount: Int) {
    self.heightCount = heightCount
    self.classCount = classCount
    logits = AlignedBuffer(count: cellCount * heightCount * classCount)
    labels = AlignedBuffer(count: cellCount * heightCount)
  }
}

/// The buffers of the heads, made once.
final class HeadOutputs {
  let occupancy: HeadResult?
  let semantic: HeadResult?
  private let cellCount: Int
  /// One expert's logits (late fusion).
  private let expert: AlignedBuffer<Float>?

  init(configuration: PipelineConfiguration, cellCount: Int) {
    self.cellCount = cellCount
    let heads = configuration.heads
    func result(_ heights: Int, _ classes: Int) -> HeadResult? {
      classes == 0
        ? nil : HeadResult(cellCount: cellCount, heightCount: heights, classCount: classes)
    }
    occupancy = result(heads.occupancyHeightCount, heads.occupancyClassCount)
    semantic = result(1, heads.semanticClassCount)
    let largest = max(occupancy?.logits.count ?? 0, semantic?.logits.count ?? 0)
    expert = configuration.fusion.mode == .late ? AlignedBuffer(count: largest) : nil
  }

  /// The head over the fused map, or over camera, LiDAR, radar and prior alone with the logits added
  /// up where each is valid.
  func run(
    _ head: PreparedHead, _ result: HeadResult, fused maps: MapBuffers, experts: ModalityMaps?,
    engine: Engine, pool: WorkerPool
  ) {
    if let experts {
      result.logits.zero()
      add(head.camera, experts.camera, result, engine, pool)
      add(head.lidar, experts.lidar, result, engine, pool)
      add(head.radar, experts.radar, result, engine, pool)
      add(head.prior, experts.prior, result, engine, pool)
    } else {
      head.shared.apply(maps.fused, rows: cellCount, into: result.logits, engine: engine, pool: pool)
    }
    unsafe pool.run(
      LargestClassJob(
        set: engine.scalarSet, logits: result.logits.pointer,
        validity: maps.fusedValidity.pointer, group: result.heightCount,
        classes: result.classCount, rowCount: cellCount * result.heightCount,
        labels: result.labels.pointer))
  }

  private func add(
    _ head: Linear, _ map: BEVMap?, _ result: HeadResult, _ engine: Engine, _ pool: WorkerPool
  ) {
    guard let map, let validity = unsafe map.validity, let expert else { return }
    unsafe head.apply(
      map.features, rows: cellCount, into: expert.pointer, engine: engine, pool: pool)
    unsafe pool.run(
      AddValidJob(
        set: engine.scalarSet, logits: expert.pointer, validity: validity, group: 1,
        classes: head.outputs, rowCount: cellCount, sums: result.logits.pointer))
  }
}
