import Swiftlet
import SwiftletTestSupport

/// A small seeded rig of cameras that differ in size, with pitch and roll, and its tensors.
struct TestRig {
  var sizes: [FrustumLayout.Camera]
  var cameras: [CameraInput]
  var features: [AlignedBuffer<Float>]
  var depths: [AlignedBuffer<Float>]
  var channels: Int
  var bins: DepthBins

  /// - Parameter sizes: feature width and height of each camera.
  init(sizes: [(Int, Int)], channels: Int, bins: DepthBins, seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    self.sizes = sizes.map { FrustumLayout.Camera(featureWidth: $0.0, featureHeight: $0.1) }
    self.channels = channels
    self.bins = bins
    features = self.sizes.map { AlignedBuffer(random.floats($0.pixelCount * channels)) }
    depths = self.sizes.map {
      AlignedBuffer(random.floats($0.pixelCount * bins.count, in: 0...0.1))
    }
    cameras = []
    for position in sizes.indices {
      let yaw = Double(position) * 2 * .pi / Double(sizes.count)
      cameras.append(Self.camera(position, yaw, Double.random(in: -0.03...0.03, using: &random)))
    }
    for position in sizes.indices { attach(position) }
  }

  private static func camera(_ position: Int, _ yaw: Double, _ pitch: Double) -> CameraInput {
    let forward = Matrix3(SIMD3(0, 0, 1), SIMD3(-1, 0, 0), SIMD3(0, -1, 0))
    let turned =
      Quaternion(axis: SIMD3(0, 0, 1), radians: yaw).matrix * forward
      * Quaternion(axis: SIMD3(1, 0, 0), radians: pitch).matrix
    let mount = RigidTransform(
      rotation: turned, translation: SIMD3(0.3 * Double(position), 0.1, 1.5))
    return CameraInput(
      name: "CAM_\(position)", timestampNanoseconds: 0, ageNanoseconds: 0, isValid: true,
      intrinsics: CameraIntrinsics(
        focalX: 80, focalY: 81, centerX: 63, centerY: 31, widthPixels: 128, heightPixels: 64),
      egoFromCamera: mount, keyEgoFromCamera: mount, networkWidthPixels: 128,
      networkHeightPixels: 64)
  }

  /// Hands camera `position` its contiguous float32 tensors.
  mutating func attach(_ position: Int) {
    let size = sizes[position]
    cameras[position].features = TensorView(
      base: UnsafeRawPointer(features[position].pointer), elementType: .float32,
      shape: (size.featureHeight, size.featureWidth, channels))
    cameras[position].depth = TensorView(
      base: UnsafeRawPointer(depths[position].pointer), elementType: .float32,
      shape: (bins.count, size.featureHeight, size.featureWidth))
  }

  func projection(
    _ engine: Engine, threads: Int = 1, grid: BEVGrid = TestRig.grid, order: BEVOrder = .slabs,
    cellRule: CellRule = .truncation
  ) throws -> CameraToBEV {
    try CameraToBEV(
      configuration: CameraToBEVConfiguration(
        grid: grid, depthBins: bins, channels: channels, cellRule: cellRule, order: order),
      cameras: sizes, engine: engine, pool: WorkerPool(threadCount: threads))
  }

  static let grid = BEVGrid(x: (-12, 12, 0.75), y: (-9, 9, 0.5), z: (-1, 3, 2))
}

extension Engine {
  static let simdSets = InstructionSet.supported.map { Engine.simd($0) }
  static let everyEngine = [Engine.reference] + simdSets
}
