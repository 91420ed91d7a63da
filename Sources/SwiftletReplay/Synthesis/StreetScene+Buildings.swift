extension StreetScene {
  /// Two to four houses side by side from `start` to `end`.
  func addBuildings(
    start: Float, end: Float, sign: Float, random: inout StreetRandom,
    to snapshot: inout SceneSnapshot
  ) {
    let count = 2 + random.choice(3)
    let width = (end - start) / Float(count)
    var from = start
    for house in 0..<count {
      let to =
        house == count - 1 ? end : start + width * Float(house + 1) + random.uniform(-2, 2)
      addBuilding(from: from, to: to, sign: sign, random: &random, to: &snapshot)
      from = to
    }
  }

  private func addBuilding(
    from: Float, to: Float, sign: Float, random: inout StreetRandom,
    to snapshot: inout SceneSnapshot
  ) {
    let floors = 3 + random.choice(4)
    let height = Float(floors) * 3.1 + 1.1
    let front = Self.facade + random.uniform(0, 0.5)
    let look = UInt32(truncatingIfNeeded: random.next())
    let middle = (from + to) / 2
    let halfWidth = (to - from) / 2
    snapshot.add(
      ScenePrimitive(
        .box, .facade, center: SIMD3(middle, sign * (front + 6), height / 2),
        half: SIMD3(halfWidth, 6, height / 2), look: look))
    snapshot.add(
      ScenePrimitive(
        .box, .trim, center: SIMD3(middle, sign * (front + 5.8), height + 0.15),
        half: SIMD3(halfWidth, 6.2, 0.15), look: look))
    if random.chance(0.55) {
      addAwnings(middle, halfWidth, front: front, sign: sign, random: &random, to: &snapshot)
    }
    if random.chance(0.6) {
      addBalconies(
        from: from, to: to, floors: floors, front: front, sign: sign, look: look, to: &snapshot)
    }
  }

  private func addAwnings(
    _ middle: Float, _ halfWidth: Float, front: Float, sign: Float, random: inout StreetRandom,
    to snapshot: inout SceneSnapshot
  ) {
    let look = UInt32(truncatingIfNeeded: random.next())
    let half = min(halfWidth - 0.6, random.uniform(1.8, 4))
    snapshot.add(
      ScenePrimitive(
        .box, .awning, center: SIMD3(middle, sign * (front - 0.6), 2.75),
        half: SIMD3(half, 0.6, 0.06), look: look))
    snapshot.add(
      ScenePrimitive(
        .box, .awning, center: SIMD3(middle, sign * (front - 1.18), 2.6),
        half: SIMD3(half, 0.02, 0.15), look: look))
  }

  /// A slab and a railing in front of every second window column, from the first floor up.
  private func addBalconies(
    from: Float, to: Float, floors: Int, front: Float, sign: Float, look: UInt32,
    to snapshot: inout SceneSnapshot
  ) {
    let pitch = SceneLook.windowPitch(look)
    let columns = Int((to - from) / pitch)
    for floor in 1..<min(floors, 5) {
      for column in stride(from: 1, to: columns, by: 2) {
        // The same columns as the painted windows, which are centred on the house.
        let x =
          (from + to) / 2
          + (Float(column) - Float(columns - 1) / 2) * pitch
        let z = Float(floor) * 3.1 + 0.35
        snapshot.add(
          ScenePrimitive(
            .box, .trim, center: SIMD3(x, sign * (front - 0.45), z),
            half: SIMD3(pitch * 0.42, 0.45, 0.07), look: look))
        snapshot.add(
          ScenePrimitive(
            .box, .balcony, center: SIMD3(x, sign * (front - 0.88), z + 0.52),
            half: SIMD3(pitch * 0.42, 0.03, 0.45), look: look))
      }
    }
  }
}
