import Foundation
import Swiftlet

/// Cameras' calibrations in a file of their own, `rig.json`: what the doctor writes and the
/// projection commands read over a recording's own.
public struct CalibrationRig: Sendable, Equatable {
  public struct Camera: Sendable, Equatable {
    public var name: String
    public var intrinsics: CameraIntrinsics
    /// The mount: camera to ego at the camera's own time.
    public var egoFromCamera: RigidTransform
    public init(name: String, intrinsics: CameraIntrinsics, egoFromCamera: RigidTransform) {
      self.name = name
      self.intrinsics = intrinsics
      self.egoFromCamera = egoFromCamera
    }
  }
  public static let schemaVersion = 1
  public var cameras: [Camera]

  public init(cameras: [Camera]) { self.cameras = cameras }

  /// The rig of a frame, missing cameras included with what is known of them.
  public init(_ frame: SensorFrame) {
    cameras = frame.cameras.map {
      Camera(name: $0.name, intrinsics: $0.intrinsics, egoFromCamera: $0.egoFromCamera)
    }
  }

  /// Puts these calibrations in place of the frame's own, by name; the ego's motion between a
  /// camera's time and the frame's stays as recorded.
  ///
  /// - Throws: `CalibrationError` naming a camera the frame has not, or one that is no camera.
  public func apply(to frame: inout SensorFrame) throws(CalibrationError) {
    for camera in cameras {
      guard let index = frame.cameras.firstIndex(where: { $0.name == camera.name }) else {
        throw CalibrationError(
          sensor: camera.name,
          expected: "a camera of the recording: \(frame.cameras.map(\.name).joined(separator: " "))",
          found: camera.name, remedy: "correct the name in the rig file")
      }
      try camera.intrinsics.validate(sensor: camera.name)
      try camera.egoFromCamera.validate(sensor: camera.name)
      let moved = frame.cameras[index].keyEgoFromCamera
        * frame.cameras[index].egoFromCamera.inverse
      frame.cameras[index].intrinsics = camera.intrinsics
      frame.cameras[index].egoFromCamera = camera.egoFromCamera
      frame.cameras[index].keyEgoFromCamera = moved * camera.egoFromCamera
    }
  }
}

// MARK: JSON

extension CalibrationRig {
  private static let lensNames = [
    "pinhole", "brown_conrady", "kannala_brandt", "ftheta", "ftheta_inverse",
  ]

  /// Reads `rig.json`; `//` comments are allowed.
  public init(json bytes: [UInt8]) throws(ConfigurationError) {
    let value: JSONValue
    do throws(JSONError) {
      value = try JSONReader.parse(bytes, allowsComments: true)
    } catch {
      throw ConfigurationError(
        field: "rig byte \(error.byteOffset)", expected: error.expected, found: error.found,
        remedy: "correct the JSON")
    }
    guard value["schema_version"]?.intValue == Self.schemaVersion else {
      throw Self.error("schema_version", "\(Self.schemaVersion)", value["schema_version"])
    }
    guard let members = value["cameras"]?.arrayValue, !members.isEmpty else {
      throw Self.error("cameras", "a list of cameras", value["cameras"])
    }
    cameras = []
    for (index, member) in members.enumerated() {
      cameras.append(try Self.camera(member, "cameras[\(index)]"))
    }
  }

  private static func error(
    _ field: String, _ expected: String, _ found: JSONValue?
  ) -> ConfigurationError {
    ConfigurationError(
      field: "rig.\(field)", expected: expected, found: found?.text ?? "nothing",
      remedy: "correct the rig file; `swiftlet doctor --refine` writes one to start from")
  }

  private static func numbers(
    _ value: JSONValue, _ key: String, _ path: String, _ counts: ClosedRange<Int>
  ) throws(ConfigurationError) -> [Double] {
    guard let numbers = value[key]?.doublesValue, counts.contains(numbers.count) else {
      let wanted = counts.count == 1 ? "\(counts.lowerBound)" : "\(counts.lowerBound) to \(counts.upperBound)"
      throw error("\(path).\(key)", "\(wanted) numbers", value[key])
    }
    return numbers
  }

