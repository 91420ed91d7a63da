extension OccupancyGrid {
  /// Sets voxels to log-odds from a saved map, rounded to the window's steps and clamped; voxels
  /// outside the window are left out. What was there before stays. Allocates nothing.
  ///
  /// - Returns: how many voxels lay inside.
  /// - Precondition: as many log-odds as keys, none of them NaN.
  @discardableResult
  public func load(_ keys: [VoxelKey], logOdds: [Float]) -> Int {
    precondition(keys.count == logOdds.count, "\(keys.count) keys and \(logOdds.count) log-odds")
    var count = 0
    for (key, value) in zip(keys, logOdds) {
      guard let local = localIndex(key) else { continue }
      let line = lineIndex(x: local.x, y: local.y) + local.z / 64
      let bit = UInt64(1) << UInt64(local.z % 64)
      let steps = (value * byteModel.stepsPerUnit).rounded()
      let lowest = Float(byteModel.minimum)
      let step = Int8(max(lowest, min(Float(byteModel.maximum), steps)))
      lines[line * 64 + local.z % 64] = step
      if atMinimum.count > 0 { atMinimum[line] = 0 }
      known[line] |= bit
      var isOccupied = step >= byteModel.threshold
      if exactLines.count > 0 {
        let exact = min(max(value, configuration.model.minimum), configuration.model.maximum)
        let short = Int16((exact * shortModel.stepsPerUnit).rounded())
        exactLines[line * 64 + local.z % 64] = short
        isOccupied = short >= shortModel.threshold
      }
      if isOccupied { occupied[line] |= bit } else { occupied[line] &= ~bit }
      count += 1
    }
    return count
  }

  /// Puts the window's first voxel at `origin` and forgets everything.
  public func place(origin: VoxelKey) {
    let size = configuration.voxelSizeMeters
    reset()
    // Twice, because the height follows only when it is off by an eighth of the window.
    let center = SIMD3(
      Double(origin.x) + Double(configuration.cellCountX / 2) + 0.5,
      Double(origin.y) + Double(configuration.cellCountY / 2) + 0.5, 0.5 + Double(origin.z))
    let offset = SIMD3(0, 0, configuration.lowerZMeters / size)
    recenter(onWorld: (center - offset + SIMD3(0, 0, 1e5)) * size)
    recenter(onWorld: (center - offset) * size)
  }
}
