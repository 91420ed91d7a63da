import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// Where the LiDAR map lies and which of its channels are written.
public struct LidarBEVConfiguration: Sendable, Equatable {
  public var widthCells: Int
  public var heightCells: Int
  /// The lower corner of cell (0, 0) in the ego frame (x forward, y left); cell columns run along x.
  public var lowerXMeters: Float
  public var lowerYMeters: Float
  public var cellSizeMeters: Float
  /// Channels of the map.
  public var channels: Int
  /// The first of the 16 written channels.
  public var channelOffset: Int
  /// Height of the lower edge of the first of eight height bins, and their common height. The first
  /// and the last bin take everything below and above.
  public var binLowerMeters: Float
  public var binSizeMeters: Float

  public init(
    widthCells: Int, heightCells: Int, lowerXMeters: Float, lowerYMeters: Float,
    cellSizeMeters: Float, channels: Int = 64, channelOffset: Int = 32,
    binLowerMeters: Float = -0.5, binSizeMeters: Float = 0.5
  ) {
    self.widthCells = widthCells
    self.heightCells = heightCells
    self.lowerXMeters = lowerXMeters
    self.lowerYMeters = lowerYMeters
    self.cellSizeMeters = cellSizeMeters
    self.channels = channels
    self.channelOffset = channelOffset
    self.binLowerMeters = binLowerMeters
    self.binSizeMeters = binSizeMeters
  }
}

/// What an occupancy grid knows about the column of voxels above each cell [y][x]. Float32, because
/// that is what the map holds; counts are exact up to 2^24. Borrowed during the call.
@safe
public struct OccupancyColumns: @unchecked Sendable {
  let occupied: UnsafePointer<Float>
  let free: UnsafePointer<Float>
  let lowest: UnsafePointer<Float>
  let highest: UnsafePointer<Float>
  public let cellCount: Int

  /// - Parameters:
  ///   - occupied: occupied voxels in the column.
  ///   - free: free voxels in the column.
  ///   - lowestMeters: lower face of the lowest occupied voxel; not read without one.
  ///   - highestMeters: upper face of the highest occupied voxel; not read without one.
  public init(
    occupied: AlignedBuffer<Float>, free: AlignedBuffer<Float>,
    lowestMeters: AlignedBuffer<Float>, highestMeters: AlignedBuffer<Float>
  ) {
    let counts = [occupied.count, free.count, lowestMeters.count, highestMeters.count]
    precondition(counts.allSatisfy { $0 == counts[0] }, "columns of different sizes: \(counts)")
    unsafe self.occupied = UnsafePointer(occupied.pointer)
    unsafe self.free = UnsafePointer(free.pointer)
    unsafe lowest = UnsafePointer(lowestMeters.pointer)
    unsafe highest = UnsafePointer(highestMeters.pointer)
    cellCount = counts[0]
  }
}

/// A LiDAR bird's-eye-view map [y][x][C] from a scan and the occupancy columns.
///
/// | channel (from `channelOffset`) | value |
/// |---|---|
/// | 0 | ln(1 + points) |
/// | 1, 2, 3 | mean, highest and lowest z of the points, metres in the ego frame |
/// | 4 | mean intensity, as the sensor scales it |
/// | 5 ... 12 | ln(1 + points in height bin) |
/// | 13, 14 | ln(1 + occupied voxels), ln(1 + free voxels) of the column |
/// | 15 | height of the column's occupied part, metres |
///
/// Every other channel is 0. A cell is valid where a point fell or a voxel of its column is known;
/// without either it is 0. Logarithms of counts above 4095 stop there. Points outside the map and
/// points that are not finite are left out. Sums run in the order of the cloud, so thread count and
/// instruction set change no bit. Allocates nothing after `init`.
@safe
public final class LidarBEV: @unchecked Sendable {
  /// Channels written from `channelOffset` on.
  public static let writtenChannels = 16

