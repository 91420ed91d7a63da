import Swiftlet
import SwiftletReplay

/// A small nuScenes recording: the ego drives along x at 5 m/s, heading forward; two cameras look
/// forward and backward 10 and 20 ms after the LiDAR; frames every 100 ms. Tests damage it before
/// it is written.
struct NuScenesBuilder {
  typealias Row = [String: JSONValue]
  static let start: Int64 = 1_600_000_000_000_000
  static let speed = 5.0

  var tables: [String: [Row]] = [:]
  var files: [(name: String, bytes: [UInt8])] = []
  let cameras = ["CAM_FRONT", "CAM_BACK"]
  let points: [Float] = [
    10, 0, -1, 50, 0, 20, 3, -1, 60, 1, -15, 2, 0.5, 70, 2, 0.5, 0.2, -0.3, 80, 3,
  ]

  init(frames: Int = 3, scenes: Int = 1, lidars: [String] = ["LIDAR_TOP"]) throws {
    let image = try JPEGCodec.encode(RGBImage(widthPixels: 64, heightPixels: 48))
    for name in ["scene", "sample", "sensor", "calibrated_sensor", "sample_data", "ego_pose"] {
      tables[name] = []
    }
    // Camera x right, y down, z forward to ego: forward, then backward.
    addSensor("CAM_FRONT", "camera", rotation: [0.5, -0.5, 0.5, -0.5], translation: [1.5, 0, 1.6])
    addSensor("CAM_BACK", "camera", rotation: [0.5, -0.5, -0.5, 0.5], translation: [-0.5, 0, 1.6])
    for name in lidars {
      addSensor(name, "lidar", rotation: [1, 0, 0, 0], translation: [0, 0, 1.8])
    }
    for scene in 0..<scenes {
      tables["scene"]?.append([
        "token": .string("scene\(scene)"), "name": .string("scene-000\(scene + 1)"),
      ])
      for frame in 0..<frames { addFrame(frame, scene, image, lidars) }
    }
  }

  private mutating func addSensor(
    _ name: String, _ modality: String, rotation: [Double], translation: [Double]
  ) {
    tables["sensor"]?.append([
      "token": .string("s-\(name)"), "channel": .string(name), "modality": .string(modality),
    ])
    let k: [[Double]] = modality == "camera" ? [[50, 0, 32], [0, 50, 24], [0, 0, 1]] : []
    tables["calibrated_sensor"]?.append([
      "token": .string("c-\(name)"), "sensor_token": .string("s-\(name)"),
      "rotation": Self.numbers(rotation), "translation": Self.numbers(translation),
      "camera_intrinsic": .array(k.map(Self.numbers)),
    ])
  }

  private mutating func addFrame(_ frame: Int, _ scene: Int, _ image: [UInt8], _ lidars: [String]) {
    let key = Self.start + Int64(scene) * 1_000_000_000 + Int64(frame) * 100_000
    let sample = "sample\(scene)-\(frame)"
    tables["sample"]?.append([
      "token": .string(sample), "scene_token": .string("scene\(scene)"),
      "timestamp": .integer(key),
    ])
    for (number, name) in (lidars + cameras).enumerated() {
      let isCamera = name.hasPrefix("CAM")
      let time = key + (isCamera ? Int64(number - lidars.count + 1) * 10_000 : 0)
      let file = "samples/\(name)/\(name)__\(time).\(isCamera ? "jpg" : "pcd.bin")"
      let token = "\(name)-\(scene)-\(frame)"
      tables["sample_data"]?.append([
        "token": .string(token), "sample_token": .string(sample),
        "ego_pose_token": .string("e-\(token)"), "calibrated_sensor_token": .string("c-\(name)"),
        "timestamp": .integer(time), "filename": .string(file), "prev": .string(""),
        "next": .string(""), "width": .integer(isCamera ? 64 : 0),
        "height": .integer(isCamera ? 48 : 0),
      ])
      tables["ego_pose"]?.append([
        "token": .string("e-\(token)"), "timestamp": .integer(time),
        "rotation": Self.numbers([1, 0, 0, 0]),
        "translation": Self.numbers([Self.speed * Double(time - Self.start) / 1e6, 0, 0]),
      ])
      files.append((file, isCamera ? image : floatBytes(points)))
    }
  }

  static func numbers(_ values: [Double]) -> JSONValue { .array(values.map { .number($0) }) }

  /// Changes the rows of a table whose token is `token`.
  mutating func edit(_ table: String, _ token: String, _ change: (inout Row) -> Void) {
    guard var rows = tables[table] else { return }
    for index in rows.indices where rows[index]["token"] == .string(token) { change(&rows[index]) }
    tables[table] = rows
  }
  mutating func remove(_ table: String, _ token: String) {
    tables[table]?.removeAll { $0["token"] == .string(token) }
  }
  /// The file of a sensor's frame.
  func file(_ sensor: String, _ frame: Int) -> String {
    files.filter { $0.name.contains("/\(sensor)/") }[frame].name
  }
  mutating func replace(_ file: String, _ change: ([UInt8]) -> [UInt8]) {
    for index in files.indices where files[index].name == file {
      files[index].bytes = change(files[index].bytes)
    }
  }

  func write(to folder: TemporaryFolder) throws {
    for (name, rows) in tables {
      try folder.write("v1.0-mini/\(name).json", JSONValue.array(rows.map { .object($0) }).text)
    }
    for file in files { try folder.write(file.name, file.bytes) }
  }

  /// Writes and opens.
  func open(
    _ folder: TemporaryFolder, _ options: RecordingOptions = RecordingOptions()
  ) throws -> any Recording {
    try write(to: folder)
    return try RecordingOpener.open(path: folder.path, options: options)
  }
}

extension [ReplayWarning] {
  func count(_ code: String, sensor: String? = nil) -> Int {
    filter { $0.code == code && (sensor == nil || $0.sensor == sensor) }.count
  }
}
