/// What places one camera's frustum in the BEV frame.
public struct FrustumCamera: Sendable, Equatable {
  public var intrinsics: CameraIntrinsics
  /// Camera at its own time to ego at the frame's time.
  public var egoFromCamera: RigidTransform
  /// Raw pixels to network pixels.
  public var augmentation: ImageAugmentation
  public var networkWidthPixels: Int
  public var networkHeightPixels: Int

  public init(
    intrinsics: CameraIntrinsics, egoFromCamera: RigidTransform,
    augmentation: ImageAugmentation = .identity, networkWidthPixels: Int, networkHeightPixels: Int
  ) {
    self.intrinsics = intrinsics
    self.egoFromCamera = egoFromCamera
    self.augmentation = augmentation
    self.networkWidthPixels = networkWidthPixels
    self.networkHeightPixels = networkHeightPixels
  }
}

/// Lifts the feature pixels of a rig to ego points and cell ranks (section "frustum and lift" of
/// LSS and BEVDet): point = depth · ray + origin with a ray of unit z-depth per feature pixel.
///
/// The chain pixel → augmentation → lens → ego → BEV augmentation is composed in float64 and
/// rounded once, in the ray; per point only float32 arithmetic remains. Owns its buffers: nothing
/// allocates after `init`.
public final class FrustumLift {
  public let layout: FrustumLayout
  public let grid: BEVGrid
  public let cellRule: CellRule
  /// Applied last to every point: BEVDet's bda.
  public let bevAugmentation: Matrix3
  public let engine: Engine
  /// Depth of each bin, metres.
  let depths: AlignedBuffer<Float>
  /// Camera-frame rays (x/z, y/z) of every feature token.
  let cameraRayX: AlignedBuffer<Double>
  let cameraRayY: AlignedBuffer<Double>
  /// Ego-frame rays of unit z-depth.
  let rayX: AlignedBuffer<Float>
  let rayY: AlignedBuffer<Float>
  let rayZ: AlignedBuffer<Float>
  /// 16 floats per camera: origin, lower, step, size, bound (see the kernel).
  let parameters: AlignedBuffer<Float>
  private let matrix = AlignedBuffer<Double>(count: 9)
  private var current: [FrustumCamera?]

  /// - Parameters:
  ///   - layout: its bin count must be that of `depthBins`.
  ///   - grid: the cells that points fall into.
  ///   - depthBins: lower edges of the bins, metres.
  ///   - cellRule: truncation as the references have it, or floor.
  ///   - bevAugmentation: applied last to every point (bda).
  ///   - engine: the scalar reference, or the kernels of one instruction set.
  public init(
    layout: FrustumLayout, grid: BEVGrid, depthBins: DepthBins, cellRule: CellRule = .truncation,
    bevAugmentation: Matrix3 = .identity, engine: Engine
  ) {
    precondition(
      layout.binCount == depthBins.count,
      "the layout has \(layout.binCount) bins, the template \(depthBins.count)")
    self.layout = layout
    self.grid = grid
    self.cellRule = cellRule
    self.bevAugmentation = bevAugmentation
    self.engine = engine
    depths = AlignedBuffer(depthBins.values)
    let tokens = layout.featureCount
    cameraRayX = AlignedBuffer(count: tokens)
    cameraRayY = AlignedBuffer(count: tokens)
    rayX = AlignedBuffer(count: tokens)
    rayY = AlignedBuffer(count: tokens)
    rayZ = AlignedBuffer(count: tokens)
    parameters = AlignedBuffer(count: 16 * layout.cameras.count)
    current = Array(repeating: nil, count: layout.cameras.count)
    // A camera never calibrated has NaN rays, which no cell keeps.
    rayX.fill(.nan)
    for camera in layout.cameras.indices { setOrigin(.zero, camera: camera) }
  }

