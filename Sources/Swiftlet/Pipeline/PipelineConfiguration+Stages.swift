extension PipelineConfiguration.Grid {
  /// The grid as projection wants it.
  var bevGrid: BEVGrid {
    BEVGrid(
      lowerMeters: lowerMeters, stepMeters: stepMeters, sizeX: cellCounts.x, sizeY: cellCounts.y,
      sizeZ: cellCounts.z)
  }
}

extension PipelineConfiguration {
  var cameraToBEV: CameraToBEVConfiguration {
    CameraToBEVConfiguration(
      grid: grid.bevGrid,
      depthBins: .uniform(
        lower: depth.lowerMeters, upper: depth.upperMeters, step: depth.stepMeters),
      channels: channelCount)
  }

  /// The LiDAR map's channels follow the built-in encoder's, so that in a mean neither hides the
  /// other.
  var lidarMap: LidarBEVConfiguration {
    LidarBEVConfiguration(
      widthCells: grid.cellCounts.x, heightCells: grid.cellCounts.y,
      lowerXMeters: Float(grid.lowerMeters.x), lowerYMeters: Float(grid.lowerMeters.y),
      cellSizeMeters: Float(grid.stepMeters.x), channels: channelCount,
      channelOffset: channelCount - LidarBEV.writtenChannels)
  }

  var occupancyConfiguration: OccupancyConfiguration {
    var result = OccupancyConfiguration()
    let o = occupancy
    result.mode = o.mode
    result.values = o.values
    result.voxelSizeMeters = o.voxelSizeMeters
    let cells = o.extentMeters / o.voxelSizeMeters
    result.cellCountX = Int(cells.x.rounded())
    result.cellCountY = Int(cells.y.rounded())
    result.cellCountZ = Int(cells.z.rounded())
    result.lowerZMeters = o.lowerZMeters
    result.minimumRangeMeters = o.minimumRangeMeters
    result.maximumRangeMeters = o.maximumRangeMeters
    result.noReturnRangeMeters = o.noReturnRangeMeters
    result.model = OccupancyModel(
      hitProbability: o.hitProbability, missProbability: o.missProbability,
      minimumProbability: o.clampMinimumProbability,
      maximumProbability: o.clampMaximumProbability,
      thresholdProbability: o.occupiedThresholdProbability)
    if o.ages {
      var aging = OccupancyAgingConfiguration()
      aging.occupiedSeconds = o.occupiedDecaySeconds
      aging.freeSeconds = o.freeDecaySeconds
      aging.dynamicSeconds = o.dynamicDecaySeconds
      result.aging = aging
    }
    result.egoBox = .init(lower: egoBox.lowerMeters, upper: egoBox.upperMeters)
    return result
  }
}
