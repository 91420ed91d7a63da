import ArgumentParser
import SwiftletReplay

struct InfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Say what a recording holds and what is odd about it.",
    discussion: """
      Prints sensors, rates, frames, duration, calibration found or missing, and what is odd: gaps, \
      duplicate or out-of-order timestamps, missing files, damaged records. --read also reads and \
      decodes every frame.

      Exit codes: 0 read, 4 not a recording, no frames, or damaged.

      Examples:
        swiftlet info recordings/nuscenes --scene scene-0061
        swiftlet info recordings/kitti/sequences/00 --json
        swiftlet info drive/ --read
      """)

  @Argument(help: "A nuScenes or KITTI folder, an MCAP file or a ROS 2 bag.") var path: String
  @Option(help: "Scene (nuScenes), drive (KITTI raw) or sequence (KITTI odometry).")
  var scene: String?
  @Option(help: "A poses file in place of the recording's own (KITTI).") var poses: String?
  @Flag(help: "Read and decode every frame.") var read = false
  @Flag(help: "Print JSON instead of the table.") var json = false

  func run() throws {
    let summary: RecordingSummary
    do throws(RecordingError) {
      let options = RecordingOptions(posesFile: poses, scene: scene)
      let recording = try RecordingOpener.open(path: path, options: options)
      summary = RecordingSummary(recording, readsFrames: read)
    } catch {
      printError(error.description)
      throw ExitCode(4)
    }
    print(json ? summary.json : summary.text)
    if summary.isDamaged { throw ExitCode(4) }
  }
}
