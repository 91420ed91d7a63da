import Testing

@testable import SwiftletReplay

struct CameraMosaicTests {
  private func tile(_ name: String, _ shade: UInt8?) -> CameraMosaic.Tile {
    CameraMosaic.Tile(
      name: name,
      image: shade.map {
        RGBImage(
          widthPixels: 20, heightPixels: 10, pixels: [UInt8](repeating: $0, count: 600))
      })
  }

  @Test("Cameras stand as the driver sees them, whatever their order in the rig")
  func arrangement() {
    let names = [
      "CAM_FRONT", "CAM_FRONT_RIGHT", "CAM_BACK_RIGHT", "CAM_BACK", "CAM_BACK_LEFT",
      "CAM_FRONT_LEFT",
    ]
    let tiles = names.enumerated().map { tile($1, UInt8(50 + 10 * $0)) }
    let canvas = Canvas(CameraMosaic.draw(tiles, tileWidthPixels: 200))
    // Front left (100), front (50), front right (60); back left (90), back (80), back right (70).
    let shades = [[100, 50, 60], [90, 80, 70]]
    for row in 0..<2 {
      for column in 0..<3 {
        let color = canvas.color(x: column * 204 + 180, y: row * 104 + 90)
        #expect(Int(color.red) == shades[row][column], "row \(row), column \(column)")
      }
    }
  }

  @Test("A missing camera leaves a grey tile that says so")
  func missing() {
    let canvas = Canvas(
      CameraMosaic.draw([tile("A", 10), tile("B", nil)], tileWidthPixels: 300))
    #expect(canvas.color(x: 304 + 5, y: 140) == PictureColor(96, 98, 102))
    let middle = 304 + 150
    let letters = (middle - 60..<middle + 60).contains { x in
      (60..<90).contains { y in canvas.color(x: x, y: y) == .white }
    }
    #expect(letters)
  }

  @Test("One camera, none and seven all give a picture")
  func otherRigs() {
    #expect(CameraMosaic.draw([]).widthPixels > 0)
    #expect(CameraMosaic.draw([tile("A", 1)], tileWidthPixels: 100).widthPixels == 100)
    let seven = (0..<7).map { tile("\($0)", 1) }
    #expect(CameraMosaic.draw(seven, tileWidthPixels: 100).heightPixels > 150)
  }
}
