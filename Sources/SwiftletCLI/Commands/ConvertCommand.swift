import ArgumentParser
import SwiftletReplay

struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Write a recording, or a part of it, as MCAP.",
    discussion: """
      nuScenes and KITTI folders become ROS 2 messages (CDR): images and scans byte for byte, poses \
      as /tf, mounts as /tf_static, calibrations as camera_info. MCAP files and ROS 2 bags are copied \
      message by message; damaged parts are left out and named. Chunks of 1 MiB, full index, CRCs.

      Exit codes: 0 written, 4 nothing to write, or written without what is damaged.

      Examples:
        swiftlet convert recordings/nuscenes drive.mcap
        swiftlet convert drive.mcap part.mcap --from 10 --until 20
        swiftlet convert bag/ clouds.mcap --topics /lidar/points,/tf,/tf_static
      """)

  @Argument(help: "A recording: a nuScenes or KITTI folder, an MCAP file, a ROS 2 bag.")
  var input: String
  @Argument(help: "The MCAP file to write.") var output: String
  @Option(help: "Topics to write, separated by commas. Default: all.") var topics: String?
  @Option(help: "Seconds from the recording's start.") var from: Double?
  @Option(help: "Seconds from the recording's start.") var until: Double?
  @Option(help: "Chunk compression: zstd or none.") var compression = "zstd"
  @Option(help: "Scene (nuScenes), drive (KITTI raw) or sequence (KITTI odometry).")
  var scene: String?
  @Option(help: "A poses file in place of the recording's own (KITTI).") var poses: String?

  func validate() throws {
    guard ["zstd", "none"].contains(compression) else {
      throw ValidationError("--compression is zstd or none, not \(compression)")
    }
    if let from, let until, from >= until {
      throw ValidationError("--from \(from) is not before --until \(until)")
    }
  }

  func run() throws {
    let converter = RecordingConverter(
      options: RecordingConverter.Options(
        recording: RecordingOptions(posesFile: poses, scene: scene),
        compression: compression == "zstd" ? .zstd : .none,
        topics: topics.map { Set($0.split(separator: ",").map(String.init)) }, fromSeconds: from,
        untilSeconds: until))
    let summary: RecordingConverter.Summary
    do throws(RecordingError) {
      summary = try converter.convert(input, to: output)
    } catch {
      printError(error.description)
      throw ExitCode(4)
    }
    for warning in summary.warnings { printError("\(warning.code): \(warning.message)") }
    for (topic, count) in summary.messageCounts.sorted(by: { $0.key < $1.key }) {
      print("\(count)\t\(topic)")
    }
    print("\(summary.messageCount)\tmessages in \(output)")
    let isPartial = summary.warnings.contains {
      [ReplayWarning.containerDamaged, ReplayWarning.messageInvalid].contains($0.code)
    }
    if isPartial { throw ExitCode(4) }
  }
}
