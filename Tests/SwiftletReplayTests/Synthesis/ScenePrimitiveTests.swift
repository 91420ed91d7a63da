import SwiftletTestSupport
import Testing

@testable import SwiftletReplay

/// Ray casting against closed forms, and the tree against all primitives one by one.
struct ScenePrimitiveTests {
  private func ray(_ origin: SIMD3<Float>, _ direction: SIMD3<Float>, time: Float = 0) -> SceneRay {
    SceneRay(origin: origin, direction: normalized(direction), time: time)
  }
  private func distance(_ primitive: ScenePrimitive, _ ray: SceneRay) -> Float {
    primitive.hit(ray, nearest: 1e-3, limit: 1000)
  }

  @Test("A ray meets the near side of a box, and nothing from inside or past it")
  func box() {
    let box = ScenePrimitive(.box, .bin, center: SIMD3(10, 1, 2), half: SIMD3(2, 1, 0.5))
    #expect(distance(box, ray(SIMD3(0, 1, 2), SIMD3(1, 0, 0))) == 8)
    #expect(distance(box, ray(SIMD3(20, 1, 2), SIMD3(-1, 0, 0))) == 8)
    #expect(distance(box, ray(SIMD3(0, 1, 2.6), SIMD3(1, 0, 0))) == -1)
    #expect(distance(box, ray(SIMD3(10, 1, 2), SIMD3(1, 0, 0))) == -1)
    #expect(distance(box, ray(SIMD3(0, 1, 2), SIMD3(-1, 0, 0))) == -1)
  }

  @Test("A box turned by 45° is met at its edge")
  func turnedBox() {
    var box = ScenePrimitive(.box, .bin, center: SIMD3(10, 0, 0), half: SIMD3(1, 1, 1))
    (box.cosHeading, box.sinHeading) = headingCosines(.pi / 4)
    let expected = 10 - Float(2).squareRoot()
    #expect(abs(distance(box, ray(.zero, SIMD3(1, 0, 0))) - expected) < 1e-5)
  }

  @Test("Spheres, upright cylinders and wheels are met where the formulas say")
  func roundShapes() {
    let ball = ScenePrimitive(.ellipsoid, .leaves, center: SIMD3(5, 0, 0), half: SIMD3(2, 1, 1))
    #expect(abs(distance(ball, ray(.zero, SIMD3(1, 0, 0))) - 3) < 1e-5)
    let pole = ScenePrimitive(.cylinder, .pole, center: SIMD3(5, 0, 1), half: SIMD3(0.5, 0.5, 1))
    #expect(abs(distance(pole, ray(SIMD3(0, 0.3, 1), SIMD3(1, 0, 0))) - 4.6) < 1e-5)
    #expect(abs(distance(pole, ray(SIMD3(5, 0, 9), SIMD3(0, 0, -1))) - 7) < 1e-5)
    #expect(distance(pole, ray(SIMD3(0, 0, 2.1), SIMD3(1, 0, 0))) == -1)
    let wheel = ScenePrimitive(.wheel, .wheel, center: SIMD3(5, 0, 1), half: SIMD3(1, 0.2, 1))
    #expect(abs(distance(wheel, ray(SIMD3(5, -3, 1), SIMD3(0, 1, 0))) - 2.8) < 1e-5)
    #expect(abs(distance(wheel, ray(SIMD3(0, 0, 1), SIMD3(1, 0, 0))) - 4) < 1e-5)
  }

  @Test("A tapered box is narrower at the top")
  func taperedBox() {
    // From 2 m at z = 0 to 1 m at z = 2: at z = 1 the front is at 1.5 m.
    let shape = ScenePrimitive(
      .taperedBox, .carBody, center: SIMD3(0, 0, 1), half: SIMD3(2, 1, 1), taper: SIMD2(0.5, 1))
    #expect(abs(distance(shape, ray(SIMD3(10, 0, 1), SIMD3(-1, 0, 0))) - 8.5) < 1e-5)
    #expect(abs(distance(shape, ray(SIMD3(10, 0, 0.02), SIMD3(-1, 0, 0))) - 8.01) < 1e-4)
  }

  @Test("A moving thing is met where it is at the ray's time")
  func motion() {
    var box = ScenePrimitive(.box, .carBody, center: SIMD3(10, 0, 0), half: SIMD3(1, 1, 1))
    box.velocity = SIMD3(20, 0, 0)
    #expect(abs(distance(box, ray(.zero, SIMD3(1, 0, 0), time: -0.05)) - 8) < 1e-5)
  }

  @Test("Normals are of unit length and face the ray, for every shape from all sides")
  func normals() {
    var random = SeededGenerator(seed: 11)
    let shapes: [ScenePrimitive.Shape] = [.box, .taperedBox, .cylinder, .wheel, .ellipsoid]
    for shape in shapes {
      var primitive = ScenePrimitive(
        shape, .bin, center: .zero, half: SIMD3(1, 0.8, 1), taper: SIMD2(0.7, 0.8))
      (primitive.cosHeading, primitive.sinHeading) = headingCosines(0.4)
      for _ in 0..<200 {
        let v = random.floats(6)
        let from = normalized(SIMD3(v[0], v[1], v[2])) * 5
        let aim = SIMD3(v[3], v[4], v[5]) * 0.4
        let ray = ray(from, aim - from)
        let t = distance(primitive, ray)
        guard t > 0 else { continue }
        let local = primitive.local(ray.origin + ray.direction * t, time: 0)
        let normal = primitive.rotatedOut(primitive.localNormal(local))
        #expect(abs((normal * normal).sum() - 1) < 1e-4, "\(shape)")
        #expect((normal * ray.direction).sum() < 1e-3, "\(shape) at \(local)")
      }
    }
  }

  @Test("The tree finds what a loop over all primitives finds, axis-parallel rays included")
  func treeAgainstLoop() {
    var random = SeededGenerator(seed: 12)
    var primitives: [ScenePrimitive] = []
    for index in 0..<150 {
      let v = random.floats(8)
      var primitive = ScenePrimitive(
        index % 3 == 0 ? .ellipsoid : .box, .bin, center: SIMD3(v[0], v[1], v[2] * 0.2) * 40,
        half: SIMD3(abs(v[3]), abs(v[4]), abs(v[5])) * 2 + 0.1)
      (primitive.cosHeading, primitive.sinHeading) = headingCosines(v[6] * 3)
      primitive.velocity = SIMD3(v[7] * 20, 0, 0)
      primitives.append(primitive)
    }
    let tree = SceneTree(primitives, times: -0.05...0)
    var hits = 0
    for index in 0..<600 {
      let v = random.floats(6)
      let origin = SIMD3(v[0] * 50, v[1] * 50, 1 + abs(v[2]) * 8)
      let direction =
        index % 5 == 0 ? SIMD3<Float>(1, 0, 0) : SIMD3(v[3], v[4], v[5] * 0.3)
      let ray = ray(origin, direction, time: -0.05 * abs(v[2]))
      var best: Float = 60
      for primitive in primitives {
        let t = primitive.hit(ray, nearest: 1e-3, limit: best)
        if t >= 0 { best = t }
      }
      if ray.direction.z < 0 {
        let ground = -ray.origin.z / ray.direction.z
        if ground >= 1e-3 { best = min(best, ground) }
      }
      let found = tree.firstHit(ray, limit: 60)
      #expect((found?.distance ?? 60) == best)
      if found != nil { hits += 1 }
    }
    #expect(hits > 100)
  }
}