  /// Places camera `index`; false when its geometry is exactly the one it has already.
  public func setCamera(_ index: Int, _ geometry: FrustumCamera) -> Bool {
    if current[index] == geometry { return false }
    let keepsRays =
      current[index].map {
        $0.intrinsics == geometry.intrinsics && $0.augmentation == geometry.augmentation
          && $0.networkWidthPixels == geometry.networkWidthPixels
          && $0.networkHeightPixels == geometry.networkHeightPixels
      } ?? false
    if !keepsRays { setCameraRays(index, geometry) }
    setEgoFromCamera(
      index, rotation: geometry.egoFromCamera.rotation,
      translation: geometry.egoFromCamera.translation)
    current[index] = geometry
    return true
  }

  /// Places camera `index` from templates and matrices as the projects pass them: `columns` and
  /// `rows` are network pixels, `rayFromPixel` maps (u, v, 1) to (x/z, y/z, 1).
  public func setCamera(
    _ index: Int, columns: [Float], rows: [Float], rayFromPixel: Matrix3, rotation: Matrix3,
    translation: SIMD3<Double>
  ) {
    current[index] = nil
    fillRays(index) { column, row in
      let ray = rayFromPixel * SIMD3(Double(columns[column]), Double(rows[row]), 1)
      return SIMD2(ray.x, ray.y)
    }
    setEgoFromCamera(index, rotation: rotation, translation: translation)
  }

  private func setCameraRays(_ index: Int, _ geometry: FrustumCamera) {
    let camera = layout.cameras[index]
    let back = geometry.augmentation.inverse
    // Rounded to float32 as the projects' templates are.
    let stepX = FrustumTemplate.step(
      imageSize: geometry.networkWidthPixels, count: camera.featureWidth)
    let stepY = FrustumTemplate.step(
      imageSize: geometry.networkHeightPixels, count: camera.featureHeight)
    let intrinsics = geometry.intrinsics
    fillRays(index) { column, row in
      let pixel = SIMD2(
        Double(Float(Double(column) * stepX)), Double(Float(Double(row) * stepY)))
      return intrinsics.ray(of: back.applied(to: pixel))
    }
  }

  private func fillRays(_ index: Int, _ ray: (Int, Int) -> SIMD2<Double>) {
    let camera = layout.cameras[index]
    var token = layout.featureStarts[index]
    for row in 0..<camera.featureHeight {
      for column in 0..<camera.featureWidth {
        let value = ray(column, row)
        cameraRayX[token] = value.x
        cameraRayY[token] = value.y
        token += 1
      }
    }
  }

  private func setEgoFromCamera(_ index: Int, rotation: Matrix3, translation: SIMD3<Double>) {
    let composed = bevAugmentation * rotation
    setOrigin(bevAugmentation * translation, camera: index)
    switch engine {
    case .reference: rotateReference(index, composed)
    case .simd(let set): rotateSIMD(index, composed, set)
    }
  }

  private func setOrigin(_ origin: SIMD3<Double>, camera: Int) {
    let base = 16 * camera
    for axis in 0..<3 {
      parameters[base + axis] = Float(origin[axis])
      parameters[base + 3 + axis] = Float(grid.lowerMeters[axis])
      parameters[base + 6 + axis] = Float(grid.stepMeters[axis])
    }
    parameters[base + 9] = Float(grid.sizeX)
    parameters[base + 10] = Float(grid.sizeY)
    parameters[base + 11] = Float(grid.sizeZ)
    parameters[base + 12] = cellRule == .truncation ? -1 : -Float.leastNonzeroMagnitude
  }

  private func rotateSIMD(_ index: Int, _ m: Matrix3, _ set: InstructionSet) {
    for axis in 0..<3 {
      matrix[axis] = m.row0[axis]
      matrix[3 + axis] = m.row1[axis]
      matrix[6 + axis] = m.row2[axis]
    }
    let token = layout.featureStarts[index]
    unsafe ProjectionKernels.rotateRays(
      set, cameraRayX.pointer + token, cameraRayY.pointer + token,
      layout.cameras[index].pixelCount, matrix.pointer, rayX.pointer + token,
      rayY.pointer + token, rayZ.pointer + token)
  }
}
