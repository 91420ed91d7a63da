import Foundation

/// The endless synthetic street: a pure function of seed, place and time. Static things are made per
/// 48-metre block, moving ones follow closed-form trajectories, so that any frame can be made
/// without the ones before it.
struct StreetScene: Sendable {
  static let blockLength: Float = 48
  static let kerb: Float = 5.6
  static let facade: Float = 9.4
  static let kerbHeight: Float = 0.14

  let seed: UInt64
  let path: SyntheticPath

  init(seed: UInt64) {
    self.seed = seed
    path = SyntheticPath(seed: seed)
  }

  /// Everything within sight of the ego at `seconds`.
  func snapshot(seconds: Double) -> SceneSnapshot {
    let ego = path.distance(seconds)
    var snapshot = SceneSnapshot(originX: ego.rounded(.down))
    let length = Double(Self.blockLength)
    let first = Int(((ego - 110) / length).rounded(.down))
    let last = Int(((ego + 130) / length).rounded(.down))
    for block in first...last {
      let start = Float(Double(block) * length - snapshot.originX)
      for side in [-1, 1] {
        addBlockSide(block, side: side, start: start, to: &snapshot)
      }
    }
    addTraffic(seconds: seconds, ego: ego, to: &snapshot)
    addWalkers(seconds: seconds, ego: ego, to: &snapshot)
    return snapshot
  }

  /// Width of the side street that opens where a block starts; 0 without one.
  func sideStreetWidth(_ block: Int, side: Int) -> Float {
    var random = StreetRandom(seed: seed, 11, block, side)
    return random.chance(0.3) ? 9 : 0
  }
  /// Height of the ground where people walk: the pavement, or the road across a side street.
  func walkHeight(x: Double, side: Int) -> Float {
    let length = Double(Self.blockLength)
    let block = (x / length).rounded(.down)
    let gap = Double(sideStreetWidth(Int(block), side: side))
    return x - block * length < gap ? 0 : Self.kerbHeight
  }

  private func addBlockSide(
    _ block: Int, side: Int, start: Float, to snapshot: inout SceneSnapshot
  ) {
    var random = StreetRandom(seed: seed, 10, block, side)
    let sign = Float(side)
    let gap = sideStreetWidth(block, side: side)
    let end = start + Self.blockLength
    if gap > 0 {
      addSideStreetEnd(start: start, gap: gap, sign: sign, random: &random, to: &snapshot)
    }
    let walk = ScenePrimitive(
      .box, .sidewalk,
      center: SIMD3((start + gap + end) / 2, sign * (Self.kerb + 3), Self.kerbHeight / 2 - 0.2),
      half: SIMD3((end - start - gap) / 2, 3, Self.kerbHeight / 2 + 0.2))
    snapshot.add(walk)
    addBuildings(start: start + gap, end: end, sign: sign, random: &random, to: &snapshot)
    addParkedCars(block, side: side, start: start, gap: gap, to: &snapshot)
    addFurniture(block, side: side, start: start + gap, end: end, to: &snapshot)
  }

  /// The house that closes a side street's view, and a car parked in the side street.
  private func addSideStreetEnd(
    start: Float, gap: Float, sign: Float, random: inout StreetRandom,
    to snapshot: inout SceneSnapshot
  ) {
    let height = random.uniform(8, 14)
    snapshot.add(
      ScenePrimitive(
        .box, .facade, center: SIMD3(start + gap / 2, sign * 58, height / 2),
        half: SIMD3(12, 6, height / 2), look: UInt32(truncatingIfNeeded: random.next())))
    guard random.chance(0.6) else { return }
    let heading = Float.pi / 2 * (random.chance(0.5) ? 1 : -1)
    addVehicle(
      identity: random.next(), at: SIMD2(start + gap - 2, sign * random.uniform(14, 24)),
      heading: heading, velocity: .zero, to: &snapshot)
  }
}

/// Cosine and sine of a heading, from double-precision libm rounded once.
func headingCosines(_ heading: Float) -> (Float, Float) {
  if heading == 0 { return (1, 0) }
  return (Float(cos(Double(heading))), Float(sin(Double(heading))))
}
