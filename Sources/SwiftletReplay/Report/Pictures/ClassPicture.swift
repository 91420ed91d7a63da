import Swiftlet

/// A map of classes seen from above: forward up, left to the left, one colour a class, 255 dark.
public struct ClassPicture: Sendable {
  /// [y][x]; cell (0, 0) at the lower bounds.
  public var labels: [UInt8]
  public var cellCountX: Int
  public var cellCountY: Int
  public var lowerBoundsMeters: SIMD2<Float>
  public var cellSizeMeters: SIMD2<Float>
  public var title: String

  /// - Precondition: As many labels as cells.
  public init(
    labels: [UInt8], cellCountX: Int, cellCountY: Int, lowerBoundsMeters: SIMD2<Float>,
    cellSizeMeters: SIMD2<Float>, title: String
  ) {
    precondition(
      labels.count == cellCountX * cellCountY,
      "\(labels.count) labels for \(cellCountY)×\(cellCountX) cells")
    self.labels = labels
    self.cellCountX = cellCountX
    self.cellCountY = cellCountY
    self.lowerBoundsMeters = lowerBoundsMeters
    self.cellSizeMeters = cellSizeMeters
    self.title = title
  }

  /// Class c's colour: hues a golden angle apart; the last class (free) is a light grey.
  static func color(_ label: UInt8, classCount: Int) -> PictureColor {
    if label == 255 { return .invalid }
    if Int(label) == classCount - 1 { return PictureColor(176, 182, 188) }
    let turn = 0.02 + Float(label) * 0.618_034
    let hue = SIMD3(
      unitCircle(turn).x, unitCircle(turn - 1 / 3).x, unitCircle(turn + 1 / 3).x)
    return PictureColor(unit: hue * 0.4 + SIMD3(repeating: 0.52))
  }

  public func draw(classCount: Int, targetPixels: Int = 800) -> RGBImage {
    let size = SIMD2(Float(cellCountX), Float(cellCountY)) * cellSizeMeters
    var (canvas, frame) = TopDownFrame.canvas(
      minimum: lowerBoundsMeters, maximum: lowerBoundsMeters + size, targetPixels: targetPixels,
      title: title)
    for row in 0..<frame.heightPixels {
      for column in 0..<frame.widthPixels {
        let x = frame.maximum.x - (Float(row) + 0.5) / frame.pixelsPerMeter
        let y = frame.maximum.y - (Float(column) + 0.5) / frame.pixelsPerMeter
        let cellX = Int(((x - lowerBoundsMeters.x) / cellSizeMeters.x).rounded(.down))
        let cellY = Int(((y - lowerBoundsMeters.y) / cellSizeMeters.y).rounded(.down))
        guard (0..<cellCountX).contains(cellX), (0..<cellCountY).contains(cellY) else { continue }
        canvas.set(
          x: frame.originX + column, y: frame.originY + row,
          Self.color(labels[cellY * cellCountX + cellX], classCount: classCount))
      }
    }
    frame.drawRings(on: &canvas)
    frame.drawEgo(on: &canvas)
    frame.drawScaleBar(on: &canvas)
    return canvas.image
  }
}

extension HeadResult {
  /// One label a cell: of the highest height that is not the last class (free); free where all are;
  /// 255 where the cell is not valid.
  func topLabels() -> [UInt8] {
    let free = UInt8(classCount - 1)
    return stride(from: 0, to: labels.count, by: heightCount).map { start in
      let own = (0..<heightCount).map { labels[start + $0] }
      return own.last { $0 != free } ?? free
    }
  }
}
