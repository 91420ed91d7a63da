import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct QueryVisibilityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "visibility",
    abstract: "What LiDAR and each camera see, what is hidden, what is out of view (Occ3D masks).",
    discussion: """
      The volume is Occ3D's: 200 × 200 × 16 cells of 0.4 m around the ego. Visible to the LiDAR: a \
      ray of the last frame passed or ended there; to a camera: a pixel's ray crosses it, up to and \
      including the first occupied cell. mask_lidar counts all frames so far, mask_camera is what \
      a camera sees of it. --out keeps `mask_lidar`, `mask_camera`, `occupied` uint8 [x, y, z] and \
      `states` uint8 [sensor, x, y, z] (0 out of view, 1 occluded, 2 visible; LiDAR first).

      Exit codes: 0 answered, 1 a file cannot be written, 4 the path cannot be read.

      Examples:
        swiftlet query visibility drive --png visibility.png
        swiftlet query visibility drive --frames 1 --out masks.safetensors --json
      """)
  @OptionGroup var arguments: QueryArguments
  @Option(help: "Pixels from one camera ray to the next; default: rays a cell apart far away.")
  var pixelStep: Int?
  @Option(help: "A picture of the slice at --height.") var png: String?
  @Option(help: "Height of the picture's slice above the ego's origin, metres.") var height = 0.9
  @Option(help: "The .safetensors file to write.") var out: String?

  func run() throws {
    guard !QueryWindow.isMap(arguments.path) else {
      throw ValidationError("PATH: expected a recording, found a saved map, which has no rays")
    }
    let pool = WorkerPool(threadCount: arguments.engine.threads)
    var map: VisibilityMap?
    let window = try arguments.open { grid, frame in
      var configuration = VisibilityConfiguration()
      configuration.pixelStep = pixelStep
      let current =
        try map ?? VisibilityMap(configuration: configuration, engine: grid.engine, pool: pool)
      map = current
      current.update(frame, grid: grid)
    }
    guard let map else { return }
    let result = VisibilityResult(
      map, worldFromEgo: window.worldFromEgo, frameCount: window.frameCount)
    if let png { try writeFile(try result.picture(heightMeters: height), to: png) }
    if let out { try writeFile(result.safeTensors.serialized(), to: out) }
    print(arguments.json ? result.json.text : result.table)
  }
}
