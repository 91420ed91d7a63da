/// How a rig's features become a BEV map.
public struct CameraToBEVConfiguration: Sendable, Equatable {
  public var grid: BEVGrid
  public var depthBins: DepthBins
  /// Feature channels.
  public var channels: Int
  public var cellRule: CellRule
  /// BEV augmentation, applied last to every point (BEVDet's bda).
  public var bevAugmentation: Matrix3
  /// The layout of the result.
  public var order: BEVOrder

  public init(
    grid: BEVGrid, depthBins: DepthBins, channels: Int, cellRule: CellRule = .truncation,
    bevAugmentation: Matrix3 = .identity, order: BEVOrder = .slabs
  ) {
    precondition(channels > 0, "\(channels) feature channels; at least 1 is needed")
    self.grid = grid
    self.depthBins = depthBins
    self.channels = channels
    self.cellRule = cellRule
    self.bevAugmentation = bevAugmentation
    self.order = order
  }
}

/// Camera-to-BEV projection: depth softmax where needed, frustum lift, index tables, pooling.
///
/// Made once for a rig of 1 to 12 cameras, whose feature maps may differ in size. Every buffer is
/// made in `init`; afterwards nothing allocates. The result is owned and valid until the next
/// `project`.
public final class CameraToBEV {
  public let configuration: CameraToBEVConfiguration
  public let layout: FrustumLayout
  public let engine: Engine
  let pool: WorkerPool
  public let lift: FrustumLift
  public let index: BEVIndex
  /// The pooled map in `configuration.order`; [z][y][x][channel] by default. Cells that no valid
  /// camera reaches are exactly 0.
  public let bev: AlignedBuffer<Float>
  /// [y][x]: 1 where a camera valid in the last frame has a point at any height.
  public let cellValidity: AlignedBuffer<UInt8>
  /// The cameras that contributed to the last frame.
  public private(set) var validCameras: CameraSet = []
  /// How often the tables were rebuilt: a static rig stays at 1.
  public private(set) var rebuildCount = 0
  let packedFeatures: AlignedBuffer<Float>
  let packedDepth: AlignedBuffer<Float>
  let target: PoolTarget

  /// - Parameters:
  ///   - configuration: grid, depth bins, cell rule and layout.
  ///   - cameras: the feature map of each camera, in the rig's order.
  ///   - engine: the scalar reference, or the kernels of one instruction set.
  ///   - pool: shared with the rest of the pipeline; one caller at a time.
  /// - Throws: `ConfigurationError` for a rig of no or more than 12 cameras.
  public init(
    configuration: CameraToBEVConfiguration, cameras: [FrustumLayout.Camera], engine: Engine,
    pool: WorkerPool
  ) throws(ConfigurationError) {
    guard (1...12).contains(cameras.count) else {
      throw ConfigurationError(
        field: "rig.cameras", expected: "1 to 12 cameras", found: "\(cameras.count)",
        remedy: "leave cameras out or split the rig")
    }
    self.configuration = configuration
    self.engine = engine
    self.pool = pool
    let grid = configuration.grid
    layout = FrustumLayout(cameras: cameras, binCount: configuration.depthBins.count)
    lift = FrustumLift(
      layout: layout, grid: grid, depthBins: configuration.depthBins,
      cellRule: configuration.cellRule, bevAugmentation: configuration.bevAugmentation,
      engine: engine)
    index = BEVIndex(layout: layout, cellCount: grid.cellCount, engine: engine, pool: pool)
    bev = AlignedBuffer(count: grid.cellCount * configuration.channels)
    cellValidity = AlignedBuffer(count: grid.sizeX * grid.sizeY)
    packedFeatures = AlignedBuffer(count: layout.featureCount * configuration.channels)
    packedDepth = AlignedBuffer(count: layout.pointCount)
    target = PoolTarget(grid: grid, channels: configuration.channels, order: configuration.order)
  }

  /// Takes over the calibration of every valid camera and rebuilds the tables when one differs in
  /// any bit from the last; false when nothing changed, which costs some comparisons per camera.
  /// A camera that is not valid keeps the geometry it had.
  ///
  /// - Throws: `CalibrationError` when a valid camera's calibration describes no camera; the tables
  ///   are then as before.
  @discardableResult
  public func updateCalibration(_ cameras: [CameraInput]) throws(CalibrationError) -> Bool {
    precondition(
      cameras.count == layout.cameras.count,
      "\(cameras.count) cameras for a rig of \(layout.cameras.count)")
    for camera in cameras where camera.isValid {
      try camera.intrinsics.validate(sensor: camera.name)
      try camera.keyEgoFromCamera.validate(sensor: camera.name)
      try camera.augmentation.validate(sensor: camera.name)
    }
    var changed = rebuildCount == 0
    for (position, camera) in cameras.enumerated() where camera.isValid {
      let geometry = FrustumCamera(
        intrinsics: camera.intrinsics, egoFromCamera: camera.keyEgoFromCamera,
        augmentation: camera.augmentation, networkWidthPixels: camera.networkWidthPixels,
        networkHeightPixels: camera.networkHeightPixels)
      if lift.setCamera(position, geometry) { changed = true }
    }
    if changed {
      index.rebuild(lift)
      rebuildCount += 1
    }
    return changed
  }

  /// Pools the features of every valid camera into `bev` and marks `cellValidity`. Features
  /// [y][x][channel] and depth [bin][y][x] may have any strides and be fp32, fp16 or bf16; float32
  /// tensors that lie one after another as `layout` says are read in place, others are packed.
  ///
  /// - Throws: `InputError` when a valid camera lacks features or depth or their shapes are wrong;
  ///   the result is then as before.
  public func project(_ cameras: [CameraInput]) throws(InputError) {
    precondition(
      cameras.count == layout.cameras.count,
      "\(cameras.count) cameras for a rig of \(layout.cameras.count)")
    for (position, camera) in cameras.enumerated() where camera.isValid {
      try check(camera, layout.cameras[position])
    }
    var valid: CameraSet = []
    for (position, camera) in cameras.enumerated() where camera.isValid {
      valid.insert(.camera(position))
    }
    validCameras = valid
    unsafe BEVPool.pool(
      index, gatherDepth(cameras), gatherFeatures(cameras), channels: configuration.channels,
      cameras: valid, target: target, into: bev.pointer)
    index.markValidCells(valid, slabs: configuration.grid.sizeZ, into: cellValidity)
  }
}
