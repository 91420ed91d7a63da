import Foundation

extension StreetScene {
  /// Pedestrians on both pavements, walking either way.
  func addWalkers(seconds: Double, ego: Double, to snapshot: inout SceneSnapshot) {
    for stream in 0..<4 {
      let side: Float = stream < 2 ? -1 : 1
      let direction: Double = stream % 2 == 0 ? 1 : -1
      let speed = direction * (1.2 + 0.15 * Double(stream))
      let spacing = 9.0
      let first = Int(((ego - 60 - speed * seconds) / spacing).rounded(.down))
      for walker in first...(first + Int(150 / spacing)) {
        var random = StreetRandom(seed: seed, 60 + stream, walker)
        guard random.chance(0.55) else { continue }
        let x =
          Double(walker) * spacing + Double(random.uniform(0, 7)) + speed * seconds
          - snapshot.originX
        addWalker(
          random: &random, at: SIMD2(Float(x), side * random.uniform(7.1, 8.6)),
          ground: walkHeight(x: x + snapshot.originX, side: Int(side)), speed: Float(speed),
          stride: Float(sin(seconds * 6 + Double(walker))), to: &snapshot)
      }
    }
  }

  private func addWalker(
    random: inout StreetRandom, at: SIMD2<Float>, ground: Float, speed: Float, stride: Float,
    to snapshot: inout SceneSnapshot
  ) {
    let height = random.uniform(1.58, 1.88)
    let look = UInt32(truncatingIfNeeded: random.next())
    let object = SceneObject(
      identity: random.next(), category: .pedestrian,
      center: SIMD3(at.x, at.y, ground + height / 2), size: SIMD3(0.6, 0.6, height),
      heading: speed < 0 ? .pi : 0, velocity: SIMD3(speed, 0, 0), isMoving: true)
    let hip = 0.48 * height
    let shoulder = 0.84 * height
    snapshot.add(
      object,
      parts: [
        ScenePrimitive(
          .cylinder, .trousers, center: SIMD3(0.14 * stride, 0.1, hip / 2),
          half: SIMD3(0.09, 0.09, hip / 2), look: look),
        ScenePrimitive(
          .cylinder, .trousers, center: SIMD3(-0.14 * stride, -0.1, hip / 2),
          half: SIMD3(0.09, 0.09, hip / 2), look: look),
        ScenePrimitive(
          .taperedBox, .clothes, center: SIMD3(0, 0, (hip + shoulder) / 2),
          half: SIMD3(0.14, 0.24, (shoulder - hip) / 2), look: look, taper: SIMD2(0.9, 0.85)),
        ScenePrimitive(
          .ellipsoid, .skin, center: SIMD3(0.02, 0, 0.92 * height),
          half: SIMD3(0.11, 0.1, 0.08 * height), look: look),
      ])
  }
}
