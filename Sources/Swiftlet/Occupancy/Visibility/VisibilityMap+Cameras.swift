/// What visibility keeps of one camera: its pixel rays and its field of view.
@safe
public final class VisibilityCamera {
  public let name: String
  /// Pixels of the network's image from one ray to the next.
  public let pixelStep: Int
  /// [ray][3] in the camera's axes.
  let rays: AlignedBuffer<Float>
  /// Cells whose middle lies in the image, seen from the mount.
  let field: AlignedBuffer<UInt32>
  let visible: AlignedBuffer<UInt32>
  private let intrinsics: CameraIntrinsics
  private let augmentation: ImageAugmentation
  private let egoFromCamera: RigidTransform
  private let size: SIMD2<Int>

  public var rayCount: Int { rays.count / 3 }

  /// Unprojects the pixels and projects every cell once. A calibration that describes no camera gives
  /// one without rays, which sees nothing. Allocates.
  init(_ camera: CameraInput, _ configuration: VisibilityConfiguration, stride: Int) {
    name = camera.name
    intrinsics = camera.intrinsics
    augmentation = camera.augmentation
    egoFromCamera = camera.egoFromCamera
    size = Self.isUsable(camera) ? Self.imageSize(camera) : .zero
    pixelStep = configuration.pixelStep ?? Self.step(camera, configuration)
    visible = AlignedBuffer(count: stride)
    field = AlignedBuffer(count: stride)
    let back = camera.augmentation.inverse
    var pixels: [Double] = []
    for row in 0..<(size.y + pixelStep - 1) / pixelStep {
      for column in 0..<(size.x + pixelStep - 1) / pixelStep {
        let half = Double(pixelStep) / 2
        let raw = back.applied(
          to: SIMD2(Double(column * pixelStep) + half, Double(row * pixelStep) + half))
        pixels += [raw.x, raw.y]
      }
    }
    let plane = camera.intrinsics.rays(of: pixels, engine: .reference)
    rays = AlignedBuffer(count: pixels.count / 2 * 3)
    for ray in 0..<pixels.count / 2 {
      // A pixel without a ray keeps a zero direction, which marks nothing.
      guard plane[2 * ray].isFinite, plane[2 * ray + 1].isFinite else { continue }
      rays[3 * ray] = Float(plane[2 * ray])
      rays[3 * ray + 1] = Float(plane[2 * ray + 1])
      rays[3 * ray + 2] = 1
    }
    fillField(configuration)
  }

  private static func isUsable(_ camera: CameraInput) -> Bool {
    do throws(CalibrationError) {
      try camera.intrinsics.validate(sensor: camera.name)
      try camera.egoFromCamera.validate(sensor: camera.name)
      try camera.augmentation.validate(sensor: camera.name)
      return true
    } catch { return false }
  }

  /// The network's image, or the raw one where no network is.
  static func imageSize(_ camera: CameraInput) -> SIMD2<Int> {
    camera.networkWidthPixels > 0 && camera.networkHeightPixels > 0
      ? SIMD2(camera.networkWidthPixels, camera.networkHeightPixels)
      : SIMD2(camera.intrinsics.widthPixels, camera.intrinsics.heightPixels)
  }

  /// Rays at most a cell apart at the volume's far corner.
  private static func step(_ camera: CameraInput, _ c: VisibilityConfiguration) -> Int {
    let upper = c.lowerMeters + SIMD3<Double>(c.cellCounts) * c.cellSizeMeters
    let far = SIMD3(
      max(abs(c.lowerMeters.x), abs(upper.x)), max(abs(c.lowerMeters.y), abs(upper.y)),
      max(abs(c.lowerMeters.z), abs(upper.z)))
    let distance = min((far * far).sum().squareRoot(), c.maximumRangeMeters)
    let a = camera.augmentation
    let scale = abs(a.a00 * a.a11 - a.a01 * a.a10).squareRoot()
    let focal = min(camera.intrinsics.focalX, camera.intrinsics.focalY) * scale
    // Held before it becomes an integer; a focal length that is no number gives the widest step.
    return Int(max(1, min(64, focal * c.cellSizeMeters / max(distance, 1))))
  }

  private func fillField(_ c: VisibilityConfiguration) {
    let cameraFromEgo = egoFromCamera.inverse
    for x in 0..<c.cellCounts.x {
      for y in 0..<c.cellCounts.y {
        var bits: UInt32 = 0
        for z in 0..<c.cellCounts.z {
          let cell = SIMD3(Double(x), Double(y), Double(z)) + 0.5
          let point = cameraFromEgo * (c.lowerMeters + cell * c.cellSizeMeters)
          guard point.z > 0 else { continue }
          let pixel = augmentation.applied(to: intrinsics.pixel(of: point))
          let isInside =
            pixel.x >= 0 && pixel.y >= 0 && pixel.x < Double(size.x) && pixel.y < Double(size.y)
          if isInside { bits |= 1 << UInt32(z) }
        }
        field[x * c.cellCounts.y + y] = bits
      }
    }
  }

  func fits(_ camera: CameraInput) -> Bool {
    camera.name == name && camera.intrinsics == intrinsics && camera.augmentation == augmentation
      && camera.egoFromCamera == egoFromCamera && (size == .zero || Self.imageSize(camera) == size)
  }
}

