import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct MapCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "map",
    abstract: "Insert a recording's LiDAR scans into an occupancy map.",
    discussion: """
      Writes every known voxel, sorted by x, y, z: `keys` int32 [N, 3], floor(coordinate / voxel) \
      per axis in world, and `log_odds` float32 [N]. Mode reference is OctoMap's map, unbounded \
      and float32; the other modes are the rolling window's, which keeps what lies in the last \
      window.

      Exit codes: 0 written, 1 the file cannot be written, 4 the recording cannot be read or no \
      scan of it can.

      Examples:
        swiftlet map kitti/sequences/00 --poses kitti/poses/00_orb_slam2.txt --out map.safetensors
        swiftlet map drive/ --voxel 0.4 --max-range 80 --out map.safetensors
        swiftlet map drive/ --mode realtime --time-bound 1.5ms --carving-log log --out map.safetensors
        swiftlet map drive/ --mode realtime --repeat-carving log --out same.safetensors
      """)

  @Argument(help: "A recording: nuScenes, KITTI raw or KITTI odometry.") var path: String
  @Option(help: "Edge of a voxel, metres.") var voxel = 0.2
  @Option(
    name: .customLong("max-range"),
    help: "Farther points only clear up to this range, metres; negative: unlimited.")
  var maximumRange = 50.0
  @Option(help: "\(MapOptions.Mode.names.joined(separator: ", ")).") var mode = "reference"
  @OptionGroup var evidence: EvidenceOptions
  @OptionGroup var carving: CarvingOptions
  @Option(
    name: .customLong("scans-out"),
    help: "Also write every scan in world axes to this folder, for other programs.")
  var scansOut: String?
  @Flag(help: "Print the milliseconds of each frame's update, a line each.") var timing = false
  @Option(help: "A poses file in place of the recording's own (KITTI).") var poses: String?
  @Option(help: "Scene (nuScenes), drive (KITTI raw) or sequence (KITTI odometry).")
  var scene: String?
  @Option(help: "The .safetensors file to write.") var out: String
  @OptionGroup var engine: EngineOptions

  func run() throws {
    let builder = try makeBuilder()
    let recording: any Recording
    do throws(RecordingError) {
      recording = try RecordingOpener.open(
        path: path,
        options: RecordingOptions(
          keepsEgoBodyPoints: true, posesFile: poses, scene: scene, decodesImages: false))
    } catch {
      printError(error.description)
      throw ExitCode(4)
    }
    let map = try build(builder, recording)
    for failed in map.failedFrames { printError("frame \(failed.frame): \(failed.reason)") }
    for warning in recording.warnings { printError("warning: \(warning.message)") }
    guard map.scanCount > 0 else {
      printError("\(path): expected LiDAR scans, found none that can be read; give a recording with a LiDAR")
      throw ExitCode(4)
    }
    try write(map, builder.options)
    try carving.write(map.carvingLog)
    if timing { for milliseconds in map.milliseconds { print("ms \(milliseconds)") } }
    printError(
      "\(map.scanCount) scans, \(map.pointCount) points (\(map.notFiniteCount) not finite): "
        + "\(map.logOdds.count) voxels known, \(map.occupiedCount) occupied; wrote \(out)")
    carving.report(map.carvingLog)
  }

  private func makeBuilder() throws -> MapBuilder {
    var options = MapOptions()
    options.voxelSizeMeters = voxel
    options.maximumRangeMeters = maximumRange
    options.scansFolder = scansOut
    evidence.apply(to: &options)
    try carving.apply(to: &options)
    do throws(ConfigurationError) {
      options.mode = try MapOptions.Mode(name: mode)
    } catch {
      throw ValidationError("\(error)")
    }
    return MapBuilder(
      options: options, engine: try engine.makeEngine(),
      pool: WorkerPool(threadCount: engine.threads))
  }

  private func build(_ builder: MapBuilder, _ recording: any Recording) throws -> BuiltMap {
    do throws(ConfigurationError) {
      return try builder.build(recording) { done, count in
        if done == count || done % 10 == 0 { printError("scan \(done) / \(count)") }
      }
    } catch {
      throw ValidationError("\(error)")
    }
  }

  private func write(_ map: BuiltMap, _ options: MapOptions) throws {
    do {
      try Data(map.safeTensors(options).serialized()).write(to: URL(fileURLWithPath: out))
    } catch {
      printError("\(out): \(error.localizedDescription); choose a folder that can be written")
      throw ExitCode(1)
    }
  }
}
