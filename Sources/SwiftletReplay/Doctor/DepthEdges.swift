import Foundation
import Swiftlet

/// Points of a scan that stand in front of something farther: where an image should have an edge.
enum DepthEdges {
  enum Kind: Sendable {
    /// Something farther lies to the left or right: an upright edge.
    case side
    /// Something farther lies above: a level edge.
    case top
  }
  struct Edge: Sendable {
    /// LiDAR axes.
    var position: SIMD3<Double>
    /// 0...1, more for larger steps.
    var weight: Float
    var kind = Kind.side
  }

  private static let columnCount = 2048
  private static let rowCount = 96

  /// The nearest return of every cell of azimuth (0.18°) and elevation (0.6°, −30° to +27°).
  private struct Grid {
    var ranges = [Float](repeating: .infinity, count: columnCount * rowCount)
    var owners = [Int32](repeating: -1, count: columnCount * rowCount)

    init(_ points: [SIMD3<Double>]) {
      for (index, p) in points.enumerated() {
        let flat = (p.x * p.x + p.y * p.y).squareRoot()
        let range = Float((flat * flat + p.z * p.z).squareRoot())
        guard range > 1.5, range < 80 else { continue }
        let turn = atan2(p.y, p.x) / (2 * .pi) + 0.5
        let row = Int(((atan2(p.z, flat) * 180 / .pi + 30) / 0.6).rounded(.down))
        guard row >= 0, row < rowCount else { continue }
        let place = row * columnCount + min(columnCount - 1, Int(turn * Double(columnCount)))
        if range < ranges[place] {
          ranges[place] = range
          owners[place] = Int32(index)
        }
      }
    }

    /// How much farther the next return in this direction is, and which; 0 where there is none
    /// near.
    func sideStep(_ place: Int, direction: Int) -> (step: Float, next: Int) {
      let row = place / columnCount
      let column = place % columnCount
      for distance in 1...2 {
        let next = row * columnCount + (column + direction * distance + columnCount) % columnCount
        if owners[next] >= 0 { return (ranges[next] - ranges[place], next) }
      }
      return (0, place)
    }

    /// How much farther the return above is, where the surface does not just go on: along a plane
    /// 1/range changes evenly from ring to ring, at an edge it drops.
    func topStep(_ place: Int) -> Float {
      let above = place + columnCount
      let below = place - columnCount
      guard below >= 0, above < owners.count, owners[above] >= 0, owners[below] >= 0 else {
        return 0
      }
      let drop = 1 / ranges[place] - 1 / ranges[above]
      let usual = max(0, 1 / ranges[below] - 1 / ranges[place])
      return drop > 3 * usual + 0.004 ? ranges[above] - ranges[place] : 0
    }
  }

  /// Finds the edges from the points' directions alone: no ring numbers, no order is needed.
  ///
  /// A point is an edge when its neighbour to a side or above is farther by 0.7 m and 6 %, or
  /// missing while the one beyond it is farther. The edge lies between the two, where no firing went:
  /// to a side it is placed in the middle, upwards a third of the way. There the middle would be a
  /// tenth of a degree too high on synthetic drives, where the answer is known: tops recede.
  static func find(_ points: [SIMD3<Double>]) -> [Edge] {
    let grid = Grid(points)
    var edges: [Edge] = []
    for place in grid.owners.indices where grid.owners[place] >= 0 {
      let point = points[Int(grid.owners[place])]
      let least = 0.7 + 0.06 * grid.ranges[place]
      for direction in [1, -1] {
        let side = grid.sideStep(place, direction: direction)
        guard side.step > least else { continue }
        let beyond = points[Int(grid.owners[side.next])]
        edges.append(
          Edge(
            position: between(point, beyond, 0.5), weight: min(1, side.step / 5).squareRoot()))
      }
      let top = grid.topStep(place)
      guard top > least else { continue }
      let above = points[Int(grid.owners[place + columnCount])]
      edges.append(
        Edge(
          position: between(point, above, 0.3), weight: min(1, top / 5).squareRoot(), kind: .top))
    }
    return edges
  }

  /// At the near point's range, in a direction that far towards the other's.
  private static func between(
    _ near: SIMD3<Double>, _ far: SIMD3<Double>, _ share: Double
  ) -> SIMD3<Double> {
    normalized((1 - share) * normalized(near) + share * normalized(far)) * length(near)
  }
  private static func length(_ v: SIMD3<Double>) -> Double { (v * v).sum().squareRoot() }
  private static func normalized(_ v: SIMD3<Double>) -> SIMD3<Double> { v / length(v) }
}
