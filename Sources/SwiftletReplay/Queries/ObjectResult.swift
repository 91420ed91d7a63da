import Foundation
import Swiftlet

/// The objects of an `ObjectMemory` around the ego, nearest first: seen now, or remembered.
public struct ObjectResult {
  public let objects: [RememberedObject]
  let memory: ObjectMemory
  let window: QueryWindow

  public init(memory: ObjectMemory, window: QueryWindow, withinMeters: Double) {
    self.memory = memory
    self.window = window
    let egoFromWorld = window.worldFromEgo.inverse
    func distance(_ object: RememberedObject) -> Double {
      let place = egoFromWorld * object.obstacle.center
      return (place.x * place.x + place.y * place.y).squareRoot()
    }
    objects = (0..<memory.count).map { memory.objects[$0] }
      .filter { distance($0) <= withinMeters }
      .sorted { (distance($0), $0.identity) < (distance($1), $1.identity) }
  }

  private func unseenSeconds(_ object: RememberedObject) -> Double {
    Double(window.timestampNanoseconds - object.lastSeenNanoseconds) * 1e-9
  }

  public var table: String {
    var lines = ["  id       x       y  length   width  height   speed  confidence  unseen s"]
    let egoFromWorld = window.worldFromEgo.inverse
    for object in objects {
      let place = egoFromWorld * object.obstacle.center
      lines.append(
        padded("\(object.identity)", 4) + padded(fixed(place.x, 1), 8)
          + padded(fixed(place.y, 1), 8) + padded(fixed(object.obstacle.size.x, 1), 8)
          + padded(fixed(object.obstacle.size.y, 1), 8)
          + padded(fixed(object.obstacle.heightMeters, 1), 8)
          + padded(fixed(object.obstacle.speedMetersPerSecond, 1), 8)
          + padded(fixed(object.confidence, 2), 12)
          + padded(object.isSeen ? "-" : fixed(unseenSeconds(object), 1), 10))
    }
    lines.append(
      "\(objects.count { $0.isSeen }) objects seen, \(objects.count { !$0.isSeen }) remembered "
        + "after \(window.frameCount) frames; \(memory.foundAgainCount) found again, "
        + "\(memory.refutedCount) refuted, \(memory.expiredCount) forgotten")
    return lines.joined(separator: "\n")
  }

  public var json: JSONValue {
    let egoFromWorld = window.worldFromEgo.inverse
    return .object([
      "schema_version": .integer(1), "frames": .integer(Int64(window.frameCount)),
      "found_again": .integer(Int64(memory.foundAgainCount)),
      "refuted": .integer(Int64(memory.refutedCount)),
      "forgotten": .integer(Int64(memory.expiredCount)),
      "objects": .array(
        objects.map { object in
          .object([
            "identity": .integer(Int64(object.identity)), "is_seen": .bool(object.isSeen),
            "confidence": .number(object.confidence),
            "unseen_seconds": .number(unseenSeconds(object)),
            "refuted_share": .number(object.refutedShare),
            "center": numbers(egoFromWorld * object.obstacle.center),
            "center_in_world": numbers(object.obstacle.center),
            "size": numbers(object.obstacle.size),
            "height_meters": .number(object.obstacle.heightMeters),
            "velocity_in_world": numbers(object.obstacle.velocity),
          ])
        }),
    ])
  }

  /// Seen objects in the obstacles' colours, remembered ones in their own with their confidence.
  public func picture(_ layer: ObstacleLayer) throws -> [UInt8] {
    let remembered = PictureColor(230, 60, 200)
    var picture = MapPicture(title: "Objects", worldFromEgo: window.worldFromEgo)
    picture.legend = [
      ("unknown", OccupancyPicture.unknown), ("free", OccupancyPicture.free),
      ("standing", ObstacleResult.still), ("moving", ObstacleResult.moving),
      ("out of sight", remembered),
    ]
    for object in objects {
      let obstacle = object.obstacle
      let isMoving = obstacle.speedMetersPerSecond > 0
      let seen = isMoving ? ObstacleResult.moving : ObstacleResult.still
      let color = object.isSeen ? seen : remembered
      picture.outlines.append((obstacle.corners, color))
      if isMoving {
        picture.arrows.append((obstacle.center, obstacle.center + obstacle.velocity, color))
      }
      if !object.isSeen { picture.labels.append((obstacle.center, fixed(object.confidence, 2))) }
    }
    return try PNGCodec.encode(picture.draw { layer.color(at: $0, window) })
  }
}

extension ObstacleLayer {
  /// What stands at a place, seen from above.
  func color(at place: SIMD3<Double>, _ window: QueryWindow) -> PictureColor {
    let cells = window.grid.cellCounts
    let size = window.grid.configuration.voxelSizeMeters
    let x = Int((place.x / size).rounded(.down)) - Int(origin.x)
    let y = Int((place.y / size).rounded(.down)) - Int(origin.y)
    guard x >= 0, x < cells.x, y >= 0, y < cells.y else { return OccupancyPicture.unknown }
    switch states[y * cells.x + x] {
    case 2: return PictureColor(90, 70, 110)
    case 1: return OccupancyPicture.free
    default: return OccupancyPicture.unknown
    }
  }
}
