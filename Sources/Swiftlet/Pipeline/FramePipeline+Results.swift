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
