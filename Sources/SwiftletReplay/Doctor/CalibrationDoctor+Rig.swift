import Foundation
import Swiftlet

/// A fault no small change explains.
struct GrossFault {
  var state: CalibrationDoctor.Finding.State
  var looksLike: String?
}

extension CalibrationDoctor {
  /// How far a hypothesis's mean strength lies above the images' own, in standard errors.
  struct Evidence {
    private var sum = 0.0
    private var variance = 0.0

    mutating func add(_ agreement: EdgeAgreement, _ view: CalibrationView) {
      guard agreement.count > 0 else { return }
      let background = view.background
      sum += agreement.sum - agreement.weight * background.mean
      variance += agreement.weight * background.deviation * background.deviation
    }
    var score: Double { variance > 0 ? sum / variance.squareRoot() : 0 }
    static func += (a: inout Evidence, b: Evidence) {
      a.sum += b.sum
      a.variance += b.variance
    }
  }

  /// A hypothesis must beat the given calibration by this factor, and chance by this much.
  private static let factor = 1.5
  private static let leastEvidence = 8.0

  /// Swapped cameras, mirrored images, a mirrored or turned rig.
  func grossFaults() -> (rig: RigFault?, cameras: [String: GrossFault]) {
    let given = names.map { evidence($0, \.keyEgoFromCamera) }
    var total = Evidence()
    for evidence in given { total += evidence }
    if let fault = rigFault(total) { return (fault, [:]) }
    var cameras: [String: GrossFault] = [:]
    for (index, name) in names.enumerated() {
      let bar = max(Self.leastEvidence, Self.factor * given[index].score)
      let mirrored = evidence(name, \.keyEgoFromCamera, isMirrored: true).score
      var best = (score: bar, other: String?.none)
      for other in names where other != name {
        let score = evidence(name, calibrationOf: other).score
        if score > best.score { best = (score, other) }
      }
      if mirrored > best.score {
        cameras[name] = GrossFault(state: .mirrored)
      } else if let other = best.other {
        cameras[name] = GrossFault(state: .swapped, looksLike: other)
      }
    }
    return (nil, cameras)
  }

  private func rigFault(_ given: Evidence) -> RigFault? {
    let bar = max(Self.leastEvidence, Self.factor * given.score)
    var best = (score: bar, fault: RigFault?.none)
    let mirror = rigEvidence { Self.mirrored($0) }
    if names.count > 1, mirror.score > best.score { best = (mirror.score, .mirrored) }
    for half in -90..<90 where abs(half) > 1 {
      let degrees = Double(2 * half)
      let turn = RigidTransform(
        rotation: Quaternion(axis: SIMD3(0, 0, 1), radians: degrees * .pi / 180),
        translation: .zero)
      let score = rigEvidence { turn * $0 }.score
      if score > best.score { best = (score, .turned(degrees: degrees)) }
    }
    return best.fault
  }

  /// Left for right: y changes its sign, and so does the camera's x, so that it stays a rotation.
  static func mirrored(_ mount: RigidTransform) -> RigidTransform {
    let r = mount.rotation
    let flip = SIMD3<Double>(-1, 1, 1)
    return RigidTransform(
      rotation: Matrix3(r.row0 * flip, -(r.row1 * flip), r.row2 * flip),
      translation: mount.translation * SIMD3(1, -1, 1))
  }

  private func rigEvidence(_ mount: (RigidTransform) -> RigidTransform) -> Evidence {
    var total = Evidence()
    for name in names {
      for view in views[name] ?? [] {
        total.add(agreement(view, mount(view.keyEgoFromCamera), view.intrinsics, false), view)
      }
    }
    return total
  }

  private func evidence(
    _ name: String, _ mount: KeyPath<CalibrationView, RigidTransform>, isMirrored: Bool = false
  ) -> Evidence {
    var evidence = Evidence()
    for view in views[name] ?? [] {
      evidence.add(agreement(view, view[keyPath: mount], view.intrinsics, isMirrored), view)
    }
    return evidence
  }

  private func evidence(_ name: String, calibrationOf other: String) -> Evidence {
    var evidence = Evidence()
    for (view, donor) in zip(views[name] ?? [], views[other] ?? []) {
      evidence.add(
        agreement(view, donor.keyEgoFromCamera, donor.intrinsics, false), view)
    }
    return evidence
  }

  /// Every second edge of the frame through another mount and lens, on the coarse maps.
  private func agreement(
    _ view: CalibrationView, _ keyEgoFromCamera: RigidTransform, _ intrinsics: CameraIntrinsics,
    _ isMirrored: Bool
  ) -> EdgeAgreement {
    var view = view
    view.intrinsics = intrinsics
    let cameraFromKeyEgo = keyEgoFromCamera.inverse
    var result = EdgeAgreement()
    for index in stride(from: 0, to: view.edgesInEgo.count, by: 2) {
      let edge = view.edgesInEgo[index]
      let p = cameraFromKeyEgo * edge.position
      guard p.z > 1, var pixel = view.pixel(p) else { continue }
      if isMirrored { pixel.x = Double(view.widthPixels - 1) - pixel.x }
      guard let value = view.value(pixel, edge.kind) else { continue }
      result.sum += Double(value * edge.weight)
      result.weight += Double(edge.weight)
      result.count += 1
    }
    return result
  }

  // MARK: clocks

  /// The offset between cameras and LiDAR under which all cameras together fit best, to ±150 ms.
  func timeOffset() -> TimeOffset {
    let moving = names.filter { name in
      views[name]?.contains { ($0.velocity.map { ($0 * $0).sum() } ?? 0) > 4 } ?? false
    }
    guard !moving.isEmpty else {
      return TimeOffset(seconds: 0, isFault: false, isJudged: false, scoreGain: 0)
    }
    let profiles = moving.map { EdgeProfiles(views[$0] ?? [], seconds: 0) }
    func total(_ seconds: Double) -> Double {
      profiles.reduce(0) { $0 + $1.evidence(for: Self.lateness(seconds)) }
    }
    let given = total(0)
    var best = (seconds: 0.0, evidence: given)
    for (step, count) in [(0.005, 30), (0.001, 5)] {
      let middle = best.seconds
      for number in -count...count {
        let seconds = middle + step * Double(number)
        let evidence = total(seconds)
        if evidence > best.evidence { best = (seconds, evidence) }
      }
    }
    let gain = given > 0 ? best.evidence / given - 1 : (best.evidence > 0 ? 1 : 0)
    // One camera that is turned gains from an offset too; a clock moves all that look sideways.
    let better = profiles.count {
      $0.evidence(for: Self.lateness(best.seconds)) > 1.02 * $0.evidence(for: .zero)
    }
    let isFault = abs(best.seconds) >= 0.01 && gain > 0.03 && 2 * better >= moving.count
    return TimeOffset(
      seconds: best.seconds, isFault: isFault, isJudged: true, scoreGain: gain)
  }

  private static func lateness(_ seconds: Double) -> EdgeProfiles.Change {
    EdgeProfiles.Change(CalibrationError6(), seconds: seconds)
  }
}
