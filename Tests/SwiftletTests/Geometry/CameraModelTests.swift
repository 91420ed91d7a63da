import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct CameraModelTests {
  private func camera(_ lens: LensModel) -> CameraIntrinsics {
    CameraIntrinsics(
      focalX: 500, focalY: 510, centerX: 320, centerY: 240, lens: lens, widthPixels: 640,
      heightPixels: 480)
  }

  @Test func `a pinhole point lands where similar triangles put it`() {
    #expect(camera(.pinhole).pixel(of: SIMD3(1, -2, 4)) == SIMD2(445, -15))
    #expect(camera(.pinhole).ray(of: SIMD2(445, -15)) == SIMD2(0.25, -0.5))
  }

  @Test func `Brown-Conrady by hand: k1 and p1 only`() {
    // x = 0.5, y = 0, r² = 0.25: radial 1 + 0.1 · 0.25, tangential (0, p1 r²).
    let lens = LensModel.brownConrady([0.1, 0, 0.02, 0])
    let plane = lens.distorted(SIMD3(1, 0, 2))
    #expect(abs(plane.x - 0.5125) < 1e-15)
    #expect(abs(plane.y - 0.005) < 1e-15)
  }

  @Test func `an ideal fisheye maps angle to radius, behind the image plane too`() {
    let lens = LensModel.kannalaBrandt([0, 0, 0, 0])
    #expect(abs(lens.distorted(SIMD3(1, 0, 0)).x - .pi / 2) < 1e-15)
    #expect(abs(lens.distorted(SIMD3(0, -1, -1)).y + 0.75 * .pi) < 1e-15)
    #expect(lens.distorted(SIMD3(0, 0, 5)) == .zero)
    #expect(lens.undistorted(SIMD2(2, 0)).x.isNaN)
  }

  @Test func `f-theta by hand: 100 pixels a radian, then 10 more at its square`() throws {
    let camera = CameraIntrinsics.fTheta(
      angleToPixels: [0, 100, 10], centerX: 320, centerY: 240, widthPixels: 640, heightPixels: 480)
    try camera.validate(sensor: "CAM")
    // 45° to the right: θ = π/4.
    let theta = Double.pi / 4
    let pixel = camera.pixel(of: SIMD3(2, 0, 2))
    #expect(abs(pixel.x - (320 + 100 * theta + 10 * theta * theta)) < 1e-12 && pixel.y == 240)
    #expect(abs(camera.ray(of: pixel).x - 1) < 1e-12)
    // Behind the image plane there are pixels, but no x/z: 135° downwards.
    let behind = camera.pixel(of: SIMD3(0, 3, -3))
    #expect(abs(behind.y - (240 + 75 * .pi + 10 * .pi * .pi * 9 / 16)) < 1e-12)
    #expect(camera.ray(of: behind).y.isNaN)
  }

  @Test func `the inverse polynomial alone makes the same camera`() {
    // θ = r / 200: a forward polynomial of 200 θ.
    let inverse = CameraIntrinsics.fTheta(
      pixelsToAngle: [0, 1.0 / 200], centerX: 10, centerY: 20, widthPixels: 640, heightPixels: 480)
    let forward = CameraIntrinsics.fTheta(
      angleToPixels: [0, 200], centerX: 10, centerY: 20, widthPixels: 640, heightPixels: 480)
    for point in [SIMD3(0.3, -0.2, 1), SIMD3(2, 1, 0.5), SIMD3(1, 1, -0.4)] {
      let difference = inverse.pixel(of: point) - forward.pixel(of: point)
      #expect(abs(difference.x) < 1e-9 && abs(difference.y) < 1e-9)
    }
  }

  @Test(arguments: [
    LensModel.fTheta([0.1, 1]), .fTheta([0, -1]), .fTheta([0]), .fThetaInverse([0, .nan]),
    .brownConrady([.infinity]), .kannalaBrandt([1, 2, 3, 4, 5]),
  ])
  func `coefficients that describe no lens are a typed error`(lens: LensModel) {
    #expect(throws: CalibrationError.self) { try camera(lens).validate(sensor: "CAM") }
  }

  static let lenses: [LensModel] = [
    .pinhole, .brownConrady([-0.28, 0.07, 0.0002, -0.0003]),
    .brownConrady([-0.3, 0.11, 0.001, -0.0005, -0.02]),
    .brownConrady([0.4, -0.2, 0.0005, 0.0004, 0.03, 0.7, -0.1, 0.05]),
    .kannalaBrandt([-0.01, 0.02, -0.006, 0.001]),
    .fTheta([0, 1, 0.02, -0.05, 0.01, -0.002]), .fTheta([0, 1, 0, -0.08]),
    .fThetaInverse([0, 1, -0.02, 0.06, -0.01, 0.003]),
  ]

  @Test(arguments: lenses)
  func `un-projecting a projected point returns its ray`(lens: LensModel) {
    var random = SeededGenerator(seed: 51)
    let camera = camera(lens)
    for _ in 0..<200 {
      let x = Double.random(in: -0.6...0.6, using: &random)
      let y = Double.random(in: -0.5...0.5, using: &random)
      let ray = camera.ray(of: camera.pixel(of: SIMD3(x * 3, y * 3, 3)))
      #expect(abs(ray.x - x) < 1e-11 && abs(ray.y - y) < 1e-11)
    }
  }

  @Test(arguments: InstructionSet.supported)
  func `the kernels match the scalar models at every tail`(set: InstructionSet) {
    var random = SeededGenerator(seed: 52)
    for lens in Self.lenses {
      let camera = camera(lens)
      for count in [0, 1, 7, 8, 9, 15, 16, 17, 31] {
        var points = (0..<(3 * count)).map { _ in Double.random(in: -2...2, using: &random) }
        for index in 0..<count where !lens.coversBehind { points[3 * index + 2] = 4 }
        if count > 8 { points.replaceSubrange(0..<3, with: [0, 0, 1]) }
        expectClose(
          camera.pixels(of: points, engine: .reference),
          camera.pixels(of: points, engine: .simd(set)), 1e-9)
        let pixels = (0..<(2 * count)).map { _ in Double.random(in: 100...400, using: &random) }
        expectClose(
          camera.rays(of: pixels, engine: .reference),
          camera.rays(of: pixels, engine: .simd(set)), 1e-11)
      }
    }
  }

  @Test(arguments: Engine.everyEngine)
  func `a pixel no ray reaches gives NaN`(engine: Engine) {
    // With k1 = -0.3 alone the radius r (1 - 0.3 r²) never exceeds 0.703.
    let camera = camera(.brownConrady([-0.3, 0, 0, 0]))
    let rays = camera.rays(of: [320 + 500 * 0.9, 240, 320 + 500 * 0.5, 240], engine: engine)
    #expect(rays[0].isNaN && rays[1].isNaN)
    #expect(rays[2].isFinite)
  }

  private func expectClose(_ a: [Double], _ b: [Double], _ tolerance: Double) {
    #expect(a.count == b.count)
    for (x, y) in zip(a, b) where !(x.isNaN && y.isNaN) {
      #expect(abs(x - y) <= tolerance * max(1, abs(x)), "expected \(x), found \(y)")
    }
  }
}

extension LensModel {
  var coversBehind: Bool {
    switch self {
    case .pinhole, .brownConrady: false
    case .kannalaBrandt, .fTheta, .fThetaInverse: true
    }
  }
}
