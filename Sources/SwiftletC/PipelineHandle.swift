import CSwiftlet
import Swiftlet

/// A pipeline, its rig and the frame it is fed with: kept, so that a call only fills it in.
@safe
final class PipelineHandle: Handle {
  let options: Options
  let pipeline: FramePipeline
  /// The rig's sensors, refilled by every call.
  private(set) var frame = SensorFrame(
    timestampNanoseconds: 0, worldFromEgo: .identity, resetsHistory: true, cameras: [], lidars: [])
  /// The feature map of each camera.
  private var featureSizes: [SIMD2<Int>] = []
  /// The last of project, update, fuse that the frame in work has behind it.
  private var verb = Verb.none

  enum Verb { case none, projected, updated }
  private var encoder: BuiltInEncoder?
  /// Made by swiftlet_pipeline_prepare_queries, brought up to date after a frame.
  var queries: QueryState?
  var queriesAreCurrent = false
  /// Poses of the path that is asked about; keeps its room.
  private(set) var path: [RigidTransform] = []
  /// Of the last frame that worked; a refused one leaves results and this as they were.
  private(set) var resultWorldFromEgo = RigidTransform.identity
  private(set) var resultTime: Int64 = 0
  private(set) var hasRig = false
  private(set) var hasResults = false
  /// Cameras whose tensors the last frame lacked.
  private(set) var camerasWithoutInput: UInt32 = 0

  init(_ options: Options) throws(Failure) {
    self.options = options
    try options.checkMemory(options.configuration.estimatedBytes, "configuration")
    let pool = try options.makePool()
    do throws(ConfigurationError) {
      if let weights = options.weights {
        pipeline = try FramePipeline(
          configuration: options.configuration, weights: weights, engine: options.engine,
          pool: pool)
      } else {
        pipeline = try FramePipeline(
          configuration: options.configuration, weights: FusionWeights?.none,
          engine: options.engine, pool: pool)
      }
    } catch { throw Failure(error) }
  }

  // MARK: rig

  func setRig(_ rig: Rig) throws(Failure) {
    var bytes = options.configuration.estimatedBytes
    for camera in rig.cameras {
      bytes += camera.estimatedBytes(options.configuration)
    }
    bytes += rig.maps.count * options.configuration.mapBytes * 3
    try options.checkMemory(bytes, "rig")
    var prepared = rig.frame(options)
    let madeEncoder =
      options.encodesImages
      ? BuiltInEncoder(
        rig: prepared, configuration: options.configuration, engine: options.engine,
        pool: pipeline.pool) : nil
    rig.announceTensors(in: &prepared, options)
    do throws(InputError) { try pipeline.rebuild(for: prepared) } catch { throw Failure(error) }
    frame = prepared
    featureSizes = rig.cameras.map(\.featureSize)
    encoder = madeEncoder
    hasRig = true
    reset()
    try options.lockMemory()
  }

  /// Drops every borrowed view and the frame that was in work.
  private func forgetInputs() {
    verb = .none
    frame.bevMaps.removeAll(keepingCapacity: true)
    for index in frame.cameras.indices {
      frame.cameras[index].isValid = false
      frame.cameras[index].features = nil
      frame.cameras[index].depth = nil
      frame.cameras[index].image = nil
    }
    for index in frame.lidars.indices {
      frame.lidars[index].isValid = false
      frame.lidars[index].points = .empty
    }
  }

  // MARK: frames

  func process(_ given: swiftlet_frame) throws(Failure) {
    unsafe try project(given)
    try update()
    try fuse()
  }

  func project(_ given: swiftlet_frame) throws(Failure) {
    guard hasRig else { throw .state("a rig", "swiftlet_pipeline_set_rig") }
    forgetInputs()
    do throws(Failure) {
      unsafe try take(given)
      encodeImages()
      maskCamerasWithoutInput()
      do throws(InputError) { try pipeline.project(frame) } catch { throw Failure(error) }
    } catch {
      forgetInputs()
      throw error
    }
    verb = .projected
  }

  func update() throws(Failure) {
    guard verb == .projected else {
      throw .state("a projected frame", "swiftlet_pipeline_project")
    }
    pipeline.update(frame)
    verb = .updated
    (resultWorldFromEgo, resultTime) = (frame.worldFromEgo, frame.timestampNanoseconds)
    hasResults = true
    queriesAreCurrent = false
  }

  func fuse() throws(Failure) {
    guard verb == .updated else { throw .state("an updated frame", "swiftlet_pipeline_update") }
    pipeline.fuse(frame)
    forgetInputs()
  }

