import Foundation
import Swiftlet

/// The thirteen JSON tables of a nuScenes v1.0 data set and lidarseg's, made from a synthetic drive.
struct SyntheticTables {
  static let mapFile = "maps/synthetic.png"
  static let labelFolder = "lidarseg/\(SyntheticDriveWriter.version)"
  let drive: SyntheticDrive
  let records: [SyntheticFrameRecord]

  func write(to folder: URL) throws {
    let tables: [(String, [JSONValue])] = [
      ("scene", [scene]), ("sample", samples), ("sample_data", sampleData),
      ("calibrated_sensor", calibratedSensors), ("ego_pose", egoPoses), ("sensor", sensors),
      ("log", [log]), ("map", [map]), ("category", categories), ("attribute", attributes),
      ("visibility", visibilities), ("instance", instances),
      ("sample_annotation", annotations.map(\.row)), ("lidarseg", labels),
    ]
    for (name, rows) in tables {
      let text = "[\n" + rows.map(\.text).joined(separator: ",\n") + "\n]\n"
      try Data(text.utf8).write(to: folder.appendingPathComponent(name + ".json"))
    }
  }

  private func token(_ table: String, _ name: String) -> String {
    Self.token(drive.options.seed, table, name)
  }
  /// A 32-digit token that depends on the seed and the record alone.
  private static func token(_ seed: UInt64, _ table: String, _ name: String) -> String {
    var a = seed
    for byte in (table + "/" + name).utf8 { a = StreetRandom.mix(a ^ UInt64(byte)) }
    return hex(a) + hex(StreetRandom.mix(a ^ 0x5357_4946_544c_4554))
  }
  private static func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  private var sceneName: String { "synthetic-\(drive.options.seed)" }
  private func sampleToken(_ index: Int) -> String {
    records.indices.contains(index) ? token("sample", "\(index)") : ""
  }
  private func dataToken(_ index: Int, _ sensor: String) -> String {
    records.indices.contains(index) ? token("sample_data", "\(index)/\(sensor)") : ""
  }

  private var scene: JSONValue {
    .object([
      "token": .string(token("scene", sceneName)), "name": .string(sceneName),
      "description": .string("Synthetic street, ray-cast, seed \(drive.options.seed)"),
      "log_token": .string(token("log", "")), "nbr_samples": .integer(Int64(records.count)),
      "first_sample_token": .string(sampleToken(0)),
      "last_sample_token": .string(sampleToken(records.count - 1)),
    ])
  }
  private var log: JSONValue {
    .object([
      "token": .string(token("log", "")), "logfile": .string("synth-\(drive.options.seed)"),
      "vehicle": .string("synthetic"), "date_captured": .string("2020-09-13"),
      "location": .string("synthetic-street"),
    ])
  }
  private var map: JSONValue {
    .object([
      "token": .string(token("map", "")), "category": .string("semantic_prior"),
      "filename": .string(Self.mapFile), "log_tokens": .array([.string(token("log", ""))]),
    ])
  }
  private var samples: [JSONValue] {
    records.map { record in
      .object([
        "token": .string(sampleToken(record.index)),
        "timestamp": .integer(record.timestampMicroseconds),
        "prev": .string(sampleToken(record.index - 1)),
        "next": .string(sampleToken(record.index + 1)),
        "scene_token": .string(token("scene", sceneName)),
      ])
    }
  }

  // MARK: Classes of points

  /// Path of a scan's classes below the root: uint8, one a point.
  static func labelFile(drive: SyntheticDrive, frame: Int) -> String {
    let scan = token(drive.options.seed, "sample_data", "\(frame)/\(drive.rig.lidar.name)")
    return "\(labelFolder)/\(scan)_lidarseg.bin"
  }
  /// As in nuScenes, a record has the token of the scan it belongs to.
  private var labels: [JSONValue] {
    records.map { record in
      let scan = dataToken(record.index, drive.rig.lidar.name)
      return .object([
        "token": .string(scan), "sample_data_token": .string(scan),
        "filename": .string(Self.labelFile(drive: drive, frame: record.index)),
      ])
    }
  }

  // MARK: Sensors

  private var sensorNames: [String] { [drive.rig.lidar.name] + drive.rig.cameras.map(\.name) }

