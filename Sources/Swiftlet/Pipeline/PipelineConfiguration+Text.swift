extension PipelineConfiguration {
  /// This configuration as `pipeline.json` with a comment on each field; reading it gives an equal
  /// configuration.
  public var commentedJSON: String {
    """
    {
      // Version of this file's format.
      "schema_version": \(Self.schemaVersion),
      // The BEV grid in ego axes (x forward, y left, z up) at the frame's time: bounds and cell size, metres;
      // cells are square and one slab high.
      "grid": {
        "lower_meters": \(list(grid.lowerMeters)),
        "upper_meters": \(list(grid.upperMeters)),
        "step_meters": \(list(grid.stepMeters))
      },
      // Depth bins along the optical axis, by lower edge, metres. Network depth must have as many bins.
      "depth": {
        "lower_meters": \(depth.lowerMeters),
        "upper_meters": \(depth.upperMeters),
        "step_meters": \(depth.stepMeters)
      },
      // Feature channels of every BEV map, 32 to 512. Network features must have as many.
      "channels": \(channelCount),
      // Camera-to-BEV on or off.
      "projection_enabled": \(projectionEnabled),
      // The rolling voxel window, aligned with the world and centred on the vehicle.
      "occupancy": {
        "enabled": \(occupancy.enabled),
        // exact: every ray voxel by voxel, OctoMap's sets. realtime, fast: free space carved by
        // fans, within a measured part of the exact map; quality: rays end before the surface they
        // graze, so that surfaces survive. Hits are exact in every mode.
        "mode": "\(occupancy.mode.rawValue)",
        // int8, or int16: log-odds within 0.001 of float32, at three bytes a voxel.
        "values": "\(occupancy.values.rawValue)",
        "voxel_size_meters": \(occupancy.voxelSizeMeters),
        // Size along x, y, z, metres; z starts lower_z_meters relative to the vehicle.
        "extent_meters": \(list(occupancy.extentMeters)),
        "lower_z_meters": \(occupancy.lowerZMeters),
        // Nearer points are ignored; farther ones only clear up to the maximum.
        "minimum_range_meters": \(occupancy.minimumRangeMeters),
        "maximum_range_meters": \(occupancy.maximumRangeMeters),
        // Rays of a spinning LiDAR that came back without a return clear up to here; 0: ignored.
        "no_return_range_meters": \(occupancy.noReturnRangeMeters),
        // OctoMap's sensor model.
        "hit_probability": \(occupancy.hitProbability),
        "miss_probability": \(occupancy.missProbability),
        "clamp_minimum_probability": \(occupancy.clampMinimumProbability),
        "clamp_maximum_probability": \(occupancy.clampMaximumProbability),
        "occupied_threshold_probability": \(occupancy.occupiedThresholdProbability),
        // Forgetting: voxels hit where space was long free are dynamic and freed by the first ray
        // that passes; evidence fades from the clamp to unknown in these seconds (0: never).
        "ages": \(occupancy.ages),
        "occupied_decay_seconds": \(occupancy.occupiedDecaySeconds),
        "free_decay_seconds": \(occupancy.freeDecaySeconds),
        "dynamic_decay_seconds": \(occupancy.dynamicDecaySeconds)
      },
      // Attention over camera, LiDAR and the previous map, cell by cell; heads divide channels.
      "fusion": {
        "enabled": \(fusion.enabled),
        "heads": \(fusion.headCount),
        "history": \(fusion.history),
        // early: LiDAR points painted with image features; middle: a map of each, attention over
        // them; late: a map and a decision of each, multiplied (needs a semantic head).
        "mode": "\(fusion.mode.rawValue)",
        // An older cell of any map is masked.
        "maximum_cell_age_milliseconds": \(fusion.maximumCellAgeMilliseconds),
        // Points per head of the deformable attention to neighbouring cells; 0: none.
        "neighbor_points": \(fusion.neighborPointCount),
        // Weights and products of that attention's dense layers and of the heads: fp32, fp16
        // (storage), bf16 or int8 (inputs scaled row by row).
        "precision": "\(fusion.precision.rawValue)"
      },
      // Read off the fused map: classes (0: no head), heights of the occupancy logits.
      "heads": {
        "occupancy_classes": \(heads.occupancyClassCount),
        "occupancy_heights": \(heads.occupancyHeightCount),
        "semantic_classes": \(heads.semanticClassCount)
      },
      // A camera whose features or depth hold NaN or infinities is reported, and: mask (like a lost
      // camera) or keep.
      "not_finite_features": "\(notFiniteFeatures.rawValue)",
      // Points inside this box (ego axes, metres) are the vehicle itself.
      "ego_box": {
        "lower_meters": \(list(egoBox.lowerMeters)),
        "upper_meters": \(list(egoBox.upperMeters))
      },
      // The sensor whose samples make frames; null: the LiDAR, else the first camera.
      "trigger": \(trigger.map(JSONValue.quoted) ?? "null"),
      // nearest (offline) or latest (not after the trigger, what a vehicle has).
      "association": "\(association.rawValue)",
      // An older sample makes its sensor missing in that frame.
      "maximum_age_milliseconds": \(maximumAgeMilliseconds),
      // A faster move between two frames is a pose jump and resets history.
      "maximum_ego_speed_meters_per_second": \(maximumEgoSpeedMetersPerSecond),
      // What a frame may take.
      "budget_milliseconds": \(budgetMilliseconds)
    }
    """
  }

  private func list(_ v: SIMD3<Double>) -> String { "[\(v.x), \(v.y), \(v.z)]" }
}
