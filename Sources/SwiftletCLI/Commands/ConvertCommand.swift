import ArgumentParser
import Foundation
import SwiftletReplay

struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Write a recording, or a part of it, as MCAP, nuScenes or KITTI.",
    discussion: """
      A name that ends in .mcap is written as MCAP; --to says what a folder becomes.

      nuScenes and KITTI folders become ROS 2 messages (CDR): images and scans byte for byte, poses \
      as /tf, mounts as /tf_static, calibrations as camera_info. MCAP files and ROS 2 bags are copied \
      message by message; damaged parts are left out and named. Chunks of 1 MiB, full index, CRCs.

      nuScenes folders keep images and scans byte for byte, poses and mounts as unit quaternions, \
      times in microseconds. KITTI holds up to four cameras that look the same way, one LiDAR without \
      rings, one pose a frame; images become PNG, pixel for pixel. What a layout cannot hold is named.

      Exit codes: 0 written, 4 nothing to write, or written without what is damaged.

      Examples:
        swiftlet convert recordings/nuscenes drive.mcap
        swiftlet convert drive.mcap folder --to nuscenes
        swiftlet convert drive.mcap folder --to kitti --topics CAM_FRONT,LIDAR_TOP
        swiftlet convert drive.mcap part.mcap --from 10 --until 20
        swiftlet convert bag/ clouds.mcap --topics /lidar/points,/tf,/tf_static
      """)

  @Argument(help: "A recording: a nuScenes or KITTI folder, an MCAP file, a ROS 2 bag.")
  var input: String
  @Argument(help: "The MCAP file or the folder to write.") var output: String
  @Option(help: "mcap, nuscenes or kitti. Default: mcap for names that end in .mcap.")
  var to: RecordingConverter.Format?
  @Option(help: "Topics or names of sensors to write, separated by commas; a sensor comes with its transforms. Default: all.")
  var topics: String?
  @Option(help: "Seconds from the recording's start.") var from: Double?
  @Option(help: "Seconds from the recording's start.") var until: Double?
  @Option(help: "Chunk compression: zstd or none.") var compression = "zstd"
  @Option(help: "Scene (nuScenes), drive (KITTI raw) or sequence (KITTI odometry).")
  var scene: String?
  @Option(help: "A poses file in place of the recording's own (KITTI).") var poses: String?

  @Flag(help: "Print JSON instead of lines.") var json = false

  private struct Line: Encodable {
    var output: String
    var format: String
    var messages: Int
    var counts: [String: Int]
    var warnings: [ReplayWarning]
  }

  func validate() throws {
    guard to != nil || output.hasSuffix(".mcap") else {
      throw ValidationError("\(output) does not end in .mcap: say --to nuscenes, kitti or mcap")
    }
    guard ["zstd", "none"].contains(compression) else {
      throw ValidationError("--compression is zstd or none, not \(compression)")
    }
    if let from, let until, from >= until {
      throw ValidationError("--from \(from) is not before --until \(until)")
    }
  }

  func run() throws {
    var options = RecordingConverter.Options(
      recording: RecordingOptions(posesFile: poses, scene: scene),
      compression: compression == "zstd" ? .zstd : .none,
      topics: topics.map { Set($0.split(separator: ",").map(String.init)) }, fromSeconds: from,
      untilSeconds: until)
    options.format = to ?? .mcap
    let converter = RecordingConverter(options: options)
    let summary: RecordingConverter.Summary
    do throws(RecordingError) {
      summary = try converter.convert(input, to: output)
    } catch {
      printError(error.description)
      throw ExitCode(4)
    }
    for warning in summary.warnings { printError("\(warning.code): \(warning.message)") }
    if json {
      let line = Line(
        output: output, format: options.format.rawValue, messages: summary.messageCount,
        counts: summary.messageCounts, warnings: summary.warnings)
      print(String(decoding: try JSONText.pretty(line), as: UTF8.self), terminator: "")
    } else {
      for (topic, count) in summary.messageCounts.sorted(by: { $0.key < $1.key }) {
        print("\(count)\t\(topic)")
      }
      let what = options.format == .mcap ? "messages" : "files"
      print("\(summary.messageCount)\t\(what) in \(output)")
    }
    let isPartial = summary.warnings.contains {
      [ReplayWarning.containerDamaged, ReplayWarning.messageInvalid].contains($0.code)
    }
    if isPartial { throw ExitCode(4) }
  }
}

extension RecordingConverter.Format: ExpressibleByArgument {}
