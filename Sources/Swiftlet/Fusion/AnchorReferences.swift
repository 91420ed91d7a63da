/// Where the anchors of every query lie in every map, and which maps a query is active in. Set when
/// a calibration changes, not per frame.
@safe
public final class AnchorReferences: @unchecked Sendable {
  public let maps: Int
  public let queryCount: Int
  public let anchors: Int
  /// [map][query][2][16]: x of the anchors as fractions of the map, then y.
  let positions: AlignedBuffer<Float>
  /// [map][query]: 1 where any anchor is visible.
  let active: AlignedBuffer<UInt8>
  /// [map][query][anchor]: 1 where the anchor is inside the image.
  public let visible: AlignedBuffer<UInt8>
  /// [map][query][16]: weight of every anchor; nil where anchors are not weighted.
  let weights: AlignedBuffer<Float>?
  /// [map][query][anchor]: depth along the optical axis, metres; kept with weights.
  public let depths: AlignedBuffer<Float>?

  public init(maps: Int, queryCount: Int, anchors: Int, areWeighted: Bool = false) {
    precondition(anchors >= 1 && anchors <= 16, "\(anchors) anchors, 1 ... 16 fit")
    self.maps = maps
    self.queryCount = queryCount
    self.anchors = anchors
    positions = AlignedBuffer(count: maps * queryCount * 32)
    active = AlignedBuffer(count: maps * queryCount)
    visible = AlignedBuffer(count: maps * queryCount * anchors)
    weights = areWeighted ? AlignedBuffer(count: maps * queryCount * 16) : nil
    depths = areWeighted ? AlignedBuffer(count: maps * queryCount * anchors) : nil
  }

  /// The position of an anchor as fractions of its map.
  public func position(map: Int, query: Int, anchor: Int) -> (x: Float, y: Float) {
    let item = (map * queryCount + query) * 32
    return (positions[item + anchor], positions[item + 16 + anchor])
  }
  /// Whether a query is active in a map.
  public func isActive(map: Int, query: Int) -> Bool { active[map * queryCount + query] != 0 }
  /// The weight of an anchor; 1 where anchors are not weighted.
  public func weight(map: Int, query: Int, anchor: Int) -> Float {
    weights.map { $0[(map * queryCount + query) * 16 + anchor] } ?? 1
  }

  func set(
    map: Int, query: Int, anchor: Int, x: Double, y: Double, isVisible: Bool
  ) {
    let item = map * queryCount + query
    positions[item * 32 + anchor] = Float(x)
    positions[item * 32 + 16 + anchor] = Float(y)
    visible[item * anchors + anchor] = isVisible ? 1 : 0
    active[item] = anchor == 0 ? 0 : active[item]
    if isVisible { active[item] = 1 }
  }

  /// Cell centres of a row-major map of `width` × `height` cells, one anchor each, for every map of
  /// this object; map 0 is moved by `shift`.
  public func setCellCenters(width: Int, height: Int, shift: (x: Float, y: Float) = (0, 0)) {
    precondition(
      width * height == queryCount, "\(width) x \(height) cells for \(queryCount) queries")
    for map in 0..<maps {
      for query in 0..<queryCount {
        let x = (Double(query % width) + 0.5) / Double(width) + (map == 0 ? Double(shift.x) : 0)
        let y = (Double(query / width) + 0.5) / Double(height) + (map == 0 ? Double(shift.y) : 0)
        set(map: map, query: query, anchor: 0, x: x, y: y, isVisible: true)
      }
    }
  }

  /// BEVFormer's reference points of camera `camera`: cell centres and heights as fractions of the
  /// range, projected by `lidar2img` (row-major 4 × 4, lidar frame with y forward to pixels), divided
  /// by max(depth, 1e-5) and by the padded image size. Visible: depth above 1e-5 and strictly inside.
  public func setBEVFormerCamera(
    _ camera: Int, lidarToImage m: [Float], range: [Float], anchorHeights: [Float], width: Int,
    height: Int, imageWidth: Int, imageHeight: Int
  ) {
    precondition(m.count == 16 && range.count == 6, "\(m.count) and \(range.count) numbers")
    precondition(
      anchorHeights.count == anchors && width * height == queryCount,
      "\(anchorHeights.count) heights of \(width) x \(height) cells")
    let matrix = m.map(Double.init)
    let bounds = range.map(Double.init)
    for query in 0..<queryCount {
      let x = (Double(query % width) + 0.5) / Double(width) * (bounds[3] - bounds[0]) + bounds[0]
      let y = (Double(query / width) + 0.5) / Double(height) * (bounds[4] - bounds[1]) + bounds[1]
      for anchor in 0..<anchors {
        let z = Double(anchorHeights[anchor]) * (bounds[5] - bounds[2]) + bounds[2]
        func row(_ i: Int) -> Double {
          matrix[4 * i] * x + matrix[4 * i + 1] * y + matrix[4 * i + 2] * z + matrix[4 * i + 3]
        }
        let depth = row(2)
        let u = row(0) / max(depth, 1e-5) / Double(imageWidth)
        let v = row(1) / max(depth, 1e-5) / Double(imageHeight)
        let isVisible = depth > 1e-5 && u > 0 && u < 1 && v > 0 && v < 1
        set(map: camera, query: query, anchor: anchor, x: u, y: v, isVisible: isVisible)
      }
    }
  }
}
