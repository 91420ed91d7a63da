import Swiftlet

/// Golden group 12: OctoMap's maps and rays.
public enum GoldenOccupancy {
  public static let runners: [String: GoldenRunner] = [
    "octomap_insert_point_cloud": insertPointCloud,
    "octomap_compute_ray_keys": computeRayKeys,
  ]

  private static func insertPointCloud(
    _ golden: GoldenCase, _ context: VerifyContext
  ) throws -> [String: GoldenOutput] {
    guard let resolution = golden.attributes["resolution"]?.doubleValue,
      let mode = golden.attributes["mode"]?.stringValue
    else { throw GoldenError.malformed("\(golden.name) names no resolution or mode") }
    let known = ["insertPointCloud", "insertPointCloud(discretize)", "insertPointCloudRays"]
    guard known.contains(mode) else { throw GoldenError.unsupported("mode \(mode)") }
    guard resolution > 0, resolution < .infinity else {
      throw GoldenError.damaged(
        tensor: "attribute resolution", expected: "above 0 m", found: "\(resolution)")
    }
    let range = golden.attributes["max_range"]?.doubleValue ?? -1
    let map = ReferenceOccupancyMap(
      voxelSizeMeters: resolution, model: try model(golden), engine: context.engine,
      pool: context.pool)
    var outputs: [String: GoldenOutput] = [:]
    var scan = 0
    while golden.has("in.points\(scan)") {
      try GoldenSchema("in.points\(scan) float32 n 3\nin.origin\(scan) float32 3").check(golden)
      let points = vectors(try golden.floats("in.points\(scan)"))
      let origin = vectors(try golden.floats("in.origin\(scan)"))[0]
      let isDiscretized = mode == "insertPointCloud(discretize)"
      if golden.has("out.free_keys\(scan)") || golden.has("out.occupied_keys\(scan)") {
        let sets = map.scanVoxels(
          worldPoints: points, origin: origin, maximumRangeMeters: range,
          isDiscretized: isDiscretized)
        outputs["out.free_keys\(scan)"] = .int32(flat(sets.free))
        outputs["out.occupied_keys\(scan)"] = .int32(flat(sets.occupied))
      }
      if mode == "insertPointCloudRays" {
        map.insertRays(worldPoints: points, origin: origin)
      } else {
        map.insert(
          worldPoints: points, origin: origin, maximumRangeMeters: range,
          isDiscretized: isDiscretized)
      }
      scan += 1
    }
    let voxels = map.knownVoxels()
    outputs["out.keys"] = .int32(flat(voxels.map(\.key)))
    outputs["out.log_odds"] = .float32(voxels.map(\.logOdds))
    outputs["out.occupied"] = .uint8(voxels.map { $0.logOdds >= map.model.threshold ? 1 : 0 })
    return outputs
  }

  private static func computeRayKeys(
    _ golden: GoldenCase, _ context: VerifyContext
  ) throws -> [String: GoldenOutput] {
    let resolutions = try golden.floats("in.resolution")
    let origins = vectors(try golden.floats("in.origin"))
    let ends = vectors(try golden.floats("in.end"))
    guard origins.count == resolutions.count, ends.count == resolutions.count else {
      throw GoldenError.malformed("\(golden.name) has rays of different counts")
    }
    var ok: [Int32] = []
    var counts: [Int32] = []
    var keys: [VoxelKey] = []
    for ray in resolutions.indices {
      // The shortest decimal of the float32 is the number that was meant: 0.1, not 0.10000000149.
      guard let resolution = Double("\(resolutions[ray])"), resolution > 0,
        resolution < .infinity
      else {
        throw GoldenError.damaged(
          tensor: "in.resolution", expected: "above 0 m", found: "\(resolutions[ray])")
      }
      let voxels = RayTraversal.voxels(
        from: origins[ray], to: ends[ray], voxelSizeMeters: resolution, engine: context.engine)
      ok.append(voxels == nil ? 0 : 1)
      counts.append(Int32(voxels?.count ?? 0))
      keys += voxels ?? []
    }
    return ["out.ok": .int32(ok), "out.count": .int32(counts), "out.keys": .int32(flat(keys))]
  }

  private static func model(_ golden: GoldenCase) throws -> OccupancyModel {
    let values = try golden.floats("in.log_params")
    guard values.count == 5 else {
      throw GoldenError.malformed("\(golden.name) in.log_params has \(values.count) values, not 5")
    }
    return OccupancyModel(
      hit: values[0], miss: values[1], minimum: values[2], maximum: values[3],
      threshold: values[4])
  }

  private static func vectors(_ values: [Float]) -> [SIMD3<Float>] {
    stride(from: 0, to: values.count - 2, by: 3).map {
      SIMD3(values[$0], values[$0 + 1], values[$0 + 2])
    }
  }
  private static func flat(_ keys: [VoxelKey]) -> [Int32] { keys.flatMap { [$0.x, $0.y, $0.z] } }
}