extension VisibilityMap {
  /// Builds what depends on calibrations where these are new or have changed.
  func prepare(_ inputs: [CameraInput]) {
    if cameras.count > inputs.count { cameras.removeLast(cameras.count - inputs.count) }
    for (index, camera) in inputs.enumerated() {
      if index < cameras.count, cameras[index].fits(camera) { continue }
      let made = VisibilityCamera(camera, configuration, stride: columnStride)
      if index < cameras.count { cameras[index] = made } else { cameras.append(made) }
    }
  }

  /// A camera without a sample in this frame sees nothing.
  func mark(_ input: CameraInput, at index: Int) {
    let camera = cameras[index]
    camera.visible.zero()
    guard input.isValid, input.keyEgoFromCamera.isFinite, camera.rayCount > 0 else { return }
    setRays(egoFromSensor: input.keyEgoFromCamera, isEndless: true)
    if case .simd(let set) = engine {
      unsafe pool.run(
        ViewRaysJob(
          map: self, set: set, base: UnsafeRawPointer(camera.rays.pointer), stride: 12,
          offsets: (0, 4, 8), count: camera.rayCount, stops: occupied.pointer))
      merge(set, into: camera.visible)
    } else {
      for ray in 0..<camera.rayCount {
        let vector = SIMD3(
          camera.rays[3 * ray], camera.rays[3 * ray + 1], camera.rays[3 * ray + 2])
        markRayReference(vector, stops: occupied, into: camera.visible)
      }
    }
    for column in 0..<configuration.columnCount {
      unsafe anyCamera.pointer[column] |= camera.visible.pointer[column]
    }
  }

  // MARK: results

  /// `Visibility` raw values of the LiDARs together, [x][y][z]. Allocates nothing.
  public func copyLidarStates(into bytes: AlignedBuffer<UInt8>) {
    expand(lidarVisible, lidarField, (2, 1), into: bytes)
  }
  /// `Visibility` raw values of one camera, [x][y][z], in the rig's order. Allocates nothing.
  public func copyStates(ofCamera index: Int, into bytes: AlignedBuffer<UInt8>) {
    precondition(cameras.indices.contains(index), "camera \(index) of \(cameras.count)")
    expand(cameras[index].visible, cameras[index].field, (2, 1), into: bytes)
  }
  /// Occ3D's mask_lidar, 0 or 1, [x][y][z]. Allocates nothing.
  public func copyLidarMask(into bytes: AlignedBuffer<UInt8>) {
    expand(lidarVisible, known, (1, 1), into: bytes)
  }
  /// Occ3D's mask_camera, 0 or 1, [x][y][z]. Allocates nothing.
  public func copyCameraMask(into bytes: AlignedBuffer<UInt8>) {
    for column in 0..<configuration.columnCount {
      unsafe parts.pointer[column] =
        anyCamera.pointer[column] & (lidarVisible.pointer[column] | known.pointer[column])
    }
    expand(parts, blank, (1, 0), into: bytes)
    parts.zero()
  }
  /// 1 where a LiDAR point of the frame or an occupied voxel of the window lies, [x][y][z].
  public func copyOccupied(into bytes: AlignedBuffer<UInt8>) {
    expand(occupied, blank, (1, 0), into: bytes)
  }

  private func expand(
    _ bits: AlignedBuffer<UInt32>, _ other: AlignedBuffer<UInt32>, _ values: (UInt8, UInt8),
    into bytes: AlignedBuffer<UInt8>
  ) {
    precondition(
      bytes.count >= configuration.cellCount,
      "\(configuration.cellCount) cells do not fit \(bytes.count) bytes")
    let set: InstructionSet
    // The kernel is scalar in every build; the reference takes the one without vector flags.
    if case .simd(let chosen) = engine { set = chosen } else { set = .portable }
    unsafe pool.run(
      ViewExpandJob(
        set: set, bits: bits.pointer, other: other.pointer, height: configuration.cellCounts.z,
        values: values, columns: configuration.columnCount, bytes: bytes.pointer))
  }

  /// The cell of a position in ego; nil outside.
  public func cell(ofEgo position: SIMD3<Double>) -> SIMD3<Int>? {
    let p = (position - configuration.lowerMeters) / configuration.cellSizeMeters
    let n = SIMD3<Double>(configuration.cellCounts)
    guard p.x >= 0, p.y >= 0, p.z >= 0, p.x < n.x, p.y < n.y, p.z < n.z else { return nil }
    return SIMD3(Int(p.x), Int(p.y), Int(p.z))
  }
  /// What the LiDARs tell about a cell, and whether a point of the frame lies in it.
  public func lidarState(_ cell: SIMD3<Int>) -> (state: Visibility, isHit: Bool) {
    let column = cell.x * configuration.cellCounts.y + cell.y
    let bit = UInt32(1) << UInt32(cell.z)
    let isHit = lidarHits[column] & bit != 0
    if lidarVisible[column] & bit != 0 { return (.visible, isHit) }
    return (lidarField[column] & bit != 0 ? .occluded : .outOfView, isHit)
  }
}
