import Foundation
import Swiftlet

/// The obstacles around the ego, nearest first.
public struct ObstacleResult {
  public let obstacles: [Obstacle]
  let window: QueryWindow
  let isTruncated: Bool

  public init(finder: ObstacleFinder, window: QueryWindow, withinMeters: Double) {
    self.window = window
    isTruncated = finder.isTruncated
    let ego = window.worldFromEgo.translation
    func distance(_ obstacle: Obstacle) -> Double {
      let away = obstacle.center - ego
      return (away.x * away.x + away.y * away.y).squareRoot()
    }
    obstacles = (0..<finder.count).map { finder.obstacles[$0] }
      .filter { distance($0) <= withinMeters }
      .sorted { (distance($0), $0.identity) < (distance($1), $1.identity) }
  }

  private func inEgo(_ obstacle: Obstacle) -> (center: SIMD3<Double>, yaw: Double) {
    let egoFromWorld = window.worldFromEgo.inverse
    let heading = SIMD3(cos(obstacle.yawRadians), sin(obstacle.yawRadians), 0)
    let turned = egoFromWorld.rotation * heading
    return (egoFromWorld * obstacle.center, atan2(turned.y, turned.x))
  }

  public var table: String {
    var lines = ["  id       x       y  length   width  height   speed  voxels"]
    for obstacle in obstacles {
      let place = inEgo(obstacle)
      lines.append(
        padded("\(obstacle.identity)", 4) + padded(fixed(place.center.x, 1), 8)
          + padded(fixed(place.center.y, 1), 8) + padded(fixed(obstacle.size.x, 1), 8)
          + padded(fixed(obstacle.size.y, 1), 8) + padded(fixed(obstacle.heightMeters, 1), 8)
          + padded(fixed(obstacle.speedMetersPerSecond, 1), 8)
          + padded("\(obstacle.voxelCount)", 8))
    }
    lines.append(
      "\(obstacles.count) obstacles after \(window.frameCount) frames, metres in the ego frame"
        + (isTruncated ? "; the list is incomplete: more groups than the finder holds" : ""))
    return lines.joined(separator: "\n")
  }

  public var json: JSONValue {
    .object([
      "schema_version": .integer(1), "frames": .integer(Int64(window.frameCount)),
      "is_truncated": .bool(isTruncated),
      "obstacles": .array(
        obstacles.map { obstacle in
          let place = inEgo(obstacle)
          return .object([
            "identity": .integer(Int64(obstacle.identity)), "center": numbers(place.center),
            "center_in_world": numbers(obstacle.center), "yaw_radians": .number(place.yaw),
            "size": numbers(obstacle.size), "height_meters": .number(obstacle.heightMeters),
            "velocity_in_world": numbers(obstacle.velocity),
            "speed_meters_per_second": .number(obstacle.speedMetersPerSecond),
            "voxels": .integer(Int64(obstacle.voxelCount)),
          ])
        }),
    ])
  }

  static let still = PictureColor(80, 160, 255)
  static let moving = PictureColor(255, 200, 40)

  public func picture(_ layer: ObstacleLayer) throws -> [UInt8] {
    var picture = MapPicture(title: "Obstacles", worldFromEgo: window.worldFromEgo)
    picture.legend = [
      ("unknown", OccupancyPicture.unknown), ("free", OccupancyPicture.free),
      ("obstacle voxels", PictureColor(90, 70, 110)), ("standing", Self.still),
      ("moving", Self.moving),
    ]
    for obstacle in obstacles {
      let isMoving = obstacle.speedMetersPerSecond > 0
      let color = isMoving ? Self.moving : Self.still
      picture.outlines.append((obstacle.corners, color))
      if isMoving {
        picture.arrows.append((obstacle.center, obstacle.center + obstacle.velocity, color))
        picture.labels.append(
          (obstacle.center, "\(fixed(obstacle.speedMetersPerSecond, 0)) m/s"))
      }
    }
    return try PNGCodec.encode(picture.draw { layer.color(at: $0, window) })
  }
}
