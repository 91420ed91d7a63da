import Swiftlet

/// Golden operations on cameras, poses and templates.
public enum GoldenGeometry {
  public static let runners: [String: GoldenRunner] = [
    "camera_model": cameraModel,
    "quaternion_to_matrix": quaternionToMatrix,
    "se3_compose_invert": composeInvert,
    "pose_interpolation": poseInterpolation,
    "se3_sensor_to_key_ego": sensorToKeyEgo,
    "frustum_template": frustumTemplate,
    "image_augmentation_matrix": imageAugmentation,
  ]

  /// The lens model of a case: coefficients under `name`.
  static func lens(
    _ test: GoldenCase, _ coefficients: [Float]
  ) throws(GoldenError) -> LensModel {
    let model = test.attributes["model"]?.stringValue ?? "pinhole"
    let values = coefficients.map(Double.init)
    switch model {
    case "pinhole": return .pinhole
    case "brown", "brown_conrady":
      guard values.count <= 8 else { throw .unsupported("\(values.count) Brown coefficients") }
      return values.isEmpty ? .pinhole : .brownConrady(values)
    case "fisheye", "kannala_brandt", "equidistant":
      guard values.count <= 4 else { throw .unsupported("\(values.count) fisheye coefficients") }
      return .kannalaBrandt(values)
    case "ftheta", "f-theta": return .fTheta(values)
    case "ftheta_inverse": return .fThetaInverse(values)
    default: throw .unsupported("lens model \(model)")
    }
  }

  /// Row-major 3×3 intrinsics with a lens; the image size is not part of the golden format.
  static func intrinsics(_ k: ArraySlice<Float>, _ lens: LensModel) -> CameraIntrinsics {
    let values = k.map(Double.init)
    return CameraIntrinsics(
      focalX: values[0], focalY: values[4], centerX: values[2], centerY: values[5], lens: lens,
      widthPixels: 1, heightPixels: 1)
  }

  private static let cameraModel: GoldenRunner = { test, context in
    let k = try test.floats("in.intrin")
    let coefficients = test.has("in.distortion") ? try test.floats("in.distortion") : []
    let camera = intrinsics(k[0..<9], try lens(test, coefficients))
    var outputs: [String: GoldenOutput] = [:]
    if test.has("in.points") {
      let points = try test.floats("in.points").map(Double.init)
      let pixels = camera.pixels(of: points, engine: context.engine)
      outputs["out.uv"] = .float32(pixels.map { Float($0) })
    }
    if test.has("in.pixels") {
      let pixels = try test.floats("in.pixels").map(Double.init)
      let rays = camera.rays(of: pixels, engine: context.engine)
      outputs["out.ray"] = .float32(rays.map { Float($0) })
    }
    if test.has("in.wide_points") {
      let wide = test.has("in.wide_distortion") ? try test.floats("in.wide_distortion") : coefficients
      let wideCamera = intrinsics(k[0..<9], try lens(test, wide))
      let points = try test.floats("in.wide_points").map(Double.init)
      let pixels = wideCamera.pixels(of: points, engine: context.engine)
      outputs["out.wide_uv"] = .float32(pixels.map { Float($0) })
    }
    return outputs
  }

  private static let quaternionToMatrix: GoldenRunner = { test, context in
    let matrices = PoseBatch.matrices(
      quaternions: try test.doubles("in.quat"), engine: context.engine)
    return ["out.matrix": .float64(matrices)]
  }

  private static let composeInvert: GoldenRunner = { test, context in
    let engine = context.engine
    let quaternionsA = try test.doubles("in.quat_a")
    let quaternionsB = try test.doubles("in.quat_b")
    let a = PoseBatch.poses(
      quaternions: quaternionsA, translations: try test.doubles("in.trans_a"), engine: engine)
    let b = PoseBatch.poses(
      quaternions: quaternionsB, translations: try test.doubles("in.trans_b"), engine: engine)
    let inverse = PoseBatch.inverted(a, engine: engine)
    let relative = PoseBatch.composed(inverse, b, engine: engine)
    return [
      "out.compose": .float64(PoseBatch.composed(a, b, engine: engine)),
      "out.inverse": .float64(inverse),
      "out.quat_product": .float64(
        PoseBatch.products(quaternionsA, quaternionsB, engine: engine)),
      "out.relative_f32": .float32(PoseBatch.narrowed(relative, engine: engine)),
    ]
  }

  private static let poseInterpolation: GoldenRunner = { test, context in
    let engine = context.engine
    let time0 = try test.int64s("in.time0")
    let time1 = try test.int64s("in.time1")
    let time = try test.int64s("in.time")
    let fractions = try time.indices.map { index -> Double in
      let (whole, overflow) = time1[index].subtractingReportingOverflow(time0[index])
      let (passed, passedOverflow) = time[index].subtractingReportingOverflow(time0[index])
      guard !overflow, !passedOverflow else {
        throw GoldenError.damaged(
          tensor: "in.time", expected: "differences of 64 bits",
          found: "\(time0[index]), \(time[index]) and \(time1[index])")
      }
      return whole == 0 ? 0 : Double(passed) / Double(whole)
    }
    let quaternions = PoseBatch.slerped(
      try test.doubles("in.quat0"), try test.doubles("in.quat1"), fractions: fractions,
      engine: engine)
    let translations = PoseBatch.interpolated(
      try test.doubles("in.trans0"), try test.doubles("in.trans1"), fractions: fractions,
      engine: engine)
    let poses = PoseBatch.poses(
      quaternions: quaternions, translations: translations, engine: engine)
    return [
      "out.quat": .float64(quaternions), "out.trans": .float64(translations),
      "out.matrix_f32": .float32(PoseBatch.narrowed(poses, engine: engine)),
    ]
  }

