import Glibc
import Swiftlet

/// A frame while faults are applied to it.
struct FaultyFrame {
  let index: Int
  var frame: SensorFrame
  private var warnings: [ReplayWarning]
  /// Owners of every view in `frame`.
  private var owners: [AnyObject & Sendable]

  init(_ recorded: any ReplayFrame, index: Int) {
    self.index = index
    frame = recorded.sensorFrame
    warnings = recorded.warnings
    owners = [recorded]
  }
  /// For looking at poses and times only: nothing keeps the views alive.
  init(_ frame: SensorFrame, index: Int) {
    self.index = index
    self.frame = frame
    warnings = []
    owners = []
  }

  func finished() -> any ReplayFrame {
    FinishedFaultyFrame(sensorFrame: frame, warnings: warnings, owners: owners)
  }

  mutating func note(_ kind: Fault.Kind, _ sensor: String?, _ message: String) {
    warnings.append(
      ReplayWarning(
        code: "injected-\(kind.rawValue)", frame: index, sensor: sensor, message: message))
  }

  /// A negative age is a sample from the future.
  mutating func warnTooOld(_ sensor: String, _ ageNanoseconds: Int64) {
    let age = SampleTimeline.milliseconds(abs(ageNanoseconds))
    warnings.append(
      ReplayWarning(
        code: ReplayWarning.sensorMissing, frame: index, sensor: sensor,
        message: ageNanoseconds < 0
          ? "its sample lies \(age) in the future; it is masked"
          : "its sample is \(age) old; it is masked"))
  }

  mutating func reset(_ code: String, _ message: String) {
    frame.resetsHistory = true
    warnings.append(ReplayWarning(code: code, frame: index, message: message))
  }

  mutating func silence(_ sensor: String, _ kind: Fault.Kind, _ message: String) {
    for camera in frame.cameras.indices where frame.cameras[camera].name == sensor {
      frame.cameras[camera].isValid = false
    }
    for lidar in frame.lidars.indices where frame.lidars[lidar].name == sensor {
      frame.lidars[lidar].isValid = false
    }
    note(kind, sensor, message)
  }

  /// The sensor's sample of `earlier`, where it was in the world; a frozen sensor claims that its
  /// old picture is new.
  mutating func take(_ sensor: String, from earlier: any ReplayFrame, _ kind: Fault.Kind) {
    owners.append(earlier)
    let old = earlier.sensorFrame
    for position in frame.cameras.indices where frame.cameras[position].name == sensor {
      guard let sample = old.cameras.first(where: { $0.name == sensor }) else { continue }
      if kind == .freeze {
        frame.cameras[position].image = sample.image
        frame.cameras[position].features = sample.features
        frame.cameras[position].depth = sample.depth
      } else {
        frame.cameras[position] = sample
        frame.cameras[position].keyEgoFromCamera =
          frame.worldFromEgo.inverse * old.worldFromEgo * sample.keyEgoFromCamera
        frame.cameras[position].ageNanoseconds =
          frame.timestampNanoseconds - sample.timestampNanoseconds
      }
    }
    for position in frame.lidars.indices where frame.lidars[position].name == sensor {
      guard let sample = old.lidars.first(where: { $0.name == sensor }) else { continue }
      if kind == .freeze {
        frame.lidars[position].points = sample.points
      } else {
        frame.lidars[position] = sample
        frame.lidars[position].ageNanoseconds =
          frame.timestampNanoseconds - sample.timestampNanoseconds
      }
    }
    note(kind, sensor, "the sample of the frame at \(old.timestampNanoseconds) ns in its place")
  }

  mutating func apply(
    _ fault: Fault, toCamera position: Int, random: FaultRandom, _ frameCount: Int
  ) {
    let name = frame.cameras[position].name
    switch fault.kind {
    case .drop: silence(name, .drop, "silent")
    case .corrupt: corruptImage(position, random)
    case .clockjump where fault.isJumped(index, of: frameCount):
      let shift = Int64(fault.amount * 1e9)
      frame.cameras[position].timestampNanoseconds += shift
      frame.cameras[position].ageNanoseconds -= shift
      note(.clockjump, name, "its clock is \(fault.amount) s later")
    case .rotate:
      let turn = Self.turn(axis: SIMD3(0, 1, 0), degrees: fault.amount)
      frame.cameras[position].egoFromCamera = frame.cameras[position].egoFromCamera * turn
      frame.cameras[position].keyEgoFromCamera = frame.cameras[position].keyEgoFromCamera * turn
      note(.rotate, name, "the mount is turned by \(fault.amount)°")
    case .focal:
      frame.cameras[position].intrinsics.focalX *= fault.amount
      frame.cameras[position].intrinsics.focalY *= fault.amount
      note(.focal, name, "focal lengths times \(fault.amount)")
    default: break
    }
  }

