import Swiftlet
import SwiftletTestSupport

/// A small rig with random features, depth and points, moving forward a metre a frame. Owns the
/// memory its frames look into.
final class TestDrive {
  let features: [AlignedBuffer<Float>]
  let depths: [AlignedBuffer<Float>]
  let points: AlignedBuffer<Float>
  let pointCount: Int
  static let rows = 4
  static let columns = 6

  static var configuration: PipelineConfiguration {
    var configuration = PipelineConfiguration()
    configuration.grid.lowerMeters = SIMD3(-12.8, -12.8, -10)
    configuration.grid.upperMeters = SIMD3(12.8, 12.8, 10)
    configuration.depth.upperMeters = 12
    configuration.channelCount = 32
    configuration.occupancy.extentMeters = SIMD3(25.6, 25.6, 12.8)
    configuration.occupancy.maximumRangeMeters = 12
    return configuration
  }

  init(cameraCount: Int = 3, pointCount: Int = 1501, seed: UInt64 = 7) {
    var generator = SeededGenerator(seed: seed)
    let bins = Self.configuration.depth.binCount
    let cells = Self.rows * Self.columns
    features = (0..<cameraCount).map { _ in
      AlignedBuffer(generator.floats(cells * Self.configuration.channelCount))
    }
    depths = (0..<cameraCount).map { _ in AlignedBuffer(generator.floats(cells * bins, in: 0...1)) }
    points = AlignedBuffer(generator.floats(pointCount * 4, in: -9...9))
    for index in 0..<pointCount { points[index * 4 + 2] *= 0.2 }
    self.pointCount = pointCount
    // The frames' views borrow from these buffers, and nothing makes a test hold its drive until
    // the last frame was processed: drives stay until the test process ends.
    _ = unsafe Unmanaged.passRetained(self)
  }

  /// Frame `index`; the ego drives along x with a slight turn.
  func frame(_ index: Int, resetsHistory: Bool = false) -> SensorFrame {
    let worldFromEgo = RigidTransform(
      rotation: Quaternion(axis: SIMD3(0, 0, 1), radians: 0.01 * Double(index)),
      translation: SIMD3(100 + Double(index), 50, 0.3))
    let egoFromLidar = RigidTransform(rotation: Quaternion.identity, translation: SIMD3(1, 0, 1.8))
    let time = Int64(index) * 100_000_000
    let view = unsafe PointCloudView(base: points.pointer, count: pointCount, byteStride: 16)
    let lidar = LidarInput(
      name: "LIDAR", timestampNanoseconds: time, ageNanoseconds: 0, isValid: true, points: view,
      egoFromLidar: egoFromLidar, worldFromLidar: worldFromEgo * egoFromLidar)
    return SensorFrame(
      timestampNanoseconds: time, worldFromEgo: worldFromEgo, resetsHistory: resetsHistory,
      cameras: features.indices.map { camera($0, time) }, lidars: [lidar])
  }

  private func camera(_ index: Int, _ time: Int64) -> CameraInput {
    let bins = Self.configuration.depth.binCount
    // Camera axes (right, down, forward) in ego axes, turned about z.
    let egoFromForward = Matrix3(SIMD3(0, 0, 1), SIMD3(-1, 0, 0), SIMD3(0, -1, 0))
    let turn = Quaternion(axis: SIMD3(0, 0, 1), radians: 2.1 * Double(index)).matrix
    let mount = RigidTransform(rotation: turn * egoFromForward, translation: SIMD3(0.5, 0, 1.5))
    return CameraInput(
      name: "CAM_\(index)", timestampNanoseconds: time, ageNanoseconds: 0, isValid: true,
      intrinsics: CameraIntrinsics(
        focalX: 60, focalY: 60, centerX: 48, centerY: 32, widthPixels: 96, heightPixels: 64),
      egoFromCamera: mount, keyEgoFromCamera: mount, networkWidthPixels: 96,
      networkHeightPixels: 64,
      features: unsafe TensorView(
        base: features[index].pointer, elementType: .float32,
        shape: (Self.rows, Self.columns, Self.configuration.channelCount)),
      depth: unsafe TensorView(
        base: depths[index].pointer, elementType: .float32,
        shape: (bins, Self.rows, Self.columns)))
  }
}
