import Foundation

extension StreetScene {
  /// Cars along both kerbs, one slot every 6.6 m.
  func addParkedCars(
    _ block: Int, side: Int, start: Float, gap: Float, to snapshot: inout SceneSnapshot
  ) {
    let slots = Int(Self.blockLength / 6.6)
    for slot in 0..<slots {
      var random = StreetRandom(seed: seed, 30, block, side, slot)
      let x = start + 3.6 + 6.6 * Float(slot) + random.uniform(-0.5, 0.5)
      let occupied = random.chance(0.6)
      guard occupied, x - start > gap + 2.5 || gap == 0 else { continue }
      let y = Float(side) * (Self.kerb - 1.15 + random.uniform(-0.1, 0.12))
      let heading = random.uniform(-0.035, 0.035) + (side > 0 ? Float.pi : 0)
      addVehicle(
        identity: random.next(), at: SIMD2(x, y), heading: heading, velocity: .zero, to: &snapshot)
    }
  }

  /// The cars ahead of and behind the ego and the oncoming lane's stream.
  func addTraffic(seconds: Double, ego: Double, to snapshot: inout SceneSnapshot) {
    let lane = Float(SyntheticPath.laneCenterMeters)
    for (place, gap) in [(0, 19.0), (1, 47.0), (2, -16.0)] {
      let swing = 0.25 + 0.1 * Double(place)
      let x = ego + gap + 2 * sin(swing * seconds + Double(place))
      let speed = path.speed(seconds) + 2 * swing * cos(swing * seconds + Double(place))
      addVehicle(
        identity: StreetRandom.mix(seed ^ UInt64(0xca70 + place)),
        at: SIMD2(Float(x - snapshot.originX), lane), heading: 0,
        velocity: SIMD3(Float(speed), 0, 0), to: &snapshot)
    }
    let speed = 9.0
    let spacing = 26.0
    let first = Int(((ego - 90 + speed * seconds) / spacing).rounded(.down))
    for car in first...(first + Int(210 / spacing)) {
      var random = StreetRandom(seed: seed, 40, car)
      guard random.chance(0.75) else { continue }
      let x =
        Double(car) * spacing + Double(random.uniform(0, 14)) - speed * seconds - snapshot.originX
      addVehicle(
        identity: random.next(), at: SIMD2(Float(x), -lane + random.uniform(-0.2, 0.2)),
        heading: .pi, velocity: SIMD3(Float(-speed), 0, 0), to: &snapshot)
    }
  }

  /// A car, or now and then a van, chosen by its identity.
  func addVehicle(
    identity: UInt64, at: SIMD2<Float>, heading: Float, velocity: SIMD3<Float>,
    to snapshot: inout SceneSnapshot
  ) {
    var random = StreetRandom(seed: identity, 50)
    let look = UInt32(truncatingIfNeeded: random.next())
    let isVan = random.chance(0.14)
    let size =
      isVan
      ? SIMD3(random.uniform(5, 5.6), 2, random.uniform(2.2, 2.5))
      : SIMD3(random.uniform(3.9, 4.7), random.uniform(1.74, 1.86), random.uniform(1.42, 1.58))
    let object = SceneObject(
      identity: identity, category: isVan ? .van : .car, center: SIMD3(at.x, at.y, size.z / 2),
      size: size, heading: heading, velocity: velocity, isMoving: velocity != .zero)
    snapshot.add(object, parts: isVan ? vanParts(size, look) : carParts(size, look))
  }

  private func carParts(_ size: SIMD3<Float>, _ look: UInt32) -> [ScenePrimitive] {
    let (length, width, height) = (size.x, size.y, size.z)
    let waist: Float = 0.86
    return [
      ScenePrimitive(
        .taperedBox, .carBody, center: SIMD3(0, 0, (0.22 + waist) / 2),
        half: SIMD3(length / 2, width / 2, (waist - 0.22) / 2), look: look,
        taper: SIMD2(0.965, 0.95)),
      ScenePrimitive(
        .taperedBox, .carCabin, center: SIMD3(-0.06 * length, 0, (waist + height) / 2),
        half: SIMD3(0.33 * length, 0.46 * width, (height - waist) / 2), look: look,
        taper: SIMD2(0.66, 0.84), topShift: -0.05 * length),
    ] + wheels(length: length, width: width, radius: 0.32)
  }

  private func vanParts(_ size: SIMD3<Float>, _ look: UInt32) -> [ScenePrimitive] {
    let (length, width, height) = (size.x, size.y, size.z)
    return [
      ScenePrimitive(
        .taperedBox, .vanBody, center: SIMD3(0, 0, (0.3 + height) / 2),
        half: SIMD3(length / 2, width / 2, (height - 0.3) / 2), look: look,
        taper: SIMD2(0.9, 0.95), topShift: -0.05 * length)
    ] + wheels(length: length, width: width, radius: 0.36)
  }

  private func wheels(length: Float, width: Float, radius: Float) -> [ScenePrimitive] {
    var parts: [ScenePrimitive] = []
    for x in [-0.31 * length, 0.31 * length] {
      for y in [-width / 2 + 0.1, width / 2 - 0.1] {
        parts.append(
          ScenePrimitive(
            .wheel, .wheel, center: SIMD3(x, y, radius), half: SIMD3(radius, 0.12, radius)))
      }
    }
    return parts
  }
}
