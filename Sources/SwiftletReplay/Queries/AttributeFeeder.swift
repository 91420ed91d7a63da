import Foundation
import Swiftlet

/// Gives a window's voxels the classes and intensities of a recording's LiDAR points, frame by frame.
///
/// A point's class is the one recorded with it, else that of the cell it lies in of the frame's class
/// volume (`ClassVolumes`); free cells, and points without either, say nothing.
public final class AttributeFeeder {
  public struct Settings: Sendable {
    /// What intensities are multiplied with to reach 0...255; nil: told by the first scan that has
    /// any (`scale(highest:)`).
    public var intensityScale: Float?
    /// Whether every label is counted as well, to be compared with what the voxels hold.
    public var countsLabels = false
    public init() {}
  }
  public let settings: Settings
  /// Made with the first frame's window.
  public private(set) var attributes: VoxelAttributes?
  public private(set) var intensityScale: Float?
  public private(set) var pointCount = 0
  public private(set) var labelledPointCount = 0
  /// Scans whose classes came with their points, and those whose came from a volume.
  public private(set) var labelledScanCount = 0
  public private(set) var volumeScanCount = 0
  /// Every label of a voxel, where they are counted.
  private(set) var labelCounts: [VoxelKey: [UInt8: Int]] = [:]
  private let volumes: ClassVolumes

  /// - Parameter root: the folder that may hold `network_outputs`.
  public init(root: String, settings: Settings = Settings()) {
    self.settings = settings
    intensityScale = settings.intensityScale
    volumes = ClassVolumes(recording: root)
  }

  /// Takes in one frame, after the window was fed with it.
  ///
  /// - Throws: `RecordingError` for a class volume that cannot be used.
  public func add(_ frame: RecordedFrame, in grid: OccupancyGrid) throws(RecordingError) {
    let attributes = self.attributes ?? VoxelAttributes(for: grid)
    self.attributes = attributes
    let sensors = frame.sensorFrame
    var volume: [UInt8]?
    for (number, lidar) in sensors.lidars.enumerated() where lidar.isValid && lidar.points.count > 0
    {
      var labels = frame.pointLabels.indices.contains(number) ? frame.pointLabels[number] : []
      if labels.count == lidar.points.count {
        labelledScanCount += 1
      } else {
        if volume == nil { volume = try volumes.labels(at: sensors.timestampNanoseconds) }
        labels = volume.map { classes(of: lidar, sensors.worldFromEgo, in: $0) } ?? []
        if !labels.isEmpty { volumeScanCount += 1 }
      }
      take(lidar, labels, attributes, grid)
    }
    withExtendedLifetime(frame) {}
  }

  private func take(
    _ lidar: LidarInput, _ labels: [UInt8], _ attributes: VoxelAttributes, _ grid: OccupancyGrid
  ) {
    let intensities = intensities(lidar.points)
    unsafe labels.withUnsafeBufferPointer { labels in
      unsafe intensities.withUnsafeBufferPointer { intensities in
        pointCount += unsafe attributes.add(
          lidar.points, worldFromLidar: lidar.worldFromLidar, in: grid,
          labels: labels.isEmpty ? nil : labels,
          intensities: intensities.isEmpty ? nil : intensities)
      }
    }
    labelledPointCount += labels.count { Int($0) < VoxelAttributes.classCount }
    if settings.countsLabels { count(lidar, labels, grid) }
  }

  private func classes(
    of lidar: LidarInput, _ worldFromEgo: RigidTransform, in volume: [UInt8]
  ) -> [UInt8] {
    let egoFromLidar = worldFromEgo.inverse * lidar.worldFromLidar
    return (0..<lidar.points.count).map {
      volumes.label(at: egoFromLidar * SIMD3<Double>(position($0, lidar.points)), in: volume)
    }
  }

  private func position(_ point: Int, _ points: PointCloudView) -> SIMD3<Float> {
    unsafe SIMD3(
      points.value(point, points.xByteOffset), points.value(point, points.yByteOffset),
      points.value(point, points.zByteOffset))
  }

  private func count(_ lidar: LidarInput, _ labels: [UInt8], _ grid: OccupancyGrid) {
    let inverse = 1 / grid.configuration.voxelSizeMeters
    for (point, label) in labels.enumerated() where Int(label) < VoxelAttributes.classCount {
      let world = lidar.worldFromLidar * SIMD3<Double>(position(point, lidar.points))
      // Positions are rounded once to float32, as the window's are.
      guard let key = VoxelKey(SIMD3<Float>(world), inverseVoxelSize: inverse), grid.covers(key)
      else { continue }
      labelCounts[key, default: [:]][label, default: 0] += 1
    }
  }

  // MARK: intensity

  /// 0...255 by the scale; empty where the scan has none.
  private func intensities(_ points: PointCloudView) -> [UInt8] {
    guard points.intensityByteOffset >= 0 else { return [] }
    let values = (0..<points.count).map { unsafe points.value($0, points.intensityByteOffset) }
    if intensityScale == nil {
      let highest = values.reduce(Float(0)) { $1.isFinite ? max($0, $1) : $0 }
      if highest > 0 { intensityScale = Self.scale(highest: highest) }
    }
    let scale = intensityScale ?? 1
    return values.map { UInt8(max(0, min(255, ($0.isNaN ? 0 : $0 * scale).rounded()))) }
  }

  /// Sensors and publishers count to 1 (KITTI), 255 (nuScenes) or 65,535.
  static func scale(highest: Float) -> Float {
    if highest <= 1 { return 255 }
    return highest <= 255 ? 1 : 255 / 65_535
  }
}
