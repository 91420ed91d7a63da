/// A voxel map seen from above: the highest occupied voxel of every column coloured by its height,
/// free columns light, unknown ones dark.
public struct OccupancyPicture: Sendable {
  /// Ego-frame area (x forward, y left), metres.
  public var minimum: SIMD2<Float>
  public var maximum: SIMD2<Float>
  /// Heights at the colour map's ends, metres above the ego's ground.
  public var heightRange: ClosedRange<Float>
  public var title: String
  /// LiDAR points in the key ego frame, drawn on top.
  public var points: [SIMD3<Float>] = []
  private let cellSize: Float
  private let countX: Int
  private let countY: Int
  /// [y][x]: NaN unknown, −infinity free, else the height of the highest occupied voxel's middle.
  private var heights: [Float]

  /// An empty (unknown) area.
  ///
  /// - Parameters:
  ///   - cellSizeMeters: resolution of the picture, best half a voxel or finer.
  public init(
    minimum: SIMD2<Float>, maximum: SIMD2<Float>, cellSizeMeters: Float,
    heightRange: ClosedRange<Float> = -1...6, title: String = "Occupancy"
  ) {
    precondition(cellSizeMeters > 0, "a cell size of \(cellSizeMeters) m")
    self.minimum = minimum
    self.maximum = maximum
    self.heightRange = heightRange
    self.title = title
    cellSize = cellSizeMeters
    countX = max(1, Int(((maximum.x - minimum.x) / cellSizeMeters).rounded()))
    countY = max(1, Int(((maximum.y - minimum.y) / cellSizeMeters).rounded()))
    heights = [Float](repeating: .nan, count: countX * countY)
  }

  /// Adds occupied voxels by their middles in the key ego frame and their size.
  ///
  /// - Parameter voxelYawRadians: heading of the voxels' x axis in the ego frame: −(ego's yaw) for a
  ///   map that lies along the world's axes, 0 for one along the ego's.
  public mutating func addOccupied(
    _ centers: [SIMD3<Float>], voxelSizeMeters: Float, voxelYawRadians: Float = 0
  ) {
    let footprint = Footprint(size: voxelSizeMeters, yaw: voxelYawRadians)
    for center in centers where center.z.isFinite {
      forEachCell(under: footprint, at: center) { heights, cell in
        if !(heights[cell] >= center.z) { heights[cell] = center.z }
      }
    }
  }
  /// Adds free voxels likewise; occupied ones in the same column win.
  public mutating func addFree(
    _ centers: [SIMD3<Float>], voxelSizeMeters: Float, voxelYawRadians: Float = 0
  ) {
    let footprint = Footprint(size: voxelSizeMeters, yaw: voxelYawRadians)
    for center in centers {
      forEachCell(under: footprint, at: center) { heights, cell in
        if heights[cell].isNaN { heights[cell] = -.infinity }
      }
    }
  }

  /// A voxel from above: a turned square.
  private struct Footprint {
    let half: Float
    let axis: SIMD2<Float>
    /// Half the side of the upright square around it.
    let reach: Float

    init(size: Float, yaw: Float) {
      // A hair wider, so that a cell's middle on the border between two voxels belongs to one.
      half = size / 2 * 1.001
      axis = unitCircle(yaw / (2 * .pi))
      reach = half * (abs(axis.x) + abs(axis.y))
    }
    func contains(_ offset: SIMD2<Float>) -> Bool {
      abs(offset.x * axis.x + offset.y * axis.y) <= half
        && abs(offset.y * axis.x - offset.x * axis.y) <= half
    }
  }

