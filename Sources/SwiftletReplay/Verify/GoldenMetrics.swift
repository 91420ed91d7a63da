import Swiftlet

/// Golden operations of the metrics (group 14).
public enum GoldenMetrics {
  public static let runners: [String: GoldenRunner] = [
    "voxel_iou": voxelIoU,
    "ray_iou_directions": directions,
    "ray_iou": rayIoU,
  ]

  @Sendable private static func voxelIoU(
    _ golden: GoldenCase, _ context: VerifyContext
  ) throws -> [String: GoldenOutput] {
    var confusion = VoxelConfusion(classes: try classes(golden))
    try confusion.add(
      prediction: try golden.bytes("in.pred"), truth: try golden.bytes("in.gt"),
      mask: golden.has("in.mask") ? try golden.bytes("in.mask") : nil, engine: context.engine,
      pool: context.pool)
    return [
      "out.confusion": .int32(confusion.counts.map(Int32.init)),
      "out.iou": .float32(confusion.intersectionOverUnion.map(stored)),
      "out.miou": .float32([stored(confusion.meanIntersectionOverUnion)]),
      "out.occupied_iou": .float32([stored(confusion.occupiedIntersectionOverUnion)]),
    ]
  }

  @Sendable private static func directions(
    _ golden: GoldenCase, _ context: VerifyContext
  ) throws -> [String: GoldenOutput] {
    // A table, computed once for every engine: there is no vector path to choose.
    let all = RayDirections.all
    var chosen: [Float] = []
    for index in try golden.int32s("in.ray_index") {
      guard index >= 0, Int(index) < RayDirections.count else {
        throw GoldenError.malformed("\(golden.name) ray \(index) of \(RayDirections.count)")
      }
      chosen += all[Int(index) * 3..<Int(index) * 3 + 3]
    }
    return [
      "out.pitch": .float32(RayDirections.pitches.map(Float.init)),
      "out.direction": .float32(chosen),
    ]
  }

  @Sendable private static func rayIoU(
    _ golden: GoldenCase, _ context: VerifyContext
  ) throws -> [String: GoldenOutput] {
    let classes = try classes(golden)
    guard let voxelSize = golden.attributes["voxel_size"]?.doubleValue,
      let thresholds = golden.attributes["thresholds_m"]?.doublesValue
    else { throw GoldenError.malformed("\(golden.name) lacks voxel_size or thresholds_m") }
    let prediction = try cast("in.pred", golden, classes, Float(voxelSize), context)
    let truth = try cast("in.gt", golden, classes, Float(voxelSize), context)
    var score = RayIoU(classes: classes, thresholdsMeters: thresholds.map(Float.init))
    try score.add(prediction: prediction, truth: truth)
    let occupied = score.intersectionOverUnion.flatMap { row in
      classes.occupiedClasses.map { stored(row[$0]) }
    }
    return [
      "out.label_pred": .int32(prediction.labels), "out.label_gt": .int32(truth.labels),
      "out.distance_pred": .float32(prediction.distancesMeters),
      "out.distance_gt": .float32(truth.distancesMeters), "out.iou": .float32(occupied),
      "out.rayiou_at": .float32(score.atThreshold.map(stored)),
      "out.rayiou": .float32([stored(score.overall)]),
    ]
  }

  private static func cast(
    _ name: String, _ golden: GoldenCase, _ classes: OccupancyClasses, _ voxelSize: Float,
    _ context: VerifyContext
  ) throws -> CastRays {
    let shape = try golden.shape(name)
    guard shape.count == 3 else {
      throw GoldenError.malformed("\(golden.name) \(name) has shape \(shape), expected [X,Y,Z]")
    }
    let caster = try VoxelRayCaster(
      labels: try golden.bytes(name), sizes: SIMD3(shape[0], shape[1], shape[2]),
      freeClass: classes.freeClass, engine: context.engine, pool: context.pool)
    return try caster.cast(
      origins: try golden.floats("in.origins"), ends: try golden.floats("in.ends"),
      voxelSizeMeters: voxelSize)
  }

  private static func classes(_ golden: GoldenCase) throws -> OccupancyClasses {
    guard let count = golden.attributes["classes"]?.intValue,
      let free = golden.attributes["free_class"]?.intValue
    else { throw GoldenError.malformed("\(golden.name) lacks classes or free_class") }
    return try OccupancyClasses(count: count, freeClass: free)
  }

  /// The set stores an empty union, NaN in the papers' code, as −1.
  @Sendable private static func stored(_ value: Double?) -> Float { value.map(Float.init) ?? -1 }
}