  private var sensors: [JSONValue] {
    sensorNames.map { name in
      .object([
        "token": .string(token("sensor", name)), "channel": .string(name),
        "modality": .string(name == drive.rig.lidar.name ? "lidar" : "camera"),
      ])
    }
  }
  private var calibratedSensors: [JSONValue] {
    var rows = [calibration(drive.rig.lidar.name, drive.rig.lidar.egoFromLidar, nil)]
    for camera in drive.rig.cameras {
      rows.append(calibration(camera.name, drive.recordedMount(camera), camera.intrinsics))
    }
    return rows
  }
  private func calibration(
    _ name: String, _ egoFromSensor: RigidTransform, _ intrinsics: CameraIntrinsics?
  ) -> JSONValue {
    let rows = intrinsics.map { intrinsics in
      [intrinsics.matrix.row0, intrinsics.matrix.row1, intrinsics.matrix.row2].map(numbers)
    }
    return .object([
      "token": .string(token("calibrated_sensor", name)),
      "sensor_token": .string(token("sensor", name)),
      "translation": numbers(egoFromSensor.translation),
      "rotation": quaternion(egoFromSensor.rotation), "camera_intrinsic": .array(rows ?? []),
    ])
  }
  private func numbers(_ v: SIMD3<Double>) -> JSONValue {
    .array([.number(v.x), .number(v.y), .number(v.z)])
  }
  private func quaternion(_ rotation: Matrix3) -> JSONValue {
    let q = Quaternion(rotation: rotation).normalized
    return .array([.number(q.w), .number(q.x), .number(q.y), .number(q.z)])
  }

  private struct Shot {
    var sensor: String
    var microseconds: Int64
    var worldFromEgo: RigidTransform
    var size: (width: Int, height: Int)
  }
  private func shots(_ record: SyntheticFrameRecord) -> [Shot] {
    let lidar = Shot(
      sensor: drive.rig.lidar.name, microseconds: record.timestampMicroseconds,
      worldFromEgo: record.worldFromEgo, size: (0, 0))
    let size = (drive.options.imageWidthPixels, drive.options.imageHeightPixels)
    return [lidar]
      + record.cameras.map {
        Shot(
          sensor: $0.name, microseconds: $0.timestampMicroseconds, worldFromEgo: $0.worldFromEgo,
          size: size)
      }
  }

  private var sampleData: [JSONValue] {
    records.flatMap { record in
      shots(record).map { shot in
        .object([
          "token": .string(dataToken(record.index, shot.sensor)),
          "sample_token": .string(sampleToken(record.index)),
          "ego_pose_token": .string(dataToken(record.index, shot.sensor)),
          "calibrated_sensor_token": .string(token("calibrated_sensor", shot.sensor)),
          "timestamp": .integer(shot.microseconds),
          "fileformat": .string(shot.size.width == 0 ? "pcd" : "jpg"), "is_key_frame": .bool(true),
          "height": .integer(Int64(shot.size.height)), "width": .integer(Int64(shot.size.width)),
          "filename": .string(
            SyntheticFrameRecord.fileName(
              drive: drive, sensor: shot.sensor, microseconds: shot.microseconds)),
          "prev": .string(dataToken(record.index - 1, shot.sensor)),
          "next": .string(dataToken(record.index + 1, shot.sensor)),
        ])
      }
    }
  }
  /// As in nuScenes, an ego pose has the token of the sample_data it belongs to.
  private var egoPoses: [JSONValue] {
    records.flatMap { record in
      shots(record).map { shot in
        .object([
          "token": .string(dataToken(record.index, shot.sensor)),
          "timestamp": .integer(shot.microseconds),
          "rotation": quaternion(shot.worldFromEgo.rotation),
          "translation": numbers(shot.worldFromEgo.translation),
        ])
      }
    }
  }

  // MARK: Annotations

