import Foundation
import Swiftlet

/// Where the synthetic street lies in the world and how the car drives along it. All closed forms of
/// time, so that any sensor's pose at any instant is exact.
///
/// The street frame: x along the street, y left, z normal to the road; the road's middle is y = 0
/// and its surface z = 0. The street is turned 17° against the world's axes and climbs 2 %.
struct SyntheticPath: Sendable {
  static let laneCenterMeters = -1.7
  let worldFromStreet: RigidTransform
  private let phase: Double

  init(seed: UInt64) {
    var random = StreetRandom(seed: seed, 1)
    phase = Double(random.uniform(0, 6))
    let yaw = Quaternion(axis: SIMD3(0, 0, 1), radians: 17 * .pi / 180)
    let climb = Quaternion(axis: SIMD3(0, 1, 0), radians: -atan(0.02))
    let camber = Quaternion(axis: SIMD3(1, 0, 0), radians: 0.004)
    worldFromStreet = RigidTransform(
      rotation: yaw * climb * camber, translation: SIMD3(400, 1100, 12))
  }

  /// Metres driven along the street after `seconds`: 10 m/s, swinging by ±0.5 m/s.
  func distance(_ seconds: Double) -> Double {
    10 * seconds + 1.1 * (sin(0.45 * seconds + phase) - sin(phase))
  }
  func speed(_ seconds: Double) -> Double { 10 + 0.495 * cos(0.45 * seconds + phase) }

  private func lateral(_ seconds: Double) -> (offset: Double, rate: Double) {
    let slow = 0.35 * sin(0.55 * seconds + phase)
    let fast = 0.12 * sin(1.3 * seconds)
    return (
      Self.laneCenterMeters + slow + fast,
      0.35 * 0.55 * cos(0.55 * seconds + phase) + 0.12 * 1.3 * cos(1.3 * seconds)
    )
  }

  /// Ego (rear axle on the road, x forward, y left, z up) to street at `seconds`; the body follows
  /// its path and sways by fractions of a degree.
  func streetFromEgo(_ seconds: Double) -> RigidTransform {
    let side = lateral(seconds)
    let heading = atan2(side.rate, speed(seconds))
    let yaw = Quaternion(axis: SIMD3(0, 0, 1), radians: heading)
    let pitch = Quaternion(axis: SIMD3(0, 1, 0), radians: 0.004 * sin(1.9 * seconds + phase))
    let roll = Quaternion(axis: SIMD3(1, 0, 0), radians: 0.005 * sin(1.4 * seconds))
    return RigidTransform(
      rotation: (yaw * pitch * roll).normalized,
      translation: SIMD3(distance(seconds), side.offset, 0))
  }
  func worldFromEgo(_ seconds: Double) -> RigidTransform {
    worldFromStreet * streetFromEgo(seconds)
  }
}
