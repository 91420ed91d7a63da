/// The BEV maps of a pipeline, [y][x][channel] with a validity byte per cell, made once.
final class MapBuffers {
  let lidar: AlignedBuffer<Float>
  let lidarValidity: AlignedBuffer<UInt8>
  /// The last fused map; the one before it is in the spare buffers.
  private(set) var fused: AlignedBuffer<Float>
  private(set) var fusedValidity: AlignedBuffer<UInt8>
  private var spare: AlignedBuffer<Float>
  private var spareValidity: AlignedBuffer<UInt8>
  /// The voxel window's columns per cell.
  let columns: OccupancyGrid.ColumnSummary

  init(grid: BEVGrid, channels: Int) {
    let cellCount = grid.sizeX * grid.sizeY
    lidar = AlignedBuffer(count: cellCount * channels)
    lidarValidity = AlignedBuffer(count: cellCount)
    fused = AlignedBuffer(count: cellCount * channels)
    fusedValidity = AlignedBuffer(count: cellCount)
    spare = AlignedBuffer(count: cellCount * channels)
    spareValidity = AlignedBuffer(count: cellCount)
    columns = OccupancyGrid.ColumnSummary(columns: grid.sizeX, rows: grid.sizeY)
  }

  /// Makes room for the next fused map while the last one can still be read through the warp.
  func swapFused() {
    swap(&fused, &spare)
    swap(&fusedValidity, &spareValidity)
  }

  func reset() {
    fused.zero()
    fusedValidity.zero()
    lidar.zero()
    lidarValidity.zero()
  }

  var occupancyColumns: OccupancyColumns {
    OccupancyColumns(
      occupied: columns.occupied, free: columns.free, lowestMeters: columns.lowestMeters,
      highestMeters: columns.highestMeters)
  }
}
