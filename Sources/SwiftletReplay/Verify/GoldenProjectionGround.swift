import Swiftlet

/// Golden operation inverse_perspective_mapping.
enum GoldenProjectionGround {
  static let runners: [String: GoldenRunner] = ["inverse_perspective_mapping": mapGround]

  private static let mapGround: GoldenRunner = { test, context in
    let shape = try test.shape("in.image")
    guard shape.count == 4, let x = test.attributes["x_min_max_step"]?.doublesValue,
      let y = test.attributes["y_min_max_step"]?.doublesValue, x.count == 3, y.count == 3,
      let ground = test.attributes["ground_z"]?.doubleValue
    else { throw GoldenError.malformed("\(test.name) lacks images, ranges or ground_z") }
    let size = try test.shape("out.count")
    let warp = GroundWarp(
      width: size[1], height: size[0], lowerMeters: SIMD2(x[0], y[0]),
      stepMeters: SIMD2(x[2], y[2]), plane: GroundPlane(heightMeters: ground),
      engine: context.engine, pool: context.pool)
    let cameras = try groundCameras(test, shape)
    warp.setCameras(cameras)
    let images = AlignedBuffer(try test.bytes("in.image"))
    warp.colors.fill(.nan)
    let pixels = shape[1] * shape[2] * 3
    try warp.warp(
      cameras.indices.map {
        unsafe ImageView(
          base: images.pointer + $0 * pixels, widthPixels: shape[2], heightPixels: shape[1])
      })
    let outputs: [String: GoldenOutput] = [
      "out.valid": .uint8(cameras.indices.flatMap { warp.visibility(camera: $0) }),
      "out.count": .int32(warp.counts.array), "out.bev": .float32(warp.colors.array),
      "out.homography": .float32(
        cameras.flatMap { $0.homography(groundZ: ground).rowMajor }.map { Float($0) }),
    ]
    return outputs.filter { test.has($0.key) }
  }

  private static func groundCameras(
    _ test: GoldenCase, _ shape: [Int]
  ) throws -> [GroundCamera] {
    let k = try test.floats("in.intrin")
    let coefficients = try test.floats("in.distortion")
    let limits = try test.floats("in.limit")
    let rotations = try test.floats("in.rot")
    let translations = try test.floats("in.trans")
    let perCamera = coefficients.count / max(shape[0], 1)
    return try (0..<shape[0]).map { camera in
      let own = Array(coefficients[(perCamera * camera)..<(perCamera * (camera + 1))])
      var intrinsics = GoldenGeometry.intrinsics(
        k[(9 * camera)..<(9 * camera + 9)], try GoldenGeometry.lens(test, own))
      intrinsics.widthPixels = shape[2]
      intrinsics.heightPixels = shape[1]
      return GroundCamera(
        intrinsics: intrinsics,
        egoFromCamera: RigidTransform(
          rotation: GoldenProjection.matrix(rotations, camera),
          translation: GoldenProjection.vector(translations, camera)),
        nearMeters: test.attributes["near"]?.doubleValue ?? 0.1, limit: Double(limits[camera]))
    }
  }
}
