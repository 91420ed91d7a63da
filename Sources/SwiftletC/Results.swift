import CSwiftlet
import Swiftlet

@c @implementation
public func swiftlet_pipeline_map(
  _ pipeline: OpaquePointer!, _ map: swiftlet_map, _ view: UnsafeMutablePointer<swiftlet_map_view>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    guard let view = unsafe view else { throw Failure.null("view") }
    try handle.needResults()
    let result = try handle.map(map)
    let grid = handle.pipeline.grid
    unsafe view.pointee = unsafe swiftlet_map_view(
      features: result.features.pointer, validity: result.validity.pointer,
      rows: Int64(result.rows), columns: Int64(result.columns), channels: Int64(result.channels),
      lower_x: grid.lowerMeters.x, lower_y: grid.lowerMeters.y, cell_size: grid.stepMeters.x)
  }
}

extension PipelineHandle {
  fileprivate func map(_ map: swiftlet_map) throws(Failure) -> BEVResult {
    switch Int(map) {
    case Int(SWIFTLET_MAP_FUSED): return pipeline.fusedBEV
    case Int(SWIFTLET_MAP_LIDAR): return pipeline.lidarBEV
    case Int(SWIFTLET_MAP_CAMERA):
      if let camera = pipeline.cameraBEV { return camera }
      throw Failure(
        Int(SWIFTLET_ERROR_STATE),
        "map: expected cameras and projection, found a pipeline without; set a rig with cameras")
    case Int(SWIFTLET_MAP_RADAR), Int(SWIFTLET_MAP_PRIOR):
      if let given = Int(map) == Int(SWIFTLET_MAP_RADAR) ? pipeline.radarBEV : pipeline.mapPriorBEV {
        return given
      }
      throw Failure(
        Int(SWIFTLET_ERROR_STATE),
        "map: expected a map of this kind in the last frame, found none; give one in frame.maps")
    default:
      throw .input("map", expected: "0 to 4", found: "\(map)", "use a SWIFTLET_MAP constant")
    }
  }

  fileprivate func head(_ head: swiftlet_head) throws(Failure) -> HeadResult {
    guard (0...1).contains(head) else {
      throw .input("head", expected: "0 or 1", found: "\(head)", "use a SWIFTLET_HEAD constant")
    }
    let isOccupancy = Int(head) == Int(SWIFTLET_HEAD_OCCUPANCY)
    if let result = isOccupancy ? pipeline.occupancyLogits : pipeline.semanticMap { return result }
    throw Failure(
      Int(SWIFTLET_ERROR_STATE),
      "head: expected one in the configuration, found none; set heads.\(isOccupancy ? "occupancy" : "semantic")_classes and give weights for it")
  }

  func needOccupancy() throws(Failure) -> OccupancyGrid {
    guard let occupancy = pipeline.occupancy else {
      throw Failure(
        Int(SWIFTLET_ERROR_STATE),
        "occupancy: expected a voxel window, found it switched off; set occupancy.enabled in the configuration")
    }
    return occupancy
  }
}

@c @implementation
public func swiftlet_pipeline_ages(
  _ pipeline: OpaquePointer!, _ ages: UnsafeMutablePointer<UnsafePointer<UInt16>?>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    guard let ages = unsafe ages else { throw Failure.null("ages") }
    try handle.needResults()
    unsafe ages.pointee = unsafe UnsafePointer(handle.pipeline.fusedAges.pointer)
  }
}

@c @implementation
public func swiftlet_pipeline_head(
  _ pipeline: OpaquePointer!, _ head: swiftlet_head,
  _ view: UnsafeMutablePointer<swiftlet_head_view>!, _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    guard let view = unsafe view else { throw Failure.null("view") }
    try handle.needResults()
    let result = try handle.head(head)
    let grid = handle.pipeline.grid
    unsafe view.pointee = unsafe swiftlet_head_view(
      logits: result.logits.pointer, labels: result.labels.pointer, rows: Int64(grid.sizeY),
      columns: Int64(grid.sizeX), heights: Int64(result.heightCount),
      classes: Int64(result.classCount))
  }
}

@c @implementation
public func swiftlet_pipeline_occupancy(
  _ pipeline: OpaquePointer!, _ view: UnsafeMutablePointer<swiftlet_occupancy_view>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    guard let view = unsafe view else { throw Failure.null("view") }
    let grid = try handle.needOccupancy()
    let (memory, origin, cells) = unsafe (grid.memory, grid.origin, grid.cellCounts)
    unsafe view.pointee = unsafe swiftlet_occupancy_view(
      log_odds: memory.lines, occupied: memory.occupied, known: memory.known,
      origin: (origin.x, origin.y, origin.z),
      cells: (Int32(cells.x), Int32(cells.y), Int32(cells.z)),
      words_per_column: Int32(memory.wordCount), reserved: 0,
      voxel_size: grid.configuration.voxelSizeMeters, steps_per_unit: Double(grid.stepsPerUnit))
  }
}

@c @implementation
public func swiftlet_pipeline_findings(
  _ pipeline: OpaquePointer!, _ findings: UnsafeMutablePointer<swiftlet_finding>!,
  _ capacity: Int, _ count: UnsafeMutablePointer<Int>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    guard let count = unsafe count else { throw Failure.null("count") }
    var written = 0
    func add(_ finding: swiftlet_finding) {
      if let findings = unsafe findings, written < capacity || capacity < 0 {
        unsafe findings[written] = finding
      }
      written += 1
    }
    for index in 0..<32 where handle.camerasWithoutInput >> UInt32(index) & 1 == 1 {
      add(swiftlet_finding(
        kind: Int32(SWIFTLET_CAMERA_INPUT_INVALID), sensor: Int32(index), count: 1))
    }
    for finding in handle.pipeline.findings {
      add(swiftlet_finding(
        kind: finding.kind.number, sensor: Int32(finding.sensorIndex), count: Int64(finding.count)))
    }
    unsafe count.pointee = written
  }
}

extension FrameFinding.Kind {
  fileprivate var number: swiftlet_finding_kind {
    switch self {
    case .cameraCalibrationInvalid: Int32(SWIFTLET_CAMERA_CALIBRATION_INVALID)
    case .cameraInputInvalid: Int32(SWIFTLET_CAMERA_INPUT_INVALID)
    case .lidarPoseInvalid: Int32(SWIFTLET_LIDAR_POSE_INVALID)
    case .pointsNotFinite: Int32(SWIFTLET_POINTS_NOT_FINITE)
    case .cameraFeaturesNotFinite: Int32(SWIFTLET_CAMERA_FEATURES_NOT_FINITE)
    case .bevMapInvalid: Int32(SWIFTLET_BEV_INVALID)
    case .bevMapNotFinite: Int32(SWIFTLET_BEV_NOT_FINITE)
    }
  }
}
