import Glibc
import Swiftlet

/// A recording with faults injected. Every fault is a warning in the report, `injected-…`; what the
/// rest of the chain makes of it (a sensor too old, a pose jump) is a warning of its own.
public final class FaultySource: FrameSource {
  private let source: any FrameSource
  private let plan: FaultPlan
  private let maximumAgeNanoseconds: Int64
  private let maximumEgoSpeed: Double

  /// - Parameters:
  ///   - maximumAgeNanoseconds: a sensor older than this counts as missing, as in the recording.
  ///   - maximumEgoSpeedMetersPerSecond: a faster ego resets history, as in the recording.
  public init(
    _ source: any FrameSource, plan: FaultPlan, maximumAgeNanoseconds: Int64 = 100_000_000,
    maximumEgoSpeedMetersPerSecond: Double = 70
  ) {
    self.source = source
    self.plan = plan
    self.maximumAgeNanoseconds = maximumAgeNanoseconds
    self.maximumEgoSpeed = maximumEgoSpeedMetersPerSecond
  }

  public var name: String { source.name }
  public var frameCount: Int { source.frameCount }
  public var warnings: [ReplayWarning] { source.warnings }

  public func frame(at index: Int) throws -> any ReplayFrame {
    var made = FaultyFrame(try source.frame(at: delivered(index)), index: index)
    if delivered(index) != index { made.note(.reorder, nil, "frame \(delivered(index)) came first") }
    for (number, fault) in plan.faults.enumerated() { try apply(fault, number, to: &made) }
    maskOldSensors(&made)
    checkContinuity(&made)
    return made.finished()
  }

  /// The recorded frame that comes at place `index`: `reorder` swaps neighbours.
  private func delivered(_ index: Int) -> Int {
    for (number, fault) in plan.faults.enumerated() where fault.kind == .reorder {
      let swapsWithNext = { (frame: Int) in
        frame >= 0 && frame + 1 < self.source.frameCount
          && self.happens(fault, number, frame, "frame")
      }
      // A frame that already changed places with its predecessor stays.
      if swapsWithNext(index - 1), !swapsWithNext(index - 2) { return index - 1 }
      if swapsWithNext(index), !swapsWithNext(index - 1) { return index + 1 }
    }
    return index
  }

  private func happens(_ fault: Fault, _ number: Int, _ frame: Int, _ sensor: String) -> Bool {
    guard fault.mayHappen(in: frame) else { return false }
    var random = FaultRandom(seed: plan.seed, fault: number, frame: frame, sensor: sensor)
    return random.unit() < fault.probability
  }

  private func apply(_ fault: Fault, _ number: Int, to made: inout FaultyFrame) throws {
    switch fault.kind {
    case .reorder: break
    case .pose: shiftPose(fault, number, &made)
    case .clockjump where fault.target == "*": jumpClock(fault, number, &made)
    case .late, .duplicate, .freeze: try repeatEarlier(fault, number, &made)
    default: applyToSensors(fault, number, &made)
    }
  }

  private func shiftPose(_ fault: Fault, _ number: Int, _ made: inout FaultyFrame) {
    guard happens(fault, number, made.index, "pose") else { return }
    var random = FaultRandom(seed: plan.seed, fault: number, frame: made.index, sensor: "way")
    let angle = random.unit() * 2 * Double.pi
    let shift = SIMD3(cos(angle), sin(angle), 0) * fault.amount
    made.frame.worldFromEgo.translation += shift
    for lidar in made.frame.lidars.indices {
      made.frame.lidars[lidar].worldFromLidar.translation += shift
    }
    made.note(.pose, nil, "the ego pose is \(fault.amount) m off")
  }

  private func jumpClock(_ fault: Fault, _ number: Int, _ made: inout FaultyFrame) {
    guard fault.isJumped(made.index, of: source.frameCount),
      happens(fault, number, made.index, "clock")
    else { return }
    let shift = Int64(fault.amount * 1e9)
    made.frame.timestampNanoseconds += shift
    for camera in made.frame.cameras.indices {
      made.frame.cameras[camera].timestampNanoseconds += shift
    }
    for lidar in made.frame.lidars.indices {
      made.frame.lidars[lidar].timestampNanoseconds += shift
    }
    made.note(.clockjump, nil, "all clocks are \(fault.amount) s later")
  }