  /// M_i = inverse(E_key) E_i S_i; the key pose is the first.
  private static let sensorToKeyEgo: GoldenRunner = { test, context in
    let engine = context.engine
    let ego = PoseBatch.poses(
      quaternions: try test.doubles("in.quat_ego"), translations: try test.doubles("in.trans_ego"),
      engine: engine)
    let sensor = PoseBatch.poses(
      quaternions: try test.doubles("in.quat_sensor"),
      translations: try test.doubles("in.trans_sensor"), engine: engine)
    guard ego.count >= 16, ego.count == sensor.count else {
      throw GoldenError.malformed("\(ego.count) ego and \(sensor.count) sensor pose values")
    }
    let keyFromGlobal = PoseBatch.inverted(Array(ego[0..<16]), engine: engine)
    let keyFromEgo = PoseBatch.composed(keyFromGlobal, ego, engine: engine)
    let keyFromSensor = PoseBatch.composed(keyFromEgo, sensor, engine: engine)
    return ["out.matrix_f32": .float32(PoseBatch.narrowed(keyFromSensor, engine: engine))]
  }

  /// Depth ranges of the shipped configurations by the names the golden set uses.
  private static let depthRanges: [String: (Double, Double, Double)] = [
    "lss": (4, 45, 1), "bevdet": (1, 60, 1), "bevdet_r50": (1, 60, 1),
    "bevdet_d118": (1, 60, 0.5), "bevfusion": (1, 60, 0.5), "flashocc": (1, 45, 1),
    "flashocc_m0": (1, 45, 1), "flashocc_m1": (1, 45, 0.5), "bevdet_occ": (1, 45, 0.5),
    "fbocc": (2, 42, 0.5), "fb_occ": (2, 42, 0.5),
  ]

  /// Outputs name their configuration: `depth_<project>`, `u_<image width>_<…>`, `v_<height>_<…>`.
  private static let frustumTemplate: GoldenRunner = { test, context in
    var outputs: [String: GoldenOutput] = [:]
    for (name, tensor) in test.tensors where name.hasPrefix("out.") {
      let parts = name.dropFirst(4).split(separator: "_", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { throw GoldenError.unsupported("template \(name)") }
      if parts[0] == "depth" {
        outputs[name] = .float32(try depthBins(parts[1], test.layouts[name], context))
      } else {
        guard let size = parts[1].split(separator: "_").first.flatMap({ Int($0) }) else {
          throw GoldenError.unsupported("template \(name)")
        }
        outputs[name] = .float32(
          FrustumTemplate.endpointAligned(
            imageSize: size, count: tensor.elementCount, engine: context.engine))
      }
    }
    return outputs
  }

  /// By the (d0, d1, dd) of the tensor's layout text, else by the configuration's name. A text that
  /// speaks of SID or spacing-increasing bins means d0 ((d1 - 1) / d0)^(k / (D - 1)).
  private static func depthBins(
    _ configuration: String, _ layout: String?, _ context: VerifyContext
  ) throws(GoldenError) -> [Float] {
    let bracket = layout?.split(separator: "(").last?.split(separator: ")").first ?? ""
    let written = bracket.split(separator: ",").compactMap { Double($0.filter { $0 != " " }) }
    let range: (Double, Double, Double)
    if written.count == 3 {
      range = (written[0], written[1], written[2])
    } else if let known = depthRanges[configuration] {
      range = known
    } else {
      throw .unsupported("depth bins of \(configuration)")
    }
    let count = ((range.1 - range.0) / range.2).rounded(.up)
    guard count >= 1, count <= 65536 else {
      throw .damaged(
        tensor: "out.depth_\(configuration)", expected: "1 to 65536 bins", found: "\(range)")
    }
    let isSpaced = layout.map { $0.contains("SID") || $0.contains("spacing") } ?? false
    return isSpaced
      ? DepthBins.spacingIncreasing(lower: range.0, upper: range.1, count: Int(count)).values
      : DepthBins.uniform(
        lower: range.0, upper: range.1, step: range.2, engine: context.engine
      ).values
  }

  private static let imageAugmentation: GoldenRunner = { test, context in
    let resize = try test.floats("in.resize")
    let degrees = try test.floats("in.rotate_degrees")
    let crop = try test.int32s("in.crop_flip").map(Double.init)
    let settings = resize.indices.flatMap { index in
      [Double(resize[index])] + crop[(5 * index)..<(5 * index + 5)] + [Double(degrees[index])]
    }
    let results = ImageAugmentation.batch(settings, engine: context.engine)
    return [
      "out.A": .float32(results.flatMap { [$0.a00, $0.a01, $0.a10, $0.a11] }.map { Float($0) }),
      "out.t": .float32(results.flatMap { [$0.tx, $0.ty] }.map { Float($0) }),
    ]
  }
}
