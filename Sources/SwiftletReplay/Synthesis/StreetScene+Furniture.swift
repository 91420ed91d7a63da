extension StreetScene {
  /// Trees, lamp posts, signs and bins along the kerb.
  func addFurniture(
    _ block: Int, side: Int, start: Float, end: Float, to snapshot: inout SceneSnapshot
  ) {
    var random = StreetRandom(seed: seed, 20, block, side)
    let y = Float(side) * (Self.kerb + 0.65)
    var x = start + 3
    while x < end - 1.5 {
      let kind = random.unit()
      if kind < 0.45 {
        addTree(SIMD2(x, y), random: &random, to: &snapshot)
      } else if kind < 0.7 {
        addLamp(SIMD2(x, y), side: Float(side), to: &snapshot)
      } else if kind < 0.85 {
        addSign(SIMD2(x, y), random: &random, to: &snapshot)
      } else {
        addBin(SIMD2(x, y), to: &snapshot)
      }
      x += random.uniform(6.5, 9.5)
    }
  }

  private func addTree(
    _ at: SIMD2<Float>, random: inout StreetRandom, to snapshot: inout SceneSnapshot
  ) {
    let base = Self.kerbHeight
    let trunk = random.uniform(2.3, 3)
    let look = UInt32(truncatingIfNeeded: random.next())
    snapshot.add(
      ScenePrimitive(
        .cylinder, .trunk, center: SIMD3(at.x, at.y, base + trunk / 2),
        half: SIMD3(0.13, 0.13, trunk / 2)))
    for crown in 0..<4 {
      let r = random.uniform(0.75, 1.15)
      let center = SIMD3(
        at.x + random.uniform(-0.7, 0.7), at.y + random.uniform(-0.6, 0.6),
        base + trunk + 0.4 + Float(crown) * 0.5)
      snapshot.add(
        ScenePrimitive(
          .ellipsoid, .leaves, center: center, half: SIMD3(r, r, r * 0.8), look: look))
    }
  }

  private func addLamp(_ at: SIMD2<Float>, side: Float, to snapshot: inout SceneSnapshot) {
    snapshot.add(
      ScenePrimitive(
        .cylinder, .pole, center: SIMD3(at.x, at.y, 3.1), half: SIMD3(0.07, 0.07, 3.0)))
    snapshot.add(
      ScenePrimitive(
        .box, .pole, center: SIMD3(at.x, at.y - side * 0.6, 6.1), half: SIMD3(0.04, 0.65, 0.04)))
    snapshot.add(
      ScenePrimitive(
        .box, .lamp, center: SIMD3(at.x, at.y - side * 1.3, 6.05), half: SIMD3(0.14, 0.3, 0.07)))
  }

  private func addSign(
    _ at: SIMD2<Float>, random: inout StreetRandom, to snapshot: inout SceneSnapshot
  ) {
    snapshot.add(
      ScenePrimitive(
        .cylinder, .pole, center: SIMD3(at.x, at.y, 1.4), half: SIMD3(0.035, 0.035, 1.3)))
    snapshot.add(
      ScenePrimitive(
        .box, .sign, center: SIMD3(at.x, at.y, 2.5), half: SIMD3(0.02, 0.32, 0.32),
        look: UInt32(truncatingIfNeeded: random.next())))
  }

  private func addBin(_ at: SIMD2<Float>, to snapshot: inout SceneSnapshot) {
    snapshot.add(
      ScenePrimitive(
        .cylinder, .bin, center: SIMD3(at.x, at.y, 0.6), half: SIMD3(0.28, 0.28, 0.46)))
  }
}