  public let configuration: LidarBEVConfiguration
  public let engine: Engine
  public let maximumPoints: Int
  /// The map cell of every point of the last cloud, -1 outside.
  let cells: AlignedBuffer<Int32>
  private let statistics: AlignedBuffer<Float>
  let logarithms: AlignedBuffer<Float>
  public var cellCount: Int { configuration.widthCells * configuration.heightCells }

  /// - Throws: `ConfigurationError` for a size that is no size or channels that do not fit.
  public init(
    configuration: LidarBEVConfiguration, maximumPoints: Int, engine: Engine
  ) throws(ConfigurationError) {
    try configuration.validate()
    precondition(maximumPoints >= 0 && maximumPoints < Int(Int32.max), "\(maximumPoints) points")
    self.configuration = configuration
    self.engine = engine
    self.maximumPoints = maximumPoints
    cells = AlignedBuffer(count: maximumPoints)
    let cellCount = configuration.widthCells * configuration.heightCells
    statistics = AlignedBuffer(count: cellCount * SwiftletKernels.lidarStatisticCount)
    logarithms = AlignedBuffer((0..<4096).map { naturalLogarithm(onePlus: $0) })
  }

  /// Writes the map and its validity. `points` are in the key ego frame, float32, their record and
  /// field offsets multiples of 4 bytes; points beyond `maximumPoints` are left out.
  ///
  /// - Precondition: `output` holds cells × channels, `validity` and `columns` the cells.
  public func update(
    points: PointCloudView, columns: OccupancyColumns?, into output: AlignedBuffer<Float>,
    validity: AlignedBuffer<UInt8>, pool: WorkerPool
  ) {
    precondition(
      output.count >= cellCount * configuration.channels && validity.count >= cellCount,
      "\(output.count) floats and \(validity.count) bytes for \(cellCount) cells of \(configuration.channels)")
    precondition(
      columns == nil || columns!.cellCount == cellCount,
      "columns of \(columns?.cellCount ?? 0) cells for a map of \(cellCount)")
    precondition(
      (points.byteStride | points.xByteOffset | points.yByteOffset | points.zByteOffset) & 3 == 0,
      "point records of \(points.byteStride) bytes with fields that are no multiples of 4")
    let job = unsafe LidarJob(
      layout: LidarLayout(points, maximum: maximumPoints, configuration), cells: cells.pointer,
      statistics: statistics.pointer, columns: columns, logarithms: logarithms.pointer,
      logarithmCount: logarithms.count, output: output.pointer, validity: validity.pointer,
      set: .portable, isFirstStage: true)
    guard case .simd(let set) = engine else { return unsafe job.runReference() }
    var stage = unsafe job
    unsafe stage.set = set
    unsafe pool.run(stage)
    unsafe stage.isFirstStage = false
    unsafe pool.run(stage)
  }
}

extension LidarBEVConfiguration {
  func validate() throws(ConfigurationError) {
    guard widthCells > 0, heightCells > 0, widthCells <= 16_384, heightCells <= 16_384 else {
      throw ConfigurationError(
        field: "lidar_bev.cells", expected: "1 ... 16384 cells a side",
        found: "\(widthCells) x \(heightCells)", remedy: "choose a size in this range")
    }
    guard cellSizeMeters > 0, cellSizeMeters.isFinite, binSizeMeters > 0, binSizeMeters.isFinite
    else {
      throw ConfigurationError(
        field: "lidar_bev.cell_size_meters", expected: "positive sizes of cells and bins",
        found: "\(cellSizeMeters) and \(binSizeMeters)", remedy: "give both in metres")
    }
    guard channelOffset >= 0, channelOffset + LidarBEV.writtenChannels <= channels else {
      throw ConfigurationError(
        field: "lidar_bev.channel_offset", expected: "16 channels within \(channels)",
        found: "16 channels from \(channelOffset)", remedy: "use more channels or a lower offset")
    }
  }
}
