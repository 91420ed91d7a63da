import Swiftlet

/// Golden operations that sample maps and volumes: grid_sample, FB-OCC's and BEVFormer's history.
enum GoldenProjectionSampling {
  static let runners: [String: GoldenRunner] = [
    "grid_sample_2d": { try gridSample($0, $1, dimensions: 2) },
    "grid_sample_3d": { try gridSample($0, $1, dimensions: 3) },
    "fbocc_history_warp": historyWarp,
    "bevformer_rotate_shift": rotateShift,
  ]

  private static func gridSample(
    _ test: GoldenCase, _ context: VerifyContext, dimensions: Int
  ) throws -> [String: GoldenOutput] {
    let shape = try test.shape("in.x")
    let gridShape = try test.shape("in.grid")
    guard shape.count == dimensions + 2, gridShape.count == dimensions + 2 else {
      throw GoldenError.malformed("\(test.name): x and grid need \(dimensions + 2) dimensions")
    }
    let map = AlignedBuffer(try test.floats("in.x"))
    let grid = AlignedBuffer(try test.floats("in.grid"))
    let points = gridShape.dropLast().dropFirst().reduce(1, *)
    let depth = dimensions == 3 ? shape[2] : 1
    var outputs: [String: GoldenOutput] = [:]
    for (name, operation) in [
      ("linear_centers", GridSample(isNearest: false, alignCorners: false)),
      ("nearest_centers", GridSample(isNearest: true, alignCorners: false)),
      ("linear_corners", GridSample(isNearest: false, alignCorners: true)),
      ("nearest_corners", GridSample(isNearest: true, alignCorners: true)),
    ] where test.has("out.\(name)") {
      let output = AlignedBuffer<Float>(count: shape[0] * shape[1] * points)
      output.fill(.nan)
      unsafe operation.sample(
        UnsafeBufferPointer(map.elements),
        shape: (shape[0], shape[1], depth, shape[dimensions], shape[dimensions + 1]),
        grid: UnsafeBufferPointer(grid.elements), dimensions: dimensions, into: output.elements,
        engine: context.engine, pool: context.pool)
      outputs["out.\(name)"] = .float32(output.array)
    }
    return outputs
  }

  private static let historyWarp: GoldenRunner = { test, context in
    let shape = try test.shape("in.history")
    guard shape.count == 4 else { throw GoldenError.malformed("history needs 4 dimensions") }
    func transform(_ name: String) throws -> AffineTransform {
      AffineTransform(rowMajor4x4: try test.floats(name).map(Double.init))
    }
    let flow = VoxelWarp.fbOccFlow(
      previousFromCurrent: try transform("in.cur_to_prev"),
      augmentationPrevious: try transform("in.aug_prev"),
      augmentationCurrent: try transform("in.aug_cur"),
      lowerMeters: GoldenProjection.vector(try test.floats("in.grid_lower")),
      stepMeters: GoldenProjection.vector(try test.floats("in.grid_step")))
    let warp = VoxelWarp(
      sizeX: shape[2], sizeY: shape[1], sizeZ: shape[0], channels: shape[3],
      engine: context.engine, pool: context.pool)
    let history = AlignedBuffer(try test.floats("in.history"))
    warp.output.fill(.nan)
    unsafe warp.warp(UnsafeBufferPointer(history.elements), flow: flow)
    return ["out.volume": .float32(warp.output.array)]
  }

  private static let rotateShift: GoldenRunner = { test, context in
    guard let height = test.attributes["bev_h"]?.intValue,
      let width = test.attributes["bev_w"]?.intValue,
      let center = test.attributes["rotate_center"]?.doublesValue, center.count == 2,
      let cell = test.attributes["grid_length_y_x"]?.doublesValue, cell.count == 2
    else { throw GoldenError.malformed("\(test.name) lacks a size, centre or cell length") }
    let bus = try test.floats("in.can_bus").map(Double.init)
    guard bus.count == 18 else { throw GoldenError.malformed("can_bus has \(bus.count) values") }
    let channels = try test.shape("in.prev_bev")[1]
    let map = AlignedBuffer(try test.floats("in.prev_bev"))
    let output = AlignedBuffer<Float>(count: map.count)
    output.fill(.nan)
    unsafe BEVRotation.rotate(
      UnsafeBufferPointer(map.elements), width: width, height: height, channels: channels,
      angleDegrees: bus[17], center: SIMD2(center[0], center[1]), into: output.elements,
      engine: context.engine, pool: context.pool)
    let shift = BEVRotation.shift(
      translation: SIMD2(bus[0], bus[1]), yawRadians: bus[16],
      cellMeters: SIMD2(cell[1], cell[0]), width: width, height: height)
    return [
      "out.rotated": .float32(output.array), "out.shift": .float32([Float(shift.x), Float(shift.y)]),
    ]
  }
}
