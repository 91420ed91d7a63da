/// Every camera of a frame in one picture, arranged as they look: ahead on top, behind below.
public enum CameraMosaic {
  public struct Tile: Sendable {
    public var name: String
    /// Nil for a camera that is missing in this frame.
    public var image: RGBImage?
    public init(name: String, image: RGBImage?) {
      self.name = name
      self.image = image
    }
  }

  /// nuScenes' six cameras as seen from the driver's seat.
  private static let surround = [
    "CAM_FRONT_LEFT", "CAM_FRONT", "CAM_FRONT_RIGHT", "CAM_BACK_LEFT", "CAM_BACK",
    "CAM_BACK_RIGHT",
  ]

  /// Draws tiles of `tileWidthPixels`. Cameras with nuScenes' names stand in their places, others
  /// in the order given, three a row.
  public static func draw(_ tiles: [Tile], title: String = "", tileWidthPixels: Int = 560) -> RGBImage {
    precondition(tileWidthPixels > 0, "tiles of \(tileWidthPixels) pixels")
    let ordered = arranged(tiles)
    let columns = min(3, max(1, ordered.count))
    let rows = max(1, (ordered.count + columns - 1) / columns)
    let tallest =
      ordered.compactMap(\.image).map { image in
        Double(image.heightPixels) / Double(max(1, image.widthPixels))
      }.max() ?? 0.4
    let tileHeight = max(24, Int((tallest * Double(tileWidthPixels)).rounded()))
    let header = title.isEmpty ? 0 : 34
    let gap = 4
    var canvas = Canvas(
      widthPixels: columns * (tileWidthPixels + gap) - gap,
      heightPixels: header + rows * (tileHeight + gap) - gap, color: .paper)
    if !title.isEmpty { canvas.text(title, x: 8, y: 9) }
    for (index, tile) in ordered.enumerated() {
      let x = index % columns * (tileWidthPixels + gap)
      let y = header + index / columns * (tileHeight + gap)
      draw(tile, on: &canvas, x: x, y: y, width: tileWidthPixels, height: tileHeight)
    }
    return canvas.image
  }

  private static func arranged(_ tiles: [Tile]) -> [Tile] {
    guard tiles.count == surround.count, Set(tiles.map(\.name)) == Set(surround) else {
      return tiles
    }
    return surround.compactMap { name in tiles.first { $0.name == name } }
  }

  private static func draw(
    _ tile: Tile, on canvas: inout Canvas, x: Int, y: Int, width: Int, height: Int
  ) {
    guard let image = tile.image else {
      canvas.fillRectangle(
        x: x, y: y, width: width, height: height, color: PictureColor(96, 98, 102))
      let note = "missing"
      canvas.text(
        note, x: x + (width - Canvas.textWidth(note, scale: 3)) / 2, y: y + height / 2 - 12,
        color: .white, scale: 3)
      canvas.label(tile.name, x: x, y: y)
      return
    }
    let shown = max(
      1, Int((Double(image.heightPixels) * Double(width) / Double(image.widthPixels)).rounded()))
    canvas.draw(image, x: x, y: y, width: width, height: min(height, shown))
    canvas.label(tile.name, x: x, y: y)
  }
}