  private func take(_ given: swiftlet_frame) throws(Failure) {
    guard unsafe Int(given.camera_count) == frame.cameras.count,
      unsafe Int(given.lidar_count) == frame.lidars.count
    else {
      throw .input(
        "frame", expected: "\(frame.cameras.count) cameras and \(frame.lidars.count) LiDARs",
        found: "\(unsafe given.camera_count) and \(unsafe given.lidar_count)",
        "give every sensor of the rig, missing ones without SWIFTLET_SENSOR_VALID")
    }
    frame.timestampNanoseconds = unsafe given.timestamp_ns
    try checkTime(frame.timestampNanoseconds, "frame")
    frame.worldFromEgo = unsafe RigidTransform(given.world_from_ego)
    try checkReach(frame.worldFromEgo.translation)
    frame.resetsHistory = unsafe given.flags & UInt32(SWIFTLET_RESET_HISTORY) != 0
    for index in frame.cameras.indices {
      unsafe try takeCamera(element(given.cameras, index, "cameras"), index)
    }
    var points = 0
    for index in frame.lidars.indices {
      unsafe try takeLidar(element(given.lidars, index, "lidars"), index, &points)
    }
    let maps = unsafe given.map_count
    guard maps <= 2 else {
      throw .input("frame.map_count", expected: "0 to 2", found: "\(maps)", "give one map of a kind")
    }
    for index in 0..<Int(maps) {
      unsafe try takeMap(element(given.maps, index, "maps"), index)
    }
  }

  /// Differences of times must not overflow.
  private func checkTime(_ time: Int64, _ what: String) throws(Failure) {
    guard time > -1 << 62, time < 1 << 62 else {
      throw .input(
        "\(what).timestamp_ns", expected: "a time within 2^62 ns", found: "\(time)",
        "give nanoseconds of one clock")
    }
  }

  /// Voxels have 32-bit keys.
  private func checkReach(_ position: SIMD3<Double>) throws(Failure) {
    let reach = max(abs(position.x), abs(position.y), abs(position.z))
    guard !(reach / options.configuration.occupancy.voxelSizeMeters < 5e8) else { return }
    throw .input(
      "frame.world_from_ego", expected: "a position within 500,000,000 voxels of the origin",
      found: "\(position)", "correct the pose or move the world's origin")
  }

  private func takeCamera(_ c: swiftlet_camera_frame, _ index: Int) throws(Failure) {
    frame.cameras[index].isValid = unsafe c.flags & UInt32(SWIFTLET_SENSOR_VALID) != 0
    guard frame.cameras[index].isValid else { return }
    let size = featureSizes[index]
    let configuration = options.configuration
    try checkTime(unsafe c.timestamp_ns, "cameras[\(index)]")
    frame.cameras[index].timestampNanoseconds = unsafe c.timestamp_ns
    frame.cameras[index].ageNanoseconds = frame.timestampNanoseconds - (unsafe c.timestamp_ns)
    frame.cameras[index].keyEgoFromCamera = unsafe RigidTransform(c.key_ego_from_camera)
    frame.cameras[index].depthIsLogits = unsafe c.flags & UInt32(SWIFTLET_DEPTH_LOGITS) != 0
    frame.cameras[index].features = unsafe try view(
      c.features, shape: (size.y, size.x, configuration.channelCount),
      "cameras[\(index)].features")
    frame.cameras[index].depth = unsafe try view(
      c.depth, shape: (configuration.depth.binCount, size.y, size.x), "cameras[\(index)].depth")
    frame.cameras[index].image = unsafe try view(c.image, "cameras[\(index)].image")
  }

  private func takeLidar(
    _ l: swiftlet_lidar_frame, _ index: Int, _ points: inout Int
  ) throws(Failure) {
    frame.lidars[index].isValid = unsafe l.flags & UInt32(SWIFTLET_SENSOR_VALID) != 0
    guard frame.lidars[index].isValid else { return }
    // Negative where the caller's size_t is absurd.
    let count = unsafe l.point_count
    guard count >= 0, count <= options.maximumPoints - points else {
      throw Failure(
        Int(SWIFTLET_ERROR_TOO_LARGE),
        "lidars[\(index)].point_count: expected at most \(options.maximumPoints) points a frame, found \(UInt(bitPattern: count)) after \(points); thin the scan or raise maximum_points")
    }
    points += count
    try checkTime(unsafe l.timestamp_ns, "lidars[\(index)]")
    frame.lidars[index].timestampNanoseconds = unsafe l.timestamp_ns
    frame.lidars[index].ageNanoseconds = frame.timestampNanoseconds - (unsafe l.timestamp_ns)
    frame.lidars[index].worldFromLidar = unsafe RigidTransform(l.world_from_lidar)
    frame.lidars[index].points = unsafe try view(l, "lidars[\(index)]")
  }

