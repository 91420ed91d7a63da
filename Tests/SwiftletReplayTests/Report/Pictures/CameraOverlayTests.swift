import Swiftlet
import Testing

@testable import SwiftletReplay

struct CameraOverlayTests {
  /// A camera 1.5 m above the ego's origin that looks along `forward` (ego axes).
  private func overlay(
    forward: SIMD3<Double> = SIMD3(1, 0, 0), left: SIMD3<Double> = SIMD3(0, 1, 0)
  ) -> CameraOverlay {
    let up = SIMD3<Double>(0, 0, 1)
    // Columns: camera x (right), y (down), z (forward) in ego axes.
    let rotation = Matrix3(-left, -up, forward).transpose
    return CameraOverlay(
      image: RGBImage(widthPixels: 200, heightPixels: 100),
      intrinsics: CameraIntrinsics(
        focalX: 100, focalY: 100, centerX: 99.5, centerY: 49.5, widthPixels: 200,
        heightPixels: 100),
      keyEgoFromCamera: RigidTransform(rotation: rotation, translation: SIMD3(0, 0, 1.5)))
  }
  private func middle(_ image: RGBImage) -> SIMD2<Float>? {
    let canvas = Canvas(image)
    var sum = SIMD2<Float>.zero
    var count: Float = 0
    for y in 0..<100 {
      for x in 0..<200 where canvas.color(x: x, y: y) != .black {
        sum += SIMD2(Float(x), Float(y))
        count += 1
      }
    }
    return count == 0 ? nil : sum / count
  }

  @Test("A position projects to the pixel worked out by hand")
  func byHand() throws {
    let pixel = try #require(overlay().pixel(SIMD3(10, 2, 2.5)))
    // 10 m ahead, 2 m left, 1 m up: 20 pixels left of and 10 above the middle.
    #expect(abs(pixel.place.x - 79.5) < 1e-9 && abs(pixel.place.y - 39.5) < 1e-9)
    #expect(abs(pixel.depth - 10) < 1e-9)
    #expect(overlay().pixel(SIMD3(-10, 2, 2.5)) == nil)
  }

  @Test("A voxel to the left and above is drawn to the left and above, and one behind not at all")
  func voxelPlace() throws {
    let drawn = try #require(middle(overlay().draw(voxels: [SIMD3(10, 4, 3.5)])))
    #expect(abs(drawn.x - 59.5) < 2 && abs(drawn.y - 29.5) < 2, "\(drawn)")
    #expect(middle(overlay().draw(voxels: [SIMD3(-10, 4, 3.5)])) == nil)
  }

  @Test("A mirrored camera puts the voxel on the wrong side and is not a rotation")
  func mirrored() throws {
    let wrong = overlay(left: SIMD3(0, -1, 0))
    let drawn = try #require(middle(wrong.draw(voxels: [SIMD3(10, 4, 3.5)])))
    #expect(drawn.x > 120)
    #expect(throws: CalibrationError.self) {
      try wrong.keyEgoFromCamera.validate(sensor: "CAM_FRONT")
    }
    #expect(throws: Never.self) {
      try overlay().keyEgoFromCamera.validate(sensor: "CAM_FRONT")
    }
  }

  @Test("A camera that looks to the left sees what is ahead on its right")
  func turned() throws {
    let sideways = overlay(forward: SIMD3(0, 1, 0), left: SIMD3(-1, 0, 0))
    let drawn = try #require(middle(sideways.draw(voxels: [SIMD3(4, 10, 1.5)])))
    #expect(drawn.x > 130)
  }

  @Test("A near voxel hides a far one behind it")
  func hiding() {
    let both = overlay().draw(voxels: [SIMD3(30, 0, 1.5), SIMD3(5, 0, 1.5)])
    let near = overlay().draw(voxels: [SIMD3(5, 0, 1.5)])
    #expect(both == near)
  }

  @Test("Points are drawn at their pixel, nearer ones warmer")
  func points() {
    let image = Canvas(overlay().draw(points: [SIMD3(10, 2, 2.5), SIMD3(40, -8, 1.5)]))
    let near = image.color(x: 80, y: 40)
    let far = image.color(x: 120, y: 50)
    #expect(near != .black && far != .black)
    #expect(near.red > far.red && far.blue > near.blue)
  }

  @Test("A lens given as a projection is used instead of the pinhole")
  func ownProjection() throws {
    var shifted = overlay()
    let pinhole = shifted.projection
    shifted.projection = { point in pinhole(point).map { $0 + SIMD2(5, 0) } }
    let pixel = try #require(shifted.pixel(SIMD3(10, 2, 2.5)))
    #expect(abs(pixel.place.x - 84.5) < 1e-9)
  }
}
