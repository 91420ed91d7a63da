import Swiftlet

/// Golden operations that pull features into voxels: Fast-BEV and SimpleBEV.
enum GoldenProjectionPull {
  static let runners: [String: GoldenRunner] = [
    "fastbev_nearest_pull": fastBEV,
    "simplebev_bilinear_pull": simpleBEV,
  ]

  private static let fastBEV: GoldenRunner = { test, context in
    let shape = try test.shape("in.feat")
    guard shape.count == 4,
      let sizes = test.attributes["n_voxels_xyz"]?.doublesValue?.map({ Int($0) }),
      let voxel = test.attributes["voxel_size"]?.doublesValue,
      let origin = test.attributes["origin"]?.doublesValue, sizes.count == 3, voxel.count == 3,
      origin.count == 3
    else { throw GoldenError.malformed("\(test.name) lacks voxels, sizes or an origin") }
    let features = AlignedBuffer(try test.floats("in.feat"))
    let projections = try test.floats("in.projection").map(Double.init)
    var outputs: [String: GoldenOutput] = [:]
    for rule in VoxelOverlap.allCases {
      let pull = VoxelPull(
        cameras: Array(
          repeating: FrustumLayout.Camera(featureWidth: shape[2], featureHeight: shape[1]),
          count: shape[0]), sizeX: sizes[0], sizeY: sizes[1], sizeZ: sizes[2], channels: shape[3],
        overlap: rule, engine: context.engine, pool: context.pool)
      for camera in 0..<shape[0] {
        pull.setCamera(
          camera, projection: Array(projections[(12 * camera)..<(12 * camera + 12)]),
          originMeters: SIMD3(origin[0], origin[1], origin[2]),
          voxelMeters: SIMD3(voxel[0], voxel[1], voxel[2]))
      }
      pull.volume.fill(.nan)
      unsafe pull.pull(UnsafeBufferPointer(features.elements))
      outputs["out.volume_\(rule.rawValue)"] = .float32(try block(test, pull, sizes))
      outputs["out.\(rule.rawValue)_index"] = .int32(pull.indices.array)
    }
    return outputs.filter { test.has($0.key) }
  }

  /// The volume, or the block of it that the case stores.
  private static func block(
    _ test: GoldenCase, _ pull: VoxelPull, _ sizes: [Int]
  ) throws(GoldenError) -> [Float] {
    guard let attribute = test.attributes["volume_sub_block_xyz"] else {
      return pull.volume.array
    }
    let stored = (attribute.arrayValue ?? []).map { ($0.arrayValue ?? []).compactMap(\.intValue) }
    let isInside = stored.count == 3 && zip(stored, sizes).allSatisfy { range, size in
      range.count == 2 && range[0] >= 0 && range[0] <= range[1] && range[1] <= size
    }
    guard isInside else {
      throw .damaged(
        tensor: "attribute volume_sub_block_xyz", expected: "three ranges within \(sizes)",
        found: attribute.text)
    }
    var values: [Float] = []
    for x in stored[0][0]..<stored[0][1] {
      for y in stored[1][0]..<stored[1][1] {
        for z in stored[2][0]..<stored[2][1] {
          let first = ((x * sizes[1] + y) * sizes[2] + z) * pull.channels
          for channel in 0..<pull.channels { values.append(pull.volume[first + channel]) }
        }
      }
    }
    return values
  }

  private static let simpleBEV: GoldenRunner = { test, context in
    let shape = try test.shape("in.feat")
    guard shape.count == 4, let sizes = test.attributes["ZYX"]?.doublesValue?.map({ Int($0) }),
      let bounds = test.attributes["bounds_xyz_min_max"]?.doublesValue, sizes.count == 3,
      bounds.count == 6
    else { throw GoldenError.malformed("\(test.name) lacks ZYX or bounds") }
    if let epsilon = test.attributes["mean_epsilon"]?.doubleValue, epsilon != 1e-6 {
      throw GoldenError.unsupported("mean epsilon \(epsilon)")
    }
    let pull = BilinearPull(
      cameras: Array(
        repeating: FrustumLayout.Camera(featureWidth: shape[2], featureHeight: shape[1]),
        count: shape[0]), sizeX: sizes[2], sizeY: sizes[1], sizeZ: sizes[0], channels: shape[3],
      lowerMeters: SIMD3(bounds[0], bounds[2], bounds[4]),
      upperMeters: SIMD3(bounds[1], bounds[3], bounds[5]), engine: context.engine,
      pool: context.pool)
    let pixels = try test.floats("in.pix_from_ref").map(Double.init)
    let views = try test.floats("in.cam_from_ref").map(Double.init)
    for camera in 0..<shape[0] {
      let range = (16 * camera)..<(16 * camera + 16)
      pull.setCamera(
        camera, pixelFromReference: Array(pixels[range]), cameraFromReference: Array(views[range]))
    }
    let features = AlignedBuffer(try test.floats("in.feat"))
    pull.volume.fill(.nan)
    unsafe pull.pull(UnsafeBufferPointer(features.elements))
    return [
      "out.volume": .float32(pull.volume.array), "out.valid_cameras": .int32(pull.counts.array),
    ]
  }
}
