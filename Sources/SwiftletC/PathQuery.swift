import CSwiftlet
import Swiftlet

@c @implementation
public func swiftlet_query_path(
  _ pipeline: OpaquePointer!, _ world_from_boxes: UnsafePointer<Double>!, _ count: Int,
  _ size: UnsafePointer<Double>!, _ maximum_steps: Int64,
  _ results: UnsafeMutablePointer<swiftlet_box_result>!,
  _ summary: UnsafeMutablePointer<swiftlet_path_result>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    let grid = try handle.needOccupancy()
    guard (0...65_536).contains(count), (0...1_000_000_000).contains(maximum_steps) else {
      throw .input(
        "path", expected: "0 to 65,536 poses, 0 to 1,000,000,000 steps",
        found: "\(UInt(bitPattern: count)), \(maximum_steps)", "split the path")
    }
    let edges = unsafe try boxSize(size, grid)
    guard let summary = unsafe summary else { throw Failure.null("summary") }
    guard unsafe (world_from_boxes != nil && results != nil) || count == 0 else {
      throw Failure.null("world_from_boxes or results")
    }
    unsafe try handle.takePath(world_from_boxes, count, grid)
    unsafe summary.pointee = unsafe sweep(
      handle.path, edges, in: grid, maximum_steps == 0 ? 100_000 : Int(maximum_steps), results)
  }
}

/// `swiftlet_box_result` and `BoxOccupancy` are the same four words.
private func sweep(
  _ path: [RigidTransform], _ size: SIMD3<Double>, in grid: OccupancyGrid, _ steps: Int,
  _ results: UnsafeMutablePointer<swiftlet_box_result>?
) -> swiftlet_path_result {
  let found = unsafe path.withUnsafeBufferPointer { poses in
    let places = unsafe UnsafeMutableRawPointer(results)?.assumingMemoryBound(to: BoxOccupancy.self)
    return unsafe grid.occupancy(
      ofPath: poses, size: size, maximumStepCount: steps,
      results: UnsafeMutableBufferPointer(start: places, count: path.count))
  }
  var result = swiftlet_path_result()
  result.state = found.state.rawValue
  result.first_occupied = Int32(found.firstOccupiedPose)
  result.first_not_free = Int32(found.firstNotFreePose)
  result.clear_distance = found.clearMeters
  result.steps = Int64(found.stepCount)
  return result
}
