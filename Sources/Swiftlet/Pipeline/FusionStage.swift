/// The maps of one frame; nil for a modality that is not there. A struct, because an array would
/// allocate in every frame.
struct ModalityMaps {
  var camera: BEVMap?
  var lidar: BEVMap?
  var previous: BEVMap?
  var radar: BEVMap?
  var prior: BEVMap?
}

/// Everything `FramePipeline.fuse` does: ages and masks the modalities' cells, fuses them cell by
/// cell, lets cells attend to their neighbours and reads the heads. Owns its buffers; allocates
/// nothing after the first frame.
final class FusionStage {
  let maps: MapBuffers
  /// Validity and age of camera, LiDAR and previous map, in the order of the modalities.
  let camera: AgedCells
  let lidar: AgedCells
  let history: AgedCells
  /// Ages of the fused map's cells: the youngest valid modality's.
  private(set) var ages: AlignedBuffer<UInt16>
  private var previousAges: AlignedBuffer<UInt16>
  private(set) var external: [ExternalMap?] = [nil, nil]
  let heads: HeadOutputs
  private(set) var weights: PreparedWeights
  private let configuration: PipelineConfiguration
  private let grid: BEVGrid
  private let engine: Engine
  private let pool: WorkerPool
  private let fusion: ModalityFusion
  private let warp: BEVWarp
  private let ager: CellAger
  /// The fused map before the cells look at their neighbours; nil where they do not.
  private let alone: AlignedBuffer<Float>?
  /// Where and when the ego was when `maps.fused` was made; nil when there is no history.
  var last: (worldFromEgo: RigidTransform, timestampNanoseconds: Int64)?
  /// The time of the last valid scan, which the voxel memory's age counts from.
  var lastScanNanoseconds: Int64?

  init(
    configuration: PipelineConfiguration, weights: PreparedWeights, engine: Engine,
    pool: WorkerPool
  ) {
    self.configuration = configuration
    self.weights = weights
    self.engine = engine
    self.pool = pool
    grid = configuration.grid.bevGrid
    let (channels, count) = (configuration.channelCount, grid.sizeX * grid.sizeY)
    maps = MapBuffers(grid: grid, channels: channels)
    camera = AgedCells(cellCount: count)
    lidar = AgedCells(cellCount: count)
    history = AgedCells(cellCount: count)
    ages = AlignedBuffer(count: count)
    previousAges = AlignedBuffer(count: count)
    fusion = ModalityFusion(
      weights: weights.weights.fusion, packed: weights.fusion, cellCount: count, engine: engine,
      maximumThreads: pool.threadCount)
    warp = BEVWarp(
      width: grid.sizeX, height: grid.sizeY, channels: channels, engine: engine, pool: pool)
    ager = CellAger(
      width: grid.sizeX, height: grid.sizeY,
      limitMilliseconds: configuration.fusion.maximumCellAgeMilliseconds, engine: engine,
      pool: pool)
    alone = weights.neighbors == nil ? nil : AlignedBuffer(count: count * channels)
    heads = HeadOutputs(configuration: configuration, cellCount: count)
  }

  func reset() {
    last = nil
    lastScanNanoseconds = nil
    maps.reset()
    for cells in [camera, lidar, history] { cells.clear() }
    ages.fill(.max)
    previousAges.fill(.max)
  }

  /// Allocates nothing; the weights that were replaced go back to the caller.
  func adopt(_ next: PreparedWeights) -> PreparedWeights {
    let old = weights
    weights = next
    fusion.adopt(next.weights.fusion, packed: next.fusion)
    return old
  }

  // MARK: the frame

  func run(_ frame: SensorFrame, _ rig: RigBuffers, findings: inout [FrameFinding]) {
    takeExternalMaps(frame, &findings)
    var parts = ModalityMaps(
      camera: takeCameras(rig), lidar: takeLidars(frame, rig), previous: takeHistory(frame),
      radar: external[0]?.view, prior: external[1]?.view)
    // Painted points already carry what the cameras saw.
    if configuration.fusion.mode == .early { parts.camera = nil }
    maps.swapFused()
    fusion.fuse(
      parts.camera, parts.lidar, parts.previous, parts.radar, parts.prior,
      into: alone ?? maps.fused, validity: maps.fusedValidity, pool: pool)
    if let alone, let neighbors = weights.neighbors {
      neighbors.apply(
        alone, validity: maps.fusedValidity, into: maps.fused, engine: engine, pool: pool)
    }
    ageFused(frame, parts)
    runHeads(parts)
  }

  private func takeCameras(_ rig: RigBuffers) -> BEVMap? {
    guard configuration.projectionEnabled, let cameraToBEV = rig.cameraToBEV,
      rig.cameras.contains(where: \.isValid)
    else {
      camera.clear()
      return nil
    }
    ager.ageCameras(
      rig.cameras, masks: cameraToBEV.index.cameraMasks, valid: cameraToBEV.validCameras,
      seen: cameraToBEV.cellValidity, into: camera)
    return BEVMap(
      features: cameraToBEV.bev, validity: camera.validity, channels: configuration.channelCount)
  }

