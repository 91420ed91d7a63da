extension PipelineConfiguration {
  /// Throws unless every value can be used: sizes positive and bounded, so that a typing error
  /// asks for no terabyte.
  public func validate() throws(ConfigurationError) {
    try validateGrid()
    try validateOccupancy()
    try check(
      "depth.step_meters", depth.stepMeters > 0 && depth.upperMeters > depth.lowerMeters
        && depth.lowerMeters > 0
        // As floating point first: a huge quotient has no integer.
        && (depth.upperMeters - depth.lowerMeters) / depth.stepMeters <= 512 && depth.binCount <= 512,
      "0 < lower < upper with 1 to 512 bins", "\(depth.lowerMeters), \(depth.upperMeters), \(depth.stepMeters)")
    try check("channels", (32...512).contains(channelCount), "32 to 512", "\(channelCount)")
    try check(
      "fusion.heads", fusion.headCount > 0 && channelCount % max(fusion.headCount, 1) == 0,
      "a divisor of \(channelCount) channels", "\(fusion.headCount)")
    try validateFusion()
    try check(
      "maximum_age_milliseconds", maximumAgeMilliseconds >= 0, "0 or more",
      "\(maximumAgeMilliseconds)")
    try check(
      "maximum_ego_speed_meters_per_second", maximumEgoSpeedMetersPerSecond > 0, "above 0",
      "\(maximumEgoSpeedMetersPerSecond)")
    try check("budget_milliseconds", budgetMilliseconds > 0, "above 0", "\(budgetMilliseconds)")
  }

  private func validateFusion() throws(ConfigurationError) {
    try check(
      "fusion.maximum_cell_age_milliseconds",
      fusion.maximumCellAgeMilliseconds >= 0 && fusion.maximumCellAgeMilliseconds <= 60_000,
      "0 to 60000", "\(fusion.maximumCellAgeMilliseconds)")
    try check(
      "fusion.neighbor_points", (0...16).contains(fusion.neighborPointCount), "0 to 16",
      "\(fusion.neighborPointCount)")
    try check(
      "heads.occupancy_classes", (0...64).contains(heads.occupancyClassCount), "0 to 64",
      "\(heads.occupancyClassCount)")
    try check(
      "heads.occupancy_heights", (1...64).contains(heads.occupancyHeightCount), "1 to 64",
      "\(heads.occupancyHeightCount)")
    try check(
      "heads.semantic_classes",
      (0...64).contains(heads.semanticClassCount)
        && (fusion.mode != .late || heads.semanticClassCount >= 2),
      "0 to 64, 2 or more with fusion.mode late", "\(heads.semanticClassCount)")
  }

  private func validateGrid() throws(ConfigurationError) {
    let step = grid.stepMeters
    try check("grid.step_meters", step.x > 0 && step.y > 0 && step.z > 0, "above 0", "\(step)")
    let size = (grid.upperMeters - grid.lowerMeters) / step
    try check(
      "grid.upper_meters", size.x >= 1 && size.y >= 1 && size.z >= 1 && size.x <= 2048
        && size.y <= 2048 && size.z < 2 && grid.cellCounts.z == 1 && step.x == step.y,
      "1 to 2048 square cells along x and y and 1 along z", "\(size)")
  }

  private func validateOccupancy() throws(ConfigurationError) {
    let o = occupancy
    try check(
      "occupancy.voxel_size_meters", o.voxelSizeMeters > 0, "above 0", "\(o.voxelSizeMeters)")
    let cells = o.extentMeters / o.voxelSizeMeters
    try check(
      "occupancy.extent_meters", cells.x >= 8 && cells.y >= 8 && cells.z >= 1 && cells.x <= 4096
        && cells.y <= 4096 && cells.z <= 256 && cells.x * cells.y * cells.z <= 0x1p30,
      "8 to 4096 voxels along x and y, 1 to 256 along z", "\(cells)")
    try check(
      "occupancy.maximum_range_meters",
      o.maximumRangeMeters > o.minimumRangeMeters && o.minimumRangeMeters >= 0,
      "0 ≤ minimum < maximum", "\(o.minimumRangeMeters), \(o.maximumRangeMeters)")
    try check(
      "occupancy.no_return_range_meters",
      o.noReturnRangeMeters >= 0 && o.noReturnRangeMeters <= o.maximumRangeMeters,
      "0 to the maximum range", "\(o.noReturnRangeMeters)")
    try check(
      "occupancy.hit_probability", o.hitProbability > 0.5 && o.hitProbability < 1,
      "between 0.5 and 1", "\(o.hitProbability)")
    try check(
      "occupancy.miss_probability", o.missProbability > 0 && o.missProbability < 0.5,
      "between 0 and 0.5", "\(o.missProbability)")
    try check(
      "occupancy.clamp_minimum_probability",
      o.clampMinimumProbability > 0 && o.clampMinimumProbability < 0.5
        && o.clampMaximumProbability > 0.5 && o.clampMaximumProbability < 1,
      "0 < minimum < 0.5 < maximum < 1",
      "\(o.clampMinimumProbability), \(o.clampMaximumProbability)")
    try check(
      "occupancy.occupied_threshold_probability",
      o.occupiedThresholdProbability > o.clampMinimumProbability
        && o.occupiedThresholdProbability < o.clampMaximumProbability,
      "between the clamps", "\(o.occupiedThresholdProbability)")
    let times = [o.occupiedDecaySeconds, o.freeDecaySeconds, o.dynamicDecaySeconds]
    try check(
      "occupancy.occupied_decay_seconds", times.allSatisfy { $0 >= 0 && $0 < 1e6 },
      "decay times of 0 to 1e6 s", "\(times)")
  }

  private func check(
    _ field: String, _ holds: Bool, _ expected: String, _ found: String
  ) throws(ConfigurationError) {
    guard !holds else { return }
    throw ConfigurationError(
      field: field, expected: expected, found: found,
      remedy: "see `swiftlet config` for the default")
  }
}
