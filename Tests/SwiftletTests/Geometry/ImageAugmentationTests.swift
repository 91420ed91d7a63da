import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct ImageAugmentationTests {
  @Test func `BEVDet's test chain maps the first kept row to 0`() {
    let chain = ImageAugmentation.resizeCropFlipRotate(
      resize: 0.5, left: 10, top: 140, width: 704, height: 256)
    #expect(chain.applied(to: SIMD2(20, 280)) == .zero)
    #expect(chain.applied(to: SIMD2(22, 284)) == SIMD2(1, 2))
  }

  @Test func `a flip mirrors about the width, a quarter turn about the centre`() {
    let flip = ImageAugmentation.identity.flippedHorizontally(width: 100)
    #expect(flip.applied(to: SIMD2(30, 5)) == SIMD2(70, 5))
    let turn = ImageAugmentation.identity.rotated(degrees: 90, width: 100, height: 60)
    let pixel = turn.applied(to: SIMD2(50, 40))
    #expect(abs(pixel.x - 60) < 1e-12 && abs(pixel.y - 30) < 1e-12)
  }

  @Test(arguments: Engine.everyEngine)
  func `batches equal the chain and inverses lead back`(engine: Engine) {
    var random = SeededGenerator(seed: 71)
    for count in [0, 1, 7, 8, 9, 17] {
      let settings = (0..<count).flatMap { _ -> [Double] in
        [
          Double.random(in: 0.2...1, using: &random), Double.random(in: -30...90, using: &random),
          Double.random(in: 0...200, using: &random), 704, 256,
          Bool.random(using: &random) ? 1 : 0, Double.random(in: -20...20, using: &random),
        ]
      }
      let results = ImageAugmentation.batch(settings, engine: engine)
      #expect(results.count == count)
      for (index, result) in results.enumerated() {
        let s = Array(settings[(7 * index)..<(7 * index + 7)])
        let expected = ImageAugmentation.resizeCropFlipRotate(
          resize: s[0], left: s[1], top: s[2], width: s[3], height: s[4], flip: s[5] == 1,
          rotateDegrees: s[6])
        let pixel = SIMD2(812.0, 466.0)
        let difference = result.applied(to: pixel) - expected.applied(to: pixel)
        #expect(abs(difference.x) < 1e-10 && abs(difference.y) < 1e-10)
        let back = result.inverse.applied(to: result.applied(to: pixel)) - pixel
        #expect(abs(back.x) < 1e-9 && abs(back.y) < 1e-9)
      }
    }
  }

  @Test func `an augmentation that squashes the image is an error`() {
    let flat = ImageAugmentation(a00: 1, a01: 2, a10: 2, a11: 4, tx: 0, ty: 0)
    #expect(throws: CalibrationError.self) { try flat.validate(sensor: "CAM") }
  }
}
