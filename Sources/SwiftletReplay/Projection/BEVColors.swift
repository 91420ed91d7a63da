import Swiftlet

/// Maps of any layout as [y][x][channel] in ego axes, for pictures and comparisons.
public enum BEVColors {
  /// The built-in encoder's constant: its sum in a cell is the cell's weight.
  static let weightChannel = 3

  /// A map in ego axes.
  public struct Map: Sendable {
    public var features: [Float]
    public var validity: [UInt8]
    public var sizeX: Int
    public var sizeY: Int
    public var channels: Int
    public var lowerMeters: SIMD2<Double>
    public var stepMeters: SIMD2<Double>
    public var isColor: Bool

    public func picture(_ title: String, targetPixels: Int = 800) -> RGBImage {
      BEVPicture(
        features: features, cellCountX: sizeX, cellCountY: sizeY, channelCount: channels,
        lowerBoundsMeters: SIMD2(Float(lowerMeters.x), Float(lowerMeters.y)),
        cellSizeMeters: SIMD2(Float(stepMeters.x), Float(stepMeters.y)), validity: validity,
        colors: isColor ? .lumaChroma : .projection, title: title
      ).draw(targetPixels: targetPixels)
    }
  }

  /// A projection's result: slabs added, in ego axes whatever frame its grid lives in (nearest
  /// cell), sums of built-in features divided by their weight.
  public static func map(_ projected: PresetProjection) -> Map {
    let configuration = projected.preset.configuration
    let grid = configuration.grid
    let target = cells(projected.projection.bev.array, configuration)
    var map = Map(
      features: [Float](repeating: 0, count: grid.sizeX * grid.sizeY * configuration.channels),
      validity: [UInt8](repeating: 0, count: grid.sizeX * grid.sizeY), sizeX: grid.sizeX,
      sizeY: grid.sizeY, channels: configuration.channels,
      lowerMeters: SIMD2(grid.lowerMeters.x, grid.lowerMeters.y),
      stepMeters: SIMD2(grid.stepMeters.x, grid.stepMeters.y),
      isColor: projected.usesBuiltInFeatures)
    for y in 0..<grid.sizeY {
      for x in 0..<grid.sizeX {
        let center = grid.center(x: x, y: y)
        let place = projected.gridFromKeyEgo * SIMD3(center.x, center.y, 0)
        let column = Int(((place.x - grid.lowerMeters.x) / grid.stepMeters.x).rounded(.down))
        let row = Int(((place.y - grid.lowerMeters.y) / grid.stepMeters.y).rounded(.down))
        guard (0..<grid.sizeX).contains(column), (0..<grid.sizeY).contains(row) else { continue }
        let source = row * grid.sizeX + column
        map.take(
          target, source, into: y * grid.sizeX + x,
          isValid: projected.projection.cellValidity[source] != 0)
      }
    }
    return map
  }

  /// [y][x][channel], slabs added.
  private static func cells(
    _ bev: [Float], _ configuration: CameraToBEVConfiguration
  ) -> [Float] {
    let grid = configuration.grid
    let channels = configuration.channels
    var result = [Float](repeating: 0, count: grid.sizeX * grid.sizeY * channels)
    for z in 0..<grid.sizeZ {
      for y in 0..<grid.sizeY {
        for x in 0..<grid.sizeX {
          let source =
            switch configuration.order {
            case .slabs: ((z * grid.sizeY + y) * grid.sizeX + x) * channels
            case .collapsed: ((y * grid.sizeX + x) * grid.sizeZ + z) * channels
            case .xMajor: ((z * grid.sizeX + x) * grid.sizeY + y) * channels
            }
          let out = (y * grid.sizeX + x) * channels
          for channel in 0..<channels { result[out + channel] += bev[source + channel] }
        }
      }
    }
    return result
  }
}

extension BEVColors.Map {
  /// One cell; a weight of 0 is no data.
  fileprivate mutating func take(
    _ source: [Float], _ from: Int, into cell: Int, isValid: Bool
  ) {
    guard isValid else { return }
    let weight = isColor ? source[from * channels + BEVColors.weightChannel] : 1
    guard weight > 1e-4 else { return }
    validity[cell] = 1
    for channel in 0..<channels {
      features[cell * channels + channel] = source[from * channels + channel] / weight
    }
  }
}
