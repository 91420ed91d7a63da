/// A borrowed bird's-eye-view map: features [y][x][channel] float32 and one validity byte per cell
/// [y][x] (0 invalid). The caller keeps the memory alive and unchanged during the call.
@safe
public struct BEVMap: @unchecked Sendable {
  let features: UnsafePointer<Float>
  let validity: UnsafePointer<UInt8>?
  public let cellCount: Int
  public let channels: Int

  /// - Parameters:
  ///   - features: [cell][channel].
  ///   - validity: nil when every cell is valid.
  ///   - cellCount: cells of the map.
  ///   - channels: of every cell.
  @unsafe
  public init(
    features: UnsafePointer<Float>, validity: UnsafePointer<UInt8>?, cellCount: Int, channels: Int
  ) {
    unsafe self.features = features
    unsafe self.validity = validity
    self.cellCount = cellCount
    self.channels = channels
  }

  /// The map held by two buffers. They must outlive the view.
  public init(features: AlignedBuffer<Float>, validity: AlignedBuffer<UInt8>?, channels: Int) {
    precondition(
      channels > 0 && features.count % channels == 0,
      "\(features.count) floats are no cells of \(channels) channels")
    let cells = features.count / channels
    precondition(
      validity == nil || validity!.count == cells,
      "\(cells) cells need as many validity bytes, not \(validity?.count ?? 0)")
    unsafe self.init(
      features: UnsafePointer(features.pointer), validity: validity.map { unsafe UnsafePointer($0.pointer) },
      cellCount: cells, channels: channels)
  }
}
