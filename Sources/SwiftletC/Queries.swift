import CSwiftlet
import Swiftlet

@c @implementation
public func swiftlet_query_states(
  _ pipeline: OpaquePointer!, _ positions: UnsafePointer<Double>!, _ count: Int,
  _ states: UnsafeMutablePointer<swiftlet_voxel_state>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    let grid = try handle.needOccupancy()
    try checkCount(count, "count")
    guard count > 0 else { return }
    guard let positions = unsafe positions else { throw Failure.null("positions") }
    guard let states = unsafe states else { throw Failure.null("states") }
    let size = grid.configuration.voxelSizeMeters
    for index in 0..<count {
      let p = unsafe SIMD3(
        positions[3 * index], positions[3 * index + 1], positions[3 * index + 2])
      let reach = max(abs(p.x), abs(p.y), abs(p.z)) / size
      // Written so that NaN is unknown.
      unsafe states[index] =
        p.x == p.x && p.y == p.y && p.z == p.z && reach < 1e9
        ? grid.state(grid.key(ofWorld: p)).rawValue : 0
    }
  }
}

/// Counts beyond a billion are wrong arguments.
func checkCount(_ count: Int, _ name: String) throws(Failure) {
  guard (0...1_000_000_000).contains(count) else {
    throw .input(
      name, expected: "0 to 1,000,000,000",
      found: "\(UInt(bitPattern: count))", "give the number of elements")
  }
}

@c @implementation
public func swiftlet_query_volume(
  _ pipeline: OpaquePointer!, _ world_from_ego: UnsafePointer<Double>!,
  _ lower: UnsafePointer<Double>!, _ cell_size: Double, _ counts: UnsafePointer<Int32>!,
  _ states: UnsafeMutablePointer<swiftlet_voxel_state>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    let grid = try handle.needOccupancy()
    let pose = try unsafe rigid(world_from_ego, "world_from_ego")
    guard let lower = unsafe lower else { throw Failure.null("lower") }
    guard let counts = unsafe counts else { throw Failure.null("counts") }
    guard let states = unsafe states else { throw Failure.null("states") }
    let corner = unsafe SIMD3(lower[0], lower[1], lower[2])
    let count = unsafe SIMD3(Int(counts[0]), Int(counts[1]), Int(counts[2]))
    guard cell_size > 0, cell_size < 1e6, abs(corner.x) < 1e9, abs(corner.y) < 1e9,
      abs(corner.z) < 1e9, (1...4096).contains(count.x), (1...4096).contains(count.y),
      (1...1024).contains(count.z)
    else {
      throw .input(
        "volume", expected: "a finite corner, a cell size above 0 and 1 to 4096 x 4096 x 1024 cells",
        found: "\(corner), \(cell_size), \(count)", "correct lower, cell_size and counts")
    }
    unsafe grid.resample(
      worldFromEgo: pose, lower: corner, cellSize: cell_size, count: count, into: states)
  }
}

/// The transform of 12 doubles.
///
/// - Throws: unless it is finite and a rotation.
func rigid(_ rows: UnsafePointer<Double>?, _ name: String) throws(Failure) -> RigidTransform {
  guard let v = unsafe rows else { throw Failure.null(name) }
  let pose = unsafe RigidTransform(
    rotation: Matrix3(SIMD3(v[0], v[1], v[2]), SIMD3(v[4], v[5], v[6]), SIMD3(v[8], v[9], v[10])),
    translation: SIMD3(v[3], v[7], v[11]))
  do throws(CalibrationError) { try pose.validate(sensor: name) } catch {
    throw .input(name, expected: error.expected, found: error.found, "correct the pose")
  }
  return pose
}