  private func takeLidars(_ frame: SensorFrame, _ rig: RigBuffers) -> BEVMap? {
    rig.egoPoints.update(lidars: rig.lidars, worldFromEgo: frame.worldFromEgo)
    rig.lidarBEV.update(
      points: rig.egoPoints.view,
      columns: configuration.occupancy.enabled ? maps.occupancyColumns : nil, into: maps.lidar,
      validity: maps.lidarValidity, pool: pool)
    if configuration.fusion.mode == .early, let painter = rig.painter,
      let cameraToBEV = rig.cameraToBEV
    {
      painter.paint(
        maps.lidar, by: rig.lidarBEV, points: rig.egoPoints.view, cameras: rig.cameras,
        cameraToBEV)
    }
    var age: UInt16?
    for lidar in rig.lidars where lidar.isValid {
      lastScanNanoseconds = frame.timestampNanoseconds &- lidar.ageNanoseconds
      age = max(age ?? 0, CellAger.milliseconds(lidar.ageNanoseconds))
    }
    // Without a scan the grid's memory still says what stood there, as old as the last scan.
    if age == nil, configuration.occupancy.enabled, let lastScanNanoseconds {
      age = CellAger.milliseconds(frame.timestampNanoseconds &- lastScanNanoseconds)
    }
    guard let age else {
      lidar.clear()
      return nil
    }
    ager.ageMap(maps.lidarValidity, age: age, into: lidar)
    return BEVMap(
      features: maps.lidar, validity: lidar.validity, channels: configuration.channelCount)
  }

  private func takeHistory(_ frame: SensorFrame) -> BEVMap? {
    guard configuration.fusion.history, !frame.resetsHistory, let last else {
      history.clear()
      return nil
    }
    let move = BEVPixelTransform.cellCenters(
      previousEgoFromCurrentEgo: last.worldFromEgo.inverse * frame.worldFromEgo, grid: grid)
    unsafe warp.warp(
      UnsafeBufferPointer(maps.fused.elements),
      validity: UnsafeBufferPointer(maps.fusedValidity.elements), by: move)
    unsafe history.validity.pointer.update(
      from: warp.validity.pointer, count: history.validity.count)
    ager.ageHistory(
      ages, by: move,
      elapsedNanoseconds: frame.timestampNanoseconds &- last.timestampNanoseconds, into: history)
    return BEVMap(
      features: warp.output, validity: history.validity, channels: configuration.channelCount)
  }

  private func takeExternalMaps(_ frame: SensorFrame, _ findings: inout [FrameFinding]) {
    for map in external { map?.clear() }
    for (index, input) in frame.bevMaps.enumerated() where input.isValid {
      let place = input.kind.rawValue - 3
      let hasWeights = input.kind.rawValue < weights.weights.fusion.modalities
      guard hasWeights,
        !ExternalMap.problem(input, grid: grid, channels: configuration.channelCount)
      else {
        findings.append(FrameFinding(kind: .bevMapInvalid, sensorIndex: index))
        continue
      }
      let notFinite = input.features.notFiniteCount(engine: engine)
      if notFinite > 0 {
        findings.append(
          FrameFinding(kind: .bevMapNotFinite, sensorIndex: index, count: notFinite))
        if configuration.notFiniteFeatures == .mask { continue }
      }
      let map = external[place] ?? makeExternalMap(place)
      map.take(input, worldFromEgo: frame.worldFromEgo, ager: ager)
    }
  }

  /// Only the first frame with a map of this kind gets here.
  private func makeExternalMap(_ place: Int) -> ExternalMap {
    let map = ExternalMap(
      grid: grid, channels: configuration.channelCount, engine: engine, pool: pool)
    external[place] = map
    return map
  }

  /// Makes the buffers for the maps of a frame, so that the first one with them need not.
  func prepare(for frame: SensorFrame) {
    for input in frame.bevMaps where external[input.kind.rawValue - 3] == nil {
      _ = makeExternalMap(input.kind.rawValue - 3)
    }
  }

  private func ageFused(_ frame: SensorFrame, _ parts: ModalityMaps) {
    swap(&ages, &previousAges)
    ages.fill(.max)
    if parts.camera != nil { ager.takeYounger(camera, into: ages) }
    if parts.lidar != nil { ager.takeYounger(lidar, into: ages) }
    if parts.previous != nil { ager.takeYounger(history, into: ages) }
    for map in external {
      if let map, map.isPresent { ager.takeYounger(map.cells, into: ages) }
    }
    last = (frame.worldFromEgo, frame.timestampNanoseconds)
  }

  // MARK: heads

  private func runHeads(_ parts: ModalityMaps) {
    let experts = configuration.fusion.mode == .late ? parts : nil
    if let head = weights.occupancyHead, let output = heads.occupancy {
      heads.run(head, output, fused: maps, experts: experts, engine: engine, pool: pool)
    }
    if let head = weights.semanticHead, let output = heads.semantic {
      heads.run(head, output, fused: maps, experts: experts, engine: engine, pool: pool)
    }
  }
}