  mutating func apply(
    _ fault: Fault, toLidar position: Int, random: FaultRandom, _ frameCount: Int
  ) {
    let name = frame.lidars[position].name
    switch fault.kind {
    case .drop: silence(name, .drop, "silent")
    case .corrupt: corruptPoints(position, random)
    case .sector: removeSector(position, fault.amount, random)
    case .clockjump where fault.isJumped(index, of: frameCount):
      let shift = Int64(fault.amount * 1e9)
      frame.lidars[position].timestampNanoseconds += shift
      frame.lidars[position].ageNanoseconds -= shift
      note(.clockjump, name, "its clock is \(fault.amount) s later")
    case .rotate:
      let turn = Self.turn(axis: SIMD3(0, 0, 1), degrees: fault.amount)
      frame.lidars[position].egoFromLidar = frame.lidars[position].egoFromLidar * turn
      frame.lidars[position].worldFromLidar = frame.lidars[position].worldFromLidar * turn
      note(.rotate, name, "the mount is turned by \(fault.amount)°")
    default: break
    }
  }

  private static func turn(axis: SIMD3<Double>, degrees: Double) -> RigidTransform {
    RigidTransform(
      rotation: Quaternion(axis: axis, radians: degrees * .pi / 180), translation: .zero)
  }

  private mutating func corruptImage(_ position: Int, _ random: FaultRandom) {
    var random = random
    guard let image = frame.cameras[position].image else { return }
    let rowBytes = image.widthPixels * 3
    let copy = AlignedBuffer<UInt8>(count: rowBytes * image.heightPixels)
    for row in 0..<image.heightPixels {
      for byte in 0..<rowBytes {
        copy[row * rowBytes + byte] =
          row * 2 < image.heightPixels
          ? unsafe image.baseAddress[row * image.byteStride + byte]
          : UInt8(truncatingIfNeeded: random.next())
      }
    }
    owners.append(copy)
    frame.cameras[position].image = unsafe ImageView(
      base: copy.pointer, widthPixels: image.widthPixels, heightPixels: image.heightPixels)
    note(.corrupt, frame.cameras[position].name, "the lower half of the image is noise")
  }

  private mutating func corruptPoints(_ position: Int, _ random: FaultRandom) {
    var random = random
    replacePoints(position) { point in
      guard random.unit() < 0.05 else { return point }
      let bits = (random.next(), random.next())
      return SIMD4(
        Float(bitPattern: UInt32(truncatingIfNeeded: bits.0)),
        Float(bitPattern: UInt32(truncatingIfNeeded: bits.0 >> 32)),
        Float(bitPattern: UInt32(truncatingIfNeeded: bits.1)), point.w)
    }
    note(.corrupt, frame.lidars[position].name, "one point in twenty is random bits")
  }

  private mutating func removeSector(
    _ position: Int, _ degrees: Double, _ random: FaultRandom
  ) {
    var random = random
    let middle = random.unit() * 2 * Double.pi
    let half = degrees * .pi / 360
    replacePoints(position) { point in
      let angle = atan2(Double(point.y), Double(point.x)) - middle
      let away = abs(atan2(sin(angle), cos(angle)))
      return away <= half ? nil : point
    }
    note(.sector, frame.lidars[position].name, "\(degrees)° of the scan are gone")
  }

  /// Copies the scan through `change`; nil leaves a point out.
  private mutating func replacePoints(
    _ position: Int, _ change: (SIMD4<Float>) -> SIMD4<Float>?
  ) {
    let points = frame.lidars[position].points
    let copy = AlignedBuffer<Float>(count: points.count * 4)
    var count = 0
    for index in 0..<points.count {
      let intensity =
        points.intensityByteOffset < 0
        ? 0 : unsafe points.value(index, points.intensityByteOffset)
      let point = unsafe SIMD4(
        points.value(index, points.xByteOffset), points.value(index, points.yByteOffset),
        points.value(index, points.zByteOffset), intensity)
      guard let changed = change(point) else { continue }
      for lane in 0..<4 { copy[count * 4 + lane] = changed[lane] }
      count += 1
    }
    owners.append(copy)
    var view = unsafe PointCloudView(base: copy.pointer, count: count, byteStride: 16)
    view.intensityByteOffset = 12
    frame.lidars[position].points = view
  }
}

private final class FinishedFaultyFrame: ReplayFrame {
  let sensorFrame: SensorFrame
  let warnings: [ReplayWarning]
  private let owners: [AnyObject & Sendable]

  init(sensorFrame: SensorFrame, warnings: [ReplayWarning], owners: [AnyObject & Sendable]) {
    self.sensorFrame = sensorFrame
    self.warnings = warnings
    self.owners = owners
  }
}
