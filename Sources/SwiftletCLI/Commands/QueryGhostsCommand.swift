import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct QueryGhostsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ghosts",
    abstract: "What moving things leave behind in the map, with and without ageing and flow.",
    discussion: """
      PATH is a folder of consecutive Argoverse 2 sweeps: <ns>.bin (float32 x 5, ego axes), \
      annotations.json, city_SE3_egovehicle.json, flow_<ns>.f32x3. Counted are voxels that points \
      in moving boxes hit before the last sweep and that no box covers then. Of a synthetic drive, \
      `swiftlet replay` prints the ghosts against its ground truth.

      Exit codes: 0 measured, 4 the folder cannot be read.

      Examples:
        swiftlet query ghosts av2-log
        swiftlet query ghosts av2-log --voxel 0.4 --json
      """)
  @OptionGroup var arguments: QueryArguments

  func run() throws {
    try reportingQueryErrors {
      let drive = try AV2Sweeps.read(arguments.path)
      var options = QueryOptions()
      options.voxelSizeMeters = arguments.voxel
      options.maximumRangeMeters = arguments.maximumRange
      guard let mode = OccupancyMode(rawValue: arguments.mode) else {
        throw ValidationError("--mode: expected a mode, found \(arguments.mode)")
      }
      options.mode = mode
      let result = try GhostResult(
        drive, options: options, engine: try arguments.engine.makeEngine(),
        pool: WorkerPool(threadCount: arguments.engine.threads))
      print(arguments.json ? result.json.text : result.table)
    }
  }
}
