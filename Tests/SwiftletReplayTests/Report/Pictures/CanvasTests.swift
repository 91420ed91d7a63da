import Testing

@testable import SwiftletReplay

struct CanvasTests {
  @Test("Drawing outside the picture is cut off")
  func clipping() {
    var canvas = Canvas(widthPixels: 8, heightPixels: 6)
    canvas.fillRectangle(x: -5, y: -5, width: 100, height: 7, color: .white)
    canvas.line(from: SIMD2(-50, 3), to: SIMD2(50, 3), color: .ego)
    canvas.fillCircle(center: SIMD2(7, 5), radius: 30, color: .ego, alpha: 0.1)
    canvas.text("clipped", x: 4, y: 2)
    canvas.line(from: SIMD2(.nan, 0), to: SIMD2(3, 3), color: .ego)
    #expect(canvas.image.pixels.count == 8 * 6 * 3)
    #expect(canvas.color(x: 0, y: 3) != .black)
  }

  @Test("A polygon covers the pixels whose middles it contains")
  func polygon() {
    var canvas = Canvas(widthPixels: 10, heightPixels: 10)
    canvas.fillConvexPolygon(
      [SIMD2(2, 2), SIMD2(6, 2), SIMD2(6, 5), SIMD2(2, 5)], color: .white)
    var covered = 0
    for y in 0..<10 {
      for x in 0..<10 where canvas.color(x: x, y: y) == .white {
        covered += 1
        #expect((2..<6).contains(x) && (2..<5).contains(y))
      }
    }
    #expect(covered == 12)
  }

  @Test("Half transparent colours meet in the middle")
  func mixing() {
    var canvas = Canvas(widthPixels: 1, heightPixels: 1, color: .black)
    canvas.set(x: 0, y: 0, .white, alpha: 0.5)
    #expect(canvas.color(x: 0, y: 0) == PictureColor(128, 128, 128))
  }

  @Test("Letters are readable: L has a stem on the left and a foot below")
  func letters() {
    var canvas = Canvas(widthPixels: 12, heightPixels: 10)
    canvas.text("L", x: 1, y: 1, color: .white, scale: 1)
    for y in 1...7 { #expect(canvas.color(x: 1, y: y) == .white) }
    for x in 1...5 { #expect(canvas.color(x: x, y: 7) == .white) }
    #expect(canvas.color(x: 4, y: 2) == .black)
    #expect(BitmapFont.columns("−") == BitmapFont.columns("-"))
    #expect(BitmapFont.columns("語") == BitmapFont.columns("?"))
  }

  @Test("Colour maps hit their ends and survive NaN")
  func colorMaps() {
    #expect(ColorMap.viridis.color(0) == PictureColor(68, 1, 84))
    #expect(ColorMap.viridis.color(7) == PictureColor(253, 231, 37))
    #expect(ColorMap.turbo.color(.nan) == PictureColor(48, 18, 59))
  }
}