  /// Calls `body` for every cell whose middle lies under the footprint.
  private mutating func forEachCell(
    under footprint: Footprint, at center: SIMD3<Float>, _ body: (inout [Float], Int) -> Void
  ) {
    let place = SIMD2(center.x, center.y) - minimum
    guard place.x.isFinite, place.y.isFinite, abs(place.x) < 1e5, abs(place.y) < 1e5 else {
      return
    }
    let firstX = max(0, Int(((place.x - footprint.reach) / cellSize).rounded(.down)))
    let lastX = min(countX - 1, Int(((place.x + footprint.reach) / cellSize).rounded(.down)))
    let firstY = max(0, Int(((place.y - footprint.reach) / cellSize).rounded(.down)))
    let lastY = min(countY - 1, Int(((place.y + footprint.reach) / cellSize).rounded(.down)))
    guard firstX <= lastX, firstY <= lastY else { return }
    for y in firstY...lastY {
      for x in firstX...lastX {
        let middle = SIMD2(Float(x) + 0.5, Float(y) + 0.5) * cellSize
        if footprint.contains(middle - place) { body(&heights, y * countX + x) }
      }
    }
  }

  /// Draws the picture; the area's longer side takes about `targetPixels`.
  public func draw(targetPixels: Int = 800) -> RGBImage {
    var (canvas, frame) = TopDownFrame.canvas(
      minimum: minimum, maximum: maximum, targetPixels: targetPixels, title: title)
    for row in 0..<frame.heightPixels {
      for column in 0..<frame.widthPixels {
        let x = frame.maximum.x - (Float(row) + 0.5) / frame.pixelsPerMeter
        let y = frame.maximum.y - (Float(column) + 0.5) / frame.pixelsPerMeter
        let cellX = min(countX - 1, max(0, Int((x - minimum.x) / cellSize)))
        let cellY = min(countY - 1, max(0, Int((y - minimum.y) / cellSize)))
        canvas.set(
          x: frame.originX + column, y: frame.originY + row,
          color(heights[cellY * countX + cellX]))
      }
    }
    for point in points where frame.contains(SIMD2(point.x, point.y)) {
      let place = frame.pixel(SIMD2(point.x, point.y))
      canvas.set(x: Int(place.x), y: Int(place.y), .white, alpha: 0.5)
    }
    frame.drawRings(on: &canvas)
    frame.drawEgo(on: &canvas)
    frame.drawScaleBar(on: &canvas)
    drawColorBar(on: &canvas, frame)
    return canvas.image
  }

  static let unknown = PictureColor(36, 38, 42)
  static let free = PictureColor(222, 226, 230)

  private func color(_ height: Float) -> PictureColor {
    if height.isNaN { return Self.unknown }
    if height == -.infinity { return Self.free }
    return ColorMap.viridis.color(
      (height - heightRange.lowerBound) / (heightRange.upperBound - heightRange.lowerBound))
  }

  private func drawColorBar(on canvas: inout Canvas, _ frame: TopDownFrame) {
    let y = frame.originY + frame.heightPixels + 12
    let right = canvas.widthPixels - 16
    let width = 130
    let high = "\(Int(heightRange.upperBound)) m"
    let low = "\(Int(heightRange.lowerBound))"
    let barEnd = right - Canvas.textWidth(high) - 6
    for step in 0..<width {
      canvas.fillRectangle(
        x: barEnd - width + step, y: y, width: 1, height: 16,
        color: ColorMap.viridis.color(Float(step) / Float(width - 1)))
    }
    canvas.text(high, x: barEnd + 6, y: y + 2)
    var x = barEnd - width - 6 - Canvas.textWidth(low)
    canvas.text(low, x: x, y: y + 2)
    for (name, color) in [("unknown", Self.unknown), ("free", Self.free)] {
      x -= Canvas.textWidth(name, scale: 1) + 12
      canvas.text(name, x: x, y: y + 5, color: .faintInk, scale: 1)
      x -= 16
      canvas.fillRectangle(x: x, y: y + 2, width: 12, height: 12, color: .faintInk)
      canvas.fillRectangle(x: x + 1, y: y + 3, width: 10, height: 10, color: color)
    }
  }
}
