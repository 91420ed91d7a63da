import Swiftlet

/// Golden operations of the camera-to-BEV stage.
public enum GoldenProjection {
  public static let runners: [String: GoldenRunner] = [
    GoldenProjectionSampling.runners, GoldenProjectionPull.runners, GoldenProjectionGround.runners,
  ].reduce(into: own) { all, table in all.merge(table) { first, _ in first } }

  private static let own: [String: GoldenRunner] = [
    "frustum_lift_cell_index": frustumLift,
    "bev_pool_v2": bevPool,
    "depth_softmax_context_split": depthSplit,
    "bevdet4d_warp": bevDet4DWarp,
  ]

  static func matrix(_ values: [Float], _ index: Int = 0) -> Matrix3 {
    Matrix3(rowMajor: values[(9 * index)..<(9 * index + 9)].map(Double.init))
  }
  static func vector(_ values: [Float], _ index: Int = 0) -> SIMD3<Double> {
    SIMD3(
      Double(values[3 * index]), Double(values[3 * index + 1]), Double(values[3 * index + 2]))
  }
  /// Rotation and translation of a row-major 4×4 matrix.
  static func affine(_ m: [Float]) -> (Matrix3, SIMD3<Double>) {
    let v = m.map(Double.init)
    return (
      Matrix3(
        SIMD3(v[0], v[1], v[2]), SIMD3(v[4], v[5], v[6]), SIMD3(v[8], v[9], v[10])),
      SIMD3(v[3], v[7], v[11])
    )
  }

  private static let frustumLift: GoldenRunner = { test, context in
    let lift = try makeLift(test, context)
    let index = BEVIndex(
      layout: lift.layout, cellCount: lift.grid.cellCount, engine: context.engine,
      pool: context.pool)
    index.rebuild(lift)
    let tables = index.tables()
    let ranks = index.pointRanks()
    var outputs: [String: GoldenOutput] = [
      "out.rank": .int32(ranks), "out.ranks_bev": .int32(tables.ranksBEV),
      "out.ranks_depth": .int32(tables.ranksDepth),
      "out.ranks_feat": .int32(tables.ranksFeature),
      "out.interval_starts": .int32(tables.intervalStarts),
      "out.interval_lengths": .int32(tables.intervalLengths),
      "out.cell": .int32(cells(ranks, lift.grid)),
    ]
    let stride = max(test.attributes["ego_point_stride"]?.intValue ?? 1, 1)
    let points = lift.points()
    let kept = stride == 1
      ? points
      : Swift.stride(from: 0, to: ranks.count, by: stride).flatMap { points[(3 * $0)..<(3 * $0 + 3)] }
    outputs["out.ego"] = .float32(kept)
    return outputs.filter { test.has($0.key) }
  }

  private static func cells(_ ranks: [Int32], _ grid: BEVGrid) -> [Int32] {
    ranks.flatMap { rank -> [Int32] in
      if rank < 0 { return [-1, -1, -1] }
      let row = Int(rank) / grid.sizeX
      return [
        Int32(Int(rank) % grid.sizeX), Int32(row % grid.sizeY), Int32(row / grid.sizeY),
      ]
    }
  }

  private static func makeLift(
    _ test: GoldenCase, _ context: VerifyContext
  ) throws -> FrustumLift {
    let columns = try test.floats("in.u")
    let rows = try test.floats("in.v")
    let k = try test.floats("in.intrin")
    let rotation = try test.floats("in.rot")
    let translation = try test.floats("in.trans")
    let postRotation = try test.floats("in.post_rot")
    let postTranslation = try test.floats("in.post_trans")
    let cameras = k.count / 9
    let bins = DepthBins(values: try test.floats("in.d"))
    let camera = FrustumLayout.Camera(featureWidth: columns.count, featureHeight: rows.count)
    let lift = FrustumLift(
      layout: FrustumLayout(
        cameras: Array(repeating: camera, count: cameras), binCount: bins.count),
      grid: try grid(test), depthBins: bins, bevAugmentation: matrix(try test.floats("in.bda")),
      engine: context.engine)
    for index in 0..<cameras {
      let post = matrix(postRotation, index)
      guard post.row2 == SIMD3(0, 0, 1), post.row0.z == 0, post.row1.z == 0,
        vector(postTranslation, index).z == 0
      else { throw GoldenError.unsupported("image augmentation that changes the depth") }
      let shift = vector(postTranslation, index)
      let networkFromRaw = Matrix3(
        SIMD3(post.row0.x, post.row0.y, shift.x), SIMD3(post.row1.x, post.row1.y, shift.y),
        SIMD3(0, 0, 1))
      lift.setCamera(
        index, columns: columns, rows: rows,
        rayFromPixel: matrix(k, index).inverse * networkFromRaw.inverse,
        rotation: matrix(rotation, index), translation: vector(translation, index))
    }
    return lift
  }

  private static func grid(_ test: GoldenCase) throws -> BEVGrid {
    let lower = vector(try test.floats("in.grid_lower"))
    let step = vector(try test.floats("in.grid_step"))
    guard let sizes = test.attributes["grid_size_xyz"]?.doublesValue, sizes.count == 3 else {
      throw GoldenError.malformed("\(test.name) has no grid_size_xyz")
    }
    return BEVGrid(
      lowerMeters: lower, stepMeters: step, sizeX: Int(sizes[0]), sizeY: Int(sizes[1]),
      sizeZ: Int(sizes[2]))
  }

