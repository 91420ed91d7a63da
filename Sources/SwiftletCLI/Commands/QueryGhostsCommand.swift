import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct QueryGhostsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ghosts",
    abstract: "What moving things leave behind in the map, with and without ageing and flow.",
    discussion: """
      PATH is a drive of `swiftlet synth`, or a folder of consecutive Argoverse 2 sweeps: <ns>.bin \
      (float32 x 5, ego axes), annotations.json, city_SE3_egovehicle.json, flow_<ns>.f32x3. Counted \
      are voxels that points in moving boxes hit before the last sweep and that no box covers then.

      Exit codes: 0 measured, 4 the folder cannot be read.

      Examples:
        swiftlet query ghosts drive --frames 20
        swiftlet query ghosts av2-log
        swiftlet query ghosts av2-log --voxel 0.4 --json
      """)
  @OptionGroup var arguments: QueryArguments
  @Option(help: "Moving things fade from the clamp to unknown in this time, seconds.")
  var dynamicSeconds = OccupancyAgingConfiguration().dynamicSeconds

  func run() throws {
    try reportingQueryErrors {
      let drive = try BoxedSweeps.read(arguments.path, frames: arguments.frames)
      var options = QueryOptions()
      options.voxelSizeMeters = arguments.voxel
      options.maximumRangeMeters = arguments.maximumRange
      guard let mode = OccupancyMode(rawValue: arguments.mode) else {
        throw ValidationError("--mode: expected a mode, found \(arguments.mode)")
      }
      options.mode = mode
      var aging = OccupancyAgingConfiguration()
      aging.dynamicSeconds = dynamicSeconds
      options.aging = aging
      let result = try GhostResult(
        drive, options: options, engine: try arguments.engine.makeEngine(),
        pool: WorkerPool(threadCount: arguments.engine.threads))
      print(arguments.json ? result.json.text : result.table)
    }
  }
}
