import Foundation
import Swiftlet

/// Writes a recording as a KITTI raw drive: numbered PNG images and scans of x, y, z, reflectance,
/// text calibrations, poses of camera 0.
///
/// The layout holds up to four cameras that look the same way (they are rectified together), one
/// LiDAR, and one pose a frame; what else there is stays behind and is named.
struct KITTIWriter {
  let plan: FolderPlan
  private var summary = RecordingConverter.Summary()

  init(plan: FolderPlan) { self.plan = plan }

  private struct Camera {
    var position: Int
    /// `image_0N`.
    var number: Int
    var calibration: SensorCalibration
  }

  private mutating func lose(_ sensor: String?, _ message: String) {
    summary.warnings.append(
      ReplayWarning(code: ReplayWarning.notHeld, sensor: sensor, message: message))
  }

  mutating func write(to path: String) throws(RecordingError) -> RecordingConverter.Summary {
    summary.warnings = plan.recording.index.warnings
    let output = try FolderOutput(path: path)
    do throws(RecordingError) {
      try write(output)
      try output.finish()
    } catch {
      output.abandon()
      throw error
    }
    return summary
  }

  private mutating func write(_ output: FolderOutput) throws(RecordingError) {
    let lidars = plan.sensors.filter { plan.sensor($0).kind == .lidar }
    for other in lidars.dropFirst() {
      lose(plan.sensor(other).name, "KITTI holds one LiDAR; this one was left out")
    }
    let lidar = lidars.first
    // Without a LiDAR the ego's own axes take its place.
    let egoFromLidar = lidar.flatMap { plan.sensor($0).calibrations.first?.egoFromSensor } ?? .identity
    let cameras = chooseCameras()
    guard lidar != nil || !cameras.isEmpty else {
      throw RecordingError(
        file: plan.recording.path, expected: "a LiDAR or a camera that KITTI can hold",
        found: "none", remedy: "convert to MCAP")
    }
    let date = Self.date(frameTime(0)).prefix(10).replacing("-", with: "_")
    let drive = "\(date)/\(date)_drive_0001_sync"
    for camera in cameras { try writeImages(camera, drive, output) }
    if let lidar { try writeScans(lidar, drive, output) }
    let cameraFromLidar =
      cameras.first.map { $0.calibration.egoFromSensor.exactInverse * egoFromLidar } ?? .identity
    try writeCalibration(cameras, cameraFromLidar, egoFromLidar, String(date), output)
    try writePoses(lidar, egoFromLidar, cameraFromLidar, drive, output)
  }

  private func frameTime(_ place: Int) -> Int64 {
    plan.recording.frames[plan.frames[place]].timestampNanoseconds
  }

  // MARK: cameras

  /// Cameras parallel to the first one, with their numbers.
  private mutating func chooseCameras() -> [Camera] {
    var chosen: [Camera] = []
    for position in plan.sensors where plan.sensor(position).kind == .camera {
      let sensor = plan.sensor(position)
      guard let calibration = sensor.calibrations.first, let k = calibration.intrinsics else {
        continue
      }
      guard k.lens == .pinhole else {
        lose(sensor.name, "KITTI holds rectified cameras only; this one was left out")
        continue
      }
      let own = sensor.name.hasPrefix("image_") ? Int(sensor.name.suffix(2).drop { !$0.isNumber }) : nil
      let taken = chosen.map(\.number)
      let number =
        own.flatMap { (0..<4).contains($0) && !taken.contains($0) ? $0 : nil }
        ?? (0..<4).first { !taken.contains($0) }
      guard let number else {
        lose(sensor.name, "KITTI holds four cameras; this one was left out")
        continue
      }
      if let first = chosen.first {
        let turn = first.calibration.egoFromSensor.rotation.transpose
          * calibration.egoFromSensor.rotation
        guard RecordingDoctor.degrees(turn) < 0.01 else {
          lose(
            sensor.name, "KITTI's cameras look the same way and this one does not look where "
              + "\(plan.sensor(first.position).name) does; it was left out")
          continue
        }
      }
      if sensor.calibrations.count > 1 {
        lose(sensor.name, "KITTI holds one calibration; the first of \(sensor.calibrations.count) is written")
      }
      chosen.append(Camera(position: position, number: number, calibration: calibration))
    }
    return chosen
  }