  private func applyToSensors(_ fault: Fault, _ number: Int, _ made: inout FaultyFrame) {
    for camera in made.frame.cameras.indices {
      let name = made.frame.cameras[camera].name
      guard made.frame.cameras[camera].isValid, fault.concerns(name),
        happens(fault, number, made.index, name)
      else { continue }
      made.apply(fault, toCamera: camera, random: random(number, made.index, name), source.frameCount)
    }
    for lidar in made.frame.lidars.indices {
      let name = made.frame.lidars[lidar].name
      guard made.frame.lidars[lidar].isValid, fault.concerns(name),
        happens(fault, number, made.index, name)
      else { continue }
      made.apply(fault, toLidar: lidar, random: random(number, made.index, name), source.frameCount)
    }
  }

  private func random(_ number: Int, _ frame: Int, _ sensor: String) -> FaultRandom {
    FaultRandom(seed: plan.seed, fault: number, frame: frame, sensor: "\(sensor) details")
  }

  /// Samples of earlier frames in place of this one's.
  private func repeatEarlier(_ fault: Fault, _ number: Int, _ made: inout FaultyFrame) throws {
    let frame = made.frame
    let names = frame.cameras.map(\.name) + frame.lidars.map(\.name)
    for name in names where fault.concerns(name) && happens(fault, number, made.index, name) {
      guard let earlier = try earlierFrame(fault, made) else {
        made.silence(name, fault.kind, "nothing was seen that early")
        continue
      }
      made.take(name, from: earlier, fault.kind)
    }
  }

  /// The frame whose sample a late, duplicated or frozen sensor delivers.
  private func earlierFrame(_ fault: Fault, _ made: FaultyFrame) throws -> (any ReplayFrame)? {
    if fault.kind != .late {
      return made.index == 0 ? nil : try source.frame(at: made.index - 1)
    }
    let due = made.frame.timestampNanoseconds - Int64(fault.amount * 1e9)
    for index in stride(from: made.index, through: max(0, made.index - 20), by: -1) {
      let candidate = try source.frame(at: index)
      if candidate.sensorFrame.timestampNanoseconds <= due { return candidate }
    }
    return nil
  }

  private func maskOldSensors(_ made: inout FaultyFrame) {
    for camera in made.frame.cameras.indices where made.frame.cameras[camera].isValid {
      let age = made.frame.cameras[camera].ageNanoseconds
      guard abs(age) > maximumAgeNanoseconds else { continue }
      made.frame.cameras[camera].isValid = false
      made.warnTooOld(made.frame.cameras[camera].name, age)
    }
    for lidar in made.frame.lidars.indices where made.frame.lidars[lidar].isValid {
      let age = made.frame.lidars[lidar].ageNanoseconds
      guard abs(age) > maximumAgeNanoseconds else { continue }
      made.frame.lidars[lidar].isValid = false
      made.warnTooOld(made.frame.lidars[lidar].name, age)
    }
  }

  /// History is reset where time does not advance or the ego moves faster than it can. Compared
  /// with the recorded neighbour, so that one bad frame resets on its way in and on its way out.
  private func checkContinuity(_ made: inout FaultyFrame) {
    guard plan.faults.contains(where: { [.pose, .reorder, .clockjump].contains($0.kind) }),
      made.index > 0, let before = try? source.frame(at: delivered(made.index - 1)).sensorFrame
    else { return }
    var previous = FaultyFrame(before, index: made.index - 1)
    for (number, fault) in plan.faults.enumerated() {
      if fault.kind == .pose { shiftPose(fault, number, &previous) }
      if fault.kind == .clockjump, fault.target == "*" { jumpClock(fault, number, &previous) }
    }
    let elapsed =
      Double(made.frame.timestampNanoseconds - previous.frame.timestampNanoseconds) / 1e9
    let way = made.frame.worldFromEgo.translation - previous.frame.worldFromEgo.translation
    let distance = (way * way).sum().squareRoot()
    func text(_ value: Double) -> String { "\((value * 1_000).rounded() / 1_000)" }
    if elapsed <= 0 {
      made.reset(
        ReplayWarning.timestampOrder, "time went back by \(text(-elapsed)) s: history is reset")
    } else if distance > maximumEgoSpeed * elapsed {
      made.reset(
        ReplayWarning.poseJump, "\(text(distance)) m in \(text(elapsed)) s: history is reset")
    } else if elapsed > 1 {
      made.reset(
        ReplayWarning.timestampGap, "\(text(elapsed)) s without a frame: history is reset")
    }
  }
}
