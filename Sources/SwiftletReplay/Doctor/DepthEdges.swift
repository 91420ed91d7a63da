import Foundation
import Swiftlet

/// Points of a scan that stand in front of something farther: where an image should have an edge.
enum DepthEdges {
  struct Edge {
    /// LiDAR axes.
    var position: SIMD3<Double>
    /// 0...1, more for larger steps.
    var weight: Float
  }

  private static let columnCount = 2048
  private static let rowCount = 96

  /// Finds the edges from the points' directions alone: no ring numbers, no order is needed.
  ///
  /// Points are sorted into cells of azimuth (0.18°) and elevation (0.6° between −30° and +27°);
  /// one is an edge when its neighbour to the left or right is farther by 0.7 m and 6 %, or missing
  /// while the one beyond it is farther.
  static func find(_ points: [SIMD3<Double>]) -> [Edge] {
    var ranges = [Float](repeating: .infinity, count: columnCount * rowCount)
    var owners = [Int32](repeating: -1, count: columnCount * rowCount)
    for (index, p) in points.enumerated() {
      let flat = (p.x * p.x + p.y * p.y).squareRoot()
      let range = Float((flat * flat + p.z * p.z).squareRoot())
      guard range > 1.5, range < 60 else { continue }
      let turn = atan2(p.y, p.x) / (2 * .pi) + 0.5
      let row = Int(((atan2(p.z, flat) * 180 / .pi + 30) / 0.6).rounded(.down))
      guard row >= 0, row < rowCount else { continue }
      let place = row * columnCount + min(columnCount - 1, Int(turn * Double(columnCount)))
      if range < ranges[place] {
        ranges[place] = range
        owners[place] = Int32(index)
      }
    }
    var edges: [Edge] = []
    for place in owners.indices where owners[place] >= 0 {
      let step = max(
        self.step(ranges, owners, place, direction: 1),
        self.step(ranges, owners, place, direction: -1))
      guard step > 0.7 + 0.06 * ranges[place] else { continue }
      edges.append(
        Edge(position: points[Int(owners[place])], weight: min(1, step / 5).squareRoot()))
    }
    return edges
  }

  /// How much farther the next return in this direction is; 0 where there is none near.
  private static func step(
    _ ranges: [Float], _ owners: [Int32], _ place: Int, direction: Int
  ) -> Float {
    let row = place / columnCount
    let column = place % columnCount
    for distance in 1...2 {
      let next = row * columnCount + (column + direction * distance + columnCount) % columnCount
      if owners[next] >= 0 { return ranges[next] - ranges[place] }
    }
    return 0
  }
}
