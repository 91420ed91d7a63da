import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct PoseBatchTests {
  private func quaternions(_ count: Int, _ random: inout SeededGenerator) -> [Double] {
    (0..<count).flatMap { _ -> [Double] in
      let v = (0..<4).map { _ in Double.random(in: -1...1, using: &random) }
      let norm = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return v.map { $0 / norm }
    }
  }
  private func values(_ count: Int, _ random: inout SeededGenerator) -> [Double] {
    (0..<count).map { _ in Double.random(in: -2000...2000, using: &random) }
  }
  private func expectClose(_ a: [Double], _ b: [Double], _ tolerance: Double) {
    #expect(a.count == b.count)
    for (x, y) in zip(a, b) { #expect(abs(x - y) <= tolerance, "expected \(x), found \(y)") }
  }

  @Test(arguments: Engine.everyEngine)
  func `a quarter turn about z takes x to y`(engine: Engine) {
    let half = 0.5.squareRoot()
    let matrix = PoseBatch.matrices(quaternions: [half, 0, 0, half], engine: engine)
    expectClose(matrix, [0, -1, 0, 1, 0, 0, 0, 0, 1], 1e-15)
  }

  @Test(arguments: Engine.everyEngine)
  func `half way of a quarter turn is an eighth, along the shorter arc`(engine: Engine) {
    let half = 0.5.squareRoot()
    let eighth = Quaternion(axis: SIMD3(0, 0, 1), radians: .pi / 4)
    let found = PoseBatch.slerped(
      [1, 0, 0, 0], [-half, 0, 0, -half], fractions: [0.5], engine: engine)
    expectClose(found, [eighth.w, 0, 0, eighth.z], 1e-15)
  }

  @Test(arguments: InstructionSet.supported)
  func `the kernels match the scalar types at every tail`(set: InstructionSet) {
    var random = SeededGenerator(seed: 61)
    let simd = Engine.simd(set)
    for count in [0, 1, 7, 8, 9, 15, 16, 17, 31] {
      let a = quaternions(count, &random)
      var b = quaternions(count, &random)
      // Equal and nearly equal rotations, where a naive slerp loses its digits.
      if count > 8 { b.replaceSubrange(0..<4, with: a[0..<4]) }
      let s = values(3 * count, &random)
      let t = values(3 * count, &random)
      let fractions = (0..<count).map { _ in Double.random(in: -0.3...1.3, using: &random) }
      for engine in [simd] {
        expectClose(
          PoseBatch.matrices(quaternions: a, engine: .reference),
          PoseBatch.matrices(quaternions: a, engine: engine), 1e-15)
        expectClose(
          PoseBatch.products(a, b, engine: .reference), PoseBatch.products(a, b, engine: engine),
          1e-15)
        expectClose(
          PoseBatch.slerped(a, b, fractions: fractions, engine: .reference),
          PoseBatch.slerped(a, b, fractions: fractions, engine: engine), 1e-11)
        expectClose(
          PoseBatch.interpolated(s, t, fractions: fractions, engine: .reference),
          PoseBatch.interpolated(s, t, fractions: fractions, engine: engine), 1e-12)
      }
      let p = PoseBatch.poses(quaternions: a, translations: s, engine: .reference)
      let q = PoseBatch.poses(quaternions: b, translations: t, engine: .reference)
      expectClose(p, PoseBatch.poses(quaternions: a, translations: s, engine: simd), 1e-15)
      expectClose(
        PoseBatch.composed(p, q, engine: .reference), PoseBatch.composed(p, q, engine: simd), 1e-11)
      expectClose(
        PoseBatch.inverted(p, engine: .reference), PoseBatch.inverted(p, engine: simd), 1e-11)
      #expect(
        PoseBatch.narrowed(p, engine: .reference) == PoseBatch.narrowed(p, engine: simd))
    }
  }

  @Test(arguments: Engine.everyEngine)
  func `a pose times its inverse is the identity far from the origin`(engine: Engine) {
    let pose = PoseBatch.poses(
      quaternions: [0.5, 0.5, -0.5, 0.5], translations: [1e6, -2e6, 30], engine: engine)
    let product = PoseBatch.composed(
      pose, PoseBatch.inverted(pose, engine: engine), engine: engine)
    expectClose(product, RigidTransform.identity.rowMajor4x4, 1e-9)
  }
}
