import Swiftlet

/// Fast-BEV's pull of six 16×44 maps of 80 channels into 128×128×6 voxels, the table at hand.
final class FastBEVWorkload: PreparedWorkload {
  static let workload = BenchmarkWorkload(
    name: "fastbev-pull", category: "projection"
  ) { engine, pool, _ in FastBEVWorkload(engine, pool) }

  let pull: VoxelPull
  let pool: WorkerPool
  let features: AlignedBuffer<Float>

  init(_ engine: Engine, _ pool: WorkerPool) {
    self.pool = pool
    pull = Self.make(engine, pool)
    features = AlignedBuffer(count: 6 * 16 * 44 * 80)
    var numbers = SeededNumbers(seed: 4)
    numbers.fill(features, in: -1...1)
  }

  private static func make(_ engine: Engine, _ pool: WorkerPool) -> VoxelPull {
    let pull = VoxelPull(
      cameras: Array(
        repeating: FrustumLayout.Camera(featureWidth: 44, featureHeight: 16), count: 6),
      sizeX: 128, sizeY: 128, sizeZ: 6, channels: 80, overlap: .first, engine: engine, pool: pool)
    let rig = ProjectionRig.cameras(
      augmentation: ProjectionRig.bevDetAugmentation, networkWidth: 704, networkHeight: 256)
    for (position, camera) in rig.enumerated() {
      let view = camera.egoFromCamera.inverse
      let a = camera.augmentation
      // Raw pixels to network pixels to feature pixels at stride 16.
      let pixel = Matrix3(
        SIMD3(a.a00, a.a01, a.tx) / 16, SIMD3(a.a10, a.a11, a.ty) / 16, SIMD3(0, 0, 1))
      let projection = pixel * camera.intrinsics.matrix
      pull.setCamera(
        position,
        projection: AffineTransform(
          linear: projection * view.rotation, translation: projection * view.translation
        ).rowMajor3x4,
        originMeters: SIMD3(0, 0, 1), voxelMeters: SIMD3(0.8, 0.8, 1))
    }
    return pull
  }

  /// Copies only.
  var floatingPointOperations: Double { 0 }
  var bytesMoved: Double {
    4 * Double(pull.volume.count + features.count + pull.indices.count)
  }
  func run() { unsafe pull.pull(UnsafeBufferPointer(features.elements)) }
  func verificationFailure() -> String? {
    pull.volume.fill(.nan)
    run()
    let scalar = Self.make(.reference, pool)
    unsafe scalar.pull(UnsafeBufferPointer(features.elements))
    let moved = zip(scalar.indices.array, pull.indices.array).filter { $0 != $1 }.count
    if moved * 100_000 > pull.indices.count { return "\(moved) look-ups differ" }
    for voxel in 0..<pull.indices.count where scalar.indices[voxel] == pull.indices[voxel] {
      for channel in (80 * voxel)..<(80 * voxel + 80)
      where scalar.volume[channel] != pull.volume[channel] {
        return "voxel \(voxel): expected \(scalar.volume[channel]), found \(pull.volume[channel])"
      }
    }
    return nil
  }
}

/// Six distorted 1600×900 RGB images to a 512×512 ground image of ±25.6 m.
final class GroundWorkload: PreparedWorkload {
  static let workload = BenchmarkWorkload(
    name: "ipm-6x1600x900", category: "projection"
  ) { engine, pool, _ in GroundWorkload(engine, pool) }

  let warp: GroundWarp
  let pool: WorkerPool
  let images: AlignedBuffer<UInt8>
  let views: [ImageView?]

  init(_ engine: Engine, _ pool: WorkerPool) {
    self.pool = pool
    warp = Self.make(engine, pool)
    let imageBytes = 1600 * 900 * 3
    images = AlignedBuffer(count: 6 * imageBytes)
    var numbers = SeededNumbers(seed: 5)
    for index in 0..<images.count { images[index] = UInt8(numbers.next(in: 0...255)) }
    let base = unsafe images.pointer
    views = (0..<6).map {
      unsafe ImageView(base: base + $0 * imageBytes, widthPixels: 1600, heightPixels: 900)
    }
  }

  private static func make(_ engine: Engine, _ pool: WorkerPool) -> GroundWarp {
    let warp = GroundWarp(
      width: 512, height: 512, lowerMeters: SIMD2(-25.6, -25.6), stepMeters: SIMD2(0.1, 0.1),
      plane: GroundPlane(heightMeters: 0), engine: engine, pool: pool)
    let rig = ProjectionRig.cameras(
      augmentation: .identity, networkWidth: 1600, networkHeight: 900)
    warp.setCameras(
      rig.map { camera in
        var intrinsics = camera.intrinsics
        intrinsics.lens = .brownConrady([-0.05, 0.01, 0.0003, -0.0002, 0.001])
        return GroundCamera(intrinsics: intrinsics, egoFromCamera: camera.egoFromCamera)
      })
    return warp
  }

  /// Per seen cell: nine interpolations of two operations and three sums.
  var floatingPointOperations: Double {
    21 * Double(warp.counts.array.reduce(0) { $0 + Int($1) })
  }
  /// Taps' tables, two rows of two pixels each, the result.
  var bytesMoved: Double {
    let seen = Double(warp.counts.array.reduce(0) { $0 + Int($1) })
    return seen * (12 + 12) + Double(16 * warp.counts.count)
  }
  func run() {
    do { try warp.warp(views) } catch { preconditionFailure("the images fit: \(error)") }
  }
  func verificationFailure() -> String? {
    warp.colors.fill(.nan)
    run()
    let scalar = Self.make(.reference, pool)
    do { try scalar.warp(views) } catch { return "\(error)" }
    let counts = zip(scalar.counts.array, warp.counts.array).filter { $0 != $1 }.count
    if counts > 0 { return "\(counts) cells have another number of cameras" }
    // Values up to 255, six roundings in two orders.
    return firstDifference(scalar.colors, warp.colors, relative: 0, absolute: 255 * 16 * 0x1p-24)
  }
}