  private mutating func writeImages(
    _ camera: Camera, _ drive: String, _ output: FolderOutput
  ) throws(RecordingError) {
    let sensor = plan.sensor(camera.position)
    let folder = "\(drive)/image_0\(camera.number)"
    var times: [String] = []
    for (place, number) in (plan.ofFrame[camera.position] ?? []).enumerated() {
      guard let number, sensor.samples[number].isPresent else {
        times.append(Self.date(frameTime(place)))
        continue
      }
      let sample = sensor.samples[number]
      times.append(Self.date(sample.timestampNanoseconds))
      do throws(RecordingError) {
        let bytes = try png(try plan.recording.reader.readImage(sensor, sample), sample.file)
        try output.write("\(folder)/data/\(KITTIFiles.number(place, digits: 10)).png", bytes)
        summary.messageCounts["image_0\(camera.number)", default: 0] += 1
      } catch {
        guard error.file != output.path else { throw error }
        summary.warnings.append(
          ReplayWarning(
            code: ReplayWarning.messageInvalid, sensor: sensor.name, message: error.description))
      }
    }
    // The folder says that the camera exists.
    if summary.messageCounts["image_0\(camera.number)"] == nil {
      try output.write("\(folder)/data/.none", [])
    }
    try output.write("\(folder)/timestamps.txt", lines: times)
  }

  /// PNG stays as it is; JPEG keeps every pixel.
  private func png(_ bytes: [UInt8], _ file: String) throws(RecordingError) -> [UInt8] {
    if bytes.starts(with: PNGCodec.signature) { return bytes }
    do throws(CodecError) {
      return try PNGCodec.encode(try ImageCodec.decode(bytes), fast: true)
    } catch {
      throw RecordingError(
        file: file, expected: error.expected, found: error.found, remedy: "it is left out")
    }
  }

  // MARK: LiDAR

  private mutating func writeScans(
    _ position: Int, _ drive: String, _ output: FolderOutput
  ) throws(RecordingError) {
    let sensor = plan.sensor(position)
    let folder = "\(drive)/velodyne_points"
    var times: [String] = []
    var lost: Set<String> = []
    for (place, number) in (plan.ofFrame[position] ?? []).enumerated() {
      guard let number, sensor.samples[number].isPresent else {
        times.append(Self.date(frameTime(place)))
        continue
      }
      let sample = sensor.samples[number]
      times.append(Self.date(sample.timestampNanoseconds))
      do throws(RecordingError) {
        let table = try plan.recording.reader.readTable(sensor, sample)
        lost.formUnion(table.columns.dropFirst(3).filter { $0 != "intensity" })
        try output.write(
          "\(folder)/data/\(KITTIFiles.number(place, digits: 10)).bin",
          table.bytes(["x", "y", "z", "intensity"]))
        summary.messageCounts["velodyne_points", default: 0] += 1
      } catch {
        guard error.file != output.path else { throw error }
        summary.warnings.append(
          ReplayWarning(
            code: ReplayWarning.messageInvalid, sensor: sensor.name, message: error.description))
      }
    }
    if !lost.isEmpty {
      lose(sensor.name, "KITTI's points have no \(lost.sorted().joined(separator: ", "))")
    }
    for name in ["timestamps", "timestamps_start", "timestamps_end"] {
      try output.write("\(folder)/\(name).txt", lines: times)
    }
  }

  // MARK: text

  private static func text(_ values: [Double]) -> String {
    values.map { "\($0)" }.joined(separator: " ")
  }
  private static func text(_ m: Matrix3) -> String {
    text([m.row0, m.row1, m.row2].flatMap { [$0.x, $0.y, $0.z] })
  }
  private static func text(_ v: SIMD3<Double>) -> String { text([v.x, v.y, v.z]) }

