import Foundation
import Swiftlet

/// A frame's LiDAR points in world, for peers in other languages.
enum ScanFile {
  /// Writes `NNNNNN.scan`: int32 count, float32 origin x y z, float32 x y z a point; little endian.
  /// Points that are not finite are left out. Frames with several LiDARs make one file each.
  static func write(
    _ frame: RecordedFrame, index: Int, to folder: String
  ) throws(RecordingError) {
    var failure: RecordingError?
    frame.withSensorFrame { sensorFrame in
      for (number, lidar) in sensorFrame.lidars.enumerated() where lidar.isValid {
        let name = String(format: "%06d-%d.scan", index, number)
        let path = "\(folder)/\(name)"
        do {
          try Data(bytes(lidar)).write(to: URL(fileURLWithPath: path))
        } catch {
          failure = RecordingError(
            file: path, expected: "a folder that can be written",
            found: error.localizedDescription, remedy: "choose another folder")
        }
      }
    }
    if let failure { throw failure }
  }

  private static func bytes(_ lidar: LidarInput) -> [UInt8] {
    let points = (0..<lidar.points.count).map { world(lidar, $0) }.filter {
      $0.x.isFinite && $0.y.isFinite && $0.z.isFinite
    }
    let origin = SIMD3<Float>(lidar.worldFromLidar.translation)
    let words =
      [UInt32(points.count), origin.x.bitPattern, origin.y.bitPattern, origin.z.bitPattern]
      + points.flatMap { [$0.x.bitPattern, $0.y.bitPattern, $0.z.bitPattern] }
    return words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
  }

  /// As the maps bring a point to world: ((r0·x + r1·y) + r2·z) + t in float64, rounded once.
  private static func world(_ lidar: LidarInput, _ index: Int) -> SIMD3<Float> {
    let points = lidar.points
    let x = unsafe Double(points.value(index, points.xByteOffset))
    let y = unsafe Double(points.value(index, points.yByteOffset))
    let z = unsafe Double(points.value(index, points.zByteOffset))
    let transform = lidar.worldFromLidar
    func coordinate(_ row: SIMD3<Double>, _ shift: Double) -> Float {
      Float(((row.x * x + row.y * y) + row.z * z) + shift)
    }
    let (r, t) = (transform.rotation, transform.translation)
    return SIMD3(coordinate(r.row0, t.x), coordinate(r.row1, t.y), coordinate(r.row2, t.z))
  }
}