  private func takeMap(_ m: swiftlet_bev_frame, _ index: Int) throws(Failure) {
    let name = "maps[\(index)]"
    guard let kind = unsafe BEVMapInput.Kind(m.kind),
      !frame.bevMaps.contains(where: { $0.kind == kind })
    else {
      throw .input(
        "\(name).kind", expected: "0 (radar) or 1 (prior), each once", found: "\(unsafe m.kind)",
        "use a SWIFTLET_BEV constant")
    }
    let (rows, columns) = (pipeline.grid.sizeY, pipeline.grid.sizeX)
    guard unsafe m.flags & UInt32(SWIFTLET_SENSOR_VALID) != 0,
      let features = unsafe try view(
        m.features, shape: (rows, columns, options.configuration.channelCount), "\(name).features")
    else { return }
    try checkTime(unsafe m.timestamp_ns, name)
    var input = BEVMapInput(
      kind: kind, name: kind == .radar ? "radar" : "map prior",
      ageNanoseconds: frame.timestampNanoseconds - (unsafe m.timestamp_ns), features: features,
      worldFromEgo: unsafe RigidTransform(m.world_from_ego))
    if let validity = unsafe m.validity {
      guard unsafe m.validity_byte_count >= rows * columns || m.validity_byte_count < 0 else {
        throw .input(
          "\(name).validity", expected: "\(rows * columns) bytes",
          found: "\(unsafe m.validity_byte_count)", "give a byte for every cell")
      }
      input.validity = unsafe TensorView(
        base: validity, elementType: .uint8, shape: (1, rows, columns))
    }
    frame.bevMaps.append(input)
  }

  private func encodeImages() {
    guard let encoder else { return }
    var needed = false
    for camera in frame.cameras
    where camera.isValid && camera.image != nil && (camera.features == nil || camera.depth == nil) {
      // The encoder projects points with these poses; unusable ones are masked by the pipeline.
      guard camera.keyEgoFromCamera.isFinite, frame.worldFromEgo.isFinite else { return }
      needed = true
    }
    if needed { encoder.encode(&frame) }
  }

  private func maskCamerasWithoutInput() {
    camerasWithoutInput = 0
    for index in frame.cameras.indices where frame.cameras[index].isValid {
      if frame.cameras[index].features != nil, frame.cameras[index].depth != nil { continue }
      frame.cameras[index].isValid = false
      camerasWithoutInput |= 1 << UInt32(index)
    }
  }

  func reset() {
    forgetInputs()
    pipeline.reset()
    queries?.distances.reset()
    queries?.tracker.reset()
    queriesAreCurrent = false
    hasResults = false
  }

  func takePath(
    _ rows: UnsafePointer<Double>?, _ count: Int, _ grid: OccupancyGrid
  ) throws(Failure) {
    path.removeAll(keepingCapacity: true)
    guard let rows = unsafe rows else { return }
    for index in 0..<count {
      let pose = try unsafe rigid(rows + 12 * index, "world_from_boxes")
      try checkPosition(pose.translation, grid, "world_from_boxes")
      path.append(pose)
    }
  }

  func needResults() throws(Failure) {
    guard hasResults else { throw .state("a processed frame", "swiftlet_pipeline_process") }
  }

  /// A loaded state is a result as far as it goes: the window and the fused map.
  func noteLoadedState() {
    forgetInputs()
    if let last = pipeline.savedPose { (resultWorldFromEgo, resultTime) = last }
    hasResults = true
    queries?.distances.reset()
    queries?.tracker.reset()
    queriesAreCurrent = false
  }
}

extension Failure {
  static func state(_ needed: String, _ function: String) -> Failure {
    Failure(
      Int(SWIFTLET_ERROR_STATE), "order of calls: expected \(needed), found none; call \(function) first")
  }
}

extension PipelineConfiguration {
  /// Features of one map.
  var mapBytes: Int { grid.cellCounts.x * grid.cellCounts.y * channelCount * 4 }

  /// What a pipeline of this configuration asks for before it knows the rig: five maps, the voxel
  /// window with its masks, the evidence of a scan. An estimate that errs upwards.
  var estimatedBytes: Int {
    let cells = grid.cellCounts.x * grid.cellCounts.y
    let outputs = heads.occupancyClassCount * heads.occupancyHeightCount + heads.semanticClassCount
    var bytes = mapBytes * 5 + cells * (64 + outputs * 8) + channelCount * channelCount * 64
    guard occupancy.enabled else { return bytes }
    let size = occupancy.extentMeters / occupancy.voxelSizeMeters
    let words = (Int(size.z.rounded()) + 63) / 64
    bytes += Int(size.x.rounded()) * Int(size.y.rounded()) * words * 96
    let reach = min(2 * occupancy.maximumRangeMeters / occupancy.voxelSizeMeters + 24, 1e6)
    if occupancy.mode == .exact { bytes += Int(reach * reach * (reach / 64 + 2)) * 16 }
    return bytes + Options.mostPoints * 64
  }
}