  private static let attributeNames = [
    "vehicle.moving", "vehicle.parked", "pedestrian.moving", "pedestrian.standing",
  ]
  private var attributes: [JSONValue] {
    Self.attributeNames.map { name in
      .object([
        "token": .string(token("attribute", name)), "name": .string(name),
        "description": .string(""),
      ])
    }
  }
  private var categories: [JSONValue] {
    SyntheticLabel.allCases.map { label in
      .object([
        "token": .string(token("category", label.name)), "name": .string(label.name),
        "description": .string(""), "index": .integer(Int64(label.rawValue)),
      ])
    }
  }
  private var visibilities: [JSONValue] {
    zip(["1", "2", "3", "4"], ["v0-40", "v40-60", "v60-80", "v80-100"]).map { name, level in
      .object([
        "token": .string(name), "level": .string(level),
        "description": .string("visibility of whole object is \(level)"),
      ])
    }
  }

  private struct Annotation {
    var identity: UInt64
    var token: String
    var row: JSONValue
  }
  /// Frames in which each object is annotated, in order.
  private var appearances: [UInt64: [Int]] {
    var frames: [UInt64: [Int]] = [:]
    for record in records {
      for box in record.boxes { frames[box.identity, default: []].append(record.index) }
    }
    return frames
  }
  private func annotationToken(_ identity: UInt64, _ frame: Int?) -> String {
    frame.map { token("sample_annotation", "\(identity)/\($0)") } ?? ""
  }

  private var annotations: [Annotation] {
    let appearances = appearances
    return records.flatMap { record in
      record.boxes.map { box in
        let frames = appearances[box.identity] ?? []
        let place = frames.firstIndex(of: record.index) ?? 0
        let previous = place > 0 ? frames[place - 1] : nil
        let next = place + 1 < frames.count ? frames[place + 1] : nil
        let own = annotationToken(box.identity, record.index)
        return Annotation(
          identity: box.identity, token: own,
          row: annotationRow(
            box, record, token: own, previous: annotationToken(box.identity, previous),
            next: annotationToken(box.identity, next)))
      }
    }
  }
  private func annotationRow(
    _ box: SyntheticFrame.Box, _ record: SyntheticFrameRecord, token own: String,
    previous: String, next: String
  ) -> JSONValue {
    let kind = box.category == .pedestrian ? "pedestrian" : "vehicle"
    let state = box.isMoving ? "moving" : (kind == "vehicle" ? "parked" : "standing")
    return .object([
      "token": .string(own), "sample_token": .string(sampleToken(record.index)),
      "instance_token": .string(token("instance", "\(box.identity)")),
      "visibility_token": .string(box.lidarPointCount < 20 ? "1" : "4"),
      "attribute_tokens": .array([.string(token("attribute", "\(kind).\(state)"))]),
      "translation": numbers(box.worldFromBox.translation),
      // nuScenes orders width, length, height.
      "size": numbers(SIMD3(box.size.y, box.size.x, box.size.z)),
      "rotation": quaternion(box.worldFromBox.rotation), "prev": .string(previous),
      "next": .string(next), "num_lidar_pts": .integer(Int64(box.lidarPointCount)),
      "num_radar_pts": .integer(0),
    ])
  }

  private var instances: [JSONValue] {
    let appearances = appearances
    var category: [UInt64: SyntheticCategory] = [:]
    for record in records {
      for box in record.boxes { category[box.identity] = box.category }
    }
    return appearances.sorted { ($0.value[0], $0.key) < ($1.value[0], $1.key) }.map { entry in
      .object([
        "token": .string(token("instance", "\(entry.key)")),
        "category_token": .string(
          token("category", (category[entry.key] ?? .car).rawValue)),
        "nbr_annotations": .integer(Int64(entry.value.count)),
        "first_annotation_token": .string(annotationToken(entry.key, entry.value.first)),
        "last_annotation_token": .string(annotationToken(entry.key, entry.value.last)),
      ])
    }
  }
}

extension SyntheticDrive {
  /// The mount the tables state: the true one, turned by the planted fault where there is one.
  func recordedMount(_ camera: SyntheticRig.Camera) -> RigidTransform {
    guard let fault = options.calibrationFault, fault.camera == camera.name else {
      return camera.egoFromCamera
    }
    let length = (fault.axis * fault.axis).sum().squareRoot()
    let turn = Quaternion(axis: fault.axis / length, radians: fault.degrees * .pi / 180)
    return camera.egoFromCamera * RigidTransform(rotation: turn, translation: .zero)
  }
}
