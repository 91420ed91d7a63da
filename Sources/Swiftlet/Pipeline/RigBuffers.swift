/// What a pipeline owns for one rig: made by its first frame, and again when the rig changes.
final class RigBuffers {
  /// The frame's cameras with unusable ones marked invalid.
  private(set) var cameras: [CameraInput]
  private(set) var lidars: [LidarInput]
  /// nil for a rig without cameras.
  let cameraToBEV: CameraToBEV?
  let egoPoints: EgoPoints
  let lidarBEV: LidarBEV
  /// nil unless fusion is early.
  let painter: PointPainter?
  private let featureSizes: [FrustumLayout.Camera]
  private let depthBinCount: Int
  private let channelCount: Int
  private let masksNotFinite: Bool
  private let engine: Engine

  init(
    _ frame: SensorFrame, configuration: PipelineConfiguration, grid: BEVGrid,
    lidarMap: LidarBEVConfiguration, engine: Engine, pool: WorkerPool
  ) throws(ConfigurationError) {
    cameras = frame.cameras
    lidars = frame.lidars
    depthBinCount = configuration.depth.binCount
    channelCount = configuration.channelCount
    masksNotFinite = configuration.notFiniteFeatures == .mask
    self.engine = engine
    featureSizes = frame.cameras.map(Self.featureSize)
    if let bad = featureSizes.firstIndex(where: { $0.pixelCount <= 0 }) {
      throw ConfigurationError(
        field: "rig.\(frame.cameras[bad].name)", expected: "a feature map of 1 cell or more",
        found: "a network image of \(frame.cameras[bad].networkWidthPixels)×\(frame.cameras[bad].networkHeightPixels) pixels",
        remedy: "use images of at least 16×16 pixels")
    }
    cameraToBEV =
      frame.cameras.isEmpty
      ? nil
      : try CameraToBEV(
        configuration: configuration.cameraToBEV, cameras: featureSizes, engine: engine, pool: pool)
    // Room to spare, so that a denser scan later in the drive makes no new buffers.
    let capacity = max(1 << 18, Self.pointCount(frame) * 2)
    egoPoints = EgoPoints(
      capacity: capacity, egoBox: configuration.egoBox, engine: engine, pool: pool)
    lidarBEV = try LidarBEV(configuration: lidarMap, maximumPoints: capacity, engine: engine)
    painter =
      configuration.fusion.mode == .early
      ? PointPainter(
        capacity: capacity, cellCount: grid.cellCount, cameraCount: frame.cameras.count,
        engine: engine, pool: pool) : nil
  }

  /// True when a frame has this rig's cameras in their sizes and no more points than there is room.
  func fits(_ frame: SensorFrame) -> Bool {
    guard frame.cameras.count == featureSizes.count, frame.lidars.count == lidars.count,
      Self.pointCount(frame) <= egoPoints.capacity
    else { return false }
    for (camera, size) in zip(frame.cameras, featureSizes)
    where camera.isValid && Self.featureSize(camera) != size {
      return false
    }
    return true
  }

  /// Copies the frame's sensors, masks those that cannot be used and says why.
  func takeUsableSensors(of frame: SensorFrame, findings: inout [FrameFinding]) {
    for index in cameras.indices {
      cameras[index] = frame.cameras[index]
      if let problem = problem(with: cameras[index], featureSizes[index]) {
        cameras[index].isValid = false
        findings.append(FrameFinding(kind: problem, sensorIndex: index))
      } else if cameras[index].isValid {
        checkValues(of: index, &findings)
      }
    }
    for index in lidars.indices {
      lidars[index] = frame.lidars[index]
      let pose = lidars[index].worldFromLidar
      guard lidars[index].isValid else { continue }
      let reach = max(
        abs(pose.translation.x), abs(pose.translation.y), abs(pose.translation.z))
      if !pose.isFinite || pose.rotation.orthonormalityError > 1e-3 || !(reach < 1e7) {
        lidars[index].isValid = false
        findings.append(FrameFinding(kind: .lidarPoseInvalid, sensorIndex: index))
      }
    }
  }

  /// NaN and infinities are always reported; the configuration says whether the camera is masked.
  private func checkValues(of index: Int, _ findings: inout [FrameFinding]) {
    let camera = cameras[index]
    let count =
      (camera.features?.notFiniteCount(engine: engine) ?? 0)
      + (camera.depth?.notFiniteCount(engine: engine) ?? 0)
    guard count > 0 else { return }
    if masksNotFinite { cameras[index].isValid = false }
    findings.append(
      FrameFinding(kind: .cameraFeaturesNotFinite, sensorIndex: index, count: count))
  }

  private func problem(
    with camera: CameraInput, _ size: FrustumLayout.Camera
  ) -> FrameFinding.Kind? {
    guard camera.isValid else { return nil }
    do throws(CalibrationError) {
      try camera.intrinsics.validate(sensor: camera.name)
      try camera.keyEgoFromCamera.validate(sensor: camera.name)
    } catch {
      return .cameraCalibrationInvalid
    }
    guard let features = camera.features, let depth = camera.depth,
      features.shape == (size.featureHeight, size.featureWidth, channelCount),
      depth.shape == (depthBinCount, size.featureHeight, size.featureWidth),
      features.elementType != .uint8, depth.elementType != .uint8
    else { return .cameraInputInvalid }
    return nil
  }

  private static func featureSize(_ camera: CameraInput) -> FrustumLayout.Camera {
    if let features = camera.features, features.shape.0 > 0, features.shape.1 > 0 {
      return FrustumLayout.Camera(
        featureWidth: features.shape.1, featureHeight: features.shape.0)
    }
    return FrustumLayout.Camera(
      featureWidth: max(camera.networkWidthPixels / BuiltInEncoder.stride, 1),
      featureHeight: max(camera.networkHeightPixels / BuiltInEncoder.stride, 1))
  }

  private static func pointCount(_ frame: SensorFrame) -> Int {
    var count = 0
    for lidar in frame.lidars where lidar.isValid { count += lidar.points.count }
    return count
  }
}