  private func writeCalibration(
    _ cameras: [Camera], _ cameraFromLidar: RigidTransform, _ egoFromLidar: RigidTransform,
    _ date: String, _ output: FolderOutput
  ) throws(RecordingError) {
    let time = "calib_time: \(Self.date(frameTime(0)).prefix(19))"
    try output.write(
      "\(date)/calib_velo_to_cam.txt",
      lines: [
        time, "R: \(Self.text(cameraFromLidar.rotation))",
        "T: \(Self.text(cameraFromLidar.translation))", "delta_f: 0 0", "delta_c: 0 0",
      ])
    // The inertial unit stands for the ego's own axes.
    let lidarFromEgo = egoFromLidar.exactInverse
    try output.write(
      "\(date)/calib_imu_to_velo.txt",
      lines: [
        time, "R: \(Self.text(lidarFromEgo.rotation))", "T: \(Self.text(lidarFromEgo.translation))",
      ])
    var lines = [time, "corner_dist: 0"]
    for number in 0..<4 {
      // Readers ask for all four; absent ones repeat the first.
      guard let camera = cameras.first(where: { $0.number == number }) ?? cameras.first,
        let k = camera.calibration.intrinsics, let first = cameras.first
      else { continue }
      let cameraFromFirst =
        camera.calibration.egoFromSensor.exactInverse * first.calibration.egoFromSensor
      let offset = k.matrix * cameraFromFirst.translation
      let (m, size) = (k.matrix, Self.text([Double(k.widthPixels), Double(k.heightPixels)]))
      let p = [
        m.row0.x, m.row0.y, m.row0.z, offset.x, m.row1.x, m.row1.y, m.row1.z, offset.y, m.row2.x,
        m.row2.y, m.row2.z, offset.z,
      ]
      lines += [
        "S_0\(number): \(size)", "K_0\(number): \(Self.text(m))", "D_0\(number): 0 0 0 0 0",
        "R_0\(number): \(Self.text(Matrix3.identity))",
        "T_0\(number): \(Self.text(cameraFromFirst.translation))", "S_rect_0\(number): \(size)",
        "R_rect_0\(number): \(Self.text(Matrix3.identity))", "P_rect_0\(number): \(Self.text(p))",
      ]
    }
    // Poses are camera 0's: without cameras its rectification alone says where it is.
    if cameras.isEmpty { lines.append("R_rect_00: \(Self.text(Matrix3.identity))") }
    try output.write("\(date)/calib_cam_to_cam.txt", lines: lines)
  }

  /// Poses of camera 0, such that the LiDAR's come out as recorded.
  private mutating func writePoses(
    _ lidar: Int?, _ egoFromLidar: RigidTransform, _ cameraFromLidar: RigidTransform,
    _ drive: String, _ output: FolderOutput
  ) throws(RecordingError) {
    guard plan.recording.index.hasPoses else { return }
    var lines: [String] = []
    var missing = 0
    for place in plan.frames.indices {
      let sample = lidar.flatMap { position in
        plan.ofFrame[position]?[place].map { plan.sensor(position).samples[$0] }
      }
      let pose =
        sample.map { plan.recording.index.pose(of: $0) }
        ?? plan.recording.frames[plan.frames[place]].pose
      guard let worldFromEgo = pose.transform else {
        missing += 1
        lines.append([String](repeating: "nan", count: 12).joined(separator: " "))
        continue
      }
      let worldFromLidar = worldFromEgo * egoFromLidar
      let camera = cameraFromLidar * worldFromLidar * cameraFromLidar.exactInverse
      lines.append(Self.text(Array(camera.rowMajor4x4.prefix(12))))
    }
    if missing > 0 { lose(nil, "\(missing) frames have no ego pose") }
    let poses = Set(plan.sensors.flatMap { plan.sensor($0).samples.compactMap(\.worldFromEgo?.translation.x) })
    if poses.count > plan.frames.count {
      lose(nil, "KITTI holds one pose a frame: those of the cameras' own times are interpolated")
    }
    try output.write("\(drive)/poses.txt", lines: lines)
  }

  /// `2011-09-26 13:02:25.964389445`, UTC.
  static func date(_ nanoseconds: Int64) -> String {
    var (days, rest) = nanoseconds.quotientAndRemainder(dividingBy: 86_400_000_000_000)
    if rest < 0 { (days, rest) = (days - 1, rest + 86_400_000_000_000) }
    // The Gregorian calendar counted in 400-year eras from 1 March 0000.
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * month + 2) / 5 + 1
    let civilMonth = month < 10 ? month + 3 : month - 9
    let year = yearOfEra + era * 400 + (civilMonth <= 2 ? 1 : 0)
    let seconds = rest / 1_000_000_000
    return String(
      format: "%04ld-%02ld-%02ld %02ld:%02ld:%02ld.%09ld", Int(year), Int(civilMonth), Int(day),
      Int(seconds / 3_600), Int(seconds / 60 % 60), Int(seconds % 60), Int(rest % 1_000_000_000))
  }
}
