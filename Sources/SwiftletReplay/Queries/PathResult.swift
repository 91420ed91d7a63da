import Swiftlet

/// A box swept along a path through a window.
public struct PathResult {
  public let summary: PathOccupancy
  public let poses: [BoxOccupancy]

  public init(_ grid: OccupancyGrid, _ path: [RigidTransform], size: SIMD3<Double>) {
    let results = AlignedBuffer<BoxOccupancy>(count: path.count)
    summary = unsafe path.withUnsafeBufferPointer { poses in
      unsafe grid.occupancy(ofPath: poses, size: size, results: results.elements)
    }
    poses = results.array
  }

  public var table: String {
    var lines = ["pose      state  occupied   unknown      free"]
    for (index, pose) in poses.enumerated() {
      lines.append(
        padded("\(index)", 4) + padded(pose.state.text, 11) + padded("\(pose.occupiedCount)", 10)
          + padded("\(pose.unknownCount)", 10) + padded("\(pose.freeCount)", 10))
    }
    let blocked =
      summary.firstOccupiedPose < 0
      ? "nothing in the way"
      : "blocked before pose \(summary.firstOccupiedPose), after \(fixed(summary.clearMeters)) m"
    lines.append("\(summary.state.text): \(blocked); \(summary.stepCount) boxes looked at")
    return lines.joined(separator: "\n")
  }

  public var json: JSONValue {
    .object([
      "schema_version": .integer(1), "state": .string(summary.state.text),
      "first_occupied_pose": .integer(Int64(summary.firstOccupiedPose)),
      "first_not_free_pose": .integer(Int64(summary.firstNotFreePose)),
      "clear_meters": .number(summary.clearMeters),
      "boxes_looked_at": .integer(Int64(summary.stepCount)),
      "poses": .array(
        poses.map { pose in
          .object([
            "state": .string(pose.state.text),
            "occupied_voxels": .integer(Int64(pose.occupiedCount)),
            "unknown_voxels": .integer(Int64(pose.unknownCount)),
            "free_voxels": .integer(Int64(pose.freeCount)),
          ])
        }),
    ])
  }
}
