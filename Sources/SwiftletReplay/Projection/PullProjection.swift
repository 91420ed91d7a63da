import Swiftlet

/// Fast-BEV's and SimpleBEV's pulls on a recording's frame, in key ego axes.
public struct PullProjection {
  public enum Method: String, Sendable, CaseIterable {
    /// Nearest pixel of the voxel's lower corner.
    case fastBEV = "fast-bev"
    /// Bilinear at the voxel's centre, mean over cameras.
    case simpleBEV = "simple-bev"
  }
  /// Seen voxels' mean over the height, [y][x][channel].
  public var map: BEVColors.Map
  /// Cameras that see each voxel, [x][y][z] (Fast-BEV) or SimpleBEV's [z][y][x].
  public var counts: [Int32]
  /// Sizes of `counts` and `visibility`, slowest first.
  public var shape: [Int]
  /// [camera][voxel]: 1 where the camera sees it; all 0 for a missing camera.
  public var visibility: [[UInt8]]
  /// [voxel][channel] in the same order.
  public var volume: [Float]
  public var channels: Int

  /// Fast-BEV M0's lattice: 200×200×4 voxels of 0.5×0.5×1.5 m, features at stride 4 of 256×704.
  public static func fastBEV(
    _ recorded: SensorFrame, overlap: VoxelOverlap, engine: Engine, pool: WorkerPool
  ) throws -> PullProjection {
    let inputs = PresetInputs(
      PresetInputs.Shape(width: 704, height: 256, stride: 4, channels: 64), rig: recorded,
      engine: engine, pool: pool)
    let (frame, features, isBuiltIn) = try prepare(recorded, inputs)
    let pull = VoxelPull(
      cameras: features.sizes, sizeX: 200, sizeY: 200, sizeZ: 4, channels: features.channels,
      overlap: overlap, engine: engine, pool: pool)
    let voxel = SIMD3(0.5, 0.5, 1.5)
    for (index, camera) in frame.cameras.enumerated() where camera.isValid {
      let p = projection(camera, features.sizes[index])
      pull.setCamera(
        index,
        projection: AffineTransform(linear: p.linear, translation: p.translation).rowMajor3x4,
        originMeters: SIMD3(0, 0, 1), voxelMeters: voxel)
    }
    unsafe pull.pull(UnsafeBufferPointer(features.values.elements), cameras: features.valid)
    let visibility = frame.cameras.indices.map { index in
      frame.cameras[index].isValid
        ? pull.visibility(camera: index) : [UInt8](repeating: 0, count: pull.voxelCount)
    }
    var result = PullProjection(
      map: emptyMap(200, 200, features.channels, SIMD2(-50, -50), SIMD2(0.5, 0.5), isBuiltIn),
      counts: counts(visibility), shape: [200, 200, 4], visibility: visibility,
      volume: pull.volume.array, channels: features.channels)
    result.flatten()
    return result
  }

  /// SimpleBEV's lattice: Z forward, Y down, X right, 200×8×200 voxels over ±50 m and ±5 m about
  /// 1 m above the ground, features at stride 8 of 448×800.
  public static func simpleBEV(
    _ recorded: SensorFrame, engine: Engine, pool: WorkerPool
  ) throws -> PullProjection {
    let inputs = PresetInputs(
      PresetInputs.Shape(width: 800, height: 448, stride: 8, channels: 64), rig: recorded,
      engine: engine, pool: pool)
    let (frame, features, isBuiltIn) = try prepare(recorded, inputs)
    let pull = BilinearPull(
      cameras: features.sizes, sizeX: 200, sizeY: 8, sizeZ: 200, channels: features.channels,
      lowerMeters: SIMD3(-50, -5, -50), upperMeters: SIMD3(50, 5, 50), engine: engine, pool: pool)
    // x right = −y ego, y down = −z ego about 1 m, z forward = x ego.
    let egoFromReference = AffineTransform(
      linear: Matrix3(SIMD3(0, 0, 1), SIMD3(-1, 0, 0), SIMD3(0, -1, 0)),
      translation: SIMD3(0, 0, 1))
    for (index, camera) in frame.cameras.enumerated() where camera.isValid {
      let p = projection(camera, features.sizes[index])
      let pixel = AffineTransform(linear: p.linear, translation: p.translation) * egoFromReference
      let view = camera.keyEgoFromCamera.inverse
      let seen =
        AffineTransform(linear: view.rotation, translation: view.translation) * egoFromReference
      pull.setCamera(
        index, pixelFromReference: pixel.rowMajor3x4 + [0, 0, 0, 1],
        cameraFromReference: seen.rowMajor3x4 + [0, 0, 0, 1])
    }
    unsafe pull.pull(UnsafeBufferPointer(features.values.elements), cameras: features.valid)
    let visibility = frame.cameras.indices.map { index in
      frame.cameras[index].isValid
        ? pull.visibility(camera: index) : [UInt8](repeating: 0, count: pull.counts.count)
    }
    var result = PullProjection(
      map: emptyMap(200, 200, features.channels, SIMD2(-50, -50), SIMD2(0.5, 0.5), isBuiltIn),
      counts: pull.counts.array, shape: [200, 8, 200], visibility: visibility,
      volume: pull.volume.array, channels: features.channels)
    result.flatten()
    return result
  }
}

