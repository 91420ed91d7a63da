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

  /// Everything a digest covers, in its order: camera, LiDAR and fused map with their validity, then
  /// the voxel window's origin (3 Int64) and log-odds. Allocates nothing.
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
    guard let occupancy else { return }
    let origin = (Int64(occupancy.origin.x), Int64(occupancy.origin.y), Int64(occupancy.origin.z))
    unsafe withUnsafeBytes(of: origin) { unsafe body("occupancy_origin", $0) }
    unsafe body("occupancy", UnsafeRawBufferPointer(occupancy.lines.elements))
  }

  private func result(
    _ features: AlignedBuffer<Float>, _ validity: AlignedBuffer<UInt8>
  ) -> BEVResult {
    BEVResult(
      features: features, validity: validity, columns: grid.sizeX, rows: grid.sizeY,
      channels: configuration.channelCount)
  }

  /// Which cameras of the last frame contributed, by the rig's order.
  public var validCameras: [Bool] { rig?.cameras.map(\.isValid) ?? [] }
}
