import Foundation
import Swiftlet

/// A recording's calibration judged, corrected and drawn: what `swiftlet doctor --calib` does.
public struct CalibrationCheck {
  public let diagnosis: CalibrationDoctor.Diagnosis
  public let frameCount: Int
  /// The rig as given.
  public let rig: CalibrationRig
  private let doctor: CalibrationDoctor

  /// Looks at up to `frameLimit` frames, spread over the recording.
  ///
  /// - Parameter override: calibrations in place of the recording's.
  /// - Throws: `RecordingError` where no frame can be read, `CalibrationError` for a bad override.
  public init(
    _ recording: any Recording, frameLimit: Int, override: CalibrationRig? = nil,
    onFrame: (Int, Int) -> Void = { _, _ in }
  ) throws {
    var doctor = CalibrationDoctor()
    var rig: CalibrationRig?
    let indices = Self.spread(recording.frameCount, frameLimit)
    var read = 0
    var last: RecordingError?
    for (number, index) in indices.enumerated() {
      onFrame(number + 1, indices.count)
      let recorded: RecordedFrame
      do throws(RecordingError) {
        recorded = try recording.loadFrame(index)
      } catch {
        last = error
        continue
      }
      try withExtendedLifetime(recorded) {
        var frame = recorded.sensorFrame
        try override?.apply(to: &frame)
        if rig == nil { rig = CalibrationRig(frame) }
        doctor.add(frame)
      }
      read += 1
    }
    guard let rig else {
      throw last
        ?? RecordingError(
          file: recording.path, expected: "a frame", found: "none",
          remedy: "give a recording with frames")
    }
    self.rig = rig
    self.doctor = doctor
    frameCount = read
    diagnosis = doctor.diagnose()
  }

  static func spread(_ count: Int, _ limit: Int) -> [Int] {
    let number = min(count, max(1, limit))
    return (0..<number).map { $0 * count / number }
  }

  /// The rig with every camera that is turned or shifted refined by Gauss–Newton, and what was done.
  public func refined() -> (rig: CalibrationRig, changes: [String: CalibrationError6]) {
    var corrected = rig
    var changes: [String: CalibrationError6] = [:]
    let seconds = diagnosis.timeOffset.isFault ? diagnosis.timeOffset.seconds : 0
    for finding in diagnosis.findings where [.turned, .shifted].contains(finding.state) {
      let change = doctor.refined(finding, seconds: seconds).error
      changes[finding.camera] = change
      guard let index = corrected.cameras.firstIndex(where: { $0.name == finding.camera }) else {
        continue
      }
      let mount = corrected.cameras[index].egoFromCamera * change.transform
      corrected.cameras[index].egoFromCamera = RigidTransform(
        rotation: Quaternion(rotation: mount.rotation).normalized, translation: mount.translation)
    }
    return (corrected, changes)
  }

  /// A camera's image with LiDAR points coloured by distance and depth edges in magenta, through a
  /// mount that is off by `change`.
  public static func overlay(
    _ camera: CameraInput, of frame: SensorFrame, changedBy change: CalibrationError6
  ) -> RGBImage? {
    guard camera.isValid, let view = camera.image else { return nil }
    let image = RGBImage(copying: view)
    let points = frame.pointsInKeyEgo
    let mount = camera.keyEgoFromCamera * change.transform
    let lens = CalibrationView(image, camera.intrinsics, [])
    let drawn = CameraOverlay(
      image: image, intrinsics: camera.intrinsics, keyEgoFromCamera: mount, name: camera.name,
      projection: { lens.pixel($0) }
    ).draw(points: points.map { SIMD3<Float>($0) })
    var canvas = Canvas(drawn)
    let egoFromWorld = frame.worldFromEgo.inverse
    let reach = max(1, image.widthPixels / 500)
    for lidar in frame.lidars where lidar.isValid {
      let cameraFromLidar = mount.inverse * egoFromWorld * lidar.worldFromLidar
      let positions = (0..<lidar.points.count).map { index in
        unsafe SIMD3<Double>(
          SIMD3<Float>(
            lidar.points.value(index, lidar.points.xByteOffset),
            lidar.points.value(index, lidar.points.yByteOffset),
            lidar.points.value(index, lidar.points.zByteOffset)))
      }
      for edge in DepthEdges.find(positions) {
        let p = cameraFromLidar * edge.position
        guard p.z > 0.5, let pixel = lens.pixel(p) else { continue }
        canvas.fillRectangle(
          x: Int(pixel.x.rounded()) - reach, y: Int(pixel.y.rounded()) - reach,
          width: 2 * reach + 1, height: 2 * reach + 1, color: PictureColor(255, 0, 220))
      }
    }
    return canvas.image
  }
}
