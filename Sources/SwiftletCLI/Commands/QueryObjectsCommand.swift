import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct QueryObjectsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "objects", abstract: "Objects seen now, and those out of sight that may be there.",
    discussion: """
      Obstacles followed over the frames; one that goes out of sight is moved on at its last \
      velocity with falling confidence, until rays pass through where it should be, it is seen \
      again, or nobody would believe in it any more. The window ages (as with --ages).

      Exit codes: 0 answered, 1 a file cannot be written, 4 the path cannot be read.

      Examples:
        swiftlet query objects drive --png objects.png
        swiftlet query objects drive --half-life 4 --within 30 --json
      """)
  @OptionGroup var arguments: QueryArguments
  @OptionGroup var layerArguments: LayerArguments
  @Option(help: "Confidence halves in this time without a sighting, seconds.") var halfLife = 2.0
  @Option(help: "Smaller groups are left out.") var minimumVoxels = 12
  @Option(help: "Only objects this near to the ego, metres.") var within = 40.0
  @Option(help: "A picture.") var png: String?

  func validate() throws {
    guard minimumVoxels >= 1 else {
      throw ValidationError("--minimum-voxels: expected 1 or more, found \(minimumVoxels)")
    }
    guard halfLife > 0, halfLife < 1e6 else {
      throw ValidationError("--half-life: expected seconds above 0, found \(halfLife)")
    }
  }

  func run() throws {
    guard !QueryWindow.isMap(arguments.path) else {
      throw ValidationError("PATH: expected a recording, found a saved map, in which nothing moves")
    }
    var settings = ObjectMemoryConfiguration()
    settings.halfLifeSeconds = halfLife
    let follower = Follower(self, ObjectMemory(configuration: settings))
    var aged = arguments
    aged.ages = true
    let window = try aged.open { grid, frame in try follower.follow(grid, frame) }
    guard let layer = follower.layer else { return }
    let result = ObjectResult(memory: follower.memory, window: window, withinMeters: within)
    if let png { try writeFile(try result.picture(layer), to: png) }
    print(arguments.json ? result.json.text : result.table)
  }

  /// Layer, finder, tracker, visibility and memory, made with the first frame.
  private final class Follower {
    let command: QueryObjectsCommand
    let memory: ObjectMemory
    let tracker = ObstacleTracker()
    var layer: ObstacleLayer?
    var finder: ObstacleFinder?
    var visibility: VisibilityMap?

    init(_ command: QueryObjectsCommand, _ memory: ObjectMemory) {
      self.command = command
      self.memory = memory
    }

    func follow(_ grid: OccupancyGrid, _ frame: SensorFrame) throws {
      let layer = try self.layer ?? command.layerArguments.makeLayer(grid)
      let finder =
        self.finder ?? ObstacleFinder(for: grid, minimumVoxelCount: command.minimumVoxels)
      let visibility =
        try self.visibility
        ?? VisibilityMap(
          engine: grid.engine, pool: WorkerPool(threadCount: command.arguments.engine.threads))
      (self.layer, self.finder, self.visibility) = (layer, finder, visibility)
      layer.update(
        from: grid, groundPosition: command.layerArguments.ground(frame.worldFromEgo))
      finder.find(in: layer)
      tracker.update(
        finder.obstacles, count: finder.count, atNanoseconds: frame.timestampNanoseconds)
      var lidarOnly = frame
      lidarOnly.cameras = []
      visibility.update(lidarOnly, grid: nil)
      memory.update(
        finder.obstacles, count: finder.count, atNanoseconds: frame.timestampNanoseconds,
        visibility: visibility, worldFromEgo: frame.worldFromEgo)
    }
  }
}
