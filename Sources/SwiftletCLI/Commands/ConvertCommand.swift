import ArgumentParser
import SwiftletReplay

struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Write a recording as MCAP with ROS 2 messages.",
    discussion: """
      Images keep their bytes; points become x, y, z, intensity in float32 (a ring number is left \
      out). Calibration goes into camera_info and /tf_static, ego poses into /tf at every sample's \
      own time. Other tools (Foxglove, Rerun, rosbags) read the result.

      Exit codes: 0 written, 4 not a recording, or parts of it could not be read.

      Example:
        swiftlet convert recordings/nuscenes drive.mcap --compression lz4
      """)

  @Argument(help: "The recording.") var input: String
  @Argument(help: "The MCAP file to write.") var output: String
  @Option(help: "Scene, drive or sequence; the first by default.") var scene: String?
  @Option(help: "A poses file in place of the recording's own (KITTI).") var poses: String?
  @Option(help: "zstd, lz4 or none.") var compression = "zstd"

  func validate() throws {
    guard ["zstd", "lz4", "none"].contains(compression) else {
      throw ValidationError("--compression is zstd, lz4 or none, not \(compression)")
    }
  }

  func run() throws {
    let summary: RecordingExport.Summary
    let kind = MCAPFileWriter.Compression(rawValue: compression) ?? .none
    do throws(RecordingError) {
      let options = RecordingOptions(posesFile: poses, scene: scene)
      let recording = try RecordingOpener.open(path: input, options: options)
      summary = try RecordingExport.writeMCAP(recording, to: output, compression: kind)
    } catch {
      printError(error.description)
      throw ExitCode(4)
    }
    for warning in summary.warnings {
      printError("\(warning.code) \(warning.sensor ?? ""): \(warning.message)")
    }
    print("\(output): \(summary.messageCount) messages")
    if summary.warnings.contains(where: \.isDamage) { throw ExitCode(4) }
  }
}
