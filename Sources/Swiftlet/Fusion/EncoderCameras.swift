/// A frame's cameras as an encoder takes them: feature tokens of every camera, and where the anchors
/// of an ego-frame map fall in it.
@safe
public final class EncoderCameras: @unchecked Sendable {
  /// Of every camera's feature map, which must be the same size.
  public let featureHeight: Int
  public let featureWidth: Int
  public let channels: Int
  /// [camera][y][x][C].
  public let features: AlignedBuffer<Float>
  public let references: AnchorReferences
  private let grid: BEVGrid
  private let heightsMeters: [Double]

  /// - Parameters:
  ///   - frame: one that has features in its first valid camera.
  ///   - grid: cells of the map in the ego frame, x along its columns.
  ///   - heightsMeters: of the anchors above the ego origin, ascending.
  /// - Throws: `InputError` for a frame whose cameras have no features or different sizes.
  public init(
    _ frame: SensorFrame, grid: BEVGrid, heightsMeters: [Double]
  ) throws(InputError) {
    guard let shape = frame.cameras.compactMap({ $0.isValid ? $0.features?.shape : nil }).first
    else {
      throw InputError(
        input: "cameras", expected: "a camera with features", found: "none",
        remedy: "give a recording with network outputs or images")
    }
    (featureHeight, featureWidth, channels) = shape
    features = AlignedBuffer(count: frame.cameras.count * shape.0 * shape.1 * shape.2)
    references = AnchorReferences(
      maps: frame.cameras.count, queryCount: grid.sizeX * grid.sizeY, anchors: heightsMeters.count)
    self.grid = grid
    self.heightsMeters = heightsMeters
    try take(frame, engine: .reference, pool: WorkerPool(threadCount: 1))
  }

  /// The shape of a spatial attention over these cameras.
  public func crossShape(heads: Int, points: Int) -> DeformableShape {
    DeformableShape(
      channels: channels, heads: heads,
      levels: FeatureLevel.pyramid([(featureHeight, featureWidth)]), points: points,
      anchors: heightsMeters.count, maps: references.maps, queryCount: references.queryCount)
  }

  /// Features and calibration of `frame`; a camera that is not valid sees nothing.
  ///
  /// - Throws: `InputError` when a valid camera's features have another shape.
  public func take(_ frame: SensorFrame, engine: Engine, pool: WorkerPool) throws(InputError) {
    let count = featureHeight * featureWidth * channels
    for (index, camera) in frame.cameras.enumerated() where index < references.maps {
      references.setEgoCamera(index, camera, grid: grid, heightsMeters: heightsMeters)
      guard camera.isValid else { continue }
      guard let view = camera.features,
        view.shape == (featureHeight, featureWidth, channels), view.elementType != .uint8
      else {
        throw InputError(
          input: camera.name,
          expected: "features of \(featureHeight) x \(featureWidth) x \(channels)",
          found: camera.features.map { "\($0.shape), \($0.elementType.rawValue)" } ?? "none",
          remedy: "export features of one size for every camera")
      }
      unsafe TensorPacking.pack(
        view, into: features.pointer + index * count, engine: engine, pool: pool)
    }
  }
}

extension AnchorReferences {
  /// Anchors of camera `index` for a map in the ego frame at the frame's time: cell centres of `grid`
  /// at `heightsMeters`, through the camera and its image augmentation, as fractions of the network's
  /// image. A camera that is not valid sees none.
  public func setEgoCamera(
    _ index: Int, _ camera: CameraInput, grid: BEVGrid, heightsMeters: [Double]
  ) {
    precondition(
      heightsMeters.count == anchors && grid.sizeX * grid.sizeY == queryCount,
      "\(heightsMeters.count) heights over \(grid.sizeX) x \(grid.sizeY) cells")
    let cameraFromEgo = camera.keyEgoFromCamera.inverse
    let a = camera.augmentation
    for query in 0..<queryCount {
      let x = grid.lowerMeters.x + (Double(query % grid.sizeX) + 0.5) * grid.stepMeters.x
      let y = grid.lowerMeters.y + (Double(query / grid.sizeX) + 0.5) * grid.stepMeters.y
      for (anchor, z) in heightsMeters.enumerated() {
        let p = cameraFromEgo * SIMD3(x, y, z)
        let depth = max(p.z, 1e-5)
        let column = p.x / depth * camera.intrinsics.focalX + camera.intrinsics.centerX
        let row = p.y / depth * camera.intrinsics.focalY + camera.intrinsics.centerY
        let u = (a.a00 * column + a.a01 * row + a.tx) / Double(camera.networkWidthPixels)
        let v = (a.a10 * column + a.a11 * row + a.ty) / Double(camera.networkHeightPixels)
        let isVisible = camera.isValid && p.z > 1e-5 && u > 0 && u < 1 && v > 0 && v < 1
        set(map: index, query: query, anchor: anchor, x: u, y: v, isVisible: isVisible)
      }
    }
  }
}