extension PullProjection {
  /// The most cameras that see any voxel above an ego cell, [y][x].
  public func columnCounts() -> [Int32] {
    var most = [Int32](repeating: 0, count: map.sizeX * map.sizeY)
    for y in 0..<map.sizeY {
      for x in 0..<map.sizeX {
        for z in 0..<(shape.min() ?? 0) {
          let cell = y * map.sizeX + x
          most[cell] = max(most[cell], counts[place(x, y, z)])
        }
      }
    }
    return most
  }

  /// Where the voxel above ego cell (x, y) lies. Ego (x, y) is SimpleBEV's (z, −x), its y downwards.
  private func place(_ x: Int, _ y: Int, _ z: Int) -> Int {
    shape[1] == 8 ? (x * 8 + z) * 200 + 199 - y : (x * 200 + y) * 4 + z
  }

  /// The features of all cameras, one after another.
  private struct Features {
    var values: AlignedBuffer<Float>
    var sizes: [FrustumLayout.Camera]
    var channels: Int
    var valid: CameraSet
  }

  private static func prepare(
    _ recorded: SensorFrame, _ inputs: PresetInputs
  ) throws -> (SensorFrame, Features, Bool) {
    guard (1...16).contains(recorded.cameras.count) else {
      throw InputError(
        input: "cameras", expected: "1 to 16 cameras", found: "\(recorded.cameras.count)",
        remedy: "choose a recording with cameras")
    }
    var frame = recorded
    let isBuiltIn = inputs.fill(&frame)
    let sizes = frame.cameras.map { camera in
      camera.features.map {
        FrustumLayout.Camera(featureWidth: $0.shape.1, featureHeight: $0.shape.0)
      } ?? inputs.shape.camera
    }
    let channels = frame.cameras.lazy.compactMap { $0.features?.shape.2 }.first ?? inputs.shape.channels
    let layout = FrustumLayout(cameras: sizes, binCount: 1)
    let values = AlignedBuffer<Float>(count: layout.featureCount * channels)
    var valid: CameraSet = []
    for (index, camera) in frame.cameras.enumerated() where camera.isValid {
      try camera.intrinsics.validate(sensor: camera.name)
      try camera.keyEgoFromCamera.validate(sensor: camera.name)
      guard let view = camera.features, view.shape.2 == channels, view.elementType == .float32,
        view.isContiguous
      else {
        throw InputError(
          input: "camera \(camera.name) features",
          expected: "contiguous float32 of \(channels) channels",
          found: camera.features.map { "\($0.elementType) \($0.shape)" } ?? "none",
          remedy: "export features of one type and size")
      }
      let source = unsafe view.baseAddress.assumingMemoryBound(to: Float.self)
      unsafe (values.pointer + layout.featureStarts[index] * channels).update(
        from: source, count: view.elementCount)
      valid.insert(.camera(index))
    }
    return (
      frame, Features(values: values, sizes: sizes, channels: channels, valid: valid), isBuiltIn
    )
  }

  /// Key ego to feature pixels: K, augmentation and stride, distortion left out as both projects do.
  private static func projection(
    _ camera: CameraInput, _ size: FrustumLayout.Camera
  ) -> (linear: Matrix3, translation: SIMD3<Double>) {
    let a = camera.augmentation
    let scaleX = Double(size.featureWidth) / Double(camera.networkWidthPixels)
    let scaleY = Double(size.featureHeight) / Double(camera.networkHeightPixels)
    let pixel = Matrix3(
      SIMD3(a.a00, a.a01, a.tx) * scaleX, SIMD3(a.a10, a.a11, a.ty) * scaleY, SIMD3(0, 0, 1))
    let view = camera.keyEgoFromCamera.inverse
    let p = pixel * camera.intrinsics.matrix
    return (p * view.rotation, p * view.translation)
  }

  private static func counts(_ visibility: [[UInt8]]) -> [Int32] {
    var counts = [Int32](repeating: 0, count: visibility.first?.count ?? 0)
    for camera in visibility {
      for voxel in counts.indices { counts[voxel] += Int32(camera[voxel]) }
    }
    return counts
  }

  private static func emptyMap(
    _ sizeX: Int, _ sizeY: Int, _ channels: Int, _ lower: SIMD2<Double>, _ step: SIMD2<Double>,
    _ isColor: Bool
  ) -> BEVColors.Map {
    BEVColors.Map(
      features: [Float](repeating: 0, count: sizeX * sizeY * channels),
      validity: [UInt8](repeating: 0, count: sizeX * sizeY), sizeX: sizeX, sizeY: sizeY,
      channels: channels, lowerMeters: lower, stepMeters: step, isColor: isColor)
  }

  /// The mean over height of seen voxels.
  private mutating func flatten() {
    for y in 0..<map.sizeY {
      for x in 0..<map.sizeX {
        var seen: Float = 0
        let out = (y * map.sizeX + x) * channels
        for z in 0..<(shape.min() ?? 0) {
          let voxel = place(x, y, z)
          guard counts[voxel] > 0 else { continue }
          seen += 1
          for channel in 0..<channels {
            map.features[out + channel] += volume[voxel * channels + channel]
          }
        }
        guard seen > 0 else { continue }
        map.validity[y * map.sizeX + x] = 1
        for channel in 0..<channels { map.features[out + channel] /= seen }
      }
    }
  }
}
