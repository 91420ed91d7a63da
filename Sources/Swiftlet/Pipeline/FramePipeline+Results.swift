/// A BEV map of a pipeline: features [y][x][channel] float32 and validity [y][x], owned by the
/// pipeline and valid until its next call.
public struct BEVResult: Sendable {
  public let features: AlignedBuffer<Float>
  public let validity: AlignedBuffer<UInt8>
  /// Cells along x (columns) and y (rows).
  public let columns: Int
  public let rows: Int
  public let channels: Int
}

extension FramePipeline {
  /// The last frame's fused map.
  public var fusedBEV: BEVResult { result(maps.fused, maps.fusedValidity) }
  /// The last frame's LiDAR map.
  public var lidarBEV: BEVResult { result(maps.lidar, maps.lidarValidity) }
  /// The last frame's camera map; nil without cameras or with projection off.
  public var cameraBEV: BEVResult? {
    guard configuration.projectionEnabled, let camera = rig?.cameraToBEV else { return nil }
    return result(camera.bev, camera.cellValidity)
  }

  /// Everything a digest covers, in its order: camera, LiDAR and fused map with their validity, radar
  /// map and map prior, the heads' logits and labels, then the voxel window's origin (3 Int64) and
  /// log-odds. Allocates nothing.
  @unsafe
  public func forEachOutput(_ body: (StaticString, UnsafeRawBufferPointer) -> Void) {
    if let camera = cameraBEV {
      unsafe body("camera_bev", UnsafeRawBufferPointer(camera.features.elements))
      unsafe body("camera_bev_validity", UnsafeRawBufferPointer(camera.validity.elements))
    }
    unsafe body("lidar_bev", UnsafeRawBufferPointer(maps.lidar.elements))
    unsafe body("lidar_bev_validity", UnsafeRawBufferPointer(maps.lidarValidity.elements))
    unsafe body("fused_bev", UnsafeRawBufferPointer(maps.fused.elements))
    unsafe body("fused_bev_validity", UnsafeRawBufferPointer(maps.fusedValidity.elements))
    if let radar = radarBEV {
      unsafe body("radar_bev", UnsafeRawBufferPointer(radar.features.elements))
      unsafe body("radar_bev_validity", UnsafeRawBufferPointer(radar.validity.elements))
    }
    if let prior = mapPriorBEV {
      unsafe body("map_prior", UnsafeRawBufferPointer(prior.features.elements))
      unsafe body("map_prior_validity", UnsafeRawBufferPointer(prior.validity.elements))
    }
    if let head = occupancyLogits {
      unsafe body("occupancy_logits", UnsafeRawBufferPointer(head.logits.elements))
      unsafe body("occupancy_logits_labels", UnsafeRawBufferPointer(head.labels.elements))
    }
    if let head = semanticMap {
      unsafe body("semantic_logits", UnsafeRawBufferPointer(head.logits.elements))
      unsafe body("semantic_logits_labels", UnsafeRawBufferPointer(head.labels.elements))
    }
    guard let occupancy else { return }
    let origin = (Int64(occupancy.origin.x), Int64(occupancy.origin.y), Int64(occupancy.origin.z))
    unsafe withUnsafeBytes(of: origin) { unsafe body("occupancy_origin", $0) }
    unsafe body("occupancy", UnsafeRawBufferPointer(occupancy.lines.elements))
  }

  /// The last frame's radar map in the frame's axes; nil where it had none.
  public var radarBEV: BEVResult? { externalResult(0) }
  /// The last frame's map prior in the frame's axes; nil where it had none.
  public var mapPriorBEV: BEVResult? { externalResult(1) }

  private func externalResult(_ index: Int) -> BEVResult? {
    guard let map = stage.external[index], map.isPresent else { return nil }
    return result(map.warp.output, map.cells.validity)
  }

  /// Ages of the fused map's cells [y][x], milliseconds between the frame and the youngest valid
  /// modality's data; 65535 where there is none.
  public var fusedAges: AlignedBuffer<UInt16> { stage.ages }
  /// Validity and age of every modality's cells as the last `fuse` used them, in the order of the
  /// embeddings: camera, LiDAR, previous map, radar, map prior. Cells that are too old are not
  /// valid. nil: not there in this frame or at all.
  public var modalityCells: [(name: String, validity: AlignedBuffer<UInt8>, ages: AlignedBuffer<UInt16>)?] {
    let own = [("camera", stage.camera), ("lidar", stage.lidar), ("history", stage.history)]
    let others = zip(["radar", "map prior"], stage.external).map { name, map in
      map.flatMap { $0.isPresent ? (name, $0.cells.validity, $0.cells.ages) : nil }
    }
    return own.map { ($0.0, $0.1.validity, $0.1.ages) } + others
  }

  /// Occupancy logits and labels of the last frame; nil without the head.
  public var occupancyLogits: HeadResult? { stage.heads.occupancy }
  /// Semantic logits and labels of the last frame; nil without the head.
  public var semanticMap: HeadResult? { stage.heads.semantic }

  private func result(
    _ features: AlignedBuffer<Float>, _ validity: AlignedBuffer<UInt8>
  ) -> BEVResult {
    BEVResult(
      features: features, validity: validity, columns: grid.sizeX, rows: grid.sizeY,
      channels: configuration.channelCount)
  }

  /// Which cameras of the last frame contributed, by the rig's order.
  public var validCameras: [Bool] { rig?.cameras.map(\.isValid) ?? [] }
  /// Which LiDARs of the last frame contributed, by the rig's order.
  public var validLidars: [Bool] { rig?.lidars.map(\.isValid) ?? [] }
}
