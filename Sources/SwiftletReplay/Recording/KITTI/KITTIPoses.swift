import Foundation
import Swiftlet

/// Ego poses of KITTI recordings, one for each frame number.
struct KITTIPoses: Sendable {
  /// By frame number; nil where a line is damaged.
  var worldFromEgo: [RigidTransform?] = []
  var warnings: [ReplayWarning] = []

  /// Lines of 12 numbers, row-major 3×4.
  ///
  /// - Parameter isLidarFrame: poses of the LiDAR itself, not of rectified camera 0.
  init(file: String, rig: KITTIRig, isLidarFrame: Bool) throws(RecordingError) {
    for (number, line) in try RecordingFile.lines(file).enumerated() {
      do throws(RecordingError) {
        let pose = try Self.pose(line, file, number)
        worldFromEgo.append(isLidarFrame ? pose : rig.worldFromLidar(cameraPose: pose))
      } catch {
        worldFromEgo.append(nil)
        warnings.append(
          ReplayWarning(
            code: ReplayWarning.poseInvalid, frame: number, message: error.description))
      }
    }
  }

  private static func pose(
    _ line: String, _ file: String, _ number: Int
  ) throws(RecordingError) -> RigidTransform {
    let numbers = KITTIText.numbers(line)
    guard let numbers, numbers.count == 12 else {
      throw RecordingError(
        file: file, record: "line \(number + 1)", expected: "12 numbers",
        found: numbers.map { "\($0.count)" } ?? "'\(line.prefix(40))'",
        remedy: "repair the line; the pose is interpolated from its neighbours")
    }
    let pose = RigidTransform(rowMajor3x4: numbers)
    do throws(CalibrationError) {
      try pose.validate(sensor: "ego")
    } catch {
      throw RecordingError(
        file: file, record: "line \(number + 1)", expected: error.expected, found: error.found,
        remedy: "repair the line; the pose is interpolated from its neighbours")
    }
    return pose
  }

  /// Packets of the inertial unit, one file a frame: latitude, longitude, altitude, roll, pitch, yaw
  /// in a Mercator projection scaled at the first packet, as KITTI's development kit converts them.
  init(oxtsFolder: String, egoFromInertial: RigidTransform) {
    let names = RecordingFile.names(in: oxtsFolder).filter { $0.hasSuffix(".txt") }
    var scale: Double?
    var inertialPoses: [RigidTransform?] = []
    for name in names {
      // The file's number is the frame's.
      let number = Int(RecordingFile.stem(name)) ?? inertialPoses.count
      guard number >= inertialPoses.count, number < inertialPoses.count + 1_000_000 else { continue }
      while inertialPoses.count < number { inertialPoses.append(nil) }
      do throws(RecordingError) {
        let packet = try Self.packet("\(oxtsFolder)/\(name)")
        let factor = scale ?? cos(packet[0] * .pi / 180)
        scale = factor
        inertialPoses.append(Self.mercatorPose(packet, scale: factor))
      } catch {
        inertialPoses.append(nil)
        warnings.append(
          ReplayWarning(
            code: ReplayWarning.poseInvalid, frame: number, message: error.description))
      }
    }
    guard let origin = inertialPoses.lazy.compactMap({ $0 }).first else { return }
    let inertialFromEgo = egoFromInertial.exactInverse
    let worldFromMercator = egoFromInertial * origin.exactInverse
    worldFromEgo = inertialPoses.map { pose in
      pose.map { worldFromMercator * $0 * inertialFromEgo }
    }
  }

  private static func packet(_ file: String) throws(RecordingError) -> [Double] {
    let line = try RecordingFile.lines(file).first ?? ""
    let numbers = KITTIText.numbers(line)
    guard let numbers, numbers.count >= 6, numbers.prefix(6).allSatisfy(\.isFinite) else {
      throw RecordingError(
        file: file, expected: "30 numbers, six finite ones first",
        found: numbers.map { "\($0.count)" } ?? "'\(line.prefix(40))'",
        remedy: "copy the packet again; the pose is interpolated from its neighbours")
    }
    return numbers
  }

  private static func mercatorPose(_ packet: [Double], scale: Double) -> RigidTransform {
    let earthRadius = 6_378_137.0
    let x = scale * earthRadius * packet[1] * .pi / 180
    let y = scale * earthRadius * log(tan((90 + packet[0]) * .pi / 360))
    let roll = Quaternion(axis: SIMD3(1, 0, 0), radians: packet[3])
    let pitch = Quaternion(axis: SIMD3(0, 1, 0), radians: packet[4])
    let yaw = Quaternion(axis: SIMD3(0, 0, 1), radians: packet[5])
    return RigidTransform(rotation: yaw * pitch * roll, translation: SIMD3(x, y, packet[2]))
  }

  /// A track with the times of frame numbers; poses without a time are left out.
  func track(timestamps: [Int64?]) -> PoseTrack {
    PoseTrack(
      zip(timestamps, worldFromEgo).compactMap { time, pose in
        if let time, let pose { (time, pose) } else { nil }
      })
  }
}
