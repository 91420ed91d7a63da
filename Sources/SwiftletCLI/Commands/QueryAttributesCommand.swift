import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct QueryAttributesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "attributes",
    abstract: "Which class each occupied voxel has (Occ3D's 17), and how strongly it reflects.",
    discussion: """
      Classes are voted over the frames, intensities averaged (0 to 255). A point's class is the \
      recorded one (nuScenes-lidarseg, SemanticKITTI labels/, drives of swiftlet synth), else its \
      cell's in network_outputs/OCCUPANCY/<nanoseconds>: `semantics` [200, 200, 16] (.safetensors or \
      Occ3D's .npz) or `class_logits` [200, 200, 16, 17 or 18]. --out keeps keys int32 [N, 3], label \
      (255: none), weight, intensity and has_intensity uint8 [N]. --check counts every label and says \
      how many voxels hold their most frequent one.

      Exit codes: 0 answered, 1 a file cannot be written, 4 the path cannot be read.

      Examples:
        swiftlet query attributes drive --png classes.png
        swiftlet query attributes drive --png intensity.png --show intensity --below 3
        swiftlet query attributes drive --out attributes.safetensors --check --json
      """)
  @OptionGroup var arguments: QueryArguments
  @Option(help: "A picture of the topmost occupied voxels.") var png: String?
  @Option(help: "What the picture shows: class or intensity.") var show = "class"
  @Option(help: "Leave voxels higher above the ego's origin out of the picture, metres.")
  var below: Double?
  @Option(help: "The .safetensors file to write.") var out: String?
  @Option(help: "Intensities times this are 0 to 255; default: told by the first scan.")
  var intensityScale: Float?
  @Flag(help: "Compare with an exact count of every label.") var check = false

  func validate() throws {
    guard AttributeShown(rawValue: show) != nil else {
      throw ValidationError("--show: expected class or intensity, found \(show)")
    }
    if let intensityScale, !(intensityScale > 0 && intensityScale.isFinite) {
      throw ValidationError("--intensity-scale: expected a number above 0, found \(intensityScale)")
    }
    if let below, !below.isFinite {
      throw ValidationError("--below: expected metres, found \(below)")
    }
  }

  func run() throws {
    guard !QueryWindow.isMap(arguments.path) else {
      throw ValidationError("PATH: expected a recording, found a saved map, which has no points")
    }
    var settings = AttributeFeeder.Settings()
    settings.intensityScale = intensityScale
    settings.countsLabels = check
    var feeder: AttributeFeeder?
    let window = try arguments.openWithLabels { grid, frame, root in
      let current = feeder ?? AttributeFeeder(root: root, settings: settings)
      feeder = current
      try current.add(frame, in: grid)
    }
    guard let feeder else { return }
    let result = AttributeResult(feeder, window: window)
    if let png, let shown = AttributeShown(rawValue: show) {
      try writeFile(try result.picture(shown, maximumHeightMeters: below), to: png)
    }
    if let out { try writeFile(result.safeTensors.serialized(), to: out) }
    print(arguments.json ? result.json.text : result.table)
  }
}
