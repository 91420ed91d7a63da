import Foundation
import Swiftlet
import SwiftletReplay

/// Frames 100 ms and 1 m apart with one camera (4×4 grey pixels) and one LiDAR (a ring of 360
/// points at 10 m). Every frame's grey and height are its own, so that another frame's show.
final class RigSource: FrameSource {
  static let sensors = [
    SensorDescription(
      name: "CAM", kind: .camera, sampleCount: 200, rateHertz: 10, calibration: .found,
      widthPixels: 4, heightPixels: 4),
    SensorDescription(
      name: "LIDAR", kind: .lidar, sampleCount: 200, rateHertz: 10, calibration: .found),
  ]
  let name = "rig"
  let frameCount = 200
  private let ring: [SIMD2<Float>]

  init() {
    ring = (0..<360).map { degree in
      let angle = Double(degree) * .pi / 180
      return SIMD2(10 * Float(cos(angle)), 10 * Float(sin(angle)))
    }
  }

  func frame(at index: Int) throws -> any ReplayFrame {
    let time = Int64(index) * 100_000_000
    let grey = UInt8(truncatingIfNeeded: 77 + index)
    let image = AlignedBuffer<UInt8>([UInt8](repeating: grey, count: 48))
    let height = 1 + Float(index) / 64
    let points = AlignedBuffer(ring.flatMap { [$0.x, $0.y, height, 0.5] })
    let worldFromEgo = RigidTransform(
      rotation: Matrix3.identity, translation: SIMD3(Double(index), 0, 0))
    var view = unsafe PointCloudView(base: points.pointer, count: ring.count, byteStride: 16)
    view.intensityByteOffset = 12
    let camera = CameraInput(
      name: "CAM", timestampNanoseconds: time, ageNanoseconds: 0, isValid: true,
      intrinsics: CameraIntrinsics(
        focalX: 100, focalY: 100, centerX: 2, centerY: 2, widthPixels: 4, heightPixels: 4),
      egoFromCamera: .identity, keyEgoFromCamera: .identity, networkWidthPixels: 16,
      networkHeightPixels: 16,
      image: unsafe ImageView(base: image.pointer, widthPixels: 4, heightPixels: 4))
    let lidar = LidarInput(
      name: "LIDAR", timestampNanoseconds: time, ageNanoseconds: 0, isValid: true, points: view,
      egoFromLidar: .identity, worldFromLidar: worldFromEgo)
    return RigFrame(
      SensorFrame(
        timestampNanoseconds: time, worldFromEgo: worldFromEgo, resetsHistory: index == 0,
        cameras: [camera], lidars: [lidar]), image: image, points: points)
  }
}

/// Keeps what its views look into.
private final class RigFrame: ReplayFrame {
  let sensorFrame: SensorFrame
  let warnings: [ReplayWarning] = []
  private let image: AlignedBuffer<UInt8>
  private let points: AlignedBuffer<Float>

  init(_ sensorFrame: SensorFrame, image: AlignedBuffer<UInt8>, points: AlignedBuffer<Float>) {
    self.sensorFrame = sensorFrame
    self.image = image
    self.points = points
  }
}

/// Everything of a frame that a fault may change, as text, so that a difference names itself.
struct FrameText: Equatable {
  var frame: [String]
  /// By sensor.
  var sensors: [String: [String]] = [:]

  init(_ owner: any ReplayFrame) {
    let shown = owner.sensorFrame
    frame = ["time \(shown.timestampNanoseconds)", "pose \(shown.worldFromEgo)"]
    for camera in shown.cameras {
      sensors[camera.name] = [
        "valid \(camera.isValid)", "time \(camera.timestampNanoseconds)",
        "age \(camera.ageNanoseconds)",
        "focal \(camera.intrinsics.focalX) \(camera.intrinsics.focalY)",
        "mount \(camera.egoFromCamera)",
        "at key \(camera.keyEgoFromCamera)", "pixels \(MCAPRecordingTests.pixels(camera.image))",
      ]
    }
    for lidar in shown.lidars {
      sensors[lidar.name] = [
        "valid \(lidar.isValid)", "time \(lidar.timestampNanoseconds)",
        "age \(lidar.ageNanoseconds)", "mount \(lidar.egoFromLidar)",
        "in world \(lidar.worldFromLidar)",
        "points \(MCAPRecordingTests.points(lidar.points).map(\.bitPattern))",
      ]
    }
    withExtendedLifetime(owner) {}
  }
}
