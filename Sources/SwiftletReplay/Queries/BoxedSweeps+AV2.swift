import Foundation
import Swiftlet

/// Argoverse 2 as plain files: `<ns>.bin` (float32 x 5 in the ego's axes), `annotations.json`,
/// `city_SE3_egovehicle.json`, and `flow_<ns>.f32x3`, the published motion of each point to the next
/// sweep in the ego's axes.
extension BoxedSweeps {
  private struct Pose: Decodable {
    var timestamp_ns: Int64
    var qw: Double
    var qx: Double
    var qy: Double
    var qz: Double
    var tx_m: Double
    var ty_m: Double
    var tz_m: Double
    var transform: RigidTransform {
      RigidTransform(
        rotation: Quaternion(w: qw, x: qx, y: qy, z: qz).normalized,
        translation: SIMD3(tx_m, ty_m, tz_m))
    }
  }
  private struct Calibration: Decodable {
    struct Mount: Decodable {
      var sensor_name: String
      var tx_m: Double
      var ty_m: Double
      var tz_m: Double
    }
    var egovehicle_SE3_sensor: [Mount]
  }
  private struct Annotation: Decodable {
    var timestamp_ns: Int64
    var track_uuid: String
    var length_m: Double
    var width_m: Double
    var height_m: Double
    var qw: Double
    var qx: Double
    var qy: Double
    var qz: Double
    var tx_m: Double
    var ty_m: Double
    var tz_m: Double
  }

  /// - Throws: `RecordingError` for files that are missing or not what they should be.
  static func readAV2(_ directory: String) throws(RecordingError) -> BoxedSweeps {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
    let times = names.compactMap { $0.hasSuffix(".bin") ? Int64($0.dropLast(4)) : nil }.sorted()
    guard times.count >= 2 else {
      throw RecordingError(
        file: directory, expected: "two or more sweeps <nanoseconds>.bin", found: "\(times.count)",
        remedy: "give a folder of Argoverse 2 sweeps")
    }
    let poses = try decode([Pose].self, directory + "/city_SE3_egovehicle.json")
    let annotations = try decode([Annotation].self, directory + "/annotations.json")
    let calibration = try decode(Calibration.self, directory + "/calibration.json")
    guard let mount = calibration.egovehicle_SE3_sensor.first(where: { $0.sensor_name == "up_lidar" })
    else {
      throw RecordingError(
        file: directory + "/calibration.json", expected: "the mount of up_lidar", found: "none",
        remedy: "give the calibration of the log")
    }
    let lidarInEgo = SIMD3(mount.tx_m, mount.ty_m, mount.tz_m)
    var result = BoxedSweeps()
    for time in times {
      guard let pose = poses.first(where: { $0.timestamp_ns == time }) else {
        throw RecordingError(
          file: directory + "/city_SE3_egovehicle.json", expected: "a pose at \(time)",
          found: "none", remedy: "give the poses of the sweeps")
      }
      var points = try floats("\(directory)/\(time).bin", columns: 5)
      for point in 0..<points.count / 5 {
        for axis in 0..<3 {
          points[5 * point + axis] = Float(Double(points[5 * point + axis]) - lidarInEgo[axis])
        }
      }
      let mounted = RigidTransform(rotation: Matrix3.identity, translation: lidarInEgo)
      result.sweeps.append(
        Sweep(
          timestampNanoseconds: time, points: points, worldFromLidar: pose.transform * mounted,
          worldFromEgo: pose.transform, velocities: []))
    }
    for index in result.sweeps.indices.dropLast() {
      let path = "\(directory)/flow_\(times[index]).f32x3"
      guard FileManager.default.fileExists(atPath: path) else { continue }
      let flow = try floats(path, columns: 3)
      guard flow.count / 3 == result.sweeps[index].pointCount else {
        throw RecordingError(
          file: path, expected: "\(result.sweeps[index].pointCount) points",
          found: "\(flow.count / 3)", remedy: "give the flow of this sweep")
      }
      result.sweeps[index].velocities = velocities(
        flow, result.sweeps[index], next: result.sweeps[index + 1])
    }
    result.addBoxes(annotations)
    return result
  }

  private static func decode<Value: Decodable>(
    _ type: Value.Type, _ path: String
  ) throws(RecordingError) -> Value {
    let bytes = try RecordingFile.read(path)
    do {
      return try JSONDecoder().decode(type, from: Data(bytes))
    } catch {
      throw RecordingError(
        file: path, expected: "a list of records as Argoverse 2 has them", found: "\(error)",
        remedy: "give the file as published")
    }
  }

  private static func floats(_ path: String, columns: Int) throws(RecordingError) -> [Float] {
    let bytes = try RecordingFile.read(path)
    guard bytes.count % (4 * columns) == 0 else {
      throw RecordingError(
        file: path, expected: "a multiple of \(4 * columns) bytes", found: "\(bytes.count)",
        remedy: "give the whole file")
    }
    return stride(from: 0, to: bytes.count, by: 4).map { at in
      Float(
        bitPattern: UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16
          | UInt32(bytes[at + 3]) << 24)
    }
  }

  /// Published flow holds the ego's own motion; over ground it is what remains in world.
  private static func velocities(_ flow: [Float], _ sweep: Sweep, next: Sweep) -> [Float] {
    let seconds = Double(next.timestampNanoseconds - sweep.timestampNanoseconds) * 1e-9
    let egoFromWorld = sweep.worldFromEgo.inverse
    let egoFromLidar = egoFromWorld * sweep.worldFromLidar
    var result: [Float] = []
    result.reserveCapacity(flow.count)
    for point in 0..<sweep.pointCount {
      func vector(_ values: [Float], _ at: Int) -> SIMD3<Double> {
        SIMD3(Double(values[at]), Double(values[at + 1]), Double(values[at + 2]))
      }
      let place = egoFromLidar * vector(sweep.points, 5 * point)
      let later = next.worldFromEgo * (place + vector(flow, 3 * point))
      let moved = egoFromWorld.rotation * (later - sweep.worldFromEgo * place) / seconds
      for axis in 0..<3 { result.append(Float(moved[axis])) }
    }
    return result
  }

  private mutating func addBoxes(_ annotations: [Annotation]) {
    for a in annotations {
      guard let sweep = sweeps.first(where: { $0.timestampNanoseconds == a.timestamp_ns }) else {
        continue
      }
      let egoFromBox = RigidTransform(
        rotation: Quaternion(w: a.qw, x: a.qx, y: a.qy, z: a.qz).normalized,
        translation: SIMD3(a.tx_m, a.ty_m, a.tz_m))
      boxes.append(
        Box(
          track: a.track_uuid, timestampNanoseconds: a.timestamp_ns,
          worldFromBox: sweep.worldFromEgo * egoFromBox,
          size: SIMD3(a.length_m, a.width_m, a.height_m)))
    }
    for index in boxes.indices {
      let box = boxes[index]
      let other = boxes.first {
        $0.track == box.track && $0.timestampNanoseconds != box.timestampNanoseconds
      }
      guard let other else { continue }
      let seconds = Double(other.timestampNanoseconds - box.timestampNanoseconds) * 1e-9
      boxes[index].velocity =
        (other.worldFromBox.translation - box.worldFromBox.translation) / seconds
    }
  }
}