  private static func camera(
    _ value: JSONValue, _ path: String
  ) throws(ConfigurationError) -> Camera {
    guard let name = value["name"]?.stringValue, !name.isEmpty else {
      throw error("\(path).name", "a camera's name", value["name"])
    }
    guard let mount = value["ego_from_camera"] else {
      throw error("\(path).ego_from_camera", "rotation_wxyz and translation_meters", nil)
    }
    let q = try numbers(mount, "rotation_wxyz", "\(path).ego_from_camera", 4...4)
    let t = try numbers(mount, "translation_meters", "\(path).ego_from_camera", 3...3)
    let quaternion = Quaternion(w: q[0], x: q[1], y: q[2], z: q[3])
    guard quaternion.norm > 1e-6 else {
      throw error("\(path).ego_from_camera.rotation_wxyz", "a quaternion that is not 0", mount["rotation_wxyz"])
    }
    return Camera(
      name: name, intrinsics: try intrinsics(value, path),
      egoFromCamera: RigidTransform(
        rotation: quaternion.normalized, translation: SIMD3(t[0], t[1], t[2])))
  }

  private static func intrinsics(
    _ value: JSONValue, _ path: String
  ) throws(ConfigurationError) -> CameraIntrinsics {
    guard let width = value["width_pixels"]?.intValue, let height = value["height_pixels"]?.intValue,
      (1...65_535).contains(width), (1...65_535).contains(height)
    else { throw error("\(path).width_pixels", "an image size in pixels", value["width_pixels"]) }
    let center = try numbers(value, "center_pixels", path, 2...2)
    if value["angle_to_pixels"] != nil {
      return .fTheta(
        angleToPixels: try numbers(value, "angle_to_pixels", path, 2...6), centerX: center[0],
        centerY: center[1], widthPixels: width, heightPixels: height)
    }
    if value["pixels_to_angle"] != nil {
      return .fTheta(
        pixelsToAngle: try numbers(value, "pixels_to_angle", path, 2...6), centerX: center[0],
        centerY: center[1], widthPixels: width, heightPixels: height)
    }
    let focal = try numbers(value, "focal_pixels", path, 2...2)
    return CameraIntrinsics(
      focalX: focal[0], focalY: focal[1], centerX: center[0], centerY: center[1],
      lens: try lens(value, path), widthPixels: width, heightPixels: height)
  }

  private static func lens(
    _ value: JSONValue, _ path: String
  ) throws(ConfigurationError) -> LensModel {
    let name = value["lens"]?.stringValue ?? "pinhole"
    let k = value["coefficients"] == nil ? [] : try numbers(value, "coefficients", path, 0...8)
    switch name {
    case "pinhole": return .pinhole
    case "brown_conrady": return .brownConrady(k)
    case "kannala_brandt": return .kannalaBrandt(k)
    case "ftheta": return .fTheta(k)
    case "ftheta_inverse": return .fThetaInverse(k)
    default:
      throw error("\(path).lens", "one of \(lensNames.joined(separator: ", "))", value["lens"])
    }
  }

  /// The file's text.
  public var json: String {
    let list = cameras.map { camera in
      let q = Quaternion(rotation: camera.egoFromCamera.rotation).canonical
      let t = camera.egoFromCamera.translation
      let k = camera.intrinsics
      func array(_ values: [Double]) -> JSONValue { .array(values.map { .number($0) }) }
      return JSONValue.object([
        "name": .string(camera.name), "width_pixels": .integer(Int64(k.widthPixels)),
        "height_pixels": .integer(Int64(k.heightPixels)),
        "focal_pixels": array([k.focalX, k.focalY]),
        "center_pixels": array([k.centerX, k.centerY]), "lens": .string(k.lens.name),
        "coefficients": array(k.lens.coefficients),
        "ego_from_camera": .object([
          "rotation_wxyz": array([q.w, q.x, q.y, q.z]),
          "translation_meters": array([t.x, t.y, t.z]),
        ]),
      ])
    }
    return JSONValue.object([
      "schema_version": .integer(Int64(Self.schemaVersion)), "cameras": .array(list),
    ]).text + "\n"
  }
}

extension LensModel {
  /// As rig files name it.
  public var name: String {
    switch self {
    case .pinhole: "pinhole"
    case .brownConrady: "brown_conrady"
    case .kannalaBrandt: "kannala_brandt"
    case .fTheta: "ftheta"
    case .fThetaInverse: "ftheta_inverse"
    }
  }
}
