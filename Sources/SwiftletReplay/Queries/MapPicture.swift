import Swiftlet

/// A picture of a map from above, ego forward up: every pixel asks for the colour at its place.
public struct MapPicture {
  public var title: String
  /// Half the side of the area shown, metres around the ego.
  public var reachMeters: Float = 50
  public var worldFromEgo: RigidTransform
  /// Legend entries, in order.
  public var legend: [(name: String, color: PictureColor)] = []
  /// Outlines in world, closed.
  public var outlines: [(corners: [SIMD3<Double>], color: PictureColor)] = []
  /// Lines in world with a label at their end.
  public var arrows: [(from: SIMD3<Double>, to: SIMD3<Double>, color: PictureColor)] = []
  public var labels: [(at: SIMD3<Double>, text: String)] = []

  public init(title: String, worldFromEgo: RigidTransform, reachMeters: Float = 50) {
    self.title = title
    self.worldFromEgo = worldFromEgo
    self.reachMeters = reachMeters
  }

  /// - Parameter color: of a place in world, metres, on the ego's own plane.
  public func draw(
    targetPixels: Int = 800, _ color: (SIMD3<Double>) -> PictureColor
  ) -> RGBImage {
    let reach = SIMD2<Float>(reachMeters, reachMeters)
    var (canvas, frame) = TopDownFrame.canvas(
      minimum: -reach, maximum: reach, targetPixels: targetPixels, title: title)
    for row in 0..<frame.heightPixels {
      for column in 0..<frame.widthPixels {
        let inEgo = SIMD3(
          Double(frame.maximum.x - (Float(row) + 0.5) / frame.pixelsPerMeter),
          Double(frame.maximum.y - (Float(column) + 0.5) / frame.pixelsPerMeter), 0)
        canvas.set(
          x: frame.originX + column, y: frame.originY + row, color(worldFromEgo * inEgo))
      }
    }
    drawShapes(on: &canvas, frame)
    frame.drawRings(on: &canvas)
    frame.drawEgo(on: &canvas)
    frame.drawScaleBar(on: &canvas)
    drawLegend(on: &canvas, frame)
    return canvas.image
  }

  private func drawShapes(on canvas: inout Canvas, _ frame: TopDownFrame) {
    let egoFromWorld = worldFromEgo.inverse
    func place(_ world: SIMD3<Double>) -> SIMD2<Float>? {
      let inEgo = SIMD3<Float>(egoFromWorld * world)
      let flat = SIMD2(inEgo.x, inEgo.y)
      return frame.contains(flat) ? frame.pixel(flat) : nil
    }
    for outline in outlines {
      let corners = outline.corners.map(place)
      for index in corners.indices {
        guard let a = corners[index], let b = corners[(index + 1) % corners.count] else { continue }
        canvas.line(from: a, to: b, color: outline.color, width: 2)
      }
    }
    for arrow in arrows {
      guard let a = place(arrow.from), let b = place(arrow.to) else { continue }
      canvas.line(from: a, to: b, color: arrow.color, width: 2)
      canvas.fillCircle(center: b, radius: 3, color: arrow.color)
    }
    for label in labels {
      guard let at = place(label.at) else { continue }
      canvas.label(label.text, x: Int(at.x) + 4, y: Int(at.y) - 6, scale: 1)
    }
  }

  private func drawLegend(on canvas: inout Canvas, _ frame: TopDownFrame) {
    var x = canvas.widthPixels - 12
    let y = frame.originY + frame.heightPixels + 14
    for entry in legend.reversed() {
      x -= Canvas.textWidth(entry.name, scale: 1)
      canvas.text(entry.name, x: x, y: y + 3, color: .faintInk, scale: 1)
      x -= 16
      canvas.fillRectangle(x: x, y: y, width: 12, height: 12, color: .faintInk)
      canvas.fillRectangle(x: x + 1, y: y + 1, width: 10, height: 10, color: entry.color)
      x -= 10
    }
  }
}

extension Obstacle {
  /// Corners of the upright box at its middle's height, in order.
  public var corners: [SIMD3<Double>] {
    let turn = RigidTransform(
      rotation: Quaternion(axis: SIMD3(0, 0, 1), radians: yawRadians), translation: center)
    return [(1, 1), (1, -1), (-1, -1), (-1, 1)].map { a, b in
      turn * SIMD3(size.x / 2 * Double(a), size.y / 2 * Double(b), 0)
    }
  }
}
