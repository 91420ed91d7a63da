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
    default:
      throw .input("map", expected: "0, 1 or 2", found: "\(map)", "use a SWIFTLET_MAP constant")
    }
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
    case .bevMapInvalid, .bevMapNotFinite: Int32(SWIFTLET_FINDING_OTHER)
    }
  }
}
