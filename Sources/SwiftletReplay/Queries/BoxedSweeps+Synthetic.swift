import Foundation
import Swiftlet

/// Drives of `swiftlet synth`: scans from the recording, boxes and velocities from the ground truth.
extension BoxedSweeps {
  static func readSynthetic(
    _ path: String, _ truth: GroundTruthStore, frames: Int?
  ) throws -> BoxedSweeps {
    let recording = try RecordingOpener.open(
      path: path, options: RecordingOptions(decodesImages: false))
    var result = BoxedSweeps()
    for index in 0..<min(recording.frameCount, frames ?? .max) {
      let frame = try recording.loadFrame(index)
      try frame.withSensorFrame { sensors in
        let time = sensors.timestampNanoseconds
        guard let number = truth.timestampsMicroseconds.firstIndex(of: time / 1000),
          let lidar = sensors.lidars.first(where: \.isValid)
        else { return }
        result.boxes += try boxes(truth, number, time)
        result.sweeps.append(
          Sweep(
            timestampNanoseconds: time, points: points(lidar.points),
            worldFromLidar: lidar.worldFromLidar, worldFromEgo: sensors.worldFromEgo,
            velocities: []))
        result.addVelocities()
      }
    }
    guard result.sweeps.count >= 2 else {
      throw RecordingError(
        file: path, expected: "two or more scans with ground truth",
        found: "\(result.sweeps.count)", remedy: "give a drive of swiftlet synth")
    }
    return result
  }

  private static func points(_ cloud: PointCloudView) -> [Float] {
    var points = [Float](repeating: 0, count: 5 * cloud.count)
    for index in 0..<cloud.count {
      points[5 * index] = unsafe cloud.value(index, cloud.xByteOffset)
      points[5 * index + 1] = unsafe cloud.value(index, cloud.yByteOffset)
      points[5 * index + 2] = unsafe cloud.value(index, cloud.zByteOffset)
    }
    return points
  }

  private static func boxes(
    _ truth: GroundTruthStore, _ number: Int, _ time: Int64
  ) throws -> [Box] {
    let file = truth.folder.appendingPathComponent(GroundTruthStore.name(number) + ".json").path
    let content = try JSONReader.parse(try RecordingFile.read(file))
    return try (content["boxes"]?.arrayValue ?? []).map { box in
      guard let c = box["center"]?.doublesValue, c.count == 3,
        let s = box["length_width_height"]?.doublesValue, s.count == 3,
        let q = box["rotation_wxyz"]?.doublesValue, q.count == 4,
        let v = box["velocity"]?.doublesValue, v.count == 3
      else {
        throw RecordingError(
          file: file, expected: "boxes as the README beside them describes them",
          found: box.text, remedy: "make the drive again")
      }
      return Box(
        track: box["identity"]?.stringValue ?? "", timestampNanoseconds: time,
        worldFromBox: RigidTransform(
          rotation: Quaternion(w: q[0], x: q[1], y: q[2], z: q[3]).normalized,
          translation: SIMD3(c[0], c[1], c[2])),
        size: SIMD3(s[0], s[1], s[2]), velocity: SIMD3(v[0], v[1], v[2]))
    }
  }

  /// Of the last sweep: points in a moving box have its velocity.
  private mutating func addVelocities() {
    var sweep = sweeps.removeLast()
    let moving = movingBoxes(at: sweep.timestampNanoseconds)
    let lidarFromWorld = sweep.worldFromLidar.inverse.rotation
    sweep.velocities = [Float](repeating: 0, count: 3 * sweep.pointCount)
    for point in 0..<sweep.pointCount {
      let place = sweep.position(point)
      guard let box = moving.first(where: { $0.contains(place, margin: 0.05, floorMargin: 0.2) })
      else { continue }
      let velocity = lidarFromWorld * box.velocity
      for axis in 0..<3 { sweep.velocities[3 * point + axis] = Float(velocity[axis]) }
    }
    sweeps.append(sweep)
  }
}
