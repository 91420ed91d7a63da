import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Examine a recording, repair it, or judge its camera calibration.",
    discussion: """
      Without --calib: structure, checksums, payloads, duplicates, gaps, clock, rate, skew, poses and \
      calibration, each good, odd or damaged; exit code 4 for damage. --repair writes everything that \
      can be read as MCAP and examines that.

      --calib projects depth edges of the LiDAR into every camera and asks whether another \
      calibration would put them onto the image's edges better: turns to 2.5°, shifts to 20 cm, a \
      time offset between cameras and LiDAR, cameras swapped, images or rig mirrored, the whole rig \
      turned. --refine writes the rig corrected by Gauss–Newton as a rig.json, which the projection \
      commands take by --rig. --out draws the LiDAR's points and edges over the images.

      Exit codes: 0 the calibration fits, 1 a file cannot be written, 3 a fault is named, 4 the \
      recording cannot be read, 6 too few edges to decide, 64 usage.

      Examples:
        swiftlet doctor drive.mcap
        swiftlet doctor damaged.mcap --repair repaired.mcap --json
        swiftlet doctor drive --calib
        swiftlet doctor recordings/nuscenes --calib --out overlays --json
        swiftlet doctor drive --calib --refine corrected.json
      """)

  @Argument(help: "A nuScenes or KITTI folder, an MCAP file or a ROS 2 bag.") var path: String
  @OptionGroup var recordingDoctor: RecordingDoctorOptions
  @Flag(help: "Judge the cameras' calibration.") var calib = false
  @Option(help: "Write the corrected rig to this file.") var refine: String?
  @Option(help: "Folder for overlay pictures.") var out: String?
  @Option(help: "A rig.json to judge in place of the recording's calibration.") var rig: String?
  @Option(help: "Frames to look at, spread over the recording.") var frames = 20
  @Option(help: "Scene (nuScenes), drive (KITTI raw) or sequence (KITTI odometry).")
  var scene: String?
  @Option(help: "A poses file in place of the recording's own (KITTI).") var poses: String?
  @Flag(help: "Print JSON instead of the table.") var json = false

  func validate() throws {
    guard calib || (refine == nil && out == nil && rig == nil) else {
      throw ValidationError("--refine, --out and --rig go with --calib")
    }
  }

  func run() throws {
    if calib { return try runCalibration() }
    try examineRecording(
      path, recordingDoctor, recording: RecordingOptions(posesFile: poses, scene: scene), json: json)
  }
}