  private static let bevPool: GoldenRunner = { test, context in
    let depthShape = try test.shape("in.depth")
    let featureShape = try test.shape("in.feat")
    guard depthShape.count == 4, featureShape.count == 4 else {
      throw GoldenError.malformed("\(test.name): depth and feat need 4 dimensions")
    }
    let sizes = try ["B", "Z", "Y", "X"].map { name -> Int in
      guard let value = test.attributes[name]?.intValue else {
        throw GoldenError.malformed("\(test.name) has no attribute \(name)")
      }
      return value
    }
    let camera = FrustumLayout.Camera(featureWidth: depthShape[3], featureHeight: depthShape[2])
    let index = BEVIndex(
      layout: FrustumLayout(
        cameras: Array(repeating: camera, count: depthShape[0]), binCount: depthShape[1]),
      cellCount: sizes.reduce(1, *), engine: context.engine, pool: context.pool)
    index.rebuild(ranks: try test.int32s("in.point_rank"))
    let channels = featureShape[3]
    let bev = AlignedBuffer<Float>(count: index.cellCount * channels)
    bev.fill(.nan)
    let depth = AlignedBuffer(try test.floats("in.depth"))
    let features = AlignedBuffer(try test.floats("in.feat"))
    unsafe BEVPool.pool(
      index, depth: UnsafeBufferPointer(depth.elements),
      features: UnsafeBufferPointer(features.elements), channels: channels, into: bev.elements)
    return try poolOutputs(test, index.tables(), bev.array, channels)
  }

  private static func poolOutputs(
    _ test: GoldenCase, _ tables: BEVIndexTables, _ bev: [Float], _ channels: Int
  ) throws -> [String: GoldenOutput] {
    var outputs: [String: GoldenOutput] = [
      "out.ranks_bev": .int32(tables.ranksBEV), "out.ranks_depth": .int32(tables.ranksDepth),
      "out.ranks_feat": .int32(tables.ranksFeature),
      "out.interval_starts": .int32(tables.intervalStarts),
      "out.interval_lengths": .int32(tables.intervalLengths), "out.bev": .float32(bev),
      "out.bev_fma_order": .float32(bev), "out.bev_muladd_order": .float32(bev),
    ]
    if test.has("in.cells") {
      let cells = try test.int32s("in.cells").map(Int.init)
      if let wrong = cells.first(where: { $0 < 0 || $0 >= bev.count / channels }) {
        throw GoldenError.damaged(
          tensor: "in.cells", expected: "cells below \(bev.count / channels)", found: "\(wrong)")
      }
      let rows = cells.flatMap { bev[($0 * channels)..<($0 * channels + channels)] }
      outputs["out.rows"] = .float32(rows)
      for name in ["out.rows_fma_order", "out.rows_muladd_order"] { outputs[name] = .float32(rows) }
      // The case stores the occupied cells only; every other one must be exactly 0.
      let occupied = Set(cells)
      for cell in 0..<(bev.count / channels) where !occupied.contains(cell) {
        let row = bev[(cell * channels)..<(cell * channels + channels)]
        if row.contains(where: { $0 != 0 }) { outputs["out.rows"] = .float32([]) }
      }
    }
    return outputs.filter { test.has($0.key) }
  }

  private static let depthSplit: GoldenRunner = { test, context in
    let shape = try test.shape("in.conv")
    let depthShape = try test.shape("out.depth")
    let contextShape = try test.shape("out.context")
    guard shape.count == 4, depthShape.count == 4, contextShape.count == 4 else {
      throw GoldenError.malformed("\(test.name): conv, depth and context need 4 dimensions")
    }
    guard shape[1] >= depthShape[1] + contextShape[3] else {
      throw GoldenError.damaged(
        tensor: "in.conv", expected: "\(depthShape[1]) bins and \(contextShape[3]) channels",
        found: "\(shape[1]) channels")
    }
    let network = AlignedBuffer(try test.floats("in.conv"))
    let depth = AlignedBuffer<Float>(count: depthShape.reduce(1, *))
    let rows = AlignedBuffer<Float>(count: contextShape.reduce(1, *))
    depth.fill(.nan)
    rows.fill(.nan)
    unsafe DepthSoftmax.split(
      UnsafeBufferPointer(network.elements), cameras: shape[0], networkChannels: shape[1],
      pixels: shape[2] * shape[3], bins: depthShape[1], channels: contextShape[3],
      depth: depth.elements, context: rows.elements, engine: context.engine, pool: context.pool)
    return ["out.depth": .float32(depth.array), "out.context": .float32(rows.array)]
  }

  private static let bevDet4DWarp: GoldenRunner = { test, context in
    let shape = try test.shape("in.prev_bev")
    guard shape.count == 3 else { throw GoldenError.malformed("prev_bev needs 3 dimensions") }
    let current = affine(try test.floats("in.cur_cam0_to_key"))
    let previous = affine(try test.floats("in.prev_cam0_to_key"))
    let lower = try test.floats("in.grid_lower_xy").map(Double.init)
    let step = try test.floats("in.grid_step_xy").map(Double.init)
    let transform = BEVPixelTransform.bevDet4D(
      keyFromCurrentCamera: RigidTransform(rotation: current.0, translation: current.1),
      keyFromPreviousCamera: RigidTransform(rotation: previous.0, translation: previous.1),
      bevAugmentation: test.has("in.bda") ? matrix(try test.floats("in.bda")) : .identity,
      lowerMeters: SIMD2(lower[0], lower[1]), stepMeters: SIMD2(step[0], step[1]))
    let warp = BEVWarp(
      width: shape[1], height: shape[0], channels: shape[2], engine: context.engine,
      pool: context.pool)
    let source = AlignedBuffer(try test.floats("in.prev_bev"))
    warp.output.fill(.nan)
    unsafe warp.warp(UnsafeBufferPointer(source.elements), validity: nil, by: transform)
    return ["out.bev": .float32(warp.output.array)]
  }
}
