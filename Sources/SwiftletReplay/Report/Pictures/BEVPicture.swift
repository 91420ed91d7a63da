import Foundation

/// A bird's-eye-view feature map as a picture: forward up, left to the left.
public struct BEVPicture: Sendable {
  /// How channels become colours.
  public enum Colors: Sendable {
    /// Channels 0, 1, 2 are luma, blue and red chroma, as the built-in encoder makes them.
    case lumaChroma
    /// Three fixed mixes of all channels: channel c has phase c/φ on the colour wheel (φ the golden
    /// ratio), so that neighbouring channels differ and the same map always looks the same.
    case projection
  }

  /// Features, [y][x][channel]; cell (0, 0) at the lower bounds, y to the ego's left.
  public var features: [Float]
  public var cellCountX: Int
  public var cellCountY: Int
  public var channelCount: Int
  /// Ego-frame lower bounds (x forward, y left) and cell size, metres.
  public var lowerBoundsMeters: SIMD2<Float>
  public var cellSizeMeters: SIMD2<Float>
  /// [y][x], 0 where nothing contributed; nil when every cell is valid.
  public var validity: [UInt8]?
  public var colors: Colors
  public var title: String

  /// - Precondition: The arrays have as many elements as the counts say.
  public init(
    features: [Float], cellCountX: Int, cellCountY: Int, channelCount: Int,
    lowerBoundsMeters: SIMD2<Float>, cellSizeMeters: SIMD2<Float>, validity: [UInt8]? = nil,
    colors: Colors = .lumaChroma, title: String = "BEV"
  ) {
    precondition(
      features.count == cellCountX * cellCountY * channelCount,
      "\(features.count) features for \(cellCountY)×\(cellCountX)×\(channelCount)")
    precondition(
      validity.map { $0.count == cellCountX * cellCountY } ?? true,
      "\(validity?.count ?? 0) validity flags for \(cellCountY)×\(cellCountX) cells")
    self.features = features
    self.cellCountX = cellCountX
    self.cellCountY = cellCountY
    self.channelCount = channelCount
    self.lowerBoundsMeters = lowerBoundsMeters
    self.cellSizeMeters = cellSizeMeters
    self.validity = validity
    self.colors = channelCount < 3 && colors == .lumaChroma ? .projection : colors
    self.title = title
  }

  /// Draws the picture; the map's longer side takes about `targetPixels`.
  public func draw(targetPixels: Int = 800) -> RGBImage {
    let size =
      SIMD2(Float(cellCountX), Float(cellCountY)) * cellSizeMeters
    var (canvas, frame) = TopDownFrame.canvas(
      minimum: lowerBoundsMeters, maximum: lowerBoundsMeters + size, targetPixels: targetPixels,
      title: title)
    let cellColors = cellColors()
    for row in 0..<frame.heightPixels {
      for column in 0..<frame.widthPixels {
        let x = frame.maximum.x - (Float(row) + 0.5) / frame.pixelsPerMeter
        let y = frame.maximum.y - (Float(column) + 0.5) / frame.pixelsPerMeter
        let cellX = Int(((x - lowerBoundsMeters.x) / cellSizeMeters.x).rounded(.down))
        let cellY = Int(((y - lowerBoundsMeters.y) / cellSizeMeters.y).rounded(.down))
        guard (0..<cellCountX).contains(cellX), (0..<cellCountY).contains(cellY) else { continue }
        canvas.set(
          x: frame.originX + column, y: frame.originY + row,
          cellColors[cellY * cellCountX + cellX])
      }
    }
    frame.drawRings(on: &canvas)
    frame.drawEgo(on: &canvas)
    frame.drawScaleBar(on: &canvas)
    drawLegend(on: &canvas, frame)
    return canvas.image
  }

  private func drawLegend(on canvas: inout Canvas, _ frame: TopDownFrame) {
    let note = "forward is up, dark: no data"
    let y = frame.originY + frame.heightPixels + 18
    let x = canvas.widthPixels - Canvas.textWidth(note, scale: 1) - 16
    canvas.text(note, x: x, y: y + 4, color: .faintInk, scale: 1)
  }

  private func isValid(_ cell: Int) -> Bool { validity.map { $0[cell] != 0 } ?? true }

  /// One colour a cell, [y][x].
  private func cellColors() -> [PictureColor] {
    let raw = (0..<(cellCountX * cellCountY)).map { cell -> SIMD3<Float>? in
      guard isValid(cell) else { return nil }
      let value = components(cell)
      return value.x.isFinite && value.y.isFinite && value.z.isFinite ? value : nil
    }
    switch colors {
    case .lumaChroma: return lumaChromaColors(raw)
    case .projection: return projectionColors(raw)
    }
  }

  private func components(_ cell: Int) -> SIMD3<Float> {
    let start = cell * channelCount
    if colors == .lumaChroma {
      return SIMD3(features[start], features[start + 1], features[start + 2])
    }
    var sum = SIMD3<Float>.zero
    for channel in 0..<channelCount {
      sum += features[start + channel] * Self.projectionWeights(channel)
    }
    return sum
  }
  private static func projectionWeights(_ channel: Int) -> SIMD3<Float> {
    let turn = Float(channel) * 0.618_034
    return SIMD3(
      unitCircle(turn).x, unitCircle(turn + 1 / 3).x, unitCircle(turn + 2 / 3).x)
  }

  /// Contrast: the 2nd and 98th percentile of luma become black and white; chroma is scaled by the
  /// same factor, so that hues stay true.
  private func lumaChromaColors(_ raw: [SIMD3<Float>?]) -> [PictureColor] {
    let (low, high) = Self.spread(raw.compactMap { $0?.x })
    let scale = 1 / max(high - low, 1e-6)
    return raw.map { value in
      guard let value else { return .invalid }
      let luma = (value.x - low) * scale
      let blue = value.y * scale
      let red = value.z * scale
      // ITU-R BT.601, full range.
      return PictureColor(
        unit: SIMD3(luma + 1.402 * red, luma - 0.344 * blue - 0.714 * red, luma + 1.772 * blue))
    }
  }
  private func projectionColors(_ raw: [SIMD3<Float>?]) -> [PictureColor] {
    let bounds = (0..<3).map { axis in Self.spread(raw.compactMap { $0?[axis] }) }
    return raw.map { value in
      guard let value else { return .invalid }
      var unit = SIMD3<Float>.zero
      for axis in 0..<3 {
        let (low, high) = bounds[axis]
        unit[axis] = (value[axis] - low) / max(high - low, 1e-6)
      }
      return PictureColor(unit: unit)
    }
  }
  /// The 2nd and the 98th percentile.
  private static func spread(_ values: [Float]) -> (Float, Float) {
    guard !values.isEmpty else { return (0, 1) }
    let sorted = values.sorted()
    return (sorted[sorted.count * 2 / 100], sorted[min(sorted.count - 1, sorted.count * 98 / 100)])
  }
}

/// (cos, sin) of a fraction of a turn.
func unitCircle(_ turn: Float) -> SIMD2<Float> {
  let angle = Double(turn) * 2 * .pi
  return SIMD2(Float(cos(angle)), Float(sin(angle)))
}
