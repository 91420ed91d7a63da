extension FramePipeline {
  /// Version of what `savedState` writes.
  public static let stateVersion = 1

  /// Pose and time of the frame the state is of; nil before the first.
  public var savedPose: (worldFromEgo: RigidTransform, timestampNanoseconds: Int64)? { stage.last }

  /// The state the next frame builds on: the voxel window, the fused map and the pose it was made
  /// at. A pipeline of the same configuration that restores it goes on as this one would.
  public func savedState() -> SafeTensors {
    var tensors = [
      "fused_bev": HostTensor(
        maps.fused.array, shape: [grid.sizeY, grid.sizeX, configuration.channelCount]),
      "fused_bev_validity": HostTensor(
        maps.fusedValidity.array, shape: [grid.sizeY, grid.sizeX]),
    ]
    let cellCount = grid.sizeY * grid.sizeX
    tensors["fused_ages"] = HostTensor(
      elementType: .uint16, shape: [grid.sizeY, grid.sizeX],
      bytes: unsafe [UInt8](UnsafeRawBufferPointer(stage.ages.elements).prefix(2 * cellCount)))
    if let last = stage.last {
      tensors["history_world_from_ego"] = HostTensor(last.worldFromEgo.rowMajor4x4, shape: [4, 4])
      tensors["history_timestamp"] = HostTensor([last.timestampNanoseconds], shape: [1])
    }
    if let scan = stage.lastScanNanoseconds {
      tensors["last_scan_timestamp"] = HostTensor([scan], shape: [1])
    }
    if let occupancy {
      let c = occupancy.configuration
      tensors["occupancy_window"] = HostTensor(
        [occupancy.window[0], occupancy.window[1], occupancy.window[2], occupancy.isPlaced ? 1 : 0],
        shape: [4])
      tensors["occupancy"] = HostTensor(
        elementType: .int8, shape: [c.cellCountY, c.cellCountX, c.wordCount, 64],
        bytes: unsafe [UInt8](UnsafeRawBufferPointer(occupancy.lines.elements)))
      if occupancy.exactLines.count > 0 {
        tensors["occupancy_exact"] = HostTensor(
          elementType: .int16, shape: [c.cellCountY, c.cellCountX, c.wordCount, 64],
          bytes: unsafe [UInt8](UnsafeRawBufferPointer(occupancy.exactLines.elements)))
      }
    }
    return SafeTensors(
      tensors: tensors,
      metadata: [
        "format": "swiftlet-state", "version": "\(Self.stateVersion)",
        "configuration": configuration.commentedJSON,
      ])
  }

  /// Takes over what `savedState` gave; the state is as before when this throws.
  ///
  /// - Throws: `InputError` when the state is of another version or configuration, or damaged.
  public func restore(_ state: SafeTensors) throws(InputError) {
    try check(state, "format", "swiftlet-state", "hand over a saved state")
    try check(state, "version", "\(Self.stateVersion)", "save it again with this version")
    try check(
      state, "configuration", configuration.commentedJSON,
      "make the pipeline with the configuration it was saved with")
    let fusedShape = [grid.sizeY, grid.sizeX, configuration.channelCount]
    let fused = try tensor(state, "fused_bev", .float32, fusedShape)
    let validity = try tensor(state, "fused_bev_validity", .uint8, Array(fusedShape.prefix(2)))
    let ages = try tensor(state, "fused_ages", .uint16, Array(fusedShape.prefix(2)))
    let pose = try savedPose(state)
    let time = try pose.map { (_) throws(InputError) in
      try tensor(state, "history_timestamp", .int64, [1]).int64s()?.first ?? 0
    }
    let scan =
      state.tensors["last_scan_timestamp"] == nil
      ? nil : try tensor(state, "last_scan_timestamp", .int64, [1]).int64s()?.first
    if let occupancy { try restore(occupancy, from: state) }
    unsafe UnsafeMutableRawBufferPointer(maps.fused.elements).copyBytes(from: fused.bytes)
    unsafe UnsafeMutableRawBufferPointer(maps.fusedValidity.elements)
      .copyBytes(from: validity.bytes.map { $0 == 0 ? 0 : 1 })
    unsafe UnsafeMutableRawBufferPointer(stage.ages.elements).copyBytes(from: ages.bytes)
    stage.last = pose.map { ($0, time ?? 0) }
    stage.lastScanNanoseconds = scan
  }

  private func check(
    _ state: SafeTensors, _ key: String, _ expected: String, _ remedy: String
  ) throws(InputError) {
    let found = state.metadata[key] ?? "none"
    guard found == expected else {
      throw InputError(
        input: "state \(key)", expected: key == "configuration" ? "this pipeline's" : expected,
        found: key == "configuration" ? "another one" : found, remedy: remedy)
    }
  }

  private func tensor(
    _ state: SafeTensors, _ name: String, _ type: SafeTensorType, _ shape: [Int]
  ) throws(InputError) -> HostTensor {
    guard let tensor = state.tensors[name], tensor.elementType == type, tensor.shape == shape else {
      throw InputError(
        input: "state \(name)", expected: "\(type.rawValue) of shape \(shape)",
        found: state.tensors[name].map { "\($0.elementType.rawValue) of shape \($0.shape)" } ?? "none",
        remedy: "save the state again")
    }
    return tensor
  }

  private func savedPose(_ state: SafeTensors) throws(InputError) -> RigidTransform? {
    guard state.tensors["history_world_from_ego"] != nil else { return nil }
    let v = try tensor(state, "history_world_from_ego", .float64, [4, 4]).doubles() ?? []
    let pose = RigidTransform(
      rotation: Matrix3(
        SIMD3(v[0], v[1], v[2]), SIMD3(v[4], v[5], v[6]), SIMD3(v[8], v[9], v[10])),
      translation: SIMD3(v[3], v[7], v[11]))
    do throws(CalibrationError) { try pose.validate(sensor: "history pose") } catch {
      throw InputError(
        input: "state history_world_from_ego", expected: error.expected, found: error.found,
        remedy: "save the state again")
    }
    return pose
  }

  private func restore(
    _ occupancy: OccupancyGrid, from state: SafeTensors
  ) throws(InputError) {
    let c = occupancy.configuration
    let window = try tensor(state, "occupancy_window", .int32, [4]).int32s() ?? []
    let lines = try tensor(
      state, "occupancy", .int8, [c.cellCountY, c.cellCountX, c.wordCount, 64])
    let exact =
      occupancy.exactLines.count == 0
      ? nil
      : try tensor(
        state, "occupancy_exact", .int16, [c.cellCountY, c.cellCountX, c.wordCount, 64])
    guard window.prefix(3).allSatisfy({ abs(Int($0)) < 1_000_000_000 }) else {
      throw InputError(
        input: "state occupancy_window", expected: "keys within 1,000,000,000 of the origin",
        found: "\(window)", remedy: "save the state again")
    }
    occupancy.reset()
    for axis in 0..<3 { occupancy.window[axis] = window[axis] }
    occupancy.isPlaced = window[3] != 0
    occupancy.evidence?.zPhase = window[2]
    unsafe UnsafeMutableRawBufferPointer(occupancy.lines.elements).copyBytes(from: lines.bytes)
    if let exact {
      unsafe UnsafeMutableRawBufferPointer(occupancy.exactLines.elements).copyBytes(
        from: exact.bytes)
    }
    // Marks of what moves are not kept: they come back within a few scans.
    occupancy.aging?.reset()
    // The planes follow from the values, so they cannot contradict them.
    for column in 0..<c.columnCount { occupancy.rebuildPlanes(column: column) }
  }
}
